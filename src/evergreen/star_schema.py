"""How a use case describes its star schema: facts, measures, dimensions, histories. Words only, no table is touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from evergreen.histories import Past, refuse_twice
from evergreen.records import Frozen
from evergreen.schema import Value

Period = Literal["hour", "day", "week", "month", "quarter", "year"]


class Returns(Frozen):
    """Which facts never count: they leave the rows and the histories.

    Attributes:
        positive: Columns of which each must be above 0; a row without a number there goes, too.
        marked: Column → values that mark a row as a return.
        max_share: Largest share of rows with a negative number or a mark; more stops the run.
    """

    positive: list[str] = Field(default_factory=list)
    marked: dict[str, list[Value]] = Field(default_factory=dict)
    max_share: float = Field(default=0.05, ge=0, le=1)


class Facts(Frozen):
    """The table whose rows are classified.

    Attributes:
        table: Its name in the catalog, behind the use case's.
        key: Column, or columns, that tell rows apart.
        date: Column with the row's day, or with its time where a dimension goes by the hour.
        keys: Columns by which dimensions and histories know a row; kept with the features.
        numeric: Its own columns that are known in time, as numbers.
        categorical: Its own columns that are known in time, as categories.
        outcomes: Further columns that are known only afterwards, such as a text outcome.
        required: Columns, beside key and date, without which a row is refused.
        returns: Which rows never count.
        number_repeats: Whether rows that share a key are numbered, in place of being refused.
    """

    table: str
    key: list[str] = Field(min_length=1)
    date: str
    keys: list[str] = Field(default_factory=list)
    numeric: list[str] = Field(default_factory=list)
    categorical: list[str] = Field(default_factory=list)
    outcomes: list[str] = Field(default_factory=list)
    required: list[str] = Field(default_factory=list)
    returns: Returns = Returns()
    number_repeats: bool = False

    @model_validator(mode="before")
    @classmethod
    def _one_key(cls, data: Any) -> Any:
        return {**data, "key": [data["key"]]} if isinstance(data, dict) and isinstance(data.get("key"), str) else data


class Dimension(Frozen):
    """What another table knows of a row's keys: as it is, or as of the row's date.

    Attributes:
        table: Its name in the catalog, behind the use case's.
        key: The column, columns, or the columns of the facts → those of this table where names differ.
        numeric: Columns to take as numbers.
        categorical: Columns to take as categories.
        prefix: What the features' names begin with, before the column's.
        date: Column with the day (or time) that a row of this table speaks of; None: one row a key for all time.
        period: With ``date``: a fact gets the row of the period ``delay`` before its own, none other. Without it, the
            newest row that is at least ``delay`` days old.
        delay: Periods (days) until a row is known.
    """

    table: str
    key: dict[str, str]
    numeric: list[str] = Field(default_factory=list)
    categorical: list[str] = Field(default_factory=list)
    prefix: str = ""
    date: str | None = None
    period: Period | None = None
    delay: int = Field(default=1, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _same_names(cls, data: Any) -> Any:
        if not isinstance(data, dict) or isinstance(data.get("key"), dict):
            return data
        key = data.get("key")
        return {**data, "key": {name: name for name in ([key] if isinstance(key, str) else key or [])}}

    @model_validator(mode="after")
    def _is_dated_where_it_must_be(self) -> Dimension:
        if not self.key:
            raise ValueError("key names no column")
        if self.date is None and (self.period is not None or "delay" in self.model_fields_set):
            raise ValueError("period and delay need date: the column that a row of the table speaks of")
        if self.period is not None and self.delay < 1:
            raise ValueError("delay is 0 periods, but a period is settled only when it has ended: 1 or more")
        return self

    @property
    def columns(self) -> list[str]:
        """Names of the features, in order."""
        return [f"{self.prefix}{name}" for name in (*self.numeric, *self.categorical)]


class StarSchema(Past):
    """Features of the rows of a fact table, from dimensions, the calendar and what was known before.

    Attributes:
        facts: The rows.
        dimensions: A name of your choice → what another table knows.
        time_zone: Where a day is counted (``Europe/Berlin``); needed where dates have a time zone.
        naive: Whether to add the leaky columns of common tutorials: derived measures of the row itself, and averages
            of each history's first measure over all rows, later ones included.
        by_key_days: So many days ahead every key's features are kept for the service (``serving_features``); 0: none.
    """

    facts: Facts
    dimensions: dict[str, Dimension] = Field(default_factory=dict)
    time_zone: str | None = None
    naive: bool = False
    by_key_days: int = Field(default=0, ge=0, le=366)

    @model_validator(mode="after")
    def _names_fit_together(self) -> StarSchema:
        known = [*self.facts.keys, *self.facts.key]
        wanted = {key: f"history {prefix}" for prefix, each in self.histories.items() for key in each.keys}
        wanted |= {key: f"dimension {name}" for name, each in self.dimensions.items() for key in each.key}
        for key, who in wanted.items():
            if key not in known:
                raise ValueError(f"{who} goes by {key}, which facts.keys ({', '.join(self.facts.keys)}) lacks: add it")
        own = {*self.facts.numeric, *self.facts.categorical}
        keys = [name for name in self.facts.keys if name not in own]
        refuse_twice("columns", [*keys, *self.feature_columns, *self.outcome_columns])
        return self

    @property
    def tables(self) -> list[str]:
        """Names of the source tables, each once."""
        return list(dict.fromkeys([self.facts.table, *(each.table for each in self.dimensions.values())]))

    @property
    def feature_columns(self) -> list[str]:
        """All that is known in time, in order."""
        return [*self.numeric, *self.categorical]

    @property
    def numeric(self) -> list[str]:
        """Numeric features."""
        past = [name for name in self.past_columns if name != "season"]
        known = [f"{each.prefix}{name}" for each in self.dimensions.values() for name in each.numeric]
        return [*past, *known, *self.facts.numeric]

    @property
    def categorical(self) -> list[str]:
        """Categorical features."""
        known = [f"{each.prefix}{name}" for each in self.dimensions.values() for name in each.categorical]
        return [*(name for name in self.calendar if name == "season"), *known, *self.facts.categorical]

    @property
    def outcome_columns(self) -> list[str]:
        """What of the facts is known only afterwards."""
        known = {*self.facts.numeric, *self.facts.categorical}
        return [name for name in dict.fromkeys([*self.measured_columns, *self.facts.outcomes]) if name not in known]

    @property
    def measured_columns(self) -> list[str]:
        """What the table of features calls the measures that it keeps: all but ratios that nobody named."""
        return [self.name_of(name) for name, each in self.measures.items() if not each.ratio]

    def name_of(self, measure: str) -> str:
        """What the table of features calls a measure."""
        declared = self.measures[measure]
        return declared.name or declared.column or measure


def described_table(table: Mapping[str, Any], star: Mapping[str, Any]) -> dict[str, Any]:
    """A table's description whose features are those of its star schema, where it lists none.

    Args:
        table: The block ``table`` of a use case, as YAML has it.
        star: Its block ``features``, likewise.

    Returns:
        The block ``table`` with ``numeric``, ``categorical`` and what ``columns`` says of outcomes and the calendar;
        as it was where it lists features itself, or where ``features`` can't be read: that is reported with all faults.
    """
    if "numeric" in table or "categorical" in table:
        return dict(table)
    try:
        declared = StarSchema.model_validate(star)
    except ValueError:
        return dict(table)
    rules: dict[str, Any] = {name: {"known_at": "outcome"} for name in declared.outcome_columns}
    rules |= {name: {"drift": False} for name in declared.calendar}
    listed = {"numeric": declared.numeric, "categorical": declared.categorical}
    return {**table, **listed, "columns": {**rules, **(table.get("columns") or {})}}
