"""What does it cost to explain each algorithm, and do the values add up? Prints a markdown table."""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from evergreen.evaluation.explanation import explain
from evergreen.evaluation.importance import permutation_importance_interval
from evergreen.modelling.estimators import ALGORITHMS, make_pipeline
from evergreen.schema import TableSpec

ROW_CAPS = {"SVM": 3_000, "NeuralNetwork": 20_000}
THRIFTY = {"RandomForest": {"min_samples_leaf": 3}}


def churners(rows: int, spec: TableSpec, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Half of the features matter, by falling degrees."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: rng.normal(size=rows) for name in spec.numeric})
    for name in spec.categorical:
        frame[name] = rng.integers(0, 5, rows).astype(str)
    margin = sum((-1) ** j * frame[name] / (j + 1) for j, name in enumerate(spec.numeric[: len(spec.numeric) // 2]))
    margin = margin + 0.5 * (frame[spec.categorical[0]] == "1") - 1
    return frame, (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.int8).to_numpy()


def main() -> None:
    """Fit every algorithm, explain it, and permute its features."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train-rows", type=int, default=20_000)
    parser.add_argument("--test-rows", type=int, default=5_000)
    parser.add_argument("--max-rows", type=int, default=1_000, help="rows to explain at the most")
    arguments = parser.parse_args()
    spec = TableSpec(
        entity="id",
        target="y",
        positive=1,
        numeric=[f"n{j}" for j in range(10)],
        categorical=[f"c{j}" for j in range(5)],
    )
    frame, y = churners(arguments.train_rows, spec, seed=0)
    rows, labels = churners(arguments.test_rows, spec, seed=1)
    print("| algorithm | explainer | units | rows | additivity error | SHAP, CPU s | AUC loss, CPU s |")
    print("| --- | --- | --- | --: | --: | --: | --: |")
    for name in ALGORITHMS:
        cap = ROW_CAPS.get(name, len(y))
        pipeline = make_pipeline(name, spec, THRIFTY.get(name, {}), seed=0).fit(frame[:cap], y[:cap])
        start = time.process_time()
        found = explain(pipeline, rows, spec, background=rows, max_rows=arguments.max_rows)
        explained = time.process_time()
        permutation_importance_interval(pipeline, rows, labels, spec)
        permuted = time.process_time()
        print(
            f"| {name} | {found.explainer} | {found.units} | {len(found.shap_values)} | {found.additivity_error:.1e} "
            f"| {explained - start:.2f} | {permuted - explained:.2f} |"
        )


if __name__ == "__main__":
    main()
