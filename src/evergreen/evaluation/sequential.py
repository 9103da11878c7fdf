"""How may one look at evidence before its end?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import e, exp, inf, log, pi, sqrt
from typing import Literal

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy import optimize, special, stats

from evergreen.errors import EvergreenError
from evergreen.evaluation.auc import Floats

Kind = Literal["obrien_fleming", "pocock", "lan_demets_obf", "lan_demets_pocock", "lan_demets_linear"]
CLASSICAL = ("obrien_fleming", "pocock")
NODES = 160
FARTHEST = 9.0
"""Standard errors beyond which a standard normal has no mass that counts (1e-19)."""
LEAST_SPENDING = 1e-14


@dataclass(frozen=True)
class Interval:
    """An interval of an estimate."""

    low: float
    high: float
    half_width: float

    def excludes(self, value: float = 0.0) -> bool:
        """Whether the value lies outside."""
        return not self.low <= value <= self.high


def confidence_sequence(
    estimate: float, standard_error: float, rows: int, planned_rows: int, alpha: float = 0.05
) -> Interval:
    """An interval that holds at all looks together, however many and whenever.

    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (arXiv 2103.06476, theorem
    2.2): half-width σ √(2 (N ρ² + 1) / (N ρ)² · ln(√(N ρ² + 1) / α)) with σ = standard error · √N, narrowest at N*
    rows by ρ = √((−2 ln α + ln(−2 ln α + 1)) / N*).

    Args:
        estimate: Estimate of the difference from all rows so far.
        standard_error: Its standard error.
        rows: Rows so far, N; both arms together.
        planned_rows: Rows at which it should be narrowest, N*; fixed beforehand.
        alpha: Chance that the truth is ever outside.

    Raises:
        EvergreenError: Where a number is outside its range.
    """
    if rows < 1 or planned_rows < 1 or not 0 < alpha < 1 or not standard_error >= 0:
        raise EvergreenError(
            f"a confidence sequence of {rows} rows, {planned_rows} planned, alpha {alpha} and standard error "
            f"{standard_error} can't be: rows from 1 on, alpha between 0 and 1, an error from 0 on are needed"
        )
    rho2 = (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / planned_rows
    inside = rows * rho2 + 1
    half = standard_error * sqrt(rows) * sqrt(2 * inside / (rows**2 * rho2) * log(sqrt(inside) / alpha))
    return Interval(estimate - half, estimate + half, half)


def group_sequential_bounds(
    looks: int | Sequence[float], alpha: float = 0.05, kind: Kind = "obrien_fleming", sides: Literal[1, 2] = 2
) -> Floats:
    """Bounds of |z| (of z, one-sided) at planned looks, so that all looks together err with ``alpha``.

    ``obrien_fleming`` (c/√t) and ``pocock`` (c) are the classical ones for planned looks. The others spend alpha by
    the information that is there (Lan and DeMets, Biometrika 70, 1983) – like O'Brien and Fleming 2 (1 −
    Φ(z₁₋α/₂/√t)), like Pocock α ln(1 + (e − 1) t), or linearly –, so looks may come when they come. Crossing
    probabilities by the recursive integration of Armitage, McPherson and Rowe (1969), on Gauss–Legendre nodes.

    Args:
        looks: Number of equally spaced looks, or each look's share of the planned information, ascending to at most
            1.
        alpha: Error rate of both sides together (of the one side).
        kind: See above.
        sides: 2, symmetric, or 1.

    Returns:
        A bound a look; infinite where there is nothing yet to spend.

    Raises:
        EvergreenError: Where looks or alpha are impossible, or the kind is not known.
    """
    times = _information(looks)
    if not 0 < alpha < 1 or sides not in (1, 2):
        raise EvergreenError(f"alpha is {alpha} and sides {sides}: alpha between 0 and 1, sides 1 or 2 are needed")
    if kind in CLASSICAL:
        shape = 1 / np.sqrt(times) if kind == "obrien_fleming" else np.ones_like(times)
        found = optimize.brentq(lambda c: _crossing(c * shape, times, sides)[-1] - alpha, 0.1, 20, xtol=1e-10)
        return found * shape
    return spending_bounds(times, np.array([spent(t, alpha, kind, sides) for t in times]), sides)


def spent(time: float, alpha: float, kind: Kind, sides: Literal[1, 2] = 2) -> float:
    """The part of alpha that may be spent up to an information time in [0, 1].

    Raises:
        EvergreenError: Where the kind has no spending function.
    """
    of_side = alpha / sides
    functions: dict[str, Callable[[float], float]] = {
        "lan_demets_obf": lambda t: 2 * float(stats.norm.sf(stats.norm.ppf(1 - of_side / 2) / sqrt(t))),
        "lan_demets_pocock": lambda t: of_side * log(1 + (e - 1) * t),
        "lan_demets_linear": lambda t: of_side * t,
    }
    if kind not in functions:
        raise EvergreenError(f"kind is {kind!r}: {', '.join((*CLASSICAL, *functions))} are known")
    return sides * functions[kind](time) if time > 0 else 0.0


def spending_bounds(times: Floats, spending: Floats, sides: Literal[1, 2] = 1) -> Floats:
    """Bounds of z (of |z|, two-sided) at looks that spent so much of alpha by then.

    Args:
        times: Information at each look, ascending; only its ratios count.
        spending: Alpha spent up to each look, ascending.
        sides: 2, symmetric, or 1.

    Returns:
        A bound a look; infinite where there is nothing to spend.
    """
    density, bounds = _START, np.empty(len(times))
    for number, (time, share) in enumerate(zip(times, np.diff(spending, prepend=0.0), strict=True)):
        bounds[number] = _bound(density, float(time), float(share), sides)
        density = density.within(bounds[number], time, sides)
    return bounds


def _information(looks: int | Sequence[float]) -> Floats:
    times = (
        np.arange(1, looks + 1) / looks
        if isinstance(looks, int) and looks > 0
        else np.atleast_1d(np.asarray(looks, float))
    )
    if not times.size or times[0] <= 0 or times[-1] > 1 + 1e-12 or (np.diff(times) <= 0).any():
        raise EvergreenError(
            f"looks are {looks}: a number from 1 on, or ascending shares of the planned information above 0 and up to 1"
        )
    return times


@dataclass(frozen=True)
class _Density:
    """Density of the sum (variance: the information time) over paths that have not crossed, on nodes with weights."""

    nodes: Floats
    weighted: Floats
    time: float

    def beyond(self, bound: float, time: float, sides: int) -> float:
        """Chance of crossing ``bound`` standard errors at the next look."""
        step, edge = sqrt(time - self.time), bound * sqrt(time)
        chance = special.ndtr((self.nodes - edge) / step)
        if sides == 2:
            chance = chance + special.ndtr((-edge - self.nodes) / step)
        return float(self.weighted @ chance)

    def within(self, bound: float, time: float, sides: int) -> _Density:
        """The density after a look that was not crossed."""
        high = min(bound, FARTHEST) * sqrt(time)
        nodes, weights = _nodes(-high if sides == 2 else -FARTHEST * sqrt(time), high)
        step = sqrt(time - self.time)
        kernel = np.exp(-0.5 * ((nodes[:, None] - self.nodes) / step) ** 2) / (step * sqrt(2 * pi))
        return _Density(nodes, weights * (kernel @ self.weighted), time)


_START = _Density(np.zeros(1), np.ones(1), 0.0)


_UNIT_NODES = leggauss(NODES)


def _nodes(low: float, high: float) -> tuple[Floats, Floats]:
    x, weights = _UNIT_NODES
    return (high - low) / 2 * x + (high + low) / 2, (high - low) / 2 * weights


def _crossing(bounds: Floats, times: Floats, sides: int) -> Floats:
    """Chance of having crossed up to each look."""
    density, total = _START, np.empty(len(times))
    for number, (bound, time) in enumerate(zip(bounds, times, strict=True)):
        total[number] = density.beyond(bound, time, sides)
        density = density.within(bound, time, sides)
    return np.cumsum(total)


def _bound(density: _Density, time: float, share: float, sides: Literal[1, 2]) -> float:
    if share < LEAST_SPENDING:
        return inf
    found = optimize.brentq(
        lambda b: log(max(density.beyond(b, time, sides), exp(-700))) - log(share), -FARTHEST, FARTHEST, xtol=1e-11
    )
    return float(found)
