"""Whatever is declared of a star schema: every feature is what pandas says row by row, and never what comes later."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from evergreen.features import star_features
from evergreen.star_schema import Dimension, StarSchema
from small_star import DAYS, FACTS, FIGURES, KNOWN, SPEC, START, declarations, facts, figures, known

Frames = dict[str, pd.DataFrame]
SCHEMAS = {"facts": FACTS, "known": KNOWN, "figures": FIGURES}
QUICK = [Phase.explicit, Phase.generate]  # a declaration that fails is shown as it is: each takes a second
AGG = {"avg": "mean", "std": "std", "total": "sum", "min": "min", "max": "max"}


def tables(seed: int) -> Frames:
    return {"facts": facts(seed), "known": known(), "figures": figures(seed)}


def features(star: StarSchema, frames: Frames) -> pd.DataFrame:
    named = {
        name: ibis.memtable(pa.Table.from_pandas(frame, schema=SCHEMAS[name], preserve_index=False))
        for name, frame in frames.items()
    }
    return star_features(named, star, SPEC).order_by("id").to_pyarrow().to_pandas().set_index("id")


def measures(rows: pd.DataFrame) -> pd.DataFrame:
    none = rows["x"].isna()
    return rows.assign(
        share=rows["x"] / rows["y"].replace(0, np.nan),
        area=rows["x"] * rows["y"],
        big=(rows["x"] > 2).astype(float).mask(none),
        red=(rows["colour"] == "red").astype(float).mask(rows["colour"].isna()),
    )


def counting(rows: pd.DataFrame, star: StarSchema) -> pd.DataFrame:
    for name in star.facts.returns.positive:
        rows = rows[rows[name] > 0]
    for name, marks in star.facts.returns.marked.items():
        rows = rows[~rows[name].isin(marks)]
    return rows


def past_of(row: Any, rows: pd.DataFrame, star: StarSchema) -> dict[str, float]:
    """Calendar apart: every history of one row, by its definition."""
    found: dict[str, float] = {}
    age = np.array([(row.day - day).days for day in rows["day"]])
    for prefix, history in star.histories.items():
        same = np.logical_and.reduce([rows[key] == getattr(row, key) for key in history.keys])
        null = any(pd.isna(getattr(row, key)) for key in history.keys)
        for ending, days in history.spans(star.history_days).items():
            seen = rows[same & (age >= history.delay_days) & (age <= days)]
            for name, statistics in history.measures.items():
                for each in statistics:
                    value = getattr(seen[name], AGG[each])()
                    found[f"{prefix}_{each}_{name}{ending}"] = np.nan if null else value
            if history.frequency:
                found[f"{prefix}_frequency{ending}"] = np.nan if null else len(seen)
    return found


def price_of(row: Any, table: pd.DataFrame, dated: Dimension) -> float:
    own = table[(table["a"] == row.a).to_numpy(bool)]
    if dated.period:
        letter = {"quarter": "Q", "year": "Y"}[dated.period]
        periods = pd.PeriodIndex(pd.to_datetime(own["from"]), freq=letter)
        own = own[periods == pd.Period(row.day, letter) - dated.delay]
    else:
        by_then = [day + dt.timedelta(days=dated.delay) <= row.day for day in own["from"]]
        own = own[np.array(by_then, dtype=bool)].sort_values("from")
    return own["price"].iloc[-1] if len(own) else np.nan


@settings(max_examples=6, phases=QUICK)
@given(declarations(), st.integers(0, 2**31))
def test_every_feature_is_what_pandas_finds_row_by_row(star: StarSchema, seed: int) -> None:
    frames = tables(seed)
    rows = measures(counting(frames["facts"], star)).sort_values("id")
    found = features(star, frames)
    assert found.index.tolist() == rows["id"].tolist()
    for row, (_, line) in zip(rows.itertuples(), found.iterrows(), strict=True):
        expected = past_of(row, rows, star)
        if "figures" in star.dimensions:
            expected["price"] = price_of(row, frames["figures"], star.dimensions["figures"])
        found_here = line[list(expected)].astype(float)
        np.testing.assert_allclose(found_here, pd.Series(expected, dtype=float), rtol=1e-6, atol=3e-6)
        if "known" in star.dimensions:
            assert (line["size"] == 1.5) == (row.b == 1)


def after(frames: Frames, border: dt.date, star: StarSchema, rng: np.random.Generator) -> Frames:
    """The same world as it may look later: measures of the day and of later ones changed, rows added and taken away."""
    sales = frames["facts"].copy()
    changed = np.array([day >= border for day in sales["day"]])
    sales.loc[changed, ["x", "y"]] = sales.loc[changed, ["x", "y"]].abs() * 1000 + 7
    later = np.array([day > border for day in sales["day"]])
    new = sales.head(8).assign(id=range(1000, 1008), day=border + dt.timedelta(days=1), x=5e5, a="p", b=1)
    told = frames["figures"].copy()
    if "figures" in star.dimensions:
        unknown = np.array([not _known_by(day, border, star.dimensions["figures"]) for day in told["from"]], dtype=bool)
        told.loc[unknown, "price"] = -1.0
    kept = sales[~later | (rng.random(len(sales)) < 0.5)]
    return frames | {"facts": pd.concat([kept, new]), "figures": told}


def _known_by(day: dt.date, border: dt.date, dated: Dimension) -> bool:
    if dated.period is None:
        return day + dt.timedelta(days=dated.delay) <= border
    letter = {"quarter": "Q", "year": "Y"}[dated.period]
    return bool(pd.Period(day, letter) + dated.delay <= pd.Period(border, letter))


@settings(max_examples=12, phases=QUICK)
@given(declarations(), st.integers(0, 2**31), st.integers(3, DAYS))
def test_no_feature_up_to_a_day_moves_when_its_measures_and_all_later_rows_do(
    star: StarSchema, seed: int, day: int
) -> None:
    star = star.model_copy(update={"facts": star.facts.model_copy(update={"returns": type(star.facts.returns)()})})
    frames, border = tables(seed), START + dt.timedelta(days=day)
    before = features(star, frames)
    later = features(star, after(frames, border, star, np.random.default_rng(seed)))
    still = before.index[before["date"] <= border]
    compared = ["date", *star.feature_columns]
    pd.testing.assert_frame_equal(
        before.loc[still, compared], later.loc[still, compared], check_exact=True, check_dtype=False
    )
