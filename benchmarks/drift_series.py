"""Weekly windows that depend on each other, and seasons: how often an alert is false, how often a shift is found.

    python benchmarks/drift_series.py dependent [--repetitions 200]
    python benchmarks/drift_series.py seasons [--repetitions 400]

``dependent``: 30 quiet weeks of 1,000 rows in 6 numeric columns whose days share factors that follow AR(1) with a
loading of .3, against a reference of the 4, 26 or 104 weeks before, alerts by the rule over windows; the history is the
reference and, for short ones, 30 weeks more. ``seasons``: three years of 16 columns, half of which are .3 sd higher
each December; the third year's December, and a July of the third year with a shift of .3 sd in a plain or in a seasonal
column. "Without history" judges by the reference's own rows alone.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from drift_runs import memory_of
from drift_tables import answer, command_line, rate
from evergreen.monitoring import DriftPolicy, build_profile, merge
from evergreen.monitoring.alerts import alerts_over_time, history_rows
from evergreen.monitoring.feature_drift import compare_features
from evergreen.monitoring.past.counts import no_counts, training_counts, window_counts
from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.reference import Reference
from evergreen.schema import TableSpec

FIRST = dt.date(2023, 1, 2)
WEEK = dt.timedelta(weeks=1)


def reference_of(profile: Profile, names: list[str]) -> Reference:
    """A champion's memory of its features alone."""
    return memory_of(TableSpec(entity="id", date="date", target="y", numeric=names), profile, FIRST)


def factors(rng: np.random.Generator, days: int, columns: int, rho: float) -> np.ndarray:
    """Stationary AR(1) of unit variance, shape (days, columns)."""
    found = np.empty((days, columns))
    found[0] = rng.normal(size=columns)
    for day in range(1, days):
        found[day] = rho * found[day - 1] + np.sqrt(1 - rho**2) * rng.normal(size=columns)
    return found


def weeks_of_rows(rng: np.random.Generator, means: np.ndarray, rows: int | np.ndarray) -> pd.DataFrame:
    """Rows of days with these means, shape (days, columns): ``rows`` a week, or so many each day, shape (days,)."""
    day = np.repeat(np.arange(len(means)), rows // 7 if isinstance(rows, int) else rows)
    values = means[day] + rng.normal(size=(len(day), means.shape[1]))
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(means.shape[1])])
    return frame.assign(date=pd.Timestamp(FIRST) + pd.to_timedelta(day, unit="D"))


class Series:
    """Weeks of rows; those before ``begin`` are history, the last ``length`` of them the reference."""

    def __init__(
        self, rows: pd.DataFrame, begin: int, length: int, history: bool, groups: tuple[str, ...] = ()
    ) -> None:
        self.rows, self.week = rows, ((rows["date"] - pd.Timestamp(FIRST)).dt.days // 7).to_numpy()
        self.names = [name for name in rows.columns if name not in ("date", *groups)]
        old = rows[(self.week >= begin - length) & (self.week < begin)]
        blocks = old["date"].dt.strftime("%Y%m%d")
        self.reference = reference_of(
            build_profile(old, numeric=self.names, date="date", blocks=blocks.to_numpy(), groups=groups), self.names
        )
        self.history = history
        before = rows[self.week < begin]
        self.counts = training_counts(before, self.reference.profile, "date", 7) if history else no_counts()
        self.profiles: dict[int, Profile] = {}

    def profile(self, week: int) -> Profile:
        """One week's, built once."""
        if week not in self.profiles:
            self.profiles[week] = build_profile(self.rows[self.week == week], self.reference.profile, date="date")
        return self.profiles[week]

    def look(self, week: int) -> pd.DataFrame:
        """The history's rows of one week."""
        start = FIRST + week * WEEK
        end = start + WEEK - dt.timedelta(days=1)
        pair = merge(self.profile(week - 1), self.profile(week))
        four = merge(merge(self.profile(week - 3), self.profile(week - 2)), pair) if self.history else None
        found = compare_features(
            self.reference, (self.profile(week), pair, four), start, DriftPolicy(), WEEK, self.counts
        )
        if self.history:
            here = window_counts(self.profile(week), self.reference.profile, start, end, "")
            self.counts = pd.concat([self.counts, here], ignore_index=True)
        return history_rows(found[0], start, end, *found[1:])


def alerted(series: Series, weeks: range) -> set[str]:
    """Columns with any alert in these weeks."""
    history = pd.concat([series.look(week) for week in weeks], ignore_index=True)
    return {alert.column for alert in alerts_over_time(history)}


def dependent(args: argparse.Namespace) -> Iterator[list]:
    """Series with any alert where nothing changed."""
    kinds = [True] if args.with_history else [True, False]
    yield ["AR(1) of day factors", "reference, weeks", "series", "with history", "without history"][: 3 + len(kinds)]
    for rho in (0.9, 0.98):
        for length, more in ((4, 30), (26, 30), (104, 0)):
            if args.setting and args.setting not in f"{rho} {length}":
                continue
            hits = np.zeros(len(kinds), int)
            for seed in args.seeds:
                rng = np.random.default_rng(seed)
                begin = length + more
                means = 0.3 * factors(rng, 7 * (begin + 30), 6, rho)
                rows = weeks_of_rows(rng, means, 1_001)
                hits += [
                    bool(alerted(Series(rows, begin, length, history), range(begin, begin + 30))) for history in kinds
                ]
            yield [rho, length, len(args.seeds), *(rate(int(found), len(args.seeds)) for found in hits)]


def quiet_growth(args: argparse.Namespace) -> Iterator[list]:
    """Series with any alert where rows become more and their values stay as they are: 26 weeks of reference."""
    yield ["what", "series", "any alert in 30 weeks"]
    for name, made in {"1.5 % more rows a week": _growing, "a new store a month": _new_stores}.items():
        if not args.setting or args.setting in name:
            hits = sum(bool(alerted(Series(made(seed), 56, 26, True), range(56, 86))) for seed in args.seeds)
            yield [name, len(args.seeds), rate(hits, len(args.seeds))]


def _growing(seed: int) -> pd.DataFrame:
    """Six columns whose days share AR(1) .9 factors of loading .3; 400 rows in the first week, 1,420 in the last."""
    rng = np.random.default_rng(seed)
    means = 0.3 * factors(rng, 7 * 86, 6, 0.9)
    return weeks_of_rows(rng, means, np.rint(400 / 7 * 1.015 ** (np.arange(len(means)) / 7)).astype(int))


def _new_stores(seed: int) -> pd.DataFrame:
    """Forty stores and one more every four weeks, three rows a day each; what a store has in common has an sd of .3."""
    rng = np.random.default_rng(seed)
    days = np.arange(7 * 86)
    stores = 40 + days // 28
    day = np.repeat(days, 3 * stores)
    store = np.concatenate([np.repeat(np.arange(open_), 3) for open_ in stores])
    values = 0.3 * rng.normal(size=(stores.max(), 6))[store]
    values += 0.3 * factors(rng, len(days), 6, 0.9)[day] + rng.normal(size=values.shape)
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(6)])
    return frame.assign(date=pd.Timestamp(FIRST) + pd.to_timedelta(day, unit="D"))


