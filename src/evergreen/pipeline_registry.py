"""The project's pipelines: every one instantiated per use case, under its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kedro.pipeline import Pipeline

from evergreen.context import use_cases
from evergreen.errors import EvergreenError
from evergreen.pipelines import (
    ab_testing,
    collect_predictions,
    evaluation,
    feature_engineering,
    monitoring,
    policy_backtest,
    reporting,
    retraining,
    scoring,
    skew_audit,
    training,
)
from evergreen.use_cases import UseCase

# Where a use case's newest rows lie: a table with dates grows, a one-table use case has a newer snapshot.
WINDOW = {"star_schema": "features", "one_table": "current_features", "dated_table": "features"}

Room = Callable[[UseCase], Pipeline]

# Name of a pipeline → how it is made for a use case, in the order of the lifecycle.
ROOMS: dict[str, Room] = {
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
BESIDE: dict[str, Room] = {
    "collect_predictions": lambda _: collect_predictions.create_pipeline(),
    "ab_testing": lambda _: ab_testing.create_pipeline(),
    "policy_backtest": lambda _: policy_backtest.create_pipeline(),
    "skew_audit": skew_audit.create_pipeline,
}

# How a run of one room alone ends: with what people read of its records.
ENDS = {"monitoring": ("reporting", "alerts"), "retraining": ("reporting",)}


def register_pipelines() -> dict[str, Pipeline]:
    """Pipelines by name: a room of every use case, a use case with all its rooms, and the whole as ``__default__``."""
    return lifecycle(use_cases())


def lifecycle(listed: Mapping[str, UseCase]) -> dict[str, Pipeline]:
    """The pipelines of these use cases.

    Args:
        listed: Name → what configuration says of it.

    Raises:
        EvergreenError: Where a use case bears the name of a pipeline, so that ``--pipeline`` would be ambiguous.
    """
    for name in {*ROOMS, *BESIDE, "__default__"} & set(listed):
        raise EvergreenError(f"use case {name} in use_cases.yml bears the name of a pipeline; rename it.")
    rooms = {
        room: sum((_instance(name, use_case, room) for name, use_case in listed.items()), Pipeline([]))
        for room in {**ROOMS, **BESIDE}
    }
    rooms |= {room: sum((rooms[end] for end in ends), rooms[room]) for room, ends in ENDS.items()}
    whole = sum((rooms[room] for room in ROOMS), Pipeline([]))
    return rooms | {name: whole.filter(node_namespaces=[name]) for name in listed} | {"__default__": whole}


def _instance(name: str, use_case: UseCase, room: str) -> Pipeline:
    """One use case's copy of a room: shared parameters are everyone's, ``window`` is the table of its newest rows."""
    inner = Pipeline({**ROOMS, **BESIDE}[room](use_case), namespace=room, prefix_datasets_with_namespace=False)
    shared = {"params:as_of", "params:simulate"} & inner.inputs()
    windows = {"window": f"{name}.{WINDOW[use_case.source]}"} if "window" in inner.inputs() else {}
    return Pipeline(inner, namespace=name, parameters=shared, inputs=windows)
