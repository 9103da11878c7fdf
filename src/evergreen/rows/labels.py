"""How does the outcome become 0 or 1?"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.records import Frozen
from evergreen.rows.canonical import is_same
from evergreen.rows.canonical_series import canonical_texts
from evergreen.rows.parameters import LabelPolicy
from evergreen.schema import TableSpec, Value


class LabelDefinition(Frozen):
    """The outcome's meaning, fitted once per lineage and stored with every version of it.

    Attributes:
        target: The outcome column.
        kind: ``positive``: 1 where the outcome equals ``positive``; ``above``: 1 where it exceeds ``threshold``.
        positive: The value that counts as 1, or several.
        threshold: The value to exceed, in the outcome's unit.
        quantile: The quantile of the training rows that the threshold is; None where a version did not note it.
    """

    target: str
    kind: Literal["positive", "above"]
    positive: Value | tuple[Value, ...] | None = None
    threshold: float | None = None
    quantile: float | None = None

    def apply(self, outcome: pd.Series) -> np.ndarray:
        """Turn outcomes into labels.

        Args:
            outcome: n outcomes, none missing.

        Returns:
            (n,) int8 of 0 and 1.

        Raises:
            EvergreenError: A missing outcome, or a text where a number is needed.
        """
        missing = int(outcome.isna().sum())
        if missing:
            raise EvergreenError(
                f"outcome column '{self.target}' is null in {missing} of {len(outcome)} rows, but a label needs "
                "every outcome: leave rows whose outcome is not known yet out of training and evaluation"
            )
        if self.kind == "above":
            return (_numbers(outcome, self.target) > self.threshold).astype(np.int8)
        wanted = self.positive if isinstance(self.positive, tuple) else (self.positive,)
        codes, texts = canonical_texts(outcome)
        return np.array([any(is_same(text, value) for value in wanted) for text in texts], dtype=np.int8)[codes]


def fit_label_definition(outcome: pd.Series, spec: TableSpec, policy: LabelPolicy) -> LabelDefinition:
    """Fit the label definition on the training rows' outcomes.

    Args:
        outcome: n outcomes of training rows only.
        spec: The table; its ``positive`` or ``threshold`` states the definition, without either one is fitted.
        policy: The quantile, where a threshold is fitted.

    Returns:
        The definition.

    Raises:
        EvergreenError: A missing or unusable outcome, or only one class among the training rows.
    """
    if spec.positive is not None:
        definition = LabelDefinition(target=spec.target, kind="positive", positive=spec.positive)
    elif spec.threshold is not None:
        definition = LabelDefinition(target=spec.target, kind="above", threshold=spec.threshold)
    else:
        numbers = _numbers(outcome.dropna(), spec.target)
        threshold = float(np.quantile(numbers, policy.quantile)) if len(numbers) else 0.0
        definition = LabelDefinition(target=spec.target, kind="above", threshold=threshold, quantile=policy.quantile)
    positives = int(definition.apply(outcome).sum())
    if positives in (0, len(outcome)):
        rule = f"equal to {spec.positive!r}" if spec.positive is not None else f"above {definition.threshold:g}"
        values = ", ".join(repr(value) for value in pd.unique(outcome)[:5].tolist())
        raise EvergreenError(
            f"outcome column '{spec.target}' has one class only: {positives} of {len(outcome)} training rows are "
            f"{rule} (values such as {values or 'none'}); correct 'positive', 'threshold' or 'quantile', or bring "
            "both classes"
        )
    return definition


def _numbers(outcome: pd.Series, target: str) -> np.ndarray:
    try:
        return outcome.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as fault:
        raise EvergreenError(
            f"outcome column '{target}' has dtype {outcome.dtype}, but a threshold needs numbers: "
            "set 'positive' to the value that counts as 1, or make the column numeric"
        ) from fault
