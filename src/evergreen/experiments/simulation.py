"""Made-up requests that go the way of real ones: what does a design find, and how often is it wrong?"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from scipy import stats

from evergreen.errors import EvergreenError
from evergreen.experiments.assignment import assign_all
from evergreen.experiments.exposures import SHADOW_SUFFIX
from evergreen.experiments.parameters import ExperimentPolicy, MetricPolicy, TrafficPolicy
from evergreen.experiments.plan import Expected

OF_A_CLASSIFIER = ("roc_auc", "accuracy", "log_loss", "brier", "value")


def default_experiment() -> ExperimentPolicy:
    """What is simulated where no experiment is active: a split on the outcome."""
    metric = MetricPolicy(kind="binary", minimum_effect=0.05)
    return ExperimentPolicy(
        name="simulated", mode="split", feedback="decision_changes_outcome", metric=metric, minimum_days=7,
        hypothesis="The answers of the second version make the outcome more frequent.", planned_rows=10_000,
    )  # fmt: skip


def expected_of_traffic(experiment: ExperimentPolicy, traffic: TrafficPolicy) -> Expected | None:
    """What a plan may know of made-up traffic; None for metrics that it does not state."""
    kind, share = experiment.metric.kind, traffic.positive_share
    if kind == "roc_auc":
        return Expected(traffic.baseline, None, share, traffic.correlation)
    if kind == "binary":
        return Expected(traffic.baseline, float(np.sqrt(traffic.baseline * (1 - traffic.baseline))), traffic.baseline)
    return Expected(traffic.baseline, 1.0, share) if kind == "continuous" else None


def simulate_exposures(experiment: ExperimentPolicy, traffic: TrafficPolicy, last: dt.date) -> pd.DataFrame:
    """Exposures as the service logs them, with outcomes, over the days up to ``last``.

    Scores are binormal and calibrated; ``effect`` moves the second variant's metric: its ROC AUC where the metric is
    one of a classifier, else the mean of the outcome or of the metric's column.

    Args:
        experiment: Its definition.
        traffic: How much, how different.
        last: The newest day.

    Raises:
        EvergreenError: Where baseline and effect are impossible.
    """
    rng = np.random.default_rng(traffic.seed)
    rows = traffic.days * traffic.requests_per_day
    frame = pd.DataFrame({"request_id": [f"simulated-{k}" for k in range(rows)], "entity_id": _entities(rng, rows)})
    day = np.repeat(np.arange(traffic.days), traffic.requests_per_day)
    first = pd.Timestamp(last) - pd.Timedelta(days=traffic.days - 1)
    frame["timestamp"] = first + pd.to_timedelta(day * 86_400 + rng.integers(0, 86_400, rows), unit="s")
    scored = experiment.metric.kind in OF_A_CLASSIFIER
    base = traffic.positive_share if scored else min(max(traffic.baseline, 0.01), 0.99)
    draw = rng.random(rows)
    label = (draw < base).astype(np.int8)
    auc = (traffic.baseline, traffic.baseline + traffic.effect) if scored else (0.75, 0.75)
    frames = []
    for side, probability in enumerate(_scores(rng, label, auc, base, traffic.correlation)):
        prediction = (probability >= 0.5).astype(np.int8)
        frames.append(frame.assign(label=label, probability=probability, prediction=prediction))
        frames[side]["latency_ms"] = rng.gamma(4, 0.25, rows)
        frames[side]["variant"] = list(experiment.variants)[side]
    if experiment.paired:
        frames[1]["request_id"] += SHADOW_SUFFIX
        return pd.concat(frames, ignore_index=True)
    units = frame["entity_id"] if experiment.unit == "entity" else frame["request_id"]
    variant = np.array(assign_all(units, experiment.name, experiment.weights, experiment.salt))
    return _outcomes(rng, experiment, traffic, draw, _chosen(frames, variant))


def _entities(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Ids of about as many entities as requests: few come twice."""
    return np.array([f"e{number}" for number in rng.integers(0, max(10 * rows, 1), rows)])


def _scores(
    rng: np.random.Generator, label: np.ndarray, aucs: tuple[float, float], share: float, correlation: float
) -> list[np.ndarray]:
    """Two calibrated score vectors: the posterior of binormal signals that share their noise."""
    if not all(0.5 <= auc < 1 for auc in aucs):
        raise EvergreenError(f"simulated ROC AUCs are {aucs[0]:g} and {aucs[1]:g}: from 0.5 to below 1 are possible")
    shared = np.sqrt(correlation) * rng.normal(size=len(label))
    found = []
    for auc in aucs:
        distance = np.sqrt(2) * stats.norm.ppf(auc)
        signal = distance * label + shared + np.sqrt(1 - correlation) * rng.normal(size=len(label))
        odds = np.log(share / (1 - share)) + distance * signal - distance**2 / 2
        found.append(1 / (1 + np.exp(-odds)))
    return found


def _chosen(frames: list[pd.DataFrame], variant: np.ndarray) -> pd.DataFrame:
    first, second = frames
    is_second = variant == second["variant"].iloc[0]
    return pd.concat([first[~is_second], second[is_second]]).sort_index()


def _outcomes(
    rng: np.random.Generator,
    experiment: ExperimentPolicy,
    traffic: TrafficPolicy,
    draw: np.ndarray,
    frame: pd.DataFrame,
) -> pd.DataFrame:
    """Outcomes that follow the variant, where the metric is one of the rows."""
    metric, is_second = experiment.metric, (frame["variant"] == experiment.treatment).to_numpy()
    if metric.kind == "binary":
        share = traffic.baseline + traffic.effect * is_second
        if not ((share >= 0) & (share <= 1)).all():
            raise EvergreenError(f"simulated shares are {sorted(set(share))}: from 0 to 1 are possible")
        return frame.assign(**{metric.column or "label": (draw < share).astype(np.int8)})
    if metric.kind in ("continuous", "ratio"):
        value = rng.normal(traffic.baseline + traffic.effect * is_second, 1.0)
        frame = frame.assign(**{str(metric.column): value})
        return frame.assign(**{metric.denominator: 1.0}) if metric.denominator else frame
    return frame
