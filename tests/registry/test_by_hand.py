"""Claims about promotion and rollback by a person."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.registry import artefacts
from evergreen.registry.check import CHECK_FILE
from versions import ROWS, make_version

pytestmark = pytest.mark.usefixtures("mlflow_store")


@pytest.fixture
def use_case() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def served(use_case: str, tmp_path: Path) -> tuple[str, str]:
    """Two versions; the second serves, the first served before."""
    first = make_version(use_case, tmp_path, complete=True)
    second = make_version(use_case, tmp_path, "f2", c=0.1, complete=True)
    registry.move_champion(use_case, first, None, "first")
    registry.move_champion(use_case, second, first, "better")
    return first, second


def champion(use_case: str) -> str:
    return registry.aliases_of(use_case)["champion"]


def test_rollback_restores_the_former_champion_to_the_byte(use_case: str, served: tuple[str, str]) -> None:
    first, second = served
    runs_before = len(registry.runs(use_case))
    digests = artefacts.digests(registry.load(use_case, first).folder)
    change = registry.rollback(use_case, "complaints")
    assert (change.action, change.from_version, change.to_version, change.state) == ("rollback", second, first, "done")
    assert champion(use_case) == first
    assert artefacts.digests(registry.load(use_case, champion(use_case)).folder) == digests
    assert len(registry.runs(use_case)) == runs_before
    assert [row.status for row in registry.list_versions(use_case)] == ["rolled_back", "promoted"]


def test_a_rollback_says_what_was_checked(use_case: str, served: tuple[str, str]) -> None:
    checked = registry.rollback(use_case, "complaints").evidence["checked"]
    assert checked == "files, library versions, signature, 5 stored predictions"


def test_a_version_without_stored_predictions_is_checked_for_the_rest(use_case: str, tmp_path: Path) -> None:
    found = registry.check_version(use_case, make_version(use_case, tmp_path))
    assert found.sentence == "files, library versions, signature, no stored predictions to compare with"


def damage_model(use_case: str, version: str) -> str:
    file = registry.load(use_case, version).folder / artefacts.MODEL_FILE
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    return "is corrupt: model.skops"


def damage_prediction(use_case: str, version: str) -> str:
    """The files are as the tags say, but the model computes something else than it did."""
    file = registry.load(use_case, version).folder / CHECK_FILE
    rows = pd.read_parquet(file)
    rows.assign(probability=rows["probability"] + 2e-12).to_parquet(file)
    renew_digest(use_case, version, file)
    return "whose stored prediction is"


def damage_libraries(use_case: str, version: str) -> str:
    file = registry.load(use_case, version).folder / artefacts.MANIFEST_FILE
    file.write_text(file.read_text().replace('"scikit-learn": "1.', '"scikit-learn": "0.'))
    renew_digest(use_case, version, file)
    return "was trained with scikit-learn 0"


def damage_columns(use_case: str, version: str) -> str:
    file = registry.load(use_case, version).folder / artefacts.MANIFEST_FILE
    file.write_text(file.read_text().replace('"b"', '"c"'))
    renew_digest(use_case, version, file)
    return "does not fit together"


def renew_digest(use_case: str, version: str, file: Path) -> None:
    tag = artefacts.DIGEST_TAG + file.name
    MlflowClient().set_model_version_tag(use_case, version, tag, artefacts.digests(file.parent)[file.name])


@pytest.mark.parametrize("damage", [damage_model, damage_prediction, damage_libraries, damage_columns])
def test_rollback_to_a_damaged_version_is_refused_and_leaves_the_alias(
    use_case: str, served: tuple[str, str], damage
) -> None:
    first, second = served
    sentence = damage(use_case, first)
    with pytest.raises(EvergreenError, match=f"{use_case} version {first} .*{sentence}"):
        registry.rollback(use_case, "complaints")
    assert champion(use_case) == second
    assert len(registry.audit(use_case)) == 2


def test_no_check_row_is_a_row_of_the_training_set(use_case: str, served: tuple[str, str]) -> None:
    rows = pd.read_parquet(registry.load(use_case, served[0]).folder / CHECK_FILE)
    assert list(rows) == [*ROWS, "probability"]
    assert set(rows["a"]) <= set(ROWS["a"])
    assert not rows[list(ROWS)].merge(ROWS).equals(rows[list(ROWS)])


def test_rollbacks_walk_back_and_never_return_to_what_was_rolled_back_from(
    use_case: str, served: tuple[str, str], tmp_path: Path
) -> None:
    first, second = served
    third = make_version(use_case, tmp_path, "f3")
    registry.move_champion(use_case, third, second, "better still")
    assert registry.rollback(use_case, "once").to_version == second
    assert registry.rollback(use_case, "twice").to_version == first
    with pytest.raises(EvergreenError, match=f"no champion came before version {first}"):
        registry.rollback(use_case, "thrice")
    assert registry.rollback(use_case, "forward after all", third).to_version == third


def test_there_is_nothing_to_roll_back_from_without_a_champion(use_case: str, tmp_path: Path) -> None:
    make_version(use_case, tmp_path)
    with pytest.raises(EvergreenError, match="has no champion"):
        registry.rollback(use_case, "why not")


@pytest.mark.parametrize("reason", ["", "  "])
def test_changes_by_hand_need_a_reason(use_case: str, served: tuple[str, str], reason: str) -> None:
    first, second = served
    with pytest.raises(EvergreenError, match="takes a reason"):
        registry.rollback(use_case, reason)
    with pytest.raises(EvergreenError, match="takes a reason"):
        registry.promote(registry.check_version(use_case, first), second, reason)
    assert champion(use_case) == second


def test_promotion_by_hand_keeps_reason_and_evidence_and_settles_the_challenger(
    use_case: str, served: tuple[str, str]
) -> None:
    first, second = served
    registry.tag_version(use_case, first, status="refused", test_roc_auc=0.8)
    registry.set_challenger(use_case, first)
    change = registry.promote(registry.check_version(use_case, first), second, "recall matters more")
    assert change.reason == "recall matters more"
    assert change.evidence["status"] == "refused"
    assert change.evidence["test_roc_auc"] == pytest.approx(0.8)
    assert registry.aliases_of(use_case) == {"champion": first}
    assert {row.version: row.status for row in registry.list_versions(use_case)}[first] == "promoted"


def test_a_promotion_decided_against_a_former_champion_is_refused(use_case: str, served: tuple[str, str]) -> None:
    first, second = served
    target = registry.check_version(use_case, first)
    registry.rollback(use_case, "meanwhile")
    with pytest.raises(EvergreenError, match="somebody else moved it"):
        registry.promote(target, second, "too late")
    assert len(registry.audit(use_case)) == 3


def test_promoting_or_rolling_back_to_the_champion_changes_nothing(use_case: str, served: tuple[str, str]) -> None:
    _, second = served
    with pytest.raises(EvergreenError, match="is the champion already"):
        registry.promote(registry.check_version(use_case, second), second, "again")
    with pytest.raises(EvergreenError, match="is the champion already"):
        registry.rollback(use_case, "again", second)


def test_stored_predictions_are_those_of_the_stored_model(use_case: str, served: tuple[str, str]) -> None:
    version = registry.load(use_case, served[1])
    rows = pd.read_parquet(version.folder / CHECK_FILE)
    np.testing.assert_allclose(version.probabilities(rows), rows["probability"], rtol=0, atol=1e-12)
