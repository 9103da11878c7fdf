"""What `make test-deploy` brings, and how a test says that it is missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

VENV = os.environ.get("DEPLOY_VENV")
NODE_PACKAGES = Path(VENV or "none") / "node" / "node_modules"

only_with_tools = pytest.mark.skipif(VENV is None, reason="needs tools of its own: make test-deploy")


def tool(name: str) -> str:
    """A program of the tests' own environment, or of this machine; the test is skipped where neither has it."""
    own = Path(VENV or "none") / "bin" / name
    found = str(own) if own.is_file() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is neither in the environment of `make test-deploy` nor on this machine.")
    return found


def node_package(name: str, file: str) -> Path:
    """A file of an npm package; the test is skipped where npm could not bring it."""
    found = NODE_PACKAGES / name / file
    if not found.is_file():
        pytest.skip(f"the npm package {name} could not be installed on this machine.")
    return found
