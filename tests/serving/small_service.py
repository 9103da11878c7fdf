"""A registry with small versions of one use case, and the service on it, as processes of their own."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from evergreen import registry
from evergreen.modelling.estimators import make_pipeline
from evergreen.monitoring.reference import reference_profiles
from evergreen.registry import artefacts
from evergreen.registry.manifest import Manifest, installed_versions
from evergreen.registry.references import METRICS_FILE, PROFILE_FILE, SCORE_PROFILE_FILE, SCORES_FILE
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds
from evergreen.schema import TableSpec

USE_CASE = "leavers"
SPEC = TableSpec(entity="id", target="gone", positive=1, numeric=["age", "income"], categorical=["city"])


def table(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """Rows of the use case, with their outcome."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.arange(rows), "age": rng.normal(40, 10, rows), "income": rng.lognormal(0, 1, rows)})
    frame["city"] = rng.choice(["A", "B", "7"], rows)
    gone = frame["age"] + 10 * (frame["city"] == "A") + rng.normal(0, 5, rows) > 45
    return frame.assign(gone=gone.astype(int))


def register(folder: Path, algorithm: str, params: dict[str, Any] | None = None, columns: str = "whole") -> str:
    """Train and register a version with all that the service reads; returns its number."""
    rows = table()
    X, y = rows[SPEC.features], rows["gone"].to_numpy()
    pipeline = make_pipeline(algorithm, SPEC, params or {}, 0).fit(X, y)
    if columns == "classifier":  # a pipeline that has no plain form
        pipeline = Pipeline([("passed", _only_numbers()), ("classifier", pipeline["classifier"])]).fit(X, y)
    place = folder / uuid.uuid4().hex
    artefacts.save_model(pipeline, X.head(), place)
    artefacts.write_manifest(_manifest(algorithm), place)
    registry.write_check_rows(pipeline, X, place)
    probability = pd.Series(pipeline.predict_proba(X)[:, 1], index=rows.index)
    for file, profile in zip(
        (PROFILE_FILE, SCORE_PROFILE_FILE), reference_profiles(rows, SPEC, probability, 7), strict=True
    ):
        (place / file).write_text(profile.model_dump_json())
    auc = {"value": 0.8, "low": 0.75, "high": 0.85}
    (place / METRICS_FILE).write_text(json.dumps({"test": {"roc_auc": auc}, "train": {}}))
    pd.DataFrame({"probability": probability, "label": y, "block_share": 0.5}).to_parquet(place / SCORES_FILE)
    with mlflow.start_run() as run:
        pass
    return registry.register(_manifest(algorithm), place, run.info.run_id)


def _only_numbers() -> Any:
    from sklearn.compose import ColumnTransformer

    return ColumnTransformer([("numbers", "passthrough", SPEC.numeric)])


def _manifest(algorithm: str) -> Manifest:
    return Manifest(
        use_case=USE_CASE,
        algorithm=algorithm,
        as_of=dt.date(2026, 1, 31),
        spec=SPEC,
        label=LabelDefinition(target="gone", kind="positive", positive=1),
        threshold=0.4,
        bounds=Bounds(dated=False, judging_share=0.3),
        training_rows=600,
        cv_roc_auc_mean=0.9,
        fingerprint=uuid.uuid4().hex,
        content_digest="c",
        feature_digest="d",
        parent_version=None,
        library_versions=installed_versions(),
        git_commit=None,
        created=dt.datetime(2026, 1, 31, tzinfo=dt.UTC),
    )


def promote(version: str) -> None:
    """Move the champion alias."""
    mlflow.MlflowClient().set_registered_model_alias(USE_CASE, registry.CHAMPION, version)


@dataclass
class Service:
    """A running service.

    Attributes:
        data: Folder of its exports and of its log.
        settings: On top of the defaults.
    """

    data: Path
    settings: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    port: int = 0

    def start(self) -> Service:
        """Start it and wait until it answers."""
        surroundings = {**os.environ, "MLFLOW_TRACKING_URI": mlflow.get_tracking_uri(), **self.environment}
        surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, __file__, str(self.data), json.dumps({"port": 0, "workers": 1, **self.settings})]
        self.process = subprocess.Popen(command, env=surroundings, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if " is served on " in line:
                self.port = int(line.split(" by ")[0].rsplit(":", 1)[1])
                return self
        raise AssertionError(f"the service ended with {self.process.wait()}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal and return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return self.process.wait(30)

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers."""
        assert self.process is not None
        file = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in file.read_text().split() if b"serving.worker" in _command(pid)]

    @cached_property
    def log(self) -> Path:
        """Where it logs."""
        return self.data / "log"

    def ask(self, path: str, body: Any = None, method: str | None = None, **headers: str) -> tuple[int, Any]:
        """One request on a connection of its own: status, and what the JSON says (or the text)."""
        status, found, _ = self.ask_raw(path, body, method, **headers)
        try:
            return status, json.loads(found)
        except ValueError:
            return status, found.decode(errors="replace")

    def ask_raw(
        self, path: str, body: Any = None, method: str | None = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """The same with the body as it is, and the answer's headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, content, given)
            answer = connection.getresponse()
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def wait_for(self, version: str) -> None:
        """Wait until every worker answers with a version."""
        answers = 4 * max(1, len(self.workers))
        self.wait_until(
            lambda: {self.ask("/version")[1] for _ in range(answers)}, lambda found: found == {int(version)}
        )

    def wait_until(self, look: Callable[[], Any], enough: Callable[[Any], bool], every: float = 0.2) -> Any:
        """Look until it is enough, and return what was seen."""
        end = time.monotonic() + 90
        while not enough(found := look()):
            if time.monotonic() > end:
                raise AssertionError(f"it never came: {found}; {self.ask('/health')}")
            time.sleep(every)
        return found


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def main() -> None:
    """The service's parent process."""
    import logging

    from evergreen.scratch import lay_copies_in
    from evergreen.serving.live_drift import LiveDrift
    from evergreen.serving.registered import Registered
    from evergreen.serving.settings import ServingSettings
    from evergreen.serving.supervisor import Places, Supervisor, Task

    logging.basicConfig(level="INFO", format="%(message)s")
    data, settings = Path(sys.argv[1]), ServingSettings.model_validate_json(sys.argv[2])
    told = data / "messages.jsonl"
    lay_copies_in(data / ".copies")

    def notify(messages: list[Any]) -> None:
        with told.open("a") as file:
            file.writelines(message.model_dump_json() + "\n" for message in messages)

    def tasks(folder: Path) -> list[Task]:
        live = LiveDrift(USE_CASE, folder, settings.drift, notify)
        return [Task(settings.drift.every_seconds, live.look, "drift")]

    versions = Registered(USE_CASE, settings, data / "exports")
    Supervisor(USE_CASE, settings, Places(data / "exports", data / "log"), versions, tasks).run()


if __name__ == "__main__":
    main()
