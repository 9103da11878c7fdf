"""Time of an evaluation, and coverage of its intervals by simulation.

Time alone: ``python benchmarks/evaluation.py``; with coverage: ``--coverage-draws 1000``.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd
from sklearn import metrics as sk

from evergreen.evaluation.comparison import compare_models, delong_test
from evergreen.evaluation.metrics import METRIC_NAMES, classification_metrics
from evergreen.evaluation.slices import slice_metrics

THRESHOLD = 0.4
COVERAGE_ROWS = (300, 1_500)
ROWS_PER_BLOCK = 10


def scored_rows(rng: np.random.Generator, rows: int, algorithms: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Labels and calibrated-looking probabilities of algorithms that share most of what they know."""
    signal = rng.normal(size=rows)
    y = rng.random(rows) < 1 / (1 + np.exp(1.5 - 1.2 * signal))
    return y, {
        f"algorithm {i + 1}": 1 / (1 + np.exp(1.5 - signal - 0.1 * (i + 1) * rng.normal(size=rows)))
        for i in range(algorithms)
    }


def measure_time(rows: int, algorithms: int) -> None:
    """Print the time of metrics, comparisons and slices, scores given."""
    rng = np.random.default_rng(0)
    y, scores = scored_rows(rng, rows, algorithms)
    frame = pd.DataFrame(
        {f"level {c}": rng.integers(0, 5, rows).astype(str) for c in range(5)}
        | {f"number {c}": rng.normal(size=rows) for c in range(10)}
    )
    steps = {
        "metrics with intervals": lambda: [classification_metrics(y, s, THRESHOLD) for s in scores.values()],
        "comparisons of the top three": lambda: compare_models(y, scores, dict.fromkeys(scores, THRESHOLD)),
        "slices of the best, 15 columns": lambda: slice_metrics(
            y, scores["algorithm 1"], frame, list(frame)[:5], list(frame)[5:]
        ),
    }
    print(f"| {algorithms} algorithms, {rows:,} rows | seconds | CPU seconds |\n| --- | ---: | ---: |")
    for name, step in steps.items():
        wall, cpu = time.perf_counter(), time.process_time()
        step()
        print(f"| {name} | {time.perf_counter() - wall:.1f} | {time.process_time() - cpu:.1f} |")
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB\n")


def calibrated_rows(rng: np.random.Generator, rows: int, blocked: bool) -> tuple[np.ndarray, np.ndarray, object]:
    """Labels drawn from their probabilities, those probabilities, and blocks (or None).

    Rows of a block share half of the variance of their logit, and their outcomes follow one uniform draw in
    half of the cases.
    """
    if not blocked:
        p = 1 / (1 + np.exp(1 - 1.2 * rng.normal(size=rows)))
        return rng.random(rows) < p, p, None
    block = np.arange(rows) // ROWS_PER_BLOCK
    shared = rng.normal(size=rows)[block]
    p = 1 / (1 + np.exp(1 - 1.2 * (np.sqrt(0.5) * shared + np.sqrt(0.5) * rng.normal(size=rows))))
    follows = rng.random(rows) < 0.5
    return np.where(follows, rng.random(rows)[block], rng.random(rows)) < p, p, block


def true_values() -> dict[str, float]:
    """The metrics of the population, from four million rows."""
    y, p, _ = calibrated_rows(np.random.default_rng(10_000), 4_000_000, blocked=False)
    predicted = p >= THRESHOLD
    return {
        "roc_auc": sk.roc_auc_score(y, p),
        "average_precision": sk.average_precision_score(y, p),
        "accuracy": float((y == predicted).mean()),
        "precision": float(y[predicted].mean()),
        "recall": float(predicted[y].mean()),
        "f1": sk.f1_score(y, predicted),
        "f1_weighted": sk.f1_score(y, predicted, average="weighted"),
        "log_loss": sk.log_loss(y, p),
        "brier": sk.brier_score_loss(y, p),
        "expected_calibration_error": 0.0,
    }


def measure_coverage(draws: int) -> None:
    """Print how often the 95 % intervals hold the population's value."""
    truth = true_values()
    columns: dict[str, dict[str, float]] = {}
    for blocked in (False, True):
        for rows in COVERAGE_ROWS:
            rng = np.random.default_rng([rows, blocked])
            covered = dict.fromkeys([*METRIC_NAMES, "difference of two AUCs"], 0)
            for _ in range(draws):
                y, p, block = calibrated_rows(rng, rows, blocked)
                found = classification_metrics(y, p, THRESHOLD, blocks=block, seed=int(rng.integers(2**31)))
                for name, metric in found.items():
                    covered[name] += metric.low is not None and metric.low <= truth[name] <= metric.high
                noisy = [np.log(p / (1 - p)) + 0.7 * rng.normal(size=rows) for _ in range(2)]
                low, high = delong_test(y, *noisy, blocks=block).ci
                covered["difference of two AUCs"] += low <= 0 <= high
            header = f"{rows:,} rows" + (f", blocks of {ROWS_PER_BLOCK}" if blocked else "")
            columns[header] = {name: count / draws for name, count in covered.items()}
    print("| coverage of 95 % intervals | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns))
    for name in [*METRIC_NAMES, "difference of two AUCs"]:
        print(f"| {name} | " + " | ".join(f"{column[name]:.1%}" for column in columns.values()) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--algorithms", type=int, default=6)
    parser.add_argument("--coverage-draws", type=int, default=0, help="0: time only")
    arguments = parser.parse_args()
    measure_time(arguments.rows, arguments.algorithms)
    if arguments.coverage_draws:
        measure_coverage(arguments.coverage_draws)


if __name__ == "__main__":
    main()
