"""What does a value mean? The one text in which a category, a date or a key is compared, encoded and shown.

This module has the scalar form and imports neither pandas nor Ibis, so that a worker of the service can use it;
``canonical_series`` has the same for pandas, ``canonical_column`` for Ibis.

1, 1.0, ``Decimal("1.00")``, True and the text "1" are one value; so are a date, the timestamp of its midnight and its
ISO text. Two texts that differ are two values: "01" and "1" are, and "1.0" and "1" are where both occur. Whether a
text is another spelling of a value can only be said of a column whose values are known: see :class:`Levels`.
"""

from __future__ import annotations

import datetime as dt
import decimal
import re
from collections.abc import Iterable
from typing import Any

MISSING = ""
LARGEST_WHOLE_FLOAT = 1e38
"""Whole floats below it are written digit by digit, as engines can (their decimals have 38 digits)."""

TRUTH = (("1", "true", "yes", "y", "t"), ("0", "false", "no", "n", "f"))
"""How yes and no are written: an engine reads Yes and No of a file as booleans, another as text."""

_TRUTH_OF = {form: forms[0] for forms in TRUTH for form in forms}
_WORDS = {"true", "yes", "false", "no"}
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]00:00(:00(\.0+)?)?")
_REMEMBERED, _REMEMBERED_LENGTH = 1000, 100
"""So many spellings that are no level, of at most so many letters, are looked up once."""
_NULL_TYPES = {"NoneType", "NAType", "NaTType"}


def canonical_text(value: Any) -> str:
    """One value as the text that every engine and file format agrees on.

    Args:
        value: A text, number, truth value, date or timestamp (a zoned one is read in UTC), of Python, numpy or pandas.

    Returns:
        The text; a missing value is the empty text.

    Example:
        >>> canonical_text(7.0), canonical_text("07"), canonical_text(True), canonical_text(None)
        ('7', '07', '1', '')
    """
    if isinstance(value, str):
        return str(value)
    if type(value).__name__ in _NULL_TYPES or value != value:
        return MISSING
    if type(value).__name__ == "datetime64":
        value = value.astype("datetime64[us]").item()
    if isinstance(value, dt.datetime):
        return _timestamp_text(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return _decimal_text(value)
    if hasattr(value, "__index__"):
        return str(int(value))
    return _float_text(value) if hasattr(value, "__float__") else _item_text(value)


def truth_of(text: str) -> str:
    """``1`` or ``0`` for a text that says yes or no, any other text as it is."""
    return _TRUTH_OF.get(text.casefold(), text)


def is_same(text: str, wanted: Any) -> bool:
    """Whether a text is a spelling of a value that somebody named: Yes of true, 1.0 of 1."""
    named = canonical_text(wanted)
    return text == named or truth_of(text) == truth_of(named) or _form(text) == _form(named)


class Levels:
    """The values that a column is known to hold, and which of them another text stands for.

    A version remembers the levels that it learnt. A file that is read later may hold the same values in another
    spelling: 1.0 where a null has made floats of whole numbers, true where a reader takes Yes for a truth value, a
    midnight for a date. Such a text stands for the level, unless it is a level itself or two levels could be meant.

    Args:
        levels: The column's known values as canonical texts.

    Example:
        >>> levels = Levels(["Yes", "No"])
        >>> levels.match("true"), levels.match("Unknown"), Levels(["1", "2"]).match("2.0")
        ('Yes', 'Unknown', '2')
    """

    def __init__(self, levels: Iterable[str]) -> None:
        self._levels = frozenset(levels)
        known = [level for level in self._levels if level != MISSING]
        self._forms = _unambiguous((_form(level), level) for level in known)
        self._truths = _truths(known)
        self._matched: dict[str, str] = {}

    def match(self, text: str) -> str:
        """The level that a text stands for; the text itself where it is a level or stands for none."""
        if text in self._levels:
            return text
        found = self._matched.get(text)
        if found is None:
            found = self._forms.get(_form(text)) or self._truths.get(truth_of(text), text)
            if len(self._matched) < _REMEMBERED and len(text) <= _REMEMBERED_LENGTH:
                self._matched[text] = found
        return found

    def spellings(self) -> dict[str, list[str]]:
        """For each level the further texts that stand for it, as far as they can be listed for an engine."""
        listed: dict[str, list[str]] = {}
        for level in self._levels:
            found = [text for text in _further_spellings(level, self._truths) if self.match(text) == level != text]
            if found:
                listed[level] = sorted(found)
        return listed


def _further_spellings(level: str, truths: dict[str, str]) -> Iterable[str]:
    form = _form(level)
    if _NUMBER.fullmatch(form) and "." not in form:
        yield from (form, f"{form}.0")
    elif _MIDNIGHT.fullmatch(f"{form} 00:00"):
        yield from (form, f"{form} 00:00:00", f"{form}T00:00:00")
    for truth, known in truths.items():
        if known == level:
            forms = next(forms for forms in TRUTH if truth in forms)
            yield from {spelt for word in forms for spelt in (word, word.upper(), word.title())}


def _truths(levels: list[str]) -> dict[str, str]:
    """Truth → the level that says so, of a column that is known to hold truth values."""
    only_truths = len(levels) == len(TRUTH)
    saying = [level for level in levels if level.casefold() in (_TRUTH_OF if only_truths else _WORDS)]
    truths = {truth_of(level): level for level in saying}
    return truths if len(saying) == len(truths) == len(TRUTH) else {}


def _unambiguous(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for form, level in pairs:
        found.setdefault(form, []).append(level)
    return {form: levels[0] for form, levels in found.items() if len(levels) == 1}


def _form(text: str) -> str:
    """A text without what may be written or left out: decimals that are zero, a midnight."""
    if (midnight := _MIDNIGHT.fullmatch(text)) is not None:
        return midnight[1]
    return text.rstrip("0").rstrip(".") if "." in text and _NUMBER.fullmatch(text) else text


def _float_text(value: Any) -> str:
    number = float(value)
    if number.is_integer() and abs(number) < LARGEST_WHOLE_FLOAT:
        return str(int(number))
    return repr(number) if isinstance(value, float) else str(value)  # a narrower float has fewer digits of its own


def _decimal_text(value: decimal.Decimal) -> str:
    if value == value.to_integral_value():
        return str(int(value))
    short = repr(float(value))
    return short if decimal.Decimal(short) == value else format(value, "f").rstrip("0")


def _timestamp_text(value: dt.datetime) -> str:
    if value.tzinfo is not None:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    return value.isoformat(sep=" ").removesuffix(" 00:00:00")


def _item_text(value: Any) -> str:
    """A scalar of pyarrow by what it holds, anything else as it prints itself."""
    return canonical_text(value.as_py()) if hasattr(value, "as_py") else str(value)
