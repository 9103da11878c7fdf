"""dbt: source contracts held against its artefacts, and the models shown in its lineage."""

from evergreen.datasets.dbt.artefacts import Artefacts, read_artefacts
from evergreen.datasets.dbt.check import check_tables
from evergreen.datasets.dbt.exposures import exposure, write_exposures
from evergreen.datasets.dbt.lookup import DbtParameters, find_table

__all__ = [
    "Artefacts",
    "DbtParameters",
    "check_tables",
    "exposure",
    "find_table",
    "read_artefacts",
    "write_exposures",
]
