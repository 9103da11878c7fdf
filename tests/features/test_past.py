"""A dated table's rows learn from their own past, and only from it."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.features import add_past
from evergreen.features.star_contract import require_known_in_time
from evergreen.histories import Past
from evergreen.schema import TableSpec

SPEC = TableSpec(entity="id", date="at", target="fraud", positive="yes", numeric=["amount"])
PAST = Past.model_validate(
    {
        "measures": {"amount": "amount", "fraud": {"when": {"column": "fraud", "equals": ["yes"]}}},
        "calendar": ["month"],
        "histories": {
            "card": {"keys": ["card"], "measures": {"amount": ["avg", "max"]}, "frequency": True, "windows": [2, 9]},
            "shop": {"keys": ["shop"], "measures": {"fraud": ["avg"]}, "delay_days": 3},
        },
    }
)
ROWS = pd.DataFrame(
    {
        "id": [1, 2, 3, 4],
        "at": [dt.date(2026, 1, day) for day in (1, 4, 5, 5)],
        "card": ["a", "a", "a", "b"],
        "shop": [7, 7, 7, None],
        "amount": [10.0, 20.0, 30.0, 40.0],
        "fraud": ["yes", None, "no", "no"],
    }
)


def found(rows: pd.DataFrame = ROWS) -> pd.DataFrame:
    return add_past(ibis.memtable(rows), SPEC, PAST).order_by("id").to_pandas().set_index("id")


def test_windows_look_back_from_the_day_before() -> None:
    rows = found()
    assert rows["card_frequency_2d"].tolist() == [0, 0, 1, 0]
    assert rows["card_frequency_9d"].tolist() == [0, 1, 2, 0]
    assert rows.loc[3, ["card_avg_amount_9d", "card_max_amount_9d"]].tolist() == [15.0, 20.0]


def test_outcomes_are_seen_after_their_delay_and_the_unknown_ones_never() -> None:
    assert found()["shop_avg_fraud"].isna().tolist() == [True, False, False, True]
    assert found().loc[3, "shop_avg_fraud"] == 1.0


def test_rows_and_columns_stay_as_they_were() -> None:
    rows = found()
    assert rows.index.tolist() == ROWS["id"].tolist()
    assert list(rows.columns) == [*ROWS.columns[1:], *PAST.past_columns]


def test_a_history_of_outcomes_that_are_not_known_by_then_is_refused() -> None:
    require_known_in_time("fraud", PAST, 3)
    with pytest.raises(EvergreenError, match=r"history shop ends 3 day.* sees fraud, which is known after 14"):
        require_known_in_time("fraud", PAST, 14)


def test_a_history_of_a_measure_that_nobody_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="history card is of price, but measures are amount: add it there"):
        Past.model_validate(
            {
                "measures": {"amount": "amount"},
                "histories": {"card": {"keys": ["card"], "measures": {"price": ["avg"]}}},
            }
        )
