"""Is it healthy, since when, what happens next? The one line on top of a dashboard, and its figures."""

from __future__ import annotations

import datetime as dt

from evergreen.invocation import command
from evergreen.reporting.blocks import NO_DATA, Tone, Verdict
from evergreen.reporting.dashboard.records import DashboardRecords
from evergreen.reporting.monitoring.decision import retraining_answer
from evergreen.reporting.monitoring.verdict import headline, since_when, tone, what_to_do
from evergreen.reporting.page import Tile
from evergreen.reporting.serving import ServingRecord
from evergreen.wording import counted, number_text, range_text


def health(records: DashboardRecords) -> Verdict:
    """Champion, age, health, and what happens next."""
    serving, monitoring = records.standing.serving, records.monitoring
    if serving is None:
        run = command("kedro run --pipelines=feature_engineering,training,evaluation", records.use_case)
        refused = f" {_last_outcome(records)}" if records.evaluation is not None else ""
        return Verdict(
            f"Nothing serves yet.{refused}",
            [("Since when", "There has been no champion."), ("What to do", f"Run `{run}`: it trains and judges one.")],
            "watch" if records.evaluation is not None else "plain",
        )
    who = f"Version {serving.version} ({serving.algorithm}) serves{_age(records)}"
    if monitoring is None or monitoring.version != serving.version:
        seen = "no window was looked at" if monitoring is None else "no window was looked at since it does"
        run = command("kedro run --pipeline=monitoring", records.use_case)
        return Verdict(
            f"Health unknown: {who}, and {seen}.",
            [("Since when", _began(records)), ("What to do", f"Run `{run}`: it looks at the newest rows.")],
            "watch",
        )
    answer = retraining_answer(monitoring, records.trigger)
    history = records.history
    own = history[history["version"].eq(serving.version)] if len(history) else None
    answers = [
        ("Champion", f"{who}."),
        ("Since when", since_when(monitoring, own)),
        ("What to do", what_to_do(monitoring, answer)),
        ("What happens next", _next(records, answer.sentence)),
    ]
    return Verdict(headline(monitoring, answer), answers, tone(monitoring, answer))


def tiles(records: DashboardRecords) -> list[Tile]:
    """The figures of the page's head."""
    serving, seen = records.standing.serving, records.monitoring
    if seen is not None and (serving is None or seen.version != serving.version):
        seen = None  # it speaks of another version
    age = _days(records)
    auc = records.evaluation.metrics["test"].get("roc_auc") if records.evaluation else None
    found = seen.performance.metrics.get("roc_auc") if seen and seen.performance else None
    estimate = seen.estimate.metrics.get("roc_auc") if seen else None
    open_now = len(seen.open_alerts) if seen else 0
    loud: Tone = "watch" if open_now else "good" if seen else "plain"
    return [
        _champion(serving),
        Tile("Age", counted(age, "day") if age is not None else "–", "since it was trained"),
        Tile(
            "ROC AUC, promised",
            number_text(auc.value) if auc else "–",
            range_text(auc.low, auc.high) if auc and auc.value is not None else NO_DATA,
        ),
        Tile(
            "ROC AUC now",
            number_text(found.window.value) if found else number_text(estimate.value) if estimate else "–",
            "measured" if found else "estimated" if estimate else NO_DATA,
            "bad" if found and found.alert else "plain",
        ),
        Tile("Alerts open", f"{open_now}" if seen else "–", "over windows" if seen else NO_DATA, loud),
        Tile("Versions", f"{len(records.standing.versions)}", "in the registry"),
    ]


def _champion(serving: ServingRecord | None) -> Tile:
    if serving is None:
        return Tile("Champion", "none", NO_DATA)
    return Tile("Champion", f"version {serving.version}", serving.algorithm)


def _days(records: DashboardRecords) -> int | None:
    serving, today = records.standing.serving, records.as_of
    return None if serving is None or today is None else (today - serving.as_of).days


def _age(records: DashboardRecords) -> str:
    days = _days(records)
    return "" if days is None else f", trained {counted(days, 'day')} before {records.as_of}"


def _began(records: DashboardRecords) -> str:
    serving = records.standing.serving
    began = serving.began if serving else None
    if began is None:
        return "Nothing says when it began to serve."
    return f"It serves since {began.when.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC ({began.action} by {began.who})."


def _last_outcome(records: DashboardRecords) -> str:
    judged = records.evaluation
    return "" if judged is None else f"Version {judged.version} was judged: {judged.promotion.outcome}."


def _next(records: DashboardRecords, answer: str) -> str:
    parts = []
    if records.running is not None:
        parts.append(f"Experiment {records.running.experiment}: {records.running.status.replace('_', ' ')}.")
    done = records.retraining
    if done is not None and done.challenger is not None:
        parts.append(f"The last retraining ended: {done.status.replace('_', ' ')}.")
    return " ".join(parts) or answer
