"""What a challenger must do beside scoring well: be fast, be small, and behave as its users know it should."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from evergreen.errors import EvergreenError
from evergreen.evaluation.parameters import BehaviourPolicy, Direction
from evergreen.records import Check
from evergreen.rows.columns import with_columns

Predict = Callable[[pd.DataFrame], np.ndarray]

_TIMED_ROWS = 15
_PROBED_ROWS = 300
_GRID = (0.05, 0.25, 0.5, 0.75, 0.95)
_SAME = 1e-9


def behaviour_checks(
    predict: Predict, rows: pd.DataFrame, scores: np.ndarray, model_bytes: int, policy: BehaviourPolicy
) -> list[Check]:
    """Check speed, size, independence of row order, and directions.

    Args:
        predict: Features (n, p) → probability of class 1, shape (n,).
        rows: Feature rows that the model has not seen, at least one.
        scores: Their probabilities, as predicted in this order, shape (n,).
        model_bytes: Size of the model file.
        policy: Budgets and directions.

    Raises:
        EvergreenError: Where a direction names a column that is no feature.
    """
    megabytes = model_bytes / 1e6
    return [
        *latency_checks(predict, rows, policy),
        _budget("model_size", megabytes, policy.max_model_mb, "MB"),
        row_order_check(predict, rows, scores),
        *(direction_check(predict, rows, name, way, policy) for name, way in policy.directions.items()),
    ]


def latency_checks(predict: Predict, rows: pd.DataFrame, policy: BehaviourPolicy) -> list[Check]:
    """CPU time of one row alone (median of several) and of all rows at once, on one thread.

    Not the clock's: how busy a machine is must not decide about a model.
    """
    single = [_milliseconds(predict, rows.iloc[[number]]) for number in range(min(_TIMED_ROWS, len(rows)))]
    batch = _milliseconds(predict, rows) / len(rows)
    return [
        _budget("latency_one_row", float(np.median(single)), policy.max_row_latency_ms, "ms"),
        _budget("latency_batch", batch, policy.max_batch_latency_ms, "ms"),
    ]


def row_order_check(predict: Predict, rows: pd.DataFrame, scores: np.ndarray) -> Check:
    """Whether a row's probability depends on the rows around it: the same rows backwards must score the same."""
    found = float(np.abs(predict(rows.iloc[::-1])[::-1] - scores).max())
    detail = f"turning the rows' order round moves a probability by {found:.2g}"
    return Check(name="row_order", passed=found <= _SAME, found=found, allowed=_SAME, detail=detail)


def direction_check(
    predict: Predict, rows: pd.DataFrame, feature: str, way: Direction, policy: BehaviourPolicy
) -> Check:
    """Whether the partial dependence on a numeric feature goes the stated way.

    The feature is set to five of its quantiles in turn for the same rows (Friedman 2001, section 8.2); what
    counts is the largest step of the average against the direction.
    """
    if feature not in rows:
        known = ", ".join(map(str, rows.columns))
        raise EvergreenError(
            f"evaluation.behaviour.directions names '{feature}', which is no feature: choose among {known}."
        )
    probed = rows.head(_PROBED_ROWS)
    grid = np.unique(np.nanquantile(rows[feature].to_numpy(dtype=np.float64), _GRID))
    average = np.array([predict(with_columns(probed, {feature: value})).mean() for value in grid])
    steps = np.diff(average) if way == "increasing" else -np.diff(average)
    wrong = float(max(0.0, -steps.min())) if len(steps) else 0.0
    return Check(
        name=f"direction_{feature}",
        passed=wrong <= policy.max_wrong_step,
        found=wrong,
        allowed=policy.max_wrong_step,
        detail=f"the average probability, which should be {way} in {feature}, goes the other way by {wrong:.4f}",
    )


def _milliseconds(predict: Predict, rows: pd.DataFrame) -> float:
    with threadpool_limits(1):
        began = time.thread_time()
        predict(rows)
        return (time.thread_time() - began) * 1000


def _budget(name: str, found: float, allowed: float, unit: Literal["ms", "MB"]) -> Check:
    return Check(name=name, passed=found <= allowed, found=found, allowed=allowed, unit=unit)
