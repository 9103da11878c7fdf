"""Claims about versions, their artefacts and the aliases that point at them."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.evaluation.promotion import decide_promotion
from evergreen.registry import artefacts
from evergreen.registry.manifest import check_library_versions, installed_versions
from versions import ROWS, SPEC, Y, make_version

pytestmark = pytest.mark.usefixtures("mlflow_store")


@pytest.fixture
def use_case() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


def test_a_loaded_version_predicts_what_the_registered_one_did(use_case: str, tmp_path: Path) -> None:
    version = make_version(use_case, tmp_path)
    found = registry.load(use_case, version)
    expected = LogisticRegression().fit(ROWS, Y).predict_proba(ROWS)[:, 1]
    np.testing.assert_array_equal(found.probabilities(ROWS), expected)
    assert found.manifest.spec == SPEC


def test_an_equal_fingerprint_finds_the_newest_version_again(use_case: str, tmp_path: Path) -> None:
    assert registry.find_by_fingerprint(use_case, "f1") is None
    make_version(use_case, tmp_path, "f1")
    second = make_version(use_case, tmp_path, "f1")
    make_version(use_case, tmp_path, "f2")
    assert registry.find_by_fingerprint(use_case, "f1") == second


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_artefact_is_refused_by_name(use_case: str, tmp_path: Path, damage: str) -> None:
    version = make_version(use_case, tmp_path)
    file = registry.load(use_case, version).folder / artefacts.MODEL_FILE
    if damage == "changed":
        file.write_bytes(file.read_bytes() + b"x")
    else:
        file.unlink()
    with pytest.raises(EvergreenError, match=rf"{use_case} version {version} is corrupt: model.skops"):
        registry.load(use_case, version)


def test_a_model_file_cannot_widen_the_list_of_allowed_types(tmp_path: Path) -> None:
    class Foreign:
        pass

    Foreign.__module__, Foreign.__qualname__ = "somewhere.evil", "Foreign"
    file = tmp_path / "model.skops"
    skops.io.dump({"model": threading.Thread}, file)
    with pytest.raises(EvergreenError, match=r"holds types that are not allowed \(threading\.Thread\)"):
        artefacts.load_model(file)


def test_a_model_of_another_library_version_is_refused_in_words() -> None:
    with pytest.raises(EvergreenError, match=r"trained with scikit-learn 0\.99\.1 \(installed: "):
        check_library_versions({**installed_versions(), "scikit-learn": "0.99.1"}, "churn version 3")


def test_an_unknown_version_is_named_with_those_that_exist(use_case: str, tmp_path: Path) -> None:
    make_version(use_case, tmp_path)
    with pytest.raises(EvergreenError, match=rf"{use_case} version 9 cannot be loaded .*registered versions: 1\."):
        registry.load(use_case, "9")


def test_moving_the_champion_is_written_down(use_case: str, tmp_path: Path) -> None:
    first, second = make_version(use_case, tmp_path), make_version(use_case, tmp_path, "f2")
    registry.move_champion(use_case, first, None, "first", {"difference": 0.2})
    registry.move_champion(use_case, second, first, "better")
    assert registry.aliases_of(use_case)["champion"] == second
    lines = registry.audit(use_case)
    assert [(line.from_version, line.to_version, line.reason, line.state) for line in lines] == [
        (None, first, "first", "done"),
        (first, second, "better", "done"),
    ]
    assert lines[0].evidence == {"difference": 0.2}


def test_a_decision_about_a_former_champion_is_refused(use_case: str, tmp_path: Path) -> None:
    first, second = make_version(use_case, tmp_path), make_version(use_case, tmp_path, "f2")
    registry.move_champion(use_case, first, None, "first")
    with pytest.raises(EvergreenError, match="somebody else moved it"):
        registry.move_champion(use_case, second, None, "too late")
    assert registry.aliases_of(use_case)["champion"] == first


def test_of_two_promotions_at_once_one_wins_and_one_is_refused(use_case: str, tmp_path: Path) -> None:
    versions = [make_version(use_case, tmp_path), make_version(use_case, tmp_path, "f2")]
    outcomes: dict[str, str] = {}

    def promote(version: str) -> None:
        try:
            registry.move_champion(use_case, version, None, "race")
            outcomes[version] = "won"
        except EvergreenError as error:
            outcomes[version] = str(error)

    racers = [threading.Thread(target=promote, args=(version,)) for version in versions]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(outcome == "won" for outcome in outcomes.values()) == [False, True]
    assert outcomes[registry.aliases_of(use_case)["champion"]] == "won"
    assert len(registry.audit(use_case)) == 1


def test_two_looks_at_once_are_counted_as_two(use_case: str, tmp_path: Path) -> None:
    champion, *challengers = [
        registry.load(use_case, make_version(use_case, tmp_path, mark)) for mark in ("f1", "f2", "f3")
    ]
    start, looks = threading.Barrier(2), []

    def look(challenger: registry.ModelVersion) -> None:
        start.wait()
        looks.append(registry.take_look(registry.Contest(challenger, champion)))

    racers = [threading.Thread(target=look, args=(challenger,)) for challenger in challengers]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(looks) == [1, 2]
    assert registry.take_look(registry.Contest(challengers[0], champion)) in looks


def test_settling_clears_the_challenger_whatever_was_decided(use_case: str, tmp_path: Path) -> None:
    good, bad = make_version(use_case, tmp_path), make_version(use_case, tmp_path, "f2")
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 2000)
    decisions = {good: decide_promotion(y, None, y + rng.normal(size=2000)), bad: None}
    for version, champion in ((good, None), (bad, good)):
        registry.set_challenger(use_case, version)
        contest = registry.Contest(
            registry.load(use_case, version), registry.load(use_case, champion) if champion else None
        )
        decision = decisions[version] or decide_promotion(y, y + rng.normal(size=2000), rng.normal(size=2000))
        outcome = registry.settle(contest, decision)
        assert "challenger" not in registry.aliases_of(use_case)
        assert outcome.champion_after == good
    assert [row.status for row in registry.list_versions(use_case)] == ["refused", "promoted"]


def test_carrying_out_a_decision_again_is_no_conflict(use_case: str, tmp_path: Path) -> None:
    first, second = make_version(use_case, tmp_path), make_version(use_case, tmp_path, "f2")
    registry.move_champion(use_case, first, None, "first")
    done = registry.move_champion(use_case, second, first, "better")
    again = registry.move_champion(use_case, second, first, "better")
    assert again == done
    assert len(registry.audit(use_case)) == 2
