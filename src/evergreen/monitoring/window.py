"""One window held against what a model was trained and tested on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from evergreen.features.typed import as_declared
from evergreen.monitoring.drift.compare import VALUES_WEIGHT
from evergreen.monitoring.drift.multivariate import MultivariateDrift, classifier_two_sample_test, comparable_features
from evergreen.monitoring.drift.report import SIDE_SHARE, ColumnDrift, DriftReport
from evergreen.monitoring.estimate_window import estimate_window
from evergreen.monitoring.estimated import EstimatedPerformance
from evergreen.monitoring.feature_drift import compare_features
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.performance import (
    PerformanceReport,
    PositiveRateShift,
    measure_performance,
    positive_rate_shift,
)
from evergreen.monitoring.profiles.build import build_profile
from evergreen.monitoring.profiles.profile import Profile, merge
from evergreen.monitoring.quality import QualityReport, check_quality, count_duplicates
from evergreen.monitoring.reference import BLOCK_SHARE, PROBABILITY, Reference
from evergreen.monitoring.score_drift import pooled_score_drift, profile_by_hours, score_drift
from evergreen.rows.spans import first_of
from evergreen.rows.splits import block_codes, block_share, unseen_mask
from evergreen.rows.windows import between_dates, fetch_rows, rows_up_to, sample_blocks
from evergreen.schema import TableSpec

Predict = Callable[[pd.DataFrame], np.ndarray]


@dataclass(frozen=True)
class Window:
    """What is looked at of the rows of a window.

    Attributes:
        as_of: The date that the run pretends is today.
        start: First day, or minute of a window of hours; None without dates.
        end: Last day or minute.
        profile: Summary of the features, over all rows.
        pair: The same of this window and the one before it together; None without dates or without earlier rows.
        duplicates: Rows that repeat another row's key.
        rows: Rows in memory: all of the window, or a sample of whole blocks.
        share: Their blocks as numbers in [0, 1).
        probability: Their scores.
        comparable: Scores made as the reference's were; None: ``probability`` are.
        outcomes: Labels, scores and block shares of mature rows that the model has not seen; None without any.
        four: The same of this window and the three before it; None likewise.
        outcomes_end: Last day or minute that outcomes are known of; None: the window's own.
        earlier: Counts of windows of hours before this one, where few were kept; None: they are not needed.
        earlier_scores: Counts of the scores in windows of hours before this one; None: of days, or without scores.
        recent_scores: Scores of the window of hours before this one, and of the three before; empty likewise.
    """

    as_of: dt.date
    start: dt.date | None
    end: dt.date
    profile: Profile
    duplicates: int
    rows: pd.DataFrame
    share: np.ndarray
    probability: np.ndarray
    outcomes: pd.DataFrame | None
    pair: Profile | None = None
    four: Profile | None = None
    outcomes_end: dt.date | None = None
    earlier: pd.DataFrame | None = None
    earlier_scores: pd.DataFrame | None = None
    recent_scores: tuple[np.ndarray, ...] = ()
    comparable: np.ndarray | None = None

    @property
    def scores(self) -> np.ndarray:
        """The scores that may be held against the reference's, shape (rows,)."""
        return self.probability if self.comparable is None else self.comparable


@dataclass(frozen=True)
class Findings:
    """What the single tests say of a window; ``pair``, ``four``, ``pooled_scores``: of two and four taken as one."""

    drift: DriftReport
    scores: ColumnDrift
    positive_rate: PositiveRateShift
    multivariate: MultivariateDrift | None
    performance: PerformanceReport | None
    estimate: EstimatedPerformance
    quality: QualityReport
    pair: DriftReport | None = None
    four: DriftReport | None = None
    pooled_scores: tuple[ColumnDrift, ...] = ()


def look_at_window(
    table: ir.Table,
    reference: Reference,
    predict: Predict,
    end: dt.date,
    label_delay_days: int,
    parameters: MonitoringParameters,
) -> Window:
    """Profile the window where its data lies, and score a bounded number of its rows.

    Args:
        table: The newest feature table.
        reference: The champion's memory.
        predict: Features → probability of class 1.
        end: The last day of the window, or its last minute where it is one of hours.
        label_delay_days: Days until an outcome is known.
        parameters: Lengths and limits.

    Raises:
        EvergreenError: Where the window is empty.
    """
    spec, length = reference.spec, parameters.length
    table = as_declared(table, spec)
    rows = rows_up_to(table, spec, end, length)
    there = [name for name in rows.columns if name in {*spec.features, spec.date, *reference.profile.groups}]
    fetched = fetch_rows(with_nulls(rows, spec), spec, max_rows=parameters.max_rows)
    profile = build_profile(rows.select(there), reference.profile, date=spec.date)
    pair = _with_before(profile, table.select(there), reference, end - length, length)
    four = _with_before(pair, table.select(there), reference, end - 2 * length, 2 * length)
    share = block_share(fetched[spec.block_columns])
    return Window(
        as_of=end.date() if isinstance(end, dt.datetime) else end,
        start=None if spec.date is None else first_of(end, length),
        end=end,
        profile=profile,
        pair=pair,
        four=four,
        duplicates=count_duplicates(rows, spec.key),
        rows=fetched,
        share=share,
        probability=predict(fetched[spec.features]),
        comparable=reference.folds(fetched[spec.features], share) if reference.folds else None,
        outcomes=_mature_outcomes(table, reference, predict, end, label_delay_days, parameters),
        outcomes_end=None if spec.date is None else end - dt.timedelta(days=label_delay_days),
    )


