"""Which rules ask for a retraining, and what holds it back?"""

from __future__ import annotations

from dataclasses import dataclass

from evergreen.invocation import command
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Check, Record
from evergreen.retraining.parameters import Rule, TriggerPolicy


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
        watched: The version that monitoring watched; None in records of former versions of the project.
        evidence: What monitoring had found: the decision is about just this.
    """

    fired: bool
    champion: str
    reasons: tuple[str, ...]
    rules: tuple[Check, ...]
    holds: tuple[Check, ...]
    watched: str | None = None
    evidence: tuple[Check, ...] = ()

    def speaks_of(self, monitoring: MonitoringRecord) -> bool:
        """Whether this is the decision about a window as monitoring sees it."""
        decided = (self.use_case, self.as_of, self.watched, self.evidence)
        return decided == (monitoring.use_case, monitoring.as_of, monitoring.version, monitoring.evidence)


def decide_trigger(monitoring: MonitoringRecord, champion: ChampionsAge, policy: TriggerPolicy) -> RetrainingTrigger:
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
        watched=monitoring.version,
        evidence=monitoring.evidence,
    )


def _holds(monitoring: MonitoringRecord, champion: ChampionsAge, policy: TriggerPolicy) -> tuple[Check, ...]:
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
        others = ", ".join(sorted({reason.name for reason in monitoring.asking} - chosen))
        unasked = f" Monitoring's {others} would ask for it, but no such rule is chosen." if others else ""
        return "quiet", (f"None of {len(rules)} rules fired.{unasked}",)
    if monitoring.quality.blockers:
        unfit = tuple(f"Data unfit: {blocker.sentence}" for blocker in monitoring.quality.blockers)
        return "blocked", (*unfit, *asking)
    return ("held", (*holding, *asking)) if holding else ("fired", asking)


def _outcome(rule: Rule, monitoring: MonitoringRecord, champion: ChampionsAge, policy: TriggerPolicy) -> Check:
    if rule == "follow_up":
        return _follow_up(champion, policy)
    seen = [reason for reason in monitoring.reasons if reason.name == rule]
    if not seen:
        return Check(name=rule, passed=True, found="monitoring did not look at it", allowed="anything")
    found, allowed = ("; ".join(getattr(reason, part) for reason in seen) for part in ("found_text", "allowed_text"))
    return Check(name=rule, passed=all(reason.passed for reason in seen), found=found, allowed=allowed)


def _follow_up(champion: ChampionsAge, policy: TriggerPolicy) -> Check:
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
