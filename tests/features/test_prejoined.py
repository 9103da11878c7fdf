"""Claims about the star schema that is split back out of a pre-joined table."""

from __future__ import annotations

import ibis
import pytest

from evergreen.errors import EvergreenError
from evergreen.features import dimension_of

ENRICHED = {
    "sales_id": [1, 2, 3, 4],
    "date_key": ["2026-01-01", "2026-01-03", "2026-01-02", "2026-01-02"],
    "product_id": ["p1", "p1", "p2", None],
    "product_brand": ["old", "new", None, "nobody's"],
    "store_city": ["Oslo", "Oslo", "Rome", "Rome"],
}


def test_a_dimension_is_the_newest_row_of_each_key() -> None:
    found = dimension_of(ibis.memtable(ENRICHED), "product_id", "date_key").order_by("product_id").to_pyarrow()
    assert found.to_pylist() == [
        {"product_id": "p1", "product_brand": "new"},
        {"product_id": "p2", "product_brand": None},
    ]


def test_rows_of_one_day_that_disagree_still_give_one_row_and_always_the_same() -> None:
    rows = {name: values * 2 for name, values in ENRICHED.items()} | {"product_brand": list("hgfedcba")}
    found = dimension_of(ibis.memtable(rows), "product_id", "date_key").order_by("product_id").to_pyarrow()
    assert [row["product_brand"] for row in found.to_pylist()] == ["c", "b"]


def test_a_pre_joined_table_without_the_key_is_told() -> None:
    with pytest.raises(EvergreenError, match="'the pre-joined table' has no column 'retailer_id'"):
        dimension_of(ibis.memtable(ENRICHED), "retailer_id", "date_key")
