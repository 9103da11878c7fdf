"""A version that is not as it was stored never serves, and the former one goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from small_service import USE_CASE, Service, promote, register

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.registry import artefacts
from evergreen.registry.check import CHECK_FILE
from evergreen.registry.references import PROFILE_FILE
from evergreen.serving.loader import export

ROW = {"age": 41.0, "income": 1.5, "city": "A"}


def file_of(version: str, name: str) -> Path:
    return registry.load(USE_CASE, version).folder / name


def cut_the_model(version: str) -> str:
    file = file_of(version, artefacts.MODEL_FILE)
    file.write_bytes(file.read_bytes()[:-20])
    return "is corrupt: model.skops"


def change_another_file(version: str) -> str:
    file = file_of(version, PROFILE_FILE)
    file.write_text(file.read_text() + " ")
    return f"is corrupt: {PROFILE_FILE}"


def sign_other_columns(version: str) -> str:
    file = file_of(version, artefacts.MANIFEST_FILE)
    file.write_text(file.read_text().replace('"income"', '"wage"'))
    as_stored(version, file)
    return "does not fit together"


def predict_otherwise(version: str) -> str:
    file = file_of(version, CHECK_FILE)
    rows = pd.read_parquet(file)
    rows.assign(probability=rows["probability"] + 1e-9).to_parquet(file)
    as_stored(version, file)
    return "whose stored prediction is"


def as_stored(version: str, file: Path) -> None:
    """Let the digests fit, so that another check has to find it."""
    tag = artefacts.DIGEST_TAG + file.name
    MlflowClient().set_model_version_tag(USE_CASE, version, tag, artefacts.digests(file.parent)[file.name])


@pytest.mark.parametrize("damage", [cut_the_model, change_another_file, sign_other_columns, predict_otherwise])
def test_the_loader_refuses_it_and_writes_nothing(versions, tmp_path: Path, damage: Callable[[str], str]) -> None:
    broken = register(tmp_path / "made", "LogisticRegression")
    sentence = damage(broken)
    with pytest.raises(EvergreenError, match=sentence):
        export(USE_CASE, broken, tmp_path / "exports")
    assert not list((tmp_path / "exports").glob(f"{broken}-*"))


def test_a_version_that_is_not_as_it_was_stored_never_serves(service: Service, versions, tmp_path: Path) -> None:
    broken = register(tmp_path, "LogisticRegression")
    folder = registry.load(USE_CASE, broken).folder
    model = folder / "model.skops"
    model.write_bytes(model.read_bytes()[:-20])
    promote(broken)
    health = service.wait_until(lambda: service.ask("/health")[1], lambda found: "refused" in found)
    assert "is corrupt: model.skops" in health["refused"]
    assert service.ask("/predict", ROW)[1]["model_version"] == versions.linear
    assert 'evergreen_version_refused{use_case="leavers"} 1.0' in service.ask("/metrics")[1]
    promote(versions.linear)
