"""Contracts: each bad input of a source table is met by a named check and one clear sentence."""

from __future__ import annotations

import datetime as dt
import logging

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.io import DataCatalog
from kedro.validation.exceptions import DataValidationError

from evergreen.errors import EvergreenError
from evergreen.features.checks import duplicate_keys
from evergreen.features.contracts import (
    BusinessKpis,
    Contract,
    Customers,
    DimProduct,
    DimStore,
    FactSales,
    contract_for,
)
from evergreen.features.typed import as_date
from evergreen.schema import TableSpec

# ibis 12 asks pandas 3 for an option that pandas is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")

TODAY = dt.date(2026, 2, 28)
SPEC = TableSpec(
    entity="who", target="left", positive="Yes", numeric=["age", "spent"], categorical=["plan"], date="day"
)


def sales(**changed: object) -> pd.DataFrame:
    good = pd.DataFrame(
        {
            "sales_id": range(100),
            "date_key": pd.to_datetime(TODAY).date(),
            "store_id": "S1",
            "product_id": "P1",
            "sales_amount": 10.0,
            "sales_quantity": 2,
            "retailer_id": "R1",
        }
    )
    return good.assign(**changed)


def kpis(**changed: object) -> pd.DataFrame:
    months = [dt.date(2026, 1, 1), dt.date(2026, 2, 1)]
    good = {"retailer_id": ["a", "a"], "month": months, "sales_target": [1.0, 2.0], "margin": [0.1, None]}
    return pd.DataFrame(good | changed)


def people(**changed: object) -> pd.DataFrame:
    good = pd.DataFrame(
        {
            "who": [f"c{i}" for i in range(40)],
            "day": [str(TODAY)] * 40,
            "left": ["Yes", "No"] * 20,
            "age": range(40),
            "spent": [str(i / 2) for i in range(40)],
            "plan": ["a", "b"] * 20,
        }
    )
    return good.assign(**changed)


def complaint(contract: Contract, data: pd.DataFrame | ir.Table) -> str:
    table = ibis.memtable(data) if isinstance(data, pd.DataFrame) else data
    with pytest.raises(EvergreenError) as error:
        contract.validate(table)
    return str(error.value)


def but(values: object, first: object) -> list[object]:
    """The column with another first value."""
    return [first, *list(values)[1:]]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"month": [dt.date(2026, 1, 1)] * 2}, "duplicate_keys: 1 of 2 rows repeat a key"),
        ({"month": [dt.date(2026, 1, 1), dt.date(2026, 1, 31)]}, "first_of_month: 1 of 2 rows are not the first day"),
        ({"month": ["2026-01-01", "February"]}, "unparsable_values: 1 of 2 rows hold text that is no date"),
        ({"retailer_id": ["a", None]}, "null_values: 1 of 2 rows have no value"),
        ({"sales_target": ["1", "two"]}, "unparsable_values: 1 of 2 rows hold text that is no number"),
    ],
)
def test_figures_that_could_double_or_miss_a_row_are_refused(changed: dict[str, object], sentence: str):
    assert sentence in complaint(BusinessKpis(), kpis(**changed))


def test_figures_may_be_absent_altogether():
    table = ibis.memtable([], schema=ibis.memtable(kpis()).schema())
    assert BusinessKpis().validate(table) is table
    assert BusinessKpis().validate(ibis.memtable(kpis())).count().to_pyarrow().as_py() == 2


