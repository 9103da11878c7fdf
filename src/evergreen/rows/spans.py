"""Windows of whole days and of hours: their first and last moment, and how people read them.

A window of days goes from a first to a last ``date``, one of hours from a first to a last ``datetime``, the last minute
that belongs to it; both ends are inclusive. In a history, where all moments are timestamps, a window of hours is known
by an end that isn't midnight.
"""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pandas as pd

from evergreen.errors import EvergreenError

_DAY, _MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)


def by_hours(moment: dt.date) -> bool:
    """Whether a moment bounds a window of hours."""
    return isinstance(moment, dt.datetime) and (moment.hour, moment.minute) != (0, 0)


def first_of(last: dt.date, length: dt.timedelta) -> dt.date:
    """First moment of the window of this length that ends with ``last``."""
    return last - length + (_MINUTE if isinstance(last, dt.datetime) else _DAY)


def end_of_hour(moment: dt.datetime) -> dt.datetime:
    """The last minute of a moment's hour."""
    return moment.replace(minute=59, second=0, microsecond=0, tzinfo=None)


def requested_hour(as_of: str | dt.date | None) -> dt.datetime | None:
    """The last minute that an ``as_of`` allows to look at: that of its hour, or of its day where it names none.

    Raises:
        EvergreenError: Where it is no date and no time.
    """
    if as_of is None:
        return None
    try:
        asked = dt.datetime.fromisoformat(str(as_of))
    except ValueError as error:
        raise EvergreenError(
            f"as_of is '{as_of}', which is neither a date nor a time: write it as yyyy-mm-dd or yyyy-mm-ddThh:mm."
        ) from error
    whole_day = len(str(as_of)) <= len("yyyy-mm-dd")
    return end_of_hour(asked.replace(hour=23) if whole_day else asked)


def within(times: ir.Column, first: dt.datetime | None, last: dt.datetime | None) -> list[ir.BooleanValue]:
    """Conditions for timestamps between two minutes, both inclusive."""
    times = times.cast("timestamp")
    conditions = [] if first is None else [times >= ibis.timestamp(first)]
    return conditions + ([] if last is None else [times < ibis.timestamp(last + _MINUTE)])


def are_hours(ends: pd.Series) -> pd.Series:
    """Which windows of a history are windows of hours, by their ends."""
    return ends.ne(ends.dt.normalize())


def lengths(starts: pd.Series, ends: pd.Series) -> pd.Series:
    """Length of each window of a history."""
    step = pd.Series(pd.Timedelta(_DAY), ends.index).where(~are_hours(ends), pd.Timedelta(_MINUTE))
    return ends - starts + step


def moment_text(moment: dt.date) -> str:
    """The end of a window as people read it: a day, or a time where the window is one of hours."""
    return f"{moment:%Y-%m-%d %H:%M}" if by_hours(moment) else f"{moment:%Y-%m-%d}"


def span_text(first: dt.date, last: dt.date) -> str:
    """Both ends of a window as people read them."""
    if not by_hours(last):
        return f"{moment_text(first)} to {moment_text(last)}"
    until = f"{last:%H:%M}" if f"{first:%F}" == f"{last:%F}" else f"{last:%Y-%m-%d %H:%M}"
    return f"{first:%Y-%m-%d %H:%M} to {until}"


def length_text(length: dt.timedelta) -> str:
    """A window's length in words."""
    return f"{length.days} days" if length >= _DAY else f"{length.seconds // 3600} hours"
