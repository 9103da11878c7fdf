"""How far performance estimated before labels is off, beside NannyML on the same rows.

    python benchmarks/estimates.py [--repetitions 100] [--nannyml PYTHON]
    python benchmarks/estimates.py --cost

A logistic regression, misspecified in all worlds (the outcome depends on a product and a square, too), is trained on
5,000 rows; 5,000 others are the reference; a window has 1,000. In each world the figures are the mean absolute error of
the estimated ROC AUC and F1 against the window's own labels, and how often the 95 % interval covers it.

``--nannyml`` is a Python of an environment of its own with ``nannyml`` installed, which conflicts with the libraries
pinned here: it gets the same scores, features and labels as files, and estimates with its CBPE.

``--cost``: CPU seconds of PAPE for 100,000 rows of 15 numbers and 5 categories against 10,000, with a correlation that
turns, which only boosting tells, so that it is fitted nine times.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score

from drift_tables import show
from evergreen.monitoring.density_ratio import density_ratio
from evergreen.monitoring.estimated import estimate_performance

FEATURES = [f"x{i}" for i in range(6)]
TRAIN, REFERENCE, WINDOW = 5_000, 5_000, 1_000


@dataclass(frozen=True)
class World:
    """How a window differs: a shift of the first feature, a share of positives to sample to, the base rate's logit."""

    shift: float = 0.0
    positives: float | None = None
    base: float = -1.0


WORLDS = {
    "nothing changed": World(),
    "covariate shift: x0 + .8 sd": World(shift=0.8),
    "covariate shift: x0 + .4 sd": World(shift=0.4),
    "label shift: to 50 % positives": World(positives=0.5),
    "1 % positives, nothing changed": World(base=-5.1),
}


def rows(rng: np.random.Generator, count: int, world: World, *, window: bool) -> pd.DataFrame:
    """Features and outcome ``y``; the outcome's dependence on features is the same in every world."""
    drawn = count * 20 if window and world.positives is not None else count
    x = rng.normal(size=(drawn, len(FEATURES)))
    if window:
        x[:, 0] += world.shift
    logit = world.base + x[:, 0] * 0.9 + x[:, 1] * 0.7 - 0.5 * x[:, 2] + 0.8 * x[:, 0] * x[:, 1] - 0.6 * x[:, 0] ** 2
    y = (rng.random(drawn) < special.expit(logit)).astype(int)
    frame = pd.DataFrame(x, columns=FEATURES).assign(y=y)
    if drawn == count:
        return frame
    wanted = round(count * (world.positives or 0))
    return pd.concat([frame[frame["y"] == 1][:wanted], frame[frame["y"] == 0][: count - wanted]])


def draw(seed: int, world: World) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Scored reference and window, and the threshold of the best F1 on the training rows' scores."""
    rng = np.random.default_rng(seed)
    train, reference, window = (
        rows(rng, count, world, window=new) for count, new in ((TRAIN, False), (REFERENCE, False), (WINDOW, True))
    )
    model = LogisticRegression().fit(train[FEATURES], train["y"])
    scored = [part.assign(score=model.predict_proba(part[FEATURES])[:, 1]) for part in (train, reference, window)]
    limits = np.quantile(scored[0]["score"], np.linspace(0.5, 0.995, 60))
    best = max(limits, key=lambda limit: f1_score(scored[0]["y"], scored[0]["score"] >= limit))
    return scored[1], scored[2], float(best)


def own(reference: pd.DataFrame, window: pd.DataFrame, threshold: float) -> dict[str, dict[str, list[float]]]:
    """Method → metric → value, low, high."""
    ratio = density_ratio(reference[FEATURES], window[FEATURES], numeric=FEATURES)
    found = {}
    for name, weights in (("PAPE", ratio), ("CBPE", None)):
        estimate = estimate_performance(
            reference["score"], reference["y"], window["score"], threshold=threshold, ratio=weights
        )
        found[name] = estimate.metrics
        if weights is not None and estimate.label_shift:
            found["label shift (EM)"] = estimate.label_shift.metrics
    return {
        name: {metric: [each[metric].value, each[metric].low, each[metric].high] for metric in ("roc_auc", "f1")}
        for name, each in found.items()
    }


PEER = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import pandas as pd
from nannyml import CBPE
found = {}
for line in open(sys.argv[1]):
    job = json.loads(line)
    both = [pd.read_parquet(job[side]) for side in ("reference", "window")]
    for part in both:
        part["prediction"] = (part["score"] >= job["threshold"]).astype(int)
    peer = CBPE(problem_type="classification_binary", y_pred_proba="score", y_pred="prediction", y_true="y",
                metrics=["roc_auc", "f1"], chunk_size=len(both[1]))
    result = peer.fit(both[0]).estimate(both[1]).filter(period="analysis").to_df()
    found[job["id"]] = {
        metric: [float(result[metric][key].iloc[0])
                 for key in ("value", "lower_confidence_boundary", "upper_confidence_boundary")]
        for metric in ("roc_auc", "f1")
    }
