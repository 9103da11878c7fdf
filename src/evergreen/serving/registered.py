"""Versions of the registry: the champion by its alias, proven by a loader of its own."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import mlflow

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.scratch import copies_in
from evergreen.serving.experiment import challenger_of
from evergreen.serving.settings import ServingSettings

LOAD_SECONDS = 300
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
        self._refused: str | None = None

    def wanted(self) -> tuple[str, str | None]:
        """The version that should serve now, and the challenger that an experiment routes to.

        Raises:
            EvergreenError: Where there is no champion.
        """
        pointing, pinned = registry.aliases_of(self._use_case), self._settings.version
        if pinned is None and registry.CHAMPION not in pointing:
            raise EvergreenError(f"{registry.explain_vacancy(self._use_case)} --version serves any other version.")
        version = pinned or pointing[registry.CHAMPION]
        return version, challenger_of(self._settings.routing, version, pointing)

    def proven(self, version: str, environment: dict[str, str]) -> str:
        """The folder of a version, proven by a process of its own, once: a version never changes.

        Raises:
            EvergreenError: With the loader's reason, where it refuses the version.
        """
        if version in self._folders and Path(self._folders[version]).is_dir():
            return self._folders[version]
        asked = [self._use_case, version, str(self._exports), str(copies_in())]
        loader = [sys.executable, "-m", "evergreen.serving.loader", *asked]
        done = subprocess.run(
            loader, env=environment, capture_output=True, text=True, timeout=LOAD_SECONDS, check=False
        )
        lines = done.stdout.strip().splitlines()
        outcome = json.loads(lines[-1]) if done.returncode == 0 and lines else {}
        if "folder" not in outcome:
            reason = outcome.get("refused", f"its loader ended with code {done.returncode}.")
            logger.error("%s version %s is not served: %s %s", self._use_case, version, reason, done.stderr[-2000:])
            raise EvergreenError(reason)
        self._folders[version] = str(outcome["folder"])
        return self._folders[version]

    def prepare(self, environment: dict[str, str]) -> str | None:
        """Prove the challenger while the champion serves, so that its promotion is a change of one reference.

        One that is refused is logged and tried again when it is to serve.
        """
        challenger = registry.aliases_of(self._use_case).get(registry.CHALLENGER)
        if challenger is None or challenger == self._refused:
            return None
        try:
            self.proven(challenger, environment)
        except EvergreenError:
            self._refused = challenger
            return None
        return challenger

    def environment(self) -> dict[str, str]:
        """Where MLflow is."""
        return {"MLFLOW_TRACKING_URI": mlflow.get_tracking_uri(), "MLFLOW_REGISTRY_URI": mlflow.get_registry_uri()}
