"""What does an experiment say by now? From exposures to the record, pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evergreen.evaluation.sequential import confidence_sequence
from evergreen.experiments.describe import slice_effects, variant_figures
from evergreen.experiments.effect import Effect, effect_of
from evergreen.experiments.exposures import Exposures
from evergreen.experiments.looks import known_by_day, planned_looks
from evergreen.experiments.parameters import ExperimentPolicy
from evergreen.experiments.plan import ExperimentPlan
from evergreen.experiments.record import ExperimentRecord, PrimaryResult, SampleRatioFigures
from evergreen.experiments.verdict import conclude, guard, sample_ratio


@dataclass(frozen=True)
class Analysed:
    """What is analysed.

    Attributes:
        use_case: The use case.
        experiment: The definition.
        versions: VariantPolicy → the version that it resolves to.
        simulated: Whether the traffic was made up.
        faults: Why nothing may be concluded, known before the rows were read.
    """

    use_case: str
    experiment: ExperimentPolicy
    versions: Mapping[str, str]
    simulated: bool = False
    faults: Sequence[str] = ()


def analyse(subject: Analysed, exposures: Exposures, plan: ExperimentPlan) -> ExperimentRecord:
    """Sample ratio first, then metric, guardrails and slices, then the verdict.

    Args:
        subject: What is analysed.
        exposures: Its rows.
        plan: Says at how many rows it ends.
    """
    experiment, table, planned = subject.experiment, exposures.table, plan.planned_rows
    ratio, mismatch = sample_ratio(exposures, experiment)
    faults = [*subject.faults, *exposures.faults, *mismatch]
    known_days = known_by_day(table, experiment)
    known = int(known_days["rows"].sum())
    looks = planned_looks(exposures, experiment, planned, known_days)
    guardrails = tuple(
        guard(name, rail, effect_of(table, experiment, rail), planned, experiment.alpha)
        for name, rail in experiment.guardrails.items()
    )
    concluded = conclude(experiment, exposures, faults, looks, guardrails, planned, known)
    return ExperimentRecord(
        use_case=subject.use_case, as_of=exposures.as_of, status=concluded.verdict, experiment=experiment.name,
        hypothesis=experiment.hypothesis, mode=experiment.mode, metric=experiment.metric.title,
        simulated=subject.simulated, begun=exposures.begun, days=exposures.days, days_left=concluded.days_left,
        known_rows=known, plan=plan,
        variants=variant_figures(table, experiment, exposures.units, dict(subject.versions)),
        sample_ratio=SampleRatioFigures(p_value=ratio.p_value, expected=ratio.expected) if ratio else None,
        primary=_primary(effect_of(table, experiment, experiment.metric), planned, experiment.alpha), looks=looks,
        guardrails=guardrails, slices=slice_effects(table, experiment), reasons=concluded.reasons,
    )  # fmt: skip


def _primary(effect: Effect | None, planned_rows: int, alpha: float) -> PrimaryResult | None:
    if effect is None:
        return None
    found = confidence_sequence(effect.comparison.difference, effect.error, effect.rows, planned_rows, alpha)
    return PrimaryResult(comparison=effect.comparison, low=found.low, high=found.high, note=effect.note)
