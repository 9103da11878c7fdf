"""Which algorithms compete, and how is each built?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from evergreen.errors import EvergreenError
from evergreen.modelling.calibration import PlattScaled
from evergreen.modelling.encoding import FEW_LEVELS
from evergreen.modelling.preprocessing import make_preprocessing
from evergreen.schema import TableSpec

Params = dict[str, Any]

COMPETITORS = [
    "HistGradientBoosting",
    "RandomForest",
    "GradientBoosting",
    "LogisticRegression",
    "NeuralNetwork",
    "SVM",
    "Prior",
]
# Search space of each: parameter → values.
GRIDS: dict[str, dict[str, list[Any]]] = {
    "RandomForest": {"n_estimators": [100, 200, 300], "max_depth": [10, 20, None], "min_samples_split": [2, 5, 10]},
    "GradientBoosting": {"n_estimators": [100, 200], "learning_rate": [0.1, 0.01], "max_depth": [3, 5, 7]},
    "SVM": {"C": [0.1, 1, 10], "kernel": ["rbf", "linear"], "gamma": ["scale", "auto"]},
    "LogisticRegression": {"C": [0.1, 1, 10], "penalty": ["l1", "l2"], "solver": ["liblinear", "saga"]},
    "NeuralNetwork": {
        "hidden_layer_sizes": [[50], [100], [50, 30]],
        "activation": ["relu", "tanh"],
        "alpha": [0.0001, 0.001],
    },
    "HistGradientBoosting": {
        "max_iter": [25, 50, 100, 200],
        "learning_rate": [0.05, 0.1],
        "max_leaf_nodes": [7, 15, 31],
    },
}

OWN_TYPES = [
    "evergreen.modelling.calibration.PlattScaled",
    "evergreen.modelling.encoding.CategoryCodes",
    "evergreen.modelling.encoding.FeatureSelection",
    "evergreen.modelling.preprocessing.CategoryText",
    "evergreen.modelling.preprocessing.PriceTier",
    "evergreen.modelling.preprocessing.mutual_information",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
]


@dataclass(frozen=True)
class Imported:
    """A class of a package that an extra of the project brings; imported when the first one is built.

    Attributes:
        package: The package, and the extra of the same name.
        name: The class.
    """

    package: str
    name: str

    def __call__(self, **params: Any) -> Any:
        """Build one.

        Raises:
            EvergreenError: Where the package is not installed, or a library that it needs is not.
        """
        try:
            module = import_module(self.package)
        except (ImportError, OSError) as error:
            raise EvergreenError(
                f"{self.name} needs the package {self.package}, which cannot be imported ({error}): install the extra "
                f"that brings it (pip install 'evergreen[{self.package}]'), or take it off training.algorithms."
            ) from error
        return getattr(module, self.name)(**params)


@dataclass(frozen=True)
class Algorithm:
    """One competitor.

    Attributes:
        build: The scikit-learn class, or the like of another package.
        fixed: Parameters that hold under every strategy, unless a grid says otherwise.
        settled: Parameters that the default strategy sets instead of searching, because they cost much or
            decide little.
        sketch: Parameters that make a fit cheap while configurations are only being ranked.
        scaled: Whether features are standardised first, and categories of few levels are indicators.
        rounds: Parameter that counts boosting rounds: a fit with many contains the fits with fewer.
        rows_per_tree: Parameter with the share of rows that a tree is grown on.
        grid: Its search space where ``training.grids`` has none: parameter → values.
        trusted: Types of its fitted models that skops doesn't know: they may be loaded.
        tree_shap: Whether shap's tree explainer reads its models; where it is wrong, permutations explain them.
    """

    build: Callable[..., Any]
    fixed: Params = field(default_factory=dict)
    settled: Params = field(default_factory=dict)
    sketch: Params = field(default_factory=dict)
    scaled: bool = False
    rounds: str | None = None
    rows_per_tree: str | None = None
    grid: dict[str, list[Any]] = field(default_factory=dict)
    trusted: tuple[str, ...] = ()
    tree_shap: bool = False

    @property
    def installed(self) -> bool:
        """Whether the package that brings it is there."""
        return not isinstance(self.build, Imported) or find_spec(self.build.package) is not None

    def builds(self, estimator: Any) -> bool:
        """Whether an estimator is one of its own."""
        kind = type(estimator)
        if isinstance(self.build, Imported):
            return (kind.__module__.partition(".")[0], kind.__name__) == (self.build.package, self.build.name)
        return kind is self.build


ALGORITHMS: dict[str, Algorithm] = {
    "HistGradientBoosting": Algorithm(
        HistGradientBoostingClassifier,
        fixed={"early_stopping": False},
        sketch={"max_iter": 30},
        rounds="max_iter",
        tree_shap=True,
    ),
    # Solvers differ in the path, not in the optimum. With at most k selected features and C searched, l1 and l2
    # reach the same AUC, and Newton's method needs a handful of passes for l2.
    "LogisticRegression": Algorithm(
        LogisticRegression,
        fixed={"solver": "saga", "max_iter": 500, "tol": 1e-3},
        settled={"penalty": "l2", "solver": "newton-cholesky"},
        scaled=True,
    ),
    # More trees average more and change no expectation (Breiman 2001); with ten rows a leaf, depth and the size of
    # a node that may split decide nothing any more.
    "RandomForest": Algorithm(
        RandomForestClassifier,
        settled={"n_estimators": 60, "min_samples_leaf": 10, "min_samples_split": 2, "max_depth": None},
        rows_per_tree="max_samples",
        tree_shap=True,
    ),
    # Rows and features drawn per tree make boosting cheaper and no worse (Friedman 2002); a smaller learning rate
    # asks for more rounds to reach the same place (Friedman 2001), and rounds are chosen anyway.
    "GradientBoosting": Algorithm(
        GradientBoostingClassifier,
        settled={"max_features": "sqrt", "learning_rate": 0.1, "min_samples_leaf": 20},
        sketch={"n_estimators": 50},
        rounds="n_estimators",
        rows_per_tree="subsample",
        tree_shap=True,
    ),
    "NeuralNetwork": Algorithm(
        MLPClassifier,
        fixed={"early_stopping": True, "max_iter": 100},
        settled={"alpha": 1e-4, "learning_rate_init": 3e-3, "n_iter_no_change": 5},
        sketch={"max_iter": 10},
        scaled=True,
    ),
    # On standardised features, gamma is 1/p either way.
    "SVM": Algorithm(SVC, settled={"gamma": "scale"}, scaled=True),
    "Prior": Algorithm(DummyClassifier, fixed={"strategy": "prior"}),
    "LightGBM": Algorithm(
        Imported("lightgbm", "LGBMClassifier"),
        fixed={"n_jobs": 1, "verbosity": -1, "deterministic": True, "force_row_wise": True},
        settled={"n_estimators": 100},
        sketch={"n_estimators": 30},
        grid={"learning_rate": [0.05, 0.1], "num_leaves": [7, 15, 31]},
        trusted=("collections.OrderedDict", "lightgbm.basic.Booster", "lightgbm.sklearn.LGBMClassifier"),
        tree_shap=True,
    ),
    "XGBoost": Algorithm(
        Imported("xgboost", "XGBClassifier"),
        fixed={"n_jobs": 1, "tree_method": "hist"},
        settled={"n_estimators": 100},
        sketch={"n_estimators": 30},
        grid={"learning_rate": [0.05, 0.1], "max_depth": [3, 5]},
        trusted=("xgboost.core.Booster", "xgboost.sklearn.XGBClassifier"),
    ),
    "CatBoost": Algorithm(
        Imported("catboost", "CatBoostClassifier"),
        fixed={"thread_count": 1, "verbose": False, "allow_writing_files": False},
        settled={"iterations": 150},
        sketch={"iterations": 30},
        grid={"learning_rate": [0.05, 0.1], "depth": [4, 6]},
        trusted=("catboost.core.CatBoostClassifier",),
        tree_shap=True,
    ),
}


def trusted_types() -> list[str]:
    """Every type beyond skops' own list that our pipelines may hold; nothing in an artefact widens it."""
    return list(dict.fromkeys([*OWN_TYPES, *(name for each in ALGORITHMS.values() for name in each.trusted)]))


