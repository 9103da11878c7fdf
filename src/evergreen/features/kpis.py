"""What the business planned and earned: figures of the month before a row's own, the newest that had closed."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from evergreen.features.checks import require_columns
from evergreen.features.lookup import look_up
from evergreen.features.typed import as_date, as_key, as_number
from evergreen.rows.canonical_column import canonical_column

KPIS = ("sales_target", "margin")
KPI_COLUMNS = tuple(f"retailer_{name}" for name in KPIS)
_KEYS = ["kpi_retailer", "kpi_month"]


def add_kpis(table: ir.Table, business_kpis: ir.Table | None, time_zone: str | None = None) -> ir.Table:
    """Add the KPIs of each row's retailer as of the month that closed last before the row's month began.

    A row of any day in March gets the figures of February: what is said of March is not settled before it ends.
    Where February's figures are missing they stay null, older ones don't stand in for them: nobody could tell a
    figure of last month from one that has not been delivered for a year, and a null is counted by the data checks.

    Args:
        table: Rows with ``retailer_id`` and a DATE ``date``.
        business_kpis: At most one row a retailer and month: retailer_id, month (any day of it, of a type that
            ``as_date`` reads), and ``KPIS``; None where there is no such table.
        time_zone: Where the day of ``month`` is counted, if it has a time zone.

    Returns:
        The table, row for row, with ``KPI_COLUMNS`` added as floats.

    Raises:
        EvergreenError: If a column is missing or ``month`` cannot hold dates.
    """
    if business_kpis is None:
        return table.mutate(**{name: ibis.null("float64") for name in KPI_COLUMNS})
    require_columns(business_kpis, "business_kpis", ["retailer_id", "month", *KPIS])
    known = as_key(business_kpis.retailer_id)
    same = table.retailer_id.type() == known.type()
    rows = table.mutate(
        kpi_retailer=table.retailer_id if same else canonical_column(table.retailer_id),
        kpi_month=_month_number(table.date),
    )
    closed = business_kpis.select(
        kpi_retailer=known if same else canonical_column(known),
        kpi_month=_month_number(as_date(business_kpis.month, time_zone)) + 1,
        **{f"retailer_{name}": as_number(business_kpis[name]) for name in KPIS},
    )
    return look_up(rows, closed, _KEYS).select(*table.columns, *KPI_COLUMNS)


def _month_number(date: ir.DateColumn) -> ir.IntegerColumn:
    """Months since the year 0, the same type on every side of a join."""
    return (date.year() * 12 + date.month()).cast("int64")
