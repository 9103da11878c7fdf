"""The project's pipelines: every one instantiated per use case, under its name."""

from __future__ import annotations

from collections.abc import Callable

from kedro.pipeline import Pipeline

from evergreen.context import use_cases
from evergreen.errors import EvergreenError
from evergreen.pipelines import (
    ab_testing,
    collect_predictions,
    evaluation,
    feature_engineering,
    monitoring,
    reporting,
    retraining,
    scoring,
    training,
)

# Where a use case's newest rows lie: a table with dates grows, a one-table use case has a newer snapshot.
WINDOW = {"retail": "features", "one_table": "current_features", "dated_table": "features"}

# Name of a pipeline → how it is made for a kind of source, in the order of the lifecycle.
ROOMS: dict[str, Callable[[str], Pipeline]] = {
    "feature_engineering": feature_engineering.create_pipeline,
    "training": lambda _: training.create_pipeline(),
    "evaluation": lambda _: evaluation.create_pipeline(),
    "scoring": lambda _: scoring.create_pipeline(),
    "monitoring": lambda _: monitoring.create_pipeline(),
    "retraining": lambda _: retraining.create_pipeline(),
    "reporting": lambda _: reporting.create_pipeline(),
    "alerts": lambda _: reporting.create_alerts(),
}

# Pipelines that no run of the lifecycle needs: what a running service leaves is collected beside it.
BESIDE: dict[str, Callable[[str], Pipeline]] = {
    "collect_predictions": lambda _: collect_predictions.create_pipeline(),
    "ab_testing": lambda _: ab_testing.create_pipeline(),
}

# How a run of one room alone ends: with what people read of its records.
ENDS = {"monitoring": ("reporting", "alerts"), "retraining": ("reporting",)}


def register_pipelines() -> dict[str, Pipeline]:
    """Pipelines by name: a room of every use case, a use case with all its rooms, and the whole as ``__default__``."""
    return lifecycle({name: use_case.source for name, use_case in use_cases().items()})


def lifecycle(sources: dict[str, str]) -> dict[str, Pipeline]:
    """The pipelines of these use cases.

    Args:
        sources: Use case → the kind of source that its features are made from.

    Raises:
        EvergreenError: Where a use case bears the name of a pipeline, so that ``--pipeline`` would be ambiguous.
    """
    for name in {*ROOMS, *BESIDE, "__default__"} & set(sources):
        raise EvergreenError(f"use case {name} in use_cases.yml bears the name of a pipeline; rename it.")
    rooms = {
        room: sum((_instance(use_case, source, room) for use_case, source in sources.items()), Pipeline([]))
        for room in {**ROOMS, **BESIDE}
    }
    rooms |= {room: sum((rooms[end] for end in ends), rooms[room]) for room, ends in ENDS.items()}
    whole = sum((rooms[room] for room in ROOMS), Pipeline([]))
    return rooms | {name: whole.filter(node_namespaces=[name]) for name in sources} | {"__default__": whole}


def _instance(use_case: str, source: str, room: str) -> Pipeline:
    """One use case's copy of a room: shared parameters are everyone's, ``window`` is the table of its newest rows."""
    inner = Pipeline({**ROOMS, **BESIDE}[room](source), namespace=room, prefix_datasets_with_namespace=False)
    shared = {"params:as_of", "params:simulate"} & inner.inputs()
    windows = {"window": f"{use_case}.{WINDOW[source]}"} if "window" in inner.inputs() else {}
    return Pipeline(inner, namespace=use_case, parameters=shared, inputs=windows)
