"""How grave a column's alarm is: its effect, and how much the model uses the column."""

from __future__ import annotations

from collections.abc import Mapping

from evergreen.monitoring.drift.report import ColumnDrift
from evergreen.monitoring.parameters import DriftPolicy


def weighed(
    judged: Mapping[str, ColumnDrift], weights: Mapping[str, float], policy: DriftPolicy
) -> dict[str, ColumnDrift]:
    """Columns in alarm with a severity that weighs importance; a missing or retyped column keeps its own.

    Where a column weighs less than half of what an average one does, its effect counts in proportion: the severity is
    that of ``effect · min(1, 2 weight / average weight)``.

    Args:
        judged: Verdicts by column.
        weights: Importance of each.
        policy: The ladder.
    """
    average = sum(weights.values()) / max(len(weights), 1)
    found = {}
    for name, column in judged.items():
        if column.status == "drift" and column.effect is not None and average > 0:
            counting = counting_effect(column.effect, weights[name], average)
            found[name] = column.model_copy(update={"severity": policy.severity(counting)})
    return found


def counting_effect(effect: float, weight: float, average: float) -> float:
    """The effect as far as it counts, by the column's weight and that of an average one."""
    return effect * min(1.0, 2 * weight / average) if average > 0 else effect
