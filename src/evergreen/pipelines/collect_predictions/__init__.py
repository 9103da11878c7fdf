"""The service's log → the table of its predictions."""

from evergreen.pipelines.collect_predictions.pipeline import create_pipeline

__all__ = ["create_pipeline"]
