"""May a stored version serve? Its files, libraries, columns and predictions are those that were stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from mlflow.models import Model
from sklearn.pipeline import Pipeline

from evergreen.errors import EvergreenError
from evergreen.monitoring.reference import PROBABILITY
from evergreen.registry.artefacts import refused_if_unreadable
from evergreen.registry.references import METRICS_FILE
from evergreen.registry.versions import ModelVersion, load

MLMODEL = "MLmodel"
CHECK_FILE = "check_rows.parquet"
CHECK_ROWS = 5
TOLERANCE = 1e-12


@dataclass(frozen=True)
class CheckedVersion:
    """A version that can serve.

    Attributes:
        version: The version, loaded.
        checks: What was checked, in words.
    """

    version: ModelVersion
    checks: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The checks as one phrase, for the audit."""
        return ", ".join(self.checks)


def write_check_rows(pipeline: Pipeline, X: pd.DataFrame, folder: Path) -> None:
    """Store a few rows with the pipeline's probabilities, for the version to be checked with later.

    Every column is drawn by itself, so that no stored row is anybody's.

    Args:
        pipeline: The fitted pipeline.
        X: Its training rows, features only.
        folder: The version's folder.
    """
    count = min(CHECK_ROWS, len(X))
    drawn = [X[name].sample(count, random_state=place).reset_index(drop=True) for place, name in enumerate(X)]
    rows = pd.concat(drawn, axis=1)
    rows.assign(**{PROBABILITY: pipeline.predict_proba(rows)[:, 1]}).to_parquet(folder / CHECK_FILE, index=False)


def check_version(use_case: str, number: str) -> CheckedVersion:
    """Load a version and check file digests, library versions, signature and stored predictions.

    Raises:
        EvergreenError: Naming the first thing that is not as it was stored.
    """
    version = load(use_case, number)
    assert version.pipeline is not None  # loads it, which checks library versions and types
    version.file(METRICS_FILE)  # finds what its evaluation left, which checks the digests
    _check_signature(version)
    return CheckedVersion(version, ("files", "library versions", "signature", _check_predictions(version)))


def _check_signature(version: ModelVersion) -> None:
    file = version.folder / MLMODEL
    with refused_if_unreadable(file):
        schema = Model.from_dict(yaml.safe_load(file.read_text())).get_input_schema()
    signed = schema.input_names() if schema else []
    expected = version.manifest.spec.features
    if set(signed) != set(expected):
        raise EvergreenError(
            f"{version.use_case} version {version.version} does not fit together: its model was signed for "
            f"{', '.join(signed) or 'no columns'}, its manifest names {', '.join(expected)}; train again."
        )


def _check_predictions(version: ModelVersion) -> str:
    file = version.folder / CHECK_FILE
    if not file.is_file():
        return "no stored predictions to compare with"
    with refused_if_unreadable(file):
        rows = pd.read_parquet(file)
        stored, found = rows[PROBABILITY].to_numpy(), version.probabilities(rows)
    worst = int(np.argmax(np.abs(found - stored)))
    if not np.allclose(found, stored, rtol=0, atol=TOLERANCE):
        raise EvergreenError(
            f"{version.use_case} version {version.version} predicts {found[worst]:.12f} for a row whose stored "
            f"prediction is {stored[worst]:.12f} (allowed difference: {TOLERANCE}): a library or the machine "
            "computes differently now; restore the environment that it was trained in or train again."
        )
    constant = len(rows) > 1 and bool(np.ptp(found) == 0)
    return f"{len(rows)} stored predictions{', all the same: it may tell no row from another' if constant else ''}"
