"""Rows of a reference and of a window as numbers that a classifier can tell apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evergreen.rows.canonical_series import as_levels, canonical_texts
from evergreen.rows.columns import with_columns

_MAX_LEVELS = 250


def encoded_together(
    reference: pd.DataFrame, window: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str]
) -> NDArray[np.float64]:
    """Numbers, and levels numbered by frequency (rare ones as missing), shape (rows, features).

    The reference's rows come first, then the window's; a category has one number whatever it was read as.

    Args:
        reference: Sample of reference rows.
        window: Sample of window rows.
        numeric: Numeric features, which come first.
        categorical: Categorical features.
    """
    named = {name: as_levels(window[name], canonical_texts(reference[name])[1]) for name in categorical}
    frame = pd.concat([reference, with_columns(window, named)], ignore_index=True)
    columns = [frame[name].to_numpy(np.float64, na_value=np.nan) for name in numeric]
    for name in categorical:
        text = frame[name].astype("str").where(frame[name].notna())
        levels = text.value_counts().index[:_MAX_LEVELS]
        codes = pd.Categorical(text, categories=levels).codes.astype(float)
        columns.append(np.where(codes < 0, np.nan, codes))
    return np.column_stack(columns)
