"""The project as a user drives it: its commands on a data folder of one's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
USE_CASES = ("high_value_sales", "churn")  # those that ship


@dataclass(frozen=True)
class Project:
    """The project on its own data folder, driven by its commands as a user would."""

    data: Path
    env: str = "test"

    def kedro(self, *arguments: str, timeout: int = 300, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a ``kedro`` command and return what it printed."""
        surroundings = {**os.environ, "EVERGREEN_DATA": str(self.data), **environment}
        surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "kedro", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=timeout, check=False
        )

    def run(self, *arguments: str, env: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """``kedro run`` in the project's test environment."""
        return self.kedro("run", f"--env={env or self.env}", *arguments, **environment)

    def conf_with(self, folder: Path, env: str, files: dict[str, str]) -> Path:
        """A copy of the project's configuration with one more environment."""
        conf = folder / "conf"
        shutil.copytree(ROOT / "conf", conf)
        (conf / env).mkdir()
        for name, text in files.items():
            (conf / env / name).write_text(text)
        return conf

    def record(self, use_case: str, name: str) -> dict[str, Any]:
        """A record of the last run."""
        return dict(json.loads((self.data / "08_reporting" / use_case / f"{name}.json").read_text()))
