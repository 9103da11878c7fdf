"""A fitted pipeline as a plan and plain arrays, which a predictor reads without scikit-learn."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder
from sklearn.svm import SVC

from evergreen.errors import EvergreenError
from evergreen.modelling.calibration import PlattScaled
from evergreen.modelling.encoding import FIRST, CategoryCodes
from evergreen.modelling.predictor import ACTIVATIONS, ARRAYS_FILE, PLAN_FILE, read_plain
from evergreen.modelling.preprocessing import TIERS, CategoryText, PriceTier

Model = tuple[dict[str, Any], dict[str, np.ndarray]]
ENCODERS = ([CategoryText, CategoryCodes], [CategoryText, TargetEncoder])  # the latter in models of before
STEPS = ("columns", "select", "scale", "classifier")


class NotCompilableError(EvergreenError):
    """A step or estimator that has no plain form here; scikit-learn answers for it."""


@dataclass(frozen=True)
class Compiled:
    """A pipeline's plain form.

    Attributes:
        plan: Everything but arrays, as JSON can carry it.
        arrays: The model's arrays, by name.
    """

    plan: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def write(self, folder: Path) -> None:
        """Write plan and arrays into an existing folder; the plan last, so that a folder with one is whole."""
        np.savez(folder / ARRAYS_FILE, **self.arrays)  # type: ignore[arg-type]
        (folder / PLAN_FILE).write_text(json.dumps(self.plan, allow_nan=False), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Compiled:
        """What :meth:`write` wrote."""
        return cls(*read_plain(folder))


def compile_pipeline(pipeline: Pipeline, facts: dict[str, Any] | None = None) -> Compiled:
    """Take a fitted pipeline of :func:`~evergreen.modelling.estimators.make_pipeline` apart.

    Args:
        pipeline: The fitted pipeline.
        facts: What else the plan shall carry (use case, version, threshold, …).

    Raises:
        NotCompilableError: Naming the step or estimator that has no plain form.
    """
    unknown = [name for name, _ in pipeline.steps if name not in STEPS]
    if unknown or not {"columns", "select", "classifier"} <= set(pipeline.named_steps):
        raise NotCompilableError(f"a pipeline of the steps {', '.join(pipeline.named_steps)} has no plain form")
    numeric, categorical, outputs = _outputs(pipeline.named_steps["columns"])
    select = pipeline.named_steps["select"]
    chosen = [outputs[place] for place in np.flatnonzero(select.get_support())]
    kept = [each for output in chosen for each in _columns(output, getattr(select, "one_hot", False))]
    model, arrays = _model(pipeline.named_steps["classifier"])
    scale = _scale(pipeline.named_steps.get("scale"), len(kept))
    plan = {
        "format": 1,
        **(facts or {}),
        "numeric": numeric,
        "categorical": categorical,
        "kept": kept,
        "model": model,
        "calibration": _calibration(pipeline.named_steps["classifier"]),
    }
    if model["kind"] == "trees" and "scale" in pipeline.named_steps:
        raise NotCompilableError("trees after a scaler have no plain form")
    arrays = arrays if model["kind"] == "trees" else arrays | scale
    return Compiled(plan, {name: np.array(values) for name, values in arrays.items()})


def split_points(compiled: Compiled) -> dict[str, np.ndarray]:
    """Where a numeric feature's value changes the model's way: thresholds of trees and edges of tiers, by feature."""
    found: dict[str, list[np.ndarray]] = {}
    for place, kept in enumerate(compiled.plan["kept"]):
        if kept["kind"] == "tier":
            found.setdefault(kept["feature"], []).append(np.array(kept["edges"]))
        elif kept["kind"] == "number" and "threshold" in compiled.arrays:
            inner = (compiled.arrays["left"] >= 0) & (compiled.arrays["feature"] == place)
            found.setdefault(kept["feature"], []).append(compiled.arrays["threshold"][inner])
    return {name: np.unique(np.concatenate(points)) for name, points in found.items()}


def _outputs(columns: Any) -> tuple[list[str], list[str], list[dict[str, Any]]]:
    numeric: list[str] = []
    categorical: list[str] = []
    outputs: list[dict[str, Any]] = []
    for _, step, names in columns.transformers_:
        if isinstance(step, SimpleImputer) and step.strategy == "median" and not step.add_indicator:
            numeric += list(names)
            fills = step.statistics_.tolist()
            outputs += [{"kind": "number", "feature": n, "missing": f} for n, f in zip(names, fills, strict=True)]
        elif isinstance(step, PriceTier):
            edges = step.edges_.tolist()
            outputs.append(
                {"kind": "tier", "feature": names[0], "missing": float(TIERS.index("Medium")), "edges": edges}
            )
        elif isinstance(step, Pipeline) and [type(part) for _, part in step.steps] in ENCODERS:
            categorical += list(names)
            outputs += _encoded(step.steps[0][1], step.steps[1][1], list(names))
        else:
            raise NotCompilableError(f"preprocessing by {type(step).__name__} has no plain form")
    return numeric, categorical, outputs


def _columns(output: dict[str, Any], one_hot: bool) -> list[dict[str, Any]]:
    """A kept feature's columns: itself, or where levels are few and asked for so one indicator a level."""
    levels = list(output.get("codes", {}))
    if not one_hot or not levels or min(output["codes"].values()) < FIRST:
        return [output]
    indicators = [{level: float(level == each) for level in levels} for each in levels]
    return [{**output, "missing": 0.0, "codes": codes} for codes in indicators]


