"""Claims about judged days: which versions are one challenger, what is kept with a version, and who judges it later."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from evergreen import registry
from evergreen.modelling.calibration import PlattScaled
from evergreen.registry.attempts import take_look_at_days
from evergreen.registry.forward import forward_evidence, judged_scores, known_replay, write_forward
from evergreen.retraining.forward import Replay
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds
from evergreen.schema import TableSpec
from versions import make_version

SPEC = TableSpec(entity="id", date="day", target="gone", positive=1, numeric=["a"])
LABEL = LabelDefinition(target="gone", kind="positive", positive=1)


@pytest.fixture
def use_case() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


def contest(use_case: str, folder: Path, mark: str, recipe: str | None) -> registry.Contest:
    """A challenger of a recipe against version 1."""
    number = make_version(use_case, folder, mark, c=0.5)
    version = registry.load(use_case, number)
    manifest = version.manifest.model_copy(update={"recipe": recipe})
    return registry.Contest(replace(version, manifest=manifest), registry.load(use_case, "1"))


@pytest.mark.usefixtures("mlflow_store")
def test_versions_of_one_recipe_are_one_challenger_and_another_recipe_pays(use_case: str, tmp_path: Path) -> None:
    make_version(use_case, tmp_path, "champion")
    monday, tuesday, other = (
        contest(use_case, tmp_path, mark, recipe) for mark, recipe in (("a", "r"), ("b", "r"), ("c", None))
    )
    first = take_look_at_days(monday, "rows of monday", 0.1, 30.0)
    again = take_look_at_days(monday, "rows of monday", 0.1, 30.0)
    second = take_look_at_days(tuesday, "rows of tuesday", 0.12, 29.0)
    third = take_look_at_days(other, "rows of tuesday", 0.12, 36.0)
    assert first == again
    assert (first.number, first.challenger, first.elapsed) == (1, 1, (0.1,))
    assert (second.number, second.challenger, second.elapsed) == (2, 1, (0.1, 0.12))
    assert second.information[1] > second.information[0]
    assert (third.number, third.challenger, third.information) == (3, 2, (36.0,))
    assert take_look_at_days(monday, "rows of monday", 0.1, 30.0) == first
    assert MlflowClient().get_model_version(use_case, "1").tags["looks"] == "3"


@dataclass(frozen=True)
class StoredVersion:
    """What reading the evidence needs of a version."""

    folder: Path


def test_what_a_recipe_said_of_days_is_kept_with_its_version_and_laid_on_the_rows_of_another_day(
    tmp_path: Path,
) -> None:
    rows = pd.DataFrame({"id": np.arange(40), "day": pd.Timestamp("2026-01-01"), "a": np.linspace(-1, 1, 40)})
    rows["day"] += pd.to_timedelta(np.arange(40), unit="D")
    y = (np.arange(40) % 3 == 0).astype(np.int64)
    bounds = Bounds(dated=True, judging_share=0.3)
    judged = LabelledRows(rows.assign(gone=y), y, np.linspace(0, 0.99, 40), SPEC, LABEL, bounds, dt.date(2026, 2, 9))
    cutoffs = np.where(np.arange(40) < 5, -1, judged.day_numbers.min() + (np.arange(40) // 7) * 7 - 1)
    logits = np.column_stack([np.linspace(-2, 2, 40), np.linspace(2, -2, 40)])
    found = Replay(("all", "recent"), judged.day_numbers, cutoffs, logits, y.astype(bool))
    first = int(judged.day_numbers.min()) + 9
    model = Pipeline([("classifier", PlattScaled(LogisticRegression(), slope=2.0, intercept=-0.5))])
    write_forward(forward_evidence("r", judged, found, first, 28), model, tmp_path)

    stored = StoredVersion(tmp_path)
    turned = judged.where(np.arange(40) >= 3)
    scores, stored_cutoffs = judged_scores(stored, turned)  # type: ignore[arg-type]
    assert np.isnan(scores[:7]).all()
    chosen = found.chosen_logits(28)
    np.testing.assert_allclose(scores[7:], expit(2.0 * chosen[10:] - 0.5))
    np.testing.assert_array_equal(stored_cutoffs[7:], cutoffs[10:])
    again = known_replay(stored, judged, ("all", "recent"))  # type: ignore[arg-type]
    assert again is not None
    np.testing.assert_array_equal(again.cutoffs, cutoffs)
    np.testing.assert_array_equal(again.logits[cutoffs >= 0], logits[cutoffs >= 0])
    assert known_replay(stored, judged, ("all", "newest")) is None  # type: ignore[arg-type]
