"""Exposures and outcomes → what the running experiment says: ship, roll back, keep running, or invalid."""

from evergreen.pipelines.ab_testing.pipeline import create_pipeline

__all__ = ["create_pipeline"]