def _with_before(
    profile: Profile | None, table: ir.Table, reference: Reference, end: dt.date, length: dt.timedelta
) -> Profile | None:
    """The profile and that of the window up to ``end`` before it, added up."""
    spec = reference.spec
    if spec.date is None or profile is None:
        return None
    rows = between_dates(table, spec, first_of(end, length), end)
    before = build_profile(rows, reference.profile, date=spec.date)
    return merge(before, profile) if before.rows else None


def with_nulls(rows: ir.Table, spec: TableSpec) -> ir.Table:
    """The table with a null column for every feature that it lacks: a report names the lack and goes on."""
    lacking = {name: ibis.null("float64") for name in spec.numeric if name not in rows.columns}
    lacking |= {name: ibis.null("string") for name in spec.categorical if name not in rows.columns}
    return rows.mutate(*(value.name(name) for name, value in lacking.items())) if lacking else rows


def _mature_outcomes(
    table: ir.Table,
    reference: Reference,
    predict: Predict,
    end: dt.date,
    label_delay_days: int,
    parameters: MonitoringParameters,
) -> pd.DataFrame | None:
    """The newest window whose outcomes are known, without rows that the model was trained on."""
    spec = reference.spec
    if spec.target not in table.columns:
        return None
    end = end - dt.timedelta(days=label_delay_days)
    known = between_dates(table, spec, first_of(end, parameters.length), end).filter(table[spec.target].notnull())  # noqa: PD004 - an Ibis column
    rows = fetch_rows(sample_blocks(with_nulls(known, spec), spec, parameters.max_rows), spec)
    share = block_share(rows[spec.block_columns])
    unseen = unseen_mask(rows[spec.date].dt.normalize() if spec.date else None, share, reference.bounds)
    rows, share = rows[unseen], share[unseen]
    if rows.empty:
        return None
    return pd.DataFrame(
        {
            "label": reference.label.apply(rows[spec.target]),
            PROBABILITY: predict(rows[spec.features]),
            BLOCK_SHARE: share,
        }
    )


def judge_window(
    reference: Reference, window: Window, parameters: MonitoringParameters, counts: pd.DataFrame | None = None
) -> Findings:
    """Run every test of the window against the champion's memory.

    Args:
        reference: The champion's memory.
        window: What is looked at.
        parameters: The rules.
        counts: Counts of past windows, of whatever champions; None: there are none.
    """
    spec, known = reference.spec, _known_scores(reference)
    held = _scores_held_against(reference, window, parameters)
    compared = replace(reference, scores=None) if held is None else reference
    off = tuple(dict.fromkeys([*parameters.drift.off, *(name for name in spec.features if not spec.drifts(name))]))
    policy = parameters.drift.model_copy(update={"off": off})
    scores = score_drift(reference, window.scores, policy, held)
    pooled = pooled_score_drift(reference, window.scores, window.recent_scores, policy, held)
    drift, pair, four = compare_features(
        reference, (window.profile, window.pair, window.four), window.start, policy, parameters.length, counts
    )
    return Findings(
        drift=drift,
        scores=scores,
        positive_rate=positive_rate_shift(
            _known_scores(compared)[PROBABILITY] >= reference.threshold,
            window.scores >= reference.threshold,
            limit=parameters.max_positive_rate_change,
            ci=1 - policy.q * SIDE_SHARE * (1 - VALUES_WEIGHT),
            design_effect=scores.design_effect,
            windows=scores.design_windows,
        ),
        multivariate=_multivariate(reference, window, off, parameters),
        performance=_performance(reference, window, parameters),
        estimate=estimate_window(reference, known, window.rows, window.scores, off, parameters),
        quality=check_quality(
            reference.profile,
            window.profile,
            parameters.quality,
            as_of=window.as_of if spec.date else None,
            duplicates=window.duplicates,
            off=off,
        ),
        pair=pair,
        four=four,
        pooled_scores=pooled,
    )


def _scores_held_against(reference: Reference, window: Window, parameters: MonitoringParameters) -> Profile | None:
    if not isinstance(window.start, dt.datetime):
        return reference.score_profile
    rows = len(window.scores)
    return profile_by_hours(reference, window.earlier_scores, window.start, parameters.length, rows)


def _known_scores(reference: Reference) -> pd.DataFrame:
    return pd.DataFrame({PROBABILITY: [], "label": []}) if reference.scores is None else reference.scores


def _performance(reference: Reference, window: Window, parameters: MonitoringParameters) -> PerformanceReport | None:
    if window.outcomes is None:
        return None
    return measure_performance(
        window.outcomes["label"],
        window.outcomes[PROBABILITY],
        reference.metrics,
        threshold=reference.threshold,
        policy=parameters.performance,
        blocks=block_codes(window.outcomes[BLOCK_SHARE].to_numpy()),
    )


def _multivariate(
    reference: Reference, window: Window, off: tuple[str, ...], parameters: MonitoringParameters
) -> MultivariateDrift | None:
    if reference.sample is None:
        return None
    spec = reference.spec
    watched = [name for name in spec.features if name not in off]
    compared = comparable_features(reference.profile, watched)
    keep = np.argsort(window.share, kind="stable")[: parameters.sample_rows]  # whole blocks, by their stable hash
    found = classifier_two_sample_test(
        reference.sample,
        window.rows.iloc[keep],
        numeric=[name for name in spec.numeric if name in compared],
        categorical=[name for name in spec.categorical if name in compared],
        reference_blocks=block_codes(reference.sample[BLOCK_SHARE].to_numpy()),
        window_blocks=block_codes(window.share[keep]),
        q=parameters.drift.q * SIDE_SHARE,
    )
    return found.model_copy(update={"left_out": tuple(name for name in watched if name not in compared)})
