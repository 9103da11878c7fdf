"""Claims about what retention deletes and what it never touches."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from pathlib import Path

import mlflow
import mlflow.sklearn
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from evergreen import registry
from evergreen.registry import prune
from evergreen.registry.artefacts import mlflow_flavour
from evergreen.registry.challenger import TRAINING_FILE
from evergreen.registry.parameters import RetentionParameters
from evergreen.registry.prune import prune_predictions, prune_versions
from evergreen.registry.references import SAMPLE_FILE
from versions import ROWS, Y, make_version

pytestmark = pytest.mark.usefixtures("mlflow_store")
NEXT_YEAR = dt.datetime.now(dt.UTC) + dt.timedelta(days=365)
STRICT = RetentionParameters(keep_versions=1, keep_days=30)


@pytest.fixture
def use_case() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def five(use_case: str, tmp_path: Path) -> list[str]:
    """Versions 1 to 5: 2 was champion before 3, 4 is challenger, 5 is the newest; nothing needs 1."""
    numbers = [make_version(use_case, tmp_path, f"f{i}", complete=True) for i in range(5)]
    registry.move_champion(use_case, numbers[1], None, "first")
    registry.move_champion(use_case, numbers[2], numbers[1], "better")
    registry.set_challenger(use_case, numbers[3])
    return numbers


def kept(use_case: str) -> list[str]:
    return [row.version for row in registry.list_versions(use_case)]


def test_pruning_never_removes_what_an_alias_or_a_rollback_needs(use_case: str, five: list[str]) -> None:
    gone = prune_versions(use_case, STRICT, NEXT_YEAR, dry_run=False)
    assert [(removal.kind, removal.name) for removal in gone] == [("version", five[0])]
    assert kept(use_case) == ["5", "4", "3", "2"]
    assert registry.rollback(use_case, "still possible").to_version == five[1]


def test_a_dry_run_says_what_would_go_and_leaves_it(use_case: str, five: list[str]) -> None:
    told = prune_versions(use_case, STRICT, NEXT_YEAR, samples=True)
    assert [(removal.kind, removal.name) for removal in told] == [("version", "1"), ("sample", "5"), ("sample", "2")]
    assert len(kept(use_case)) == 5
    assert all((registry.load(use_case, number).folder / SAMPLE_FILE).is_file() for number in five)


@pytest.mark.parametrize(
    "policy", [RetentionParameters(keep_versions=5, keep_days=0), RetentionParameters(keep_versions=1, keep_days=1000)]
)
def test_versions_among_the_newest_or_young_enough_stay(
    use_case: str, five: list[str], policy: RetentionParameters
) -> None:
    assert prune_versions(use_case, policy, NEXT_YEAR, dry_run=False) == []
    assert len(kept(use_case)) == 5


def test_a_version_goes_with_its_files_and_its_run_keeps_the_metrics(use_case: str, five: list[str]) -> None:
    version = registry.load(use_case, five[0])
    prune_versions(use_case, STRICT, NEXT_YEAR, dry_run=False)
    assert not version.folder.exists()
    assert MlflowClient().get_run(version.run_id).data.metrics["test_roc_auc"] == pytest.approx(0.8)
    assert registry.runs(use_case)["version"].isna().sum() == 1


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def log_leaderboard(use_case: str, version: str) -> Path:
    """Give a version a leaderboard whose second algorithm is a model of its own; return that model's files."""
    pipeline = Pipeline([("classifier", LogisticRegression())]).fit(ROWS, Y)
    with mlflow.start_run():
        logged = mlflow.sklearn.log_model(pipeline, name="model", **mlflow_flavour(pipeline, ROWS.head()))
    leaderboard = [{"algorithm": "Other", "model_uri": logged.model_uri}, {"algorithm": "SVM", "model_uri": None}]
    found = registry.load(use_case, version)
    file = found.folder.parent / TRAINING_FILE
    file.write_text(json.dumps({"leaderboard": leaderboard}))
    client, digest = mlflow.MlflowClient(), hashlib.sha256(file.read_bytes()).hexdigest()
    client.log_artifact(found.run_id, str(file), "version")
    client.set_model_version_tag(use_case, version, f"sha256.{TRAINING_FILE}", digest)
    return Path(mlflow.artifacts.download_artifacts(logged.model_uri))


