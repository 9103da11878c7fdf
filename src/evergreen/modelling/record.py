"""The record of a training run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from evergreen.modelling.search import Candidate
from evergreen.records import Frozen, Record


class LeaderboardRow(Frozen):
    """How one algorithm did in cross-validation on the training rows; ``threshold`` is its decision threshold."""

    algorithm: str
    status: Literal["ok", "failed"]
    cv_roc_auc_mean: float | None
    cv_roc_auc_std: float | None
    fit_seconds: float
    train_rows: int
    best_params: dict[str, Any]
    threshold: float | None
    model_uri: str | None
    error: str | None


class TrainingRecord(Record):
    """``training.json``; ``status`` is ``trained`` or ``reused``.

    Attributes:
        version: The registered version of the winner.
        algorithm: The winner.
        n_train: Rows in the training window.
        leaderboard: Algorithms, best first.
    """

    model_config = ConfigDict(extra="ignore")  # versions stored before hold test figures, which are evaluation's

    version: str
    algorithm: str
    n_train: int
    leaderboard: list[LeaderboardRow]


def leaderboard_row(candidate: Candidate, model_uri: str | None) -> LeaderboardRow:
    """One row of the leaderboard from an algorithm's result."""
    ok = candidate.status == "ok"
    return LeaderboardRow(
        algorithm=candidate.algorithm,
        status=candidate.status,
        cv_roc_auc_mean=candidate.cv_roc_auc_mean if ok else None,
        cv_roc_auc_std=candidate.cv_roc_auc_std if ok else None,
        fit_seconds=round(candidate.fit_seconds, 3),
        train_rows=candidate.train_rows,
        best_params=candidate.best_params,
        threshold=candidate.threshold if ok else None,
        model_uri=model_uri if ok else None,
        error=candidate.error,
    )


def progress_text(candidate: Candidate) -> str:
    """What became of one algorithm, as a line for those who wait for the others."""
    if candidate.status == "failed":
        return f"{candidate.algorithm} failed: {candidate.error}"
    scored = f"CV AUC {candidate.cv_roc_auc_mean:.4f} on {candidate.train_rows:,} rows"
    return f"{candidate.algorithm}: {scored} in {candidate.fit_seconds:.1f} s"


def leaderboard_text(record: TrainingRecord) -> str:
    """The leaderboard as a table for the console."""
    head = f"{'algorithm':<22}{'CV AUC':>8}{'± std':>8}{'seconds':>9}{'rows':>9}  best parameters"
    return "\n".join([head, *(_line(row) for row in record.leaderboard)])


def _line(row: LeaderboardRow) -> str:
    if row.status == "failed":
        return f"{row.algorithm:<22}  failed: {row.error}"
    chosen = ", ".join(f"{name}={value}" for name, value in row.best_params.items())
    return (
        f"{row.algorithm:<22}{row.cv_roc_auc_mean:>8.4f}{row.cv_roc_auc_std:>8.4f}"
        f"{row.fit_seconds:>9.1f}{row.train_rows:>9,}  {chosen}"
    )
