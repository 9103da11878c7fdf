"""How a use case describes its table: keys, outcome, features, and when each column is known."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from pydantic import Field, model_validator

from evergreen.records import Frozen

MOST_DAYS = 36_500
"""A century: no span of days is longer, and dates far beyond overflow."""

KnownAt = Literal["prediction", "outcome"]

Value = str | int | float | bool

RESERVED = (
    "request_id",
    "entity_id",
    "timestamp",
    "use_case",
    "model_version",
    "variant",
    "probability",
    "prediction",
    "latency_ms",
    "block_share",
    "asked_keys",
    "asked_date",
    "known_until",
)
"""Columns that predictions and stored samples carry beside the features."""


class ColumnRule(Frozen):
    """What must be said of one column beyond its kind.

    Attributes:
        known_at: ``outcome`` marks a column that exists only once the outcome does; training refuses it
            as a feature.
        drift: Whether the column takes part in drift alarms; calendar columns don't.
    """

    known_at: KnownAt = "prediction"
    drift: bool = True


class TableSpec(Frozen):
    """One use case's feature table, in the user's own column names.

    Attributes:
        entity: Column that identifies a row's subject; unique per row, unless ``panel``.
        date: Column with the row's date, or None for a use case without dates.
        panel: Whether an entity has many rows, one a date: no entity then stands on both sides of a split.
        time_zone: Where a row's day is counted (``Europe/Berlin``); needed where dates carry a time zone.
        null_keys: ``refuse`` a table with rows that lack a key or date, or ``drop`` these rows.
        block: Columns whose joint value is never torn apart between sets (store × day); default: the entity.
        groups: Columns within whose values drift is looked for, too (the rows of a store), each a categorical feature
            or a column of ``block``; default: the columns of ``block`` but the date and the entity, ``[]``: none.
        target: Column that holds the outcome, before the label definition turns it into 0/1.
        positive: Value of ``target`` that counts as 1, or a list of such values.
        threshold: In place of ``positive``: numbers above it count as 1; without either, a quantile is fitted.
        weights: Column with the weight of each training row, or None.
        numeric: Numeric features: numbers, truth values, or dates, read as days before the row's date.
        categorical: Categorical features.
        columns: Rules for single columns, features or not.
        snapshot_date: For a use case without dates, column of the ``current`` table that dates the snapshot.
    """

    entity: str
    date: str | None = None
    panel: bool = False
    time_zone: str | None = None
    null_keys: Literal["refuse", "drop"] = "refuse"
    block: list[str] = Field(default_factory=list)
    groups: list[str] | None = None
    target: str
    positive: Value | tuple[Value, ...] | None = None
    threshold: float | None = None
    weights: str | None = None
    numeric: list[str] = Field(default_factory=list)
    categorical: list[str] = Field(default_factory=list)
    columns: dict[str, ColumnRule] = Field(default_factory=dict)
    snapshot_date: str | None = None

    @model_validator(mode="after")
    def _names_stand_once(self) -> TableSpec:
        names = self.features
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"features listed twice: {', '.join(twice)}; list each once")
        if not names:
            raise ValueError("no features: name at least one under numeric or categorical")
        named = dict.fromkeys([*names, *self.keys, self.target])
        lowered = [name.casefold() for name in named]
        alike = [name for name in named if lowered.count(name.casefold()) > 1]
        if alike:
            raise ValueError(f"columns {', '.join(alike)} differ by case only, and engines confuse them; rename one")
        reserved = [name for name in names if name.casefold() in RESERVED]
        if reserved:
            raise ValueError(
                f"features {', '.join(reserved)} bear a name that predictions use themselves "
                f"({', '.join(RESERVED)}); rename them in the source or in the query that reads it"
            )
        return self

    @model_validator(mode="after")
    def _roles_fit_together(self) -> TableSpec:
        if self.positive is not None and self.threshold is not None:
            raise ValueError("positive and threshold both say what counts as 1; leave one out")
        if self.panel and self.date is None:
            raise ValueError("panel: true needs a date: its rows are keyed by entity and date")
        if self.panel and self.block not in ([], [self.entity]):
            raise ValueError("panel: true keeps an entity's rows together, so block is the entity; leave block out")
        unknown = [name for name in self.groups or () if name not in self.group_columns]
        if unknown:
            raise ValueError(
                f"groups: {', '.join(unknown)} cannot make groups of rows; allowed are categorical features and block's"
                f" columns but the date, the entity and numbers: {', '.join(self._able_to_group) or 'none here'}"
            )
        return self

    @property
    def features(self) -> list[str]:
        """All features, numeric first, in the order given."""
        return [*self.numeric, *self.categorical]

    @property
    def key(self) -> list[str]:
        """The columns whose joint value is unique."""
        return [self.entity, self.date] if self.panel and self.date else [self.entity]

    @property
    def positive_values(self) -> tuple[Value, ...]:
        """The values of ``target`` that count as 1."""
        if self.positive is None:
            return ()
        return self.positive if isinstance(self.positive, tuple) else (self.positive,)

    @property
    def block_columns(self) -> list[str]:
        """The columns that make a block."""
        return self.block or [self.entity]

    @property
    def group_columns(self) -> list[str]:
        """The columns within whose values drift is looked for."""
        asked = self.block if self.groups is None else self.groups
        return [name for name in dict.fromkeys(asked) if name in self._able_to_group]

    @property
    def _able_to_group(self) -> list[str]:
        taken = {*self.numeric, self.date, self.entity}
        return [name for name in dict.fromkeys([*self.categorical, *self.block]) if name not in taken]

    @property
    def keys(self) -> list[str]:
        """Columns that a feature table carries beside features and target, each once."""
        named = [self.entity, self.date, *self.block]
        return list(dict.fromkeys(name for name in named if name))

    def without(self, names: Collection[str]) -> TableSpec:
        """The same table without some of its features."""
        return self.model_copy(
            update={
                "numeric": [name for name in self.numeric if name not in names],
                "categorical": [name for name in self.categorical if name not in names],
            }
        )

    def with_features_of(self, other: TableSpec) -> TableSpec:
        """The same table with the other's features, too."""
        return self.model_copy(
            update={
                "numeric": [*self.numeric, *(name for name in other.numeric if name not in self.features)],
                "categorical": [*self.categorical, *(name for name in other.categorical if name not in self.features)],
            }
        )

    def known_at(self, column: str) -> KnownAt:
        """When the column is known; ``prediction`` unless a rule says otherwise."""
        return self.columns.get(column, ColumnRule()).known_at

    def drifts(self, column: str) -> bool:
        """Whether the column takes part in drift alarms."""
        return self.columns.get(column, ColumnRule()).drift