def found_after(args: argparse.Namespace) -> Iterator[list]:
    """Weeks until a change of one column alerts, where dependence is learnt from history."""
    yield ["what", "series", "median windows", "found in time", "others alert before"]
    cases = {
        ".01 sd a week, 5,000 rows; in time: 12 weeks": (5_005, 26, 30, 12, lambda week: 0.01 * (week + 1)),
        ".1 sd, windows of 1,000 against 10,000; in time: 5 windows": (1_001, 10, 30, 15, lambda week: 0.1 + 0 * week),
    }  # fmt: skip
    for name, (rows, length, more, weeks, moved) in cases.items():
        if args.setting and args.setting not in name:
            continue
        found = np.array([_first_alert(seed, rows, length + more, length, weeks, moved) for seed in args.seeds])
        limit = 12 if rows > 2_000 else 5
        timely, median = (found[:, 0] <= limit).mean(), np.median(found[:, 0])
        yield [name, len(found), f"{median:g}", f"{timely:.1%}", rate(int(found[:, 1].sum()), len(found))]


def _first_alert(
    seed: int, rows: int, begin: int, length: int, weeks: int, moved: Callable[[np.ndarray], np.ndarray]
) -> tuple[float, bool]:
    """Window of the first alert of ``x0``, infinite without, and whether any other column alerts."""
    rng = np.random.default_rng(seed)
    means = np.zeros((7 * (begin + weeks), 6))
    means[7 * begin :, 0] = moved(np.repeat(np.arange(weeks), 7))
    series = Series(weeks_of_rows(rng, means, rows), begin, length, True)
    history = pd.concat([series.look(week) for week in range(begin, begin + weeks)], ignore_index=True)
    alerts = alerts_over_time(history)
    ends = sorted(history["window_end"].unique())
    first = [ends.index(alert.window_end) + 1 for alert in alerts if alert.column == "x0"]
    return (min(first) if first else np.inf), any(alert.column != "x0" for alert in alerts)


def seasons(args: argparse.Namespace) -> Iterator[list]:
    """The third year's December, and a shift in its July, judged against the two years before."""
    yield ["what", "series", "with history", "without history"]
    found = np.array([_third_year(seed) for seed in args.seeds])
    named = ["December: any false alert", "July + .3 sd found in 2 weeks, plain column", "the same, seasonal column"]
    for number, name in enumerate(named):
        yield [name, len(args.seeds), *(rate(int(hits), len(args.seeds)) for hits in found[:, number].sum(axis=0))]


def _third_year(seed: int) -> list[list[bool]]:
    """December, plain July, seasonal July: with history and without."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range(FIRST, periods=7 * 156)
    means = np.zeros((len(dates), 16))
    means[np.ix_(dates.month == 12, np.arange(8))] = 0.3
    results: list[list[bool]] = [[], [], []]
    for history in (True, False):
        series = Series(weeks_of_rows(rng, means, 1_001), 152, 104, history)
        results[0].append(bool(alerted(series, range(152, 156))))
        moved = means.copy()
        moved[7 * 130 :, [0, 15]] += 0.3
        july = alerted(Series(weeks_of_rows(rng, moved, 1_001), 130, 104, history), range(130, 132))
        results[1].append("x15" in july)
        results[2].append("x0" in july)
    return results


COMMANDS = {"dependent": dependent, "growth": quiet_growth, "found-after": found_after, "seasons": seasons}

if __name__ == "__main__":
    parser = command_line(__doc__, COMMANDS, repetitions=200, first_seed=60_000)
    parser.add_argument("--with-history", action="store_true", help="not what the reference's rows alone would do")
    answer(parser, COMMANDS)
