"""The estimate of one window: which rows of the reference it rests on, and how they weigh."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evergreen.monitoring.density_ratio import DensityRatio, density_ratio
from evergreen.monitoring.drift.multivariate import comparable_features
from evergreen.monitoring.estimated import EstimatedPerformance, estimate_performance
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.reference import BLOCK_SHARE, PROBABILITY, Reference
from evergreen.rows.splits import block_codes


def estimate_window(
    reference: Reference,
    known: pd.DataFrame,
    rows: pd.DataFrame,
    probability: NDArray[np.float64],
    off: Collection[str],
    parameters: MonitoringParameters,
) -> EstimatedPerformance:
    """Estimate a window's metrics by the method that the parameters name, as far as the version's rows allow it.

    Args:
        reference: The champion's memory.
        known: Its scores of rows that it has not learnt from, with labels.
        rows: The window's rows, with features.
        probability: Their scores, shape (rows,).
        off: Features that take no part.
        parameters: The rules.
    """
    ratio = None
    if parameters.estimate == "pape" and reference.unseen is not None and len(known):
        ratio = _ratio(reference, reference.unseen, known, rows, off)
    if ratio is not None and ratio.learner != "none":
        assert reference.unseen is not None
        known = known.loc[reference.unseen.index]
    elif ratio is not None:
        ratio = DensityRatio(np.ones((1, len(known))), "none", float(len(known)))
    return estimate_performance(
        known[PROBABILITY],
        known["label"],
        probability,
        threshold=reference.threshold,
        ratio=ratio,
        blocks=block_codes(known[BLOCK_SHARE].to_numpy()) if BLOCK_SHARE in known and len(known) else None,
    )


def _ratio(
    reference: Reference, unseen: pd.DataFrame, known: pd.DataFrame, rows: pd.DataFrame, off: Collection[str]
) -> DensityRatio | None:
    compared = comparable_features(reference.profile, [name for name in reference.spec.features if name not in off])
    return density_ratio(
        unseen,
        rows,
        numeric=[name for name in reference.spec.numeric if name in compared],
        categorical=[name for name in reference.spec.categorical if name in compared],
        blocks=block_codes(known.loc[unseen.index, BLOCK_SHARE].to_numpy()),
    )
