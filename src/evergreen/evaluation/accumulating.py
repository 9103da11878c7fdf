"""May the challenger replace the champion, on judged days that accumulate? All of them, and the newest, each by itself.

Either may show a gain. All days see a small one that lasts; after a change of the world the newest are not outvoted by
the days before it. All days alone do not promote a challenger that fell behind on the newest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from evergreen.evaluation.auc import Floats
from evergreen.evaluation.decision import Decision, PromotionDecision, ShownGain
from evergreen.evaluation.gain import (
    NO_GAIN,
    CutoffGain,
    Days,
    Gain,
    cutoff_gain,
    cutoff_gains,
    dependence_of,
    pooled_gain,
)
from evergreen.evaluation.parameters import PromotionPolicy
from evergreen.evaluation.spending import alpha_of_all_days, alpha_of_challenger, alpha_of_newest
from evergreen.records import Check

Part = Literal["all days", "newest days"]


@dataclass(frozen=True)
class JudgedDays:
    """Judged rows with what both versions say of them; all arrays of shape (rows,).

    Attributes:
        y: Labels 0/1.
        champion: The champion's scores.
        challenger: The challenger's scores, of models that had learnt nothing of the row's day or later.
        days: Day of each row, as days since 1970.
        cutoffs: Last day that the model which scored for the challenger had learnt, likewise.
    """

    y: NDArray[np.bool_]
    champion: Floats
    challenger: Floats
    days: Days
    cutoffs: Days


@dataclass(frozen=True)
class Look:
    """One look at a champion's judged days: whose, and what the looks of the same challenger before it rested on.

    Attributes:
        number: Number of the look among all against this champion, from 1.
        challenger: Number of the challenger among those that this champion met, from 1.
        elapsed: Share of the planned time at each look of this challenger, this one last.
        information: What each of them rested on, in any unit.
    """

    number: int
    challenger: int
    elapsed: tuple[float, ...]
    information: tuple[float, ...]


@dataclass(frozen=True)
class WeighedPart:
    """A gain, and the level at which it is held."""

    part: Part
    gain: Gain
    alpha: float

    @property
    def bounds(self) -> tuple[float, float]:
        """One-sided bounds of the gain, each at ``alpha``."""
        half = self.gain.half_width(self.alpha)
        return self.gain.difference - half, self.gain.difference + half

    def clears(self, min_improvement: float) -> bool:
        """Whether it shows a gain that is large enough."""
        return self.bounds[0] > 0 and self.gain.difference >= min_improvement


def measure_parts(judged: JudgedDays, newest_days: int) -> tuple[Gain, Gain]:
    """The gain over all days, and over the newest ``newest_days`` up to the last one judged.

    How much the newest days depend on each other is read from the days before them, where these suffice: four weeks are
    too few to tell, and after a change of the world its trend would pass for dependence.
    """
    if not len(judged.y):
        return NO_GAIN, NO_GAIN
    by_cutoff = cutoff_gains(judged.y, judged.champion, judged.challenger, judged.days, judged.cutoffs)
    first = judged.days.max() - newest_days + 1
    older = [each for each in by_cutoff if each.days[-1] < first]
    return pooled_gain(by_cutoff), pooled_gain(_since(judged, by_cutoff, first), dependence_of(older))


def weigh_parts(all_days: Gain, newest: Gain, look: Look, alpha: float) -> tuple[WeighedPart, WeighedPart]:
    """Both gains at what this look may spend on each.

    Args:
        all_days: Over all days.
        newest: Over the newest alone.
        look: Which look it is.
        alpha: One-sided error rate over all looks of all challengers of a champion.
    """
    own = alpha_of_challenger(alpha, look.challenger)
    return (
        WeighedPart("all days", all_days, alpha_of_all_days(own, look.elapsed, look.information)),
        WeighedPart("newest days", newest, alpha_of_newest(own, len(look.elapsed))),
    )


def showing(parts: tuple[WeighedPart, WeighedPart], min_improvement: float) -> WeighedPart | None:
    """The part that shows the gain, None where neither does."""
    all_days, newest = parts
    if newest.clears(min_improvement):
        return newest
    kept_up = newest.gain.difference >= -newest.gain.standard_error
    return all_days if all_days.clears(min_improvement) and kept_up else None


def decide_accumulating(
    judged: JudgedDays, look: Look, policy: PromotionPolicy, checks: Sequence[Check] = ()
) -> PromotionDecision:
    """Decide whether the challenger replaces the champion.

    It does when either part shows a gain – the lower bound at what this look may spend is above 0, the gain at least
    ``min_improvement`` – and every check passed. A failed check refuses, and so do bounds that lie under what is asked
    for in both parts; everything between is undecidable: the next days may tell.

    Args:
        judged: The judged rows.
        look: Which look it is.
        policy: What the challenger must show.
        checks: Further conditions, already evaluated.
    """
    all_days, newest = measure_parts(judged, policy.newest_days)
    parts = weigh_parts(all_days, newest, look, policy.alpha)
    decision, deciding, reasons = _verdict(parts, policy, _calendar_days(judged.days))
    failed = [check.sentence for check in checks if check.status == "failed"]
    if failed:
        decision, reasons = "refuse", [*failed, *reasons]
    reasons = [*reasons, *(f"Warning: {check.sentence}" for check in checks if check.status == "warning")]
    return PromotionDecision(
        decision=decision,
        against="champion",
        champion_auc=deciding.gain.champion_auc,
        challenger_auc=deciding.gain.challenger_auc,
        difference=deciding.gain.difference if deciding.gain.days else None,
        ci=_finite(deciding.bounds),
        alpha=deciding.alpha,
        look=look.number,
        power=policy.power,
        minimum_detectable_gain=_detectable(deciding, policy),
        rows_needed=_rows_needed(deciding, policy),
        rows=len(judged.y),
        positives=int(judged.y.sum()),
        blocks=all_days.days,
        shown=tuple(_shown(part) for part in parts if part.gain.days),
        checks=tuple(checks),
        reasons=tuple(reasons),
    )


def _since(judged: JudgedDays, by_cutoff: list[CutoffGain], first: int) -> list[CutoffGain]:
    """The comparisons of the days from ``first`` on; a cut-off that began before is measured on its newer part."""
    found = []
    for cutoff, whole in zip(np.unique(judged.cutoffs), by_cutoff, strict=True):
        if whole.days[0] >= first:
            found.append(whole)
        elif whole.days[-1] >= first:
            at = np.flatnonzero((judged.cutoffs == cutoff) & (judged.days >= first))
            found.append(cutoff_gain(judged.y[at], judged.champion[at], judged.challenger[at], judged.days[at]))
    return found


def _verdict(
    parts: tuple[WeighedPart, WeighedPart], policy: PromotionPolicy, elapsed: int
) -> tuple[Decision, WeighedPart, list[str]]:
    all_days = parts[0]
    if all_days.gain.days < policy.min_units_per_class:
        return "undecidable", all_days, [_too_few(all_days.gain, policy, elapsed)]
    shows = showing(parts, policy.min_improvement)
    if shows is not None:
        return "promote", shows, [_facts(shows), "The lower bound is above 0 and the gain is large enough."]
    facts = [_facts(part) for part in parts if part.gain.days]
    if all(part.bounds[1] < policy.min_improvement for part in parts if part.gain.days):
        return (
            "refuse",
            all_days,
            [*facts, f"Even the upper bounds lie under the {policy.min_improvement:g} asked for."],
        )
    return "undecidable", all_days, [*facts, _shortfall(all_days, policy)]


def _calendar_days(days: Days) -> int:
    return int(days.max() - days.min()) + 1 if len(days) else 0


def _too_few(found: Gain, policy: PromotionPolicy, elapsed: int) -> str:
    lacking = policy.min_units_per_class - found.days
    pace = (
        f"; at the pace so far that takes about {ceil(lacking * elapsed / found.days)} more days" if found.days else ""
    )
    return (
        f"Too few days to decide: {found.days} judged days ({found.rows:,} rows, {found.positives:,} positive) compare "
        f"positives with negatives, at least {policy.min_units_per_class} are needed{pace}."
    )


def _facts(part: WeighedPart) -> str:
    low, high = part.bounds
    gain = part.gain
    where = f"On {part.part} ({gain.days} days, {gain.rows:,} rows)"
    if not isfinite(low):
        return f"{where} the challenger's AUC is {gain.difference:+.4f} against the champion's; no bound can be stated."
    return (
        f"{where} the challenger's AUC {gain.challenger_auc:.4f} is {gain.difference:+.4f} against the champion's "
        f"{gain.champion_auc:.4f} (bounds {low:+.4f} to {high:+.4f}, one-sided alpha {part.alpha:.2g})."
    )


def _shortfall(part: WeighedPart, policy: PromotionPolicy) -> str:
    detectable, rows = _detectable(part, policy), _rows_needed(part, policy)
    if detectable is None:
        return "These days cannot show any gain."
    asked = f"All days find a gain of {detectable:.4f} with {policy.power:.0%} power"
    if rows is None:
        return f"{asked}."
    return f"{asked}; for one of {policy.min_improvement:.4f} to clear 0 as surely about {rows:,} rows are needed."


def _reach(part: WeighedPart, policy: PromotionPolicy) -> float:
    return part.gain.half_width(part.alpha) + float(stats.norm.ppf(policy.power)) * part.gain.standard_error


def _detectable(part: WeighedPart, policy: PromotionPolicy) -> float | None:
    reach = _reach(part, policy)
    least = policy.min_improvement + float(stats.norm.ppf(policy.power)) * part.gain.standard_error
    return max(reach, least) if isfinite(reach) else None


def _rows_needed(part: WeighedPart, policy: PromotionPolicy) -> int | None:
    reach = _reach(part, policy)
    if not isfinite(reach) or not policy.min_improvement:
        return None
    return ceil(part.gain.rows * (reach / policy.min_improvement) ** 2)


def _finite(bounds: tuple[float, float]) -> tuple[float, float] | None:
    return bounds if all(isfinite(bound) for bound in bounds) else None


def _shown(part: WeighedPart) -> ShownGain:
    bounds = _finite(part.bounds)
    return ShownGain(
        part=part.part, difference=part.gain.difference, ci=bounds, alpha=part.alpha, rows=part.gain.rows,
        days=part.gain.days,
    )  # fmt: skip
