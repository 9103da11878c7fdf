"""How common an outcome is by now, if rows of either outcome look as they did."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEPS = 200
_CLOSE = 1e-7


def shifted_prior(probability: Floats, sizes: Floats, prior: float) -> tuple[Floats, Floats]:
    """The share of positives that explains a window's probabilities best, and the probabilities under it.

    Expectation–maximisation: probabilities are corrected to a share, whose next value is their mean.

    Args:
        probability: Calibrated probabilities under the reference's share, shape (draws, groups).
        sizes: Rows a group, shape (draws, groups) or (groups,).
        prior: The reference's share of positives, inside (0, 1).

    Returns:
        The share of each draw, shape (draws,), and corrected probabilities, shape (draws, groups).

    References:
        Saerens, Latinne, Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities",
        Neural Computation 14 (2002).
    """
    sizes = np.broadcast_to(sizes, probability.shape)
    share = np.full(len(probability), prior)
    corrected = probability
    for _ in range(_STEPS):
        up, down = (share / prior)[:, None] * probability, ((1 - share) / (1 - prior))[:, None] * (1 - probability)
        corrected = up / (up + down)
        former, share = share, np.clip((corrected * sizes).sum(axis=1) / sizes.sum(axis=1), 1e-6, 1 - 1e-6)
        if np.abs(share - former).max() < _CLOSE:
            break
    return share, corrected
