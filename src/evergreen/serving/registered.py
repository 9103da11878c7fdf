"""Versions of the registry: the champion by its alias, proven by a loader of its own."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import mlflow

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.scratch import copies_in
from evergreen.serving.experiment import challenger_of
from evergreen.serving.settings import ServingSettings

LOAD_SECONDS = 600
LAST_IN_LINE = ["nice", "-n", "19"] if shutil.which("nice") else []
logger = logging.getLogger("evergreen.serving")


class Registered:
    """See :class:`evergreen.serving.supervisor.Versions`.

    Args:
        use_case: Whose champion.
        settings: Which version is meant, and whether an experiment routes.
        exports: Where proven versions are written.
    """

    def __init__(self, use_case: str, settings: ServingSettings, exports: Path) -> None:
        self._use_case, self._settings, self._exports = use_case, settings, exports
        self._folders: dict[str, str] = {}
        self._challenger: str | None = None
        self._refused: str | None = None
        self._preparing: str | None = None
        self._loaders: set[subprocess.Popen[str]] = set()
        self._closed = False

    def wanted(self) -> tuple[str, str | None]:
        """The version that should serve now, and the challenger that an experiment routes to.

        Raises:
            EvergreenError: Where there is no champion.
        """
        pointing, pinned = registry.aliases_of(self._use_case), self._settings.version
        if pinned is None and registry.CHAMPION not in pointing:
            raise EvergreenError(f"{registry.explain_vacancy(self._use_case)} --version serves any other version.")
        self._challenger = pointing.get(registry.CHALLENGER)
        version = pinned or pointing[registry.CHAMPION]
        return version, challenger_of(self._settings.routing, version, pointing)

    def proven(self, version: str, environment: dict[str, str]) -> str:
        """The folder of a version, proven by a process of its own, once: a version never changes.

        Raises:
            EvergreenError: With the loader's reason, where it refuses the version.
        """
        return self._proven(version, environment, [])

    def _proven(self, version: str, environment: dict[str, str], before: list[str]) -> str:
        if version in self._folders and Path(self._folders[version]).is_dir():
            return self._folders[version]
        asked = [self._use_case, version, str(self._exports), str(copies_in())]
        loader = [sys.executable, "-m", "evergreen.serving.loader", *asked]
        with subprocess.Popen(
            [*before, *loader], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            self._loaders.add(process)
            try:
                output, errors = process.communicate(timeout=LOAD_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                output, errors = process.communicate()
            finally:
                self._loaders.discard(process)
        lines = output.strip().splitlines()
        outcome = json.loads(lines[-1]) if process.returncode == 0 and lines else {}
        if "folder" not in outcome:
            reason = outcome.get("refused", f"its loader ended with code {process.returncode}.")
            if self._closed:
                raise EvergreenError(f"the service ends, and version {version} is not proven any more.")
            logger.error("%s version %s is not served: %s %s", self._use_case, version, reason, errors[-2000:])
            raise EvergreenError(reason)
        self._folders[version] = str(outcome["folder"])
        return self._folders[version]

    def prepare(self, environment: dict[str, str]) -> str | None:
        """Prove the challenger that was seen last beside all else: its promotion is a change of one reference.

        Requests go first, and a change of the alias does not wait for it. One that is refused is logged and tried again
        when it is to serve.
        """
        challenger = self._challenger
        if challenger is None or challenger in self._folders:
            return challenger
        if challenger != self._refused and self._preparing is None:
            self._preparing = challenger
            threading.Thread(target=self._prepare, args=(challenger, environment), daemon=True).start()
        return None

    def _prepare(self, challenger: str, environment: dict[str, str]) -> None:
        try:
            self._proven(challenger, environment, LAST_IN_LINE)
        except EvergreenError:
            self._refused = challenger
        finally:
            self._preparing = None

    def close(self) -> None:
        """End what is still being proven."""
        self._closed = True
        for process in list(self._loaders):
            process.kill()

    def environment(self) -> dict[str, str]:
        """Where MLflow is."""
        return {"MLFLOW_TRACKING_URI": mlflow.get_tracking_uri(), "MLFLOW_REGISTRY_URI": mlflow.get_registry_uri()}
