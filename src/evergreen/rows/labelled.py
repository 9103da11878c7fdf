"""Labelled rows that a model may learn from, with the windows they were cut from."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, replace

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.rows.labels import LabelDefinition, fit_label_definition
from evergreen.rows.parameters import LabelPolicy, SplitParameters
from evergreen.rows.splits import (
    Bounds,
    block_codes,
    block_share,
    test_mask,
    timeline,
    training_mask,
    undated,
    unseen_mask,
)
from evergreen.rows.windows import date_range, fetch_rows, with_outcome
from evergreen.schema import TableSpec

logger = logging.getLogger("evergreen.training")

LEAST_OF_A_CLASS = 10  # five folds whose encoders are cross-fitted in five more need seven of each


@dataclass(frozen=True)
class LabelledRows:
    """Rows of a feature table with their labels; all arrays have one entry a row.

    Attributes:
        rows: Keys, outcome and features.
        y: Labels 0/1.
        share: Each row's block as a stable number in [0, 1).
        spec: The table that the rows come from.
        label: How the outcome became ``y``.
        bounds: The windows.
        as_of: The date that the run pretends is today.
    """

    rows: pd.DataFrame
    y: np.ndarray
    share: np.ndarray
    spec: TableSpec
    label: LabelDefinition
    bounds: Bounds
    as_of: dt.date

    @property
    def X(self) -> pd.DataFrame:  # noqa: N802 - the field's name
        """The features alone."""
        return self.rows[self.spec.features]

    @property
    def dates(self) -> pd.Series | None:
        """Each row's date, or None for a use case without dates."""
        return None if self.spec.date is None else self.rows[self.spec.date]

    @property
    def weights(self) -> np.ndarray | None:
        """Each row's weight, or None where the table has none."""
        return None if self.spec.weights is None else self.rows[self.spec.weights].to_numpy(np.float64)

    @property
    def blocks(self) -> np.ndarray | None:
        """Each row's block as an integer code, or None where every row is a block of its own."""
        return block_codes(self.share)

    @property
    def day_numbers(self) -> np.ndarray:
        """Each row's day as days since 1970, whatever its hour; rows must have dates."""
        assert self.dates is not None  # asked for where the table has a date
        return pd.to_datetime(self.dates).to_numpy(dtype="datetime64[D]").astype(np.int64)

    @property
    def by_day(self) -> LabelledRows:
        """The same rows with their day as block, on which rows of one day depend on each other."""
        assert self.dates is not None  # likewise
        days = pd.to_datetime(self.dates).dt.normalize()
        return replace(self, share=block_share(days.to_frame("day")))

    def where(self, mask: np.ndarray) -> LabelledRows:
        """The rows for which ``mask`` is true."""
        return replace(self, rows=self.rows[mask].reset_index(drop=True), y=self.y[mask], share=self.share[mask])


def window_bounds(features: ir.Table, spec: TableSpec, split: SplitParameters, as_of: dt.date) -> Bounds:
    """Where training and test begin and end.

    Args:
        features: The feature table.
        spec: Its description.
        split: Lengths of the windows.
        as_of: The date that the run pretends is today.
    """
    if spec.date is None:
        return undated(split)
    first, _ = date_range(features, spec)
    bounds = timeline(first, as_of, split)
    return bounds.model_copy(update={"panel": spec.panel})


def select_training_set(
    features: ir.Table,
    spec: TableSpec,
    bounds: Bounds,
    as_of: dt.date,
    label: LabelDefinition | LabelPolicy,
    max_rows: int | None = None,
) -> LabelledRows:
    """Fetch the training rows and label them.

    Args:
        features: The feature table.
        spec: Its description.
        bounds: The windows.
        as_of: The date that the run pretends is today.
        label: The lineage's definition, or the policy by which a first one is fitted on these rows.
        max_rows: About how many rows to fetch at the most.

    Raises:
        EvergreenError: Where no row is left to learn from.
    """
    known = with_outcome(features, spec)
    rows = fetch_rows(known, spec, bounds.train_start, bounds.train_end, max_rows)
    share = block_share(rows[spec.block_columns])
    mask = training_mask(rows[spec.date] if spec.date else None, share, bounds)
    if not mask.any():
        raise EvergreenError(
            f"the training window {bounds.train_start} to {bounds.train_end} holds no row: at least one is needed; "
            "check the source tables, `as_of` and the parameters under `split`."
        )
    rows, share = rows[mask].reset_index(drop=True), share[mask]
    if isinstance(label, LabelPolicy):
        label = fit_label_definition(rows[spec.target], spec, label)
    return LabelledRows(rows, label.apply(rows[spec.target]), share, spec, label, bounds, as_of)


