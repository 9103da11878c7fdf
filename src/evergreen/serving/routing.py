"""Which version answers a request while a split runs? Light: every worker asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evergreen.experiments.assignment import assign
from evergreen.rows.canonical import canonical_text
from evergreen.serving.served import Served
from evergreen.serving.settings import RoutingSettings


def goes_to_challenger(routing: RoutingSettings, entity: Any, request_id: str) -> bool:
    """Whether a request's unit meets the challenger: the same answer in every process, for ever.

    Args:
        routing: Names the experiment, its sides and their shares.
        entity: The entity that the request names; None: it names none and stands for itself.
        request_id: Its own id.
    """
    unit = request_id if entity is None or routing.unit == "request" else canonical_text(entity)
    weights = {routing.control: 1 - routing.challenger_share, routing.treatment: routing.challenger_share}
    return assign(unit, routing.experiment or "", weights, routing.salt) == routing.treatment


def challenger_rows(
    routing: RoutingSettings, columns: Mapping[str, Sequence[Any]], served: Served, ids: Sequence[str]
) -> np.ndarray:
    """The same for many rows, shape (n,) of bool; in shadow mode the champion answers all.

    Args:
        routing: As above.
        columns: Rows by column, features and keys.
        served: The version that has read them; its first key is the entity.
        ids: The rows' own ids.
    """
    if routing.shadow:
        return np.zeros(len(ids), dtype=bool)
    entities = columns[served.keys[0]] if served.keys else [None] * len(ids)
    return np.array([goes_to_challenger(routing, e, i) for e, i in zip(entities, ids, strict=True)], dtype=bool)


def answered(
    served: Served, challenger: Served, columns: Mapping[str, Sequence[Any]], theirs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and decisions (n,), the challenger's where its rows are."""
    probability = served.probabilities(columns, len(theirs)) if len(theirs) else np.empty(0)
    threshold = np.full(len(theirs), served.threshold)
    if theirs.any():
        own = {name: np.asarray(columns[name], dtype=object)[theirs] for name in challenger.categorical}
        own |= {name: np.asarray(columns[name], dtype=np.float64)[theirs] for name in challenger.numeric}
        probability[theirs] = challenger.probabilities(own, int(theirs.sum()))
        threshold[theirs] = challenger.threshold
    return probability, (probability >= threshold).astype(int)
