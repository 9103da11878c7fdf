"""Who walks a model's trees on this machine?"""

from __future__ import annotations

import importlib.util

from evergreen.modelling.predictor import TreeKernel


def tree_kernel() -> TreeKernel | None:
    """Machine code that walks trees, where numba is installed; None: numpy walks them, more slowly."""
    if importlib.util.find_spec("numba") is None:
        return None
    from evergreen.modelling.tree_kernels import NumbaTrees  # compiles, where no process of this machine has yet

    return NumbaTrees()
