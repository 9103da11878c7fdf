"""Predictions reach a Delta table and a Kafka topic, and a sink that is down loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from evergreen.datasets import PredictionLogDataset
from evergreen.datasets.prediction_log.compaction import collect
from evergreen.datasets.prediction_log.sinks import DeltaSink, KafkaSink, Sink
from evergreen.errors import EvergreenError
from evergreen.modelling.parameters import ScoringParameters
from logged_lines import SPEC, TODAY, line, write

NUMBERS = range(7)


class Producer:
    """As much of a client's protocol as a sink asks of it; full every third time."""

    def __init__(self, settings: dict[str, Any], down: bool = False) -> None:
        self.settings, self.down, self.calls = settings, down, 0
        self.messages: list[tuple[str, str, dict[str, Any]]] = []

    def produce(self, topic: str, key: str, value: bytes, on_delivery: Callable[[Any, Any], None]) -> None:
        self.calls += 1
        if self.calls % 3 == 0:
            raise BufferError
        self.messages.append((topic, key, json.loads(value)))
        on_delivery("broker down" if self.down else None, None)

    def poll(self, _: float) -> int:
        return 0

    def flush(self, _: float) -> int:
        return 0


def logged(folder: Path) -> None:
    write(folder / "log", *(line(number) for number in NUMBERS))


def run(folder: Path, *sinks: Sink) -> int:
    return collect(folder / "log", folder / "table", SPEC, ScoringParameters(), TODAY, sinks).rows


def known(folder: Path) -> list[str]:
    return sorted(pq.read_table(folder / "table")["request_id"].to_pylist())


def test_a_topic_gets_each_prediction_under_its_request(tmp_path: Path) -> None:
    logged(tmp_path)
    made: list[Producer] = []
    sink = KafkaSink(
        "answers",
        {"bootstrap.servers": "broker:9092"},
        {"sasl.password": "secret"},
        lambda settings: made.append(Producer(settings)) or made[0],
    )
    assert run(tmp_path, sink) == len(NUMBERS)
    assert [key for _, key, _ in made[0].messages] == known(tmp_path)
    assert {topic for topic, _, _ in made[0].messages} == {"answers"}
    assert made[0].messages[0][2]["probability"] is not None
    assert made[0].settings.items() >= {"enable.idempotence": True, "acks": "all", "sasl.password": "secret"}.items()


def test_a_broker_that_is_down_loses_nothing(tmp_path: Path) -> None:
    logged(tmp_path)
    with pytest.raises(EvergreenError, match="7 of 7 predictions were not taken by the Kafka topic answers"):
        run(tmp_path, KafkaSink("answers", {}, None, lambda settings: Producer(settings, down=True)))
    up: list[Producer] = []
    run(tmp_path, KafkaSink("answers", {}, None, lambda settings: up.append(Producer(settings)) or up[0]))
    assert [key for _, key, _ in up[0].messages] == known(tmp_path)
    assert len(known(tmp_path)) == len(NUMBERS)


def test_the_brokers_of_kafkas_own_library_take_them(tmp_path: Path) -> None:
    pytest.importorskip("confluent_kafka")
    logged(tmp_path)
    run(tmp_path, KafkaSink("answers", {"test.mock.num.brokers": 1, "log_level": 0}))
    assert not list((tmp_path / "log").glob("batch-*"))


def test_a_delta_table_has_each_prediction_once_though_a_batch_is_given_twice(tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    logged(tmp_path)
    delta = DeltaSink(str(tmp_path / "delta"))
    with pytest.raises(EvergreenError):  # the second sink is down: all get the batch again
        run(tmp_path, delta, KafkaSink("answers", {}, None, lambda settings: Producer(settings, down=True)))
    run(tmp_path, delta)
    write(tmp_path / "log", line(100))
    run(tmp_path, delta)
    rows = deltalake.DeltaTable(str(tmp_path / "delta")).to_pyarrow_table()
    assert sorted(rows["request_id"].to_pylist()) == known(tmp_path)
    assert len(known(tmp_path)) == len(NUMBERS) + 1


@pytest.mark.parametrize(
    ("sinks", "words"),
    [({"rabbit": {}}, "allowed: delta, kafka"), ({"kafka": {"subject": "x"}}, "the sink kafka .* can't be made")],
)
def test_a_sink_that_cannot_be_is_named(tmp_path: Path, sinks: dict[str, Any], words: str) -> None:
    with pytest.raises(EvergreenError, match=words):
        PredictionLogDataset(str(tmp_path / "log"), str(tmp_path / "table"), sinks=sinks)