def _encoded(text: CategoryText, encoder: TargetEncoder | CategoryCodes, names: list[str]) -> list[dict[str, Any]]:
    by_column = isinstance(encoder, CategoryCodes)
    unknown = encoder.unknown_ if by_column else [float(encoder.target_mean_)] * len(names)
    spelt = getattr(text, "levels_", encoder.categories_)  # models of before know what their encoder lists
    return [
        {
            "kind": "category",
            "feature": name,
            "missing": missing,
            "levels": list(map(str, known)),
            "codes": dict(zip(map(str, levels), values.tolist(), strict=True)),
        }
        for name, missing, known, levels, values in zip(
            names, unknown, spelt, encoder.categories_, encoder.encodings_, strict=True
        )
    ]


def _scale(scaler: Any, width: int) -> dict[str, np.ndarray]:
    if scaler is None:
        return {"mean": np.zeros(width), "scale": np.ones(width)}
    if not isinstance(scaler, StandardScaler):
        raise NotCompilableError(f"scaling by {type(scaler).__name__} has no plain form")
    mean = scaler.mean_ if scaler.with_mean else np.zeros(width)
    return {"mean": mean, "scale": scaler.scale_ if scaler.with_std else np.ones(width)}


def _calibration(classifier: Any) -> dict[str, Any]:
    if not isinstance(classifier, PlattScaled):
        return {"plain": True}
    has_probability = hasattr(classifier.estimator_, "predict_proba")
    return {
        "plain": has_probability and (classifier.slope, classifier.intercept) == (1.0, 0.0),
        "of_probability": has_probability,
        "slope": float(classifier.slope),
        "intercept": float(classifier.intercept),
    }


def _model(classifier: Any) -> Model:
    estimator = classifier.estimator_ if isinstance(classifier, PlattScaled) else classifier
    compiler = COMPILERS.get(type(estimator))
    if compiler is None or len(estimator.classes_) != 2:
        raise NotCompilableError(f"{type(estimator).__name__} has no plain form")
    return compiler(estimator)


def _logistic(estimator: LogisticRegression) -> Model:
    model = {"kind": "linear", "probability": False, "intercept": float(estimator.intercept_[0])}
    return model, {"coef": np.asarray(estimator.coef_[0], np.float64)}


def _prior(estimator: DummyClassifier) -> Model:
    if estimator.strategy != "prior":
        raise NotCompilableError(f"a DummyClassifier with strategy {estimator.strategy} has no plain form")
    return {"kind": "constant", "probability": True, "value": float(estimator.class_prior_[1])}, {}


