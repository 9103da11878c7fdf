"""A short-lived process that proves a version and writes what workers read: plain arrays and a JSON plan.

    python -m evergreen.serving.loader USE_CASE VERSION FOLDER COPIES

MLflow is found by its own environment variables; COPIES is where lies what the process needs for a while. The last line
that it prints is JSON: ``{"folder": …}`` or ``{"refused": …}``.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.modelling.compiled import Compiled, NotCompilableError, compile_pipeline
from evergreen.modelling.kernels import tree_kernel
from evergreen.modelling.parity import draw_rows, prove_parity
from evergreen.monitoring.profiles.profile import CategoricalColumn, NumericColumn, Profile
from evergreen.registry.artefacts import MODEL_FILE, digests
from evergreen.registry.references import PROFILE_FILE, SCORE_PROFILE_FILE
from evergreen.scratch import lay_copies_in, new_folder
from evergreen.serving.served import FACTS_FILE

COMPILED, SCIKIT_LEARN = "compiled", "scikit-learn"
logger = logging.getLogger("evergreen.serving")


def export(use_case: str, number: str, folder: Path) -> Path:
    """Prove a version and write it below ``folder``, once: under its number and a digest of its files.

    Returns:
        The folder of the version.

    Raises:
        EvergreenError: Where a file, a type, a library, the signature, a stored prediction or the compiled form is not
            as it should be.
    """
    version = registry.load(use_case, number)
    content = hashlib.sha256(json.dumps(digests(version.folder), sort_keys=True).encode()).hexdigest()
    place = folder / f"{number}-{content[:12]}"
    if (place / FACTS_FILE).is_file():
        return place
    checked = registry.check_version(use_case, number)
    folder.mkdir(parents=True, exist_ok=True)
    with new_folder() as temporary:
        made = Path(temporary) / place.name
        made.mkdir()
        _write(checked.version, content, checked.checks, made)
        if not place.exists():
            aside = place.with_name(f".{place.name}-{Path(temporary).name}")
            shutil.move(made, aside)  # copied, where it is another disk
            aside.rename(place)
    return place


def _write(version: registry.ModelVersion, content: str, checks: tuple[str, ...], folder: Path) -> None:
    manifest = version.manifest
    profile, scores = _profiles(version)
    facts: dict[str, Any] = {
        "use_case": version.use_case,
        "version": version.version,
        "algorithm": manifest.algorithm,
        "threshold": manifest.threshold,
        "entity": manifest.spec.entity,
        "date": manifest.spec.date,
        "content_sha256": content,
        "library_versions": manifest.library_versions,
        "checks": list(checks),
        "made": time.time(),
        "created": manifest.created.timestamp(),
    }
    try:
        compiled = compile_pipeline(version.pipeline, facts)
        facts |= {"engine": COMPILED, "greatest_difference": _prove(version, compiled, profile)}
        compiled.write(folder)
    except NotCompilableError as reason:
        facts |= {"engine": SCIKIT_LEARN, "because": str(reason)}
        shutil.copy2(version.folder / MODEL_FILE, folder / MODEL_FILE)
    spec = {"numeric": manifest.spec.numeric, "categorical": manifest.spec.categorical}
    watch = _watched(profile, scores, manifest.spec.features)
    (folder / FACTS_FILE).write_text(json.dumps({**facts, **spec, "watch": watch}), encoding="utf-8")


def _prove(version: registry.ModelVersion, compiled: Compiled, profile: Profile | None) -> float:
    columns = profile.columns if profile else {}
    quantiles = {name: np.array(column.edges) for name, column in columns.items() if isinstance(column, NumericColumn)}
    levels = {name: list(column.levels) for name, column in columns.items() if isinstance(column, CategoricalColumn)}
    rows = draw_rows(compiled, quantiles, levels)
    trees = tree_kernel(compiled.plan)
    return prove_parity(version.pipeline, compiled, rows, trees)


def _profiles(version: registry.ModelVersion) -> tuple[Profile | None, Profile | None]:
    files = (version.folder / PROFILE_FILE, version.folder / SCORE_PROFILE_FILE)
    profile, scores = (Profile.model_validate_json(f.read_text()) if f.is_file() else None for f in files)
    return profile, scores


def _watched(profile: Profile | None, scores: Profile | None, features: list[str]) -> dict[str, Any]:
    """Edges and levels that live traffic is counted by; empty where the version has no profile."""
    if profile is None or scores is None:
        return {}
    columns = {name: column for name, column in profile.columns.items() if name in features}
    (score,) = scores.columns.values()
    assert isinstance(score, NumericColumn)
    return {
        "numeric": {name: list(c.edges) for name, c in columns.items() if isinstance(c, NumericColumn)},
        "categorical": {name: list(c.levels) for name, c in columns.items() if isinstance(c, CategoricalColumn)},
        "score": list(score.edges),
    }


def main() -> None:
    """The process: use case, version and folders from the command line."""
    use_case, number, folder, copies = sys.argv[1:]
    lay_copies_in(Path(copies))
    try:
        outcome = {"folder": str(export(use_case, number, Path(folder)))}
    except EvergreenError as error:
        outcome = {"refused": str(error)}
    except Exception as error:
        logger.exception("version %s of %s cannot be loaded", number, use_case)
        outcome = {"refused": f"{use_case} version {number} cannot be loaded ({type(error).__name__})."}
    print(json.dumps(outcome))  # noqa: T201 - what the supervisor reads


if __name__ == "__main__":
    main()