def algorithm_of(estimator: Any) -> Algorithm | None:
    """The entry that a bare estimator was built by, or None."""
    return next((each for each in ALGORITHMS.values() if each.builds(estimator)), None)


def algorithm(name: str) -> Algorithm:
    """Look an algorithm up.

    Raises:
        EvergreenError: No such algorithm.
    """
    if name not in ALGORITHMS:
        raise EvergreenError(f"unknown algorithm '{name}': choose among {', '.join(ALGORITHMS)}")
    return ALGORITHMS[name]


def make_estimator(name: str, params: Params, seed: int) -> Any:
    """Build the bare estimator.

    Args:
        name: A key of ``ALGORITHMS``.
        params: Parameters in the algorithm's own words; ``penalty: l1 | l2`` of a logistic regression becomes
            its successor ``l1_ratio``.
        seed: Random state.

    Returns:
        The unfitted estimator.
    """
    chosen = algorithm(name)
    arguments = {**chosen.fixed, **params}
    if "penalty" in arguments:
        arguments["l1_ratio"] = {"l1": 1.0, "l2": 0.0}[arguments.pop("penalty")]
    if isinstance(arguments.get("hidden_layer_sizes"), list):
        arguments["hidden_layer_sizes"] = tuple(arguments["hidden_layer_sizes"])
    return chosen.build(random_state=seed, **arguments)


def make_model(name: str, params: Params, seed: int) -> Pipeline:
    """Build what follows the preprocessing: scaling where it matters, and the classifier.

    Args:
        name: A key of ``ALGORITHMS``.
        params: The estimator's parameters.
        seed: Random state.

    Returns:
        The unfitted pipeline; its last step ``classifier`` is a :class:`PlattScaled`.
    """
    scale = [("scale", StandardScaler())] if algorithm(name).scaled else []
    return Pipeline([*scale, ("classifier", PlattScaled(make_estimator(name, params, seed)))])


def make_pipeline(
    name: str,
    spec: TableSpec,
    params: Params,
    seed: int,
    *,
    k: int = 15,
    price_column: str | None = None,
    few_levels: int = FEW_LEVELS,
) -> Pipeline:
    """Build an algorithm's whole pipeline, from the user's DataFrame to a probability.

    Args:
        name: A key of ``ALGORITHMS``.
        spec: The table's features.
        params: The estimator's parameters.
        seed: Random state of every step.
        k: Features to keep, capped at what exists.
        price_column: Numeric feature that ``price_tier`` is cut from, or None.
        few_levels: Most levels of a category that are few.

    Returns:
        The unfitted pipeline with steps ``columns``, ``select``, ``scale`` (where it matters) and ``classifier``,
        a :class:`~evergreen.modelling.calibration.PlattScaled`.
    """
    preprocessing = make_preprocessing(spec, k, price_column, seed, few_levels, algorithm(name).scaled)
    return Pipeline([*preprocessing.steps, *make_model(name, params, seed).steps])
