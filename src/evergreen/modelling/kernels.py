"""Who walks a model's trees on this machine?"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

from evergreen.modelling.predictor import TreeKernel


def compiler_of(plan: Mapping[str, Any]) -> str | None:
    """The library whose machine code computes a model's plain form; None: numpy does, for trees more slowly."""
    return "numba" if plan["model"]["kind"] == "trees" and importlib.util.find_spec("numba") else None


def tree_kernel(plan: Mapping[str, Any]) -> TreeKernel | None:
    """Machine code that walks a plan's trees; None where it has none, or numpy walks them."""
    if compiler_of(plan) is None:
        return None
    from evergreen.modelling.tree_kernels import NumbaTrees  # compiles, where no process of this machine has yet

    return NumbaTrees()
