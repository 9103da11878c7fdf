"""The parent of the workers: listens, lets the loader prove versions, says which one serves, restarts the dead."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import random
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import evergreen
from evergreen.errors import EvergreenError
from evergreen.scratch import lasting_folder
from evergreen.serving.access import require_keys
from evergreen.serving.experiment import described, refuse_other_features
from evergreen.serving.listening import address_of, bound
from evergreen.serving.settings import ServingSettings
from evergreen.serving.state import CURRENT_FILE, SETTINGS_FILE, STATUS_FILE, write_state
from evergreen.serving.workers import Workers

BACKLOG = 2048
RETRY_REFUSED_SECONDS = 60.0
logger = logging.getLogger("evergreen.serving")


@dataclass(frozen=True)
class Places:
    """Where things lie.

    Attributes:
        exports: Proven versions, written once each.
        log: Segments of the prediction log.
        dashboard: The page that reporting wrote last.
        serving_features: Where feature engineering writes features by key; None where the use case has none.
    """

    exports: Path
    log: Path
    dashboard: Path | None = None
    serving_features: Path | None = None


@dataclass(frozen=True)
class Task:
    """Something that the supervisor does every so often; a failure is logged and the next turn tries again.

    Attributes:
        every_seconds: How often.
        act: What; gets the version that serves, and what it returns becomes part of ``/health``, under ``name``.
        name: How it is called.
    """

    every_seconds: float
    act: Callable[[str], Any]
    name: str


class Versions(Protocol):
    """Where versions come from."""

    def wanted(self) -> tuple[str, str | None]:
        """The version that should serve now, and the challenger that an experiment routes to."""

    def proven(self, version: str, environment: dict[str, str]) -> str:
        """The folder that workers read a version from; made by a process with this environment where it is absent."""

    def prepare(self, environment: dict[str, str]) -> str | None:
        """Begin to prove the version that may serve next; returns it once it is ready, None before."""

    def environment(self) -> dict[str, str]:
        """What loader and workers need to know of it."""

    def close(self) -> None:
        """Nothing is asked any more: leave no process behind."""


class Supervisor:
    """Serves one use case until it is told to stop.

    Args:
        use_case: Whose champion.
        settings: The rules.
        places: Where things lie.
        versions: Where versions come from.
        tasks: What to do beside, each in a thread of its own.
    """

    def __init__(
        self,
        use_case: str,
        settings: ServingSettings,
        places: Places,
        versions: Versions,
        tasks: Callable[[Path], list[Task]] = lambda _: [],
    ) -> None:
        self._use_case, self._settings, self._places = use_case, settings, places
        self._versions = versions
        self._folder = lasting_folder()
        self._tasks = tasks(self._folder)
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._status: dict[str, Any] = {"started": time.time(), "restarts": 0}
        self._workers: Workers | None = None
        self._served: dict[str, str] = {}
        self._socket: socket.socket | None = None

    def run(self) -> None:
        """Load, listen, serve, and stop on SIGTERM or SIGINT.

        Raises:
            EvergreenError: Where there is no version to serve, it is refused, or the address is taken.
        """
        require_keys(self._settings)
        try:
            self._publish(*self._versions.wanted())
            self._listen()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self._stop.set())
            self._serve()
        finally:
            self._end()
            gc.freeze()  # Python's last collection would look at every module once more, for seconds

    def _publish(self, version: str, challenger: str | None) -> None:
        """Have versions proven, then let every worker change to them by one reference."""
        found = {"version": version, "folder": self._versions.proven(version, self._environment())}
        if challenger is not None:
            found["challenger"] = self._versions.proven(challenger, self._environment())
            refuse_other_features(Path(found["folder"]), Path(found["challenger"]))
        wanted = {"version": version, "challenger": challenger or ""}
        write_state(self._folder / CURRENT_FILE, found)
        self._served = wanted
        experiment = described(self._settings.routing, version, challenger)
        self._say(serving=version, since=time.time(), refused=None, experiment=experiment)

    def _environment(self) -> dict[str, str]:
        """What loader and workers need to know: where versions are, and where compiled kernels are kept."""
        own = {**self._versions.environment(), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        if not os.access(Path(evergreen.__file__).parent / "modelling", os.W_OK):  # kernels are kept beside their code
            own["NUMBA_CACHE_DIR"] = str(self._places.exports / "kernels")
        return {**os.environ, **own}

    def _listen(self) -> None:
        settings = self._settings
        try:
            self._socket = bound(settings)
        except OSError as error:
            raise EvergreenError(
                f"{self._use_case} cannot listen on {settings.unix_socket or f'{settings.host}:{settings.port}'} "
                f"({error.strerror}): choose another --port or --host."
            ) from error
        self._socket.listen(BACKLOG)
        self._socket.set_inheritable(True)
        shared = {
            "settings": settings.model_dump(mode="json"),
            "log": str(self._places.log),
            "dashboard": str(self._places.dashboard) if self._places.dashboard else None,
            "serving_features": str(self._places.serving_features) if self._places.serving_features else None,
        }
        write_state(self._folder / SETTINGS_FILE, shared)

    def _serve(self) -> None:
        assert self._socket is not None
        settings = self._settings
        self._workers = Workers(
            self._use_case, settings.workers, self._folder, self._socket.fileno(), self._environment()
        )
        self._workers.start(self._stop)
        logger.info(
            "%s version %s is served on %s by %d workers.",
            self._use_case,
            self._served["version"],
            address_of(self._socket, settings),
            settings.workers,
        )
        jobs = [self._watch, *(lambda task=task: self._repeat(task) for task in self._tasks)]
        for job in jobs:
            threading.Thread(target=job, daemon=True).start()
        self._workers.keep(self._stop, lambda: self._say(restarts=self._status["restarts"] + 1))

    def _watch(self) -> None:
        """Follow the alias; a version that is refused is tried again when the alias moves, or after a minute."""
        if self._settings.version is not None:
            return
        refused, retry = "", 0.0
        while not self._stop.wait(self._settings.watch_seconds * random.uniform(0.8, 1.2)):
            try:
                version, challenger = self._versions.wanted()
                wanted = {"version": version, "challenger": challenger or ""}
                if wanted == self._served:
                    if refused:
                        refused = ""
                        self._say(refused=None)
                    self._prepare()
                elif refused != str(wanted) or time.monotonic() > retry:
                    refused, retry = str(wanted), time.monotonic() + RETRY_REFUSED_SECONDS
                    self._publish(version, challenger)
                    refused = ""
                    logger.info("%s: version %s serves now.", self._use_case, version)
            except EvergreenError as error:
                self._say(refused=str(error))
            except Exception as error:  # the registry is out of reach: what serves goes on
                logger.warning("%s: the registry cannot be asked (%s).", self._use_case, type(error).__name__)
                self._say(registry=f"cannot be asked ({type(error).__name__})")
            else:
                if "registry" in self._status:
                    self._say(registry=None)

    def _prepare(self) -> None:
        """Have the next version proven before it is to serve."""
        ready = self._versions.prepare(self._environment())
        if ready != self._status.get("prepared"):
            self._say(prepared=ready)

    def _repeat(self, task: Task) -> None:
        while not self._stop.wait(task.every_seconds):
            try:
                found = task.act(self._served["version"])
            except Exception:
                logger.exception("%s: %s failed and is tried again.", self._use_case, task.name)
            else:
                self._say(**{task.name: found})

    def _say(self, **what: Any) -> None:
        """Tell the workers, for ``/health``, ``/stats`` and ``/metrics``."""
        with self._lock:
            self._status |= what
            self._status = {name: value for name, value in self._status.items() if value is not None}
            write_state(self._folder / STATUS_FILE, self._status)

    def _end(self) -> None:
        """Let the workers drain, end those that don't, and leave nothing behind."""
        self._stop.set()
        self._versions.close()
        if self._socket is not None:
            with contextlib.suppress(OSError):  # for all workers at once: nobody connects to one that is about to stop
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
        if self._workers is not None:
            self._workers.drain(self._settings.drain_seconds + 5)
        if self._settings.unix_socket:
            Path(self._settings.unix_socket).unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)
