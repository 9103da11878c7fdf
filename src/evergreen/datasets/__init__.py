"""Catalog connectors that do not exist elsewhere; each is imported at its first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

CONNECTORS = {
    "AlertChannel": "alerts.channel",
    "AlertChannelsDataset": "alerts.channel",
    "BigQueryFeaturesDataset": "bigquery",
    "BigQueryPredictionsDataset": "bigquery",
    "BigQueryTableDataset": "bigquery",
    "CountsDataset": "monitoring_history",
    "CsvDataset": "whole",
    "DeliveryError": "alerts.delivery",
    "EmailDataset": "alerts.receivers",
    "FeaturesDataset": "features",
    "FrameDataset": "whole",
    "HistoryDataset": "monitoring_history",
    "LakeDataset": "lake",
    "ModelVersionDataset": "model_version",
    "OwnTableDataset": "own_table",
    "PageDataset": "whole",
    "PictureDataset": "whole",
    "PowerBIDataset": "power_bi.dataset",
    "PredictionLogDataset": "prediction_log.dataset",
    "PredictionsDataset": "predictions",
    "RecordDataset": "record",
    "RunsDataset": "runs",
    "ServicePredictionsDataset": "prediction_log.dataset",
    "ServingFeaturesDataset": "features_by_key.dataset",
    "SparkLakeDataset": "spark",
    "SparkPredictionsDataset": "spark_predictions",
    "SparkTableDataset": "spark",
    "SyntheticDataset": "synthetic",
    "TableDataset": "whole",
    "TableFileDataset": "table_file",
    "WebhookDataset": "alerts.receivers",
}
"""Connector → the module that holds it; a worker of the service that writes its log imports no other."""

__all__ = sorted(CONNECTORS)


def __getattr__(name: str) -> Any:
    """Import a connector; YAML names it ``evergreen.datasets.<name>``."""
    if name not in CONNECTORS:
        raise AttributeError(f"module 'evergreen.datasets' has no attribute '{name}'")
    return getattr(import_module(f"evergreen.datasets.{CONNECTORS[name]}"), name)
