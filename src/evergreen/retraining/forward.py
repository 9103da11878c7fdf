"""What would models of one recipe have said, week after week, of days that they had not learnt yet?

A recipe is an algorithm with its parameters and a choice of rows: how far back they reach, chosen anew at every cut-off
by what each choice had said of the weeks before it. So the rows that judge a challenger lie on later days than
everything that went into it, the choosing included, and the version that serves is the same recipe at the newest day
(prequential evaluation: Dawid, Journal of the Royal Statistical Society A 147, 1984).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from evergreen.evaluation.auc import structural_components
from evergreen.retraining.choices import AS_GOOD_AUC, Span
from evergreen.retraining.parameters import Choice, ForwardPolicy
from evergreen.rows.labelled import LabelledRows

Score = Callable[[pd.DataFrame], np.ndarray]
Fit = Callable[[LabelledRows, "np.ndarray | None"], Score]

WEEK = 7
MONTH = 28
FEWEST_ROWS = 50


@dataclass(frozen=True)
class Replay:
    """What the models said.

    Attributes:
        choices: The choices of rows, in the order of preference.
        days: Day of each row, as days since 1970, shape (rows,).
        cutoffs: Last day that the models had learnt which scored a row, shape (rows,); −1 where none scored it.
        logits: Their scores on the logit scale, shape (rows, choices); NaN where a choice could not be trained.
        y: Labels, shape (rows,).
    """

    choices: tuple[Choice, ...]
    days: np.ndarray
    cutoffs: np.ndarray
    logits: np.ndarray
    y: np.ndarray

    def aucs(self, until: int, choose_days: int) -> np.ndarray:
        """Each choice's AUC on the days before ``until`` (inclusive), mean over cut-offs; NaN where it has none."""
        inside = (self.cutoffs >= 0) & (self.days <= until) & (self.days > until - choose_days)
        found, weights = [], []
        for cutoff in np.unique(self.cutoffs[inside]):
            rows = inside & (self.cutoffs == cutoff)
            m, n = int(self.y[rows].sum()), int((~self.y[rows]).sum())
            if m and n:
                found.append(_aucs(self.y[rows], self.logits[rows].T))
                weights.append(m * n / (m + n))
        return np.average(found, axis=0, weights=weights) if found else np.full(len(self.choices), np.nan)

    def choice_at(self, cutoff: int, choose_days: int) -> int:
        """Position of the choice that leads before a cut-off: the first that is as good as the best within .005."""
        aucs = self.aucs(cutoff, choose_days)
        if np.isnan(aucs).all():
            return 0
        return int(np.flatnonzero(aucs >= np.nanmax(aucs) - AS_GOOD_AUC)[0])

    def chosen_logits(self, choose_days: int) -> np.ndarray:
        """Each row's score by the choice that led before its cut-off, shape (rows,); NaN where there is none."""
        scores = np.full(len(self.days), np.nan)
        for cutoff in np.unique(self.cutoffs[self.cutoffs >= 0]):
            rows = self.cutoffs == cutoff
            scores[rows] = self.logits[rows, self.choice_at(int(cutoff), choose_days)]
        return scores


def replay(
    training: LabelledRows,
    judged: LabelledRows,
    spans: Sequence[Span],
    fit: Fit,
    first: int,
    policy: ForwardPolicy,
    n_jobs: int = 1,
    known: Replay | None = None,
) -> Replay:
    """Train every span of rows up to each cut-off, and score the days after it.

    Args:
        training: Rows that models may learn from.
        judged: Rows that they judge: the same, or a panel's other entities.
        spans: The choices of rows.
        fit: Trains the recipe on rows, weighted, and gives its scores on the logit scale.
        first: Last day that the champion has learnt, as days since 1970; days after it judge, those before it choose.
        policy: Steps.
        n_jobs: Fits at once.
        known: What an earlier replay of the same recipe said of these ``judged`` rows: its cut-offs stay as they are.
    """
    learnt, days = training.day_numbers, judged.day_numbers
    steps = cutoff_steps(first, int(learnt.max()), policy)
    cutoffs, logits = np.full(len(days), -1), np.full((len(days), len(spans)), np.nan)
    if known is not None:
        cutoffs, logits = known.cutoffs.copy(), known.logits.copy()
    open_steps = [(cutoff, until) for cutoff, until in steps if (cutoffs[_between(days, cutoff, until)] < 0).any()]
    scored = Parallel(n_jobs=n_jobs, backend="threading")(
        delayed(_scores_after)(cutoff, until, training, learnt, judged, days, spans, fit, policy)
        for cutoff, until in open_steps
    )
    for (cutoff, until), found in zip(open_steps, scored, strict=True):
        fresh = _between(days, cutoff, until) & (cutoffs < 0)
        logits[fresh] = found[fresh[_between(days, cutoff, until)]]
        cutoffs[fresh] = cutoff
    return Replay(tuple(span.choice for span in spans), days, cutoffs, logits, judged.y.astype(bool))


