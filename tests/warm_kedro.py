"""``kedro`` commands as forks of one process that has imported other people's libraries already.

A command stays a process of its own: arguments, surroundings, exit code, what it prints and what it leaves behind are
those of a shell. Only the seconds in which Python imports MLflow, pandas and scikit-learn are spent once; Evergreen is
imported by every command anew.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NEW = os.O_WRONLY | os.O_CREAT
LIBRARIES = (
    "alembic.command",
    "ibis",
    "kedro.framework.cli.cli",
    "kedro.framework.session",
    "kedro_mlflow.framework.hooks",
    "kedro_telemetry.plugin",
    "kedro_viz.integrations.kedro.hooks",
    "matplotlib.figure",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.pyfunc",
    "plotly.graph_objects",
    "pyarrow.parquet",
    "scipy.stats",
    "shap",
    "skops.io",
    "sklearn.ensemble",
)


def run_warm(
    arguments: Sequence[str], environment: Mapping[str, str], timeout: float, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a ``kedro`` command in the project's folder and return what it printed.

    Args:
        arguments: What follows ``kedro``.
        environment: Its environment variables.
        timeout: After so many seconds the system ends it, at once and without a chance to tidy up.
        before: A module that the command's process imports first; empty: none.
    """
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        printed, complained = Path(folder, "stdout"), Path(folder, "stderr")
        order = {
            "arguments": list(arguments), "environment": dict(environment), "timeout": timeout, "before": before,
        }  # fmt: skip
        server.stdin.write(json.dumps({**order, "stdout": str(printed), "stderr": str(complained)}) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        done = subprocess.CompletedProcess(list(arguments), code, printed.read_text(), complained.read_text())
    if code == -signal.SIGALRM:
        raise subprocess.TimeoutExpired(done.args, timeout, done.stdout, done.stderr)
    return done


@cache
def _server() -> subprocess.Popen[str]:
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, __file__]
    server = subprocess.Popen(
        command, cwd=ROOT, env=surroundings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(_end, server)
    return server


def _end(server: subprocess.Popen[str]) -> None:
    server.communicate()


def serve() -> None:
    """Answer each order on standard input with the exit code of the command, as long as there are orders."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    orders = os.fdopen(os.dup(sys.stdin.fileno()))
    os.environ |= {"MLFLOW_LOGGING_LEVEL": "ERROR", "OPENBLAS_NUM_THREADS": "1"}
    with warnings.catch_warnings(action="ignore"):
        for library in LIBRARIES:
            importlib.import_module(library)
    assert not {"evergreen", "duckdb"} & set(sys.modules)  # the latter begins a thread, which a fork would lose
    gc.freeze()
    for line in orders:
        order = json.loads(line)
        child = os.fork()
        if not child:
            become(order)
            return
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        answers.write(f"{code}\n")
        answers.flush()


def become(order: dict[str, Any]) -> None:
    """Be the command that was ordered, to its end."""
    signal.setitimer(signal.ITIMER_REAL, order["timeout"])
    for place, flags, theirs in ((os.devnull, os.O_RDONLY, 0), (order["stdout"], NEW, 1), (order["stderr"], NEW, 2)):
        os.dup2(os.open(place, flags, 0o600), theirs)
    os.environ.clear()
    os.environ.update(order["environment"])
    tempfile.tempdir = None
    sys.path[0] = str(ROOT)
    sys.argv = ["kedro", *order["arguments"]]
    if order["before"]:
        importlib.import_module(order["before"])
    from kedro.framework.cli.cli import main

    main()


if __name__ == "__main__":
    serve()
