"""What does the service answer with a version? Its plain form where it has one, scikit-learn's where not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from evergreen.modelling.compiled import NotCompilableError, compile_pipeline
from evergreen.modelling.predictor import Predictor
from evergreen.registry.versions import ModelVersion
from evergreen.rows import canonical


def exact_probabilities(version: ModelVersion) -> Callable[[pd.DataFrame], np.ndarray]:
    """Features (n, p) → probability of class 1, shape (n,), by the arrays that a worker answers with."""
    try:
        compiled = compile_pipeline(version.pipeline)
    except NotCompilableError:
        return version.probabilities
    trees = None
    if compiled.plan["model"]["kind"] == "trees":
        from evergreen.modelling.tree_kernels import NumbaTrees  # numba is needed for trees alone

        trees = NumbaTrees()
    arrays = {name: np.ascontiguousarray(array) for name, array in compiled.arrays.items()}
    predictor = Predictor(compiled.plan, arrays, canonical, trees)

    def probabilities(rows: pd.DataFrame) -> np.ndarray:
        columns: dict[str, Any] = {name: rows[name].to_numpy(np.float64) for name in predictor.numeric}
        for name in (other for other in predictor.features if other not in columns):
            columns[name] = rows[name].astype(object).where(rows[name].notna(), None).to_numpy()
        return predictor.probabilities(columns, len(rows))

    return probabilities
