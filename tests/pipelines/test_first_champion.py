"""Claims about a first champion that is not found: an outcome that ends a run well, and says what leads further."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from kedro.io import DatasetError

from evergreen import registry
from evergreen.evaluation.decision import PromotionPolicy
from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.reporting.screen import Lifecycle, summary
from tiny_use_case import TinyUseCase, people

NEEDS_A_CHAMPION = ("predictions", "monitoring", "monitoring_page", "quality_gate", "retraining", "webhook")


@pytest.fixture(scope="module")
def noise(mlflow_store: Path) -> TinyUseCase:
    """A use case that lived its first life, whose outcome has nothing to do with what is known of its customers."""
    tiny = TinyUseCase(people(900, 1, "2026-01-31", effect=0), people(900, 2, "2026-02-28", effect=0))
    tiny.run("__default__")
    return tiny


def test_a_refused_first_champion_ends_the_whole_life_well_and_later_pipelines_are_skipped(noise: TinyUseCase) -> None:
    assert noise["evaluation"].promotion.outcome == "refused"
    assert not [name for name in NEEDS_A_CHAMPION if noise.kept[name].exists()]


def test_the_screen_says_that_nothing_serves_why_and_what_to_change(noise: TinyUseCase) -> None:
    told = summary({noise.name: Lifecycle(training=noise["training"], evaluation=noise["evaluation"])}, "data")
    assert "champion   none: scoring, monitoring and retraining were skipped" in told
    assert "against the floor of 0.6" in told
    assert "To change it: add columns that are known before the outcome" in told


@pytest.mark.parametrize("pipeline", ["scoring", "monitoring", "retraining"])
def test_a_pipeline_alone_fails_and_does_not_ask_for_what_has_just_been_run(noise: TinyUseCase, pipeline: str) -> None:
    with pytest.raises(DatasetError, match="has no champion: version 1 was refused") as failed:
        noise.run(pipeline)
    assert "first" not in str(failed.value)
    assert "kedro models promote --version 1" in str(failed.value)


def test_the_same_rows_are_judged_anew_by_what_is_asked_for_now(
    noise: TinyUseCase, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "evergreen"):
        noise.run("__default__")
    assert (noise["training"].status, noise["evaluation"].promotion.outcome) == ("reused", "refused")
    assert "monitoring, scoring, retraining, alerts, reporting skipped, because no version serves" in caplog.text
    lower = PromotionPolicy(first_champion_floor=0.1)
    noise.kept["params:evaluation"]._data = EvaluationParameters(explained_rows=50, promotion=lower)
    noise.run("__default__")
    assert registry.aliases_of(noise.name) == {"champion": "1"}
    assert noise["monitoring"].version == "1"
