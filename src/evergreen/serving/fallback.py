"""A version without a plain form: scikit-learn answers in the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evergreen.registry.artefacts import MODEL_FILE, load_model
from evergreen.rows.columns import with_columns

One = Callable[[Sequence[Any]], float]
Many = Callable[[Mapping[str, Any], int], np.ndarray]


def load_fallback(folder: Path, numeric: list[str], categorical: list[str]) -> tuple[One, Many]:
    """The stored pipeline as a predictor of one row and of many."""
    pipeline = load_model(folder / MODEL_FILE)

    def many(columns: Mapping[str, Any], rows: int) -> np.ndarray:
        table = pd.DataFrame({name: np.array(columns[name], np.float64) for name in numeric}, index=range(rows))
        table = with_columns(table, {name: pd.Series(list(columns[name]), dtype=object) for name in categorical})
        return np.asarray(pipeline.predict_proba(table)[:, 1])

    def one(values: Sequence[Any]) -> float:
        return float(many({name: [value] for name, value in zip([*numeric, *categorical], values, strict=False)}, 1)[0])

    return one, many
