from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.monitoring.served import service_window
from evergreen.schema import TableSpec

SPEC = TableSpec(entity="id", target="gone", numeric=["age"], categorical=["city"], snapshot_date="snapshot")
DATED = TableSpec(entity="id", date="day", block=["store", "day"], target="gone", numeric=["age"], categorical=["city"])


def predictions() -> ibis.Table:
    days = [dt.date(2026, 3, day) for day in (1, 8, 9, 9)]
    return ibis.memtable(
        pd.DataFrame(
            {
                "request_id": ["a", "b", "c", "d"],
                "variant": ["champion", "champion", "challenger", "shadow"],
                "date": days,
                "age": [30.0, 40.0, 50.0, 60.0],
                "city": ["A", "B", "A", "B"],
                "label": [1.0, 0.0, 1.0, None],
                "observed_at": [dt.datetime(2026, 3, 5), dt.datetime(2026, 3, 20), dt.datetime(2026, 3, 9), None],
            }
        )
    )


def test_the_newest_days_of_answers_are_a_snapshot_without_shadows() -> None:
    window = service_window(predictions(), SPEC, None, 7).execute()
    assert window["id"].tolist() == ["b", "c"]
    assert pd.to_datetime(window["snapshot"]).dt.strftime("%Y-%m-%d").unique().tolist() == ["2026-03-09"]


def test_a_label_counts_from_the_day_on_which_it_was_observed() -> None:
    window = service_window(predictions(), SPEC, "2026-03-09", 7).execute()
    assert window["gone"].isna().tolist() == [True, False]
    later = service_window(predictions(), SPEC, "2026-03-21", 21).execute()
    assert later["gone"].notna().all()


def test_a_dated_use_case_gets_its_keys() -> None:
    window = service_window(predictions(), DATED, None, 7).execute()
    assert set(window.columns) == {"id", "day", "store", "age", "city", "gone"}
    assert len(window) == 3


def test_what_is_missing_is_said() -> None:
    with pytest.raises(EvergreenError, match="collect_predictions"):
        service_window(None, SPEC, None, 7)
    with pytest.raises(EvergreenError, match="lacks city: they are kept"):
        service_window(predictions().drop("city"), SPEC, None, 7)
