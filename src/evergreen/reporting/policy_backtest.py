"""Which policy of retraining would have paid? The backtest as one page for people."""

from __future__ import annotations

from evergreen.reporting.blocks import Lines, Pictures, Table, Text, Verdict
from evergreen.reporting.charts.bars import PointInterval, interval_picture
from evergreen.reporting.charts.lines import Axes, DrawnLine, line_picture
from evergreen.reporting.charts.picture import Picture
from evergreen.reporting.page import Page, Section, Tile, as_html
from evergreen.retraining.backtest.record import BacktestRecord
from evergreen.wording import counted, number_text, range_text, signed_text

MOST_AGES = 26


def backtest_page(record: BacktestRecord) -> str:
    """One HTML file without scripts or anything else to fetch.

    Args:
        record: What the backtest found.
    """
    subtitle = f"Champion version {record.version}, as of {record.as_of}"
    title = f"{record.use_case} · which policy of retraining pays"
    if record.recommended is None:
        return as_html(Page(title, subtitle, "skipped", [], [Section("Not replayed", [Text(record.reason)])]))
    sections = [
        Section(
            "What pays", [Text(record.reason), Text("Into conf/<env>/parameters.yml:"), Lines(record.settings.rstrip())]
        ),
        Section(
            "What every policy would have cost", [Pictures([_costs(record)]), _policies(record), Text(_how(record))]
        ),
        Section("What age costs", [Pictures([_ages(record)]), _staleness(record), Text(_AGE)]),
    ]
    verdict = Verdict(
        f"Retrain {record.recommended}: of what costs about as little as the cheapest it trains least.",
        [("Since when", f"{counted(record.windows, 'window')} were replayed, {record.first} to {record.last}."),
         ("What to do", "Paste the settings below into conf/<env>/parameters.yml, unless they stand there already.")],
        "good",
    )  # fmt: skip
    return as_html(Page(title, subtitle, record.recommended, _tiles(record), sections, "good", verdict))


_AGE = (
    "AUC lost against the model of the window itself, mean over all windows in which a model of that age could serve. "
    "Where it stays at 0, age costs nothing and retraining brings nothing."
)


def _tiles(record: BacktestRecord) -> list[Tile]:
    best = next(row for row in record.policies if row.policy == record.recommended)
    return [
        Tile("Windows", str(record.windows), f"of {record.window_days} days, {record.first} to {record.last}"),
        Tile("Recommended", number_text(best.cost), counted(best.trainings, "training")),
        Tile(
            "Nobody pays less than", number_text(record.oracle_cost), counted(record.oracle_trainings or 0, "training")
        ),
    ]


def _costs(record: BacktestRecord) -> Picture:
    above = [
        PointInterval(
            row.policy, row.regret, *row.regret_interval, "good" if row.policy == record.recommended else "now"
        )
        for row in record.policies
    ]
    return interval_picture("Cost above the least, with its 95 % interval", above, "nobody pays less")


def _ages(record: BacktestRecord) -> Picture:
    ages = record.staleness[:MOST_AGES]
    axes = Axes([f"{each.age_windows}" for each in ages], low=0.0, across="Age in windows")
    return line_picture("AUC lost by age in windows", [DrawnLine("AUC lost", [each.auc_lost for each in ages])], axes)


def _policies(record: BacktestRecord) -> Table:
    head = ("Policy", "Cost", "Above the least", "Interval", "Mean AUC", "Trainings", "Changes of model", "Can be set")
    rows = [
        (
            row.policy,
            number_text(row.cost),
            number_text(row.regret),
            range_text(*row.regret_interval),
            number_text(row.auc),
            str(row.trainings),
            str(row.promotions),
            "yes" if row.available else "no: retraining never promotes unasked",
        )
        for row in record.policies
    ]
    return Table(head, rows, frozenset(head[1:7]))


def _staleness(record: BacktestRecord) -> Table:
    rows = [
        (str(each.age_windows), signed_text(each.auc_lost, 4), str(each.cells)) for each in record.staleness[:MOST_AGES]
    ]
    return Table(("Age in windows", "AUC lost", "Windows"), rows, frozenset({"Age in windows", "AUC lost", "Windows"}))


def _how(record: BacktestRecord) -> str:
    return (
        f"A policy costs {record.retraining_cost:g} a training and 1 − AUC of the model in charge a window; the "
        "champion's recipe was trained again at the beginning of each window on what was known by then. All but those "
        "called unasked have to show that the new model is better before it serves. The least is what the best "
        "sequence of models would have cost, which nobody can know beforehand; intervals draw blocks of four windows."
    )
