"""What does the registry know of a use case that people should see? Versions, audit, algorithms, importance."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evergreen.registry.audit_log import history
from evergreen.registry.references import IMPORTANCE_FILE
from evergreen.registry.runs import runs
from evergreen.registry.serving import audit_event, serving_record
from evergreen.registry.versions import list_versions, load
from evergreen.reporting.dashboard.records import RegisteredVersion, Standing, TrainedAlgorithm

_NEWEST_RUNS = 200


def standing(use_case: str) -> Standing:
    """What the registry knows; empty where nothing was registered.

    Args:
        use_case: Name of the registered model.
    """
    versions = tuple(
        RegisteredVersion(
            version=row.version, algorithm=row.algorithm, status=row.status, created=row.created,
            test_roc_auc=row.test_roc_auc,
        )
        for row in reversed(list_versions(use_case))
    )  # fmt: skip
    if not versions:
        return Standing()
    serving = serving_record(use_case)
    importance, units = ((), "") if serving is None else _importance(use_case, serving.version)
    events = tuple(audit_event(line) for line in history(use_case) if line.state == "done")
    return Standing(
        serving=serving, versions=versions, events=events, algorithms=_algorithms(use_case), importance=importance,
        units=units,
    )  # fmt: skip


def _importance(use_case: str, number: str) -> tuple[tuple[tuple[str, float], ...], str]:
    file = load(use_case, number).file(IMPORTANCE_FILE)
    if not file.is_file():
        return (), ""
    table = pd.read_csv(file).sort_values("mean_abs_shap", ascending=False)
    units = str(table["units"].iloc[0]) if "units" in table and len(table) else ""
    return tuple(zip(table["feature"].astype(str), table["mean_abs_shap"].astype(float), strict=True)), units


def _algorithms(use_case: str) -> tuple[TrainedAlgorithm, ...]:
    """The algorithms of the newest training that compared several, best first."""
    found = runs(use_case, _NEWEST_RUNS)
    found = found[found["cv_roc_auc_mean"].notna() & found["parent_run_id"].notna() & found["algorithm"].notna()]
    groups = [rows for _, rows in found.groupby("parent_run_id", sort=False) if len(set(rows["algorithm"])) > 1]
    if not groups:
        return ()
    newest = max(groups, key=lambda rows: rows["started"].max()).drop_duplicates("algorithm")
    rows = newest.sort_values("cv_roc_auc_mean", ascending=False)
    return tuple(
        TrainedAlgorithm(
            algorithm=str(row["algorithm"]), cv_roc_auc=_number(row["cv_roc_auc_mean"]),
            cv_spread=_number(row["cv_roc_auc_std"]), fit_seconds=_number(row["fit_seconds"]),
        )
        for row in rows.to_dict("records")
    )  # fmt: skip


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
