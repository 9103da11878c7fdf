"""How many rows does an experiment need, and what could it find?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import asin, ceil, sqrt
from typing import Literal

import numpy as np
import pandas as pd
from scipy import optimize, stats

from evergreen.errors import EvergreenError

Alternative = Literal["two-sided", "one-sided"]
Kind = Literal["proportion", "mean"]
Formula = Literal["pooled", "miller", "cohen_h", "t", "normal"]

FORMULAS: dict[Kind, tuple[Formula, ...]] = {"proportion": ("pooled", "miller", "cohen_h"), "mean": ("t", "normal")}
FEWEST, MOST = 2.0, 1e13


@dataclass(frozen=True)
class SampleSize:
    """The rows that a comparison needs.

    Attributes:
        per_arm: Rows of each arm, before rounding up.
        total: Whole rows of both arms together; of a paired comparison, whose rows serve both, the rows themselves.
        formula: Which formula gave it.
    """

    per_arm: float
    total: int
    formula: str

    def __float__(self) -> float:
        """Rows of each arm."""
        return self.per_arm


@dataclass(frozen=True)
class _Question:
    baseline: float
    alpha: float
    alternative: Alternative
    std: float | None
    formula: Formula

    @property
    def quantile(self) -> float:
        return float(stats.norm.ppf(1 - (self.alpha / 2 if self.alternative == "two-sided" else self.alpha)))


def required_sample_size(
    baseline: float,
    minimum_effect: float,
    alpha: float = 0.05,
    power: float = 0.8,
    alternative: Alternative = "two-sided",
    kind: Kind = "proportion",
    std: float | None = None,
    formula: Formula | None = None,
) -> SampleSize:
    """Rows of each of two equal arms that find a difference with the given power.

    Proportions: ``pooled``, n = ((z₁₋α √(2 p̄ q̄) + z_power √(p₁q₁ + p₂q₂)) / δ)², as R's ``power.prop.test`` and
    Fleiss, Levin and Paik (2003, 4.2); ``miller``, with the baseline's variance in place of the pooled one (Evan
    Miller's calculator); ``cohen_h``, ((z₁₋α + z_power) / h)² with h = 2 asin √p₂ − 2 asin √p₁ (Cohen 1988, 6.4).
    Means: ``t``, the power of Welch's test under equal variances by the noncentral t (Cohen 1988, 2.4); ``normal``, 2
    (z₁₋α + z_power)² σ² / δ².

    Args:
        baseline: Share of successes, or mean, of the arm that stays as it is.
        minimum_effect: Smallest absolute difference worth finding; negative for a fall.
        alpha: Error rate of the test, of both sides together where it is two-sided.
        power: Chance of finding the difference where it is there.
        alternative: ``two-sided`` or ``one-sided``.
        kind: ``proportion`` or ``mean``.
        std: Standard deviation of one row; needed for means.
        formula: See above; default ``pooled`` for proportions, ``t`` for means.

    Raises:
        EvergreenError: Where a number is outside its range or formula and kind don't belong together.
    """
    question = _question(baseline, alpha, alternative, kind, std, formula)
    _check_power(power, alpha)
    if minimum_effect == 0:
        raise EvergreenError("minimum_effect is 0: no number of rows finds it; name the smallest difference of use")
    per_arm = _rows(question, minimum_effect, power)
    return SampleSize(per_arm, 2 * ceil(per_arm), question.formula)


def minimum_detectable_effect(
    baseline: float,
    rows_per_arm: float,
    alpha: float = 0.05,
    power: float = 0.8,
    alternative: Alternative = "two-sided",
    kind: Kind = "proportion",
    std: float | None = None,
    formula: Formula | None = None,
) -> float:
    """The smallest rise that ``rows_per_arm`` rows find with the given power.

    Args:
        baseline: Share of successes, or mean, of the arm that stays as it is.
        rows_per_arm: Rows of each arm.
        alpha: See :func:`required_sample_size`, as for the rest.
        power: Chance of finding it.
        alternative: ``two-sided`` or ``one-sided``.
        kind: ``proportion`` or ``mean``.
        std: Standard deviation of one row; needed for means.
        formula: See there.

    Returns:
        The absolute difference; infinite where not even the largest possible rise would be found.

    Raises:
        EvergreenError: Where a number is outside its range.
    """
    question = _question(baseline, alpha, alternative, kind, std, formula)
    _check_power(power, alpha)
    _check_rows(rows_per_arm)
    most = 1 - baseline - 1e-12 if kind == "proportion" else 1e6 * float(std or 1)

    def lacking(effect: float) -> float:
        return power_of(question, effect, rows_per_arm) - power

    if lacking(most) < 0:
        return float("inf")
    return float(optimize.brentq(lacking, most * 1e-12, most, xtol=most * 1e-15, rtol=1e-12))


def power_curve(
    baseline: float,
    effects: Iterable[float],
    rows_per_arm: Iterable[float],
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    kind: Kind = "proportion",
    std: float | None = None,
    formula: Formula | None = None,
) -> pd.DataFrame:
    """Power of every effect at every size.

    Args:
        baseline: Share of successes, or mean, of the arm that stays as it is.
        effects: Absolute differences.
        rows_per_arm: Rows of each arm.
        alpha: See :func:`required_sample_size`, as for the rest.
        alternative: ``two-sided`` or ``one-sided``.
        kind: ``proportion`` or ``mean``.
        std: Standard deviation of one row; needed for means.
        formula: See there.

    Returns:
        Columns ``effect``, ``rows_per_arm``, ``power``, a row a pair.
    """
    question = _question(baseline, alpha, alternative, kind, std, formula)
    sizes = list(rows_per_arm)
    for rows in sizes:
        _check_rows(rows)
    pairs = [(effect, rows, power_of(question, effect, rows)) for effect in effects for rows in sizes]
    return pd.DataFrame(pairs, columns=["effect", "rows_per_arm", "power"])


def paired_sample_size(
    auc: float,
    gain: float,
    correlation: float,
    positive_share: float = 0.5,
    alpha: float = 0.05,
    power: float = 0.8,
    alternative: Alternative = "one-sided",
) -> SampleSize:
    """Requests on which two versions are both scored until a gain in ROC AUC is found (replay, shadow).

    N = (z₁₋α + z_power)² (V₁ + V₂ − 2 ρ √(V₁V₂)) / gain², where V = (Q₁ − A²)/(1 − π) + (Q₂ − A²)/π is N times the
    variance of one AUC, Q₁ = A/(2 − A), Q₂ = 2A²/(1 + A) (Hanley and McNeil, Radiology 143, 1982, and 148, 1983, for
    large N). ρ = 0 gives the rows of each arm of a split, apart from the second arm's.

    Args:
        auc: ROC AUC of the version that serves.
        gain: Gain that is worth finding.
        correlation: Correlation of the two AUCs' estimates on the same rows; versions of one recipe have .9 and more.
        positive_share: Share of positive outcomes, π.
        alpha: Error rate of the test.
        power: Chance of finding the gain.
        alternative: ``two-sided`` or ``one-sided``.

    Raises:
        EvergreenError: Where a number is outside its range.
    """
    _between("auc", auc, 0, 1)
    _between("auc + gain", auc + gain, 0, 1)
    _between("positive_share", positive_share, 0, 1)
    _between("alpha", alpha, 0, 1)
    _check_power(power, alpha)
    if gain == 0 or not -1 <= correlation < 1:
        raise EvergreenError(
            f"gain is {gain} and correlation {correlation}: a gain other than 0 and −1 ≤ ρ < 1 is needed"
        )
    a, b = _auc_variance(auc, positive_share), _auc_variance(auc + gain, positive_share)
    variance = a + b - 2 * correlation * sqrt(a * b)
    reach = stats.norm.ppf(1 - (alpha / 2 if alternative == "two-sided" else alpha)) + stats.norm.ppf(power)
    rows = float(reach**2 * variance / gain**2)
    return SampleSize(rows, ceil(rows), "hanley_mcneil")


def power_of(question: _Question, effect: float, rows: float) -> float:
    """Chance of finding ``effect`` with ``rows`` a arm."""
    if question.formula == "t":
        return _t_power(question, effect, rows)
    null_sd, true_sd, shift = _spread(question, effect)
    return float(stats.norm.cdf((sqrt(rows) * shift - question.quantile * null_sd) / true_sd))


def _rows(question: _Question, effect: float, power: float) -> float:
    if question.formula == "t":
        return float(optimize.brentq(lambda rows: _t_power(question, effect, rows) - power, FEWEST, MOST, rtol=1e-12))
    null_sd, true_sd, shift = _spread(question, effect)
    return float(((question.quantile * null_sd + stats.norm.ppf(power) * true_sd) / shift) ** 2)


def _spread(question: _Question, effect: float) -> tuple[float, float, float]:
    """√n times the standard error without and with the effect, and the shift that it is held against."""
    if question.formula == "normal":
        sd = sqrt(2) * float(question.std or 0)
        return sd, sd, abs(effect)
    p, other = question.baseline, question.baseline + effect
    if not 0 < other < 1:
        raise EvergreenError(f"the baseline {p} and the effect {effect} make {other}: a share lies between 0 and 1")
    if question.formula == "cohen_h":
        return 1.0, 1.0, abs(2 * asin(sqrt(other)) - 2 * asin(sqrt(p))) / sqrt(2)
    true_sd = sqrt(p * (1 - p) + other * (1 - other))
    pooled = (p + other) / 2 if question.formula == "pooled" else p
    return sqrt(2 * pooled * (1 - pooled)), true_sd, abs(effect)


def _t_power(question: _Question, effect: float, rows: float) -> float:
    freedom = 2 * (rows - 1)
    shift = abs(effect) / float(question.std or 1) * sqrt(rows / 2)
    share = question.alpha / 2 if question.alternative == "two-sided" else question.alpha
    critical = stats.t.ppf(1 - share, freedom)
    found = stats.nct.sf(critical, freedom, shift)
    if not np.isfinite(found):  # the noncentral t overflows far out, where it is normal
        found = stats.norm.sf(critical - shift)
    wrong_side = stats.nct.cdf(-critical, freedom, shift) if question.alternative == "two-sided" else 0.0
    return float(found + (wrong_side if np.isfinite(wrong_side) else 0.0))


def _auc_variance(auc: float, positive_share: float) -> float:
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    return (q1 - auc**2) / (1 - positive_share) + (q2 - auc**2) / positive_share


def _question(
    baseline: float, alpha: float, alternative: Alternative, kind: Kind, std: float | None, formula: Formula | None
) -> _Question:
    if kind not in FORMULAS:
        raise EvergreenError(f"kind is {kind!r}: proportion and mean are known")
    if alternative not in ("two-sided", "one-sided"):
        raise EvergreenError(f"alternative is {alternative!r}: two-sided and one-sided are known")
    chosen = formula or FORMULAS[kind][0]
    if chosen not in FORMULAS[kind]:
        raise EvergreenError(f"formula {chosen!r} isn't for a {kind}: {', '.join(FORMULAS[kind])} are")
    _between("alpha", alpha, 0, 1)
    if kind == "proportion":
        _between("baseline", baseline, 0, 1)
    elif std is None or not np.isfinite(std) or std <= 0:
        raise EvergreenError(f"std is {std}: a mean's sample size needs the standard deviation of one row, above 0")
    return _Question(baseline, alpha, alternative, std, chosen)


def _check_power(power: float, alpha: float) -> None:
    if not alpha < power < 1:
        raise EvergreenError(f"power is {power}: it lies between alpha ({alpha}) and 1")


def _check_rows(rows: float) -> None:
    if not np.isfinite(rows) or rows < FEWEST:
        raise EvergreenError(f"rows_per_arm is {rows}: at least {FEWEST:.0f} are needed")


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        raise EvergreenError(f"{name} is {value}: it lies between {low} and {high}")
