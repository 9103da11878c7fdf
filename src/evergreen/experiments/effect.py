"""How far are two variants apart in one metric, and how sure is that?"""

from __future__ import annotations

from dataclasses import dataclass
from math import copysign, inf, sqrt

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import stats

from evergreen.evaluation.auc import AucCovariance, auc_covariance
from evergreen.experiments.binned_auc import binned_auc_covariance
from evergreen.experiments.moments import column_of, paired_moments, pooled_theta, split_moments
from evergreen.experiments.parameters import ExperimentPolicy, MetricPolicy
from evergreen.experiments.result import Comparison
from evergreen.experiments.split import compare_means, compare_proportions, welch

EXACT_ROWS = 200_000
"""Most rows whose scores are ranked in memory; more are binned where they lie."""


@dataclass(frozen=True)
class Effect:
    """A difference with its error.

    Attributes:
        comparison: The second variant held against the first, as a test at a fixed end.
        error: Standard error of the difference.
        rows: Units, of a paired comparison requests, that it rests on.
        note: What else must be known of it.
    """

    comparison: Comparison
    error: float
    rows: int
    note: str = ""

    @property
    def z(self) -> float:
        """The difference in standard errors; infinite where nothing varies and yet differs."""
        difference = self.comparison.difference
        if self.error > 0:
            return difference / self.error
        return copysign(inf, difference) if difference else 0.0


def effect_of(table: ir.Table, experiment: ExperimentPolicy, metric: MetricPolicy) -> Effect | None:
    """Compare the variants in one metric.

    Args:
        table: Exposures, as :func:`~evergreen.experiments.exposures.read_exposures` makes them.
        experiment: Names variants, unit, error rate, gains and covariate.
        metric: What is compared.

    Returns:
        The effect; None where a variant has fewer than two units with the metric, or an outcome's class is missing.
    """
    if metric.kind == "roc_auc":
        return _paired_auc(table, experiment) if experiment.paired else _split_auc(table, experiment)
    return _paired_mean(table, experiment, metric) if experiment.paired else _split_mean(table, experiment, metric)


def _split_mean(table: ir.Table, experiment: ExperimentPolicy, metric: MetricPolicy) -> Effect | None:
    adjusted = experiment.covariate if metric is experiment.metric and metric.kind != "ratio" else None
    found = split_moments(table, experiment, metric, adjusted)
    if not set(experiment.variants) <= found.keys():
        return None
    a, b = found[experiment.control], found[experiment.treatment]
    note, alpha = "", experiment.alpha
    if metric.kind == "ratio":
        comparison = welch("delta method", metric.title, a.ratio, b.ratio, alpha, "two-sided")
        errors = a.ratio.error, b.ratio.error
        return Effect(comparison, sqrt(sum(errors)), a.n + b.n)
    if adjusted is not None:
        theta, centre = pooled_theta(a, b)
        before = a.variance / a.n + b.variance / b.n
        a, b = a.without(theta, centre), b.without(theta, centre)
        saved = 1 - (a.variance / a.n + b.variance / b.n) / before if before > 0 else 0.0
        note = f"CUPED on {adjusted}: theta {theta:.4g}, {saved:.0%} of the variance taken out"
    if metric.kind in ("binary", "accuracy") and a.whole and b.whole:
        counts = round(a.n * a.mean), a.n, round(b.n * b.mean), b.n
        comparison = compare_proportions(*counts, alpha)
    else:
        comparison = compare_means(a.sums, b.sums, alpha)
    error = sqrt(a.variance / a.n + b.variance / b.n)
    return Effect(comparison.model_copy(update={"metric": metric.title}), error, a.n + b.n, note)


def _paired_mean(table: ir.Table, experiment: ExperimentPolicy, metric: MetricPolicy) -> Effect | None:
    found = paired_moments(table, metric, experiment.gains)
    if found is None:
        return None
    student = stats.t(found.units - 1)
    difference = found.means[1] - found.means[0]
    return _effect("paired t test", metric.title, found.means, difference, found.error, found.rows, student, experiment)


def _paired_auc(table: ir.Table, experiment: ExperimentPolicy) -> Effect | None:
    names = [f"{side}probability" for side in ("a_", "b_")]
    scored = _scored(table, experiment, names)
    if scored is None:
        return None
    found, rows, note = scored
    difference, error = found.contrast([-1, 1])
    aucs = float(found.aucs[0]), float(found.aucs[1])
    student = stats.t(found.degrees_of_freedom)
    return _effect("DeLong's paired test", "ROC AUC", aucs, difference, error, rows, student, experiment, note)


def _split_auc(table: ir.Table, experiment: ExperimentPolicy) -> Effect | None:
    sides = []
    for name in experiment.variants:
        side = _scored(table.filter(table["variant"] == name), experiment, ["probability"])
        if side is None:
            return None
        sides.append(side)
    (a, n_a, note_a), (b, n_b, note_b) = sides
    aucs = float(a.aucs[0]), float(b.aucs[0])
    error = sqrt(float(a.covariance[0, 0] + b.covariance[0, 0]))
    student = stats.t(min(a.degrees_of_freedom, b.degrees_of_freedom))
    made = _effect(
        "DeLong's test, unpaired", "ROC AUC", aucs, aucs[1] - aucs[0], error, n_a + n_b, student, experiment,
        note_a or note_b,
    )  # fmt: skip
    return Effect(made.comparison.model_copy(update={"n_a": n_a, "n_b": n_b}), made.error, made.rows, made.note)


def _scored(table: ir.Table, experiment: ExperimentPolicy, names: list[str]) -> tuple[AucCovariance, int, str] | None:
    """AUCs of scores over rows whose outcome is known; None where a class is missing."""
    for name in names:
        column_of(table, name)
    rows = table.select("unit", "label", *names)
    rows = rows.filter(*(rows[name].notnull() for name in ("label", *names)))
    by_class = rows.group_by("label").agg(n=rows.count(), units=rows["unit"].nunique()).execute()
    if len(by_class) < 2 or by_class["units"].min() < 2:
        return None
    total = int(by_class["n"].sum())
    units = int(by_class["units"].sum())
    unit = "unit" if experiment.unit == "entity" and units < total else None
    if total > EXACT_ROWS:
        binned = binned_auc_covariance(rows, names, unit)
        note = f"scores in bins, which move each AUC by at most {max(binned.error):.1g}"
        return binned.found, total, note
    frame = rows.execute()
    blocks = pd.factorize(frame["unit"])[0] if unit else None
    return auc_covariance(frame["label"], np.stack([frame[name] for name in names]), blocks), total, ""


def _effect(
    test: str,
    metric: str,
    means: tuple[float, float],
    difference: float,
    error: float,
    rows: int,
    distribution: stats.rv_continuous,
    experiment: ExperimentPolicy,
    note: str = "",
) -> Effect:
    alpha = experiment.alpha
    statistic = difference / error if error > 0 else None
    certain = 0.0 if difference else 1.0
    p_value = certain if statistic is None else float(2 * distribution.sf(abs(statistic)))
    half = float(distribution.ppf(1 - alpha / 2)) * error
    comparison = Comparison(
        test=test, metric=metric, n_a=rows, n_b=rows, mean_a=means[0], mean_b=means[1], statistic=statistic,
        p_value=p_value, difference=difference, low=difference - half, high=difference + half,
        relative=difference / abs(means[0]) if means[0] else None, alpha=alpha, significant=p_value < alpha,
    )  # fmt: skip
    return Effect(comparison, error, rows, note)
