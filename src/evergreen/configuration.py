"""How configuration is read: Kedro's way, this machine's secrets in every environment, each loader its own globals."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from kedro.config import MissingConfigException, OmegaConfigLoader

from evergreen.histories import with_past
from evergreen.paths import is_remote, plain
from evergreen.star_schema import described_table
from evergreen.use_cases import POLICIES, WINDOW_DAYS

LOCAL = "local"
_FILE_TYPES = ("ibis.FileDataset", "kedro_datasets.ibis.FileDataset")
_OWN_READER = "evergreen.datasets.TableFileDataset"
_OTHER_CREDENTIALS = (_OWN_READER, "evergreen.datasets.SparkTableDataset")  # theirs are a connection's
IN_BUCKET = "data"  # the entry of credentials.yml that logs in to the bucket of EVERGREEN_DATA
_SERVERS = ("http", "https", "databricks")


def mlflow_scheme(uri: str) -> str:
    """What kind of place an MLflow URI names: ``https``, ``sqlite``, …; nothing for a folder."""
    return "databricks" if uri == "databricks" else uri.partition(":")[0] if ":" in uri else ""


class ConfigLoader(OmegaConfigLoader):
    """Kedro's loader, for which ``conf/local/credentials.yml`` also counts under ``--env``: secrets are a machine's.

    Files named by ``ibis.FileDataset`` are read by the project's own reader, which loses nothing.

    Every use case has all its blocks of parameters: one that YAML does not name is empty, so that its model's defaults
    hold.

    Kedro's ``${globals:…}`` means those of the loader that was made last; here it means the loader's own. Artefacts of
    an MLflow server go where the server keeps them, not into a folder that only this machine can see.
    """

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Configuration of one kind; credentials with those of ``conf/local`` on top."""
        self._register_globals_resolver()
        if key == "mlflow":
            return _artefacts_beside_runs(_login_apart(dict(super().__getitem__(key))), self["globals"].get("data"))
        if key == "parameters":
            listed = self["use_cases"] if "use_cases" in self.config_patterns else {}
            return _with_all_blocks(
                dict(super().__getitem__(key)), {name: each for name, each in listed.items() if each}
            )
        if key == "catalog":
            return self._of_bucket(_read_without_loss(dict(super().__getitem__(key))))
        folder = Path(self.conf_source) / LOCAL
        if key != "credentials" or self.env in (None, LOCAL) or not folder.is_dir():
            return dict(super().__getitem__(key))
        own = self.load_and_merge_dir_config(str(folder), self.config_patterns[key], key, set(), True)
        try:
            return {**super().__getitem__(key), **own}
        except MissingConfigException:
            if not own:
                raise
            return dict(own)

    def _of_bucket(self, catalog: dict[str, Any]) -> dict[str, Any]:
        """The catalog, in which all own entries below the data log in to its bucket where configuration says how."""
        shared = self["globals"]
        data = str(shared.get("data"))
        if not is_remote(data):
            return catalog
        try:
            login = {"credentials": IN_BUCKET} if IN_BUCKET in self["credentials"] else {}
        except MissingConfigException:
            login = {}
        more = {"fs_args": dict(shared["fs_args"])} if shared.get("fs_args") else {}
        for name, entry in catalog.items():
            if isinstance(entry, dict) and _lies_below(data, entry):
                catalog[name] = {**more, **login, **entry}
        return catalog


def _lies_below(data: str, entry: dict[str, Any]) -> bool:
    """Whether it is an entry of the project's own connectors that reads or writes below the data."""
    own = str(entry.get("type", "")).startswith("evergreen.datasets.") and entry["type"] not in _OTHER_CREDENTIALS
    return own and any(str(entry.get(name, "")).startswith(f"{data}/") for name in ("filepath", "lake", "table"))


def _with_all_blocks(parameters: dict[str, Any], listed: dict[str, Any]) -> dict[str, Any]:
    """Parameters in which no use case lacks a block."""
    for name, entry in listed.items():
        named = parameters.get(name) or {}
        if not isinstance(named, dict):
            continue  # a fault of the user's, reported with all others
        block = _with_window({"use_case": name, **{policy: {} for policy in POLICIES}, **named})
        parameters[name] = _with_features(block, entry.get("source") if isinstance(entry, dict) else None)
    return parameters


def _with_features(block: dict[str, Any], source: str | None) -> dict[str, Any]:
    """A use case whose table lists the features that are made of a star schema, or of its own past."""
    table = block.get("table")
    if source not in ("star_schema", "dated_table") or not isinstance(table, dict):
        return block
    features = block.get("features", {})
    described = described_table if source == "star_schema" else with_past
    return {**block, "features": features, "table": described(table, features)}


def _with_window(block: dict[str, Any]) -> dict[str, Any]:
    """A use case whose window has one length, which monitoring keeps, too; it was monitoring's alone before."""
    monitoring = block["monitoring"] if isinstance(block["monitoring"], dict) else {}
    days = block.get("window_days", monitoring.get("window_days", WINDOW_DAYS))
    return {**block, "window_days": days, "monitoring": {**monitoring, "window_days": days}}


def _login_apart(mlflow: dict[str, Any]) -> dict[str, Any]:
    """MLflow's settings, the login of a server's address where MLflow reads it and shows it nowhere."""
    server = mlflow.get("server") or {}
    uri = str(server.get("mlflow_tracking_uri") or "")
    if mlflow_scheme(uri) in ("http", "https"):
        head, _, rest = uri.partition("://")
        login, at, host = rest.rpartition("@")
        if at:
            user, given, password = login.partition(":")
            os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(user)
            if given:
                os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(password)
            server["mlflow_tracking_uri"] = f"{head}://{host}"
    return mlflow


def _read_without_loss(catalog: dict[str, Any]) -> dict[str, Any]:
    """The catalog with this project's own reading of files behind ``ibis.FileDataset``, which rounds silently."""
    for name, entry in catalog.items():
        if isinstance(entry, dict) and entry.get("type") in _FILE_TYPES:
            catalog[name] = {**entry, "type": _OWN_READER, "table": name}
    return catalog


def _artefacts_beside_runs(mlflow: dict[str, Any], data: Any) -> dict[str, Any]:
    """MLflow's settings, without a place of the project's own for the artefacts of a server, which has one."""
    uri = str((mlflow.get("server") or {}).get("mlflow_tracking_uri") or "")
    experiment = (mlflow.get("tracking") or {}).get("experiment") or {}
    created = experiment.get("create_experiment_kwargs") or {}
    location = created.get("artifact_location")
    if location:
        created["artifact_location"] = plain(location)
    if (
        mlflow_scheme(uri) in _SERVERS
        and location
        and (Path(location).is_absolute() or location.startswith(f"{data}/"))
    ):
        experiment["create_experiment_kwargs"]["artifact_location"] = None
    return mlflow
