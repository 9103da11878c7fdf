"""Imported by a process before its command: counts its writes to MLflow's stores and ends it before one of them.

`DIE_AT` is the number of the write before which the system ends the process, at once and without a chance to tidy up.
A write is a call that changes the tracking store, the registry or an artefact, whichever client it comes from; what a
store calls of itself meanwhile is part of it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Tracking

CHANGES = ("create_", "delete_", "finalize_", "link_", "log_", "record_", "rename_", "restore_", "set_", "update_")
_inside, _done = threading.local(), [0]


def _dying(method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        if getattr(_inside, "now", False):
            return method(*arguments, **options)
        _done[0] += 1
        if _done[0] == int(os.environ["DIE_AT"]):
            os.kill(os.getpid(), signal.SIGKILL)
        _inside.now = True
        try:
            return method(*arguments, **options)
        finally:
            _inside.now = False

    return call


for _store in (Registry, Tracking, LocalArtifactRepository):
    for _name in dir(_store):
        if _name.startswith(CHANGES):
            setattr(_store, _name, _dying(getattr(_store, _name)))
