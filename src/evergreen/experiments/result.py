"""What a comparison of two variants says."""

from __future__ import annotations

from evergreen.records import Frozen


class Comparison(Frozen):
    """Variant b held against variant a.

    Attributes:
        test: Name of the test.
        metric: What is compared.
        n_a: Rows (units, where units repeat) of variant a.
        n_b: Rows of variant b.
        mean_a: Mean, share, ratio or metric of variant a.
        mean_b: The same of variant b.
        std_a: Standard deviation of one row of a; None where the metric has none.
        std_b: The same of b.
        statistic: The test's statistic; None where nothing varies.
        p_value: Its p-value, on the sides that ``alternative`` names.
        difference: ``mean_b − mean_a``.
        low: Lower end of the difference's interval.
        high: Upper end.
        relative: ``(mean_b − mean_a) / |mean_a|``; None where ``mean_a`` is 0.
        relative_low: Lower end of its interval.
        relative_high: Upper end.
        relative_p_value: Two-sided p-value of the relative difference.
        effect_size: Cohen's h (shares) or d (means); None for other metrics.
        alpha: The intervals cover 1 − alpha; ``significant`` is ``p_value < alpha``.
        significant: Whether the difference stands out.
    """

    test: str
    metric: str
    n_a: int
    n_b: int
    mean_a: float
    mean_b: float
    std_a: float | None = None
    std_b: float | None = None
    statistic: float | None
    p_value: float
    difference: float
    low: float
    high: float
    relative: float | None = None
    relative_low: float | None = None
    relative_high: float | None = None
    relative_p_value: float | None = None
    effect_size: float | None = None
    alpha: float
    significant: bool
