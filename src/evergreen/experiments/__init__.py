"""What users would get: assignment, power, paired and split comparisons, sequential bounds.

Names are imported when they are asked for: a worker of the service assigns units, and knows no pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evergreen.evaluation.sequential import confidence_sequence, group_sequential_bounds
    from evergreen.experiments.assignment import assign, assign_all
    from evergreen.experiments.multiplicity import adjust
    from evergreen.experiments.paired import compare_paired
    from evergreen.experiments.power import (
        minimum_detectable_effect,
        paired_sample_size,
        power_curve,
        required_sample_size,
    )
    from evergreen.experiments.sample_ratio import sample_ratio_test
    from evergreen.experiments.split import Sums, compare_means, compare_proportions, compare_ratios, cuped

__all__ = [
    "Sums",
    "adjust",
    "assign",
    "assign_all",
    "compare_means",
    "compare_paired",
    "compare_proportions",
    "compare_ratios",
    "confidence_sequence",
    "cuped",
    "group_sequential_bounds",
    "minimum_detectable_effect",
    "paired_sample_size",
    "power_curve",
    "required_sample_size",
    "sample_ratio_test",
]

_FILES = {
    ".assignment": ("assign", "assign_all"),
    ".multiplicity": ("adjust",),
    ".paired": ("compare_paired",),
    ".power": ("minimum_detectable_effect", "paired_sample_size", "power_curve", "required_sample_size"),
    ".sample_ratio": ("sample_ratio_test",),
    "evergreen.evaluation.sequential": ("confidence_sequence", "group_sequential_bounds"),
    ".split": ("Sums", "compare_means", "compare_proportions", "compare_ratios", "cuped"),
}
_FILE_OF = {name: file for file, names in _FILES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A public name, from its file."""
    if name not in _FILE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_FILE_OF[name], __name__), name)
