"""Ship, roll back, keep running, or is the experiment invalid? One decision from what was found."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Literal

from evergreen.errors import EvergreenError
from evergreen.evaluation.sequential import confidence_sequence
from evergreen.experiments.effect import Effect
from evergreen.experiments.exposures import Exposures
from evergreen.experiments.looks import PlannedLook
from evergreen.experiments.parameters import ExperimentPolicy, GuardrailPolicy
from evergreen.experiments.sample_ratio import MISMATCH_P, SampleRatio, sample_ratio_test
from evergreen.records import Frozen
from evergreen.wording import counted, p_text

Verdict = Literal["ship", "roll_back", "keep_running", "invalid"]


class GuardrailResult(Frozen):
    """What became of a guardrail.

    Attributes:
        name: Its name.
        metric: Its metric, for reading.
        margin: Largest worsening that is tolerated.
        worsening: How much worse the new variant is; negative: better. None without rows.
        low: Lower end of the worsening, by a confidence sequence: it holds whenever one looks.
        high: Upper end.
        state: ``holds``: the worsening is shown to stay below the margin; ``broken``: shown to exceed it; ``open``.
    """

    name: str
    metric: str
    margin: float
    worsening: float | None = None
    low: float | None = None
    high: float | None = None
    state: Literal["holds", "broken", "open"] = "open"

    @property
    def sentence(self) -> str:
        """The state in words."""
        if self.worsening is None or self.low is None or self.high is None:
            return f"Guardrail {self.name} is open: there are too few rows."
        found = f"worsened by {self.worsening:+.4g} ({self.low:+.4g} to {self.high:+.4g}), margin {self.margin:g}"
        return f"Guardrail {self.name} {'is open' if self.state == 'open' else self.state}: {self.metric} {found}."


class Concluded(Frozen):
    """The verdict and why.

    Attributes:
        verdict: ``ship`` the new variant; ``roll_back`` to the present one; ``keep_running``; or ``invalid``.
        reasons: Why, in sentences; never empty.
        days_left: Days until the planned rows and days are there, at the present pace; None where nobody can say.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    days_left: int | None = None


def guard(
    name: str, guardrail: GuardrailPolicy, effect: Effect | None, planned_rows: int, alpha: float
) -> GuardrailResult:
    """Hold a guardrail against its margin, with a confidence sequence.

    Args:
        name: Its name.
        guardrail: Its definition.
        effect: What was found of it.
        planned_rows: Rows at which the interval shall be narrowest.
        alpha: Chance that the truth is ever outside.
    """
    blank = GuardrailResult(name=name, metric=guardrail.title, margin=guardrail.margin)
    if effect is None:
        return blank
    found = confidence_sequence(effect.comparison.difference, effect.error, effect.rows, planned_rows, alpha)
    low, high = sorted((-guardrail.better * found.low, -guardrail.better * found.high))
    state = "holds" if high < guardrail.margin else "broken" if low > guardrail.margin else "open"
    worsening = -guardrail.better * effect.comparison.difference
    return blank.model_copy(update={"worsening": worsening, "low": low, "high": high, "state": state})


def sample_ratio(exposures: Exposures, experiment: ExperimentPolicy) -> tuple[SampleRatio | None, tuple[str, ...]]:
    """The sample ratio of a split, and why it makes the experiment invalid; nothing for paired modes."""
    if experiment.paired or not sum(exposures.units.values()):
        return None, ()
    try:
        found = sample_ratio_test(exposures.units, experiment.weights)
    except EvergreenError as error:
        return None, (str(error),)
    if not found.mismatch:
        return found, ()
    met = ", ".join(f"{name} {exposures.units.get(name, 0):,} of {n:,.0f}" for name, n in found.expected.items())
    return found, (
        f"sample ratio mismatch: {met} units met their variant (p {p_text(found.p_value)}, allowed {MISMATCH_P:g}); "
        "the variants are not comparable, whatever the metric says",
    )


def conclude(
    experiment: ExperimentPolicy,
    exposures: Exposures,
    faults: Sequence[str],
    looks: Sequence[PlannedLook],
    guardrails: Sequence[GuardrailResult],
    planned_rows: int,
    known_rows: int,
) -> Concluded:
    """Decide.

    Invalid where the rows can't be believed. Rolled back where the metric crossed its bound on the wrong side, a
    guardrail is broken, or the planned rows end without a proof. Shipped where it crossed on the right side, every
    guardrail holds and the minimum of days has passed.

    Args:
        experiment: Its definition.
        exposures: The rows.
        faults: Why they can't be believed, a sentence each.
        looks: Planned looks that were reached.
        guardrails: What became of them.
        planned_rows: Rows at which it ends.
        known_rows: Rows whose metric is known.
    """
    if faults:
        return Concluded(verdict="invalid", reasons=tuple(f"{fault[0].upper()}{fault[1:]}." for fault in faults))
    last = looks[-1] if looks else None
    broken = [one for one in guardrails if one.state == "broken"]
    if broken:
        return Concluded(verdict="roll_back", reasons=tuple(one.sentence for one in broken))
    if last is not None and last.crossed == "worse":
        return Concluded(verdict="roll_back", reasons=(_crossing(experiment, last),))
    days_left = _days_left(experiment, exposures, planned_rows, known_rows)
    waiting = [one.sentence for one in guardrails if one.state != "holds"]
    if last is not None and last.crossed == "better":
        if exposures.days < experiment.minimum_days:
            left = experiment.minimum_days - exposures.days
            early = f"It ran for {counted(exposures.days, 'day')} of at least {experiment.minimum_days}."
            return Concluded(verdict="keep_running", reasons=(_crossing(experiment, last), early), days_left=left)
        if not waiting:
            return Concluded(verdict="ship", reasons=(_crossing(experiment, last), *(g.sentence for g in guardrails)))
    if known_rows >= planned_rows:
        return Concluded(verdict="roll_back", reasons=(*_without_proof(experiment, last), *waiting))
    progress = f"{known_rows:,} of {planned_rows:,} planned rows are known."
    said = [_crossing(experiment, last)] if last is not None else []
    return Concluded(verdict="keep_running", reasons=(progress, *said, *waiting), days_left=days_left)


def _crossing(experiment: ExperimentPolicy, look: PlannedLook) -> str:
    words = {"better": "is better", "worse": "is worse", "no": "is not shown to differ"}[look.crossed]
    found = f"{experiment.metric.title} {look.difference:+.4g} against {experiment.control}"
    at = f"at look {look.number} ({look.day}), {look.statistic:+.2f} standard errors, bound {look.bound:.2f}"
    return f"{experiment.treatment} {words}: {found} {at}."


def _without_proof(experiment: ExperimentPolicy, last: PlannedLook | None) -> list[str]:
    if last is not None and last.crossed == "better":
        return [_crossing(experiment, last)]
    said = f"All planned rows are there and {experiment.treatment} is not shown to be better."
    return [said, *([_crossing(experiment, last)] if last else [])]


def _days_left(experiment: ExperimentPolicy, exposures: Exposures, planned_rows: int, known_rows: int) -> int | None:
    if not known_rows or not exposures.days:
        return None
    rest = ceil(max(planned_rows - known_rows, 0) / (known_rows / exposures.days))
    return max(rest, experiment.minimum_days - exposures.days, 0)
