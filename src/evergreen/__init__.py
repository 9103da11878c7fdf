"""Evergreen keeps tabular classifiers healthy in production."""

__version__ = "0.1.0"
