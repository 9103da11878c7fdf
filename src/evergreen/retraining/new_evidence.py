"""Is there anything new since the last retraining that found nothing to gain? Rows, or an effect that has grown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from pydantic import Field

from evergreen.records import Check, Frozen
from evergreen.retraining.parameters import TriggerPolicy

WAITING = "new evidence"
MOST = 8.0
"""Beyond so many times the first wait the next one never grows: a use case is asked a few times a year at least."""


class NothingGained(Frozen):
    """What the retrainings of a champion that found nothing to gain rested on.

    Attributes:
        as_of: Day of the last one.
        times: How many there were since its loss last grew.
        before: How many there were before that.
        new_labelled_rows: Rows newer than the champion's training that the last one had.
        effects: Rule → largest effect that it asked with.
    """

    as_of: dt.date
    times: int
    before: int = 0
    new_labelled_rows: int
    effects: dict[str, float] = Field(default_factory=dict)

    def and_again(self, as_of: dt.date, rows: int, effects: Mapping[str, float], grown: bool) -> NothingGained:
        """The same with one more; a repeated run of the same day is no further one.

        Args:
            as_of: Its day.
            rows: Rows newer than the champion's training that it had.
            effects: Rule → effect that it asked with.
            grown: Whether the loss had grown: what was vain before was about a smaller one, counting begins anew.
        """
        larger = {name: max(found, self.effects.get(name, found)) for name, found in effects.items()}
        further = as_of != self.as_of
        anew = grown and further
        return NothingGained(
            as_of=as_of,
            times=1 if anew else self.times + further,
            before=self.before + self.times if anew else self.before,
            new_labelled_rows=rows,
            effects={**self.effects, **larger},
        )


def wait_factor(times: int, growth: float) -> float:
    """By how much a wait has grown after so many vain attempts, the first of which lets it as it is."""
    return float(min(growth ** max(times - 1, 0), MOST))


def new_evidence(
    before: NothingGained | None,
    asking: Sequence[Check],
    rows: int,
    today: dt.date,
    dated: bool,
    policy: TriggerPolicy,
) -> Check:
    """Whether a retraining would see more than the one before it, which found nothing to gain.

    Args:
        before: What the vain retrainings of this champion rested on; None where there was none.
        asking: The rules that ask.
        rows: Labelled rows newer than the champion's training.
        today: The date that the run pretends is today.
        dated: Whether rows accumulate; snapshots replace each other, so that days are counted instead.
        policy: How long to wait.
    """
    if before is None:
        return _check(True, "no retraining of this champion found nothing to gain", "any")
    grown = grown_rules(before, asking, policy.larger_effect)
    factor = wait_factor(before.times, policy.growth)
    if dated:
        found, needed, unit = rows - before.new_labelled_rows, policy.min_new_labelled_rows * factor, "labelled rows"
    else:
        found, needed, unit = (today - before.as_of).days, policy.cool_down_days * factor, "days"
    effects = f"and {', '.join(grown)} by a larger effect" if grown else "and no larger effect"
    return _check(
        found >= needed or bool(grown),
        f"{found:,} {unit} {effects} since the last of {before.times} that found nothing to gain",
        f"{needed:,.0f} {unit}, or an effect {policy.larger_effect:g} times as large",
    )


def grown_rules(before: NothingGained | None, asking: Sequence[Check], larger: float) -> list[str]:
    """The rules that ask with a larger effect than the retrainings that found nothing to gain, or had not asked then.

    Args:
        before: What those rested on; None where there was none.
        asking: The rules that ask.
        larger: So many times as large.
    """
    return [] if before is None else [rule.name for rule in asking if _has_grown(rule, before, larger)]


def _has_grown(rule: Check, before: NothingGained, larger: float) -> bool:
    if rule.effect is None:
        return False
    known = before.effects.get(rule.name)
    return known is None or rule.effect >= larger * known


def _check(passed: bool, found: str, allowed: str) -> Check:
    return Check(name=WAITING, passed=passed, found=found, allowed=f"at least {allowed}")
