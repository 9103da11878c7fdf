"""What came of an experiment: ``experiment.json``."""

from __future__ import annotations

import datetime as dt

from evergreen.experiments.describe import SliceEffect, VariantFigures
from evergreen.experiments.looks import PlannedLook
from evergreen.experiments.parameters import Mode
from evergreen.experiments.plan import ExperimentPlan
from evergreen.experiments.result import Comparison
from evergreen.experiments.verdict import GuardrailResult
from evergreen.records import Frozen, Record

SKIPPED = "skipped"


class PrimaryResult(Frozen):
    """The metric that decides.

    Attributes:
        comparison: The second variant held against the first, as if this had been the only look.
        low: Lower end of the confidence sequence of the difference, which holds whenever one looks.
        high: Upper end.
        note: What else must be known: CUPED, bins.
    """

    comparison: Comparison
    low: float
    high: float
    note: str = ""


class SampleRatioFigures(Frozen):
    """Whether each variant met as many units as its weight promises.

    Attributes:
        p_value: Chance of shares at least this far off.
        expected: Units that the weights promise, by variant.
    """

    p_value: float
    expected: dict[str, float]


class ExperimentRecord(Record):
    """``experiment.json``; ``status``: ``ship``, ``roll_back``, ``keep_running``, ``invalid``, or ``skipped``.

    Attributes:
        experiment: Its name; empty where none runs.
        hypothesis: What was expected.
        mode: ``replay``, ``shadow`` or ``split``.
        metric: The metric that decides, for reading.
        simulated: Whether the traffic was made up.
        begun: Day of the first exposure.
        days: Days since, both ends included.
        days_left: Days until it can end, at the present pace.
        known_rows: Units (paired: requests) whose metric is known.
        plan: What it takes.
        variants: Both variants' figures, the present one first.
        sample_ratio: Of a split.
        primary: The metric; None without enough rows.
        looks: Planned looks that were reached.
        guardrails: What became of them.
        slices: Where the difference is.
        reasons: Why the verdict is what it is, in sentences; never empty.
    """

    experiment: str = ""
    hypothesis: str = ""
    mode: Mode | None = None
    metric: str = ""
    simulated: bool = False
    begun: dt.date | None = None
    days: int = 0
    days_left: int | None = None
    known_rows: int = 0
    plan: ExperimentPlan | None = None
    variants: tuple[VariantFigures, ...] = ()
    sample_ratio: SampleRatioFigures | None = None
    primary: PrimaryResult | None = None
    looks: tuple[PlannedLook, ...] = ()
    guardrails: tuple[GuardrailResult, ...] = ()
    slices: tuple[SliceEffect, ...] = ()
    reasons: tuple[str, ...]

    @property
    def versions(self) -> dict[str, str]:
        """Variant → version."""
        return {variant.name: variant.version for variant in self.variants}


def skipped(use_case: str, as_of: dt.date, reason: str) -> ExperimentRecord:
    """The record of a run that had nothing to do."""
    return ExperimentRecord(use_case=use_case, as_of=as_of, status=SKIPPED, reasons=(reason,))
