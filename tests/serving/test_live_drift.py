"""Live traffic against the reference, many simulated looks in one process."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from kedro.io import DataCatalog
from small_service import SPEC, USE_CASE, table

from evergreen import registry
from evergreen.datasets.alerts.channel import AlertChannel, AlertChannelsDataset, send_alerts
from evergreen.datasets.alerts.receivers import EmailDataset, WebhookDataset
from evergreen.reporting.monitoring.messages import AlertMessage
from evergreen.serving.live_drift import LiveDrift
from evergreen.serving.loader import export
from evergreen.serving.served import Served
from evergreen.serving.settings import LiveDriftSettings
from evergreen.serving.tally import SUFFIX, Layout, LiveTally

LOOKS_OF_A_WEEK = 7 * 24 * 60
SETTINGS = LiveDriftSettings(window_minutes=60, min_rows=300)


class Traffic:
    """One worker's tally, fed with requests drawn anew from the use case's own rows."""

    def __init__(self, folder: Path, served: Served) -> None:
        layout = Layout(served.facts["watch"], served.features)
        self._tally = LiveTally(folder / f"w~{served.version}{SUFFIX}", layout)
        rows = table(600)
        self._columns = [rows[name].to_numpy() for name in SPEC.features]
        model = registry.load(USE_CASE, served.version)
        self._scores = model.probabilities(rows[SPEC.features])
        self._random = np.random.default_rng(0)

    def minute(self, rows: int, shift: float = 0.0) -> None:
        drawn = self._random.integers(600, size=rows)
        columns: list[Any] = [column[drawn] for column in self._columns]
        columns[0] = columns[0] + shift
        self._tally.add_counts(self._tally.count(columns, self._scores[drawn]))


@pytest.fixture(scope="module")
def served(versions, tmp_path_factory: pytest.TempPathFactory) -> Served:
    return Served(export(USE_CASE, versions.linear, tmp_path_factory.mktemp("exports")))


def test_a_shift_is_found_at_the_next_look_and_told_once(served: Served, tmp_path: Path) -> None:
    traffic, told = Traffic(tmp_path, served), []
    live = LiveDrift(USE_CASE, tmp_path, SETTINGS, told.extend)
    traffic.minute(600)
    quiet = live.look(served.version)["columns"]
    assert not any(column["alarm"] for column in quiet.values())
    traffic.minute(3000, shift=20.0)
    found = live.look(served.version)
    assert found["columns"]["age"]["alarm"]
    assert not found["columns"]["income"]["alarm"]
    assert found["estimated_auc"] == pytest.approx(0.8, abs=0.2)
    live.look(served.version)
    assert [message.title for message in told] == [f"{USE_CASE}: live traffic has drifted"]
    assert told[0].lines[0].startswith("age: Its values are distributed differently")


@pytest.mark.parametrize(("shift", "found"), [(20.0, True), (2.0, False)])
def test_a_large_shift_is_found_within_two_looks_of_a_quiet_hour(
    served: Served, tmp_path: Path, shift: float, found: bool
) -> None:
    traffic, told = Traffic(tmp_path, served), []
    live = LiveDrift(USE_CASE, tmp_path, SETTINGS, told.extend)
    for _ in range(61):
        traffic.minute(400)
        live.look(served.version)
    assert told == []
    for _ in range(2):
        traffic.minute(400, shift=shift)
        seen = live.look(served.version)
    assert (seen["columns"]["age"]["alarm"], len(told)) == (found, int(found))


class Kept(AlertChannel):
    """A channel of one's own."""

    messages: ClassVar[list[AlertMessage]] = []

    def is_set(self) -> bool:
        return True

    def send(self, message: AlertMessage) -> None:
        self.messages.append(message)


def test_an_alert_reaches_channels_of_ones_own(served: Served, tmp_path: Path) -> None:
    own = AlertChannelsDataset({"pager": {"type": Kept, "name": "pager", "min_severity": "warning"}})
    unset = {f"{USE_CASE}.webhook": WebhookDataset(url=None), f"{USE_CASE}.mail": EmailDataset(host=None)}
    catalog = DataCatalog({**unset, f"{USE_CASE}.channels": own})
    traffic = Traffic(tmp_path, served)
    live = LiveDrift(USE_CASE, tmp_path, SETTINGS, lambda messages: send_alerts(catalog, USE_CASE, messages))
    traffic.minute(3000, shift=20.0)
    live.look(served.version)
    assert [message.title for message in Kept.messages] == [f"{USE_CASE}: live traffic has drifted"]


def test_quiet_traffic_raises_no_alarm_in_a_week_of_looks(served: Served, tmp_path: Path) -> None:
    traffic, told = Traffic(tmp_path, served), []
    live = LiveDrift(USE_CASE, tmp_path, SETTINGS, told.extend)
    for look in range(LOOKS_OF_A_WEEK // 30):  # windows share rows: every thirtieth has half of them anew
        traffic.minute(200 + look % 7)
        live.look(served.version)
    assert told == []


def test_few_rows_are_not_judged(served: Served, tmp_path: Path) -> None:
    traffic = Traffic(tmp_path, served)
    live = LiveDrift(USE_CASE, tmp_path, SETTINGS, lambda _: None)
    traffic.minute(299, shift=50.0)
    assert live.look(served.version)["status"] == "insufficient_data"


def test_rows_one_by_one_are_counted_as_rows_together(served: Served, tmp_path: Path) -> None:
    layout = Layout(served.facts["watch"], served.features)
    alone, together = (LiveTally(tmp_path / f"{name}{SUFFIX}", layout) for name in ("a", "b"))
    rows = [(41.0, None, "A"), (None, 2.0, None), (1e30, -5.0, 7), (40.0, 1.0, "unseen")]
    for values in rows:
        alone.add(values, 0.3)
    alone.flush()
    together.add_counts(together.count(list(zip(*rows, strict=True)), np.full(4, 0.3)))
    first, second = (np.fromfile(tmp_path / f"{name}{SUFFIX}", np.int64) for name in ("a", "b"))
    blocks = layout.blocks(first)
    assert (first == second).all()
    assert {name: int(block[-1]) for name, block in blocks.items() if name} == {"age": 1, "income": 1, "city": 1}
    assert blocks["city"][-2] == 1
    assert all(int(block.sum()) == 4 for block in blocks.values())
