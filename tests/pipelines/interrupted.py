"""Retraining of churn in forked processes that die at a given call, or that race each other.

    python interrupted.py DATA PARAMS CALL …     one run a call, killed there; CALL `-` is left to end
    python interrupted.py DATA PARAMS race       two runs that wait for each other before they promote

PARAMS are those of ``kedro run --params``.

Prints one JSON object a run: how it ended, the champion after it, the states of the audit.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedro.framework.cli.utils import _split_params

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(sys.argv[1])
PARAMS = _split_params(None, None, sys.argv[2])
os.environ["EVERGREEN_DATA"] = str(DATA)


def die(*args: Any, **kwargs: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_champion(client: Any, name: str, alias: str, version: str) -> None:
    if alias == "champion":
        die()
    return UNTOUCHED(client, name, alias, version)


def meet(contest: Any, decision: Any) -> Any:
    (DATA / f"ready.{os.getpid()}").touch()
    deadline = time.monotonic() + 600
    while len(list(DATA.glob("ready.*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    return SETTLE(contest, decision)


def run_forked(prepare: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    prepare()
    try:
        with KedroSession.create(project_path=ROOT, env="test", runtime_params=PARAMS) as session:
            session.run(pipeline_names=["retraining"], namespaces=["churn"])
    except EvergreenError as error:
        (DATA / f"said.{os.getpid()}").write_text(str(error))
        os._exit(1)
    except BaseException:
        traceback.print_exc()
        os._exit(2)
    os._exit(0)


def ended(child: int) -> dict[str, Any]:
    status = os.waitpid(child, 0)[1]
    said = DATA / f"said.{child}"
    how = {
        "killed": os.WIFSIGNALED(status),
        "code": os.WEXITSTATUS(status),
        "said": said.read_text() if said.exists() else "",
    }
    return how | consistent_registry()


def consistent_registry() -> dict[str, Any]:
    """What a fresh process finds: the champion loads, whole and with its reference."""
    found = DATA / "found.json"
    found.unlink(missing_ok=True)
    if not (child := os.fork()):
        mlflow.set_tracking_uri(f"sqlite:///{DATA}/mlflow/mlflow.db")
        aliases = registry.aliases_of("churn")
        registry.reference(registry.load("churn", aliases["champion"]))
        audit = [line.state for line in registry.audit("churn")]
        told = {"champion": aliases["champion"], "challenger": aliases.get("challenger"), "audit": audit}
        found.write_text(json.dumps(told))
        os._exit(0)
    os.waitpid(child, 0)
    return dict(json.loads(found.read_text()))


def killing(call: str) -> Callable[[], None]:
    def prepare() -> None:
        if call == "champion alias":
            MlflowClient.set_registered_model_alias = die_at_champion
        elif call != "-":
            module, name = call.rsplit(".", 1)
            setattr(importlib.import_module(module), name, die)

    return prepare


def racing() -> None:
    registry.settle = meet


if __name__ == "__main__":
    import mlflow
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project
    from mlflow import MlflowClient

    bootstrap_project(ROOT)
    from evergreen import registry
    from evergreen.errors import EvergreenError

    UNTOUCHED, SETTLE = MlflowClient.set_registered_model_alias, registry.settle
    if sys.argv[3:] == ["race"]:
        children = [run_forked(racing), run_forked(racing)]
        for child in children:
            print(json.dumps(ended(child)), flush=True)
    else:
        for call in sys.argv[3:]:
            print(json.dumps(ended(run_forked(killing(call)))), flush=True)
