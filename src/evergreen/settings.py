"""Kedro's settings: context, hooks, and how configuration is read."""

import gc
import os

from omegaconf import DictConfig, OmegaConf

from evergreen import quiet
from evergreen.configuration import ConfigLoader, mlflow_scheme
from evergreen.context import Context
from evergreen.hooks import ProjectHooks
from evergreen.paths import is_remote, local_folder, own_data, place, plain, require_readable, sealed

quiet.init()
# Nearly all that a command makes lives to its end: looking through it for cycles less often saves a tenth of its time.
gc.set_threshold(50_000, 20, 50)


HOOKS = (ProjectHooks(),)


def merge(*blocks: DictConfig) -> DictConfig:
    """Merge parameter blocks, later ones win: ``${merge:${_defaults},{k: 8}}``."""
    return OmegaConf.merge(*blocks)  # type: ignore[return-value]


def data_folder() -> str:
    """Where all layers of data lie: ``EVERGREEN_DATA``, or ``data`` of the checkout, or beside a wheel's caller."""
    named = os.environ.get("EVERGREEN_DATA") or str(own_data())
    if is_remote(named):
        require_readable(named, "EVERGREEN_DATA")
        return sealed(named.rstrip("/"))
    return sealed(str(place(named).resolve()))


_NAMED_AT_THE_START = os.environ.get("MLFLOW_TRACKING_URI", "")  # read once: MLflow sets it itself, later on


def tracking_uri(data: str) -> str:
    """Where runs and models are kept: the server that ``MLFLOW_TRACKING_URI`` names, or SQLite below ``data``.

    Files that it names don't count: MLflow sets the variable to those of one run, and the next would follow.
    """
    from evergreen.registry.database import database_uri

    of_this_machine = mlflow_scheme(_NAMED_AT_THE_START) in ("", "file", "sqlite")
    return database_uri(f"{plain(data)}/mlflow/mlflow.db") if of_this_machine else _NAMED_AT_THE_START


CONTEXT_CLASS = Context
CONFIG_LOADER_CLASS = ConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "custom_resolvers": {"merge": merge, "data": data_folder, "local": local_folder, "tracking": tracking_uri},
    "merge_strategy": {"parameters": "soft", "globals": "soft", "use_cases": "soft", "serving": "soft"},
    "config_patterns": {
        "mlflow": ["mlflow*", "mlflow*/**", "**/mlflow*"],
        "use_cases": ["use_cases*", "*/use_cases*"],
        "serving": ["serving*", "serving*/**", "**/serving*"],
    },
}
