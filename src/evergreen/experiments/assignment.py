"""Which variant does a unit meet?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from math import inf, isfinite, log

from evergreen.errors import EvergreenError

_SEPARATOR = b"\x1f"


def assign(entity_id: object, experiment: str, weights: Mapping[str, float], salt: str = "") -> str:
    """The variant of a unit: the same in every process, batch or service, for ever.

    Weighted rendezvous hashing (Schindelhauer and Schomaker, SPAA 2005): each variant draws the uniform number u that
    SHA-256 makes of salt, experiment, unit and variant, and the least −ln u / weight wins. So shares are the
    weights', and a variant whose weight grows only wins units: nobody moves between two variants whose weights keep
    their ratio.

    Args:
        entity_id: The unit; its text counts, as UTF-8.
        experiment: The experiment's name.
        weights: Weight of each variant, at least one above 0; they need not add up to 1.
        salt: Deals the units anew.

    Raises:
        EvergreenError: Where a weight is negative or not finite, or none is above 0.
    """
    return assign_all([entity_id], experiment, weights, salt)[0]


def assign_all(
    entity_ids: Iterable[object], experiment: str, weights: Mapping[str, float], salt: str = ""
) -> list[str]:
    """The variant of each unit; see :func:`assign`."""
    check_weights(weights)
    drawing = [(name, weight) for name, weight in weights.items() if weight > 0]
    head = _SEPARATOR.join((salt.encode(), experiment.encode(), b""))
    tails = [(name, _SEPARATOR + name.encode(), weight) for name, weight in drawing]
    if len(drawing) == 1:
        return [drawing[0][0] for _ in entity_ids]
    return [_winner(head + str(entity).encode(), tails) for entity in entity_ids]


def _winner(head: bytes, tails: list[tuple[str, bytes, float]]) -> str:
    best, least = "", inf
    for name, tail, weight in tails:
        draw = (int.from_bytes(sha256(head + tail).digest()[:8]) + 0.5) * 2.0**-64
        rank = -log(draw) / weight
        if rank < least:
            best, least = name, rank
    return best


def check_weights(weights: Mapping[str, float]) -> None:
    """Refuse weights that can't deal units.

    Raises:
        EvergreenError: Where a weight is negative or not finite, or none is above 0.
    """
    for name, weight in weights.items():
        if not isfinite(weight) or weight < 0:
            raise EvergreenError(f"the weight of variant {name} is {weight}: a finite number from 0 on is needed")
    if not any(weight > 0 for weight in weights.values()):
        raise EvergreenError("no variant has a weight above 0: nobody could be assigned; give at least one a weight")
