"""Monthly figures of each retailer of the retail world: what a BI model would say of them."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evergreen.datasets.synthetic.retail_dimensions import Stores

KPI_SCHEMA: Final = pa.schema(
    [
        ("retailer_id", pa.string()),
        ("month", pa.date32()),
        ("sales_target", pa.float64()),
        ("margin", pa.float64()),
    ]
)
_KPI_STREAM: Final = 5
_MONTHLY_SALES: Final = 2_000_000.0
"""What all retailers together plan for a month, whatever the number of lines that were drawn."""


def months_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """First days of all months from the one before ``first`` to that of ``last``."""
    numbers = range(12 * first.year + first.month - 2, 12 * last.year + last.month)
    return [dt.date(number // 12, number % 12 + 1, 1) for number in numbers]


def draw_kpis(seed: int, stores: Stores, retailers: pa.Array, months: list[dt.date], season: NDArray) -> pa.Table:
    """Draw target and margin of every retailer and month.

    A target follows the size of the retailer's stores and the season, as a planner knows them, within 5 %; a margin
    has the retailer's level and chance. Neither knows of a single line, so that they say little of one.

    Args:
        seed: Seed of the world.
        stores: Its stores.
        retailers: Ids of its retailers.
        months: First days of the months.
        season: Yearly wave of the log quantity in each month.
    """
    rng = np.random.default_rng([seed, _KPI_STREAM])
    share = np.bincount(stores.retailer, stores.weight * np.exp(stores.log_basket), len(retailers))
    wave = np.exp(2 * season)[:, None]
    shape = (len(months), len(retailers))
    target = _MONTHLY_SALES * share / share.sum() * wave * rng.lognormal(0, 0.05, shape)
    margin = 0.25 + rng.normal(0, 0.03, len(retailers)) + rng.normal(0, 0.01, shape)
    return pa.table(
        [
            pa.array(retailers.to_pylist() * len(months)),
            pa.array(np.repeat(np.array(months, dtype="datetime64[D]"), len(retailers))),
            pa.array(target.round(-3).ravel()),
            pa.array(margin.round(3).ravel()),
        ],
        schema=KPI_SCHEMA,
    )
