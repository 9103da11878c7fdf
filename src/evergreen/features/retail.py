"""Features of a sales line from a retail star schema.

Rules:
    - Returns (quantity of 0 or less) and lines without a positive amount are not sales: they leave the rows
      and the histories.
    - ``sales_id`` identifies a line, and the source's contract refuses one that repeats. Lines that are equal
      in everything else are separate sales, as when a till scans the same article twice.
    - A product or store without a row in its dimension, or with nulls there, gets null attributes.
    - A null key has no history: its history features are null.
    - A retailer's KPIs are those of the month before the line's own; see ``kpis.py``.
"""

from __future__ import annotations

import ibis.expr.types as ir
from pydantic import Field

from evergreen.features.calendar import CALENDAR, add_calendar
from evergreen.features.checks import require_columns
from evergreen.features.history import History, key_history
from evergreen.features.kpis import KPI_COLUMNS, add_kpis
from evergreen.features.lookup import look_up, require_same_keys
from evergreen.features.typed import as_date, as_key, as_number
from evergreen.records import Frozen

SALES_COLUMNS = (
    "sales_id",
    "date_key",
    "store_id",
    "product_id",
    "retailer_id",
    "sales_amount",
    "sales_quantity",
)
KEYS = ("sales_id", "date", "store_id", "product_id", "retailer_id")
PRODUCT_ATTRIBUTES = ("product_brand", "product_category", "product_subcategory", "product_supplier")
STORE_ATTRIBUTES = ("store_format", "store_city", "store_state", "store_region")
OUTCOMES = ("sales_amount", "sales_quantity")
NAIVE = ("unit_price", "naive_store_avg_amount", "naive_product_avg_amount", "naive_retailer_avg_amount")

STORE = History("store", ["store_id"], {"amount": ["avg", "std", "total"], "quantity": ["avg", "std", "total"]})
PRODUCT = History(
    "product",
    ["product_id"],
    {"amount": ["avg", "std", "total"], "quantity": ["avg"], "price": ["avg", "std"]},
    frequency=True,
)
RETAILER = History("retailer", ["retailer_id"], {"amount": ["avg"], "quantity": ["avg"]}, frequency=True)
HISTORIES = (STORE, PRODUCT, RETAILER)


class RetailFeatures(Frozen):
    """Which features to make of the star schema.

    Attributes:
        history_days: How far back the history of a store, product or retailer reaches.
        naive: Whether to add the leaky columns of common tutorials: ``unit_price`` of the line itself and
            averages over all rows, later ones included.
        time_zone: Where a sale's day is counted (``Europe/Berlin``); needed where ``date_key`` has a time zone.
    """

    history_days: int = Field(default=90, gt=0)
    naive: bool = False
    time_zone: str | None = None


def retail_features(
    fact_sales: ir.Table,
    dim_product: ir.Table,
    dim_store: ir.Table,
    policy: RetailFeatures,
    business_kpis: ir.Table | None = None,
) -> ir.Table:
    """Compute the features of each sale, as known before its day.

    Args:
        fact_sales: One row a line: sales_id, date_key, store_id, product_id, sales_amount, sales_quantity,
            retailer_id. ``date_key`` may be of any type that ``as_date`` reads.
        dim_product: One row a product: product_id and ``PRODUCT_ATTRIBUTES``.
        dim_store: One row a store: store_id and ``STORE_ATTRIBUTES``.
        policy: Length of the window, naive columns or not.
        business_kpis: One row a retailer and month: retailer_id, month, sales_target, margin; None where there is
            no such table, and the columns are null.

    Returns:
        One row a sale: ``KEYS``, calendar, histories, KPIs, attributes, ``OUTCOMES``.

    Raises:
        EvergreenError: If a column is missing or ``date_key`` cannot hold dates.
    """
    require_columns(fact_sales, "fact_sales", SALES_COLUMNS)
    require_columns(dim_product, "dim_product", ["product_id", *PRODUCT_ATTRIBUTES])
    require_columns(dim_store, "dim_store", ["store_id", *STORE_ATTRIBUTES])
    sales = _sales(fact_sales, policy.time_zone)
    dim_store = dim_store.select(as_key(dim_store.store_id).name("store_id"), *STORE_ATTRIBUTES)
    dim_product = dim_product.select(as_key(dim_product.product_id).name("product_id"), *PRODUCT_ATTRIBUTES)
    require_same_keys({"fact_sales": sales, "dim_store": dim_store}, "store_id")
    require_same_keys({"fact_sales": sales, "dim_product": dim_product}, "product_id")
    store, product, retailer = (key_history(sales, history, "date", policy.history_days) for history in HISTORIES)
    store = look_up(store, dim_store, ["store_id"])
    product = look_up(product, dim_product, ["product_id"])
    retailer = add_kpis(retailer, business_kpis, policy.time_zone)
    # Narrow tables first: DuckDB takes a history for as long as the sales and keeps the narrower side in memory.
    table = look_up(add_calendar(sales, "date"), retailer, ["retailer_id", "date"])
    table = look_up(table, product, ["product_id", "date"])
    table = look_up(table, store, ["store_id", "date"])
    if policy.naive:
        table = _add_naive(table, sales)
    table = table.rename(sales_amount="amount", sales_quantity="quantity", unit_price="price")
    return table.select(
        *KEYS,
        *CALENDAR,
        *(column for history in HISTORIES for column in history.columns),
        *KPI_COLUMNS,
        *PRODUCT_ATTRIBUTES,
        *STORE_ATTRIBUTES,
        *(NAIVE if policy.naive else ()),
        *OUTCOMES,
    )


def _sales(fact_sales: ir.Table, time_zone: str | None) -> ir.Table:
    """The lines that are sales, with a DATE and the measures that histories are made of."""
    lines = fact_sales.select(
        **{key: as_key(fact_sales[key]) for key in ("sales_id", "store_id", "product_id", "retailer_id")},
        date=as_date(fact_sales.date_key, time_zone),
        amount=as_number(fact_sales.sales_amount),
        quantity=as_number(fact_sales.sales_quantity),
    )
    sales = lines.filter(lines.quantity > 0, lines.amount > 0, ~lines.amount.isnan())
    return sales.mutate(price=sales.amount / sales.quantity)


def _add_naive(table: ir.Table, sales: ir.Table) -> ir.Table:
    """Add averages over all rows, the row itself and later ones included."""
    for key, prefix in (("store_id", "store"), ("product_id", "product"), ("retailer_id", "retailer")):
        averages = sales.group_by(key).agg(**{f"naive_{prefix}_avg_amount": sales.amount.mean()})
        table = look_up(table, averages, [key])
    return table
