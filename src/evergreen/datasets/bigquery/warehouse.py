"""Where the warehouse is, who asks, and how much a query may cost: settings alone, without Google."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from evergreen.errors import EvergreenError
from evergreen.records import Frozen


class WarehouseCredentials(Frozen):
    """Who asks.

    Attributes:
        service_account_file: Key file of a service account; None: Google's application-default credentials.
        anonymous: Ask without credentials, which only an emulator answers.
    """

    service_account_file: Path | None = None
    anonymous: bool = False


class Warehouse(WarehouseCredentials):
    """A BigQuery project and what may be spent there.

    Attributes:
        project: Project that pays; None: that of the credentials.
        dataset: Dataset of dbt's tables; ``other-project.dataset`` where another project holds them.
        features_dataset: Dataset of the paying project that feature tables are written to; None: ``dataset``.
        location: Where the datasets lie, such as ``EU``; None: BigQuery finds out.
        max_bytes_billed: Most bytes that one query may read.
        storage_api: Download by the Storage API; without, over REST, which takes longer but needs no permission
            ``bigquery.readsessions.create``.
        api_endpoint: Address of another BigQuery, such as a private endpoint or an emulator.
    """

    project: str | None = None
    dataset: str | None = None
    features_dataset: str | None = None
    location: str | None = None
    max_bytes_billed: int = Field(default=10_000_000_000, gt=0)
    storage_api: bool = True
    api_endpoint: str | None = None

    @property
    def home(self) -> str:
        """Dataset that feature tables are written to."""
        return self.features_dataset or self.needed_dataset

    @property
    def needed_dataset(self) -> str:
        """The dataset, which must be set by now."""
        if not self.dataset:
            raise EvergreenError(
                "no BigQuery dataset is set: name the one that dbt builds with `--params=dataset=<dataset>` or in "
                "conf/bigquery/globals.yml."
            )
        return self.dataset

    def path_of(self, table: str, *, features: bool = False) -> str:
        """``dataset.table``, as the client reads it."""
        return f"{self.home if features else self.needed_dataset}.{table}"

    def public(self) -> dict[str, Any]:
        """What may be shown: no credentials."""
        return {"project": self.project, "dataset": self.dataset, "features_dataset": self.features_dataset}


def read_warehouse(settings: dict[str, Any]) -> Warehouse:
    """Check a connection and its credentials.

    Raises:
        EvergreenError: A setting is unknown or out of its range; values are not repeated.
    """
    try:
        return Warehouse(**settings)
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        allowed = ", ".join(Warehouse.model_fields)
        raise EvergreenError(
            f"the BigQuery connection is set wrongly ({faults}); known are {allowed}: correct conf/bigquery or "
            "conf/local/credentials.yml."
        ) from None
