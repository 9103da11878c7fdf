"""One exported version as a deployment of Ray Serve: the application of a worker, in as many replicas as are asked for.

    serve run evergreen.serving.ray:application folder=/srv/exported replicas=2 log=/srv/answers

What the supervisor does elsewhere is Ray's here: it starts and restarts replicas, lets them drain, and replaces them by
those of another folder when it is told to. No alias is followed, and live drift is not watched.
"""

from __future__ import annotations

import tempfile
import time
import uuid
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from ray import serve

from evergreen.datasets.prediction_log.segments import SegmentWriter
from evergreen.records import Frozen
from evergreen.serving.access import Keys, require_keys
from evergreen.serving.answering import Answering
from evergreen.serving.app import Front
from evergreen.serving.counters import RequestCounter
from evergreen.serving.exported import Exported
from evergreen.serving.routes import Routes
from evergreen.serving.served import Served
from evergreen.serving.settings import LiveDriftSettings, LogSettings, ServingSettings
from evergreen.serving.state import STATUS_FILE, write_state


class Deployed(Frozen):
    """What ``serve run`` is told, as ``name=value``; in a file of Ray Serve these are ``args``.

    Attributes:
        folder: What ``kedro models export`` wrote, where every node finds it.
        replicas: Processes that answer.
        log: Folder of the prediction log; None: none is kept.
        auth: ``required``: requests bring one of the keys that ``EVERGREEN_API_KEYS`` holds in the environment of the
            replicas; ``off``: nobody needs one. Who can reach Ray's proxies is not known here, so that it is said.
    """

    folder: Path
    replicas: int = Field(default=1, ge=1)
    log: Path | None = None
    auth: Literal["required", "off"] = "required"

    @property
    def settings(self) -> ServingSettings:
        """The service's settings."""
        log = LogSettings(enabled=self.log is not None)
        return ServingSettings(auth=self.auth, log=log, drift=LiveDriftSettings(enabled=False))


class Replica:
    """One process that answers.

    Args:
        deployed: What is served, and how.
        counts: A folder that the replicas of one node share, for what they count.
    """

    def __init__(self, deployed: Deployed, counts: Path) -> None:
        self._settings, self._counts = deployed.settings, counts
        require_keys(self._settings)
        counts.mkdir(parents=True, exist_ok=True)
        exported = Exported(deployed.folder)
        version, _ = exported.wanted()
        if not (counts / STATUS_FILE).exists():
            write_state(counts / STATUS_FILE, {"started": time.time(), "serving": version})
        self._answering = Answering(self._settings, counts, SegmentWriter(deployed.log) if deployed.log else None)
        self._answering.use(Served(Path(exported.proven(version, {}))))

    def __serve_build_asgi_app__(self) -> Front:
        """The application; Ray asks for it once."""
        routes = Routes(self._answering, self._counts, None)
        requests = RequestCounter(self._counts, self._answering.worker)
        return Front(self._answering, routes.app(), Keys(self._settings), requests)

    def check_health(self) -> None:
        """Ray asks every few seconds: the moment to close a segment of the log that is old enough."""
        self._answering.flush()

    def __del__(self) -> None:
        """The last thing that Ray asks of a replica, once its requests are answered."""
        self._answering.close()


def application(args: dict[str, Any]) -> serve.Application:
    """What ``serve run`` and a file of Ray Serve name.

    Args:
        args: What is served, and how: the fields of :class:`Deployed`.
    """
    deployed = Deployed.model_validate(args)
    counts = Path(tempfile.gettempdir()) / f"evergreen-serving-{uuid.uuid4().hex[:12]}"
    deployment = serve.deployment(serve.ingress()(Replica)).options(name="evergreen", num_replicas=deployed.replicas)
    return deployment.bind(deployed, counts)
