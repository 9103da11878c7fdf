"""How many requests and days will an experiment take, in each mode, and what could it find?"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from evergreen.errors import EvergreenError
from evergreen.evaluation.auc import as_labels, as_scores, auc_covariance
from evergreen.evaluation.sequential import group_sequential_bounds
from evergreen.experiments.paired import row_values
from evergreen.experiments.parameters import ExperimentPolicy, GainsPolicy, Mode
from evergreen.experiments.power import paired_sample_size, required_sample_size
from evergreen.records import Frozen
from evergreen.wording import counted

CORRELATION = 0.9
"""Of two versions' scores on the same requests, where nothing else is known; versions of one recipe have more."""
MODES: tuple[Mode, ...] = ("replay", "shadow", "split")


class ModePlan(Frozen):
    """What one mode takes.

    Attributes:
        mode: The mode.
        rows: Units with an outcome (paired: requests) that find the smallest effect with the wanted power; None where
            nothing is known of the metric.
        days: Days that this takes at the present traffic; None where there is none.
        power: Power at the experiment's planned rows.
        refused: Why this mode cannot answer; empty where it can.
    """

    mode: Mode
    rows: int | None = None
    days: int | None = None
    power: float | None = None
    refused: str = ""


class ExperimentPlan(Frozen):
    """What an experiment takes, before it begins.

    Attributes:
        planned_rows: Units (paired: requests) with an outcome at which it ends.
        baseline: The metric of the version that serves, where it is known.
        minimum_effect: The difference that is looked for.
        rows_per_day: Units (paired: requests) a day at the present traffic; None where there is none.
        modes: Each mode's demand.
    """

    planned_rows: int
    baseline: float | None
    minimum_effect: float
    rows_per_day: float | None
    modes: tuple[ModePlan, ...]

    @property
    def sentences(self) -> list[str]:
        """The plan in words, a sentence a mode."""
        return [self._sentence(one) for one in self.modes]

    def _sentence(self, one: ModePlan) -> str:
        if one.refused:
            return f"{one.mode} cannot answer: {one.refused}."
        if one.rows is None:
            return f"{one.mode}: the metric's spread is not known before the first rows."
        days = "; there is no traffic yet to count days by" if one.days is None else f", {counted(one.days, 'day')}"
        power = "" if one.power is None else f"; {self.planned_rows:,} rows have {one.power:.0%} power"
        return f"{one.mode}: {one.rows:,} rows find {self.minimum_effect:g}{days}{power}."


@dataclass(frozen=True)
class Expected:
    """What is known of the metric before the experiment.

    Attributes:
        value: The metric of the version that serves.
        std: Standard deviation of one row, of a ROC AUC the root of n times its variance; None where it is not known.
        positive_share: Share of positive outcomes.
        correlation: Of both versions' values on the same request.
    """

    value: float
    std: float | None
    positive_share: float
    correlation: float = CORRELATION


def expected_of(
    experiment: ExperimentPolicy, y_true: ArrayLike, scores: ArrayLike, threshold: float
) -> Expected | None:
    """What the champion's out-of-fold scores say of the metric; None where they say nothing of it.

    Args:
        experiment: Names the metric.
        y_true: Labels 0/1, shape (rows,).
        scores: Probabilities, shape (rows,).
        threshold: The champion's decision threshold.
    """
    y = as_labels(y_true)
    score = as_scores(scores, len(y))
    share, kind = float(y.mean()), experiment.metric.kind
    if kind == "roc_auc":
        found = auc_covariance(y, score)
        return Expected(float(found.aucs[0]), sqrt(len(y) * float(found.covariance[0, 0])), share)
    if kind == "binary" and experiment.metric.needs_outcome:
        return Expected(share, sqrt(share * (1 - share)), share)
    if kind == "value" and experiment.gains is not None:
        values = gained(y, score >= threshold, experiment.gains)
    elif kind in ("accuracy", "log_loss", "brier"):
        values = row_values(y, score, kind, threshold)
    else:
        return None
    return Expected(float(values.mean()), float(values.std(ddof=1)), share)


def gained(y: np.ndarray, positive: np.ndarray, gains: GainsPolicy) -> np.ndarray:
    """What each decision brought, shape (rows,)."""
    hit = np.where(positive, gains.true_positive, gains.false_negative)
    return np.where(y, hit, np.where(positive, gains.false_positive, gains.true_negative))


