"""The project as a user drives it: its commands on a data folder of one's own."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warm_kedro import ROOT, run_warm

USE_CASES = ("high_value_sales", "churn")  # those that ship


@dataclass(frozen=True)
class Project:
    """The project on its own data folder, driven by its commands as a user would."""

    data: Path
    env: str = "test"

    def kedro(self, *arguments: str, timeout: int = 900, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a ``kedro`` command, in a process that finds the libraries imported, and return what it printed."""
        return run_warm(arguments, self._surroundings(environment), timeout)

    def kedro_from_cold(self, *arguments: str, timeout: int = 900) -> subprocess.CompletedProcess[str]:
        """Run a ``kedro`` command as a shell does, imports included."""
        command = [sys.executable, "-m", "kedro", *arguments]
        surroundings = self._surroundings({})
        return subprocess.run(
            command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=timeout, check=False
        )

    def run(self, *arguments: str, env: str | None = None, **environment: Any) -> subprocess.CompletedProcess[str]:
        """``kedro run`` in the project's test environment."""
        return self.kedro("run", f"--env={env or self.env}", *arguments, **environment)

    def copy(self, folder: Path) -> Project:
        """A project that begins where this one is; nothing that it does comes back here."""
        shutil.copytree(self.data, folder)
        if (database := folder / "mlflow" / "mlflow.db").exists():
            _move_artefacts(database, str(self.data), str(folder))
        return Project(folder, self.env)

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

    def files(self) -> dict[str, int]:
        """Every file that pipelines write, with its time."""
        layers = ("04_feature", "06_models", "07_model_output", "08_reporting")
        found = (file for layer in layers for file in (self.data / layer).rglob("*.*"))
        return {str(file.relative_to(self.data)): file.stat().st_mtime_ns for file in found if file.is_file()}

    def _surroundings(self, more: dict[str, str]) -> dict[str, str]:
        surroundings = {**os.environ, "EVERGREEN_DATA": str(self.data), **more}
        surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
        return surroundings


def _move_artefacts(database: Path, before: str, after: str) -> None:
    """Let MLflow look below ``after`` for all that it kept below ``before``."""
    with closing(sqlite3.connect(database)) as connection, connection:
        texts = "select m.name, p.name from sqlite_master m, pragma_table_info(m.name) p where m.type = 'table'"
        for table, column in connection.execute(f"{texts} and p.type like '%CHAR%'").fetchall():
            change = f'update "{table}" set "{column}" = replace("{column}", ?, ?) where instr("{column}", ?)'
            connection.execute(change, (before, after, before))
