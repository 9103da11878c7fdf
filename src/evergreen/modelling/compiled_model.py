"""A compiled model as a function of a DataFrame, which can be sent to other processes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evergreen.modelling.compiled import Compiled
from evergreen.modelling.kernels import tree_kernel
from evergreen.modelling.predictor import Predictor
from evergreen.rows import canonical
from evergreen.schema import TableSpec


class CompiledModel:
    """Features (n, p) → probability of class 1, shape (n,), by the plain arrays alone.

    It is pickled as these arrays; each process makes the predictor at its first call.

    Args:
        compiled: The model's plain form.
        spec: The features as they were in training.
    """

    def __init__(self, compiled: Compiled, spec: TableSpec) -> None:
        self.compiled, self.spec = compiled, spec
        self._predictor: Predictor | None = None

    def __call__(self, rows: pd.DataFrame) -> np.ndarray:
        """See :class:`CompiledModel`."""
        if self._predictor is None:
            self._predictor = _predictor(self.compiled)
        rows = as_trained(rows[self.spec.features], self.spec)
        columns: dict[str, Any] = {name: rows[name].to_numpy(np.float64) for name in self._predictor.numeric}
        for name in (other for other in self._predictor.features if other not in columns):
            columns[name] = rows[name].astype(object).where(rows[name].notna(), None).to_numpy()
        return self._predictor.probabilities(columns, len(rows))

    def __getstate__(self) -> dict[str, Any]:
        """The arrays; machine code stays where it is."""
        return {**self.__dict__, "_predictor": None}


def as_trained(rows: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """Rows whose numeric features are numbers, also where the table has them as categories by now."""
    texts = [name for name in spec.numeric if not pd.api.types.is_numeric_dtype(rows[name])]
    return rows.assign(**{name: pd.to_numeric(rows[name], errors="coerce") for name in texts}) if texts else rows


def _predictor(compiled: Compiled) -> Predictor:
    trees = tree_kernel(compiled.plan)
    arrays = {name: np.ascontiguousarray(array) for name, array in compiled.arrays.items()}
    return Predictor(compiled.plan, arrays, canonical, trees)