def require_both_outcomes(rows: LabelledRows) -> None:
    """Refuse rows that hold too few of one outcome to be learnt from.

    Raises:
        EvergreenError: Fewer than ten rows of either outcome.
    """
    positives = int(rows.y.sum())
    others = len(rows.y) - positives
    if min(positives, others) < LEAST_OF_A_CLASS:
        raise EvergreenError(
            f"{rows.spec.target} of the training rows counts {positives:,} times as 1 and {others:,} times as 0: at "
            f"least {LEAST_OF_A_CLASS} of each are needed to learn from; bring more rows, or correct `table.positive`, "
            "`as_of` or the parameters under `split`."
        )


def without_empty_features(rows: LabelledRows, use_case: str) -> LabelledRows:
    """Leave out features that hold no value in any row.

    Nothing can be learnt of them, and one that is filled some day would reach a model that has never seen it.

    Args:
        rows: Training rows.
        use_case: Its name, for the one line that says what is left out.

    Raises:
        EvergreenError: Where no feature holds a value.
    """
    filled = rows.X.notna().any()
    empty = filled.index[~filled].tolist()
    if not empty:
        return rows
    if len(empty) == len(filled):
        raise EvergreenError(
            f"{use_case}: none of {len(empty)} features holds a value in {len(rows.y):,} training rows: at least one "
            "is needed; check the source tables."
        )
    logger.info("%s: %s hold no value in the training rows and are left out.", use_case, ", ".join(empty))
    return replace(rows, spec=rows.spec.without(empty))


def select_rows(
    features: ir.Table,
    spec: TableSpec,
    bounds: Bounds,
    as_of: dt.date,
    label: LabelDefinition,
    start: dt.date | None = None,
    end: dt.date | None = None,
    max_rows: int | None = None,
) -> LabelledRows:
    """Fetch and label the rows of a window, whatever side they stand on; masks of ``splits`` take their pick."""
    rows = fetch_rows(with_outcome(features, spec), spec, start, end, max_rows)
    share = block_share(rows[spec.block_columns])
    return LabelledRows(rows, label.apply(rows[spec.target]), share, spec, label, bounds, as_of)


def select_test_rows(
    features: ir.Table,
    spec: TableSpec,
    bounds: Bounds,
    as_of: dt.date,
    label: LabelDefinition,
    max_rows: int | None = None,
) -> LabelledRows:
    """Fetch and label the test window of a version."""
    start = None if bounds.train_end is None else bounds.train_end + dt.timedelta(days=1)
    rows = select_rows(features, spec, bounds, as_of, label, start, bounds.test_end, max_rows)
    return rows.where(test_mask(rows.dates, rows.share, bounds))


def select_judging_rows(
    features: ir.Table,
    spec: TableSpec,
    label: LabelDefinition,
    as_of: dt.date,
    versions: list[Bounds],
    end: dt.date | None,
    max_rows: int | None = None,
) -> LabelledRows:
    """Fetch the mature rows that none of some versions has seen: what they can be compared on.

    Args:
        features: The newest feature table.
        spec: Its description.
        label: The lineage's label definition.
        as_of: The date that the run pretends is today.
        versions: The bounds of the versions to compare.
        end: Last day whose outcome is known; None without dates.
        max_rows: About how many rows to fetch at the most.
    """
    horizons = [b.judging_from or b.train_end for b in versions if b.dated]
    start = max((day for day in horizons if day is not None), default=None)
    rows = select_rows(features, spec, versions[0], as_of, label, start, end, max_rows)
    unseen = [unseen_mask(rows.dates, rows.share, bounds) for bounds in versions]
    return rows.where(np.logical_and.reduce(unseen))


def select_later_rows(
    features: ir.Table,
    spec: TableSpec,
    label: LabelDefinition,
    as_of: dt.date,
    versions: list[Bounds],
    end: dt.date | None,
    max_rows: int | None = None,
) -> LabelledRows:
    """Fetch the mature rows of days after the training ends of some versions, a panel's judging entities alone.

    Arguments as of :func:`select_judging_rows`; all versions have dates.
    """
    first = max(bounds.train_end for bounds in versions if bounds.train_end is not None) + dt.timedelta(days=1)
    rows = select_rows(features, spec, versions[0], as_of, label, first, end, max_rows)
    if not spec.panel:
        return rows
    return rows.where(rows.share < min(bounds.judging_share for bounds in versions))
