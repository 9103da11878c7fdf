"""BigQuery: dbt's tables as sources, features computed and kept there; nothing Google is imported before it is used."""

from evergreen.datasets.bigquery.predictions import BigQueryPredictionsDataset
from evergreen.datasets.bigquery.tables import BigQueryFeaturesDataset, BigQueryTableDataset

__all__ = ["BigQueryFeaturesDataset", "BigQueryPredictionsDataset", "BigQueryTableDataset"]
