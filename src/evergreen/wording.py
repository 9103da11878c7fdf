"""How numbers, names and missing values are put into words, on the screen and on every page."""

from __future__ import annotations

import numpy as np

NOTHING = "insufficient data"


def number_text(value: float | None, decimals: int = 3) -> str:
    """A number for reading, as .05, 1.25 or 1,234.5; missing and undefined ones read "insufficient data"."""
    if value is None or not np.isfinite(value):
        return NOTHING
    text = f"{value:.{decimals}f}" if abs(value) < 100 else f"{value:,.1f}"
    if float(text.replace(",", "")) == 0:
        return "0"
    return text.replace("0.", ".", 1) if abs(float(text.replace(",", ""))) < 1 else text


def signed_text(value: float | None, decimals: int = 3) -> str:
    """A difference for reading, with its sign: +.012, -.012, 0."""
    text = number_text(value, decimals)
    return text if text in ("0", NOTHING) or text.startswith("-") else f"+{text}"


def range_text(low: float | None, high: float | None, decimals: int = 3) -> str:
    """Both ends of an interval, or "insufficient data"."""
    if low is None or high is None or not np.isfinite([low, high]).all():
        return NOTHING
    return f"{number_text(low, decimals)} to {number_text(high, decimals)}"


def in_words(name: str) -> str:
    """A status or another name of a record, as people read it: ``insufficient_data`` reads "insufficient data"."""
    return name.replace("_", " ")


def counted(number: int, noun: str) -> str:
    """``1 column``, ``2 columns``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(names: list[str], most: int = 5) -> str:
    """Names with commas, those beyond ``most`` counted."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def shortened(text: str, length: int) -> str:
    """The text, cut where it is longer than ``length``."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def share_text(share: float | None, sign: str = "") -> str:
    """A share as a percentage, as 12.3 %; a missing one reads "insufficient data"."""
    return NOTHING if share is None or not np.isfinite(share) else f"{100 * share:{sign}.1f} %"


def percent_text(share: float, sign: str = "") -> str:
    """A share in whole percent, as 95 %."""
    return f"{100 * share:{sign}.0f} %"


def p_text(p_value: float | None) -> str:
    """A p-value for reading; a missing one reads "insufficient data"."""
    if p_value is None or not np.isfinite(p_value):
        return NOTHING
    return "< .0001" if p_value < 1e-4 else number_text(p_value, 4 if p_value < 0.1 else 2)
