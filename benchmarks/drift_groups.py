"""The view by group: how often one store of fifty is found, and how often a group alarms where nothing changed.

    python benchmarks/drift_groups.py power --repetitions 100
    python benchmarks/drift_groups.py false-alarms --repetitions 400
    python benchmarks/drift_groups.py series --repetitions 200

50,000 rows of reference and 5,000 of window in ten numbers, five categories and fifty stores, of equal size or of
sizes that fall as 1/k; ``power`` moves one number of one store. ``false-alarms`` judges whole runs as monitoring does:
columns, columns within stores, scores, rows as a whole. ``series``: 30 quiet weeks of 5,000 rows in six numbers and
fifty stores, days sharing factors that follow AR(1) .9 with a loading of .3 and stores having levels of their own,
alerts by the rule over windows. On an idle machine about 11, 18 and 26 minutes (``series --repetitions 200``).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import pandas as pd

from drift_runs import judged
from drift_series import FIRST, Series, alerted, factors
from drift_tables import answer, command_line, rate, table
from evergreen.monitoring.drift.report import of_a_group
from evergreen.monitoring.window import Findings
from evergreen.schema import TableSpec

SPEC = TableSpec(
    entity="id",
    target="y",
    numeric=[f"x{i}" for i in range(10)],
    categorical=[*(f"c{i}" for i in range(5)), "store"],
    groups=["store"],
)
SIZES = {"alike": np.full(50, 1 / 50), "of sizes 1/k": 1 / np.arange(1, 51) / (1 / np.arange(1, 51)).sum()}


def judged_stores(seed: int, share: np.ndarray, store: int = 0, shift: float = 0.0) -> Findings:
    """One run: 50,000 rows against 5,000, ``x0`` of one store moved."""
    rng = np.random.default_rng(seed)
    rows = table(rng, 55_000).assign(id=np.arange(55_000))
    number = rng.choice(50, len(rows), p=share)
    rows["store"] = pd.array([f"s{i}" for i in number], dtype="str")
    rows.loc[(number == store) & (rows["id"] >= 50_000), "x0"] += shift
    return judged(rows[:50_000], rows[50_000:], SPEC)


def power(args: argparse.Namespace) -> Iterator[list]:
    """How often one store is found, by name, and by any other part of drift."""
    yield [
        "x0 of one store",
        "runs",
        "found within it",
        "x0 over all rows",
        "rows as a whole",
        "another group in alarm",
    ]
    cases = {
        "+ 1 sd, stores alike": ("alike", 25, 1.0),
        "+ .7 sd, stores alike": ("alike", 25, 0.7),
        "+ .5 sd, stores alike": ("alike", 25, 0.5),
        "+ 1 sd, sizes 1/k, the 10th (2.2 % of rows)": ("of sizes 1/k", 9, 1.0),
        "+ 1 sd, sizes 1/k, the 25th (.9 % of rows)": ("of sizes 1/k", 24, 1.0),
    }
    for name, (sizes, store, shift) in cases.items():
        if args.setting and args.setting not in name:
            continue
        runs = [judged_stores(seed, SIZES[sizes], store, shift) for seed in args.seeds]
        found = np.array([_found(run, f"s{store}") for run in runs])
        yield [name, len(runs), *(rate(int(hits), len(runs)) for hits in found.sum(axis=0))]


def _found(run: Findings, store: str) -> list[bool]:
    named = {(found.column, found.group) for found in run.drift.group_alarms}
    whole = run.multivariate is not None and run.multivariate.alarm
    return [("x0", store) in named, "x0" in run.drift.alarms, whole, bool(named - {("x0", store)})]


def false_alarms(args: argparse.Namespace) -> Iterator[list]:
    """Whole runs with an alarm where nothing changed."""
    yield ["fifty stores", "runs", "a column", "a column within a store", "scores", "rows as a whole", "any"]
    for name, share in SIZES.items():
        if args.setting and args.setting not in name:
            continue
        runs = [judged_stores(seed, share) for seed in args.seeds]
        found = np.array([_alarms(run) for run in runs])
        yield [name, len(runs), *(rate(int(hits), len(runs)) for hits in found.sum(axis=0))]


def _alarms(run: Findings) -> list[bool]:
    whole = run.multivariate is not None and run.multivariate.alarm
    parts = [bool(run.drift.alarms), bool(run.drift.group_alarms), run.scores.alarm, whole]
    return [*parts, any(parts)]


def quiet_series(args: argparse.Namespace) -> Iterator[list]:
    """Series with any alert of a column, of a column within a store, or of either."""
    yield ["30 quiet weeks, fifty stores", "series", "a column", "a column within a store", "either"]
    for name, share in SIZES.items():
        if args.setting and args.setting not in name:
            continue
        found = []
        for seed in args.seeds:
            names = alerted(Series(_weeks(seed, share), 56, 26, True, ("store",)), range(56, 86))
            within = {of_a_group(each) for each in names}
            found.append([False in within, True in within, bool(within)])
        yield [name, len(found), *(rate(int(hits), len(found)) for hits in np.sum(found, axis=0))]


def _weeks(seed: int, share: np.ndarray) -> pd.DataFrame:
    """86 weeks of 5,005 rows in six columns: a day's factors, a store's level (sd .5) and noise of sd 1."""
    rng = np.random.default_rng(seed)
    days = np.repeat(np.arange(7 * 86), 715)
    store = rng.choice(50, len(days), p=share)
    values = 0.3 * factors(rng, 7 * 86, 6, 0.9)[days] + 0.5 * rng.normal(size=(50, 6))[store]
    values += rng.normal(size=values.shape)
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(6)])
    names = pd.array([f"s{i}" for i in range(50)], dtype="str")
    return frame.assign(store=names[store], date=pd.Timestamp(FIRST) + pd.to_timedelta(days, unit="D"))


COMMANDS = {"power": power, "false-alarms": false_alarms, "series": quiet_series}

if __name__ == "__main__":
    answer(command_line(__doc__, COMMANDS, repetitions=100, first_seed=30_000), COMMANDS)
