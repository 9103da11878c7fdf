"""A service's answers watched by the hour, through the pipelines as the project wires them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from evergreen.datasets import CountsDataset, HistoryDataset
from evergreen.errors import EvergreenError
from evergreen.monitoring.alerts import disjoint_windows
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.past.counts import past_columns
from evergreen.monitoring.record import MonitoringRecord
from evergreen.monitoring.served import by_the_hour, newest_hour, service_window
from evergreen.registry import load, reference
from tiny_use_case import TABLE, Kept, KeptOnceMade, TinyUseCase, people

pytestmark = pytest.mark.slow

FIRST = dt.datetime(2026, 3, 1)
DAYS, AN_HOUR = 12, 60
SIX_HOURS = dt.timedelta(hours=6)


def answers(shifted_from: dt.datetime | None = None) -> ibis.Table:
    """Sixty answers an hour; older people ask by day; from some hour on all of them are older."""
    rows = people(DAYS * 24 * AN_HOUR, 5, "2026-03-01")
    hours = np.arange(len(rows)) // AN_HOUR
    times = pd.to_datetime(FIRST) + pd.to_timedelta(hours, "h") + pd.to_timedelta(np.arange(len(rows)) % AN_HOUR, "min")
    by_day = np.where((hours % 24 >= 6) & (hours % 24 < 18), 10.0, 0.0)
    later = 0.0 if shifted_from is None else 25.0 * (times >= shifted_from)
    return ibis.memtable(
        rows[["balance", "region"]].assign(
            age=rows["age"] + by_day + later,
            request_id=[f"r{number}" for number in range(len(rows))],
            variant="champion",
            timestamp=times,
            date=times.normalize(),
            label=None,
            observed_at=pd.Series(pd.NaT, rows.index, dtype="datetime64[us]"),
        )
    )


class Watched(TinyUseCase):
    """A use case whose histories lie on disk, and whose service has answered for twelve days."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.kept["monitoring"] = self.kept["newest_monitoring"] = KeptOnceMade()

    def look(self, folder: Path, log: ibis.Table, as_of: str | None) -> MonitoringRecord:
        history = HistoryDataset(str(folder / "history"))
        metrics, counts = HistoryDataset(str(folder / "metrics")), CountsDataset(str(folder / "counts.parquet"))
        self.kept |= {
            "params:as_of": Kept(as_of),
            "params:monitoring": Kept(MonitoringParameters(source="service", window="6h")),
            "service_predictions": Kept(log),
            "monitoring_history": history, "past_monitoring_history": history,
            "window_metrics": metrics, "past_window_metrics": metrics,
            "window_counts": counts, "past_window_counts": counts,
        }  # fmt: skip
        self.run("monitoring")
        record: MonitoringRecord = self["monitoring"]
        return record


@pytest.fixture
def tiny(mlflow_store: Path) -> Watched:
    use_case = Watched()
    use_case.run("feature_engineering", "training", "evaluation")
    return use_case


def test_a_prediction_log_is_watched_by_the_hour(tiny: Watched, tmp_path: Path) -> None:
    log = answers(shifted_from=dt.datetime(2026, 3, 11, 12))
    night = tiny.look(tmp_path, log, "2026-03-11T05:30")
    assert (night.window_start, night.window_end) == (dt.datetime(2026, 3, 11), dt.datetime(2026, 3, 11, 5, 59))
    assert (night.rows, night.as_of) == (6 * AN_HOUR, dt.date(2026, 3, 11))
    assert MonitoringRecord.model_validate_json(night.model_dump_json()) == night
    day = tiny.look(tmp_path, log, "2026-03-11T11:30")
    assert not night.open_alerts
    assert day.scores.design_effect > 5  # nights differ from days, which is no drift
    assert not day.open_alerts  # the first look has counted forty earlier windows, nights and days

    loud = tiny.look(tmp_path, log, "2026-03-11T17:30")
    assert list(loud.open_alerts) == ["age", "probability"]  # what the model says of older people, too
    assert loud.scores.design_windows is not None
    assert "window 2026-03-11 12:00 to 17:59" in tiny["monitoring_page"]
    assert "Window 2026-03-11 12:00 to 17:59" in tiny["dashboard"]
    assert "2026-03-11 11:59" in tiny["monitoring_page"]  # the window before, under the trends
    assert "windows of 6 hours" in loud.false_alarm_budget

    files = sorted(file.name for file in (tmp_path / "history").iterdir())
    assert files == [f"2026-03-11T{hour}-version-1.parquet" for hour in ("05", "11", "17")]
    metrics = tiny["past_window_metrics"]
    assert metrics["window_end"].drop_duplicates().dt.strftime("%d %H:%M").tolist() == [
        "11 05:59", "11 11:59", "11 17:59",
    ]  # fmt: skip
    assert len(disjoint_windows(metrics)) == 3


def test_windows_are_counted_from_the_log_as_one_by_one(tiny: Watched, tmp_path: Path) -> None:
    log = answers()
    for hour in ("05", "11", "17"):
        tiny.look(tmp_path, log, f"2026-03-11T{hour}:00")
    known = by_the_hour(reference(load(tiny.name, "1"))).profile
    kept = past_columns(tiny["past_window_counts"], known, dt.datetime(2026, 3, 11, 18), SIX_HOURS)["age"]
    assert tiny.look(tmp_path / "anew", log, "2026-03-12").window_end == dt.datetime(2026, 3, 12, 23, 59)
    anew = past_columns(tiny["past_window_counts"], known, dt.datetime(2026, 3, 11, 18), SIX_HOURS)["age"]
    assert len(anew.counts) == 43
    assert np.array_equal(anew.counts, kept.counts)
    assert np.array_equal(anew.counts.sum(axis=1), np.full(43, 6 * AN_HOUR))


def test_without_a_date_a_window_ends_with_the_newest_hour() -> None:
    dated = TABLE.model_copy(update={"date": "when"})
    log = answers().filter(ibis._["timestamp"] < dt.datetime(2026, 3, 5, 7, 5))
    window = service_window(log, dated, None, 7, hours=True)
    assert newest_hour(window, dated, None) == dt.datetime(2026, 3, 5, 7, 59)


def test_hours_are_refused_where_there_are_days_alone() -> None:
    with pytest.raises(ValidationError, match="window: 6h needs rows with a time"):
        MonitoringParameters(window="6h")
    days_alone = answers().mutate(timestamp=ibis._["timestamp"].cast("date"))
    with pytest.raises(EvergreenError, match=r"monitoring\.window is in hours, but timestamp of .* is date"):
        service_window(days_alone, TABLE, None, 7, hours=True)
