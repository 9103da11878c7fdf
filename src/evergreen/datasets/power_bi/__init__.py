"""Tables of a Power BI semantic model."""

from evergreen.datasets.power_bi.dataset import PowerBIDataset

__all__ = ["PowerBIDataset"]
