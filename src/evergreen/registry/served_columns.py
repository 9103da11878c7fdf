"""Is what the version that serves scores with still made? Asked before anything is trained."""

from __future__ import annotations

import logging
from collections.abc import Collection

from evergreen.errors import EvergreenError
from evergreen.registry.lineage import compare_declarations, lacking
from evergreen.registry.versions import ModelVersion
from evergreen.schema import TableSpec

logger = logging.getLogger("evergreen")


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


def warn_of_lost_columns(incumbent: ModelVersion | None, made: Collection[str]) -> None:
    """Say that the champion can't score any more, since a column of the table, or a history of it, is gone.

    Args:
        incumbent: The version that serves, or None.
        made: Columns of the table and what is made of them.
    """
    missing = [] if incumbent is None else lacking(incumbent, made)
    if incumbent is not None and missing:
        logger.warning(
            "%s version %s serves on %s, which neither the table nor its features have any more: it can score no row, "
            "so the next version is judged by itself. To have the two compared, bring the columns back, or leave the "
            "histories in features and out of table.numeric and table.categorical.",
            incumbent.use_case,
            incumbent.version,
            ", ".join(missing),
        )
