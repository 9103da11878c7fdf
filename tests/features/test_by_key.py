"""Features by key are those of training, bit for bit, whatever the star schema."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evergreen.errors import EvergreenError
from evergreen.features import star_features
from evergreen.features.by_key import KeyedFeatures, features_by_key, key_groups, keyed_columns
from evergreen.star_schema import StarSchema
from small_star import FACTS, FIGURES, KNOWN, SPEC, declarations, facts, figures, known

Keys = tuple[Any, ...]


def tables(rows: pd.DataFrame, seed: int) -> dict[str, Any]:
    made = ((rows, FACTS), (known(), KNOWN), (figures(seed), FIGURES))
    found = [pa.Table.from_pandas(frame, schema, preserve_index=False) for frame, schema in made]
    return dict(zip(("facts", "known", "figures"), map(ibis.memtable, found), strict=True))


def of_training(rows: pd.DataFrame, star: StarSchema, seed: int, day: dt.date) -> list[dict[str, Any]]:
    """The rows of a day as training has them."""
    made = star_features(tables(rows, seed), star, SPEC)
    return made.filter(made["date"] == ibis.date(day)).to_pyarrow().to_pylist()


def lines(made: KeyedFeatures, star: StarSchema, day: dt.date) -> dict[Keys, dict[str, Any]]:
    """What is kept for a day, by the keys that a line has."""
    return {tuple(row[key] for key in star.facts.keys): row for row in made.days[day].to_pylist()}


@settings(max_examples=6)
@given(star=declarations(), seed=st.integers(0, 99), place=st.integers(8, 20))
def test_they_equal_the_training_features_of_the_same_keys_and_day(star: StarSchema, seed: int, place: int) -> None:
    rows = facts(seed, 60)
    newest, day = sorted(set(rows["day"]))[place : place + 2]
    cut = rows[rows["day"] <= newest]
    made = features_by_key(tables(cut, seed), star, SPEC, (day - newest).days, None)
    kept = lines(made, star, day)
    for row in of_training(rows[rows["day"] <= day], star, seed, day):
        for group in key_groups(star):
            keys = tuple(row[key] if key in group.keys else None for key in star.facts.keys)
            if None in (row[key] for key in group.keys):
                continue
            if keys in kept:
                ours = {name: kept[keys][name] for name in group.features}
                assert ours == {name: row[name] for name in group.features}
            else:  # it came with this day
                assert not (cut[list(group.keys)] == [row[key] for key in group.keys]).all(axis=1).any()


def test_a_key_that_never_sold_has_the_features_of_a_first_sale() -> None:
    star = StarSchema.model_validate(
        {
            "facts": {"table": "facts", "key": "id", "date": "day", "keys": ["a", "b"]},
            "measures": {"x": "x"},
            "histories": {"h": {"keys": ["b"], "measures": {"x": ["avg", "total"]}, "frequency": True}},
            "dimensions": {"known": {"table": "known", "key": "b", "numeric": ["size"]}},
        }
    )
    rows = facts(3)
    made = features_by_key(tables(rows, 3), star, SPEC, 0, None)
    first_sale = lines(made, star, max(rows["day"]))[None, 3]
    assert {name: first_sale[name] for name in keyed_columns(star)} == {
        "h_avg_x": None, "h_total_x": 0.0, "h_frequency": 0, "size": 2.5,
    }  # fmt: skip


def test_what_belongs_to_the_row_itself_goes_by_no_key() -> None:
    star = StarSchema.model_validate(
        {
            "facts": {"table": "facts", "key": "id", "date": "day", "keys": ["b"], "numeric": ["own"]},
            "dimensions": {
                "order": {"table": "orders", "key": "id", "numeric": ["value"]},
                "weather": {"table": "weather", "key": "b", "date": "at", "period": "hour", "numeric": ["rain"]},
                "known": {"table": "known", "key": "b", "numeric": ["size"]},
            },
        }
    )
    assert keyed_columns(star) == ["size"]


def test_averages_over_later_rows_cannot_be_known_ahead() -> None:
    star = StarSchema.model_validate(
        {
            "facts": {"table": "facts", "key": "id", "date": "day", "keys": ["b"]},
            "measures": {"x": "x"},
            "histories": {"h": {"keys": ["b"], "measures": {"x": ["avg"]}}},
            "naive": True,
        }
    )
    with pytest.raises(EvergreenError, match=r"features\.naive averages over all rows"):
        features_by_key(tables(facts(1), 1), star, SPEC, 1, None)
