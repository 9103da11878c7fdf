"""What an experiment says, as one page for people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from evergreen.experiments.plan import ExperimentPlan
from evergreen.experiments.record import SKIPPED, ExperimentRecord
from evergreen.experiments.result import Comparison
from evergreen.invocation import command
from evergreen.reporting.blocks import Block, Bullets, Pictures, Table, Text, Tone, Verdict
from evergreen.reporting.experiment.drawings import (
    PowerCurve,
    difference_picture,
    looks_picture,
    power_picture,
    predictions_picture,
)
from evergreen.reporting.page import Page, Section, Tile, as_html
from evergreen.wording import counted, in_words, number_text, p_text, percent_text, range_text, share_text, signed_text

TONES: dict[str, Tone] = {"ship": "good", "roll_back": "bad", "invalid": "bad", "keep_running": "watch"}
Z_OF_80 = float(stats.norm.ppf(0.8))


def experiment_page(record: ExperimentRecord) -> str:
    """One HTML file without scripts or anything else to fetch.

    Args:
        record: What the experiment says.
    """
    if record.status == SKIPPED:
        page = Page(f"{record.use_case} · experiment", f"As of {record.as_of}", "none", [], [_why(record)])
        return as_html(page)
    made_up = " · made-up traffic" if record.simulated else ""
    page = Page(
        title=f"{record.use_case} · {record.experiment}",
        subtitle=f"{record.mode}, {record.metric}, as of {record.as_of}{made_up}",
        status=in_words(record.status),
        tiles=_tiles(record),
        sections=[section for section in _sections(record) if section.blocks],
        tone=TONES[record.status],
        verdict=experiment_verdict(record),
    )
    return as_html(page)


_ADVICE = {
    "ship": "Run `{promote}`: the judge decides on the experiment's requests as on any rows.",
    "roll_back": "End the experiment: the new variant loses; the present one goes on serving.",
    "invalid": "Don't read the difference; find out why units were not dealt as the weights say, and begin anew.",
    "keep_running": "Wait: looking early costs nothing, deciding early does.",
}


def experiment_verdict(record: ExperimentRecord) -> Verdict:
    """What the experiment says so far, since when it runs, and what to do."""
    promote = command(f"kedro models promote --experiment {record.experiment}", record.use_case)
    wrong = [one.sentence for one in record.guardrails if one.state == "broken"]
    since = f"{record.begun}" if record.begun else "nothing yet"
    answers = [
        ("Is it healthy", " ".join(wrong) if wrong else "No guardrail is shown to be broken."),
        ("Since when", f"{counted(record.days, 'day')}, since {since}; {record.known_rows:,} rows are known."),
        ("What to do", _ADVICE[record.status].format(promote=promote)),
    ]
    headline = f"{in_words(record.status).capitalize()}: {record.reasons[0]}"
    return Verdict(headline, answers, TONES[record.status])


def _sections(record: ExperimentRecord) -> list[Section]:
    return [
        _why(record),
        Section("Plan", _plan(record.plan) if record.plan else []),
        Section("Metric", _metric(record)),
        Section("Looks", _looks(record)),
        Section("Variants", _variants(record)),
        Section("Guardrails", _guardrails(record)),
        Section("Slices", _slices(record)),
        Section("How it is decided", [Text(_rule(record))]),
    ]


def _why(record: ExperimentRecord) -> Section:
    hypothesis = [Text(f"Hypothesis: {record.hypothesis}")] if record.hypothesis else []
    return Section("In short", [*hypothesis, Bullets(record.reasons)])


def _tiles(record: ExperimentRecord) -> list[Tile]:
    found = record.primary.comparison if record.primary else None
    planned = record.plan.planned_rows if record.plan else 0
    left = "–" if record.days_left is None else f"{record.days_left}"
    ratio = record.sample_ratio
    return [
        Tile("Verdict", in_words(record.status), "", TONES[record.status]),
        Tile("Difference", "–" if found is None else signed_text(found.difference, 4), record.metric),
        Tile("Rows known", f"{record.known_rows:,}", f"of {planned:,} planned"),
        Tile("Days", f"{record.days}", f"since {record.begun or 'nothing yet'}"),
        Tile("Days left", left, "at the present pace"),
        Tile("Sample ratio", "paired" if ratio is None else f"p {p_text(ratio.p_value)}", "allowed from .001 on"),
    ]


def _plan(plan: ExperimentPlan) -> list[Block]:
    blocks: list[Block] = [Bullets(plan.sentences)]
    curves: list[PowerCurve] = [
        (one.mode, _power(one.rows)) for one in plan.modes if one.rows is not None and one.mode != "replay"
    ]
    if curves:
        most = int(1.3 * max(one.rows for one in plan.modes if one.rows is not None))
        blocks.append(Pictures([power_picture(curves, max(most, plan.planned_rows), plan.planned_rows)]))
    return blocks


def _power(rows: int) -> Callable[[np.ndarray], np.ndarray]:
    """Rows → power of a two-sided test at 5 % that has 80 % at ``rows``."""
    single = float(stats.norm.ppf(0.975))
    return lambda asked: np.asarray(stats.norm.cdf(np.sqrt(asked / rows) * (single + Z_OF_80) - single))


def _metric(record: ExperimentRecord) -> list[Block]:
    if record.primary is None:
        return [Text("There are too few rows with an outcome.")]
    found = record.primary.comparison
    covered = percent_text(1 - found.alpha)
    rows = [
        ("Present variant", number_text(found.mean_a, 4), ""),
        ("New variant", number_text(found.mean_b, 4), ""),
        (
            "Difference",
            signed_text(found.difference, 4),
            f"{range_text(found.low, found.high, 4)} ({covered}, one look)",
        ),
        ("Relative", share_text(found.relative, "+"), _relative(found.relative_low, found.relative_high)),
        ("Whenever one looks", "", f"{range_text(record.primary.low, record.primary.high, 4)} (confidence sequence)"),
        ("p-value", p_text(found.p_value), f"{found.test}, as if this were the only look"),
        *([("Effect size", number_text(found.effect_size), "")] if found.effect_size is not None else []),
    ]
    note = [Text(f"{record.primary.note[0].upper()}{record.primary.note[1:]}.")] if record.primary.note else []
    table = Table(("", "Found", "Interval, method"), rows, frozenset({"Found"}))
    return [Pictures([difference_picture(record.primary)]), table, *note]


def _ends(found: Comparison) -> str:
    return range_text(found.low, found.high, 4)


def _relative(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{share_text(low, '+')} to {share_text(high, '+')}"


def _looks(record: ExperimentRecord) -> list[Block]:
    if not record.looks:
        return [Text("No planned look was reached yet.")]
    head = ("Look", "Day", "Rows", "Share of plan", "Difference", "Standard errors", "Bound", "Crossed")
    rows = [
        (
            f"{look.number}", f"{look.day}", f"{look.rows:,}", percent_text(look.information),
            signed_text(look.difference, 4), f"{look.statistic:+.2f}", f"{look.bound:.2f}", look.crossed,
        )
        for look in record.looks
    ]  # fmt: skip
    return [Table(head, rows, frozenset(head) - {"Day", "Crossed"}), Pictures([looks_picture(record.looks)])]


def _variants(record: ExperimentRecord) -> list[Block]:
    head = ("", *(f"{variant.name}" for variant in record.variants))
    names = {
        "version": lambda v: v.version or "–",
        "weight": lambda v: f"{v.weight:g}",
        "units" if record.mode == "split" else "requests": lambda v: f"{v.units:,}",
        "exposures": lambda v: f"{v.rows:,}",
        "with an outcome": lambda v: f"{v.known:,}",
        "outcome": lambda v: share_text(v.outcome_rate),
        "accuracy": lambda v: share_text(v.accuracy),
        "realised value": lambda v: number_text(v.realised_value),
        "predicted 1": lambda v: share_text(v.positive_rate),
        "mean probability": lambda v: number_text(v.mean_probability),
        "mean confidence": lambda v: number_text(v.mean_confidence),
    }
    rows = [(name, *(text(variant) for variant in record.variants)) for name, text in names.items()]
    blocks: list[Block] = [Table(head, rows, frozenset(head[1:]))]
    if record.variants and all(variant.histogram for variant in record.variants):
        blocks.append(Pictures([predictions_picture(record.variants)]))
    return blocks


def _guardrails(record: ExperimentRecord) -> list[Block]:
    return [Bullets([one.sentence for one in record.guardrails])] if record.guardrails else []


def _slices(record: ExperimentRecord) -> list[Block]:
    if not record.slices:
        return []
    head = ("Column", "Level", "Rows", "Difference", "Interval", "p, adjusted")
    rows = [
        (
            one.column, one.level, f"{one.rows:,}", signed_text(one.difference, 4), range_text(one.low, one.high, 4),
            p_text(one.adjusted_p_value),
        )
        for one in record.slices
    ]  # fmt: skip
    many = f"{counted(len(record.slices), 'slice')}; p-values are adjusted for their number, and decide nothing."
    return [Table(head, rows, frozenset({"Rows", "Difference", "p, adjusted"})), Text(many)]


def _rule(record: ExperimentRecord) -> str:
    unit = "requests that both versions scored" if record.mode != "split" else "units"
    return (
        f"Looks are planned by {unit} whose outcome is known; each is taken on what was known by the end of its day, "
        "and must cross a bound that all looks together cross by chance as often as alpha says. Guardrails are held "
        "against their margin by a confidence sequence, which holds whenever one looks. A split whose units are not "
        "dealt as the weights say (p < .001) is invalid. Shipping is the registry's decision: the promotion asks for "
        "calibration, behaviour and slices as well."
    )
