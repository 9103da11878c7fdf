"""Claims about what pages say of each thing that may become of a version."""

from __future__ import annotations

from typing import get_args

from evergreen.evaluation.judge import PromotionOutcome
from evergreen.registry.audit_log import AliasChange
from evergreen.reporting.dashboard.panels_of_models import _EVENTS
from evergreen.reporting.model_card.card import _OUTCOMES


def test_a_card_has_words_for_all_that_may_become_of_a_version() -> None:
    assert set(_OUTCOMES) == set(get_args(PromotionOutcome.model_fields["outcome"].annotation))
    assert "no proven gain" in _OUTCOMES["refreshed"][0]


def test_the_dashboard_has_a_colour_for_every_line_of_the_audit() -> None:
    assert set(_EVENTS) == set(get_args(AliasChange.model_fields["action"].annotation))
