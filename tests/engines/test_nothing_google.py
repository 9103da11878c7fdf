"""Nothing Google is imported unless BigQuery is read: neither by the default environments nor by naming its tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests_support import ROOT

pytestmark = pytest.mark.slow

LOOK = """
import json, sys
from pathlib import Path
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
for env in sys.argv[1:]:
    session = KedroSession.create(project_path=Path.cwd(), env=env)
    context = session.load_context()
    entries = [context.catalog[name] for name in context.catalog.keys() if not name.startswith("params:")]
    if env == "test":
        session.run(pipeline_names=["feature_engineering"])
    assert len(entries) > 5, entries
told = sorted(name for name in sys.modules if name.startswith(("google.cloud", "google.auth", "google.api_core",
                                                               "google.oauth2", "ibis.backends.bigquery")))
print(json.dumps(told))
"""


def test_nothing_google_is_imported_unless_bigquery_is_read(tmp_path: Path) -> None:
    pytest.importorskip("google.cloud.bigquery", reason="needs Google's client: make test-bigquery")
    surroundings = {**os.environ, "EVERGREEN_DATA": str(tmp_path)}
    command = [sys.executable, "-c", LOOK, "test", "base", "bigquery"]
    looked = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
    assert looked.returncode == 0, looked.stderr[-3000:]
    assert json.loads(looked.stdout.splitlines()[-1]) == []
