"""Which of several models is better on the same rows, and could a difference have been seen at all?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from evergreen.errors import EvergreenError
from evergreen.evaluation.adjustment import holm
from evergreen.evaluation.auc import (
    AucCovariance,
    as_block_codes,
    as_labels,
    as_scores,
    auc_covariance,
    rarer_class_units,
)
from evergreen.evaluation.metrics import MIN_UNITS_PER_CLASS
from evergreen.records import SNAKE_CASE, Frozen

EXACT_BELOW_DISCORDANT = 25


@dataclass(frozen=True)
class DelongTest:
    """Two AUCs on the same rows, compared.

    Attributes:
        auc_a: AUC of the first score vector.
        auc_b: AUC of the second.
        difference: ``auc_b − auc_a``.
        ci: Interval of the difference, 1 − alpha.
        standard_error: Standard error of the difference.
        z: Difference in standard errors; 0 where both score alike.
        p_value: Two-sided.
    """

    auc_a: float
    auc_b: float
    difference: float
    ci: tuple[float, float]
    standard_error: float
    z: float
    p_value: float


@dataclass(frozen=True)
class McnemarTest:
    """Two classifiers' errors on the same rows, compared.

    Attributes:
        statistic: Chi-square, corrected for continuity unless that was switched off, or the smaller discordant count
            if ``exact``.
        p_value: Two-sided.
        exact: Whether the binomial distribution was used.
        discordant: The two off-diagonal counts.
    """

    statistic: float
    p_value: float
    exact: bool
    discordant: tuple[int, int]


class PairComparison(Frozen):
    """One pair of models: who is better, or what could have been seen.

    Attributes:
        a: First model.
        b: Second model.
        auc_a: Its AUC.
        auc_b: The second's AUC.
        difference: ``auc_b − auc_a``.
        low: Lower end of the difference's interval (1 − alpha, this pair alone).
        high: Upper end.
        delong_p: Paired DeLong, Holm-corrected over the pairs.
        mcnemar_p: McNemar on the correctness table at each model's threshold, Holm-corrected; None with
            blocks, whose dependence McNemar ignores.
        only_a_correct: Rows that only the first classifies correctly.
        only_b_correct: Rows that only the second classifies correctly.
        detectable_difference: Difference in AUC that would have been found with 80 % power.
        status: ``ok`` or ``insufficient_data``.
        sentence: The outcome in words.
    """

    a: str
    b: str
    auc_a: float | None = None
    auc_b: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    delong_p: float | None = None
    mcnemar_p: float | None = None
    only_a_correct: int
    only_b_correct: int
    detectable_difference: float | None = None
    status: Annotated[str, SNAKE_CASE]
    sentence: str


def delong_test(
    y_true: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    alpha: float = 0.05,
    blocks: ArrayLike | None = None,
) -> DelongTest:
    """Paired test of two ROC AUCs (DeLong et al. 1988; by blocks: leaving one block out).

    The statistic is normal for independent rows; with ``blocks`` it follows Student's t with as many
    degrees of freedom as blocks hold the rarer class, less one.

    Args:
        y_true: Labels 0/1, shape (rows,).
        scores_a: First score vector, shape (rows,).
        scores_b: Second score vector, shape (rows,).
        alpha: The interval covers 1 − alpha.
        blocks: Block of each row, shape (rows,); None means that rows are independent.

    Returns:
        Both AUCs, their difference b − a with interval, z and p.

    Raises:
        EvergreenError: If a class has fewer than two rows (blocks), or input is invalid.
    """
    y = as_labels(y_true)
    pair = np.stack([as_scores(scores_a, len(y)), as_scores(scores_b, len(y))])
    found = auc_covariance(y, pair, blocks)
    return _paired_test(found, 0, 1, alpha, blocks is not None)


def mcnemar_test(table: ArrayLike, exact: bool | None = None, corrected: bool = True) -> McnemarTest:
    """McNemar's test of two classifiers' correctness (Psychometrika 12, 1947; correction: Edwards 1948).

    Args:
        table: Counts, shape (2, 2): rows first model correct / wrong, columns second model correct / wrong.
        exact: Binomial instead of chi-square; default: with fewer than 25 discordant rows.
        corrected: Chi-square with continuity correction.

    Returns:
        Statistic and two-sided p-value; without discordant rows p is 1.

    Raises:
        EvergreenError: If the table isn't 2 × 2 counts.
    """
    counts = np.asarray(table)
    if counts.shape != (2, 2) or (counts < 0).any():
        raise EvergreenError(
            f"McNemar's test needs a 2 × 2 table of counts, found shape {counts.shape}: cross-tabulate correctness"
        )
    b, c = int(counts[0, 1]), int(counts[1, 0])
    if exact is None:
        exact = b + c < EXACT_BELOW_DISCORDANT
    if b + c == 0:
        return McnemarTest(0.0, 1.0, exact, (b, c))
    if exact:
        p = min(1.0, 2 * float(stats.binom.cdf(min(b, c), b + c, 0.5)))
        return McnemarTest(float(min(b, c)), p, True, (b, c))
    statistic = max(abs(b - c) - corrected, 0) ** 2 / (b + c)
    return McnemarTest(statistic, float(stats.chi2.sf(statistic, 1)), False, (b, c))


def compare_models(
    y_true: ArrayLike,
    scores: Mapping[str, ArrayLike],
    thresholds: Mapping[str, float],
    top: int = 3,
    blocks: ArrayLike | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
) -> list[PairComparison]:
    """Compare the ``top`` models by AUC with each other, pair by pair.

    Args:
        y_true: Labels 0/1, shape (rows,).
        scores: Score vector of each model, shape (rows,) each.
        thresholds: Decision threshold of each model.
        top: How many of the best models take part.
        blocks: Block of each row, shape (rows,); None means that rows are independent.
        alpha: Level of the Holm-corrected verdicts, and of the intervals.
        power: Power of the detectable difference.

    Returns:
        One row per pair, better AUC first; with too few rows the rows say so.

    Raises:
        EvergreenError: If a model has no threshold, or input is invalid.
    """
    y = as_labels(y_true)
    missing = sorted(set(scores) - set(thresholds))
    if missing:
        raise EvergreenError(f"no decision threshold for {', '.join(missing)}: give one for every model compared")
    vectors = {name: as_scores(vector, len(y)) for name, vector in scores.items()}
    codes = as_block_codes(blocks, len(y))
    correct = {name: (vector >= thresholds[name]) == y for name, vector in vectors.items()}
    units = rarer_class_units(y, codes)
    if units < MIN_UNITS_PER_CLASS:
        return [_unjudged(a, b, correct[a], correct[b], units) for a, b in combinations(list(scores)[:top], 2)]
    names = list(vectors)
    found = auc_covariance(y, np.stack(list(vectors.values())), blocks)
    best = np.argsort(-found.aucs, kind="stable")[:top]
    pairs = list(combinations(best.tolist(), 2))
    delongs = [_paired_test(found, a, b, alpha, blocks is not None) for a, b in pairs]
    mcnemars = [mcnemar_test(_correctness_table(correct[names[a]], correct[names[b]])) for a, b in pairs]
    delong_p = holm([test.p_value for test in delongs])
    mcnemar_p = holm([test.p_value for test in mcnemars])
    reach = float(stats.norm.isf(alpha / 2) + stats.norm.ppf(power))
    rows = []
    for index, (a, b) in enumerate(pairs):
        test, errors = delongs[index], mcnemars[index]
        detectable = reach * test.standard_error
        rows.append(
            PairComparison(
                a=names[a],
                b=names[b],
                auc_a=test.auc_a,
                auc_b=test.auc_b,
                difference=test.difference,
                low=test.ci[0],
                high=test.ci[1],
                delong_p=float(delong_p[index]),
                mcnemar_p=float(mcnemar_p[index]) if blocks is None else None,
                only_a_correct=errors.discordant[0],
                only_b_correct=errors.discordant[1],
                detectable_difference=detectable,
                status="ok",
                sentence=_verdict(names[a], names[b], test, float(delong_p[index]), detectable, alpha, power),
            )
        )
    return rows


def _paired_test(found: AucCovariance, a: int, b: int, alpha: float, blocked: bool) -> DelongTest:
    weights = np.zeros(len(found.aucs))
    weights[a] -= 1
    weights[b] += 1
    difference, error = found.contrast(weights)
    law = stats.t(found.degrees_of_freedom) if blocked else stats.norm
    half = float(law.isf(alpha / 2)) * error
    z = difference / error if error > 0 else float(np.sign(difference)) * np.inf if difference else 0.0
    return DelongTest(
        auc_a=float(found.aucs[a]),
        auc_b=float(found.aucs[b]),
        difference=difference,
        ci=(difference - half, difference + half),
        standard_error=error,
        z=z,
        p_value=float(2 * law.sf(abs(z))),
    )


def _correctness_table(a: np.ndarray, b: np.ndarray) -> list[list[int]]:
    return [[int((a & b).sum()), int((a & ~b).sum())], [int((~a & b).sum()), int((~a & ~b).sum())]]


def _unjudged(a: str, b: str, correct_a: np.ndarray, correct_b: np.ndarray, units: int) -> PairComparison:
    return PairComparison(
        a=a,
        b=b,
        only_a_correct=int((correct_a & ~correct_b).sum()),
        only_b_correct=int((~correct_a & correct_b).sum()),
        status="insufficient_data",
        sentence=(
            f"{a} and {b} cannot be compared: the rarer class stands in {units} independent rows or blocks, "
            f"{MIN_UNITS_PER_CLASS} are needed."
        ),
    )


def _verdict(a: str, b: str, test: DelongTest, p_value: float, detectable: float, alpha: float, power: float) -> str:
    if p_value <= alpha:
        better, worse = (b, a) if test.difference > 0 else (a, b)
        return f"{better} ranks better than {worse}: AUC higher by {abs(test.difference):.4f}, p = {p_value:.2g}."
    return (
        f"No difference between {a} and {b} could be shown (AUC {test.difference:+.4f}, p = {p_value:.2g}); "
        f"one of {detectable:.4f} would have been found with {power:.0%} power."
    )
