"""A compiled model's probability as an expression, which an engine computes where the rows lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from evergreen.errors import EvergreenError
from evergreen.modelling.compiled import Compiled
from evergreen.rows.canonical import Levels
from evergreen.rows.canonical_column import canonical_column

MOST_LEAVES = 5000
"""Engines take statements of bounded length; a leaf is about 100 characters of one."""
_CLIP = 1e-6
_INPUT = "_x{}"
_MARGIN = "_margin"


class NoExpressionError(EvergreenError):
    """A model that no statement can express."""


def with_probability(rows: ir.Table, compiled: Compiled, algorithm: str) -> ir.Table:
    """A table with the model's probability of class 1 beside each row, lazily.

    Args:
        rows: A table that has the model's features; any Ibis engine.
        compiled: The compiled pipeline.
        algorithm: Its name, for the error.

    Returns:
        The columns of ``rows`` and ``probability`` (float64, within 1e-9 of scikit-learn's).

    Raises:
        NoExpressionError: A network, a kernel machine, or trees with more than 5,000 leaves in all.
    """
    require_expression(compiled, algorithm)
    columns = rows.columns
    inputs = {_INPUT.format(place): _input(rows, kept) for place, kept in enumerate(compiled.plan["kept"])}
    prepared = rows.mutate(**inputs)
    X = [prepared[name] for name in inputs]
    scored = prepared.mutate(**{_MARGIN: _margin(X, compiled)})
    return scored.select(*columns, probability=_calibrated(scored[_MARGIN], compiled.plan))


def require_expression(compiled: Compiled, algorithm: str) -> None:
    """Raise where :func:`with_probability` would.

    Raises:
        NoExpressionError: See there.
    """
    kind = compiled.plan["model"]["kind"]
    leaves = int((compiled.arrays["left"] < 0).sum()) if kind == "trees" else 0
    if kind in ("linear", "constant") or 0 < leaves <= MOST_LEAVES:
        return
    found = (
        f"its trees have {leaves:,} leaves, at most {MOST_LEAVES:,} fit into one" if leaves else "it has no SQL form"
    )
    raise NoExpressionError(
        f"{algorithm} cannot be scored by a statement of the warehouse: {found}; let "
        "`scoring_where` be auto, which scores here and uploads, or let LogisticRegression or HistGradientBoosting "
        "compete alone."
    )


def _input(rows: ir.Table, kept: Mapping[str, Any]) -> ir.Value:
    column = rows[kept["feature"]]
    missing = _number_of(kept["missing"])
    if kept["kind"] == "category":
        return _code(column, kept, missing)
    number = _number(column)
    value = number if kept["kind"] == "number" else _tier(number, kept["edges"])
    absent = number.isnull() | number.isnan()
    return ibis.ifelse(absent, missing, value)


def _number(column: ir.Value) -> ir.FloatingValue:
    plain = column.cast("int8") if column.type().is_boolean() else column
    return plain.cast("float64")


def _tier(number: ir.FloatingValue, edges: list[float]) -> ir.Value:
    above = [(number > _number_of(edge)).cast("int8").cast("float64") for edge in edges]
    return _sum(above)


def _code(column: ir.Value, kept: Mapping[str, Any], missing: ir.Value) -> ir.Value:
    """A level's number; further spellings of a level are listed, as far as an engine can be told."""
    codes = dict(kept["codes"])
    for level, spellings in Levels(kept["levels"]).spellings().items():
        codes |= {text: codes[level] for text in spellings if level in codes and text not in codes}
    text = canonical_column(column).fill_null("")
    cases = [(text == level, _number_of(code)) for level, code in codes.items()]
    return ibis.cases(*cases, else_=missing) if cases else missing


def _margin(X: list[ir.Value], compiled: Compiled) -> ir.Value:
    model, arrays = compiled.plan["model"], compiled.arrays
    if model["kind"] == "constant":
        return _number_of(model["value"])
    if model["kind"] == "linear":
        scaled = [
            (x - _number_of(mean)) / _number_of(scale) * _number_of(weight)
            for x, mean, scale, weight in zip(X, arrays["mean"], arrays["scale"], arrays["coef"], strict=True)
        ]
        return _sum(scaled) + _number_of(model["intercept"])
    thresholds = _as_float64(arrays["threshold"]) if model["float32"] else arrays["threshold"]
    values = model["rate"] * arrays["value"]
    trees = [_tree(int(root), X, arrays, thresholds, values) for root in arrays["roots"]]
    return (_sum(trees) + _number_of(model["start"])) / _number_of(model["divide"])


def _tree(
    node: int, X: list[ir.Value], arrays: Mapping[str, np.ndarray], thresholds: np.ndarray, values: np.ndarray
) -> ir.Value:
    left, right = int(arrays["left"][node]), int(arrays["right"][node])
    if left < 0:
        return _number_of(values[node])
    below = X[int(arrays["feature"][node])] <= _number_of(thresholds[node])
    branches = (_tree(child, X, arrays, thresholds, values) for child in (left, right))
    return ibis.ifelse(below, *branches)


def _as_float64(thresholds: np.ndarray) -> np.ndarray:
    """Thresholds for numbers that have not been rounded to float32 although the model's trees read float32.

    A number falls on the left where it rounds to a float32 at or below the threshold: up to the middle between that
    float32 and the next, the middle itself where rounding to even takes it down.
    """
    low = thresholds.astype(np.float32)
    low = np.where(low.astype(np.float64) > thresholds, np.nextafter(low, np.float32(-np.inf)), low)
    high = np.nextafter(low, np.float32(np.inf))
    middle = (low.astype(np.float64) + high.astype(np.float64)) / 2
    return np.where(middle.astype(np.float32) == low, middle, np.nextafter(middle, -np.inf))


def _number_of(value: float) -> ir.FloatingValue:
    """A constant to its last bit: engines read digits with a point as decimals, and round these once more."""
    return ibis.literal(repr(float(value))).cast("float64")


def _sum(terms: list[Any]) -> Any:
    """The sum in pairs, so that a statement of many terms stays flat."""
    while len(terms) > 1:
        paired = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = paired + terms[len(terms) - len(terms) % 2 :]
    return terms[0]


def _calibrated(margin: ir.Value, plan: Mapping[str, Any]) -> ir.Value:
    calibration = plan["calibration"]
    probability = margin if plan["model"]["probability"] else _expit(margin)
    if calibration["plain"]:
        return probability
    if calibration["of_probability"]:
        clipped = probability.clip(_CLIP, 1 - _CLIP)
        margin = (clipped / (1 - clipped)).ln()
    return _expit(margin * _number_of(calibration["slope"]) + _number_of(calibration["intercept"]))


def _expit(x: ir.Value) -> ir.Value:
    """The logistic function, without overflow."""
    small = (-x.abs()).exp()
    return ibis.ifelse(x >= 0, 1.0 / (1.0 + small), small / (1.0 + small))
