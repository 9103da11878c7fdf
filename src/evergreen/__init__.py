"""Evergreen keeps tabular classifiers healthy in production."""

from evergreen.moved import find_former_modules

__version__ = "0.1.0"

find_former_modules()
