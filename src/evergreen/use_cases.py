"""What a use case is in configuration: a name, and the kind of source that its features are made from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import ValidationError, model_validator

from evergreen.errors import EvergreenError
from evergreen.records import Frozen

Source = Literal["star_schema", "one_table", "dated_table"]
SOURCES: tuple[str, ...] = get_args(Source)

# Blocks of parameters that every use case has; one that its YAML does not name has its model's defaults.
POLICIES = ("split", "training", "evaluation", "scoring", "monitoring", "retraining", "retention", "experiments")
WINDOW_DAYS = 7  # length of the window before as_of, unless a use case says otherwise
_STAR = "{source: star_schema, tables: [fact_sales, dim_product, dim_store, business_kpis]}"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class UseCase(Frozen):
    """One entry of ``use_cases.yml``.

    Attributes:
        source: ``star_schema``, facts and dimensions; ``one_table``, a row an entity with a newer snapshot beside it;
            ``dated_table``, one table whose rows have dates.
        tables: Names of a star schema's tables, as ``<use case>.features`` speaks of them.
        labels: Whether outcomes arrive in a table of their own, ``<use case>.labels``.
    """

    source: Source
    tables: tuple[str, ...] = ()
    labels: bool = False

    @model_validator(mode="after")
    def _a_star_schema_has_tables(self) -> UseCase:
        if (self.source == "star_schema") != bool(self.tables):
            raise ValueError("tables: [sales, products, …] belongs to a star schema, which needs it")
        return self


def read_use_cases(listed: Mapping[str, Any]) -> dict[str, UseCase]:
    """The use cases that configuration lists, without those that an environment leaves out (``churn: ~``).

    Args:
        listed: Name → entry, as ``use_cases.yml`` has it.

    Raises:
        EvergreenError: Where nothing is listed, or a name or an entry can't be one.
    """
    found = {str(name): _use_case(str(name), entry) for name, entry in listed.items() if entry is not None}
    if not found:
        raise EvergreenError(
            "no use case is listed: name one in conf/<env>/use_cases.yml, or let "
            "`kedro use-case add <name> --table <file> --entity <column> --target <column>` write it."
        )
    return found


def _use_case(name: str, entry: Any) -> UseCase:
    if not _NAME.fullmatch(name):
        raise EvergreenError(
            f"use case {name!r} in use_cases.yml can't be a name: it begins with a letter, and letters, digits and _ "
            "follow; rename it."
        )
    try:
        return UseCase.model_validate(entry)
    except ValidationError as error:
        raise EvergreenError(
            f"use case {name} in use_cases.yml is {entry!r}: it must be {{source: …}} with one of {', '.join(SOURCES)}"
            f"; a star schema names its tables, too: {_STAR}."
        ) from error


def use_case_of(namespace: str | None) -> str:
    """The use case of a node's namespace (``churn.training`` → ``churn``); empty for a node without one."""
    return (namespace or "").partition(".")[0]
