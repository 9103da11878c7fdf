"""What models of a version's recipe had said of days that they had not learnt, which the next version continues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.pipeline import Pipeline

from evergreen.evaluation.judge import ScoredRows
from evergreen.registry.artefacts import refused_if_unreadable
from evergreen.registry.versions import ModelVersion
from evergreen.retraining.forward import Replay
from evergreen.retraining.parameters import Choice
from evergreen.rows.fingerprint import row_digests
from evergreen.rows.labelled import LabelledRows, select_rows

FORWARD_FILE = "forward.parquet"
_LOGIT = "logit_"


@dataclass(frozen=True)
class ForwardEvidence:
    """What a recipe's models said of rows, as it is stored: a digest of a row's keys stands for the row.

    Attributes:
        recipe: Digest of the recipe: versions that share it are one challenger.
        table: Columns ``row``, ``cutoff`` (days since 1970), ``logit`` by the choice that led before the cut-off
            (missing where the row does not judge), and ``logit_<choice>`` of every choice.
    """

    recipe: str
    table: pd.DataFrame


def forward_evidence(recipe: str, judged: LabelledRows, found: Replay, first: int, choose_days: int) -> ForwardEvidence:
    """What is stored of a replay.

    Args:
        recipe: Digest of the recipe.
        judged: The rows that were scored.
        found: The replay of them.
        first: Last day that the champion had learnt; rows of later days judge.
        choose_days: Days before a cut-off on which choices of rows compete.
    """
    logit = np.where(found.days > first, found.chosen_logits(choose_days), np.nan)
    table = pd.DataFrame({"row": _row_names(judged), "cutoff": found.cutoffs, "logit": logit})
    by_choice = {f"{_LOGIT}{choice}": found.logits[:, place] for place, choice in enumerate(found.choices)}
    return ForwardEvidence(recipe, table.assign(**by_choice)[found.cutoffs >= 0].reset_index(drop=True))


def write_forward(evidence: ForwardEvidence, pipeline: Pipeline, folder: Path) -> None:
    """Put the evidence beside the model, the chosen scores as probabilities by the version's own calibration."""
    scaled = pipeline[-1]
    probability = expit(scaled.slope * evidence.table["logit"] + scaled.intercept)
    evidence.table.assign(probability=probability).to_parquet(folder / FORWARD_FILE)


def is_judged_forward(version: ModelVersion) -> bool:
    """Whether a version carries what its recipe's models said of later days."""
    return (version.folder / FORWARD_FILE).is_file()


def known_replay(version: ModelVersion, judged: LabelledRows, choices: Sequence[Choice]) -> Replay | None:
    """A version's replay laid on rows of today; None where it has none of just these choices."""
    if not is_judged_forward(version):
        return None
    stored = _stored(version)
    names = [f"{_LOGIT}{choice}" for choice in choices]
    if not set(names) <= set(stored.columns):
        return None
    found = stored.reindex(_row_names(judged))
    cutoffs = found["cutoff"].fillna(-1).to_numpy(dtype=np.int64)
    logits = found[names].to_numpy(dtype=np.float64)
    return Replay(tuple(choices), judged.day_numbers, cutoffs, logits, judged.y.astype(bool))


def judged_scores(version: ModelVersion, rows: LabelledRows) -> tuple[np.ndarray, np.ndarray]:
    """A version's probabilities of rows and the cut-offs behind them (days since 1970), each of shape (rows,).

    Of a version that was judged forward they are what its recipe's models said; of another, its own.
    """
    if not is_judged_forward(version):
        end = version.manifest.bounds.train_end
        cutoff = 0 if end is None else int(np.datetime64(end, "D").astype(np.int64))
        return version.probabilities(rows.rows), np.full(len(rows.y), cutoff)
    found = _stored(version).reindex(_row_names(rows))
    return found["probability"].to_numpy(dtype=np.float64), found["cutoff"].fillna(-1).to_numpy(dtype=np.int64)


def scored_test_days(version: ModelVersion, window: ir.Table, max_rows: int) -> ScoredRows:
    """The rows behind the figures of a version that was judged forward, with its recipe's scores; blocks are days."""
    manifest = version.manifest
    start = pd.Timestamp(int(_stored(version)["cutoff"].min()), unit="D").date()
    rows = select_rows(
        window,
        manifest.spec,
        manifest.bounds,
        manifest.as_of,
        manifest.label,
        start,
        manifest.bounds.test_end,
        max_rows,
    )
    test = rows.where(~np.isnan(judged_scores(version, rows)[0])).by_day
    name = manifest.algorithm
    return ScoredRows(test, {name: judged_scores(version, test)[0]}, {name: manifest.threshold}, name)


def _stored(version: ModelVersion) -> pd.DataFrame:
    with refused_if_unreadable(version.folder / FORWARD_FILE):
        return pd.read_parquet(version.folder / FORWARD_FILE).set_index("row")


def _row_names(rows: LabelledRows) -> np.ndarray:
    return row_digests(rows.rows[rows.spec.keys])
