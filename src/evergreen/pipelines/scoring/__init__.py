"""Window and champion → predictions."""

from evergreen.pipelines.scoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
