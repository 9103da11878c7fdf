"""Window, alarms and champion → a challenger that is promoted, refused, or not needed."""

from evergreen.pipelines.retraining.pipeline import create_pipeline

__all__ = ["create_pipeline"]
