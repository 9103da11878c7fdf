"""How often drift is called without drift, and how soon with it.

    python benchmarks/drift.py false-alarms [--setting 1k] [--repetitions 400]
    python benchmarks/drift.py power
    python benchmarks/drift.py over-time --repetitions 200
    python benchmarks/drift.py runs
    python benchmarks/drift.py performance
    python benchmarks/drift.py as-a-whole --repetitions 100

On an idle machine: false alarms and power about 5 minutes, over time 12 (with ``--repetitions 200``), runs 15,
performance 2.
Prints one markdown table a command. Rules that always and never fire stand beside: what each column of figures
would say of them. ``drift_peers.py`` shows other packages on the same data, ``drift_speed.py`` the time it takes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import special

from drift_runs import dependent_run, independent_run, parts
from drift_tables import SETTINGS, ZIPF, answer, command_line, dependent_pairs, pairs, rate, table, zipf_pairs
from evergreen.evaluation.metrics import classification_metrics
from evergreen.monitoring import DriftPolicy, build_profile, compare_profiles, merge
from evergreen.monitoring.alerts import alerts_over_time, history_rows
from evergreen.monitoring.drift.multivariate import MultivariateDrift, classifier_two_sample_test
from evergreen.monitoring.drift.report import SIDE_SHARE
from evergreen.monitoring.performance import measure_performance

RULES = ["evergreen", "tutorial: any column", "tutorial: share > .3", "always-fire", "never-fire"]


def verdicts(reference: pd.DataFrame, window: pd.DataFrame, date: str | None = None) -> list[bool]:
    """Whether each of ``RULES`` calls drift."""
    profile = build_profile(reference, date=date)
    newer = build_profile(window, profile)
    tutorial = compare_profiles(profile, newer, DriftPolicy(rule="tutorial"))
    return [compare_profiles(profile, newer).drifted, bool(tutorial.alarms), tutorial.drifted, True, False]


def false_alarms(args: argparse.Namespace) -> Iterator[list]:
    """Runs with any alarm where nothing changed, by setting and rule."""
    yield ["drift-free setting (reference / window)", "runs", *RULES]
    for name in [*SETTINGS, "rows dependent in blocks"]:
        if args.setting and args.setting not in name:
            continue
        data = pairs(args.seeds, *SETTINGS[name]) if name in SETTINGS else dependent_pairs(args.seeds)
        found = np.array([verdicts(*pair, date=None if name in SETTINGS else "date") for pair in data])
        yield [name, len(found), *(rate(int(hits), len(found)) for hits in found.sum(axis=0))]
    for name, levels in ZIPF.items():
        if args.setting and args.setting not in name:
            continue
        found = np.array([verdicts(*pair) for pair in zipf_pairs(args.seeds, levels)])
        yield [f"10k / 10k, {name}", len(found), *(rate(int(hits), len(found)) for hits in found.sum(axis=0))]


def power(args: argparse.Namespace) -> Iterator[list]:
    """Runs with any alarm where something changed, by change and rule."""
    yield ["drift (reference / window)", "runs", *RULES]
    cases: dict[str, tuple[int, int, dict[str, float]]] = {
        "x0 shifted by .1 sd, 10k / 10k": (10_000, 10_000, {"shift": 0.1}),
        "five points moved to a level of 10 %, 10k / 1k": (10_000, 1_000, {"moved": 0.05}),
        "five points moved to a level of 5 %, 10k / 1k": (10_000, 1_000, {"moved": 0.05, "levels": 20}),
        "x0 shifted by .1 sd, 10k / 1k": (10_000, 1_000, {"shift": 0.1}),
        "x0 with 1.2 times the sd, 10k / 1k": (10_000, 1_000, {"spread": 1.2}),
        "3 % of x0 ten times as large, 10k / 1k": (10_000, 1_000, {"wild": 0.03}),
        "x0 shifted by .02 sd, 50k / 50k: not worth an alarm": (50_000, 50_000, {"shift": 0.02}),
    }
    for name, (rows, window_rows, drift) in cases.items():
        if args.setting and args.setting not in name:
            continue
        levels = int(drift.pop("levels", 10))
        found = np.array([verdicts(*pair) for pair in pairs(args.seeds, rows, window_rows, levels, **drift)])
        yield [name, len(found), *(f"{share:.1%}" for share in found.mean(axis=0))]


def first_alert(seed: int, rows: int, window_rows: int, shift: float, windows: int) -> int | None:
    """Number of the first window with an alert, None without."""
    rng = np.random.default_rng(seed)
    reference = build_profile(table(rng, rows))
    days = pd.date_range("2026-01-01", periods=windows)
    history, before = [], None
    for day in days:
        newer = build_profile(table(rng, window_rows, shift=shift), reference)
        pair = compare_profiles(reference, merge(before, newer)) if before else None
        history.append(history_rows(compare_profiles(reference, newer), day, day, pair))
        before = newer
    alerts = alerts_over_time(pd.concat(history))
    return days.get_loc(alerts[0].window_end) + 1 if alerts else None


def over_time(args: argparse.Namespace) -> Iterator[list]:
    """Daily windows in a row: any alert within 30 quiet ones, and how many it takes to find a shift."""
    yield [
        "reference / daily window",
        "simulations",
        "any alert in 30 quiet windows",
        "median windows to .1 sd",
        "found by 15",
    ]
    for rows, window_rows in ((10_000, 1_000), (20_000, 2_000)):
        if args.setting and args.setting not in f"{rows} / {window_rows}":
            continue
        quiet = [first_alert(seed, rows, window_rows, 0.0, 30) for seed in args.seeds]
        drifted = [first_alert(seed, rows, window_rows, 0.1, 15) or np.inf for seed in args.seeds]
        alarms = rate(sum(found is not None for found in quiet), len(quiet))
        found = f"{np.isfinite(drifted).mean():.1%}"
        yield [f"{rows:,} / {window_rows:,}", len(quiet), alarms, f"{np.median(drifted):g}", found]
    yield ["always-fire", "–", "100 %", "1", "100 %"]
    yield ["never-fire", "–", "0 %", "never", "0 %"]


def runs(args: argparse.Namespace) -> Iterator[list]:
    """Whole runs where nothing changed: how often columns, scores, rows as a whole, and any of them alarm."""
    yield ["drift-free runs", "runs", "a column", "scores", "rows as a whole", "any of the three"]
    for name, run in {"independent rows, 4k / 1k": independent_run, "rows dependent in blocks": dependent_run}.items():
        if args.setting and args.setting not in name:
            continue
        found = np.array([list(parts(run(seed))) for seed in args.seeds])
        yield [name, len(found), *(rate(int(hits), len(found)) for hits in found.sum(axis=0))]


def as_a_whole(args: argparse.Namespace) -> Iterator[list]:
    """Changes that no margin shows, by the classifier test on 5,000 rows of either side, ten numbers."""
    yield ["change", "runs", "found", "ROC AUC, mean"]
    cases = {
        "nothing": (0.5, 0.0),
        "a correlation of .5 turns to -.5": (-0.5, 0.0),
        "one store of fifty + 1 sd": (0.5, 1.0),
    }
    for name, (correlation, shift) in cases.items():
        if args.setting and args.setting not in name:
            continue
        found = [_told_apart(seed, correlation, shift) for seed in args.seeds]
        aucs = [each.auc for each in found if each.auc is not None]
        yield [name, len(found), rate(sum(each.alarm for each in found), len(found)), f"{np.mean(aucs):.3f}"]


def _told_apart(seed: int, correlation: float, shift: float) -> MultivariateDrift:
    rng = np.random.default_rng(seed)
    names = [f"x{i}" for i in range(10)]

    def rows(rho: float, moved: float) -> pd.DataFrame:
        values = rng.normal(size=(5_000, 10))
        values[:, 1] = rho * values[:, 0] + np.sqrt(1 - rho**2) * values[:, 1]
        store = rng.integers(0, 50, len(values))
        values[store == 0, 2] += moved
        return pd.DataFrame(values, columns=names).assign(store=[f"s{number}" for number in store])

    before, after = rows(0.5, 0.0), rows(correlation, shift)
    q = DriftPolicy().q * SIDE_SHARE
    return classifier_two_sample_test(before, after, numeric=names, categorical=["store"], q=q)


def performance(args: argparse.Namespace) -> Iterator[list]:
    """Windows as good as promised: how often any of five metrics alerts, and would without an interval."""
    yield ["rows with an outcome", "windows", "any of five metrics alerts", "any drop beyond its limit"]
    for rows in (100, 200, 500, 1_000, 3_000):
        if args.setting and args.setting not in str(rows):
            continue
        found = np.array([_measured_again(seed, rows) for seed in args.seeds])
        yield [f"{rows:,}", len(found), *(rate(int(hits), len(found)) for hits in found.sum(axis=0))]


def _measured_again(seed: int, rows: int) -> tuple[bool, bool]:
    """One calibrated model, measured on 1,000 test rows and then on a window of the same world."""
    rng = np.random.default_rng(seed)
    scores = [special.expit(rng.normal(-1, 1.2, size)) for size in (1_000, rows)]
    promised, new = ((rng.random(len(each)) < each, each) for each in scores)
    report = measure_performance(*new, classification_metrics(*promised, threshold=0.3), threshold=0.3)
    drops = [metric.drop > metric.limit for metric in report.metrics.values() if metric.drop is not None]
    return report.status == "alert", any(drops)


COMMANDS = {
    "false-alarms": false_alarms, "power": power, "over-time": over_time, "runs": runs, "performance": performance,
    "as-a-whole": as_a_whole,
}  # fmt: skip

if __name__ == "__main__":
    answer(command_line(__doc__, COMMANDS, repetitions=400, first_seed=10_000), COMMANDS)
