"""Panels about requests: experiments, and how the service fares."""

from __future__ import annotations

from evergreen.invocation import command
from evergreen.reporting.blocks import Link, Panel, Table, Tone
from evergreen.reporting.charts.bars import Amounts, bar_picture
from evergreen.reporting.dashboard.panels_of_models import nothing
from evergreen.reporting.dashboard.records import DashboardRecords
from evergreen.reporting.experiment.drawings import difference_picture
from evergreen.reporting.experiment.page import TONES
from evergreen.wording import counted, in_words, number_text, p_text, share_text

_PAGE = Link("Experiment page", "experiment.html")


def experiment_panel(records: DashboardRecords) -> Panel:
    """Both variants of the newest experiment, and the difference that it is about."""
    name, found = "Experiment comparison", records.running
    if found is None:
        run = command("kedro run --pipeline=ab_testing", records.use_case)
        return nothing(name, f"`{run}` says what an experiment found.")
    head = ("", *(variant.name for variant in found.variants))
    rows = [
        ("version", *(variant.version or "–" for variant in found.variants)),
        ("exposures", *(f"{variant.rows:,}" for variant in found.variants)),
        ("outcome", *(_share(variant.outcome_rate) for variant in found.variants)),
        ("predicted 1", *(_share(variant.positive_rate) for variant in found.variants)),
        ("mean confidence", *(_share(variant.mean_confidence) for variant in found.variants)),
    ]
    pictures = [difference_picture(found.primary)] if found.primary else []
    made_up = " The traffic is made up." if found.simulated else ""
    sentence = f"{found.experiment}: {found.metric}, {counted(found.days, 'day')} up to {found.as_of}.{made_up}"
    table = Table(head, rows, frozenset(head[1:]))
    return Panel(name, in_words(found.status), TONES[found.status], sentence, pictures, blocks=[table], links=(_PAGE,))


def traffic_panel(records: DashboardRecords) -> Panel:
    """How the traffic was dealt, and what came of it."""
    name, found = "Traffic split and result", records.running
    if found is None or not found.variants:
        return nothing(name, "an experiment deals requests to two versions.")
    total = sum(variant.weight for variant in found.variants) or 1.0
    units = sum(variant.units for variant in found.variants) or 1
    sides = [
        Amounts("weight", [variant.weight / total for variant in found.variants], "before"),
        Amounts("met", [variant.units / units for variant in found.variants]),
    ]
    picture = bar_picture("Share promised and met", [v.name for v in found.variants], sides, share_text)
    ratio = "paired" if found.sample_ratio is None else f"sample ratio p {p_text(found.sample_ratio.p_value)}"
    sentence = f"{found.mode}, {counted(units, 'unit')}, {ratio}. {' '.join(found.reasons)}"
    return Panel(name, in_words(found.status), TONES[found.status], sentence, [picture], links=(_PAGE,))


def service_panel(records: DashboardRecords) -> Panel:
    """Uptime, rows served, latency, and what is wrong."""
    name, said = "System health", records.service
    if said is None:
        run = command("kedro serve", records.use_case)
        return nothing(name, f"`{run}` answers requests and says how it fares.")
    hours = (said.said - said.started).total_seconds() / 3600
    facts = [
        ("Uptime", f"{hours:,.1f} h"),
        ("Rows served", f"{said.predictions:,}"),
        ("Mean latency", "–" if said.latency_ms is None else f"{number_text(said.latency_ms, 2)} ms"),
        ("Predicted 1", _share(said.positive_rate)),
        ("Mean confidence", _share(said.mean_confidence)),
        ("Crashed workers", f"{said.restarts:,}"),
        ("Live drift", ", ".join(said.drifted) or "none"),
    ]
    wrong = said.refused or (f"live drift in {', '.join(said.drifted)}" if said.drifted else "")
    tone: Tone = "bad" if said.refused else "watch" if said.drifted or said.restarts else "good"
    sentence = (
        f"What the service last said of itself, {said.said:%Y-%m-%d %H:%M} UTC, about the time since it began"
        f"{f': {wrong}' if wrong else ''}."
    )
    return Panel(name, "refused" if said.refused else "alive", tone, sentence, facts=facts)


def policy_panel(records: DashboardRecords) -> Panel:
    """Which policy of retraining would have paid."""
    name, found = "Retraining policies", records.backtest
    if found is None or found.recommended is None:
        run = command("kedro run --pipeline=policy_backtest", records.use_case)
        return nothing(name, f"`{run}` replays the history under policies.")
    cheapest = found.policies[:8]
    above = [Amounts("above the least", [policy.regret for policy in cheapest])]
    picture = bar_picture("Cost above the least", [policy.policy for policy in cheapest], above)
    windows = f"{counted(found.windows, 'window')} of {found.window_days} days"
    sentence = f"{windows}, {found.first} to {found.last}. {found.reason}"
    links = (Link("Backtest page", "policy_backtest.html"),)
    return Panel(name, found.recommended, "good", sentence, [picture], links=links)


def _share(value: float | None) -> str:
    return "–" if value is None else share_text(value)
