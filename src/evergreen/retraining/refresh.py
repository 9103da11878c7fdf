"""Should newer rows alone let the champion's recipe take over? A rule of its own, which claims no proven gain.

A model that ages loses by a little every month, too little to be proven in time. So the champion's recipe on the span
of rows that led lately replaces it once it is ahead of it by a standard error on days that neither had learnt: likelier
than not it is the better one, and where nothing changes it is hardly ever a worse one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from scipy import stats

from evergreen.evaluation.accumulating import JudgedDays, measure_parts
from evergreen.evaluation.decision import PromotionDecision
from evergreen.evaluation.gain import Gain
from evergreen.evaluation.parameters import PromotionPolicy
from evergreen.records import Check
from evergreen.retraining.new_evidence import wait_factor
from evergreen.retraining.parameters import RefreshPolicy


def refresh_check(
    dated: bool,
    days_since_training: int,
    days_since_try: int | None,
    vain: int,
    growth: float,
    policy: RefreshPolicy,
) -> Check:
    """Whether a refresh is due; the check fails where it is.

    Args:
        dated: Whether rows have dates: without, nothing is judged forward and nothing refreshed.
        days_since_training: Age of the champion.
        days_since_try: Days since a refresh or a retraining found nothing to gain; None where none did.
        vain: How many such tries there were.
        growth: So many times as long the next one waits after each of them, the first excepted.
        policy: When one is due.
    """
    if not dated or not policy.every_days:
        why = "switched off (retraining.refresh.every_days: 0)" if dated else "rows have no dates"
        return Check(name="refresh", passed=True, found=why, allowed="anything")
    days = days_since_training if days_since_try is None else min(days_since_training, days_since_try)
    wait = policy.every_days * wait_factor(vain, growth)
    since = "the champion's training" if days_since_try is None else "newer rows were last tried"
    asked = f" ({vain} times in vain)" if vain else ""
    return Check(
        name="refresh", passed=days < wait, found=f"{days} days since {since}{asked}", allowed=f"below {wait:.0f} days"
    )


def decide_refresh(
    judged: JudgedDays, policy: RefreshPolicy, promotion: PromotionPolicy, checks: Sequence[Check] = ()
) -> PromotionDecision:
    """Decide whether the champion's recipe on newer rows takes over.

    Args:
        judged: Rows that neither version, nor any model that scored for the new one, had learnt.
        policy: How far ahead it must be, on which days.
        promotion: Fewest days on which anything is decided; at its alpha the bounds are stated.
        checks: What it must fulfil beside, already evaluated.
    """
    gain = measure_parts(judged, policy.judged_days)[1]
    odds = _odds(gain)
    failed = [check.sentence for check in checks if check.status == "failed"]
    if gain.days < promotion.min_units_per_class or odds is None:
        decision, reason = "undecidable", _too_few(gain, promotion)
    elif failed or gain.difference < policy.min_standard_errors * gain.standard_error or gain.difference <= 0:
        decision, reason = (
            "refuse",
            f"No refresh: {_facts(gain, odds)}, at least {policy.min_standard_errors:g} are asked for.",
        )
    else:
        decision, reason = "refresh", f"A refresh, not a proven gain: {_facts(gain, odds)}."
    half = gain.half_width(promotion.alpha)
    return PromotionDecision(
        decision=decision,
        against="champion",
        champion_auc=gain.champion_auc,
        challenger_auc=gain.challenger_auc,
        difference=gain.difference if gain.days else None,
        ci=(gain.difference - half, gain.difference + half) if isfinite(half) else None,
        alpha=promotion.alpha,
        odds=odds,
        power=promotion.power,
        rows=gain.rows,
        positives=gain.positives,
        blocks=gain.days,
        checks=tuple(checks),
        reasons=(*failed, reason),
    )


def with_refresh(asked: PromotionDecision, refresh: PromotionDecision) -> PromotionDecision:
    """A decision about a gain that did not let a challenger serve, once a refresh was asked for beside it.

    Args:
        asked: What was decided of the gain.
        refresh: What was decided of the refresh.
    """
    if refresh.decision != "refresh":
        return asked.model_copy(update={"reasons": (*asked.reasons, refresh.reasons[-1])})
    kept = {"look": asked.look, "shown": asked.shown, "reasons": (*refresh.reasons, *asked.reasons)}
    return refresh.model_copy(update=kept)


def _odds(gain: Gain) -> float | None:
    """Probability that the challenger is ahead, by Student's law around the lead that was seen."""
    if not isfinite(gain.standard_error) or gain.standard_error <= 0:
        return None
    return float(stats.t.cdf(gain.difference / gain.standard_error, gain.degrees_of_freedom))


def _facts(gain: Gain, odds: float) -> str:
    return (
        f"on the newest {gain.days} judged days ({gain.rows:,} rows) the champion's recipe on newer rows has AUC "
        f"{gain.challenger_auc:.4f}, {gain.difference:+.4f} against the champion's {gain.champion_auc:.4f}, "
        f"{gain.difference / gain.standard_error:+.1f} standard errors (it is ahead with probability {odds:.0%})"
    )


def _too_few(gain: Gain, promotion: PromotionPolicy) -> str:
    return (
        f"Too few days for a refresh: {gain.days} judged days compare positives with negatives, at least "
        f"{promotion.min_units_per_class} are needed."
    )
