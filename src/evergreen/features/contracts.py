"""What each source table promises, checked where the table lies before anything is computed from it.

Every contract fits Kedro's catalog key ``validator:``. It judges and changes nothing: ``validate`` returns
the table that it was given. Only counts leave the database. Whether every sale has its product and store is
no question to a single table; joins keep such sales with empty attributes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import ibis.expr.types as ir

from evergreen.features.checks import Column, Count, future_dates, later_days, returns
from evergreen.features.contract import Contract
from evergreen.features.table_contract import OneTable, contract_for
from evergreen.star_schema import Returns

PRODUCT_ATTRIBUTES = ("product_brand", "product_category", "product_subcategory", "product_supplier")
STORE_ATTRIBUTES = ("store_format", "store_city", "store_state", "store_region")

__all__ = [
    "BusinessKpis",
    "Contract",
    "Customers",
    "DimProduct",
    "DimStore",
    "FactSales",
    "OneTable",
    "contract_for",
]


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
            Column("sales_amount", "number", required=True, unparsable_share=0.0),
            Column("sales_quantity", "number", unparsable_share=0.0),
            Column("retailer_id", "key"),
        ]
        super().__init__("fact_sales", columns, ["sales_id"])
        self.today = _as_date(today)
        self.returns = Returns(positive=["sales_quantity", "sales_amount"], max_share=max_return_share)
        if days is not None:
            self.no_rows = f"0 rows in the last {days} days"

    def counts(self, data: ir.Table, sound: dict[str, Column]) -> list[Count]:
        """Beyond the columns: future dates and returns."""
        counts = super().counts(data, sound)
        if "date_key" in sound:
            counts.append(future_dates(data, "date_key", self.today))
        if {"sales_quantity", "sales_amount"} <= sound.keys():
            counts.append(returns(data, self.returns, "max_return_share"))
        return counts


class DimProduct(Contract):
    """The products of the retail star schema; attributes may be null."""

    def __init__(self) -> None:
        super().__init__("dim_product", _dimension("product_id", PRODUCT_ATTRIBUTES), ["product_id"])


class DimStore(Contract):
    """The stores of the retail star schema; attributes may be null."""

    def __init__(self) -> None:
        super().__init__("dim_store", _dimension("store_id", STORE_ATTRIBUTES), ["store_id"])


class BusinessKpis(Contract):
    """Monthly figures of each retailer; figures may be null, and a table that an environment lacks is empty.

    A month is written as its first day, so that one row a retailer and month is one row a key.
    """

    def __init__(self) -> None:
        columns = [
            Column("retailer_id", "key", required=True),
            Column("month", "date", required=True, unparsable_share=0.0),
            Column("sales_target", "number", unparsable_share=0.0),
            Column("margin", "number", unparsable_share=0.0),
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
        labelled: Whether the outcome is known; the newest snapshot may lack it.
    """

    def __init__(self, today: dt.date | str | None = None, labelled: bool = True) -> None:
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
            *([Column("churned", "category", required=True)] if labelled else []),
            Column("snapshot_date", "date", required=True, unparsable_share=0.0),
        ]
        super().__init__("customers" if labelled else "current", columns, ["customer_id"])
        self.today = _as_date(today)

    def counts(self, data: ir.Table, sound: dict[str, Column]) -> list[Count]:
        """Beyond the columns: future snapshot dates."""
        counts = super().counts(data, sound)
        if "snapshot_date" in sound:
            counts.append(future_dates(data, "snapshot_date", self.today))
        return counts


def _dimension(key: str, attributes: Sequence[str]) -> list[Column]:
    return [Column(key, "key", required=True), *(Column(attribute, "category") for attribute in attributes)]


def _as_date(today: dt.date | str | None) -> dt.date | None:
    return dt.date.fromisoformat(today) if isinstance(today, str) else today
