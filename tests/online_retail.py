"""The UCI Online Retail lines brought into the three tables of the star schema, quirks kept."""

from __future__ import annotations

from pathlib import Path

import pandas as pd


def star_schema(parquet_path: Path | str) -> dict[str, pd.DataFrame]:
    """Bring the lines into ``fact_sales``, ``dim_product`` and ``dim_store``.

    A country is a store, a stock code in upper case a product (its name the most frequent description), a
    customer a retailer, a line number a sale. Returns, zero prices and repeated lines stay. Attributes that
    the source lacks are null, but for ``product_brand``: the stock code's first two characters, a range of
    articles.
    """
    lines = pd.read_parquet(parquet_path)
    product_id = lines["StockCode"].str.strip().str.upper()
    fact_sales = pd.DataFrame(
        {
            "sales_id": range(len(lines)),
            "date_key": lines["InvoiceDate"],
            "store_id": lines["Country"],
            "product_id": product_id,
            "sales_amount": lines["Quantity"] * lines["UnitPrice"],
            "sales_quantity": lines["Quantity"],
            "retailer_id": lines["CustomerID"].astype("Int64"),
        }
    )
    named = lines.assign(product_id=product_id).dropna(subset=["Description"])
    counts = named.groupby(["product_id", "Description"]).size().reset_index(name="lines")
    frequent = counts.sort_values(["lines", "Description"], ascending=[False, True])
    names = frequent.drop_duplicates("product_id").set_index("product_id")["Description"]
    products = pd.Index(sorted(product_id.unique()))
    dim_product = _with_nulls(
        pd.DataFrame(
            {
                "product_id": products,
                "product_name": names.reindex(products).to_numpy(),
                "product_brand": products.str[:2],
            }
        ),
        ["product_category", "product_subcategory", "product_supplier"],
    )
    stores = sorted(lines["Country"].unique())
    dim_store = _with_nulls(
        pd.DataFrame({"store_id": stores, "store_name": stores}),
        ["store_format", "store_city", "store_state", "store_region"],
    )
    return {"fact_sales": fact_sales, "dim_product": dim_product, "dim_store": dim_store}


def _with_nulls(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return table.assign(**{column: pd.Series(pd.NA, index=table.index, dtype="str") for column in columns})