def plan_experiment(
    experiment: ExperimentPolicy, expected: Expected | None, requests_per_day: float | None, units_per_day: float | None
) -> ExperimentPlan:
    """Rows, days and power of every mode.

    Rows are those of a test at the end, times what the planned looks cost: ((c + z_power) / (z₁₋α/₂ + z_power))² with
    the last look's bound c, which is a little more than needed.

    Args:
        experiment: Its definition.
        expected: What is known of the metric; None: nothing.
        requests_per_day: The present traffic, None: none yet.
        units_per_day: Units that it brings a day.

    Raises:
        EvergreenError: Where neither ``planned_rows`` nor the metric's spread says when it ends.
    """
    needed = {mode: _rows(experiment, mode, expected) for mode in MODES}
    own = needed[experiment.mode]
    planned = experiment.planned_rows or own
    if planned is None:
        raise EvergreenError(
            f"experiment {experiment.name}: nothing is known of {experiment.metric.title} before the first rows, so "
            "that no plan says when it ends; set planned_rows"
        )
    rates = {"replay": requests_per_day, "shadow": requests_per_day, "split": units_per_day}
    modes = [_mode_plan(experiment, mode, needed[mode], planned, rates[mode]) for mode in MODES]
    baseline = expected.value if expected else None
    return ExperimentPlan(
        planned_rows=planned, baseline=baseline, minimum_effect=experiment.metric.minimum_effect,
        rows_per_day=rates[experiment.mode], modes=tuple(modes),
    )  # fmt: skip


def _mode_plan(
    experiment: ExperimentPolicy, mode: Mode, rows: int | None, planned: int, per_day: float | None
) -> ModePlan:
    if mode != "split" and experiment.feedback == "decision_changes_outcome":
        return ModePlan(mode=mode, refused="its decisions change the outcome")
    if mode != "split" and experiment.metric.kind in ("binary", "continuous", "ratio"):
        return ModePlan(mode=mode, refused="the metric is the same whichever version scored a request")
    days = ceil(rows / per_day) if rows and per_day else None
    power = power_at(planned, rows, experiment) if rows else None
    return ModePlan(mode=mode, rows=rows, days=days, power=power)


def power_at(rows: int, rows_needed: int, experiment: ExperimentPolicy) -> float:
    """Power at ``rows``, where ``rows_needed`` have the wanted one: the statistic grows with the root of the rows."""
    bound, wanted = _last_bound(experiment), float(stats.norm.ppf(experiment.power))
    return float(stats.norm.cdf(sqrt(rows / rows_needed) * (bound + wanted) - bound))


def _last_bound(experiment: ExperimentPolicy) -> float:
    return float(group_sequential_bounds(experiment.looks, experiment.alpha, experiment.bounds)[-1])


def _rows(experiment: ExperimentPolicy, mode: Mode, expected: Expected | None) -> int | None:
    if expected is None:
        return None
    wanted, single = stats.norm.ppf(experiment.power), stats.norm.ppf(1 - experiment.alpha / 2)
    looks = float(((_last_bound(experiment) + wanted) / (single + wanted)) ** 2)
    per_arm = _per_arm(experiment, 0.0 if mode == "split" else expected.correlation, expected)
    if per_arm is None:
        return None
    if mode != "split":
        return ceil(per_arm * looks)
    first, second = (weight / sum(experiment.weights.values()) for weight in experiment.weights.values())
    return ceil(per_arm * looks / (2 * first * second)) if first * second else None


def _per_arm(experiment: ExperimentPolicy, correlation: float, expected: Expected) -> float | None:
    """Rows of one arm of a split; with a correlation, those that both versions score."""
    metric, alpha, power = experiment.metric, experiment.alpha, experiment.power
    effect = metric.better * metric.minimum_effect
    if metric.kind == "roc_auc" and expected.std is None:
        effect = effect if 0 < expected.value + effect < 1 else -effect
        return paired_sample_size(
            expected.value, effect, correlation, expected.positive_share, alpha, power, "two-sided"
        ).per_arm
    if not expected.std:
        return None
    if correlation == 0 and metric.kind in ("accuracy", "binary"):
        effect = effect if 0 < expected.value + effect < 1 else -effect
        return required_sample_size(expected.value, effect, alpha, power).per_arm
    spread = expected.std * sqrt(1 - correlation)
    return required_sample_size(expected.value, effect, alpha, power, kind="mean", std=spread, formula="normal").per_arm
