"""Two variants on different units: shares, means, ratios."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from evergreen.errors import EvergreenError
from evergreen.evaluation.auc import Floats
from evergreen.evaluation.curves import wilson_interval
from evergreen.experiments.result import Comparison

Alternative = Literal["two-sided", "larger", "smaller"]
LEAST_MEAN = 1e-60
"""Means nearer to 0 have no relative difference."""


@dataclass(frozen=True)
class Sums:
    """What a mean's comparison needs of one variant; an engine adds these up where the rows lie.

    Attributes:
        n: Number of values.
        total: Σ x.
        squares: Σ x².
    """

    n: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """Σ x / n."""
        return self.total / self.n

    @property
    def variance(self) -> float:
        """Of one value, with n − 1 in the denominator."""
        return max(self.squares - self.total**2 / self.n, 0.0) / (self.n - 1)


@dataclass(frozen=True)
class Side:
    """Mean, variance of one row and rows of one variant."""

    n: int
    mean: float
    variance: float

    @property
    def error(self) -> float:
        """Squared standard error of the mean."""
        return self.variance / self.n


def compare_proportions(
    successes_a: int,
    n_a: int,
    successes_b: int,
    n_b: int,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
) -> Comparison:
    """Shares of successes: z test with the pooled variance, Newcombe's interval of the difference.

    The interval is the hybrid of two Wilson intervals (Newcombe, Statistics in Medicine 17, 1998, method 10), which
    holds at shares of 0 and 1; the relative lift's by the delta method.

    Args:
        successes_a: Successes of variant a.
        n_a: Rows of variant a.
        successes_b: Successes of variant b.
        n_b: Rows of variant b.
        alpha: The intervals cover 1 − alpha.
        alternative: ``larger``: b's share is larger than a's.

    Raises:
        EvergreenError: Where a variant has no rows, or a count is negative or above its rows.
    """
    for name, successes, n in (("a", successes_a, n_a), ("b", successes_b, n_b)):
        if n < 1:
            raise EvergreenError(f"variant {name} has {n} rows: a share needs at least one")
        if not 0 <= successes <= n:
            raise EvergreenError(f"variant {name} has {successes} successes in {n} rows: from 0 to {n} are possible")
    a, b = successes_a / n_a, successes_b / n_b
    pooled = (successes_a + successes_b) / (n_a + n_b)
    error = sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
    z = (b - a) / error if error else None
    low, high = _newcombe(successes_a, n_a, successes_b, n_b, alpha)
    p_value = _certain(b - a, alternative) if z is None else _sided(stats.norm, z, alternative)
    left, right = Side(n_a, a, a * (1 - a)), Side(n_b, b, b * (1 - b))
    return _comparison(
        "two-proportion z test, pooled", "proportion", left, right, z, p_value, (low, high), stats.norm, alpha,
        2 * asin(sqrt(b)) - 2 * asin(sqrt(a)),
    )  # fmt: skip


def compare_means(
    a: ArrayLike | Sums, b: ArrayLike | Sums, alpha: float = 0.05, alternative: Alternative = "two-sided"
) -> Comparison:
    """Means of two variants by Welch's t test (Biometrika 34, 1947), from values or their sums.

    Args:
        a: Values of variant a, shape (n_a,), or their :class:`Sums`.
        b: Values of variant b.
        alpha: The intervals cover 1 − alpha.
        alternative: ``larger``: b's mean is larger than a's.

    Raises:
        EvergreenError: Where a variant has fewer than two values, or one that is not finite.
    """
    left, right = _side("a", a), _side("b", b)
    return welch("Welch's t test", "mean", left, right, alpha, alternative)


def compare_ratios(
    numerator_a: ArrayLike,
    denominator_a: ArrayLike,
    numerator_b: ArrayLike,
    denominator_b: ArrayLike,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
) -> Comparison:
    """Ratios of two sums over units, such as revenue a visit where users are assigned, by the delta method.

    A unit's variance is σ²_M/μ_D² + σ²_D μ_M²/μ_D⁴ − 2 cov μ_M/μ_D³ (Deng, Knoblich and Lu, KDD 2018).

    Args:
        numerator_a: A unit's numerator, shape (n_a,).
        denominator_a: Its denominator.
        numerator_b: The same of variant b.
        denominator_b: The same.
        alpha: The intervals cover 1 − alpha.
        alternative: ``larger``: b's ratio is larger than a's.

    Raises:
        EvergreenError: Where a variant has fewer than two units, shapes differ, or denominators add up to 0.
    """
    left = _ratio_side("a", numerator_a, denominator_a)
    right = _ratio_side("b", numerator_b, denominator_b)
    found = welch("delta method", "ratio", left, right, alpha, alternative)
    return found.model_copy(update={"effect_size": None})


@dataclass(frozen=True)
class Cuped:
    """Outcomes from which a covariate's part is taken out.

    Attributes:
        theta: cov(y, x) / var(x).
        adjusted: y − θ (x − mean of x), shape (units,); its mean is y's.
        variance_reduction: Share of y's variance that x explains.
    """

    theta: float
    adjusted: Floats
    variance_reduction: float


def cuped(y: ArrayLike, x: ArrayLike) -> Cuped:
    """Controlled experiments using pre-experiment data (Deng, Xu, Kohavi and Walker, WSDM 2013).

    Take both variants together, so that θ is one, then compare the adjusted values by variant.

    Args:
        y: Outcomes, shape (units,).
        x: A covariate that was known strictly before the exposure, shape (units,).

    Raises:
        EvergreenError: Where shapes differ, values are not finite, or there are fewer than two.
    """
    outcome, covariate = _values("y", y), _values("x", x)
    if outcome.shape != covariate.shape:
        raise EvergreenError(f"y has {len(outcome)} units and x {len(covariate)}: give one covariate a unit")
    covariance = np.cov(outcome, covariate)
    theta = float(covariance[0, 1] / covariance[1, 1]) if covariance[1, 1] > 0 else 0.0
    explained = theta * covariance[0, 1] / covariance[0, 0] if covariance[0, 0] > 0 else 0.0
    return Cuped(theta, outcome - theta * (covariate - covariate.mean()), float(explained))


def welch(test: str, metric: str, a: Side, b: Side, alpha: float, alternative: Alternative) -> Comparison:
    """Welch's t test of two sides, with effect size d."""
    error = sqrt(a.error + b.error)
    difference = b.mean - a.mean
    part = a.error / (a.error + b.error) if error else 0.5
    freedom = 1 / (part**2 / (a.n - 1) + (1 - part) ** 2 / (b.n - 1))
    t = difference / error if error else None
    student = stats.t(freedom)
    p_value = _certain(difference, alternative) if t is None else _sided(student, t, alternative)
    spread = sqrt(((a.n - 1) * a.variance + (b.n - 1) * b.variance) / (a.n + b.n - 2))
    reach = float(student.ppf(1 - alpha / 2)) * error
    return _comparison(
        test, metric, a, b, t, p_value, (difference - reach, difference + reach), student, alpha,
        difference / spread if spread else None,
    )  # fmt: skip


