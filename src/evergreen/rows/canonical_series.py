"""What do the values of a pandas column mean? The canonical texts of ``canonical``, column by column."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from evergreen.rows.canonical import Levels, canonical_text

SEPARATOR = "\x1f"
_NARROW_FLOATS = (np.dtype("float16"), np.dtype("float32"))
"""Their digits are fewer than those of the Python float that ``tolist`` would make of them."""


def canonical_texts(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Each distinct value as its canonical text.

    Args:
        values: n values of any dtype.

    Returns:
        Codes (n,) into the texts, and the distinct texts (d,) of dtype object; a missing value is the empty text.
    """
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu":
        return codes, np.array(list(map(str, distinct.tolist())), dtype=object)
    narrow = getattr(values.dtype, "numpy_dtype", values.dtype) in _NARROW_FLOATS
    items = pd.Series(distinct).to_numpy(np.float32, na_value=np.nan) if narrow else distinct.tolist()
    texts = np.array([canonical_text(value) for value in items], dtype=object)
    merged, text_list = pd.factorize(texts)
    return merged[codes], np.asarray(text_list, dtype=object)


def as_levels(values: pd.Series, levels: Iterable[str]) -> pd.Series:
    """The values as canonical texts, those that stand for a known level under its name; missing ones stay missing.

    Args:
        values: n values of any dtype.
        levels: The column's known values, see :class:`evergreen.rows.canonical.Levels`.
    """
    known = Levels(levels)
    codes, texts = canonical_texts(values)
    named = np.array([known.match(text) for text in texts], dtype=object)
    found = named[codes] if len(texts) else np.empty(0, dtype=object)
    return pd.Series(found, index=values.index, name=values.name, dtype="str").where(values.notna())


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
        own, own_texts = canonical_texts(keys[column])
        codes, pairs = pd.factorize(codes * len(own_texts) + own)
        left, right = np.divmod(pairs, max(len(own_texts), 1))
        joined = own_texts[right]
        texts = joined if position == 0 else texts[left] + SEPARATOR + joined
    return codes, list(texts)