def test_a_sound_table_comes_back_as_it_is():
    table = ibis.memtable(sales())
    assert FactSales(today=TODAY).validate(table) is table


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"sales_id": but(range(100), 1)},
            "fact_sales.sales_id fails duplicate_keys: 1 of 100 rows repeat a key, allowed 0; keep one row a key.",
        ),
        (
            {"store_id": but(["S1"] * 100, None)},
            "fact_sales.store_id fails null_values: 1 of 100 rows have no value, allowed 0; fill or drop these rows.",
        ),
        (
            {"sales_amount": but([10.0] * 100, float("-inf"))},
            "fact_sales.sales_amount fails infinite_values: 1 of 100 rows are infinite or beyond 3.4e+38, allowed 0; "
            "repair the division behind them, or use their logarithm.",
        ),
        (
            {"date_key": TODAY + dt.timedelta(days=1)},
            "fact_sales.date_key fails future_dates: 100 of 100 rows lie in the future, allowed 0; "
            "correct them, or move today (2026-02-28).",
        ),
        (
            {"date_key": but([str(TODAY)] * 100, "28.02.26?")},
            "fact_sales.date_key fails unparsable_values: 1 of 100 rows hold text that is no date, "
            "allowed 0; write dates as 2026-02-28.",
        ),
        (
            {"sales_quantity": [-1] * 6 + [2] * 94},
            "fact_sales.sales_quantity fails negative_values: 6 of 100 rows have a negative sales_quantity "
            "or sales_amount, allowed 5 (5%); drop returns in the source or raise max_return_share.",
        ),
        (
            {"sales_amount": but(["10.0"] * 100, "ten")},
            "fact_sales.sales_amount fails unparsable_values: 1 of 100 rows hold text that is no number, allowed 0; "
            "write numbers as 1234.5.",
        ),
        (
            {"product_id": 1.5},
            "fact_sales.product_id fails fractional_keys: 100 of 100 rows are no whole numbers, allowed 0; "
            "write keys as text or whole numbers.",
        ),
        (
            {"date_key": but([20260228] * 100, 20260229)},
            "fact_sales.date_key fails unparsable_values: 1 of 100 rows are no date yyyymmdd, allowed 0; "
            "write dates as 20260228.",
        ),
    ],
)
def test_a_bad_sale_is_refused_in_one_sentence(changed: dict[str, object], sentence: str):
    assert complaint(FactSales(today=TODAY), sales(**changed)) == sentence


def test_a_missing_column_names_the_one_that_was_probably_meant():
    renamed = sales().rename(columns={"store_id": "StoreId"})
    assert complaint(FactSales(today=TODAY), renamed) == (
        "fact_sales.store_id fails missing_column: no such column, allowed one; rename StoreId."
    )
    assert "add it to the source" in complaint(FactSales(today=TODAY), sales().drop(columns="date_key"))


def test_an_empty_table_is_refused():
    assert complaint(FactSales(today=TODAY), ibis.memtable(sales()).limit(0)) == (
        "fact_sales fails empty_table: 0 rows, allowed 1 or more; check the source and its filters."
    )


def test_a_floating_nan_counts_as_no_value():
    table = ibis.memtable(sales()).mutate(sales_amount=ibis.ifelse(ibis._.sales_id < 3, float("nan"), 1.0))
    assert "sales_amount fails null_values: 3 of 100 rows" in complaint(FactSales(today=TODAY), table)


def test_missing_attributes_quantities_and_a_few_returns_are_accepted():
    FactSales(today=TODAY).validate(
        ibis.memtable(sales(retailer_id=but(["R1"] * 100, None), sales_quantity=[-1] * 5 + [2] * 94 + [None]))
    )
    product = {
        "product_id": [1, 2],
        "product_name": ["a", "b"],
        "product_brand": ["x", None],
        "product_category": [None, "y"],
        "product_subcategory": ["z", "z"],
        "product_supplier": [7, 8],
    }
    DimProduct().validate(ibis.memtable(product))


def test_a_dimension_with_a_repeated_key_is_refused():
    store = {f"store_{name}": ["a", "b"] for name in ("name", "format", "city", "state", "region")}
    DimStore().validate(ibis.memtable({"store_id": [1, 2], **store}))
    assert "dim_store.store_id fails duplicate_keys: 1 of 2" in complaint(
        DimStore(), pd.DataFrame({"store_id": [1, 1], **store})
    )


def test_a_zoned_timestamp_is_read_in_utc():
    evening = pa.array([dt.datetime(2026, 3, 1, 4, 30)] * 100, pa.timestamp("us", tz="US/Eastern"))
    columns = sales().drop(columns="date_key").to_dict("list")
    late = ibis.memtable(pa.table({**columns, "date_key": evening}))
    assert as_date(late.date_key, "UTC").max().to_pyarrow().as_py() == dt.date(2026, 3, 1)
    assert "future_dates" in complaint(FactSales(today=TODAY), late)
    FactSales(today="2026-03-01").validate(late)


def test_without_a_given_today_the_database_knows_the_date():
    table = ibis.memtable(sales(sales_id=range(100)))
    FactSales().validate(table.mutate(date_key=ibis.today()))
    ahead = table.mutate(date_key=ibis.today() + ibis.interval(days=3))
    assert complaint(FactSales(), ahead).endswith("lie in the future, allowed 0; correct them.")


def test_all_breaches_are_told_together_under_a_headline():
    bad = sales(sales_id=1, sales_quantity=-1).drop(columns="retailer_id")
    headline, *rest = complaint(FactSales(today=TODAY), bad).splitlines()
    assert headline == ("fact_sales breaks its contract in 3 places (missing_column, negative_values, duplicate_keys).")
    assert len(rest) == 3


