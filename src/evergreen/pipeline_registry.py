"""The project's pipelines: every one instantiated per use case, under its name."""

from __future__ import annotations

from collections.abc import Callable

from kedro.pipeline import Pipeline

from evergreen.pipelines import evaluation, feature_engineering, monitoring, retraining, scoring, training
from evergreen.use_cases import USE_CASES

# Where a use case's newest rows lie: a star schema grows by date, a one-table use case has a newer snapshot.
WINDOW = {"retail": "features", "one_table": "current_features"}


def register_pipelines() -> dict[str, Pipeline]:
    """Pipelines by name; ``__default__`` is the whole lifecycle."""
    pipelines = {
        "feature_engineering": _per_use_case(feature_engineering.create_pipeline),
        "training": _per_use_case(lambda _: training.create_pipeline()),
        "evaluation": _per_use_case(lambda _: evaluation.create_pipeline()),
        "scoring": _per_use_case(lambda _: scoring.create_pipeline()),
        "monitoring": _per_use_case(lambda _: monitoring.create_pipeline()),
        "retraining": _per_use_case(lambda _: retraining.create_pipeline()),
    }
    return pipelines | {"__default__": sum(pipelines.values(), Pipeline([]))}


def _per_use_case(create: Callable[[str], Pipeline]) -> Pipeline:
    return sum((_instance(name, source, create(source)) for name, source in USE_CASES.items()), Pipeline([]))


def _instance(use_case: str, source: str, base: Pipeline) -> Pipeline:
    """One use case's copy: ``as_of`` is shared, ``window`` is the table of its newest rows."""
    shared = {"params:as_of"} & base.inputs()
    windows = {"window": f"{use_case}.{WINDOW[source]}"} if "window" in base.inputs() else {}
    return Pipeline(base, namespace=use_case, parameters=shared, inputs=windows)
