"""Starts a command whenever a line of cron says so; nothing else, and without root.

    python cron.py "0 6 * * 1" command …

Minute, hour, day of month, month and day of week (0 or 7: Sunday) as numbers, lists, ranges, steps and ``*``, in UTC.
As in cron, a day counts when either day field names it, where both do. A run that is still going is never doubled.
"""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def matching(field: str, low: int, high: int) -> set[int]:
    """The numbers that a field names."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin, end = (low, high) if span == "*" else (int(first), int(last or (high if step else first)))
        if not low <= begin <= end <= high:
            raise ValueError(f"{part} is not within {low} to {high}")
        found |= set(range(begin, end + 1, int(step or 1)))
    return found


def next_time(line: str, after: datetime) -> datetime:
    """The first whole minute after a time that the line names."""
    fields = line.split()
    minutes, hours, days, months, weekdays = (matching(f, *b) for f, b in zip(fields, BOUNDS, strict=True))
    weekdays = {day % 7 for day in weekdays}
    either = fields[2] != "*" and fields[4] != "*"
    moment = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(4 * 366 * 24 * 60):
        named = (moment.day in days, moment.isoweekday() % 7 in weekdays)
        if moment.month in months and (any(named) if either else all(named)):
            if moment.hour in hours and moment.minute in minutes:
                return moment
            moment += timedelta(minutes=1)
        else:
            moment = moment.replace(hour=0, minute=0) + timedelta(days=1)
    raise ValueError(f"{line} names no time")


def main() -> None:
    """Wait, run, wait."""
    line, *command = sys.argv[1:]
    while True:
        due = next_time(line, datetime.now(UTC))
        print(f"next run at {due:%Y-%m-%d %H:%M} UTC", flush=True)  # noqa: T201 - the container's log
        while (left := (due - datetime.now(UTC)).total_seconds()) > 0:
            time.sleep(min(left, 60))
        subprocess.run(command, check=False)


if __name__ == "__main__":
    main()
