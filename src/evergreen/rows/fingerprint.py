"""What is this content, whatever dtype, column order or row order it arrives in?"""

from __future__ import annotations

import datetime as dt
import json
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from evergreen.rows.canonical_series import canonical_texts

_DIGEST_BYTES = 16


def row_digests(frame: pd.DataFrame) -> np.ndarray:
    """A 64-bit digest of every row that doesn't depend on dtype, column order or row order.

    Args:
        frame: n rows; column names matter, their order doesn't.

    Returns:
        (n,) uint64.
    """
    total = np.zeros(len(frame), dtype=np.uint64)
    for name in sorted(frame.columns, key=str):
        salt = np.uint64(int.from_bytes(blake2b(str(name).encode(), digest_size=8).digest(), "big") | 1)
        with np.errstate(over="ignore"):
            total += mixed(_column_digests(frame[name]) ^ salt)
    return mixed(total)


def content_digest(frame: pd.DataFrame) -> str:
    """A digest of a table's content: equal for any order of rows and columns, and any equivalent dtype.

    The rows' digests are added modulo 2^64 under two independent mixings, so that order is forgotten and a
    changed, lost or doubled row is not. It detects change, not an adversary.

    Args:
        frame: The table.

    Returns:
        32 hexadecimal digits.
    """
    rows = row_digests(frame)
    with np.errstate(over="ignore"):
        sums = [int(rows.sum(dtype=np.uint64)), int(mixed(rows ^ np.uint64(0x5851F42D4C957F2D)).sum())]
    return fingerprint(sorted(map(str, frame.columns)), len(frame), sums)


def fingerprint(*parts: Any) -> str:
    """A digest of parameters.

    Args:
        *parts: Pydantic models or anything that JSON can carry; dates go as ISO text, keys are sorted.

    Returns:
        32 hexadecimal digits.

    Raises:
        TypeError: A part that has no JSON form.
    """
    text = json.dumps(parts, sort_keys=True, default=_jsonable, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def mixed(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser (Steele, Lea and Flood 2014): every input bit moves every output bit."""
    with np.errstate(over="ignore"):
        values = values + np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


def _jsonable(part: object) -> object:
    if isinstance(part, BaseModel):
        return part.model_dump(mode="json")
    if isinstance(part, dt.date):
        return part.isoformat()
    raise TypeError(f"no JSON form for {type(part).__name__}: pass plain values or pydantic models")


def _column_digests(values: pd.Series) -> np.ndarray:
    """Numbers by their float64 bits, everything else by its canonical text."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0
        numbers[np.isnan(numbers)] = np.nan
        return numbers.view(np.uint64)
    codes, texts = canonical_texts(values)
    return pd.util.hash_array(texts, categorize=False)[codes] if len(texts) else codes.astype(np.uint64)
