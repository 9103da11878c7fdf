"""Claims about training as it is wired, in memory."""

from __future__ import annotations

import pandas as pd
import pytest

from evergreen import registry
from evergreen.errors import EvergreenError
from tiny_use_case import TinyUseCase, people


def test_what_is_trained_becomes_the_challenger_of_its_record(tiny: TinyUseCase) -> None:
    tiny.run("feature_engineering", "training")
    record = tiny["training"]
    assert registry.aliases_of(tiny.name) == {"challenger": record.version}
    assert tiny["challenger"].manifest.spec.features == ["age", "balance", "region"]
    assert [row.algorithm for row in record.leaderboard] == ["LogisticRegression"]


def test_the_rows_kept_for_judging_are_not_trained_on(tiny: TinyUseCase) -> None:
    tiny.run("feature_engineering", "training")
    assert 0.6 < tiny["training"].n_train / len(tiny.customers) < 0.8


def test_the_same_rows_and_parameters_are_not_trained_twice(tiny: TinyUseCase) -> None:
    tiny.run("feature_engineering", "training", "training")
    assert (tiny["training"].status, tiny["training"].version) == ("reused", "1")
    assert len(registry.list_versions(tiny.name)) == 1


def test_other_rows_are_trained_on_again(tiny: TinyUseCase) -> None:
    tiny.run("feature_engineering", "training")
    again = TinyUseCase(customers=people(900, 3, "2026-01-31"), name=tiny.name)
    again.run("feature_engineering", "training")
    assert (again["training"].status, again["training"].version) == ("trained", "2")


def test_a_target_in_disguise_stops_training_before_anything_is_registered(mlflow_store: object) -> None:
    rows = people(900, 1, "2026-01-31")
    tiny = TinyUseCase(customers=rows.assign(balance=pd.Series(rows["left"], dtype=float) * 3 - 1))
    with pytest.raises(EvergreenError, match="balance"):
        tiny.run("feature_engineering", "training")
    assert registry.list_versions(tiny.name) == []
