"""What does a compiled version answer? Reads plan and arrays; needs numpy alone.

``kedro models export`` copies this file beside the arrays that it reads, so that a version answers where neither
Evergreen nor scikit-learn is installed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

PLAN_FILE = "plan.json"
ARRAYS_FILE = "arrays.npz"
LARGEST = float(np.finfo(np.float32).max)
"""Forests and gradient boosting read float32: a number beyond it is refused, as scikit-learn does."""
_CLIP = 1e-6
_BATCH_ROWS = 1024

Arrays = Mapping[str, np.ndarray]


class Canonical(Protocol):
    """What a value means: the module ``canonical``, which the export has beside this file."""

    Levels: Any

    def canonical_text(self, value: Any) -> str:
        """The text in which a value is compared."""


class TreeKernel(Protocol):
    """How the leaves of many trees are summed up, for one row and for many."""

    def one(self, x: np.ndarray, trees: Arrays, start: float, rate: float) -> float:
        """``start`` plus ``rate`` times the leaf value of every tree, in the trees' order."""

    def many(self, X: np.ndarray, trees: Arrays, start: float, rate: float) -> np.ndarray:
        """The same for every row of X (n, k)."""


class NumpyTrees:
    """All trees walk down together, one level a step."""

    def one(self, x: np.ndarray, trees: Arrays, start: float, rate: float) -> float:
        """See :class:`TreeKernel`."""
        return float(self.many(x[None, :], trees, start, rate)[0])

    def many(self, X: np.ndarray, trees: Arrays, start: float, rate: float) -> np.ndarray:
        """See :class:`TreeKernel`."""
        parts = [self._some(X[i : i + _BATCH_ROWS], trees, start, rate) for i in range(0, len(X), _BATCH_ROWS)]
        return np.concatenate([np.empty(0), *parts])

    @staticmethod
    def _some(X: np.ndarray, trees: Arrays, start: float, rate: float) -> np.ndarray:
        left, right, feature, threshold = (trees[name] for name in ("left", "right", "feature", "threshold"))
        node = np.broadcast_to(trees["roots"], (len(X), len(trees["roots"]))).copy()
        rows = np.broadcast_to(np.arange(len(X))[:, None], node.shape)
        inner = left[node] >= 0
        while inner.any():
            at = node[inner]
            low = X[rows[inner], feature[at]] <= threshold[at]
            node[inner] = np.where(low, left[at], right[at])
            inner = left[node] >= 0
        total = np.full(len(X), start)
        for values in (rate * trees["value"][node]).T:
            total += values
        return total


