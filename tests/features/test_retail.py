"""Retail features follow the rules on their door, and compile for every engine."""

from __future__ import annotations

from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest
from ibis.backends.sql.compilers import BigQueryCompiler, DuckDBCompiler, PySparkCompiler
from ibis.config import Config

from evergreen.errors import EvergreenError
from evergreen.features import one_table_features
from evergreen.schema import TableSpec
from online_retail import star_schema
from shipped_star import retail, retail_features

FACTS = {
    "sales_id": "int64",
    "date_key": "date",
    "store_id": "string",
    "product_id": "string",
    "sales_amount": "float64",
    "sales_quantity": "int64",
    "retailer_id": "int64",
}
PRODUCTS = dict.fromkeys(
    ["product_id", "product_brand", "product_category", "product_subcategory", "product_supplier"], "string"
)
STORES = dict.fromkeys(["store_id", "store_format", "store_city", "store_state", "store_region"], "string")


FIGURES = {"retailer_id": "int64", "month": "date", "sales_target": "float64", "margin": "float64"}


class SparkOptions(Config):
    """What the Spark compiler asks for where pyspark is not installed."""

    treat_nan_as_null: bool = False


COMPILERS = [DuckDBCompiler, BigQueryCompiler, PySparkCompiler]

ROWS = pd.DataFrame(
    {
        "sales_id": [1, 2, 3, 4, 5, 6],
        "date_key": pd.to_datetime(["2026-01-05"] * 4 + ["2026-01-10", "2026-01-10"]).date,
        "store_id": ["s"] * 6,
        "product_id": ["p", "p", "p", "p", "p", "unknown"],
        "sales_amount": [10.0, 30.0, -10.0, 0.0, 100.0, 8.0],
        "sales_quantity": [1, 3, -1, 2, 5, 2],
        "retailer_id": [7, 7, 7, 7, 7, None],
    }
)


def memory(rows: pd.DataFrame, schema: dict[str, str]) -> ir.Table:
    types = ibis.schema(schema).to_pyarrow()
    columns = [pa.array(rows[field.name].tolist(), field.type, from_pandas=True) for field in types]
    return ibis.memtable(pa.Table.from_arrays(columns, schema=types))


def features(rows: pd.DataFrame = ROWS, date_type: str = "date", **policy: object) -> pd.DataFrame:
    facts = memory(rows, FACTS | {"date_key": date_type})
    products = memory(pd.DataFrame([["p", "b", "c", None, "v"]], columns=list(PRODUCTS)), PRODUCTS)
    stores = memory(pd.DataFrame([["s", "f", "town", "st", "r"]], columns=list(STORES)), STORES)
    table = retail_features(facts, products, stores, retail(**policy))
    return table.order_by("sales_id").to_pyarrow().to_pandas().set_index("sales_id")


def test_returns_and_lines_without_an_amount_leave_rows_and_histories() -> None:
    found = features()
    assert found.index.tolist() == [1, 2, 5, 6]
    assert found.loc[5, ["product_avg_amount", "product_frequency", "store_total_quantity"]].tolist() == [20, 2, 4]
    assert found.loc[5, "product_avg_price"] == 10


def test_products_without_a_dimension_row_and_unknown_retailers_get_nulls() -> None:
    found = features().loc[6]
    assert found[["product_brand", "retailer_avg_amount", "retailer_frequency"]].isna().all()
    assert found["product_frequency"] == 0
    assert found["store_city"] == "town"


@pytest.mark.parametrize(
    ("date_type", "convert"),
    [
        ("int64", lambda d: int(d.strftime("%Y%m%d"))),
        ("float64", lambda d: float(d.strftime("%Y%m%d"))),
        ("string", lambda d: d.isoformat()),
        ("timestamp", lambda d: pd.Timestamp(d) + pd.Timedelta("23h59m59.9s")),
        ("timestamp('UTC')", lambda d: pd.Timestamp(d, tz="UTC") + pd.Timedelta("23h59m59.9s")),
    ],
)
def test_a_date_key_of_any_kind_gives_the_same_features(date_type: str, convert: object) -> None:
    rows = ROWS.assign(date_key=[convert(day) for day in ROWS["date_key"]])
    zone = {"time_zone": "UTC"} if "UTC" in date_type else {}
    pd.testing.assert_frame_equal(features(rows, date_type, **zone), features())