def _network(estimator: MLPClassifier) -> Model:
    if estimator.activation not in ACTIVATIONS or estimator.out_activation_ != "logistic":
        raise NotCompilableError(f"a network with activation {estimator.activation} has no plain form")
    weights = {f"weights_{i}": np.asarray(w, np.float64) for i, w in enumerate(estimator.coefs_)}
    biases = {f"bias_{i}": np.asarray(b, np.float64) for i, b in enumerate(estimator.intercepts_)}
    layers = len(estimator.coefs_)
    plan = {"kind": "network", "probability": False, "layers": layers, "activation": estimator.activation}
    return plan, weights | biases


def _support_vectors(estimator: SVC) -> Model:
    if estimator.kernel not in ("rbf", "linear") or hasattr(estimator, "predict_proba"):
        raise NotCompilableError(f"an SVM with kernel {estimator.kernel} has no plain form")
    plan = {
        "kind": "kernel",
        "probability": False,
        "kernel": estimator.kernel,
        "gamma": float(estimator._gamma),
        "intercept": float(estimator.intercept_[0]),
    }
    return plan, {"vectors": estimator.support_vectors_, "dual": np.asarray(estimator.dual_coef_[0])}


def _forest(estimator: RandomForestClassifier) -> Model:
    trees = [_tree(member.tree_, member.tree_.value[:, 0, 1]) for member in estimator.estimators_]
    plan = _trees_plan(probability=True, divide=float(len(trees)), float32=True)
    return plan, _joined(trees)


def _boosting(estimator: GradientBoostingClassifier) -> Model:
    trees = [_tree(member.tree_, member.tree_.value[:, 0, 0]) for member in estimator.estimators_[:, 0]]
    start = float(estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), np.float32))[0, 0])
    return _trees_plan(start=start, rate=float(estimator.learning_rate), float32=True), _joined(trees)


def _histogram_boosting(estimator: HistGradientBoostingClassifier) -> Model:
    trees = []
    for (predictor,) in estimator._predictors:
        nodes = predictor.nodes
        if nodes["is_categorical"].any():
            raise NotCompilableError("trees that split on native categories have no plain form")
        leaf = nodes["is_leaf"].astype(bool)
        trees.append(
            {
                "feature": np.where(leaf, 0, nodes["feature_idx"]),
                "threshold": np.where(leaf, 0.0, nodes["num_threshold"]),
                "left": np.where(leaf, -1, nodes["left"].astype(np.int64)),
                "right": np.where(leaf, -1, nodes["right"].astype(np.int64)),
                "value": nodes["value"],
            }
        )
    return _trees_plan(start=float(np.ravel(estimator._baseline_prediction)[0])), _joined(trees)


COMPILERS: dict[type, Callable[[Any], Model]] = {
    DummyClassifier: _prior,
    GradientBoostingClassifier: _boosting,
    HistGradientBoostingClassifier: _histogram_boosting,
    LogisticRegression: _logistic,
    MLPClassifier: _network,
    RandomForestClassifier: _forest,
    SVC: _support_vectors,
}


def _trees_plan(
    *, start: float = 0.0, rate: float = 1.0, divide: float = 1.0, probability: bool = False, float32: bool = False
) -> dict[str, Any]:
    numbers = {"start": start, "rate": rate, "divide": divide}
    return {"kind": "trees", "probability": probability, "float32": float32, **numbers}


def _tree(tree: Any, value: np.ndarray) -> dict[str, np.ndarray]:
    leaf = tree.children_left < 0
    return {
        "feature": np.where(leaf, 0, tree.feature),
        "threshold": np.where(leaf, 0.0, tree.threshold),
        "left": tree.children_left,
        "right": np.where(leaf, -1, tree.children_right),
        "value": value,
    }


def _joined(trees: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """All trees one after the other, children by their place in the whole."""
    sizes = [len(tree["left"]) for tree in trees]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    for tree, root in zip(trees, roots, strict=True):
        for child in ("left", "right"):
            tree[child] = np.where(tree[child] >= 0, tree[child] + root, -1)
    types = {"feature": np.int32, "threshold": np.float64, "left": np.int32, "right": np.int32, "value": np.float64}
    joined = {name: np.concatenate([tree[name] for tree in trees]).astype(kind) for name, kind in types.items()}
    return joined | {"roots": roots}