def read_plain(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Plan and arrays of a model's plain form, as they were written to a folder."""
    plan = json.loads((folder / PLAN_FILE).read_text(encoding="utf-8"))
    with np.load(folder / ARRAYS_FILE, allow_pickle=False) as found:
        return plan, {name: np.ascontiguousarray(found[name]) for name in found.files}


def expit(x: np.ndarray) -> np.ndarray:
    """The logistic function, without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def _expit(x: float) -> float:
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    small = math.exp(x)
    return small / (1.0 + small)


class Predictor:
    """A version's probabilities of class 1, from plain values.

    Args:
        plan: What :func:`evergreen.modelling.compiled.compile_pipeline` says.
        arrays: Its arrays, by name.
        canonical: What a category means.
        trees: Who sums up trees.
    """

    def __init__(
        self, plan: dict[str, Any], arrays: Arrays, canonical: Canonical, trees: TreeKernel | None = None
    ) -> None:
        self.plan, self.arrays = plan, arrays
        self.numeric: list[str] = plan["numeric"]
        self.categorical: list[str] = plan["categorical"]
        self.features = [*self.numeric, *self.categorical]
        self._trees = trees or NumpyTrees()
        self._kept = [_Output(kept, self.features, canonical) for kept in plan["kept"]]
        self._codes = [(output.place, output.coded()) for output in self._kept]
        self._model = plan["model"]
        kind = self._model["kind"]
        self._margin_one = {"linear": self._linear_one, "trees": self._forest_one}.get(kind)
        self._margins = {
            "linear": self._linear,
            "trees": self._forest,
            "network": self._network,
            "kernel": self._kernel,
            "constant": self._constant,
        }[kind]
        self._calibration = plan["calibration"]

    @classmethod
    def read(cls, folder: Path, canonical: Canonical, trees: TreeKernel | None = None) -> Predictor:
        """The predictor that was written to a folder."""
        return cls(*read_plain(folder), canonical, trees)

    def probability(self, values: Sequence[Any]) -> float:
        """Probability of class 1 of one row, its values in the order of ``features``; None is missing."""
        x = np.array([code(values[place]) for place, code in self._codes])
        if self._model.get("float32"):
            x = x.astype(np.float32).astype(np.float64)
        if self._margin_one is None:
            return float(self._calibrated(self._margins(x[None, :]))[0])
        return self._calibrated_one(self._margin_one(x))

    def probabilities(self, columns: Mapping[str, Sequence[Any]], rows: int) -> np.ndarray:
        """Probabilities of class 1 (rows,) of a table given by columns; missing is None or NaN."""
        X = np.empty((rows, len(self._kept)))
        for place, output in enumerate(self._kept):
            X[:, place] = output.many(columns[output.name])
        if self._model.get("float32"):
            X = X.astype(np.float32).astype(np.float64)
        return self._calibrated(self._margins(X))

    def _calibrated_one(self, score: float) -> float:
        c = self._calibration
        p = score if self._model["probability"] else _expit(score)
        if c["plain"]:
            return p
        if c["of_probability"]:
            p = min(max(p, _CLIP), 1 - _CLIP)
            score = math.log(p / (1 - p))
        return _expit(c["slope"] * score + c["intercept"])

    def _calibrated(self, scores: np.ndarray) -> np.ndarray:
        c = self._calibration
        p = scores if self._model["probability"] else expit(scores)
        if c["plain"]:
            return p
        if c["of_probability"]:
            p = np.clip(p, _CLIP, 1 - _CLIP)
            scores = np.log(p / (1 - p))
        return expit(c["slope"] * scores + c["intercept"])

    def _forest_one(self, x: np.ndarray) -> float:
        model = self._model
        return self._trees.one(x, self.arrays, model["start"], model["rate"]) / model["divide"]

    def _forest(self, X: np.ndarray) -> np.ndarray:
        model = self._model
        return self._trees.many(np.ascontiguousarray(X), self.arrays, model["start"], model["rate"]) / model["divide"]

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        return (X - self.arrays["mean"]) / self.arrays["scale"]

    def _linear_one(self, x: np.ndarray) -> float:
        return float(self._scaled(x) @ self.arrays["coef"]) + float(self._model["intercept"])

    def _linear(self, X: np.ndarray) -> np.ndarray:
        return self._scaled(X) @ self.arrays["coef"] + self._model["intercept"]

    def _network(self, X: np.ndarray) -> np.ndarray:
        X = self._scaled(X)
        layers = self._model["layers"]
        for layer in range(layers):
            X = X @ self.arrays[f"weights_{layer}"] + self.arrays[f"bias_{layer}"]
            if layer < layers - 1:
                X = ACTIVATIONS[self._model["activation"]](X)
        return X[:, 0]

    def _kernel(self, X: np.ndarray) -> np.ndarray:
        """Support vectors; the radial kernel sums squared differences as libsvm does, row by row."""
        X, vectors, dual = self._scaled(X), self.arrays["vectors"], self.arrays["dual"]
        gamma, intercept = self._model["gamma"], self._model["intercept"]
        if self._model["kernel"] == "linear":
            return X @ (dual @ vectors) + intercept
        squares = (((vectors - x) ** 2).sum(axis=1) for x in X)
        return np.array([float(np.exp(-gamma * square) @ dual) + intercept for square in squares])

    def _constant(self, X: np.ndarray) -> np.ndarray:
        return np.full(len(X), self._model["value"])


ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "logistic": expit,
}


class _Output:
    """One input of the model: a number with its fill, a price tier, or an encoded category."""

    def __init__(self, kept: dict[str, Any], features: list[str], canonical: Canonical) -> None:
        self.name: str = kept["feature"]
        self.place = features.index(self.name)
        self.kind: str = kept["kind"]
        self.missing: float = kept["missing"]
        self.codes: dict[str, float] = kept.get("codes", {})
        self.edges = np.array(kept.get("edges", []))
        self._text, self._match = canonical.canonical_text, canonical.Levels(kept.get("levels", [])).match

    def coded(self) -> Callable[[Any], float]:
        """What makes the model's number of one value."""
        missing, edges = self.missing, self.edges
        if self.kind == "category":
            return self.code
        if self.kind == "number":
            return lambda value: missing if value is None or value != value else float(value)
        return lambda value: missing if value is None or value != value else float(edges.searchsorted(value, "left"))

    def code(self, value: Any) -> float:
        """A category's number: of the level itself, of one in another spelling, or of an unknown one."""
        if type(value) is str:
            known = self.codes.get(value)
            if known is not None:
                return known
        return self.codes.get(self._match(self._text(value)), self.missing)

    def many(self, values: Sequence[Any]) -> np.ndarray:
        if self.kind == "category":
            known: dict[Any, float] = {}
            return np.array([_remembered(known, value, self) for value in values], dtype=np.float64)
        numbers = np.array(values, dtype=np.float64)
        found = numbers if self.kind == "number" else np.searchsorted(self.edges, numbers, side="left").astype(float)
        return np.where(np.isnan(numbers), self.missing, found)


def _remembered(known: dict[Any, float], value: Any, output: _Output) -> float:
    """A category's number; equal values of one type are looked up once a batch."""
    key = (type(value), value)
    found = known.get(key)
    if found is None:
        found = known[key] = output.code(value)
    return found
