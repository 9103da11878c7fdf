"""Source tables → one table of features per use case."""

from __future__ import annotations

import ibis.expr.types as ir

from evergreen import registry
from evergreen.features import RetailFeatures, one_table_features, retail_features
from evergreen.features.contracts import contract_for
from evergreen.rows.parameters import SplitParameters
from evergreen.schema import TableSpec


def make_retail_features(
    fact_sales: ir.Table,
    dim_product: ir.Table,
    dim_store: ir.Table,
    business_kpis: ir.Table,
    policy: RetailFeatures,
) -> ir.Table:
    """Point-in-time features of every line of sale, from the star schema and the business's own figures."""
    return retail_features(fact_sales, dim_product, dim_store, policy, business_kpis)


def make_one_table_features(
    rows: ir.Table, table: TableSpec, split: SplitParameters, incumbent: registry.ModelVersion | None
) -> ir.Table:
    """Features of the rows to learn from, as parameters describe them and as the champion needs them."""
    name = "rows" if table.date else "customers"
    contract_for(table, labelled=True, table=name, label_delay_days=split.label_delay_days).validate(rows)
    return one_table_features(rows, registry.carried(table, incumbent, rows.columns), name=name)


def make_current_features(rows: ir.Table, table: TableSpec, incumbent: registry.ModelVersion | None) -> ir.Table:
    """Features of the newest snapshot, whose outcomes need not be known."""
    contract_for(table, labelled=False, table="current").validate(rows)
    return one_table_features(rows, registry.carried(table, incumbent, rows.columns), name="current", outcome=False)
