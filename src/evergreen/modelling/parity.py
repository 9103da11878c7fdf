"""Does the compiled form answer as scikit-learn does? On rows drawn where a difference would show."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from evergreen.errors import EvergreenError
from evergreen.modelling.compiled import Compiled, split_points
from evergreen.modelling.predictor import LARGEST, Predictor, TreeKernel
from evergreen.rows import canonical

TOLERANCE = 1e-12
ROWS = 2000
_MISSING_SHARE = 0.05
_ALONE = 200
"""So many of the rows are also asked for one by one."""


def draw_rows(
    compiled: Compiled, quantiles: Mapping[str, np.ndarray], levels: Mapping[str, list[str]], rows: int = ROWS
) -> pd.DataFrame:
    """Rows with known, unseen, missing and extreme values, and numbers on split points and one ulp beside them.

    Args:
        compiled: The compiled pipeline, whose split points count.
        quantiles: Values that a numeric feature had in training, by feature.
        levels: Values that a categorical feature had, by feature.
        rows: How many.
    """
    random = np.random.default_rng(0)
    splits = split_points(compiled)
    drawn: dict[str, np.ndarray] = {}
    for name in compiled.plan["numeric"]:
        seen = np.asarray(quantiles.get(name, []), np.float64)
        seen = seen[np.isfinite(seen) & (np.abs(seen) <= LARGEST)]
        low, high = (seen.min(), seen.max()) if len(seen) else (-1.0, 1.0)
        points = splits.get(name, np.empty(0))
        points = points[np.isfinite(points) & (np.abs(points) < LARGEST)]
        beside = [points, np.nextafter(points, -np.inf), np.nextafter(points, np.inf)]
        extremes = [np.array([0.0, -0.0, 1e-300, 1e30, -1e30, LARGEST, -LARGEST])]
        pools = [pool for pool in (seen, random.uniform(low, high, 500), *beside, *extremes) if len(pool)]
        drawn[name] = _pick(random, pools, rows, np.nan)
    for name in compiled.plan["categorical"]:
        spelt = ["never seen before", "true", "No", "1.0", "2026-01-31 00:00:00", "", True, 1.0, 7]
        known = np.array([*levels.get(name, []), *spelt], dtype=object)
        drawn[name] = _pick(random, [known], rows, None)
    return pd.DataFrame(drawn)


def _pick(random: np.random.Generator, pools: list[np.ndarray], rows: int, missing: object) -> np.ndarray:
    """Each pool as likely as any other, whatever its size."""
    pool = random.integers(len(pools), size=rows)
    values = np.array([pools[p][random.integers(len(pools[p]))] for p in pool], dtype=pools[0].dtype)
    values[random.random(rows) < _MISSING_SHARE] = missing
    return values


def prove_parity(pipeline: Pipeline, compiled: Compiled, rows: pd.DataFrame, trees: TreeKernel | None = None) -> float:
    """Compare both forms on every row together, and on some rows one by one.

    Returns:
        The greatest difference found.

    Raises:
        EvergreenError: Where it exceeds 1e-12.
    """
    predictor = Predictor(compiled.plan, compiled.arrays, canonical, trees)
    plain = rows.astype(object).where(rows.notna(), None)[predictor.features]
    with np.errstate(all="ignore"):  # values at the end of the range overflow on the way, on both sides
        expected = pipeline.predict_proba(rows)[:, 1]
        together = predictor.probabilities({name: plain[name].tolist() for name in predictor.features}, len(rows))
        alone = [predictor.probability(row) for row in plain.iloc[:_ALONE].itertuples(index=False)]
    worst = max(np.abs(together - expected).max(), np.abs(np.array(alone) - expected[:_ALONE]).max())
    if not worst <= TOLERANCE:
        raise EvergreenError(
            f"the compiled predictor differs from scikit-learn by {worst:.3g} (allowed: {TOLERANCE}): "
            "a library computes differently from what the plan assumes; the version is not served."
        )
    return float(worst)