json.dump(found, open(sys.argv[2], "w"))
"""


def with_peer(python: str, draws: dict[str, tuple[pd.DataFrame, pd.DataFrame, float]]) -> dict[str, dict]:
    """NannyML's estimates of all draws, by one process of its own environment."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = []
        for key, (reference, window, threshold) in draws.items():
            job: dict[str, object] = {"id": key, "threshold": threshold}
            for side, part in (("reference", reference), ("window", window)):
                job[side] = str(folder / f"{key}-{side}.parquet")
                part.reset_index(drop=True).to_parquet(job[side])
            lines.append(json.dumps(job))
        (folder / "jobs").write_text("\n".join(lines))
        (folder / "peer.py").write_text(PEER)
        command = [python, str(folder / "peer.py"), str(folder / "jobs"), str(folder / "found")]
        subprocess.run(command, check=True, capture_output=True)
        return json.loads((folder / "found").read_text())


def compared(args: argparse.Namespace) -> Iterator[list]:
    """A line a world and method."""
    for name, world in WORLDS.items():
        if args.setting and args.setting not in name:
            continue
        draws = {str(seed): draw(seed, world) for seed in args.seeds}
        methods = {key: own(*each) for key, each in draws.items()}
        if args.nannyml:
            for key, found in with_peer(args.nannyml, draws).items():
                methods[key]["NannyML CBPE"] = found
        for method in next(iter(methods.values())):
            yield [name, method, *figures(draws, {key: each[method] for key, each in methods.items()})]


def figures(draws: dict[str, tuple[pd.DataFrame, pd.DataFrame, float]], found: dict[str, dict]) -> Iterator[str]:
    """Error and coverage of ROC AUC, then of F1."""
    for metric in ("roc_auc", "f1"):
        errors, covered = [], []
        for key, (_, window, threshold) in draws.items():
            true = (
                roc_auc_score(window["y"], window["score"])
                if metric == "roc_auc"
                else f1_score(window["y"], window["score"] >= threshold)
            )
            value, low, high = found[key][metric]
            errors.append(abs(value - true))
            covered.append(low <= true <= high)
        yield from (f"{np.mean(errors):.4f}", f"{np.mean(covered):.0%}")


def cost() -> Iterator[list]:
    """CPU seconds of the weights and of the estimate by them, three times in a row."""
    yield ["100,000 rows against 10,000, 20 features", "weights, CPU s", "estimate, CPU s", "learner"]
    sides = [_wide(np.random.default_rng(seed), *each) for seed, each in enumerate(((10_000, 0.5), (100_000, -0.5)))]
    numbers, levels = ([name for name in sides[0] if name[0] == kind and name != "y"] for kind in "xc")
    for time_ in ("the first time", "again", "and again"):
        began = time.process_time()
        ratio = density_ratio(sides[0], sides[1], numeric=numbers, categorical=levels)
        weighed = time.process_time()
        estimate_performance(sides[0]["score"], sides[0]["y"], sides[1]["score"], threshold=0.4, ratio=ratio)
        took = weighed - began, time.process_time() - weighed
        yield [time_, *(f"{seconds:.2f}" for seconds in took), ratio.learner if ratio else "–"]


def _wide(rng: np.random.Generator, count: int, correlation: float) -> pd.DataFrame:
    x = rng.normal(size=(count, 15))
    x[:, 1] = correlation * x[:, 0] + np.sqrt(1 - correlation**2) * x[:, 1]
    x[:, 2] += correlation
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(15)])
    frame = frame.assign(**{f"c{i}": np.array([f"l{level}" for level in rng.integers(0, 12, count)]) for i in range(5)})
    linear = x[:, 0] + x[:, 1] - 1
    outcome = rng.random(count) < special.expit(linear + x[:, 0] * x[:, 1])
    return frame.assign(score=special.expit(linear), y=outcome.astype(int))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=40_000)
    parser.add_argument("--setting", help="only worlds whose name contains this")
    parser.add_argument("--nannyml", help="a Python in whose environment nannyml is installed")
    parser.add_argument("--cost", action="store_true", help="what 100,000 rows cost")
    args = parser.parse_args()
    args.seeds = range(args.first_seed, args.first_seed + args.repetitions)
    if args.cost:
        lines = cost()
        show(next(lines), lines)
    else:
        show(["world", "method", "AUC error", "AUC covered", "F1 error", "F1 covered"], compared(args))


if __name__ == "__main__":
    main()
