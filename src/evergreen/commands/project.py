"""Which project do commands work on? The checkout around the current folder, else the installed package in it."""

from __future__ import annotations

from pathlib import Path


def open_here() -> Path:
    """Make the project known to Kedro, and return the folder that holds ``conf`` and ``data``."""
    from kedro.framework.project import configure_project
    from kedro.framework.startup import bootstrap_project
    from kedro.utils import find_kedro_project

    checkout = find_kedro_project(Path.cwd())
    if checkout is not None:
        return Path(bootstrap_project(checkout).project_path)
    configure_project("evergreen")
    return Path.cwd()
