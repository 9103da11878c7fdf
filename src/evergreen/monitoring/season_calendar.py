"""Seasons and special days that people know of."""

from __future__ import annotations

import datetime as dt
import re

from pydantic import model_validator

from evergreen.records import Frozen

_EACH_YEAR = re.compile(r"(\d\d)-(\d\d)$")


class KnownSeason(Frozen):
    """A time that is unlike others.

    Attributes:
        name: What people call it.
        first: First day, ``MM-DD`` for each year or ``yyyy-mm-dd`` for one.
        last: Last day, written like ``first``.
    """

    name: str
    first: str
    last: str

    @model_validator(mode="after")
    def _are_days(self) -> KnownSeason:
        for day in (self.first, self.last):
            try:
                _day(day, 2024)
            except ValueError as error:
                raise ValueError(
                    f"season {self.name}: found {day!r}, allowed are days written MM-DD (each year) or yyyy-mm-dd"
                ) from error
        return self

    def holds(self, first: dt.date, last: dt.date) -> bool:
        """Whether any of these days lies in the season; one that is given by year knows that year alone."""
        years = range(first.year - 1, last.year + 1)
        return any(begin <= last and first <= end for begin, end in map(self._in, years))

    def _in(self, year: int) -> tuple[dt.date, dt.date]:
        begin, end = _day(self.first, year), _day(self.last, year)
        return begin, end if end >= begin else _day(self.last, year + 1)


def _day(text: str, year: int) -> dt.date:
    found = _EACH_YEAR.match(text)
    if found is None:
        return dt.date.fromisoformat(text)
    month, day = map(int, found.groups())
    return dt.date(year, month, min(day, 28) if month == 2 else day)
