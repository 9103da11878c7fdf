"""A use case whose outcomes arrive apart learns from those that are known; everyone is there to be scored."""

from __future__ import annotations

import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from tiny_use_case import TinyUseCase, people

KNOWN, LATER = 600, 200


def apart(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows without their outcome, and the outcomes: most before the run's day, some after it, some never."""
    labels = rows[["customer", "left"]].head(KNOWN + LATER)
    days = ["2026-02-20"] * KNOWN + ["2026-03-05"] * LATER
    return rows.drop(columns="left"), labels.assign(observed_at=days)


@pytest.fixture
def tiny(mlflow_store: object) -> TinyUseCase:
    customers, labels = apart(people(900, 1, "2026-01-31"))
    return TinyUseCase(customers, people(900, 2, "2026-02-28").drop(columns="left"), labels=labels)


def test_only_outcomes_of_the_day_are_learnt_from_and_everyone_is_there(tiny: TinyUseCase) -> None:
    tiny.run("feature_engineering", "training")
    features = tiny["features"].to_pandas()
    assert features["left"].notna().sum() == KNOWN
    assert len(features) == 900
    assert 0.6 * KNOWN < tiny["training"].n_train < 0.8 * KNOWN  # the others are kept aside
    assert len(tiny["current_features"].to_pandas()) == 900


def test_without_any_outcome_yet_nothing_is_learnt_and_a_sentence_says_so(mlflow_store: object) -> None:
    customers, labels = apart(people(900, 1, "2026-01-31"))
    early = TinyUseCase(customers, people(50, 2, "2026-02-28"), labels=labels.tail(LATER))
    early.run("feature_engineering")
    with pytest.raises(EvergreenError, match="holds no row"):
        early.run("training")
