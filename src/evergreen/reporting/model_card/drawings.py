"""How are the curves of a judged version drawn? ROC and calibration, with the numbers at a few places."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evergreen.reporting.charts.curves import Curve, square_picture
from evergreen.reporting.charts.picture import Picture

_READ_AT = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8)


def roc_picture(curves: Mapping[str, pd.DataFrame], judged: str) -> Picture:
    """ROC of the judged algorithm over the others' thin lines.

    Args:
        curves: Frames of :func:`~evergreen.evaluation.curves.roc_curve` by algorithm.
        judged: The algorithm drawn thick.
    """
    drawn = []
    for name in sorted(curves, key=lambda name: name == judged):
        x, y = (curves[name][column].to_numpy() for column in ("false_positive_rate", "true_positive_rate"))
        own = name == judged
        points = [(at, float(np.interp(at, x, y))) for at in _READ_AT] if own else []
        drawn.append(Curve(name, list(zip(x, y, strict=True)), "now" if own else "before", points, thick=own))
    title = "ROC curve: this version over the others"
    return square_picture(title, "False positive rate", "True positive rate", drawn)


def calibration_picture(curve: pd.DataFrame) -> Picture:
    """Observed share over predicted probability with 95 % intervals.

    Args:
        curve: A frame of :func:`~evergreen.evaluation.curves.calibration_curve`.
    """
    points = list(zip(curve["probability"], curve["observed"], strict=True))
    intervals = list(zip(curve["low"], curve["high"], strict=True))
    title = "Calibration: on the diagonal, .8 means eight in ten"
    found = Curve("observed share", points, "now", points, intervals, thick=True)
    return square_picture(title, "Predicted probability", "Observed share of 1", [found])