@given(st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=1, max_size=30))
@settings(max_examples=25)
def test_duplicates_are_the_rows_beyond_the_first_of_each_key(keys: list[int | None]):
    table = ibis.memtable(pd.DataFrame({"key": pd.array(keys, dtype="Int64")}))
    present = [key for key in keys if key is not None]
    assert duplicate_keys(table, ["key"]).to_pyarrow().as_py() == len(present) - len(set(present))


def test_a_use_case_is_held_to_what_its_description_implies():
    contract = contract_for(SPEC, labelled=True, table="members")
    contract.validate(ibis.memtable(people(spent=but(people().spent, " "))))
    assert "members.spent fails unparsable_values: 5 of 40 rows hold text that is no number, allowed 4 (10%)" in (
        complaint(contract, people(spent=["?"] * 5 + ["1"] * 35))
    )
    assert "members.spent fails infinite_values" in complaint(contract, people(spent=but(people().spent, "inf")))
    assert "members.who fails duplicate_keys: 1 of 40" in complaint(contract, people(who=but(people().who, "c1")))
    assert "members.left fails null_values: 1 of 40" in complaint(contract, people(left=but(people().left, None)))
    assert "members.day fails unparsable_values" in complaint(contract, people(day="soon"))


def test_an_outcome_of_one_class_is_refused_only_where_it_is_needed():
    assert complaint(contract_for(SPEC, labelled=True, table="members"), people(left="No")) == (
        "members.left fails two_classes: one class only in 40 rows of type string (No), allowed 'Yes' and others; "
        "name under positive the value, or the list of values, that counts as 1."
    )
    assert "rows of type float64 (2.5, 3.5), allowed 'Yes' and others" in complaint(
        contract_for(SPEC, labelled=True), people(left=[2.5, 3.5] * 20)
    )
    contract_for(SPEC, labelled=False).validate(ibis.memtable(people().drop(columns="left")))


def test_yes_and_no_that_an_engine_reads_as_booleans_are_two_classes():
    contract_for(SPEC, labelled=True).validate(ibis.memtable(people(left=[True, False] * 20)))


def test_an_outcome_to_be_thresholded_has_to_spread():
    spec = TableSpec(entity="who", target="age", numeric=["spent"])
    contract_for(spec, labelled=True).validate(ibis.memtable(people()))
    assert "two_classes" in complaint(contract_for(spec, labelled=True), people(age=3))


def test_a_silent_feature_is_a_warning_and_no_error(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, logger="evergreen"):
        contract_for(SPEC, labelled=True, table="members").validate(ibis.memtable(people(plan="a", age=1)))
    assert [record.getMessage() for record in caplog.records] == [
        "members: age, plan hold at most one value and can't help"
    ]


@pytest.mark.parametrize("dialect", ["duckdb", "bigquery"])
@pytest.mark.parametrize("contract", [FactSales(), DimProduct(), DimStore(), Customers()])
def test_contracts_compile_for_the_warehouse(contract: Contract, dialect: str):
    types = {"key": "string", "number": "float64", "category": "string", "date": "date"}
    table = ibis.table({column.name: types[column.family] for column in contract.columns}, name="source")
    counts = contract.counts(table, {column.name: column for column in contract.columns})
    assert ibis.to_sql(table.aggregate(**{f"c{i}": c.offending for i, c in enumerate(counts)}), dialect=dialect)
    assert ibis.to_sql(duplicate_keys(table, contract.key), dialect=dialect)


def test_a_catalog_entry_with_a_contract_stops_the_load_with_the_sentence(tmp_path):
    sales(sales_id=7).to_parquet(tmp_path / "sales.parquet")
    catalog = DataCatalog.from_config(
        {
            "retail.fact_sales": {
                "type": "ibis.FileDataset",
                "filepath": str(tmp_path / "sales.parquet"),
                "validator": {
                    "class": "evergreen.features.contracts.FactSales",
                    "on": "load",
                    "options": {"today": "2026-02-28"},
                },
            }
        }
    )
    with pytest.raises(DataValidationError) as error:
        catalog.load("retail.fact_sales")
    assert str(error.value).splitlines() == [
        "Validation failed for dataset 'retail.fact_sales' on load",
        "(validator: evergreen.features.contracts.FactSales)",
        "fact_sales.sales_id fails duplicate_keys: 99 of 100 rows repeat a key, allowed 0; keep one row a key.",
    ]
    assert isinstance(error.value.__cause__, EvergreenError)
