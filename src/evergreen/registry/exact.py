"""What does the service answer with a version? Its plain form where it has one, scikit-learn's where not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from evergreen.modelling.compiled import NotCompilableError, compile_pipeline
from evergreen.modelling.compiled_model import CompiledModel
from evergreen.registry.versions import ModelVersion


def plain_form(version: ModelVersion) -> CompiledModel | None:
    """The version as plain arrays, or None where it has no such form."""
    try:
        return CompiledModel(compile_pipeline(version.pipeline), version.manifest.spec)
    except NotCompilableError:
        return None


def exact_probabilities(version: ModelVersion) -> Callable[[pd.DataFrame], np.ndarray]:
    """Features (n, p) → probability of class 1, shape (n,), by the arrays that a worker answers with."""
    return plain_form(version) or version.probabilities
