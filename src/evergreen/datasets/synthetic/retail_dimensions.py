"""Products and stores of the retail world, and the hidden levels that the sales lines are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

PRODUCT_SCHEMA: Final = pa.schema(
    [
        (name, pa.string())
        for name in (
            "product_id",
            "product_name",
            "product_brand",
            "product_category",
            "product_subcategory",
            "product_supplier",
        )
    ]
)
STORE_SCHEMA: Final = pa.schema(
    [
        (name, pa.string())
        for name in ("store_id", "store_name", "store_format", "store_city", "store_state", "store_region")
    ]
)

NEW_CATEGORY: Final = "Smart Home"
NEW_PRODUCTS: Final = 30

_CATEGORIES: Final = {
    "Grocery": (2.2, ("Bakery", "Dairy", "Pantry", "Snacks")),
    "Beverages": (2.4, ("Coffee", "Juice", "Tea", "Water")),
    "Household": (2.7, ("Cleaning", "Kitchen", "Laundry", "Paper")),
    "Beauty": (2.9, ("Bath", "Fragrance", "Hair", "Skin")),
    "Stationery": (2.5, ("Art", "Notebooks", "Office", "School")),
    "Toys": (3.1, ("Games", "Outdoor", "Plush", "Puzzles")),
    "Clothing": (3.4, ("Children", "Men", "Shoes", "Women")),
    "Electronics": (3.9, ("Audio", "Cables", "Computing", "Phones")),
}
"""Mean log price and subcategories of each category."""

_NEW_CATEGORY_LAW: Final = (3.6, ("Lighting", "Security", "Sensors", "Speakers"))
_BRANDS: Final = (
    "Alder", "Aurora", "Bluebell", "Borealis", "Calder", "Cedar", "Cobalt", "Corvid", "Daybreak", "Delta",
    "Ember", "Everly", "Fable", "Fern", "Garnet", "Harbor", "Indigo", "Juniper", "Kestrel", "Lark",
    "Linden", "Lumen", "Meadow", "Nimbus", "Oakline", "Onyx", "Pioneer", "Quill", "Rowan", "Sable",
    "Sierra", "Summit", "Tandem", "Thistle", "Umber", "Vesper", "Willow", "Wren", "Yarrow", "Zephyr",
)  # fmt: skip
_SUPPLIERS: Final = tuple(f"Supplier {number:02d}" for number in range(1, 26))
_FORMATS: Final = {
    "Hypermarket": (0.15, 0.35),
    "Supermarket": (0.35, 0.05),
    "Discount": (0.2, -0.1),
    "Convenience": (0.3, -0.35),
}
"""Share of the stores and mean log basket of each format."""

_CITIES: Final = (
    ("Boston", "MA", "Northeast"), ("New York", "NY", "Northeast"), ("Philadelphia", "PA", "Northeast"),
    ("Hartford", "CT", "Northeast"), ("Atlanta", "GA", "South"), ("Austin", "TX", "South"),
    ("Miami", "FL", "South"), ("Nashville", "TN", "South"), ("Chicago", "IL", "Midwest"),
    ("Columbus", "OH", "Midwest"), ("Detroit", "MI", "Midwest"), ("Minneapolis", "MN", "Midwest"),
    ("Denver", "CO", "West"), ("Phoenix", "AZ", "West"), ("Portland", "OR", "West"),
    ("Seattle", "WA", "West"),
)  # fmt: skip
_PRODUCT_STREAM: Final = 1
_STORE_STREAM: Final = 2


@dataclass(frozen=True)
class Products:
    """The product dimension and what hides behind it.

    Attributes:
        table: The rows of ``dim_product``; those of a new category come last.
        log_price: Log list price of each product.
        weight: Probability of each product in an unchanged world; 0 for the new category.
        first_category: Positions of the products of the first category.
        new_category: Positions of the products of the new category; empty without that scenario.
    """

    table: pa.Table
    log_price: NDArray[np.float64]
    weight: NDArray[np.float64]
    first_category: NDArray[np.int64]
    new_category: NDArray[np.int64]

    @property
    def typical_log_price(self) -> float:
        """Mean log price of a line in the unchanged world."""
        return float(self.weight @ self.log_price)


@dataclass(frozen=True)
class Stores:
    """The store dimension and what hides behind it.

    Attributes:
        table: The rows of ``dim_store``.
        log_basket: Log quantity level of each store.
        weekend_lift: What a weekend adds to it.
        weight: Probability of each store.
        retailer: Position of the retailer that each store belongs to.
    """

    table: pa.Table
    log_basket: NDArray[np.float64]
    weekend_lift: NDArray[np.float64]
    weight: NDArray[np.float64]
    retailer: NDArray[np.int64]


def draw_products(seed: int, count: int, *, with_new_category: bool) -> Products:
    """Draw ``count`` products, the same with and without the 30 more of a new category."""
    rng = np.random.default_rng([seed, _PRODUCT_STREAM])
    laws = [*_CATEGORIES.items(), (NEW_CATEGORY, _NEW_CATEGORY_LAW)]
    total = count + NEW_PRODUCTS
    category = np.append(np.arange(count) % len(_CATEGORIES), np.full(NEW_PRODUCTS, len(_CATEGORIES)))
    subcategory = rng.integers(0, 4, total)
    brand = rng.integers(0, len(_BRANDS), total)
    supplier = rng.integers(0, len(_SUPPLIERS), total)
    brand_premium = rng.normal(0, 0.2, len(_BRANDS))
    level = np.array([mean for _, (mean, _) in laws])
    log_price = level[category] + brand_premium[brand] + rng.normal(0, 0.4, total)
    popularity = rng.lognormal(0, 0.7, count)

    kept = total if with_new_category else count
    names = [
        (laws[c][0], laws[c][1][1][s], _BRANDS[b], _SUPPLIERS[u])
        for c, s, b, u in zip(category[:kept], subcategory, brand, supplier, strict=False)
    ]
    rows = [(f"P{i:05d}", f"{b} {s} {i:05d}", b, c, s, u) for i, (c, s, b, u) in enumerate(names, start=1)]
    return Products(
        table=_table(rows, PRODUCT_SCHEMA),
        log_price=log_price[:kept],
        weight=np.append(popularity / popularity.sum(), np.zeros(kept - count)),
        first_category=np.flatnonzero(category[:count] == 0),
        new_category=np.arange(count, kept),
    )


def draw_stores(seed: int, count: int, retailers: int) -> Stores:
    """Draw ``count`` stores that belong to ``retailers`` retailers."""
    rng = np.random.default_rng([seed, _STORE_STREAM])
    formats = list(_FORMATS)
    chosen = rng.choice(len(formats), count, p=[share for share, _ in _FORMATS.values()])
    city = rng.integers(0, len(_CITIES), count)
    basket = np.array([mean for _, mean in _FORMATS.values()])[chosen] + rng.normal(0, 0.2, count)
    weight = rng.lognormal(0, 0.3, count)
    rows = [
        (f"S{i:04d}", f"{_CITIES[c][0]} {formats[f]} {i}", formats[f], *_CITIES[c])
        for i, (f, c) in enumerate(zip(chosen, city, strict=True), start=1)
    ]
    return Stores(
        table=_table(rows, STORE_SCHEMA),
        log_basket=basket,
        weekend_lift=np.array([0.2, 0.1, 0.05, -0.05])[chosen],
        weight=weight / weight.sum(),
        retailer=np.arange(count) % retailers,
    )


def _table(rows: Sequence[tuple[str, ...]], schema: pa.Schema) -> pa.Table:
    return pa.table(dict(zip(schema.names, zip(*rows, strict=True), strict=True)), schema=schema)
