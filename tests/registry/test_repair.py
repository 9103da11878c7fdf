"""Claims about mending a damaged version: from a copy that is the same, without what is not needed, or not at all."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import mlflow
import pytest

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.registry.references import METRICS_FILE, SAMPLE_FILE
from versions import make_version

pytestmark = pytest.mark.usefixtures("mlflow_store")


@pytest.fixture
def use_case() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


def test_a_lost_file_comes_back_from_any_copy_that_is_the_same(use_case: str, tmp_path: Path) -> None:
    version = make_version(use_case, tmp_path / "made", complete=True)
    stored = registry.load(use_case, version).folder
    shutil.copytree(stored, tmp_path / "backup" / "deep")
    (tmp_path / "backup" / "deep" / "model.skops").rename(tmp_path / "backup" / "renamed")
    (stored / "model.skops").write_bytes(b"torn")
    (stored / "manifest.json").unlink()
    with pytest.raises(EvergreenError, match=rf"kedro models repair --version {version} --from <backup>"):
        registry.load(use_case, version)
    done = registry.repair(use_case, version, tmp_path / "backup")
    assert {(each.file, each.done) for each in done} == {("manifest.json", "restored"), ("model.skops", "restored")}
    assert registry.check_version(use_case, version).version.version == version
    assert [(line.action, line.to_version) for line in registry.audit(use_case)] == [("repair", version)]


def test_without_a_copy_of_what_is_needed_nothing_is_changed(use_case: str, tmp_path: Path) -> None:
    version = make_version(use_case, tmp_path / "made", complete=True)
    stored = registry.load(use_case, version).folder
    (stored / "model.skops").write_bytes(b"torn")
    (stored / SAMPLE_FILE).write_bytes(b"torn")
    before = {file: file.read_bytes() for file in stored.rglob("*") if file.is_file()}
    for copies in (None, tmp_path / "made"):
        shutil.rmtree(tmp_path / "made", ignore_errors=True)
        (tmp_path / "made").mkdir()
        with pytest.raises(EvergreenError, match=r"cannot be repaired: of model.skops no .* nothing was changed"):
            registry.repair(use_case, version, copies)
    assert {file: file.read_bytes() for file in stored.rglob("*") if file.is_file()} == before


def test_a_lost_sample_is_done_without(use_case: str, tmp_path: Path) -> None:
    version = make_version(use_case, tmp_path, complete=True)
    (registry.load(use_case, version).folder / SAMPLE_FILE).write_bytes(b"torn")
    assert [(each.file, each.done) for each in registry.repair(use_case, version)] == [(SAMPLE_FILE, "dropped")]
    assert registry.repair(use_case, version) == []


@pytest.mark.parametrize("damaged", [METRICS_FILE, "index.json"])
@pytest.mark.parametrize("has_copy", [True, False])
def test_figures_of_an_evaluation_come_back_or_are_made_anew(
    use_case: str, tmp_path: Path, damaged: str, has_copy: bool
) -> None:
    version = make_version(use_case, tmp_path / "made", complete=True)
    figures = tmp_path / "figures"
    figures.mkdir()
    (figures / METRICS_FILE).write_text('{"test": {"roc_auc": {"value": 0.9, "low": 0.8, "high": 1.0}}, "train": {}}')
    registry.add_figures(registry.load(use_case, version), figures)
    stored = registry.load(use_case, version).figures_folder
    assert stored is not None
    (stored / damaged).write_text("{}")
    with pytest.raises(EvergreenError, match="is corrupt"):
        registry.check_version(use_case, version)
    done = registry.repair(use_case, version, figures if has_copy else None)
    assert [each.done for each in done] == ["restored" if has_copy else "dropped"]
    kept = mlflow.MlflowClient().get_model_version(use_case, version).tags.get("figures")
    assert (kept is not None) == has_copy


def test_a_version_that_is_not_there_is_named(use_case: str, tmp_path: Path) -> None:
    make_version(use_case, tmp_path)
    with pytest.raises(EvergreenError, match=rf"{use_case} version 9 cannot be repaired .*kedro models list"):
        registry.repair(use_case, "9")
