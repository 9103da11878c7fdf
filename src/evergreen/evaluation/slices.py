"""For whom does the model work badly? The AUC in every group of every column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from evergreen.evaluation.auc import (
    Floats,
    as_block_codes,
    as_labels,
    as_scores,
    auc_covariance,
    rarer_class_units,
    share_interval,
)
from evergreen.evaluation.parameters import SlicePolicy
from evergreen.records import SNAKE_CASE, Frozen

MISSING = "missing"
RARE = "other"


DEFAULT_SLICES = SlicePolicy()


class SliceMetric(Frozen):
    """One group of one column.

    Attributes:
        column: Column that slices.
        group: Group within it.
        n: Rows.
        base_rate: Share of positives.
        roc_auc: AUC; None with too few rows of a class.
        low: Lower end of its 95 % interval.
        high: Upper end.
        standard_error: Standard error of the AUC.
        units: Independent rows (blocks) that hold the rarer class.
        status: ``ok`` or ``insufficient_data``.
        reason: Why the status isn't ``ok``.
    """

    column: str
    group: str
    n: int
    base_rate: float
    roc_auc: float | None = None
    low: float | None = None
    high: float | None = None
    standard_error: float | None = None
    units: int
    status: Annotated[Literal["ok", "insufficient_data"], SNAKE_CASE] = "ok"
    reason: str | None = None


def slice_groups(
    frame: pd.DataFrame,
    categorical: Sequence[str],
    numeric: Sequence[str],
    policy: SlicePolicy = DEFAULT_SLICES,
) -> dict[str, NDArray[np.str_]]:
    """Name the group of every row, column by column.

    Args:
        frame: One row per judged row.
        categorical: Columns sliced by level; rare levels are pooled.
        numeric: Columns sliced by quantile.
        policy: Number of groups and rows.

    Returns:
        Column → group names, shape (rows,); missing values are a group of their own.
    """
    levels = {name: _by_level(frame[name], policy.min_rows) for name in categorical}
    return levels | {name: _by_quantile(frame[name], policy.numeric_groups) for name in numeric}


def slice_metrics(
    y_true: ArrayLike,
    scores: ArrayLike,
    frame: pd.DataFrame,
    categorical: Sequence[str],
    numeric: Sequence[str],
    policy: SlicePolicy = DEFAULT_SLICES,
    blocks: ArrayLike | None = None,
) -> list[SliceMetric]:
    """Count, base rate and AUC with interval in every group.

    Args:
        y_true: Labels 0/1, shape (rows,).
        scores: Scores, shape (rows,).
        frame: Features of the same rows.
        categorical: Columns sliced by level.
        numeric: Columns sliced by quantile.
        policy: How rows are sliced.
        blocks: Block of each row, shape (rows,); None means that rows are independent.

    Returns:
        One row per group, column by column; intervals are for one slice alone.
    """
    y = as_labels(y_true)
    s = as_scores(scores, len(y))
    codes = as_block_codes(blocks, len(y))
    groups = slice_groups(frame, categorical, numeric, policy)
    return [
        _measure(column, group, y[rows], s[rows], codes[rows], policy) for column, group, rows in each_slice(groups)
    ]


def worst_slices(slices: Sequence[SliceMetric], count: int = 3) -> list[SliceMetric]:
    """The slices that are most surely bad: those whose interval ends lowest."""
    judged = [row for row in slices if row.high is not None]
    return sorted(judged, key=lambda row: row.high or 0.0)[:count]


def each_slice(groups: Mapping[str, ArrayLike]) -> Iterator[tuple[str, str, NDArray[np.intp]]]:
    """Column, group and positions of its rows, in ascending order of the group's name."""
    for column, labels in groups.items():
        names, code = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
        edges = np.searchsorted(np.sort(code), np.arange(len(names) + 1))
        order = np.argsort(code, kind="stable")
        for index, name in enumerate(names):
            yield column, str(name), order[edges[index] : edges[index + 1]]


def _measure(
    column: str,
    group: str,
    y: NDArray[np.bool_],
    s: Floats,
    codes: NDArray[np.intp],
    policy: SlicePolicy,
) -> SliceMetric:
    units = rarer_class_units(y, codes)
    known = SliceMetric(column=column, group=group, n=len(y), base_rate=float(y.mean()), units=units)
    if units < policy.min_units_per_class:
        reason = f"{int(y.sum())} positive and {int((~y).sum())} negative rows: too few for an AUC"
        return known.model_copy(update={"status": "insufficient_data", "reason": reason})
    found = auc_covariance(y, s, codes)
    auc, error = found.contrast([1])
    low, high = share_interval(auc, error, units, float(stats.t.ppf(0.975, units - 1)))
    return known.model_copy(update={"roc_auc": auc, "low": low, "high": high, "standard_error": error})


def _by_level(values: pd.Series, min_rows: int) -> NDArray[np.str_]:
    names = values.astype(object).where(values.notna(), MISSING).astype(str)
    counts = names.value_counts()
    rare = set(counts.index[counts < min_rows]) - {MISSING}
    return names.where(~names.isin(rare), RARE).to_numpy(dtype=str)


def _by_quantile(values: pd.Series, groups: int) -> NDArray[np.str_]:
    numbers = pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan)
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return np.full(len(numbers), MISSING)
    edges = np.unique(np.quantile(finite, np.linspace(0, 1, groups + 1), method="inverted_cdf"))
    code = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, max(len(edges) - 2, 0))
    names = [f"{low:.6g} to {high:.6g}" for low, high in pairwise(edges)] or [f"{edges[0]:.6g}"]
    return np.where(np.isnan(numbers), MISSING, np.asarray(names)[code])
