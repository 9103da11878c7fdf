"""Challenger → test figures and the promotion decision."""

from evergreen.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
