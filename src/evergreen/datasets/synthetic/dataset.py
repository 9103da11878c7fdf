"""The catalog connector: a synthetic table as a parquet file, generated when it is missing or stale."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import DatasetError
from pydantic import Field, TypeAdapter, ValidationError

from evergreen.datasets.own_table import OwnTableDataset
from evergreen.datasets.synthetic.churn import ChurnRecipe
from evergreen.datasets.synthetic.retail import RetailRecipe
from evergreen.datasets.whole import written_whole
from evergreen.errors import EvergreenError

Recipe = Annotated[RetailRecipe | ChurnRecipe, Field(discriminator="source")]

_LOGGER = logging.getLogger(__name__)
_RECIPE_KEY: Final = b"evergreen.recipe"
_ROWS_PER_GROUP: Final = 122_880
"""DuckDB's own row group size: smaller groups slow its scans down."""


class SyntheticDataset(OwnTableDataset):
    """Loads a synthetic table lazily through Ibis, and generates its parquet file first when needed.

    The file carries its recipe (all generator parameters and the generator's version) in its metadata;
    a file with another recipe, or none, is stale and generated anew. Generation streams into a temporary
    file that is then moved, so a killed run leaves the former file, and processes that generate the same
    table at once don't collide. Tables of one ``connection`` can be joined.

    Example:
        ```yaml
        high_value_sales.fact_sales:
          type: evergreen.datasets.SyntheticDataset
          source: retail
          table: fact_sales
          filepath: data/01_raw/high_value_sales/fact_sales.parquet
          connection: ${globals:connection}
          size: 100000
          seed: 42
          scenarios:
            - {name: price_inflation, start: 2026-02-01, strength: 0.15}
        ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        source: str,
        table: str,
        size: int | None = None,
        seed: int = 42,
        scenarios: list[dict[str, Any]] | None = None,
        options: dict[str, Any] | None = None,
        connection: dict[str, Any] | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Describe the table; nothing is generated before the first load.

        Args:
            filepath: Parquet file, on this machine or in a bucket.
            source: ``retail`` or ``churn``.
            table: ``fact_sales``, ``dim_product`` or ``dim_store``; ``customers`` or ``current``.
            size: Rows of the fact or customer table; default 100,000 lines or 20,000 customers.
            seed: Seed of all random streams; tables that belong together share it.
            scenarios: What happens to the world, see ``Scenario``; nothing by default.
            options: Further counts of the retail world: ``stores``, ``products``, ``retailers``.
            connection: Ibis connection, shared by all datasets with an equal one.
            credentials: Of the bucket in which the file lies.
            fs_args: What else the bucket's file system takes.
            metadata: Kept for plugins.

        Raises:
            EvergreenError: An unknown source, table, scenario or option, or a value out of its range.
        """
        super().__init__(
            filepath=filepath, connection=connection, credentials=credentials, fs_args=fs_args, metadata=metadata
        )
        given = {"source": source, "table": table, "size": size, "seed": seed, "scenarios": scenarios}
        given = {name: value for name, value in given.items() if value is not None}
        self._recipe = parse_recipe(given | (options or {}))

    def load(self) -> ir.Table:
        """Return the lazy table on the shared connection.

        Raises:
            EvergreenError: The file cannot be written.
        """
        if recorded_recipe(self._place) != recipe_text(self._recipe):
            _LOGGER.info("Generating %s (%s)", self._place, self._recipe.table)
            write_recipe(self._recipe, self._place)
        return super().load()

    def save(self, data: ir.Table) -> NoReturn:  # noqa: ARG002
        """Refuse: the recipe alone says what the table holds."""
        raise DatasetError(f"{self._filepath} is generated from its recipe and can't be saved to.")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), **json.loads(recipe_text(self._recipe))}

    def _exists(self) -> bool:
        return True


def parse_recipe(given: dict[str, Any]) -> RetailRecipe | ChurnRecipe:
    """Turn a catalog entry's parameters into a recipe.

    Raises:
        EvergreenError: A parameter is unknown, missing or out of its range.
    """
    try:
        return TypeAdapter(Recipe).validate_python(given)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'][1:]))} {fault['msg'].removeprefix('Value error, ')}".strip()
            for fault in error.errors()
        )
        raise EvergreenError(
            f"The synthetic table {given.get('source')}.{given.get('table')} can't be described: {faults}."
        ) from error


def recipe_text(recipe: RetailRecipe | ChurnRecipe) -> str:
    """Everything that determines the rows, as canonical JSON."""
    return json.dumps({"version": recipe.version, **recipe.model_dump(mode="json")}, sort_keys=True)


def recorded_recipe(path: Path) -> str | None:
    """The recipe that a parquet file was generated from; None for a missing, broken or foreign file."""
    try:
        with path.open("rb") as file:
            recorded = pq.read_metadata(file).metadata or {}
    except (FileNotFoundError, pa.ArrowInvalid):
        return None
    return recorded.get(_RECIPE_KEY, b"").decode() or None


def write_recipe(recipe: RetailRecipe | ChurnRecipe, path: Path) -> None:
    """Generate a table into a parquet file, chunk by chunk, and move it into place.

    Memory holds one row group and one chunk (a 112th of the sales lines), whatever the size.

    Raises:
        EvergreenError: The folder cannot be written to.
    """
    try:
        with written_whole(path) as temporary:
            _stream(recipe, temporary)
    except OSError as error:
        raise EvergreenError(
            f"The synthetic table {recipe.table} can't be written to {path}: {error}; "
            "free some space or choose another filepath."
        ) from error


def _stream(recipe: RetailRecipe | ChurnRecipe, path: Path) -> None:
    schema = recipe.schema.with_metadata({_RECIPE_KEY: recipe_text(recipe).encode()})
    repeated = [field.name for field in schema if not pa.types.is_primitive(field.type)]
    with pq.ParquetWriter(path, schema, use_dictionary=repeated) as writer:
        waiting: list[pa.Table] = []
        for chunk in recipe.chunks():
            waiting.append(chunk)
            if sum(map(len, waiting)) >= _ROWS_PER_GROUP:
                writer.write_table(pa.concat_tables(waiting).cast(schema), row_group_size=_ROWS_PER_GROUP)
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting).cast(schema), row_group_size=_ROWS_PER_GROUP)
