"""Are experiments right as often as they say, and how large may they be?

python benchmarks/experiments.py false-alarms --draws 2000      A/A tests, by rule, naive daily looks beside
python benchmarks/experiments.py power --draws 2000             found power against the plan's
python benchmarks/experiments.py coverage --draws 2000          95 % intervals
python benchmarks/experiments.py assignment                     a million ids in two processes
python benchmarks/experiments.py size --rows 10000000           time and memory of one analysis
python benchmarks/experiments.py pipeline --draws 200           A/A tests through the pipeline's own analysis
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ibis
import numpy as np
from scipy import stats

from evergreen.evaluation.auc import auc_covariance
from evergreen.experiments import (
    Sums,
    assign_all,
    compare_means,
    compare_proportions,
    compare_ratios,
    confidence_sequence,
    cuped,
    group_sequential_bounds,
)
from evergreen.experiments.analysis import Analysed, analyse
from evergreen.experiments.effect import effect_of
from evergreen.experiments.exposures import read_exposures
from evergreen.experiments.parameters import ExperimentPolicy, TrafficPolicy
from evergreen.experiments.plan import Expected, plan_experiment
from evergreen.experiments.simulation import simulate_exposures

LOOKS, PER_LOOK, SHARE = 30, 500, 0.1
PAIRS_PER_LOOK, AUC, POSITIVES, CORRELATION = 200, 0.79, 0.3, 0.9


def interval(share: float, draws: int) -> str:
    return f"{share:6.1%} ± {1.96 * np.sqrt(max(share * (1 - share), 1e-9) / draws):.1%}"


def scores(rng: np.random.Generator, y: np.ndarray, *aucs: float) -> np.ndarray:
    """Binormal scores of versions that share most of their noise, shape (versions, rows)."""
    shared = np.sqrt(CORRELATION) * rng.normal(size=len(y))
    return np.stack(
        [
            np.sqrt(2) * stats.norm.ppf(auc) * y + shared + np.sqrt(1 - CORRELATION) * rng.normal(size=len(y))
            for auc in aucs
        ]
    )


def split_looks(rng: np.random.Generator, lift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Difference, its error and rows at every look of one split."""
    n = PER_LOOK * np.arange(1, LOOKS + 1)
    a, b = (np.cumsum(rng.binomial(PER_LOOK, share, LOOKS)) / n for share in (SHARE, SHARE + lift))
    return b - a, np.sqrt((a * (1 - a) + b * (1 - b)) / n), 2 * n


def paired_looks(rng: np.random.Generator, gain: float, looks: int, rows: int) -> tuple[np.ndarray, ...]:
    """The same of one paired ROC AUC."""
    y = rng.random(rows * looks) < POSITIVES
    both = scores(rng, y, AUC, AUC + gain)
    n = rows * np.arange(1, looks + 1)
    found = [auc_covariance(y[:m], both[:, :m]).contrast([-1, 1]) for m in n]
    return np.array([d for d, _ in found]), np.array([e for _, e in found]), n


def false_alarms(draws: int) -> None:
    print(f"A/A tests, {draws:,} draws, alpha 5 %; {LOOKS} looks where looks are taken")
    obf = group_sequential_bounds(LOOKS, 0.05, "lan_demets_obf")
    for name, make in (
        (f"split, {2 * PER_LOOK * LOOKS:,} rows", split_looks),
        (
            f"paired ROC AUC, {PAIRS_PER_LOOK * LOOKS:,} requests",
            lambda rng, d: paired_looks(rng, d, LOOKS, PAIRS_PER_LOOK),
        ),
    ):
        rng = np.random.default_rng(1)
        wrong = dict.fromkeys(("once at the end", "sequential rule", "confidence sequence", "naive z at every look"), 0)
        for _ in range(draws):
            difference, error, rows = make(rng, 0.0)
            z = np.abs(difference / error)
            always = [
                confidence_sequence(d, e, int(n), int(rows[-1])).excludes()
                for d, e, n in zip(difference, error, rows, strict=True)
            ]
            wrong["once at the end"] += z[-1] > 1.959964
            wrong["sequential rule"] += (z > obf).any()
            wrong["confidence sequence"] += any(always)
            wrong["naive z at every look"] += (z > 1.959964).any()
        for rule, count in wrong.items():
            print(f"  {name:34} {rule:24} {interval(count / draws, draws)}")