def _comparison(
    test: str,
    metric: str,
    a: Side,
    b: Side,
    statistic: float | None,
    p_value: float,
    interval: tuple[float, float],
    distribution: stats.rv_continuous,
    alpha: float,
    effect_size: float | None,
) -> Comparison:
    relative = low = high = relative_p = None
    if abs(a.mean) > LEAST_MEAN:
        relative = (b.mean - a.mean) / abs(a.mean)
        error = sqrt(b.error / a.mean**2 + a.error * b.mean**2 / a.mean**4)
        reach = float(distribution.ppf(1 - alpha / 2)) * error
        low, high = relative - reach, relative + reach
        relative_p = _sided(distribution, relative / error, "two-sided") if error else None
    return Comparison(
        test=test, metric=metric, n_a=a.n, n_b=b.n, mean_a=a.mean, mean_b=b.mean, std_a=sqrt(a.variance),
        std_b=sqrt(b.variance), statistic=statistic, p_value=p_value, difference=b.mean - a.mean, low=interval[0],
        high=interval[1], relative=relative, relative_low=low, relative_high=high, relative_p_value=relative_p,
        effect_size=effect_size, alpha=alpha, significant=p_value < alpha,
    )  # fmt: skip


def _newcombe(successes_a: int, n_a: int, successes_b: int, n_b: int, alpha: float) -> tuple[float, float]:
    a, b = successes_a / n_a, successes_b / n_b
    (low_a, low_b), (high_a, high_b) = wilson_interval([successes_a, successes_b], [n_a, n_b], 1 - alpha)
    low = b - a - sqrt((b - low_b) ** 2 + (high_a - a) ** 2)
    return float(low), float(b - a + sqrt((high_b - b) ** 2 + (a - low_a) ** 2))


def _sided(distribution: stats.rv_continuous, statistic: float, alternative: Alternative) -> float:
    if alternative == "two-sided":
        return float(2 * distribution.sf(abs(statistic)))
    return float(distribution.sf(statistic if alternative == "larger" else -statistic))


def _certain(difference: float, alternative: Alternative) -> float:
    """Where nothing varies, a difference is certain, and its absence too."""
    there = {"two-sided": difference != 0, "larger": difference > 0, "smaller": difference < 0}
    return 0.0 if there[alternative] else 1.0


def _side(name: str, values: ArrayLike | Sums) -> Side:
    if isinstance(values, Sums):
        if values.n < 2:
            raise EvergreenError(f"variant {name} has {values.n} values: a mean's comparison needs at least two")
        return Side(values.n, values.mean, values.variance)
    found = _values(f"variant {name}", values)
    return Side(len(found), float(found.mean()), float(found.var(ddof=1)))


def _ratio_side(name: str, numerator: ArrayLike, denominator: ArrayLike) -> Side:
    m, d = _values(f"variant {name}'s numerator", numerator), _values(f"variant {name}'s denominator", denominator)
    if m.shape != d.shape or not d.sum():
        raise EvergreenError(
            f"variant {name} has {len(m)} numerators and {len(d)} denominators that add up to {d.sum():g}: "
            "give both for every unit, and units with a denominator"
        )
    covariance = np.cov(m, d)
    mean_m, mean_d = float(m.mean()), float(d.mean())
    variance = (
        covariance[0, 0] / mean_d**2
        + covariance[1, 1] * mean_m**2 / mean_d**4
        - 2 * covariance[0, 1] * mean_m / mean_d**3
    )
    return Side(len(m), mean_m / mean_d, max(float(variance), 0.0))


def _values(name: str, values: ArrayLike) -> Floats:
    found = np.asarray(values, dtype=float).ravel()
    if len(found) < 2 or not np.isfinite(found).all():
        raise EvergreenError(
            f"{name} has {len(found)} values, {int((~np.isfinite(found)).sum())} of them missing or infinite: "
            "at least two finite ones are needed"
        )
    return found
