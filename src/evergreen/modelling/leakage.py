"""Is the target hiding among the features?"""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.tree import DecisionTreeClassifier

from evergreen.errors import EvergreenError
from evergreen.modelling.parameters import LeakagePolicy
from evergreen.modelling.preprocessing import make_preprocessing
from evergreen.schema import TableSpec

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LeakageFinding:
    """One leak.

    Attributes:
        columns: One feature, or two that give the outcome away together.
        rule: ``declared`` as outcome-time, or ``measured`` by a tree.
        roc_auc: Cross-validated AUC where measured.
    """

    columns: tuple[str, ...]
    rule: Literal["declared", "measured"]
    roc_auc: float | None = None

    def __str__(self) -> str:
        names = " with ".join(f"'{name}'" for name in self.columns)
        if self.roc_auc is None:
            return f"{names} (declared as known only with the outcome)"
        return f"{names} (tells the outcome at ROC AUC {self.roc_auc:.3f})"


def check_leakage(X: pd.DataFrame, y: np.ndarray, spec: TableSpec, policy: LeakagePolicy) -> list[LeakageFinding]:
    """Stop training where a feature is the outcome in disguise.

    First by declaration (``known_at: outcome``). Then by measurement: a forest on all features screens; where its
    out-of-bag AUC comes near ``max_auc``, every feature, and every pair of the forest's most important ones, is
    cross-validated in a tree of depth ``pair_depth``. A leak lifts the forest, too, and heads its importances, so
    that the screen spares honest tables the search through hundreds of pairs.

    Args:
        X: (n, ≥ p) training rows with the spec's features.
        y: (n,) labels.
        spec: The features and when they are known.
        policy: Limits and exceptions.

    Returns:
        The declared leaks that the policy allows (measurement leaves allowed features out).

    Raises:
        EvergreenError: A leak that isn't allowed.
    """
    declared = [LeakageFinding((name,), "declared") for name in spec.features if spec.known_at(name) == "outcome"]
    allowed = [finding for finding in declared if finding.columns[0] in policy.allow]
    refused = [finding for finding in declared if finding.columns[0] not in policy.allow]
    passed = [name for name in spec.features if name in policy.allow]
    if passed:
        logger.warning("Leakage is not checked for %s: allowed by the policy", ", ".join(passed))
    refused = refused or measured_leaks(X, y, spec, policy)
    if refused:
        raise EvergreenError(
            f"the outcome '{spec.target}' hides among the features: {'; '.join(map(str, refused))}; allowed is less "
            f"than ROC AUC {policy.max_auc:g} from columns known before the outcome; remove them from the features, or "
            "list them under 'leakage.allow' if they truly are known in time"
        )
    return allowed


def measured_leaks(X: pd.DataFrame, y: np.ndarray, spec: TableSpec, policy: LeakagePolicy) -> list[LeakageFinding]:
    """Features, and pairs of them, that tell the outcome; see :func:`check_leakage`.

    Args:
        X: (n, ≥ p) rows with the spec's features.
        y: (n,) labels.
        spec: The features.
        policy: Limits and exceptions.
    """
    numeric = [name for name in spec.numeric if name not in policy.allow]
    categorical = [name for name in spec.categorical if name not in policy.allow]
    if not numeric and not categorical:
        return []
    checked = TableSpec(entity=spec.entity, target=spec.target, numeric=numeric, categorical=categorical)
    if len(X) > policy.max_rows:
        rows, _ = train_test_split(np.arange(len(X)), train_size=policy.max_rows, stratify=y, random_state=0)
        X, y = X.iloc[rows], y[rows]
    encode = make_preprocessing(checked, len(checked.features), None, seed=0, few_levels=0).named_steps["columns"]
    values = encode.fit_transform(X[checked.features], y).astype(np.float32)
    forest = RandomForestClassifier(40, min_samples_leaf=3, max_samples=0.4, oob_score=True, random_state=0).fit(
        values, y
    )
    if roc_auc_score(y, forest.oob_decision_function_[:, 1]) < policy.max_auc - 0.03:
        return []
    return _searched(values, y, checked.features, forest.feature_importances_, policy)


def _searched(
    values: np.ndarray, y: np.ndarray, names: list[str], importances: np.ndarray, policy: LeakagePolicy
) -> list[LeakageFinding]:
    single = {column: _tree_auc(values[:, [column]], y, policy) for column in range(len(names))}
    found = [
        LeakageFinding((names[column],), "measured", auc) for column, auc in single.items() if auc >= policy.max_auc
    ]
    suspects = sorted(np.argsort(-importances, kind="stable")[: policy.suspects].tolist())
    for pair in itertools.combinations(suspects, 2):
        if max(single[column] for column in pair) >= policy.max_auc:
            continue
        auc = _tree_auc(values[:, pair], y, policy)
        if auc >= policy.max_auc:
            found.append(LeakageFinding(tuple(names[column] for column in pair), "measured", auc))
    return found


def _tree_auc(values: np.ndarray, y: np.ndarray, policy: LeakagePolicy) -> float:
    folds = StratifiedKFold(policy.folds, shuffle=True, random_state=0)
    probability = np.empty(len(y))
    for train, valid in folds.split(values, y):
        tree = DecisionTreeClassifier(max_depth=policy.pair_depth, random_state=0).fit(values[train], y[train])
        probability[valid] = tree.predict_proba(values[valid])[:, 1]
    return float(roc_auc_score(y, probability))
