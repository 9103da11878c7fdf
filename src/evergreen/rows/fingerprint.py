"""What is this content, whatever dtype, column order or row order it arrives in?"""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections.abc import Hashable
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

_DIGEST_BYTES = 16
_SEPARATOR = "\x1f"


def canonical_text(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Each distinct value as the text that every engine and file format agrees on.

    ``7``, ``7.0``, ``Decimal(7)`` and ``"7"`` are one value; so are a date, the timestamp of its midnight
    and its ISO text; ``True`` is ``1``; a missing value is the empty text.

    Args:
        values: n values of any dtype.

    Returns:
        Codes (n,) into the texts, and the distinct texts (d,) of dtype object.
    """
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu":
        return codes, np.array(list(map(str, distinct.tolist())), dtype=object)
    texts = np.array([_text(value) for value in distinct.tolist()], dtype=object)
    merged, text_list = pd.factorize(texts)
    return merged[codes], np.asarray(text_list, dtype=object)


def canonical_scalar(value: Hashable) -> str:
    """One value as its canonical text; see :func:`canonical_text`."""
    return _text(value)


def key_texts(keys: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """The distinct composite keys of a table as canonical texts.

    Args:
        keys: n rows of key columns.

    Returns:
        Codes (n,) into the keys, and the d distinct keys, their columns joined by a separator.
    """
    codes = np.zeros(len(keys), dtype=np.int64)
    texts: np.ndarray = np.array([""], dtype=object)
    for position, column in enumerate(keys.columns):
        own, own_texts = canonical_text(keys[column])
        codes, pairs = pd.factorize(codes * len(own_texts) + own)
        left, right = np.divmod(pairs, max(len(own_texts), 1))
        joined = own_texts[right]
        texts = joined if position == 0 else texts[left] + _SEPARATOR + joined
    return codes, list(texts)


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


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return ""
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating | decimal.Decimal):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(dt.UTC).replace(tzinfo=None)
        text = value.isoformat(sep=" ")
        return text.removesuffix(" 00:00:00")
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _column_digests(values: pd.Series) -> np.ndarray:
    """Numbers by their float64 bits, everything else by its canonical text."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0
        numbers[np.isnan(numbers)] = np.nan
        return numbers.view(np.uint64)
    codes, texts = canonical_text(values)
    return pd.util.hash_array(texts, categorize=False)[codes] if len(texts) else codes.astype(np.uint64)
