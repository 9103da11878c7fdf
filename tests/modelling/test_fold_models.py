from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evergreen.modelling.fold_models import FoldScores, read_fold_models, write_fold_models
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.search import Candidate, train_candidate
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.splits import block_share
from tiny_use_case import TABLE, people


def trained(name: str, rows: pd.DataFrame) -> tuple[Candidate, pd.Series]:
    policy = TrainingParameters(algorithms=[name], strategy="none", n_jobs=1)
    share = block_share(rows[["customer"]])
    found = train_candidate(name, rows[TABLE.features], rows["left"], share, None, TABLE, policy, SplitParameters())
    return found, pd.Series(found.out_of_fold, index=found.out_of_fold_index)


@pytest.mark.parametrize("name", ["LogisticRegression", "HistGradientBoosting"])
def test_fold_models_are_those_that_made_the_scores_out_of_fold(name: str, tmp_path: Path) -> None:
    rows = people(400, 1, "2026-01-31")
    found, scores = trained(name, rows)
    assert found.fold_models is not None
    assert write_fold_models(found.fold_models(), rows[TABLE.features], scores, tmp_path / "folds")
    folds = read_fold_models(tmp_path / "folds", TABLE)
    assert folds is not None
    said = [folds(rows, np.full(len(rows), (number + 0.5) / 5e6)) for number in range(5)]
    nearest = np.abs(np.stack(said) - scores.to_numpy()).min(axis=0)
    assert nearest.max() < 1e-9
    assert np.abs(np.diff(said, axis=0)).max() > 1e-6  # five models, not one


def test_models_of_other_scores_are_not_kept(tmp_path: Path) -> None:
    rows = people(400, 1, "2026-01-31")
    found, scores = trained("LogisticRegression", rows)
    assert found.fold_models is not None
    assert not write_fold_models(found.fold_models(), rows[TABLE.features], 1 - scores, tmp_path / "folds")
    assert read_fold_models(tmp_path / "folds", TABLE) is None


def test_a_rows_model_is_chosen_by_its_blocks_share_alone() -> None:
    share = block_share(pd.DataFrame({"customer": np.arange(2_000)}))
    folds = FoldScores([lambda rows, number=number: np.full(len(rows), float(number)) for number in range(5)])
    chosen = folds(pd.DataFrame(index=range(2_000)), share)
    assert np.array_equal(chosen, folds(pd.DataFrame(index=range(2_000)), share))
    for kept in (share < 0.3, share >= 0.3):  # rows kept for judging meet all models, too
        counts = np.bincount(chosen[kept].astype(int), minlength=5) / kept.sum()
        assert np.abs(counts - 0.2).max() < 0.05
