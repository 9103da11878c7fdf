from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from evergreen.rows.fingerprint import content_digest, fingerprint

TABLE = st.lists(
    st.tuples(st.integers(-50, 50), st.sampled_from(["a", "b", "", "é"]), st.floats(-5, 5)), min_size=1, max_size=30
)


@settings(max_examples=30)
@given(rows=TABLE, seed=st.integers(0, 99))
def test_the_digest_forgets_the_order_of_rows_and_columns(rows, seed):
    frame = pd.DataFrame(rows, columns=["x", "y", "z"])
    shuffled = frame.sample(frac=1, random_state=seed)[["z", "x", "y"]]
    assert content_digest(frame) == content_digest(shuffled)


@settings(max_examples=30)
@given(rows=TABLE, data=st.data())
def test_the_digest_notices_a_changed_a_lost_and_a_doubled_row(rows, data):
    frame = pd.DataFrame(rows, columns=["x", "y", "z"])
    row = data.draw(st.integers(0, len(rows) - 1))
    changed = frame.copy()
    changed.loc[row, "x"] += 1
    doubled = pd.concat([frame, frame.iloc[[row]]])
    digests = {content_digest(each) for each in (frame, changed, frame.drop(index=row), doubled)}
    assert len(digests) == 4


def test_the_digest_notices_two_columns_that_swap_names_and_two_rows_that_swap_a_value():
    frame = pd.DataFrame({"x": [1, 2], "y": [3, 4]})
    assert content_digest(frame) != content_digest(frame.rename(columns={"x": "y", "y": "x"}))
    assert content_digest(frame) != content_digest(pd.DataFrame({"x": [1, 2], "y": [4, 3]}))


def test_the_digest_is_the_same_for_equivalent_dtypes():
    plain = pd.DataFrame({"n": [1, 2], "day": ["2026-03-01", "2026-03-02"], "c": ["a", "b"]})
    typed = pd.DataFrame(
        {
            "n": pd.array([1, 2], dtype="Int32"),
            "day": pd.to_datetime(plain["day"]),
            "c": plain["c"].astype("category"),
        }
    )
    assert content_digest(plain) == content_digest(typed)


class Policy(BaseModel):
    alpha: float = 0.05
    since: dt.date = dt.date(2026, 1, 1)


def test_a_fingerprint_depends_on_values_and_not_on_the_order_of_keys():
    assert fingerprint({"a": 1, "b": 2}, Policy()) == fingerprint({"b": 2, "a": 1}, Policy())
    assert fingerprint(Policy()) != fingerprint(Policy(alpha=0.1))


def test_a_fingerprint_refuses_what_has_no_json_form():
    with pytest.raises(TypeError, match="no JSON form for object"):
        fingerprint(object())
