"""Features → a registered challenger."""

from evergreen.pipelines.training.pipeline import create_pipeline

__all__ = ["create_pipeline"]
