"""Which rows train, which test, which judge, and which folds do they fall into?"""

from __future__ import annotations

import datetime as dt
from hashlib import blake2b
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from evergreen.errors import EvergreenError
from evergreen.records import Frozen
from evergreen.rows.canonical_series import key_texts
from evergreen.rows.fingerprint import mixed
from evergreen.rows.parameters import SplitParameters

Folds = list[tuple[np.ndarray, np.ndarray]]


TestedOn = Literal["features", "window"]  # rows after the training window, or the newest rows' judging blocks


class Bounds(Frozen):
    """The division that a version was trained under, stored with it; all dates are inclusive.

    Attributes:
        dated: Whether rows have dates; without, only ``judging_share`` counts.
        train_start: First training day.
        train_end: Last training day.
        test_end: Last day of the test window, which starts the day after ``train_end``.
        judging_from: Of versions of former releases: later blocks with a share below ``judging_share`` don't train.
        panel: Whether blocks have rows on many days: those with a share below ``judging_share`` never train, and they
            alone test and judge.
        judging_share: See :class:`SplitParameters`.
    """

    dated: bool
    train_start: dt.date | None = None
    train_end: dt.date | None = None
    test_end: dt.date | None = None
    judging_from: dt.date | None = None
    panel: bool = False
    judging_share: float = Field(gt=0, lt=1)


def timeline(first: dt.date, as_of: dt.date, policy: SplitParameters) -> Bounds:
    """Lay burn-in, training and test windows between the first day and ``as_of``.

    Args:
        first: The table's first day.
        as_of: The date that the run takes for today.
        policy: Lengths of the windows.

    Returns:
        The bounds.

    Raises:
        EvergreenError: ``as_of`` before the first day, or fewer days than burn-in, one training day more than folds,
            test and label delay need.
    """
    test_end = as_of - dt.timedelta(days=policy.label_delay_days)
    train_end = test_end - dt.timedelta(days=policy.test_days)
    train_start = first + dt.timedelta(days=policy.history_days)
    found = (as_of - first).days + 1
    train_days = policy.folds + 1
    needed = policy.history_days + train_days + policy.test_days + policy.label_delay_days
    if as_of < first:
        raise EvergreenError(f"as_of is {as_of}, but the table begins on {first}: choose a later day")
    if found < needed:
        raise EvergreenError(
            f"the table has {found} days ({first} to {as_of}), but the timeline needs {needed}: {policy.history_days} "
            f"of history, at least {train_days} to train, {policy.test_days} to test and {policy.label_delay_days} of "
            "label delay; bring older rows, or lower 'history_days' or 'test_days'"
        )
    return Bounds(
        dated=True,
        train_start=train_start,
        train_end=train_end,
        test_end=test_end,
        judging_share=policy.judging_share,
    )


def undated(policy: SplitParameters) -> Bounds:
    """The bounds of a use case without dates: the entity's hash alone decides, in every snapshot alike."""
    return Bounds(dated=False, judging_share=policy.judging_share)


def block_share(blocks: pd.DataFrame) -> np.ndarray:
    """A stable uniform number per block, the same from every engine, file format and run.

    Args:
        blocks: n rows of the columns that make a block; ``7``, ``7.0`` and ``"7"`` are the same key.

    Returns:
        (n,) float64 in [0, 1): the first 53 bits of BLAKE2b of the key's canonical text.
    """
    codes, keys = key_texts(blocks)
    digests = b"".join(blake2b(key.encode(), digest_size=8).digest() for key in keys)
    return ((np.frombuffer(digests, dtype=">u8") >> 11) * 2.0**-53)[codes]


def block_codes(share: np.ndarray) -> np.ndarray | None:
    """Each row's block as an integer code, from its share; None where every row is a block of its own."""
    blocks, codes = np.unique(share, return_inverse=True)
    return None if len(blocks) == len(codes) else codes


