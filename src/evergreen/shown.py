"""How does a record look in a notebook? A table of its fields in words, what they hold folded below them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from evergreen.wording import counted, in_words

if TYPE_CHECKING:
    from pydantic import BaseModel

MOST_ENTRIES = 50
_HEAD = ("use_case", "as_of", "status")


def html_of(record: BaseModel) -> str:
    """A record as HTML: what it is about, then a row a field."""
    found = {name: getattr(record, name) for name in type(record).model_fields}
    about = [in_words(str(found.pop(name))) for name in _HEAD if name in found]
    title = escape(" · ".join([type(record).__name__, *about]))
    return f"<div><strong>{title}</strong>{_table(found)}</div>"


def framed(page: str) -> str:
    """A whole page in a frame of its own, so that its style stays its own."""
    return (
        f'<div><iframe srcdoc="{escape(page)}" sandbox="allow-scripts" width="100%" height="800" '
        'style="border:1px solid #ccc"></iframe></div>'
    )


def _table(found: Mapping[str, Any]) -> str:
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(in_words(str(name)))}</th>'
        f'<td style="text-align:left">{_value(value)}</td></tr>'
        for name, value in list(found.items())[:MOST_ENTRIES]
    )
    left = len(found) - MOST_ENTRIES
    return f"<table>{rows}</table>" + (f"<p>… and {left:,} more</p>" if left > 0 else "")


def _value(value: Any) -> str:
    fields = getattr(type(value), "model_fields", None)
    if fields is not None:
        return _folded(type(value).__name__, {name: getattr(value, name) for name in fields})
    if isinstance(value, Mapping):
        return _folded(counted(len(value), "item"), value) if value else "–"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if all(isinstance(each, str | int | float | dt.date) for each in value):
            return ", ".join(map(_value, value[:MOST_ENTRIES])) or "–"
        return _folded(counted(len(value), "item"), {str(number): each for number, each in enumerate(value, start=1)})
    if value is None:
        return "–"
    if isinstance(value, float):
        return re.sub(r"^(-?)0\.", r"\1.", f"{value:.4g}")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return escape(str(value))


def _folded(summary: str, found: Mapping[str, Any]) -> str:
    return f"<details><summary>{escape(summary)}</summary>{_table(found)}</details>"
