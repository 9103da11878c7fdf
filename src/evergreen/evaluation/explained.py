"""The explanations of one evaluation: the judged version in depth, the other algorithms beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from sklearn.pipeline import Pipeline

from evergreen.evaluation.explanation import Explanation, explain
from evergreen.evaluation.importance import importance_table, mean_absolute, permutation_importance_interval
from evergreen.evaluation.judge import ScoredRows

BACKGROUND_ROWS = 50


@dataclass(frozen=True)
class Explained:
    """What the scores of a leaderboard rest on.

    Attributes:
        judged: SHAP values of the judged version.
        importance: The judged version's mean absolute SHAP and permutation importance per feature.
        by_algorithm: ``algorithm`` and the columns of ``mean_absolute`` for every algorithm.
    """

    judged: Explanation
    importance: pd.DataFrame
    by_algorithm: pd.DataFrame


def explain_leaderboard(
    models: Mapping[str, Pipeline], scored: ScoredRows, judged_rows: int, other_rows: int
) -> Explained:
    """Explain every algorithm on test rows.

    Args:
        models: Algorithm → fitted pipeline.
        scored: The test rows, and which algorithm is judged.
        judged_rows: Rows that the judged version's SHAP values are computed on.
        other_rows: Likewise for every other algorithm.
    """
    test = scored.test
    background = test.X.sample(min(BACKGROUND_ROWS, len(test.y)), random_state=0)
    explanations = {
        name: explain(
            model,
            test.X,
            test.spec,
            background=background,
            max_rows=judged_rows if name == scored.algorithm else other_rows,
        )
        for name, model in models.items()
    }
    permuted = permutation_importance_interval(models[scored.algorithm], test.X, test.y, test.spec, blocks=test.blocks)
    tables = [mean_absolute(found).assign(algorithm=name) for name, found in explanations.items()]
    judged = explanations[scored.algorithm]
    return Explained(judged, importance_table(judged, permuted), pd.concat(tables, ignore_index=True))
