"""Synthetic sources: a retail star schema and a churn table, deterministic in seed, size and scenarios."""

from evergreen.datasets.synthetic.dataset import SyntheticDataset
from evergreen.datasets.synthetic.scenario import Scenario

__all__ = ["Scenario", "SyntheticDataset"]
