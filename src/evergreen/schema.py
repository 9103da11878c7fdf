"""How a use case describes its table: keys, outcome, features, and when each column is known."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from pydantic import Field, model_validator

from evergreen.records import Frozen

KnownAt = Literal["prediction", "outcome"]

# How yes and no are written: an engine reads Yes and No of a file as booleans, another as text.
TRUTH = (("1", "true", "yes"), ("0", "false", "no"))


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
        entity: Column that identifies a row's subject; unique per row.
        date: Column with the row's date, or None for a use case without dates.
        block: Columns whose joint value is never torn apart between sets (store × day); default: the entity.
        target: Column that holds the outcome, before the label definition turns it into 0/1.
        positive: Value of ``target`` that counts as 1; None where the label definition fits a threshold.
        numeric: Numeric features.
        categorical: Categorical features.
        columns: Rules for single columns, features or not.
        snapshot_date: For a use case without dates, column of the ``current`` table that dates the snapshot.
    """

    entity: str
    date: str | None = None
    block: list[str] = Field(default_factory=list)
    target: str
    positive: str | int | float | bool | None = None
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
        return self

    @property
    def features(self) -> list[str]:
        """All features, numeric first, in the order given."""
        return [*self.numeric, *self.categorical]

    @property
    def block_columns(self) -> list[str]:
        """The columns that make a block."""
        return self.block or [self.entity]

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
