"""Records → what people look at, drawn anew whenever a record that it speaks of changes."""

from evergreen.pipelines.reporting.pipeline import create_alerts, create_pipeline

__all__ = ["create_alerts", "create_pipeline"]
