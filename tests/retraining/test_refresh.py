"""Claims about newer rows that let the champion's recipe take over without a proven gain."""

from __future__ import annotations

import numpy as np
import pytest

from evergreen.evaluation.accumulating import JudgedDays
from evergreen.evaluation.parameters import PromotionPolicy
from evergreen.records import Check
from evergreen.retraining.parameters import RefreshPolicy
from evergreen.retraining.refresh import decide_refresh, with_refresh

POLICY, PROMOTION = RefreshPolicy(), PromotionPolicy()


def judged(ahead: float, seed: int = 0, days: int = 84, per_day: int = 40, only_before: int = 0) -> JudgedDays:
    """Days on which the challenger knows more than the champion; ``only_before``: on the first ones alone."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), per_day)
    y = rng.random(len(day)) < 0.4
    champion, challenger = rng.normal(size=(2, len(day))) * 0.6 + (y + rng.normal(size=len(day)))
    knows = day < only_before if only_before else np.ones(len(day), dtype=bool)
    challenger = challenger + ahead * np.where(knows, y, 0)
    return JudgedDays(y, champion, challenger, day, day // 7 * 7 - 1)


def test_a_lead_of_a_standard_error_refreshes_and_is_recorded_with_its_odds_and_not_as_a_gain() -> None:
    decision = decide_refresh(judged(0.15), POLICY, PROMOTION)
    assert (decision.decision, decision.serves, decision.blocks) == ("refresh", True, 56)
    assert decision.odds == pytest.approx(1, abs=0.02)
    assert decision.reasons[0].startswith("A refresh, not a proven gain: on the newest 56 judged days")
    assert decision.look is None


def test_the_newest_days_alone_decide_it() -> None:
    assert decide_refresh(judged(1.0, only_before=28), POLICY, PROMOTION).decision == "refuse"


def test_equal_versions_are_refreshed_about_as_often_as_a_standard_error_is_exceeded() -> None:
    found = [decide_refresh(judged(0.0, seed, days=56, per_day=10), POLICY, PROMOTION) for seed in range(150)]
    share = np.mean([each.serves for each in found])
    assert 0.09 < share < 0.24  # 16 % and its noise
    assert all(0.8 < each.odds < 1 for each in found if each.serves and each.odds)


def test_a_failed_check_refuses_and_few_days_decide_nothing() -> None:
    failed = Check(name="slices", passed=False, found=-0.1, allowed=-0.05)
    assert decide_refresh(judged(0.15), POLICY, PROMOTION, [failed]).decision == "refuse"
    assert decide_refresh(judged(0.15, days=9), POLICY, PROMOTION).decision == "undecidable"


def test_beside_a_gain_that_was_not_shown_a_refresh_keeps_the_look_and_a_vain_one_changes_nothing() -> None:
    refresh, vain = (decide_refresh(judged(ahead), POLICY, PROMOTION) for ahead in (0.15, -0.15))
    asked = vain.model_copy(update={"decision": "undecidable", "look": 3, "reasons": ("No gain is shown.",)})
    both = with_refresh(asked, refresh)
    assert (both.decision, both.look, both.reasons[-1]) == ("refresh", 3, "No gain is shown.")
    still = with_refresh(asked, vain)
    assert (still.decision, still.reasons[0]) == ("undecidable", "No gain is shown.")
    assert still.reasons[-1].startswith("No refresh:")
