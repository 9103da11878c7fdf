"""One process that answers; it reads exported arrays and knows neither pandas, scikit-learn, MLflow nor Kedro.

    python -m evergreen.serving.worker FOLDER DESCRIPTOR PARENT

``FOLDER`` is what the supervisor shares with its workers: ``settings.json``, ``current.json`` (which version serves)
and their counts. ``DESCRIPTOR`` is the listening socket, ``PARENT`` the supervisor's process.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from evergreen.datasets.prediction_log.segments import SegmentWriter
from evergreen.serving.access import Keys
from evergreen.serving.answering import Answering
from evergreen.serving.app import Front
from evergreen.serving.by_key import ByKey
from evergreen.serving.counters import RequestCounter
from evergreen.serving.direct import DirectProtocol
from evergreen.serving.routes import Routes
from evergreen.serving.served import Served, library_of
from evergreen.serving.settings import ServingSettings
from evergreen.serving.state import CURRENT_FILE, OUTGROWN, READY, SETTINGS_FILE, read_state, signal

logger = logging.getLogger("evergreen.serving")
LOOK_SECONDS = 0.1
FLUSH_EVERY = 5
ORPHANED = 3


class Server(uvicorn.Server):
    """A server that lets its clients go: on SIGTERM each gets its answer and is asked to close."""

    def __init__(self, config: uvicorn.Config, front: Front, drain_seconds: float) -> None:
        super().__init__(config)
        self._front, self._drain_seconds = front, drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; a second signal ends at once."""
        if self._front.draining:
            super().handle_exit(sig, frame)
        self._front.draining = True

    async def drain_when_asked(self) -> None:
        """Once asked: close the listeners, tell every client with its next answer, and end when all have gone."""
        while not self._front.draining:
            await asyncio.sleep(0.02)
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        end = loop.time() + self._drain_seconds
        while self.server_state.connections and loop.time() < end:
            await asyncio.sleep(0.05)
        self.should_exit = True


class Worker:
    """Answers, and follows the supervisor's word on which version serves."""

    def __init__(self, folder: Path, descriptor: int, parent: int) -> None:
        self._folder, self._parent = folder, parent
        shared = read_state(folder / SETTINGS_FILE)
        self._settings = ServingSettings.model_validate(shared["settings"])
        self._socket = socket.socket(fileno=descriptor)
        rules = self._settings.log
        log = None
        if rules.enabled:
            log = SegmentWriter(Path(shared["log"]), rules.fsync, rules.rotate_mb << 20, rules.rotate_seconds)
        kept = shared.get("serving_features")
        self._by_key = ByKey(Path(kept), self._settings.by_key) if kept else None
        self._answering = Answering(self._settings, folder, log, self._by_key)
        self._changed = -1
        self._answering.use(*self._load(self._pointer()))
        dashboard = Path(shared["dashboard"]) if shared.get("dashboard") else None
        routes = Routes(self._answering, folder, dashboard)
        requests = RequestCounter(folder, self._answering.worker)
        self._front = Front(self._answering, routes.app(), Keys(self._settings), requests)
        routes.draining = lambda: self._front.draining
        self._server = Server(self._config(), self._front, self._settings.drain_seconds)
        signal(folder, READY)

    def _config(self) -> uvicorn.Config:
        settings = self._settings
        return uvicorn.Config(
            self._front,
            http=DirectProtocol,
            loop="uvloop",
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ssl_certfile=settings.certificate,
            ssl_keyfile=settings.certificate_key,
        )

    def _pointer(self) -> dict[str, Any]:
        file = self._folder / CURRENT_FILE
        self._changed = file.stat().st_mtime_ns
        return read_state(file)

    def _load(self, pointer: dict[str, Any]) -> tuple[Served, Served | None]:
        served, *others = map(Served, _folders(pointer))
        return served, others[0] if others else None

    async def _follow(self, pointer: dict[str, Any]) -> None:
        """Change to what should serve, unless a large library would be imported for it while clients wait."""
        asked = {library_of(folder) for folder in _folders(pointer)} - {None}
        if asked <= set(sys.modules):
            self._answering.use(*await asyncio.to_thread(self._load, pointer))
        else:
            signal(self._folder, OUTGROWN)

    async def run(self) -> int:
        """Serve until asked to stop; says how it ended."""
        gc.collect()
        gc.freeze()
        beside = [asyncio.create_task(job) for job in (self._look_around(), self._server.drain_when_asked())]
        await self._server.serve(sockets=[self._socket])
        for task in beside:
            task.cancel()
        self._answering.close()
        return 0 if os.getppid() == self._parent else ORPHANED

    async def _look_around(self) -> None:
        """Every tenth of a second: is the supervisor alive, has the version changed, is there anything to count?"""
        turn = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            turn += 1
            if os.getppid() != self._parent:
                self._front.draining = True
            try:
                await self._look(flush=turn % FLUSH_EVERY == 0)
            except Exception:  # a full disk, a folder that is being removed: what is asked is still answered
                logger.exception("a worker could not look after itself and tries again")

    async def _look(self, flush: bool) -> None:
        if flush:
            self._answering.flush()
            if self._by_key is not None:
                self._by_key.follow()
        if not self._front.draining and (self._folder / CURRENT_FILE).stat().st_mtime_ns != self._changed:
            await self._follow(self._pointer())


def _folders(pointer: dict[str, Any]) -> list[Path]:
    return [Path(pointer[which]) for which in ("folder", "challenger") if pointer.get(which)]


def main() -> None:
    """The process."""
    folder, descriptor, parent = sys.argv[1:]
    worker = Worker(Path(folder), int(descriptor), int(parent))
    import uvloop

    sys.exit(uvloop.run(worker.run()))


if __name__ == "__main__":
    main()