def power(draws: int) -> None:
    print(f"power of the sequential rule at the planned rows, {draws:,} draws; wanted 80 %")
    rng = np.random.default_rng(2)
    block = {"mode": "split", "feedback": "decision_changes_outcome"}
    for share, lift in ((0.1, 0.02), (0.3, -0.03)):
        direction = "increase" if lift > 0 else "decrease"
        metric = {"kind": "binary", "minimum_effect": abs(lift), "direction": direction}
        made = ExperimentPolicy(name="x", metric=metric, **block)
        rows = plan_experiment(made, Expected(share, np.sqrt(share * (1 - share)), share), None, None).planned_rows
        bounds = group_sequential_bounds(made.looks, made.alpha, made.bounds)
        n = rows // 2 * np.arange(1, made.looks + 1) // made.looks
        steps = np.diff(n, prepend=0)
        a = np.cumsum(rng.binomial(steps, share, (draws, made.looks)), axis=1) / n
        b = np.cumsum(rng.binomial(steps, share + lift, (draws, made.looks)), axis=1) / n
        z = (b - a) / np.sqrt((a * (1 - a) + b * (1 - b)) / n)
        found = float((np.sign(lift) * z > bounds).any(axis=1).mean())
        print(f"  split, share {share:g} {lift:+g}: {rows:,} rows  {interval(found, draws)}")
    for gain in (0.01, 0.02):
        made = ExperimentPolicy(name="x", metric={"kind": "roc_auc", "minimum_effect": gain})
        pilot = np.random.default_rng(3)
        y = pilot.random(20_000) < POSITIVES
        covariance = auc_covariance(y, scores(pilot, y, AUC, AUC + gain)).covariance
        rho = float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))
        rows = plan_experiment(
            made, Expected(AUC, np.sqrt(len(y) * covariance[0, 0]), POSITIVES, rho), None, None
        ).planned_rows
        bounds = group_sequential_bounds(made.looks, made.alpha, made.bounds)
        hits = 0
        for _ in range(draws):
            difference, error, _ = paired_looks(rng, gain, made.looks, rows // made.looks)
            hits += bool((difference / error > bounds).any())
        what = f"paired ROC AUC {AUC:g} {gain:+g}, correlation {rho:.2f}: {rows:,} requests"
        print(f"  {what}  {interval(hits / draws, draws)}")


def coverage(draws: int) -> None:
    print(f"95 % intervals that hold the truth, {draws:,} draws")
    rng = np.random.default_rng(4)
    held = dict.fromkeys(
        ("share .05, n 400", "mean, skewed, n 400", "ratio by unit, n 400", "CUPED, n 400", "paired ROC AUC, n 800"), 0
    )
    for _ in range(draws):
        a, b = rng.binomial(400, 0.05), rng.binomial(400, 0.08)
        found = compare_proportions(int(a), 400, int(b), 400)
        held["share .05, n 400"] += found.low <= 0.03 <= found.high
        x, y = rng.exponential(1.0, 400), rng.exponential(1.2, 400)
        found = compare_means(Sums(400, x.sum(), (x**2).sum()), y)
        held["mean, skewed, n 400"] += found.low <= 0.2 <= found.high
        visits = [rng.poisson(3, 400) + 1.0 for _ in range(2)]
        value = [2.0 * v + rng.normal(0, 1, 400) for v in visits]
        found = compare_ratios(value[0], visits[0], value[1], visits[1])
        held["ratio by unit, n 400"] += found.low <= 0.0 <= found.high
        before = rng.normal(size=800)
        after = 0.8 * before + rng.normal(size=800) + np.repeat([0.0, 0.2], 400)
        adjusted = cuped(after, before).adjusted
        found = compare_means(adjusted[:400], adjusted[400:])
        held["CUPED, n 400"] += found.low <= 0.2 <= found.high
        truth = rng.random(800) < POSITIVES
        auc = auc_covariance(truth, scores(rng, truth, AUC, AUC + 0.02))
        difference, error = auc.contrast([-1, 1])
        half = stats.t.ppf(0.975, auc.degrees_of_freedom) * error
        held["paired ROC AUC, n 800"] += abs(difference - 0.02) <= half
    for name, count in held.items():
        print(f"  {name:26} {interval(count / draws, draws)}")


ASSIGN = """
import hashlib, sys
from evergreen.experiments import assign_all
share = float(sys.argv[1])
dealt = assign_all((f"ключ-{k}" for k in range(1_000_000)), "winter", {"champion": 1 - share, "challenger": share}, "s")
print(dealt.count("challenger"), hashlib.sha256("".join(name[1:3] for name in dealt).encode()).hexdigest())
"""


def assignment() -> None:
    """Two processes at once, then a third alone: the same arms; a share that grows only adds."""
    began = time.perf_counter()
    both = [
        subprocess.Popen([sys.executable, "-c", ASSIGN, "0.1"], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    told = [process.communicate()[0].split() for process in both]
    later = subprocess.run(
        [sys.executable, "-c", ASSIGN, "0.1"], capture_output=True, text=True, check=True
    ).stdout.split()
    same = told[0] == told[1] == later
    count = int(later[0])
    sigma = abs(count - 100_000) / np.sqrt(1e6 * 0.1 * 0.9)
    ids = [f"ключ-{k}" for k in range(1_000_000)]
    small, large = (
        np.array(assign_all(ids, "winter", {"champion": 1 - s, "challenger": s}, "s")) == "challenger"
        for s in (0.1, 0.2)
    )
    print(f"1,000,000 ids, two processes and a restart: same arms {same}; {count:,} at 10 % ({sigma:.1f} σ)")
    print(f"  10 → 20 %: {int((small & ~large).sum())} left, {int((large & ~small).sum()):,} joined")
    print(f"  {time.perf_counter() - began:.1f} s for five million assignments")


MAKE = """
copy (
  select 'r' || i as request_id, 'e' || (hash(i) % {units}) as entity_id,
    timestamp '2026-03-01' + interval (i % 1209600) second as timestamp,
    case when hash('s' || (hash(i) % {units})) % 2 = 0 then 'champion' else 'challenger' end as variant,
    (hash(i + 1) % 1000 < 300)::tinyint as label,
    least(greatest(.15 * (hash(i + 1) % 1000 < 300)::int + (hash(i + 2) % 1000000) / 1250000.0, 0), 1) as probability,
    least(greatest(.16 * (hash(i + 1) % 1000 < 300)::int + (hash(i + 2) % 1000000) / 1250000.0
      + (hash(i + 3) % 1000000) / 50000000.0, 0), 1) as other,
    (hash(i + 4) % 1000) / 100.0 as latency_ms
  from range({rows}) t(i)
) to '{file}' (format parquet)
"""


def size(rows: int) -> None:
    with tempfile.TemporaryDirectory(prefix="evergreen-experiments-") as folder:
        file = Path(folder) / "exposures.parquet"
        ibis.duckdb.connect(memory_limit="2GB").raw_sql(MAKE.format(rows=rows, units=rows // 3, file=file))
        print(f"{rows:,} exposures of {rows // 3:,} units, {file.stat().st_size / 1e6:,.0f} MB of parquet")
        for what in ("split", "paired"):
            command = [sys.executable, __file__, f"size-{what}", "--file", str(file)]
            subprocess.run(command, check=True)


def one_size(what: str, file: str) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="evergreen-spill-") as spill:
        connection = ibis.duckdb.connect(memory_limit="500MB", threads=2, temp_directory=spill)
        table = connection.read_parquet(file)
        if what == "split":
            table = table.mutate(prediction=(table["probability"] > 0.5).cast("int8"))
            rails = {"speed": {"kind": "continuous", "column": "latency_ms", "direction": "decrease", "margin": 1.0}}
            made = ExperimentPolicy(
                name="x", mode="split", metric={"kind": "accuracy"}, guardrails=rails, planned_rows=3_000_000,
                start=dt.datetime(2026, 3, 1),
            )  # fmt: skip
            plan = plan_experiment(made, None, None, None)
            record = analyse(Analysed("churn", made, {}), read_exposures(table, made), plan)
            told = f"{record.status}, {len(record.looks)} looks"
        else:
            table = table.mutate(
                unit=table["request_id"], a_probability=table["probability"], b_probability=table["other"]
            )
            made = ExperimentPolicy(name="x", unit="request")
            found = effect_of(table, made, made.metric)
            assert found is not None
            told = f"ROC AUC {found.comparison.difference:+.5f} ± {found.error:.5f}, {found.note}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds, worked = time.perf_counter() - began, time.process_time() - cpu
    print(f"  {what}: {seconds:.1f} s, {worked:.1f} s of CPU, peak {peak:,.0f} MB; {told}")


def pipeline(draws: int) -> None:
    """A/A tests from made-up requests to the verdict, as the pipeline runs them."""
    print(f"A/A through exposures, looks and verdict, {draws:,} draws")
    for mode, metric in (("shadow", {"kind": "roc_auc"}), ("split", {"kind": "binary"})):
        made = ExperimentPolicy(name="x", mode=mode, metric=metric, planned_rows=2800, minimum_days=1)
        plan = plan_experiment(made, None, None, None)
        verdicts = {}
        for seed in range(draws):
            traffic = TrafficPolicy(seed=seed, requests_per_day=200, baseline=0.75 if mode == "shadow" else 0.3)
            table = ibis.duckdb.connect().create_table("t", simulate_exposures(made, traffic, dt.date(2026, 3, 31)))
            record = analyse(Analysed("churn", made, {}), read_exposures(table, made), plan)
            crossed = record.looks[-1].crossed if record.looks else "no"
            verdicts[crossed] = verdicts.get(crossed, 0) + 1
        wrong = draws - verdicts.get("no", 0)
        print(f"  {mode}: a look crossed in {interval(wrong / draws, draws)} {verdicts}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what")
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--file", default="")
    given = parser.parse_args()
    if given.what.startswith("size-"):
        one_size(given.what.removeprefix("size-"), given.file)
    elif given.what == "assignment":
        assignment()
    elif given.what == "size":
        size(given.rows)
    else:
        chosen = {"false-alarms": false_alarms, "power": power, "coverage": coverage, "pipeline": pipeline}
        chosen[given.what](given.draws)


if __name__ == "__main__":
    main()
