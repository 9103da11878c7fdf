"""Rows on the screen: JSON for programs, an aligned table of at most 120 columns for people."""

from __future__ import annotations

import datetime as dt
import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import click

WIDTH = 120
GAP = 2
NARROWEST = 8
NOTHING = "–"

Row = Mapping[str, Any]


def print_json(content: Any) -> None:
    """Print what a program reads: dates as ISO text, missing numbers as null."""
    click.echo(json.dumps(_plain(content), indent=2, ensure_ascii=False, default=str))


def print_rows(rows: Sequence[Row], as_json: bool) -> None:
    """Print rows, all with the same keys, as JSON or as a table."""
    if as_json:
        print_json(rows)
    else:
        click.echo(table(rows) if rows else "nothing yet")


def table(rows: Sequence[Row], width: int = WIDTH) -> str:
    """Align rows under their keys; the widest columns are wrapped until a line fits.

    Args:
        rows: At least one, all with the same keys.
        width: Most characters in a line.
    """
    lines = [list(rows[0]), *([cell(value) for value in row.values()] for row in rows)]
    widths = _fit([max(map(len, column)) for column in zip(*lines, strict=True)], width)
    return "\n".join(text for line in lines for text in _wrapped(line, widths))


def cell(value: Any, digits: int = 4) -> str:
    """One value in words: numbers with so many decimals, times to the second, a dash for nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOTHING
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {cell(found)}" for key, found in value.items()) or NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value)) or NOTHING
    return str(value)


def _fit(widths: list[int], width: int) -> list[int]:
    widths = widths.copy()
    while sum(widths) + GAP * (len(widths) - 1) > width and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _wrapped(line: list[str], widths: list[int]) -> list[str]:
    columns = [textwrap.wrap(text, width) or [""] for text, width in zip(line, widths, strict=True)]
    height = max(map(len, columns))
    padded = [column + [""] * (height - len(column)) for column in columns]
    return [
        (" " * GAP).join(text.ljust(width) for text, width in zip(part, widths, strict=True)).rstrip()
        for part in zip(*padded, strict=True)
    ]


def _plain(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content.isoformat() if isinstance(content, dt.date) else content
