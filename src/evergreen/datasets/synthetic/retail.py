"""The retail world: sales lines of 112 weeks, drawn week by week."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import cached_property
from typing import Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, model_validator

from evergreen.datasets.synthetic.retail_dimensions import (
    NEW_PRODUCTS,
    PRODUCT_SCHEMA,
    STORE_SCHEMA,
    Products,
    Stores,
    draw_products,
    draw_stores,
)
from evergreen.datasets.synthetic.retail_kpis import KPI_SCHEMA, draw_kpis, months_between
from evergreen.datasets.synthetic.scenario import Scenario, ScenarioName
from evergreen.records import Frozen

VERSION: Final = 1
"""Raised whenever the same recipe would give other rows, so that files on disk are generated anew."""

WEEKS: Final = 112
LAST_DAY: Final = dt.date(2026, 2, 28)
FIRST_DAY: Final = LAST_DAY - dt.timedelta(days=7 * WEEKS - 1)

_IDS: Final = pa.dictionary(pa.int32(), pa.string())
SALES_SCHEMA: Final = pa.schema(
    [
        ("sales_id", pa.int64()),
        ("date_key", pa.date32()),
        ("store_id", _IDS),
        ("product_id", _IDS),
        ("sales_amount", pa.float64()),
        ("sales_quantity", pa.int64()),
        ("retailer_id", _IDS),
    ]
)
_SCHEMAS: Final = {
    "fact_sales": SALES_SCHEMA,
    "dim_product": PRODUCT_SCHEMA,
    "dim_store": STORE_SCHEMA,
    "business_kpis": KPI_SCHEMA,
}

_ALLOWED_SCENARIOS: Final = (
    "none",
    "price_inflation",
    "mix_shift",
    "new_category",
    "concept_change",
    "missing_values",
)
_WEEKDAY_TRAFFIC: Final = np.array([1.15, 0.85, 0.85, 0.9, 0.95, 1.1, 1.2])
"""Relative number of lines, Sunday first: every week of the timeline begins on a Sunday."""
_IS_WEEKEND: Final = np.array([True, False, False, False, False, False, True])
_SEASON: Final = 0.04
_PROMOTED_SHARE: Final = 0.1
_BULK_SHARE: Final = 0.02
_SALES_STREAM: Final = 3
_SCENARIO_STREAM: Final = 4


class RetailRecipe(Frozen):
    """Everything that determines a table of the retail world.

    A line's log amount is the log price of its product (category, brand, product; 20 % off in a promoted
    week) plus its log quantity (store, format × weekend, season, promotion, a shock that the lines of one
    store and day share, chance, and now and then a bulk purchase). There is no trend, so that without
    a scenario one year is like the next.

    Attributes:
        source: Always ``retail``.
        table: Which of the four tables.
        size: Number of lines of ``fact_sales``; the other tables don't depend on it.
        seed: Seed of all random streams; tables that belong together share it.
        scenarios: Changes, each from its start on.
        stores: Number of stores.
        products: Number of products.
        retailers: Number of retailers; each store belongs to one.
    """

    source: Literal["retail"] = "retail"
    table: Literal["fact_sales", "dim_product", "dim_store", "business_kpis"]
    size: int = Field(default=100_000, gt=0)
    seed: int = Field(default=42, ge=0)
    scenarios: tuple[Scenario, ...] = ()
    stores: int = Field(default=60, gt=0)
    products: int = Field(default=600, ge=8)
    retailers: int = Field(default=8, gt=0)

    @model_validator(mode="after")
    def _scenarios_have_a_start(self) -> RetailRecipe:
        for scenario in self.scenarios:
            if scenario.name not in _ALLOWED_SCENARIOS:
                raise ValueError(
                    f"the retail source has no scenario {scenario.name}; use one of {', '.join(_ALLOWED_SCENARIOS)}"
                )
            if scenario.name != "none" and scenario.start is None:
                raise ValueError(f"scenario {scenario.name} needs a start date, such as start: {LAST_DAY}")
        return self

    @property
    def version(self) -> int:
        """Version of the generator."""
        return VERSION

    @property
    def schema(self) -> pa.Schema:
        """Columns and types of the table."""
        return _SCHEMAS[self.table]

    def chunks(self) -> Iterator[pa.Table]:
        """Yield the table in pieces: the sales week by week in order of date, any other at once."""
        if self.table == "dim_product":
            yield self._products.table
        elif self.table == "dim_store":
            yield self._stores.table
        elif self.table == "business_kpis":
            yield self._kpis()
        else:
            lines_until_day = lines_until(self.size)
            for week in range(WEEKS):
                first, *ends = lines_until_day[7 * week : 7 * week + 8].tolist()
                if ends[-1] > first:
                    yield self._week(week, first, np.diff([first, *ends]))

    @cached_property
    def _products(self) -> Products:
        new = any(scenario.name == "new_category" for scenario in self.scenarios)
        return draw_products(self.seed, self.products, with_new_category=new)

    @cached_property
    def _stores(self) -> Stores:
        return draw_stores(self.seed, self.stores, self.retailers)

    def _kpis(self) -> pa.Table:
        months = months_between(FIRST_DAY, LAST_DAY)
        middle = np.array([(month - FIRST_DAY).days + 15 for month in months])
        return draw_kpis(self.seed, self._stores, self._retailer_ids, months, season(middle))

    def _week(self, week: int, first_line: int, lines_per_day: NDArray[np.int64]) -> pa.Table:
        products, stores = self._products, self._stores
        rng = np.random.default_rng([self.seed, _SALES_STREAM, week])
        days = 7 * week + np.arange(7)
        promoted = rng.random(self.products + NEW_PRODUCTS) < _PROMOTED_SHARE
        store_day = rng.normal(0, 0.1, (7, self.stores))
        store_day += stores.log_basket + np.outer(_IS_WEEKEND, stores.weekend_lift) + season(days)[:, None]

        n = int(lines_per_day.sum())
        day = np.repeat(np.arange(7), lines_per_day)
        store = _choose(rng, stores.weight, n)
        product = _choose(rng, products.weight, n)
        price_noise, quantity_noise = rng.normal(0, 0.05, n), rng.normal(0, 0.7, n)
        is_bulk = rng.random(n) < _BULK_SHARE

        strength = _Strengths(self, week, lines_per_day)
        product = self._move_products(strength, product)
        on_promotion = promoted[product]
        list_price = products.log_price[product]
        log_price = list_price + price_noise + np.log(0.8) * on_promotion
        log_quantity = 0.9 + store_day[day, store] + quantity_noise + 0.35 * on_promotion + 1.5 * is_bulk
        log_quantity -= 2 * strength.of("concept_change") * (list_price - products.typical_log_price)
        quantity = np.maximum(np.rint(np.exp(log_quantity)), 1)
        price = np.exp(log_price) * (1 + strength.of("price_inflation"))
        amount = np.maximum((price * quantity).round(2), 0.01)

        dates = np.datetime64(FIRST_DAY, "D") + days[day]
        return pa.table(
            [
                pa.array(np.arange(first_line + 1, first_line + n + 1)),
                pa.array(dates),
                _ids(store, stores.table["store_id"]),
                _ids(product, products.table["product_id"]),
                pa.array(amount),
                pa.array(quantity.astype(np.int64), mask=strength.hit("missing_values", 0)),
                _ids(stores.retailer[store], self._retailer_ids, mask=strength.hit("missing_values", 1)),
            ],
            schema=SALES_SCHEMA,
        )

    @cached_property
    def _retailer_ids(self) -> pa.Array:
        return pa.array([f"R{number:02d}" for number in range(1, self.retailers + 1)])

    def _move_products(self, strength: _Strengths, product: NDArray[np.int64]) -> NDArray[np.int64]:
        moves: tuple[tuple[ScenarioName, NDArray[np.int64]], ...] = (
            ("mix_shift", self._products.first_category),
            ("new_category", self._products.new_category),
        )
        for stream, (name, targets) in enumerate(moves, start=2):
            moved = strength.hit(name, stream)
            if moved is not None:
                position = strength.draw(stream + len(moves)) * len(targets)
                product = np.where(moved, targets[position.astype(np.int64)], product)
        return product


class _Strengths:
    """How strongly each scenario acts on each line of one week, and the chance that scenarios draw on.

    Scenarios have random streams of their own, so that the lines before their start, and every column
    that they don't speak of, stay what they are without them.
    """

    def __init__(self, recipe: RetailRecipe, week: int, lines_per_day: NDArray[np.int64]) -> None:
        self._recipe = recipe
        self._week = week
        self._lines_per_day = lines_per_day

    def occurs(self, name: ScenarioName) -> bool:
        """Whether the world has such a scenario, at any date."""
        return any(s.name == name for s in self._recipe.scenarios)

    def of(self, name: ScenarioName) -> NDArray[np.float64] | float:
        """Strength per line; the number 0 where the world has no such scenario."""
        if not self.occurs(name):
            return 0.0
        per_day = np.zeros(7)
        for scenario in self._recipe.scenarios:
            if scenario.name == name and scenario.start is not None:
                first = (scenario.start - FIRST_DAY).days - 7 * self._week
                per_day[max(first, 0) :] = np.maximum(per_day[max(first, 0) :], scenario.strength)
        return np.repeat(per_day, self._lines_per_day)

    def hit(self, name: ScenarioName, stream: int) -> NDArray[np.bool_] | None:
        """Which lines the scenario hits, each with its strength as probability; None without the scenario."""
        return self.draw(stream) < self.of(name) if self.occurs(name) else None

    def draw(self, stream: int) -> NDArray[np.float64]:
        """Uniform numbers, one a line, the same for the same stream."""
        rng = np.random.default_rng([self._recipe.seed, _SCENARIO_STREAM, self._week, stream])
        return rng.random(int(self._lines_per_day.sum()))


def season(days: NDArray[np.int64]) -> NDArray[np.float64]:
    """Yearly wave of the log quantity, at its height in mid-December; ``days`` count from the first day."""
    day_of_year = days + FIRST_DAY.timetuple().tm_yday - 1
    return _SEASON * np.cos(2 * np.pi * (day_of_year - 349) / 365.25)


def lines_until(size: int) -> NDArray[np.int64]:
    """Number of lines before each day (7 × 112 + 1 values), by weekday and season, ``size`` in all."""
    days = np.arange(7 * WEEKS)
    traffic = _WEEKDAY_TRAFFIC[days % 7] * np.exp(season(days))
    share = np.append(0.0, np.cumsum(traffic) / traffic.sum())
    return np.rint(share * size).astype(np.int64)


def _choose(rng: np.random.Generator, weight: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    edges = np.cumsum(weight)
    return np.searchsorted(edges / edges[-1], rng.random(n), side="right")


def _ids(
    position: NDArray[np.int64], names: pa.Array | pa.ChunkedArray, mask: NDArray[np.bool_] | None = None
) -> pa.DictionaryArray:
    values = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    return pa.DictionaryArray.from_arrays(pa.array(position.astype(np.int32), mask=mask), values)
