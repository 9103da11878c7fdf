"""Claims about drawn amounts: what a row stands for can be read."""

from __future__ import annotations

import re

import pytest

from evergreen.reporting.charts.bars import PointInterval, interval_picture


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("never", ["never"]),
        ("every window, unasked", ["every window,", "unasked"]),
        ("on realised loss, and refresh every 4 windows", ["on realised loss, and", "refresh every 4 windows"]),
        ("one word after the other until nobody can hold them all", ["one word after the …"]),
        ("a_column_whose_name_is_long", ["a_column_whose_name…"]),
    ],
)
def test_a_name_stands_on_two_lines_where_it_fits_on_them(name: str, lines: list[str]) -> None:
    picture = interval_picture("Cost", [PointInterval(name, 0.1, 0.0, 0.2)])
    assert re.findall('<text[^>]*class="ink"[^>]*>([^<]+)<', picture.svg) == lines
