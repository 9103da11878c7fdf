"""Catalog connectors that do not exist elsewhere."""

from evergreen.datasets.alert_channels import EmailDataset, WebhookDataset
from evergreen.datasets.bigquery import BigQueryFeaturesDataset, BigQueryTableDataset
from evergreen.datasets.lake import LakeDataset
from evergreen.datasets.model_version import ModelVersionDataset
from evergreen.datasets.monitoring_history import HistoryDataset
from evergreen.datasets.power_bi import PowerBIDataset
from evergreen.datasets.predictions import PredictionsDataset
from evergreen.datasets.record import RecordDataset
from evergreen.datasets.runs import RunsDataset
from evergreen.datasets.spark import SparkLakeDataset, SparkTableDataset
from evergreen.datasets.synthetic import SyntheticDataset
from evergreen.datasets.whole import CsvDataset, FrameDataset, PageDataset, PictureDataset, TableDataset

__all__ = [
    "BigQueryFeaturesDataset",
    "BigQueryTableDataset",
    "CsvDataset",
    "EmailDataset",
    "FrameDataset",
    "HistoryDataset",
    "LakeDataset",
    "ModelVersionDataset",
    "PageDataset",
    "PictureDataset",
    "PowerBIDataset",
    "PredictionsDataset",
    "RecordDataset",
    "RunsDataset",
    "SparkLakeDataset",
    "SparkTableDataset",
    "SyntheticDataset",
    "TableDataset",
    "WebhookDataset",
]