def cutoff_steps(first: int, last: int, policy: ForwardPolicy) -> list[tuple[int, int]]:
    """Pairs of a cut-off and the last day that its models score, ascending.

    Whole weeks after ``first`` up to ``last``, those before the newest ``weekly_days`` in fours; and as many weeks
    before ``first`` as the first choosing needs.
    """
    weeks = max(last - first, 0) // WEEK
    old = max(weeks - policy.weekly_days // WEEK, 0) // (MONTH // WEEK)
    months = [(first + MONTH * number, first + MONTH * (number + 1)) for number in range(old)]
    start = first + MONTH * old
    whole = [(start + WEEK * number, start + WEEK * (number + 1)) for number in range(weeks - 4 * old)]
    before = range(policy.choose_days // WEEK, 0, -1)
    return [*((first - WEEK * back, first - WEEK * (back - 1)) for back in before), *months, *whole]


def _scores_after(
    cutoff: int,
    until: int,
    training: LabelledRows,
    learnt: np.ndarray,
    judged: LabelledRows,
    days: np.ndarray,
    spans: Sequence[Span],
    fit: Fit,
    policy: ForwardPolicy,
) -> np.ndarray:
    """Scores of the days after a cut-off, one column a span; spans that reach back equally far are trained once."""
    asked = judged.X[_between(days, cutoff, until)]
    found: dict[tuple[int, bool], np.ndarray] = {}
    columns = []
    for span in spans:
        start = int(max(cutoff - span.days, learnt.min() - 1)) if span.days else int(learnt.min() - 1)
        key = (start, span.weighted)
        if key not in found:
            found[key] = _scored(training, _between(learnt, start, cutoff), learnt, cutoff, span, fit, policy, asked)
        columns.append(found[key])
    return np.column_stack(columns)


def _scored(
    training: LabelledRows,
    inside: np.ndarray,
    learnt: np.ndarray,
    cutoff: int,
    span: Span,
    fit: Fit,
    policy: ForwardPolicy,
    asked: pd.DataFrame,
) -> np.ndarray:
    at = np.flatnonzero(inside)
    if len(at) > policy.fit_rows:
        at = np.sort(np.random.default_rng(cutoff).choice(at, policy.fit_rows, replace=False))
    y = training.y[at]
    if len(at) < FEWEST_ROWS or y.min() == y.max() or not len(asked):
        return np.full(len(asked), np.nan)
    weight = span.weights(cutoff - learnt[at], None if training.weights is None else training.weights[at])
    taken = np.zeros(len(learnt), dtype=bool)
    taken[at] = True
    return fit(training.where(taken), weight)(asked)


def _between(days: np.ndarray, after: int, until: int) -> np.ndarray:
    return (days > after) & (days <= until)


def _aucs(y: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """AUC of each score vector of shape (k, rows); NaN where it has a NaN."""
    whole = ~np.isnan(scores).any(axis=1)
    found = np.full(len(scores), np.nan)
    if whole.any():
        found[whole] = structural_components(y, scores[whole]).aucs
    return found


def recent_choice(found: Replay, until: int, policy: ForwardPolicy) -> tuple[Choice, dict[Choice, float | None]]:
    """The choice that the newest days speak for, and every choice's AUC on them."""
    aucs = found.aucs(until, policy.choose_days)
    named = {choice: None if np.isnan(auc) else float(auc) for choice, auc in zip(found.choices, aucs, strict=True)}
    return found.choices[found.choice_at(until, policy.choose_days)], named