def test_the_models_of_its_leaderboard_go_with_a_version(use_case: str, five: list[str]) -> None:
    files = log_leaderboard(use_case, five[0])
    assert (files / "model.skops").is_file()
    prune_versions(use_case, STRICT, NEXT_YEAR, dry_run=False)
    assert not (files / "model.skops").exists()


def test_a_prune_that_was_killed_is_finished_by_the_next(
    use_case: str, five: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_leaderboard(use_case, five[0])
    with monkeypatch.context() as patch:
        patch.setattr(prune.MlflowClient, "get_run", killed)
        with pytest.raises(KeyboardInterrupt):
            prune_versions(use_case, STRICT, NEXT_YEAR, dry_run=False)
    assert five[0] in kept(use_case)
    prune_versions(use_case, STRICT, NEXT_YEAR, dry_run=False)
    assert five[0] not in kept(use_case)


def test_samples_go_only_where_no_alias_points_and_the_version_still_loads(use_case: str, five: list[str]) -> None:
    prune_versions(use_case, RetentionParameters(), NEXT_YEAR, samples=True, dry_run=False)
    with_sample = [number for number in five if (registry.load(use_case, number).folder / SAMPLE_FILE).is_file()]
    assert with_sample == [five[2], five[3]]
    assert registry.check_version(use_case, five[0]).sentence.endswith("5 stored predictions")
    assert prune_versions(use_case, RetentionParameters(), NEXT_YEAR, samples=True) == []


def test_a_sample_whose_digest_is_gone_already_still_goes(
    use_case: str, five: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(LocalArtifactRepository, "delete_artifacts", killed)
        with pytest.raises(KeyboardInterrupt):
            prune_versions(use_case, RetentionParameters(), NEXT_YEAR, samples=True, dry_run=False)
    gone = prune_versions(use_case, RetentionParameters(), NEXT_YEAR, samples=True, dry_run=False)
    assert [removal.name for removal in gone] == ["5", "2", "1"]
    assert all(registry.load(use_case, number) for number in five)


def test_old_predictions_go_and_young_ones_stay(tmp_path: Path) -> None:
    for day in ("2025-01-01", "2025-12-31", "2026-01-01"):
        (tmp_path / f"as_of={day}").mkdir()
        (tmp_path / f"as_of={day}" / "predictions.parquet").touch()
    today = dt.date(2026, 1, 31)
    told = prune_predictions(tmp_path, 30, today)
    assert [removal.name for removal in told] == ["2025-01-01", "2025-12-31"]
    assert len(list(tmp_path.iterdir())) == 3
    assert prune_predictions(tmp_path, 30, today, dry_run=False) == told
    assert [part.name for part in tmp_path.iterdir()] == ["as_of=2026-01-01"]


def test_predictions_without_a_retention_or_a_folder_are_no_fault(tmp_path: Path) -> None:
    (tmp_path / "as_of=1999-01-01").mkdir()
    assert prune_predictions(tmp_path, None, dt.date(2026, 1, 31), dry_run=False) == []
    assert prune_predictions(tmp_path / "none", 30, dt.date(2026, 1, 31), dry_run=False) == []


def test_other_faults_of_the_server_are_not_taken_for_a_deleted_model(
    use_case: str, five: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_leaderboard(use_case, five[0])

    def broken(*_: object) -> None:
        raise MlflowException("disk full")

    monkeypatch.setattr(prune.MlflowClient, "get_logged_model", broken)
    with pytest.raises(MlflowException, match="disk full"):
        prune_versions(use_case, STRICT, NEXT_YEAR, dry_run=False)
    assert five[0] in kept(use_case)
