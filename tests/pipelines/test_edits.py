"""Claims about changing one's mind: after any edit of a use case the next run ends well, or refuses before training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.modelling.parameters import TrainingParameters
from evergreen.registry.lineage import compare_declarations
from evergreen.rows.parameters import SplitParameters
from tiny_use_case import TABLE, Kept, TinyUseCase, people

pytestmark = pytest.mark.slow

FIRST = TABLE.model_copy(update={"numeric": ["age", "balance", "children"], "categorical": ["region", "code"]})


def rich(seed: int, seen: str) -> pd.DataFrame:
    """Customers with a code, a household, a second key, a second outcome and a date beside the tiny table's columns."""
    rows = people(500, seed, seen)
    draw = np.random.default_rng(seed)
    return rows.assign(
        children=draw.integers(0, 4, len(rows)),
        code=draw.integers(1, 5, len(rows)),
        household=draw.integers(0, 250, len(rows)) + seed * 1000,
        account=draw.permutation(len(rows)) + seed * 1_000_000,
        plan=np.where(rows["age"] < 40, "gold", np.where(rows["left"] == 1, "silver", "none")),
        joined_on=pd.Timestamp("2025-10-01") + pd.to_timedelta(np.arange(len(rows)) // 4, "D"),
        complained=(rows["left"] + draw.normal(0, 0.4, len(rows)) > 0.5).astype(int),
    )


@pytest.fixture(scope="module")
def former(mlflow_store: Path) -> TinyUseCase:
    """A use case that serves since its first life; each edit begins from a use case of its own that lived likewise."""
    tiny = TinyUseCase(rich(1, "2026-01-31"), rich(2, "2026-02-28"))
    tiny.kept["params:table"] = Kept(FIRST)
    tiny.run("__default__")
    return tiny


def edited(former: TinyUseCase, changes: dict[str, Any], gone: tuple[str, ...] = ()) -> TinyUseCase:
    """The use case after an edit: its description and its tables are others, its registry is what it was."""
    now = TinyUseCase(former.customers.drop(columns=[*gone]), former.current.drop(columns=[*gone]), name=former.name)
    now.kept["params:table"] = Kept(FIRST.model_copy(update=changes))
    now.kept["params:split"] = Kept(SplitParameters(history_days=0, test_days=28, label_delay_days=0))
    return now


def test_fewer_features_are_kept_and_the_next_version_is_judged_against_the_champion(former: TinyUseCase) -> None:
    now = edited(former, {})
    now.kept["params:training"] = Kept(TrainingParameters(algorithms=["LogisticRegression"], strategy="none", k=2))
    before = registry.aliases_of(former.name)["champion"]
    now.run("feature_engineering", "training", "evaluation")
    assert now["training"].version != before
    assert now["evaluation"].promotion.decision.against == "champion"


def test_a_renamed_column_is_another_one(former: TinyUseCase) -> None:
    now = edited(former, {"numeric": ["age", "saldo", "children"]})
    for entry in ("customers", "current"):
        now.kept[entry] = Kept(now[entry].rename(saldo="balance"))
    now.run("__default__")
    assert now["evaluation"].promotion.decision.against == "floor"
    assert now["monitoring"].version == now["training"].version


def test_dates_that_leave_no_days_to_learn_from_are_refused_before_training(former: TinyUseCase) -> None:
    before = registry.aliases_of(former.name)
    now = edited(former, {"date": "seen"})
    with pytest.raises(EvergreenError, match=r"the table has .* days .*, but the timeline needs"):
        now.run("feature_engineering", "training")
    assert registry.aliases_of(former.name) == before


def test_a_champion_whose_column_is_gone_leaves_to_a_version_that_is_judged_by_itself(former: TinyUseCase) -> None:
    now = edited(former, {"numeric": ["age", "children"]}, gone=("balance",))
    now.run("__default__")
    assert now["evaluation"].promotion.decision.against == "floor"
    assert now["monitoring"].version == now["training"].version


# What was edited, and whether it says another thing: a new lineage, whose first version is judged by itself.
EDITS: dict[str, tuple[dict[str, Any], bool]] = {
    "a feature is dropped, another added": ({"numeric": ["age", "balance", "household"]}, False),
    "a category becomes a number": ({"numeric": ["age", "balance", "code"], "categorical": ["region"]}, False),
    "a number becomes a category": ({"numeric": ["age"], "categorical": ["region", "code", "children"]}, False),
    "the entity is another": ({"entity": "account"}, True),
    "a block keeps rows together": ({"block": ["household"]}, True),
    "the label is another": ({"target": "complained"}, True),
    "several values are positive": ({"target": "plan", "positive": ("gold", "silver")}, True),
    "numbers above a threshold are positive": ({"target": "complained", "positive": None, "threshold": 0.5}, True),
    "dates are added": ({"date": "joined_on"}, True),
}


@pytest.mark.parametrize("edit", EDITS)
def test_after_an_edit_the_next_run_ends_well_and_the_champion_is_who_was_announced(
    former: TinyUseCase, edit: str
) -> None:
    changes, other_meaning = EDITS[edit]
    now = edited(former, changes)
    serving = registry.load(former.name, registry.aliases_of(former.name)["champion"])
    announced = compare_declarations(serving.version, serving.manifest.spec, now["params:table"])
    assert announced.sentence(former.name)
    now.run("__default__")
    assert now["evaluation"].promotion.decision.against == ("floor" if other_meaning else "champion")
    assert now["monitoring"].version == registry.aliases_of(former.name)["champion"]
    assert [check.name for check in now["monitoring"].quality.failures if check.name == "schema"] == []
