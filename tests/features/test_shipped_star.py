"""The shipped star schema, described in YAML, gives the bits that it gave when it was written in Python."""

from __future__ import annotations

import hashlib

import ibis
import pyarrow as pa

from evergreen.datasets.synthetic.retail import RetailRecipe
from shipped_star import retail, retail_features

DIGESTS = {
    "sales_id": "e15ac1abc5218b66",
    "date": "af978af6a12902aa",
    "store_id": "d397375a6382aa18",
    "product_id": "7ba0ee4c63fd06d9",
    "retailer_id": "78ec580c07c3e908",
    "year": "4e2d3ef7f53cdf1c",
    "month": "cb4bdcd4af76b662",
    "day_of_week": "b72aa3a0732e0c28",
    "is_weekend": "3ba0211ce8260eff",
    "quarter": "c7a7390fb9c3b955",
    "season": "d5b44ce433b6039d",
    "store_avg_amount": "febcc730ffc64188",
    "store_std_amount": "c88b02a6fcc887de",
    "store_total_amount": "7e91cec2ff414ec5",
    "store_avg_quantity": "1b0e0ee6b00088c4",
    "store_std_quantity": "e0ab0c19b5d54e1c",
    "store_total_quantity": "82436f04e433004c",
    "product_avg_amount": "7a3aad478740d7b4",
    "product_std_amount": "e9e149916b96ae57",
    "product_total_amount": "a61cd840ef127b95",
    "product_avg_quantity": "40326edbcdca1ccf",
    "product_avg_price": "c76e95e5ccdc547c",
    "product_std_price": "b9de5f8d8db5cbe5",
    "product_frequency": "b4c30afc2b855622",
    "retailer_avg_amount": "febcc730ffc64188",
    "retailer_avg_quantity": "1b0e0ee6b00088c4",
    "retailer_frequency": "f9437199bdb8cb8d",
    "retailer_sales_target": "e9f483c0ead96409",
    "retailer_margin": "12a7b95912954217",
    "product_brand": "c948f3ba8aaeaba9",
    "product_category": "da6a3611c03e941f",
    "product_subcategory": "b8d7313090243ebe",
    "product_supplier": "0a157fde8a7e610c",
    "store_format": "094e3abd7bd31ad9",
    "store_city": "89efc17f89c412ce",
    "store_state": "8bc2eda220c359fd",
    "store_region": "0ecc301672874958",
    "unit_price": "b6c6f1e512cd6e26",
    "sales_amount": "ec368b3bb61a5fff",
    "sales_quantity": "280a07fe9cac9464",
}


def test_every_column_has_the_bits_that_it_had_in_python() -> None:
    tables = {
        name: ibis.memtable(pa.concat_tables(RetailRecipe(table=name, size=3000, stores=6, products=40).chunks()))
        for name in ("fact_sales", "dim_product", "dim_store", "business_kpis")
    }
    *star, kpis = tables.values()
    found = retail_features(*star, retail(naive=True), kpis).order_by("sales_id").to_pyarrow()
    found = found.drop_columns([name for name in found.column_names if name.startswith("naive_")])  # sums of floats
    assert {name: digest(found[name]) for name in found.column_names} == DIGESTS
    assert list(DIGESTS) == found.column_names


def digest(column: pa.ChunkedArray) -> str:
    return hashlib.sha256(repr(column.to_pylist()).encode()).hexdigest()[:16]