def test_naive_columns_come_only_on_request() -> None:
    honest, naive = features(), features(naive=True)
    assert set(naive) - set(honest) == {
        "unit_price",
        "naive_store_avg_amount",
        "naive_product_avg_amount",
        "naive_retailer_avg_amount",
    }
    assert naive.loc[1, "naive_product_avg_amount"] == pytest.approx(140 / 3)


def test_a_date_key_that_cannot_hold_dates_is_refused_in_words() -> None:
    with pytest.raises(EvergreenError, match="'date_key' should hold dates but is of type boolean"):
        features(ROWS.assign(date_key=True), "boolean")


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("date_type", ["date", "timestamp", "timestamp('UTC')", "int64", "string"])
def test_retail_features_compile_for_every_engine(
    compiler: type, date_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())
    tables = [
        ibis.table(FACTS | {"date_key": date_type}, name="fact_sales"),
        ibis.table(PRODUCTS, name="dim_product"),
        ibis.table(STORES, name="dim_store"),
    ]
    kpis = ibis.table(FIGURES | {"month": date_type}, name="business_kpis")
    expression = retail_features(*tables, retail(naive=True, time_zone="UTC"), kpis)
    sql = compiler().to_sqlglot(expression).sql(dialect=compiler.dialect)
    assert "product_std_price" in sql
    assert "retailer_sales_target" in sql


SPEC = TableSpec(entity="id", target="churned", numeric=["total", "flag"], categorical=["plan", "senior"])
CUSTOMERS = {
    "id": "string",
    "total": "string",
    "flag": "boolean",
    "plan": "string",
    "senior": "int64",
    "churned": "string",
}


def test_text_becomes_numbers_or_null_and_categories_become_text() -> None:
    rows = pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "total": ["1.5", " ", "x"],
            "flag": [True, False, None],
            "plan": ["p", None, "q"],
            "senior": [0, 1, None],
            "churned": ["Yes", "No", "No"],
        }
    )
    found = one_table_features(memory(rows, CUSTOMERS), SPEC).order_by("id").to_pyarrow().to_pandas()
    assert found["total"].isna().tolist() == [False, True, True]
    assert found["flag"].tolist()[:2] == [1.0, 0.0]
    assert found["senior"].tolist()[:2] == ["0", "1"]
    assert list(found) == ["id", "total", "flag", "plan", "senior", "churned"]


@pytest.mark.parametrize("compiler", COMPILERS)
def test_one_table_features_compile_for_every_engine(compiler: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())
    expression = one_table_features(ibis.table(CUSTOMERS, name="customers"), SPEC)
    sql = compiler().to_sqlglot(expression).sql(dialect=compiler.dialect)
    assert "TRY_CAST" in sql or "SAFE_CAST" in sql


def test_a_missing_column_is_named_with_its_closest_match() -> None:
    table = ibis.table({name: kind for name, kind in CUSTOMERS.items() if name != "total"} | {"totals": "string"})
    with pytest.raises(EvergreenError, match=r"'customers' has no column 'total': did you mean 'totals'\?"):
        one_table_features(table, SPEC)


def test_the_target_may_be_missing_only_where_no_outcome_is_expected() -> None:
    table = ibis.table({name: kind for name, kind in CUSTOMERS.items() if name != "churned"})
    assert "churned" not in one_table_features(table, SPEC, outcome=False).columns
    with pytest.raises(EvergreenError, match="no column 'churned'"):
        one_table_features(table, SPEC)


def test_online_retail_lines_run_through_the_rules(shared_data: Path) -> None:
    tables = star_schema(shared_data / "online_retail" / "online_retail.parquet")
    facts = tables["fact_sales"]
    arrow = [pa.Table.from_pandas(table, preserve_index=False) for table in tables.values()]
    found = retail_features(*(ibis.memtable(table) for table in arrow), retail())
    counts = (
        found.aggregate(rows=found.count(), ids=found.sales_id.nunique(), least=found.sales_amount.min())
        .to_pyarrow()
        .to_pandas()
    )
    sales = (facts["sales_quantity"] > 0) & (facts["sales_amount"] > 0)
    assert counts["rows"].item() == counts["ids"].item() == sales.sum() < len(facts)
    assert counts["least"].item() > 0
