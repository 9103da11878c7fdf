"""Claims about what a challenger must do beside scoring well."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.evaluation.behaviour import behaviour_checks, direction_check, latency_checks, row_order_check
from evergreen.evaluation.parameters import BehaviourPolicy
from evergreen.evaluation.promotion import decide_promotion
from evergreen.records import Check

ROWS = pd.DataFrame({"a": np.linspace(-2, 2, 50), "b": np.tile([0.0, 1.0], 25)})


def rising(rows: pd.DataFrame) -> np.ndarray:
    return 1 / (1 + np.exp(-rows["a"].to_numpy() - 0.1 * rows["b"].to_numpy()))


def failed(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.passed]


def test_a_quick_small_steady_model_passes() -> None:
    policy = BehaviourPolicy(directions={"a": "increasing"})
    checks = behaviour_checks(rising, ROWS, rising(ROWS), 1_000, policy)
    assert failed(checks) == []
    assert {check.name for check in checks} == {
        "latency_one_row",
        "latency_batch",
        "model_size",
        "row_order",
        "direction_a",
    }


def test_a_slow_model_is_refused_alone_and_in_a_batch() -> None:
    def slow(rows: pd.DataFrame) -> np.ndarray:
        until = time.thread_time() + 0.002 * len(rows)
        while time.thread_time() < until:
            pass
        return rising(rows)

    policy = BehaviourPolicy(max_row_latency_ms=1, max_batch_latency_ms=1)
    assert failed(latency_checks(slow, ROWS, policy)) == ["latency_one_row", "latency_batch"]


def test_a_busy_machine_makes_no_model_slow() -> None:
    def waiting(rows: pd.DataFrame) -> np.ndarray:
        time.sleep(0.02)
        return rising(rows)

    assert failed(latency_checks(waiting, ROWS, BehaviourPolicy(max_row_latency_ms=15))) == []


def test_a_large_model_is_refused() -> None:
    checks = behaviour_checks(rising, ROWS, rising(ROWS), 3_000_000, BehaviourPolicy(max_model_mb=2))
    assert failed(checks) == ["model_size"]


def test_a_model_whose_scores_depend_on_the_rows_around_is_refused() -> None:
    def ranks(rows: pd.DataFrame) -> np.ndarray:
        return np.arange(len(rows)) / len(rows)

    assert not row_order_check(ranks, ROWS, ranks(ROWS)).passed
    assert row_order_check(rising, ROWS, rising(ROWS)).passed


def test_a_direction_that_the_model_contradicts_is_refused() -> None:
    policy = BehaviourPolicy()
    assert direction_check(rising, ROWS, "a", "increasing", policy).passed
    assert not direction_check(rising, ROWS, "a", "decreasing", policy).passed


def test_a_direction_of_no_feature_is_told_with_the_features() -> None:
    with pytest.raises(EvergreenError, match=r"names 'income', which is no feature: choose among a, b\."):
        direction_check(rising, ROWS, "income", "increasing", BehaviourPolicy())


def test_a_failed_check_refuses_whatever_the_gain() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 2000)
    pair = y + rng.normal(size=2000) * 2, y + rng.normal(size=2000)
    assert decide_promotion(y, *pair).decision == "promote"
    large = behaviour_checks(rising, ROWS, rising(ROWS), 3_000_000, BehaviourPolicy(max_model_mb=2))
    refused = decide_promotion(y, *pair, checks=large)
    assert refused.decision == "refuse"
    assert "model_size fails: 3 MB, allowed 2 MB." in refused.reasons
