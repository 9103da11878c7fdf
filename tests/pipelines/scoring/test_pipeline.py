"""Claims about scoring as it is wired, in memory."""

from __future__ import annotations

import pandas as pd
import pytest
from kedro.io import DatasetError

from tiny_use_case import TinyUseCase


def test_every_customer_of_the_newest_snapshot_is_scored_by_the_champion(served: TinyUseCase) -> None:
    served.run("scoring")
    found = pd.concat(served["predictions"].batches)
    assert sorted(found["entity_id"].astype(int)) == sorted(served.current["customer"])
    assert set(found["model_version"]) == {"1"}
    threshold = served["champion"].manifest.threshold
    assert found["prediction"].tolist() == (found["probability"] >= threshold).astype(int).tolist()


def test_without_a_champion_the_command_to_run_first_is_named(tiny: TinyUseCase) -> None:
    tiny.run("feature_engineering")
    tiny.kept["evaluation"] = tiny.kept["params:scoring"]  # read for its order alone
    with pytest.raises(DatasetError, match="has no champion yet: run `kedro run"):
        tiny.run("scoring")
