"""Kedro's settings: use cases, hooks, and how configuration is read."""

import os
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from evergreen import quiet
from evergreen.configuration import ConfigLoader
from evergreen.hooks import ProjectHooks

quiet.init()

# Use case → the kind of source that its features are made from; the only place where use cases are listed.
USE_CASES = {"high_value_sales": "retail", "churn": "one_table"}

HOOKS = (ProjectHooks(),)


def merge(*blocks: DictConfig) -> DictConfig:
    """Merge parameter blocks, later ones win: ``${merge:${_defaults},{k: 8}}``."""
    return OmegaConf.merge(*blocks)  # type: ignore[return-value]


def data_folder() -> str:
    """Where all layers of data lie: ``EVERGREEN_DATA``, or the project's own ``data``; absolute, whatever the cwd."""
    own = Path(__file__).resolve().parents[2] / "data"
    return str(Path(os.environ.get("EVERGREEN_DATA", own)).resolve())


CONFIG_LOADER_CLASS = ConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "custom_resolvers": {"merge": merge, "data": data_folder},
    "merge_strategy": {"parameters": "soft", "globals": "soft"},
    "config_patterns": {"mlflow": ["mlflow*", "mlflow*/**", "**/mlflow*"]},
}
