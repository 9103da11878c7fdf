"""Panels about versions: how they were judged, what moves them, how they came and went."""

from __future__ import annotations

import datetime as dt

from evergreen.reporting.blocks import NO_DATA, Link, Panel, Table
from evergreen.reporting.charts.bars import Amounts, bar_picture
from evergreen.reporting.charts.grids import Moment, Stretch, heat_picture, timeline_picture
from evergreen.reporting.charts.picture import Colour, Picture
from evergreen.reporting.dashboard.records import DashboardRecords
from evergreen.wording import in_words, number_text

_FEATURES, _VERSIONS = 12, 12
_EVENTS: dict[str, Colour] = {
    "promote": "good", "refresh": "good", "rollback": "bad", "look": "soft", "reject": "watch",
    "repair": "watch",
}  # fmt: skip
_KEY: tuple[tuple[Colour, str], ...] = (
    ("now", "serves"), ("before", "served before"), ("good", "promotion, refresh"), ("bad", "rollback"),
    ("soft", "look"),
)  # fmt: skip
CARD = Link("Model card", "model_card.html")


def nothing(name: str, sentence: str, links: tuple[Link, ...] = ()) -> Panel:
    """A panel of which nothing is known yet, and what it would show."""
    return Panel(name, NO_DATA, "plain", f"{NO_DATA[0].upper()}{NO_DATA[1:]}: {sentence}", links=links)


def importance_panel(records: DashboardRecords) -> Panel:
    """What moves the scores of the version that serves."""
    name, found = "Feature importance", records.standing.importance[:_FEATURES]
    if not found:
        return nothing(name, "SHAP values are computed when a version is judged.")
    sentence = (
        f"Mean absolute SHAP value ({records.standing.units}) of the {len(found)} features that move the scores of "
        f"{_judged(records)} most, on its test rows."
    )
    picture = bar_picture("Mean |SHAP|", [f for f, _ in found], [Amounts("SHAP", [value for _, value in found])])
    links = (CARD, Link("importance.csv", "importance.csv"))
    return Panel(name, "", "plain", sentence, [picture], links=links)


def _judged(records: DashboardRecords) -> str:
    return f"version {records.evaluation.version}" if records.evaluation else "the version"


def algorithms_panel(records: DashboardRecords) -> Panel:
    """Algorithm × metric of the newest training."""
    name, found = "Algorithms and metrics", records.standing.algorithms
    judged = records.evaluation
    test = judged.test_roc_auc if judged else {}
    names = [each.algorithm for each in found] or [n for n in test if not n.startswith("champion (")]
    if not names:
        return nothing(name, "a training compares algorithms.")
    by_name = {each.algorithm: each for each in found}
    values = [
        [
            by_name[n].cv_roc_auc if n in by_name else None,
            by_name[n].cv_spread if n in by_name else None,
            test.get(n),
            by_name[n].fit_seconds if n in by_name else None,
        ]
        for n in names
    ]
    order = sorted(range(len(names)), key=lambda i: -(values[i][0] or values[i][2] or 0.0))
    columns = ("CV AUC", "spread", "test AUC", "fit, s")
    picture = heat_picture(
        "The fuller, the better within a column", [names[i] for i in order], columns, [values[i] for i in order],
        (True, False, True, False),
    )  # fmt: skip
    tested = f", test AUC on {judged.n_test:,} rows that version {judged.version} had not seen" if judged else ""
    sentence = f"Algorithms of the newest training: cross-validated on its training rows{tested}."
    return Panel(name, "", "plain", sentence, [picture], links=(CARD,))


def versions_panel(records: DashboardRecords) -> Panel:
    """Versions over time, with promotions and rollbacks."""
    name, versions = "Versions over time", records.standing.versions[-_VERSIONS:]
    if not versions:
        return nothing(name, "a training registers versions.")
    serving = records.standing.serving
    now = serving.version if serving else None
    served = {event.version for event in records.standing.events if event.moves}
    head = ("Version", "Algorithm", "Test AUC", "What became of it", "Made (UTC)")
    rows = [
        (
            Link(each.version, f"cards/version-{each.version}.html") if each.version in served else each.version,
            each.algorithm,
            "–" if each.test_roc_auc is None else number_text(each.test_roc_auc),
            "serves" if each.version == now else in_words(each.status),
            f"{each.created:%Y-%m-%d %H:%M}",
        )
        for each in reversed(versions)
    ]
    sentence = f"The newest {len(versions)} of {len(records.standing.versions)} versions, and when each served."
    blocks = [Table(head, rows, frozenset({"Test AUC"}))]
    return Panel(name, "", "plain", sentence, [_lives(records)], blocks=blocks, links=(CARD,))


def _lives(records: DashboardRecords) -> Picture:
    versions = records.standing.versions[-_VERSIONS:]
    shown = {each.version for each in versions}
    moves = [event for event in records.standing.events if event.moves]
    last = max([*(each.created for each in versions), *(event.when for event in records.standing.events)])
    end = last + max(dt.timedelta(minutes=1), (last - versions[0].created) / 20)
    ends = [*(event.when for event in moves[1:]), end][: len(moves)]
    stretches = [
        Stretch(
            f"version {event.version}", event.when, until, "now" if until == end else "before",
            f"version {event.version} {'serves' if until == end else 'served'} since {event.when:%Y-%m-%d %H:%M} UTC",
        )
        for event, until in zip(moves, ends, strict=True)
        if event.version in shown
    ]  # fmt: skip
    moments = [
        Moment(f"version {event.version}", event.when, _EVENTS[event.action], f"{event.action}: {event.reason}")
        for event in records.standing.events
        if event.version in shown
    ]
    made = [Moment(f"version {each.version}", each.created, "fourth", f"{each.algorithm} made") for each in versions]
    key = (*_KEY, ("fourth", "made"))
    lanes = [f"version {each.version}" for each in reversed(versions)]
    return timeline_picture("Who served when", lanes, stretches, [*made, *moments], key)
