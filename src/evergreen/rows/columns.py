"""New columns of a frame, whatever they are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd


def with_columns(frame: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    """A copy of the frame with some columns added or replaced; unlike ``assign`` it takes a column ``self``."""
    found = frame.copy()
    for name, values in columns.items():
        found[name] = values
    return found