def training_mask(dates: pd.Series | np.ndarray | None, share: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Rows that a version with these bounds is trained on.

    Args:
        dates: (n,) dates, or None without dates.
        share: (n,) block shares.
        bounds: The version's bounds.

    Returns:
        (n,) bool.
    """
    if not bounds.dated:
        return share >= bounds.judging_share
    days = _days(dates)
    within = (days >= _day(bounds.train_start)) & (days <= _day(bounds.train_end))
    return within & ~(share < bounds.judging_share if bounds.panel else _kept_for_judging(days, share, bounds))


def test_mask(dates: pd.Series | np.ndarray | None, share: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Rows of the test window; without dates, the entities that never train. Arguments as above."""
    if not bounds.dated:
        return share < bounds.judging_share
    days = _days(dates)
    return (days > _day(bounds.train_end)) & (days <= _day(bounds.test_end)) & _never_trains(share, bounds)


def unseen_mask(dates: pd.Series | np.ndarray | None, share: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Rows that a version with these bounds has not seen and that its successors may judge it on.

    Two versions are compared on the rows that both have not seen. Arguments as above.
    """
    if not bounds.dated:
        return share < bounds.judging_share
    days = _days(dates)
    later = (days > _day(bounds.train_end)) & _never_trains(share, bounds)
    return later | _kept_for_judging(days, share, bounds)


def fold_indices(
    share: np.ndarray, y: np.ndarray, dates: pd.Series | np.ndarray | None, policy: SplitParameters, seed: int
) -> Folds:
    """Cross-validation folds that never tear a block apart, whatever the rows' order.

    Stratified: blocks are dealt to the folds in the order of size, positives and a hash that is independent of
    the judging share. Timeline: days are cut into ``folds + 1`` runs of about equal rows, each validated by what
    comes before; a training row whose block also stands in the validation run is left out.

    Args:
        share: (n,) block shares; equal shares are one block.
        y: (n,) labels.
        dates: (n,) dates; needed for the timeline.
        policy: Number and order of folds.
        seed: Deals the blocks anew.

    Returns:
        ``folds`` pairs of (training, validation) positions.

    Raises:
        EvergreenError: A fold whose training or validation rows have one class only.
    """
    fold = _timeline_runs(dates, policy) - 1 if policy.fold_order == "timeline" else _dealt(share, y, policy, seed)
    pairs: Folds = []
    for number in range(policy.folds):
        valid = np.flatnonzero(fold == number)
        if policy.fold_order == "timeline":
            train = np.flatnonzero((fold < number) & ~np.isin(share, share[valid]))
        else:
            train = np.flatnonzero(fold != number)
        if len(np.unique(y[train])) < 2 or len(np.unique(y[valid])) < 2:
            raise EvergreenError(
                f"fold {number + 1} of {policy.folds} has one class only ({int(y.sum())} positives in {len(y)} rows of "
                f"{len(np.unique(share))} blocks): bring more rows, make blocks smaller, or lower 'folds'"
            )
        pairs.append((train, valid))
    return pairs


def _dealt(share: np.ndarray, y: np.ndarray, policy: SplitParameters, seed: int) -> np.ndarray:
    distinct, block = np.unique(share, return_inverse=True)
    size = np.bincount(block)
    positives = np.bincount(block, weights=y)
    salted = (distinct * 2.0**53).astype(np.uint64) + mixed(np.array([seed], dtype=np.uint64))
    fold = np.empty(len(distinct), dtype=np.int64)
    fold[np.lexsort((mixed(salted), positives, size))] = np.arange(len(distinct)) % policy.folds
    return fold[block]


def _timeline_runs(dates: pd.Series | np.ndarray | None, policy: SplitParameters) -> np.ndarray:
    days = _days(dates)
    _, day, rows = np.unique(days, return_inverse=True, return_counts=True)
    before = np.cumsum(rows) - rows
    return (before * (policy.folds + 1) // len(days))[day]


def _never_trains(share: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Rows whose block stands on no other side, whatever the day."""
    return share < bounds.judging_share if bounds.panel else np.ones(len(share), dtype=bool)


def _kept_for_judging(days: np.ndarray, share: np.ndarray, bounds: Bounds) -> np.ndarray:
    if bounds.judging_from is None:
        return np.zeros(len(days), dtype=bool)
    return (days > _day(bounds.judging_from)) & (share < bounds.judging_share)


def _days(dates: pd.Series | np.ndarray | None) -> np.ndarray:
    """Dates, timestamps or their texts as datetime64[D], so that a row's hour never decides."""
    if dates is None:
        raise EvergreenError("these bounds have dates but the rows have none: name the date column in the table")
    return pd.to_datetime(pd.Series(dates)).to_numpy(dtype="datetime64[D]")


def _day(date: dt.date | None) -> np.datetime64:
    return np.datetime64(date, "D")
