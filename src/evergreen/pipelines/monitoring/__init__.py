"""Window and champion → drift, performance, quality, alerts, and reasons to retrain."""

from evergreen.pipelines.monitoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
