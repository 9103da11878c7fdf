"""From which probability on do we act?"""

from __future__ import annotations

import numpy as np

from evergreen.modelling.parameters import ThresholdPolicy


def choose_threshold(y: np.ndarray, out_of_fold_probabilities: np.ndarray, policy: ThresholdPolicy) -> float:
    """Choose the probability from which on a row counts as positive.

    Every distinct probability is tried as a threshold (``probability >= threshold`` acts); of equals, the
    highest wins, and where not acting at all is cheapest the threshold is 1. It lies halfway to the next lower
    probability, so that rounding doesn't decide.

    Args:
        y: (n,) labels.
        out_of_fold_probabilities: (n,) probabilities of rows that their model was not fitted on.
        policy: What to optimise.

    Returns:
        A threshold in [0, 1].
    """
    if policy.method == "fixed":
        return policy.fixed
    order = np.argsort(-out_of_fold_probabilities, kind="stable")
    probability = out_of_fold_probabilities[order]
    last = np.append(np.flatnonzero(np.diff(probability)), len(probability) - 1)
    true_positives = np.cumsum(y[order])[last]
    acted = last + 1
    positives = true_positives[-1]
    if policy.method == "best_f1":
        value = 2 * true_positives / (acted + positives)
    else:
        cost_of_acting = policy.cost_false_positive * (acted - true_positives)
        value = -(cost_of_acting + policy.cost_false_negative * (positives - true_positives))
        if -policy.cost_false_negative * positives > value.max():
            return 1.0
    best = int(np.argmax(value))
    upper = probability[last[best]]
    lower = probability[last[best] + 1] if last[best] + 1 < len(probability) else 0.0
    return float((upper + lower) / 2)
