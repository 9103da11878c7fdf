"""Which dbt model a source table of the catalog is."""

from __future__ import annotations

import difflib

from pydantic import Field

from evergreen.datasets.dbt.artefacts import DbtManifest, Node
from evergreen.errors import EvergreenError
from evergreen.records import Frozen


class Owner(Frozen):
    """Who dbt's lineage names for the models; at least one of both."""

    name: str | None = None
    email: str | None = None


class DbtParameters(Frozen):
    """The block ``dbt`` of the parameters.

    Attributes:
        models: Source table → dbt's name of it, where they differ: a name, an alias or a unique id; null for a
            table that dbt does not build. A table is named as in the catalog, with its use case
            (``churn.customers``) or without.
        owner: Whom the exposures name.
    """

    models: dict[str, str | None] = Field(default_factory=dict)
    owner: Owner = Owner()

    def model_of(self, entry: str) -> str | None:
        """Dbt's name of a catalog entry's table; None where dbt does not build it."""
        table = entry.rpartition(".")[2]
        return self.models.get(entry, self.models.get(table, table))


def find_table(manifest: DbtManifest, entry: str, name: str) -> Node:
    """The model, seed, snapshot or source that a source table is; models go before sources.

    Args:
        manifest: dbt's manifest.
        entry: The table's catalog entry, for messages.
        name: A unique id, a name, or the name of the table in the warehouse.

    Raises:
        EvergreenError: Where there is none, or more than one.
    """
    tables = manifest.tables()
    ways = (
        [node for node in manifest.all().values() if node.unique_id == name and not node.is_test],
        [node for node in tables if node.resource_type != "source" and node.name == name],
        [node for node in tables if node.resource_type != "source" and node.alias == name],
        [
            node
            for node in tables
            if node.resource_type == "source" and name in (node.label, node.name, node.identifier)
        ],
    )
    found = next(filter(None, ways), [])
    if not found:
        close = difflib.get_close_matches(name, [node.name for node in tables], n=1)
        raise EvergreenError(
            f"{entry}: dbt's manifest has no model, seed, snapshot or source {name}{_perhaps(close)}; build it, or "
            "write dbt's name of it into the parameters, under dbt.models (null: dbt does not build it)."
        )
    if len(found) > 1:
        ids = ", ".join(sorted(node.unique_id for node in found))
        raise EvergreenError(
            f"{entry}: dbt's manifest has {len(found)} tables {name}; write one of {ids} into the parameters, "
            "under dbt.models."
        )
    return found[0]


def _perhaps(close: list[str]) -> str:
    return f" (is it {close[0]}?)" if close else ""
