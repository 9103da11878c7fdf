"""Which rules ask for a retraining, and what holds it back?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from evergreen.invocation import command
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Check, Frozen, Record

Rule = Literal["performance", "estimate", "drift", "breadth", "age", "follow_up", "multivariate", "predictions"]


class RetrainingRules(Frozen):
    """What starts a retraining; the limits of most rules stand under ``monitoring.trigger``.

    Attributes:
        rules: Rules that may start one; the others are ignored.
        max_drifted_share: Largest share of columns in alarm (rule ``breadth``).
        follow_up_days: Days after the training of a champion that a retraining made, during which new rows alone are
            a reason (rule ``follow_up``): it learnt from a window in which the old world may still stand.
        cool_down_days: Days after a retraining during which none starts.
        min_new_labelled_rows: Fewest labelled rows that are newer than what the champion was trained on.
    """

    rules: tuple[Rule, ...] = ("performance", "estimate", "drift", "breadth", "age", "follow_up")
    max_drifted_share: float = Field(default=0.5, ge=0, le=1)
    follow_up_days: int = Field(default=42, ge=0)
    cool_down_days: int = Field(default=7, ge=0)
    min_new_labelled_rows: int = Field(default=1000, ge=0)


@dataclass(frozen=True)
class ChampionsAge:
    """How old a champion is, and how much is new since then.

    Attributes:
        version: The version that serves.
        retrained: Whether a retraining made it.
        days_since_training: Days from its training to ``as_of``.
        days_since_retraining: Days since a retraining made it or challenged it; None where none has.
        new_labelled_rows: Labelled rows newer than what it was trained on.
    """

    version: str
    retrained: bool
    days_since_training: int
    days_since_retraining: int | None
    new_labelled_rows: int


class RetrainingTrigger(Record):
    """``trigger.json``; ``status`` is ``fired``, ``quiet``, ``held`` or ``blocked``.

    ``held``: a rule fired, but it is too soon or new rows are too few. ``blocked``: monitoring found the data unfit.

    Attributes:
        fired: Whether to retrain.
        champion: The version that the question is about.
        reasons: Why, in sentences; never empty.
        rules: Every chosen rule with its numbers.
        holds: What may hold a retraining back, with its numbers.
    """

    fired: bool
    champion: str
    reasons: tuple[str, ...]
    rules: tuple[Check, ...]
    holds: tuple[Check, ...]


def decide_trigger(monitoring: MonitoringRecord, champion: ChampionsAge, policy: RetrainingRules) -> RetrainingTrigger:
    """Decide whether to retrain.

    Args:
        monitoring: The record of the newest window; its reasons are taken as they are.
        champion: The version that the question is about.
        policy: Which rules count, and what holds back.
    """
    rules = tuple(_outcome(rule, monitoring, champion, policy) for rule in policy.rules)
    holds = _holds(monitoring, champion, policy)
    status, reasons = _verdict(monitoring, rules, holds)
    return RetrainingTrigger(
        use_case=monitoring.use_case,
        as_of=monitoring.as_of,
        status=status,
        fired=status == "fired",
        champion=champion.version,
        reasons=reasons,
        rules=rules,
        holds=holds,
    )


def _holds(monitoring: MonitoringRecord, champion: ChampionsAge, policy: RetrainingRules) -> tuple[Check, ...]:
    days = champion.days_since_retraining
    again = command("kedro run --pipeline=monitoring", monitoring.use_case)
    return (
        Check(
            name="watched version",
            passed=monitoring.version == champion.version,
            found=f"monitoring speaks of version {monitoring.version}",
            allowed=f"the champion, version {champion.version}; run `{again}` first",
        ),
        Check(
            name="cool-down",
            passed=days is None or days >= policy.cool_down_days,
            found="no retraining so far" if days is None else f"{days} days since the last retraining",
            allowed=f"at least {policy.cool_down_days} days",
        ),
        Check(
            name="new labelled rows",
            passed=champion.new_labelled_rows >= policy.min_new_labelled_rows,
            found=f"{champion.new_labelled_rows:,} since the champion's training",
            allowed=f"at least {policy.min_new_labelled_rows:,}",
        ),
    )


def _verdict(
    monitoring: MonitoringRecord, rules: tuple[Check, ...], holds: tuple[Check, ...]
) -> tuple[str, tuple[str, ...]]:
    asking = tuple(rule.sentence for rule in rules if not rule.passed)
    holding = tuple(f"Held back by {hold.sentence}." for hold in holds if not hold.passed)
    if not asking:
        chosen = {rule.name for rule in rules}
        others = ", ".join(sorted({reason.name for reason in monitoring.trigger.reasons} - chosen))
        unasked = f" Monitoring's {others} would ask for it, but no such rule is chosen." if others else ""
        return "quiet", (f"None of {len(rules)} rules fired.{unasked}",)
    if monitoring.trigger.blockers:
        unfit = tuple(f"Data unfit, {why.found} (allowed: {why.allowed})." for why in monitoring.trigger.blockers)
        return "blocked", (*unfit, *asking)
    return ("held", (*holding, *asking)) if holding else ("fired", asking)


def _outcome(rule: Rule, monitoring: MonitoringRecord, champion: ChampionsAge, policy: RetrainingRules) -> Check:
    if rule == "breadth":
        share, limit = monitoring.drift.drifted_share, policy.max_drifted_share
        found = f"{share:.0%} of columns drifted"
        return Check(name=rule, passed=share <= limit, found=found, allowed=f"{limit:.0%}")
    if rule == "follow_up":
        return _follow_up(champion, policy)
    reasons = [reason for reason in monitoring.trigger.reasons if reason.name == rule]
    if not reasons:
        found, allowed = _quiet(rule, monitoring, champion)
        return Check(name=rule, passed=True, found=found, allowed=allowed)
    found, allowed = ("; ".join(getattr(reason, part) for reason in reasons) for part in ("found", "allowed"))
    return Check(name=rule, passed=False, found=found, allowed=allowed)


def _follow_up(champion: ChampionsAge, policy: RetrainingRules) -> Check:
    """Whether a young champion of a retraining should be challenged by what came since."""
    if not champion.retrained:
        return Check(name="follow_up", passed=True, found="no retraining made the champion", allowed="any age")
    young = champion.days_since_training <= policy.follow_up_days
    return Check(
        name="follow_up",
        passed=not young or champion.new_labelled_rows < policy.min_new_labelled_rows,
        found=f"retrained {champion.days_since_training} days ago, {champion.new_labelled_rows:,} labelled rows since",
        allowed=f"above {policy.follow_up_days} days, or fewer than {policy.min_new_labelled_rows:,} rows",
    )


def _quiet(rule: Rule, monitoring: MonitoringRecord, champion: ChampionsAge) -> tuple[str, str]:
    """What a rule that did not fire saw, and what it allows."""
    limits = monitoring.trigger.policy
    if rule == "performance":
        return _quiet_performance(monitoring)
    if rule == "estimate":
        value = monitoring.estimate.metrics["roc_auc"].value
        found = "no estimate" if value is None else f"estimated AUC {value:.3f}"
        return found, f"a drop of at most {limits.max_estimated_drop:g}, interval included"
    if rule == "drift":
        return f"{monitoring.drift.drifted_importance:.0%} of importance in alarm", limits.drift_allowed
    if rule == "multivariate":
        auc = monitoring.multivariate.auc if monitoring.multivariate else None
        found = "no stored sample to compare with" if auc is None else f"rows told apart with AUC {auc:.3f}"
        return found, "AUC near .5"
    if rule == "predictions":
        change = monitoring.positive_rate.relative_change
        found = "no positive rate" if change is None else f"positive rate changed by {change:+.0%}"
        return found, "within the limit"
    oldest = limits.max_days_since_training
    return f"trained {champion.days_since_training} days ago", "any age" if oldest is None else f"{oldest} days"


def _quiet_performance(monitoring: MonitoringRecord) -> tuple[str, str]:
    metric = monitoring.performance.metrics["roc_auc"] if monitoring.performance else None
    if metric is None or metric.drop is None:
        return "no ROC AUC on mature labels", "a drop within the limits"
    moved = "fell" if metric.drop > 0 else "rose"
    return f"roc_auc {moved} by {abs(metric.drop):.3f}", f"roc_auc by at most {metric.limit:.3f}, beyond noise"
