"""How a trained candidate becomes a registered challenger, or an equal earlier version is found again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel
from sklearn.pipeline import Pipeline

from evergreen import __version__
from evergreen.errors import EvergreenError
from evergreen.modelling.estimators import Params
from evergreen.modelling.fold_models import write_fold_models
from evergreen.modelling.record import TrainingRecord, leaderboard_row
from evergreen.monitoring.past.counts import training_counts
from evergreen.monitoring.reference import BLOCK_SHARE, PROBABILITY, reference_profiles
from evergreen.registry import artefacts
from evergreen.registry.aliases import set_challenger
from evergreen.registry.check import write_check_rows
from evergreen.registry.descriptions import describe_new
from evergreen.registry.downloads import fetch
from evergreen.registry.forward import ForwardEvidence, write_forward
from evergreen.registry.inputs import UsedRows
from evergreen.registry.manifest import Manifest, git_commit, installed_versions, versions_of
from evergreen.registry.references import (
    COUNTS_FILE,
    FOLDS_FOLDER,
    PROFILE_FILE,
    SAMPLE_FILE,
    SCORE_PROFILE_FILE,
    SCORES_FILE,
)
from evergreen.registry.tracking import LoggedCandidate
from evergreen.registry.versions import (
    CHAMPION,
    UNDECIDED,
    ModelVersion,
    aliases_of,
    find_by_fingerprint,
    load,
    register,
    status_of,
)
from evergreen.rows.fingerprint import content_digest, fingerprint
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.splits import TestedOn
from evergreen.scratch import new_folder

TRAINING_FILE = "training.json"
SELECTED_FILE = "selected_features.parquet"
EXAMPLE_ROWS = 5


@dataclass(frozen=True)
class TrainingPlan:
    """What training is about to do.

    Attributes:
        use_case: Name of the registered model.
        fingerprint: Digest of the training rows, their label and all parameters that shape a model.
        content_digest: Digest of the training rows alone.
        reuse: A version that was trained on just this, or None.
        parent: The champion whose lineage the new version continues, or None.
    """

    use_case: str
    fingerprint: str
    content_digest: str
    reuse: str | None
    parent: str | None


def plan_training(
    use_case: str, training_set: LabelledRows, parameters: Sequence[BaseModel], parent: str | None
) -> TrainingPlan:
    """Digest the training rows and parameters, and look for a version that was trained on just these."""
    content = content_digest(training_set.rows)
    algorithms = [name for each in parameters for name in getattr(each, "algorithms", ())]
    versions = versions_of(algorithms)
    mark = fingerprint(content, training_set.label, training_set.spec, *parameters, versions, __version__)
    return TrainingPlan(use_case, mark, content, find_by_fingerprint(use_case, mark), parent)


def learnt_rows(plan: TrainingPlan, training_set: LabelledRows) -> UsedRows:
    """The rows that a plan's versions learn from, as MLflow's runs name them."""
    entry, features = f"{plan.use_case}.features", len(training_set.spec.features)
    return UsedRows(entry, plan.content_digest, len(training_set.y), features, "training")


def register_challenger(
    plan: TrainingPlan,
    training_set: LabelledRows,
    logged: list[LoggedCandidate],
    reference_sample_rows: int,
    window_days: int,
    remembered: np.ndarray | None = None,
    tested_on: TestedOn = "features",
    forward: ForwardEvidence | None = None,
) -> tuple[TrainingRecord, pd.DataFrame]:
    """Register the winner of the leaderboard with all that a version carries, and point the challenger alias at it.

    Args:
        plan: What was planned.
        training_set: The rows that it was trained on.
        logged: Algorithms with their MLflow runs, best first.
        reference_sample_rows: Rows of the stored sample; 0 stores none.
        window_days: Length of the windows that monitoring will hold against the version.
        remembered: Which training rows later windows are held against, shape (n,); None for all.
        tested_on: Where rows lie that the version has not seen.
        forward: What its recipe's models said of days that they had not learnt, where it is judged so.

    Returns:
        The training record, and the winner's features with their selection scores.
    """
    best = logged[0]
    selected = best.candidate.selected_features
    if selected is None:
        raise EvergreenError(f"{plan.use_case}: no algorithm could be trained; see the leaderboard for each error.")
    manifest = _manifest(plan, training_set, best, tested_on, forward.recipe if forward else None)
    with new_folder() as parent:
        folder = Path(parent) / "version"
        artefacts.save_model(best.candidate.pipeline, training_set.X.head(EXAMPLE_ROWS), folder)
        artefacts.write_manifest(manifest, folder)
        write_check_rows(best.candidate.pipeline, training_set.X, folder)
        selected.to_parquet(folder / SELECTED_FILE)
        kept = np.ones(len(training_set.y), dtype=bool) if remembered is None else remembered
        _write_references(best, training_set, kept, reference_sample_rows, window_days, folder)
        if forward is not None:
            write_forward(forward, best.candidate.pipeline, folder)
        record = _record(plan, training_set, logged)
        (folder / TRAINING_FILE).write_text(record.model_dump_json())
        version = register(manifest, folder, best.run_id)
    describe_new(manifest, version)
    set_challenger(plan.use_case, version)
    return record.model_copy(update={"version": version}), selected


def reuse_version(plan: TrainingPlan) -> tuple[TrainingRecord, pd.DataFrame]:
    """Take up the version that was trained on the same rows with the same parameters.

    It becomes the challenger again while nothing was decided about it, or while nothing serves: what a first champion
    must show may have been set anew. What a person rejected stays rejected.
    """
    assert plan.reuse is not None  # the caller asks only where the plan says so
    found = load(plan.use_case, plan.reuse)
    status, vacant = status_of(plan.use_case, plan.reuse), CHAMPION not in aliases_of(plan.use_case)
    if status == UNDECIDED or (vacant and status != "rejected"):
        set_challenger(plan.use_case, plan.reuse)
    stored = training_record(found)
    record = stored.model_copy(update={"version": found.version, "status": "reused"})
    with artefacts.refused_if_unreadable(found.folder / SELECTED_FILE):
        return record, pd.read_parquet(found.folder / SELECTED_FILE)


def training_record(version: ModelVersion) -> TrainingRecord:
    """The leaderboard that a version won.

    Raises:
        EvergreenError: Where its file cannot be read.
    """
    with artefacts.refused_if_unreadable(version.folder / TRAINING_FILE):
        return TrainingRecord.model_validate_json((version.folder / TRAINING_FILE).read_bytes())


def recipe(version: ModelVersion) -> tuple[str, Params]:
    """A version's algorithm and the parameters that it was fitted with."""
    stored = training_record(version)
    chosen = version.manifest.algorithm
    return chosen, next(row.best_params for row in stored.leaderboard if row.algorithm == chosen)


