"""One exported version as a service, where numpy and the server alone are installed.

    python -m evergreen.serving.exported FOLDER [--host 0.0.0.0] [--port 8080] [--workers 2] [--log FOLDER]

``FOLDER`` is what ``kedro models export`` wrote. It was proven when it was exported; nothing is looked up or changed
while it serves. Keys come from ``EVERGREEN_API_KEYS``.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from evergreen.errors import EvergreenError
from evergreen.scratch import abandoned
from evergreen.serving.served import FACTS_FILE
from evergreen.serving.settings import LogSettings, ServingSettings
from evergreen.serving.supervisor import Places, Supervisor


class Exported:
    """The one version of a folder; see :class:`evergreen.serving.supervisor.Versions`.

    Args:
        folder: An exported version, or a folder that holds one and nothing else.

    Raises:
        EvergreenError: Where there is none, or more than one.
    """

    def __init__(self, folder: Path) -> None:
        found = (
            [folder] if (folder / FACTS_FILE).is_file() else [file.parent for file in folder.glob(f"*/{FACTS_FILE}")]
        )
        if len(found) != 1:
            raise EvergreenError(
                f"{folder} holds {len(found)} exported versions; exactly one is served: name the folder that "
                "`kedro models export` printed."
            )
        (self._folder,) = found
        facts = json.loads((self._folder / FACTS_FILE).read_text(encoding="utf-8"))
        self.use_case, self._version = str(facts["use_case"]), str(facts["version"])

    def wanted(self) -> tuple[str, str | None]:
        """Always the same."""
        return self._version, None

    def proven(self, version: str, environment: dict[str, str]) -> str:  # noqa: ARG002 - it was, when it was exported
        """Its folder."""
        return str(self._folder)

    def prepare(self, environment: dict[str, str]) -> str | None:  # noqa: ARG002 - nothing comes after it
        """No other version."""
        return None

    def environment(self) -> dict[str, str]:
        """Nothing but what every worker gets."""
        return {}

    def close(self) -> None:
        """There is nothing to end."""


def main() -> None:
    """The process."""
    logging.basicConfig(level="INFO", format="%(message)s")
    parser = argparse.ArgumentParser(description="Answer requests with one exported version.")
    parser.add_argument("folder", type=Path, help="What `kedro models export` wrote.")
    parser.add_argument("--host", default="127.0.0.1", help="Address; any but this machine's own needs API keys.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--log", type=Path, default=None, help="Folder of the prediction log; default: none is kept.")
    given = parser.parse_args()
    abandoned(delete=True)
    try:
        versions = Exported(given.folder)
        settings = ServingSettings(
            host=given.host, port=given.port, workers=given.workers, log=LogSettings(enabled=given.log is not None)
        )
        log = given.log or given.folder / "no-log"
        Supervisor(versions.use_case, settings, Places(given.folder, log), versions).run()
    except EvergreenError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
