"""Which rules ask for a retraining, and what holds it back?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from evergreen.invocation import command
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Check, Record
from evergreen.retraining.new_evidence import WAITING, NothingGained, grown_rules, new_evidence
from evergreen.retraining.parameters import RefreshPolicy, Rule, TriggerPolicy
from evergreen.retraining.refresh import refresh_check


@dataclass(frozen=True)
class ChampionsAge:
    """How old a champion is, and how much is new since then.

    Attributes:
        version: The version that serves.
        retrained: Whether a retraining made it.
        days_since_training: Days from its training to ``as_of``.
        days_since_retraining: Days since a retraining made it or challenged it; None where none has.
        new_labelled_rows: Labelled rows newer than what it was trained on.
        dated: Whether rows have dates.
        nothing_gained: What retrainings that found nothing to gain rested on; None where there was none.
        days_since_refresh: Days since a refresh alone was asked for and was not ahead; None where none was.
        refreshes_in_vain: How many such there were.
    """

    version: str
    retrained: bool
    days_since_training: int
    days_since_retraining: int | None
    new_labelled_rows: int
    dated: bool = False
    nothing_gained: NothingGained | None = None
    days_since_refresh: int | None = None
    refreshes_in_vain: int = 0


class RetrainingTrigger(Record):
    """``trigger.json``; ``status`` is ``fired``, ``refresh``, ``quiet``, ``held`` or ``blocked``.

    ``refresh``: no rule fired, but a refresh is due. ``held``: a rule fired, but it is too soon or what is new is too
    little. ``blocked``: monitoring found the data unfit.

    Attributes:
        fired: Whether to train a challenger, for a reason or for a refresh.
        champion: The version that the question is about.
        reasons: Why, in sentences; never empty.
        rules: Every chosen rule with its numbers.
        holds: What may hold a retraining back, with its numbers.
        watched: The version that monitoring watched; None in records of former versions of the project.
        evidence: What monitoring had found: the decision is about just this.
        refresh_due: Whether newer rows alone may let the champion's recipe take over.
        new_labelled_rows: Labelled rows newer than what the champion was trained on.
        grown: Rules that ask with a larger effect than the retrainings that found nothing to gain.
    """

    fired: bool
    champion: str
    reasons: tuple[str, ...]
    rules: tuple[Check, ...]
    holds: tuple[Check, ...]
    watched: str | None = None
    evidence: tuple[Check, ...] = ()
    refresh_due: bool = False
    new_labelled_rows: int = 0
    grown: tuple[str, ...] = ()

    @property
    def loss_grew(self) -> bool:
        """Whether the champion loses more than when retrainings found nothing to gain: what they saw is out of date."""
        return "performance" in self.grown

    @property
    def effects(self) -> dict[str, float]:
        """Rule that asks → its effect, where it has one."""
        return {rule.name: rule.effect for rule in self.rules if not rule.passed and rule.effect is not None}

    def speaks_of(self, monitoring: MonitoringRecord) -> bool:
        """Whether this is the decision about a window as monitoring sees it."""
        decided = (self.use_case, self.as_of, self.watched, self.evidence)
        return decided == (monitoring.use_case, monitoring.as_of, monitoring.version, monitoring.evidence)


def decide_trigger(
    monitoring: MonitoringRecord, champion: ChampionsAge, policy: TriggerPolicy, refresh: RefreshPolicy | None = None
) -> RetrainingTrigger:
    """Decide whether to retrain.

    Args:
        monitoring: The record of the newest window; its reasons are taken as they are.
        champion: The version that the question is about.
        policy: Which rules count, and what holds back.
        refresh: When newer rows alone are enough; None: never.
    """
    rules = tuple(_outcome(rule, monitoring, champion, policy) for rule in policy.rules)
    asking = tuple(rule for rule in rules if not rule.passed)
    due = _refresh(champion, monitoring.as_of, policy, refresh)
    holds = _holds(monitoring, champion, policy)
    waiting = new_evidence(
        champion.nothing_gained, asking, champion.new_labelled_rows, monitoring.as_of, champion.dated, policy
    )
    holds = (*holds, waiting) if asking else holds
    status, reasons = _verdict(monitoring, rules, holds, due)
    return RetrainingTrigger(
        use_case=monitoring.use_case,
        as_of=monitoring.as_of,
        status=status,
        fired=status in ("fired", "refresh"),
        champion=champion.version,
        reasons=reasons,
        rules=rules if refresh is None else (*rules, due),
        holds=holds,
        watched=monitoring.version,
        evidence=monitoring.evidence,
        refresh_due=not due.passed,
        new_labelled_rows=champion.new_labelled_rows,
        grown=tuple(grown_rules(champion.nothing_gained, asking, policy.larger_effect)),
    )


def _refresh(champion: ChampionsAge, today: dt.date, policy: TriggerPolicy, refresh: RefreshPolicy | None) -> Check:
    """Whether a refresh is due: what a retraining did not gain just now, newer rows alone will hardly gain either."""
    vain = champion.nothing_gained
    tries = [champion.days_since_refresh, None if vain is None else (today - vain.as_of).days]
    return refresh_check(
        champion.dated,
        champion.days_since_training,
        min((days for days in tries if days is not None), default=None),
        champion.refreshes_in_vain + (0 if vain is None else vain.before + vain.times),
        policy.growth,
        refresh or RefreshPolicy(every_days=0),
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
    monitoring: MonitoringRecord, rules: tuple[Check, ...], holds: tuple[Check, ...], refresh: Check
) -> tuple[str, tuple[str, ...]]:
    asking = tuple(rule.sentence for rule in rules if not rule.passed)
    holding = tuple(f"Held back by {hold.sentence}." for hold in holds if not hold.passed)
    if monitoring.quality.blockers and asking:
        unfit = tuple(f"Data unfit: {blocker.sentence}" for blocker in monitoring.quality.blockers)
        return "blocked", (*unfit, *asking)
    if asking and not holding:
        return "fired", asking
    may_refresh = not monitoring.quality.blockers and all(hold.passed or hold.name == WAITING for hold in holds)
    if not refresh.passed and may_refresh:
        return "refresh", (f"A refresh is due: {refresh.found_text}.", *holding, *asking)
    if asking:
        return "held", (*holding, *asking)
    chosen = {rule.name for rule in rules}
    others = ", ".join(sorted({reason.name for reason in monitoring.asking} - chosen))
    unasked = f" Monitoring's {others} would ask for it, but no such rule is chosen." if others else ""
    waits = "" if refresh.passed else f" A refresh is due and waits. {' '.join(holding)}"
    return "quiet", (f"None of {len(rules)} rules fired.{unasked}{waits}".rstrip(),)


def _outcome(rule: Rule, monitoring: MonitoringRecord, champion: ChampionsAge, policy: TriggerPolicy) -> Check:
    if rule == "follow_up":
        return _follow_up(champion, policy)
    seen = [reason for reason in monitoring.reasons if reason.name == rule]
    if not seen:
        return Check(name=rule, passed=True, found="monitoring did not look at it", allowed="anything")
    found, allowed = ("; ".join(getattr(reason, part) for reason in seen) for part in ("found_text", "allowed_text"))
    effect = max((reason.effect for reason in seen if reason.effect is not None), default=None)
    return Check(name=rule, passed=all(reason.passed for reason in seen), found=found, allowed=allowed, effect=effect)


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
