"""What each source table promises, checked where the table lies before anything is computed from it.

Every contract fits Kedro's catalog key ``validator:``. It judges and changes nothing: ``validate`` returns
the table that it was given. Only counts leave the database. Whether every sale has its product and store is
no question to a single table; joins keep such sales with empty attributes.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

import ibis.expr.types as ir

from evergreen.errors import EvergreenError
from evergreen.features.checks import (
    Column,
    Count,
    Family,
    counts_of,
    duplicate_keys,
    future_dates,
    later_days,
    returns,
    schema_breaches,
)
from evergreen.records import Check
from evergreen.schema import TRUTH, TableSpec

_LOGGER = logging.getLogger(__name__)
_MAX_UNPARSABLE_SHARE = 0.1
_MAX_SENTENCES = 8


class Contract:
    """A table's promise: its columns, its key, and that it holds rows.

    Args:
        table: Name of the table in messages.
        columns: What its columns promise; further columns are free.
        key: Columns whose joint value is unique.
        may_be_empty: Whether the table may have no rows.
    """

    def __init__(
        self, table: str, columns: Sequence[Column], key: Sequence[str], *, may_be_empty: bool = False
    ) -> None:
        self.table = table
        self.columns = tuple(columns)
        self.key = tuple(key)
        self.may_be_empty = may_be_empty
        self.no_rows = "0 rows"

    def validate(self, data: ir.Table) -> ir.Table:
        """Check the table with one aggregate query and one more for duplicates.

        Args:
            data: Lazy table on any Ibis backend.

        Returns:
            The same table.

        Raises:
            EvergreenError: One sentence for a breach; for several, a headline and one sentence each.
        """
        breaches = schema_breaches(data, self.columns)
        broken = {breach.where for breach in breaches}
        sound = {column.name: column for column in self.columns if column.name not in broken}
        breaches += self._count(data, sound)
        if breaches:
            raise EvergreenError(_message(self.table, breaches))
        return data

    def counts(self, data: ir.Table, sound: dict[str, Column]) -> list[Count]:
        """The rows to be counted; ``sound`` are the columns that exist and have an accepted type."""
        return [count for column in sound.values() for count in counts_of(data, column)]

    def inspect(self, data: ir.Table, sound: dict[str, Column], rows: int) -> list[Check]:  # noqa: ARG002
        """Further checks of a table with rows; none here."""
        return []

    def _count(self, data: ir.Table, sound: dict[str, Column]) -> list[Check]:
        counts = self.counts(data, sound)
        named = {f"count_{i}": count.offending for i, count in enumerate(counts)}
        found = data.aggregate(rows=data.count(), **named).to_pyarrow().to_pylist()[0]
        rows = found.pop("rows")
        if not rows and self.may_be_empty:
            return []
        if not rows:
            advice = "check the source and its filters"
            return [Check(name="empty_table", passed=False, found=self.no_rows, allowed="1 or more", what_to_do=advice)]
        if self.key and set(self.key) <= sound.keys():
            unique = Count(
                "duplicate_keys",
                ", ".join(self.key),
                duplicate_keys(data, self.key),
                "repeat a key",
                "keep one row a key",
            )
            counts.append(unique)
            found["key"] = unique.offending.to_pyarrow().as_py()
        judged = [count.judge(int(number or 0), rows) for count, number in zip(counts, found.values(), strict=True)]
        return [check for check in judged if not check.passed] + self.inspect(data, sound, rows)


class FactSales(Contract):
    """The sales lines of the retail star schema.

    ``retailer_id`` and ``sales_quantity`` may be null; returns up to a share are accepted, because features
    leave them out.

    Args:
        today: Last day that a sale may carry; default: the database's current date and one day more.
        max_return_share: Largest share of lines with a negative quantity or amount.
        days: How many days the source was cut to, for the message when none of them has a row.
    """

    def __init__(
        self, today: dt.date | str | None = None, max_return_share: float = 0.05, days: int | None = None
    ) -> None:
        columns = [
            Column("sales_id", "key", required=True),
            Column("date_key", "date", required=True, unparsable_share=0.0),
            Column("store_id", "key", required=True),
            Column("product_id", "key", required=True),
            Column("sales_amount", "number", required=True),
            Column("sales_quantity", "number"),
            Column("retailer_id", "key"),
        ]
        super().__init__("fact_sales", columns, ["sales_id"])
        self.today = _as_date(today)
        self.max_return_share = max_return_share
        if days is not None:
            self.no_rows = f"0 rows in the last {days} days"

    def counts(self, data: ir.Table, sound: dict[str, Column]) -> list[Count]:
        """Beyond the columns: future dates and returns."""
        counts = super().counts(data, sound)
        if "date_key" in sound:
            counts.append(future_dates(data, "date_key", self.today))
        if {"sales_quantity", "sales_amount"} <= sound.keys():
            counts.append(returns(data, "sales_quantity", "sales_amount", self.max_return_share))
        return counts


class DimProduct(Contract):
    """The products of the retail star schema; attributes may be null."""

    def __init__(self) -> None:
        attributes = ("name", "brand", "category", "subcategory", "supplier")
        super().__init__("dim_product", _dimension("product", attributes), ["product_id"])


class DimStore(Contract):
    """The stores of the retail star schema; attributes may be null."""

    def __init__(self) -> None:
        attributes = ("name", "format", "city", "state", "region")
        super().__init__("dim_store", _dimension("store", attributes), ["store_id"])


class BusinessKpis(Contract):
    """Monthly figures of each retailer; figures may be null, and a table that an environment lacks is empty.

    A month is written as its first day, so that one row a retailer and month is one row a key.
    """

    def __init__(self) -> None:
        columns = [
            Column("retailer_id", "key", required=True),
            Column("month", "date", required=True, unparsable_share=0.0),
            Column("sales_target", "number"),
            Column("margin", "number"),
        ]
        super().__init__("business_kpis", columns, ["retailer_id", "month"], may_be_empty=True)

    def counts(self, data: ir.Table, sound: dict[str, Column]) -> list[Count]:
        """Beyond the columns: days that are not the first of a month."""
        counts = super().counts(data, sound)
        if "month" in sound:
            counts.append(later_days(data, "month"))
        return counts


class Customers(Contract):
    """The shipped churn table and its newer snapshot; features may be null.

    Args:
        today: Last day that a snapshot may carry; default: the database's current date and one day more.
    """

    def __init__(self, today: dt.date | str | None = None) -> None:
        numbers = (
            "age",
            "income",
            "credit_score",
            "account_balance",
            "transaction_frequency",
            "avg_transaction_amount",
            "months_as_customer",
            "number_of_products",
            "digital_engagement",
        )
        columns = [
            Column("customer_id", "key", required=True),
            *(Column(name, "number") for name in numbers),
            Column("region", "category"),
            Column("churned", "category", required=True),
            Column("snapshot_date", "date", required=True, unparsable_share=0.0),
        ]
        super().__init__("customers", columns, ["customer_id"])
        self.today = _as_date(today)

    def counts(self, data: ir.Table, sound: dict[str, Column]) -> list[Count]:
        """Beyond the columns: future snapshot dates."""
        counts = super().counts(data, sound)
        if "snapshot_date" in sound:
            counts.append(future_dates(data, "snapshot_date", self.today))
        return counts


class OneTable(Contract):
    """Any one-table use case: what its ``TableSpec`` implies.

    The entity is present and unique, the outcome present with two classes (when labelled), numeric features
    are numbers or texts that parse to at least 90 %, nothing is infinite. A feature with at most one value is
    logged as a warning, since training can do without it.

    Args:
        spec: The table in the user's column names.
        labelled: Whether the outcome is known.
        table: Name of the table in messages.
    """

    def __init__(self, spec: TableSpec, *, labelled: bool, table: str) -> None:
        keys = [Column(name, "key", required=True) for name in spec.keys if name != spec.date]
        dates = [Column(spec.date, "date", required=True, unparsable_share=0.0)] if spec.date else []
        features = [Column(name, "number", unparsable_share=_MAX_UNPARSABLE_SHARE) for name in spec.numeric]
        features += [Column(name, "any") for name in spec.categorical]
        family: Family = "number" if spec.positive is None else "any"
        target = [Column(spec.target, family, required=True)] if labelled else []
        named = {column.name: column for column in [*features, *target, *dates, *keys]}
        super().__init__(table, list(named.values()), [spec.entity])
        self.spec = spec
        self.labelled = labelled

    def inspect(self, data: ir.Table, sound: dict[str, Column], rows: int) -> list[Check]:
        """Two classes in the outcome; features that say nothing are logged."""
        names = [name for name in self.spec.features if name in sound]
        varies = {f"varies_{i}": data[name].min() < data[name].max() for i, name in enumerate(names)}
        target = data[self.spec.target] if self.labelled and self.spec.target in sound else None
        if target is not None:
            varies |= {"outcomes": _has_two_classes(target, self.spec.positive)}
        if not varies:
            return []
        found = data.aggregate(**varies).to_pyarrow().to_pylist()[0]
        silent = [name for i, name in enumerate(names) if not found[f"varies_{i}"]]
        if silent:
            _LOGGER.warning("%s: %s hold at most one value and can't help", self.table, ", ".join(silent))
        if found.get("outcomes", True):
            return []
        wanted = "several values" if self.spec.positive is None else f"{self.spec.positive!r} and others"
        return [
            Check(
                name="two_classes",
                passed=False,
                where=self.spec.target,
                found=f"one class only in {rows:,} rows of type {data[self.spec.target].type()}",
                allowed=wanted,
                what_to_do="check target and positive",
            )
        ]


def contract_for(spec: TableSpec, *, labelled: bool, table: str = "table") -> Contract:
    """Derive the contract of a one-table use case from its description.

    Args:
        spec: The table in the user's column names.
        labelled: Whether the outcome is known.
        table: Name of the table in messages.

    Example:
        >>> spec = TableSpec(entity="customerID", target="Churn", positive="Yes", numeric=["tenure"])
        >>> contract_for(spec, labelled=True, table="customers").key
        ('customerID',)
    """
    return OneTable(spec, labelled=labelled, table=table)


def _dimension(name: str, attributes: Sequence[str]) -> list[Column]:
    key = Column(f"{name}_id", "key", required=True)
    return [key, *(Column(f"{name}_{attribute}", "category") for attribute in attributes)]


def _has_two_classes(target: ir.Column, positive: str | float | bool | None) -> ir.BooleanScalar:
    if positive is None:
        return target.min() < target.max()
    if target.type().is_numeric() and isinstance(positive, int | float):
        is_positive = target == positive
    else:
        is_positive = target.cast("string").lower().isin(_spellings(positive))
    return is_positive.cast("int64").min() < is_positive.cast("int64").max()


def _spellings(value: str | float | bool) -> list[str]:
    """All the ways in which a value may be written."""
    text = str(value).lower()
    return next((list(forms) for forms in TRUTH if text in forms), [text])


def _as_date(today: dt.date | str | None) -> dt.date | None:
    return dt.date.fromisoformat(today) if isinstance(today, str) else today


def _message(table: str, breaches: Sequence[Check]) -> str:
    sentences = [breach.within(table).sentence for breach in breaches]
    if len(sentences) == 1:
        return sentences[0]
    names = ", ".join(dict.fromkeys(breach.name for breach in breaches))
    shown = [f"  - {sentence}" for sentence in sentences[:_MAX_SENTENCES]]
    if len(sentences) > _MAX_SENTENCES:
        shown.append(f"  - and {len(sentences) - _MAX_SENTENCES} more")
    return "\n".join([f"{table} breaks its contract in {len(sentences)} places ({names}).", *shown])