def leaderboard_models(version: ModelVersion) -> dict[str, tuple[Pipeline, float]]:
    """Every algorithm that was fitted beside a version: algorithm → its pipeline and decision threshold."""
    stored = training_record(version)
    models = {version.manifest.algorithm: (version.pipeline, version.manifest.threshold)}
    for row in stored.leaderboard:
        if row.model_uri is not None and row.threshold is not None and row.algorithm not in models:
            folder = fetch(row.model_uri)
            models[row.algorithm] = (artefacts.load_model(folder / artefacts.MODEL_FILE), row.threshold)
    return models


def _manifest(
    plan: TrainingPlan, training_set: LabelledRows, best: LoggedCandidate, tested_on: TestedOn, recipe: str | None
) -> Manifest:
    spec = training_set.spec
    return Manifest(
        use_case=plan.use_case,
        algorithm=best.candidate.algorithm,
        as_of=training_set.as_of,
        spec=spec,
        label=training_set.label,
        threshold=best.candidate.threshold,
        bounds=training_set.bounds,
        training_rows=len(training_set.y),
        cv_roc_auc_mean=best.candidate.cv_roc_auc_mean,
        fingerprint=plan.fingerprint,
        content_digest=plan.content_digest,
        feature_digest=fingerprint(spec.numeric, spec.categorical),
        parent_version=plan.parent,
        library_versions=installed_versions(best.candidate.pipeline),
        git_commit=git_commit(Path(__file__).parent),
        created=dt.datetime.now(dt.UTC),
        tested_on=tested_on,
        recipe=recipe,
    )


def _record(plan: TrainingPlan, training_set: LabelledRows, logged: list[LoggedCandidate]) -> TrainingRecord:
    return TrainingRecord(
        use_case=plan.use_case,
        as_of=training_set.as_of,
        status="trained",
        version="",
        algorithm=logged[0].candidate.algorithm,
        n_train=len(training_set.y),
        leaderboard=[leaderboard_row(row.candidate, row.model_uri) for row in logged],
    )


def _write_references(
    best: LoggedCandidate,
    training_set: LabelledRows,
    remembered: np.ndarray,
    sample_rows: int,
    window_days: int,
    folder: Path,
) -> None:
    """What later windows are held against: profiles, out-of-fold scores, and a sample of rows unless switched off."""
    probability = pd.Series(best.candidate.out_of_fold, index=best.candidate.out_of_fold_index, name=PROBABILITY)
    probability = probability[remembered[probability.index]]
    scored = probability.index.to_numpy()
    rows = training_set.rows[remembered]
    features, scores = reference_profiles(rows, training_set.spec, probability, window_days)
    (folder / PROFILE_FILE).write_text(features.model_dump_json())
    (folder / SCORE_PROFILE_FILE).write_text(scores.model_dump_json())
    if training_set.spec.date is not None:
        training_counts(rows, features, training_set.spec.date, window_days).to_parquet(folder / COUNTS_FILE)
    if best.candidate.fold_models is not None:
        write_fold_models(best.candidate.fold_models(), training_set.X, probability, folder / FOLDS_FOLDER)
    labels = {"label": training_set.y[scored], BLOCK_SHARE: training_set.share[scored]}
    probability.to_frame().assign(**labels).to_parquet(folder / SCORES_FILE)
    if sample_rows:
        sample = training_set.X[remembered].assign(**{BLOCK_SHARE: training_set.share[remembered]})
        sample.sample(min(sample_rows, len(sample)), random_state=0).sort_index().to_parquet(folder / SAMPLE_FILE)
