"""Is what the version that serves scores with still made? Asked before anything is trained."""

from __future__ import annotations

from collections.abc import Collection

from evergreen.errors import EvergreenError
from evergreen.registry.lineage import compare_declarations, lacking
from evergreen.registry.versions import ModelVersion
from evergreen.schema import TableSpec


def require_made(incumbent: ModelVersion | None, table: TableSpec, made: Collection[str]) -> None:
    """Refuse a description that no longer makes what the champion needs: it could neither serve nor be judged.

    Args:
        incumbent: The version that serves, or None.
        table: The table as it is declared; one with another meaning starts a lineage of its own, and nothing is asked.
        made: Columns of the table of features.

    Raises:
        EvergreenError: Naming the columns, and what to do.
    """
    if incumbent is None:
        return
    missing = lacking(incumbent, made)
    if missing and not compare_declarations(incumbent.version, incumbent.manifest.spec, table).meaning:
        raise EvergreenError(
            f"{incumbent.use_case} version {incumbent.version} serves on {', '.join(missing)}, which features makes no "
            "more: nothing was trained. Leave them in features and out of table.numeric and table.categorical; once a "
            "version without them serves, take them out of features, too."
        )
