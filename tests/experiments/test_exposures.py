"""What is read of exposures, and what makes them invalid."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.experiments.analysis import Analysed, analyse
from evergreen.experiments.exposures import Exposures, present_traffic, read_exposures
from evergreen.experiments.parameters import ExperimentPolicy
from evergreen.experiments.plan import plan_experiment
from evergreen.experiments.record import ExperimentRecord
from evergreen.experiments.verdict import sample_ratio
from evergreen.rows.labels import LabelDefinition

DAY = dt.date(2026, 3, 30)
METRIC = {"kind": "binary"}


def split(**block: Any) -> ExperimentPolicy:
    return ExperimentPolicy(
        **{
            "name": "x",
            "mode": "split",
            "metric": METRIC,
            "planned_rows": 100,
            "minimum_days": 1,
            "start": DAY,
            **block,
        }
    )


def exposed(rows: int = 200, **columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "request_id": [f"r{k}" for k in range(rows)],
            "entity_id": [f"ключ-{k}" for k in range(rows)],
            "timestamp": pd.date_range("2026-03-30", periods=rows, freq="min"),
            "variant": ["champion", "challenger"] * (rows // 2),
            "label": np.tile([0, 0, 1, 1], rows // 4),
        }
    )
    return frame.assign(**columns)


def verdict(frame: pd.DataFrame, experiment: ExperimentPolicy | None = None, **read: Any) -> ExperimentRecord:
    chosen = experiment or split()
    plan = plan_experiment(chosen, None, None, None)
    return analyse(Analysed("churn", chosen, {}), read_exposures(table(frame), chosen, **read), plan)


def table(frame: pd.DataFrame) -> ir.Table:
    return ibis.duckdb.connect().create_table("t", frame)


def test_units_rows_and_days_are_counted_whatever_script_ids_are_in() -> None:
    found = read_exposures(table(exposed()), split())
    assert found.units == {"champion": 100, "challenger": 100}
    assert (found.begun, found.as_of, found.faults) == (dt.date(2026, 3, 30), dt.date(2026, 3, 30), ())


NOTHING = pd.array([None] * 200, dtype="str")
INVALID = {
    "an arm without weight": (
        exposed(),
        split(variants={"champion": {"weight": 1}, "challenger": {"weight": 0}}),
        "variant challenger has 100 units and no weight",
    ),
    "an arm without rows": (exposed(variant="champion"), None, "sample ratio mismatch: champion 200 of 100"),
    "a stranger": (exposed(variant=["champion", "other"] * 100), None, "variant other has 100 units and no weight"),
    "uneven arms": (exposed(variant=["champion"] * 130 + ["challenger"] * 70), None, "sample ratio mismatch"),
    "a unit in both arms": (
        exposed(entity_id=[*["same"] * 2, *map(str, range(198))]),
        None,
        "1 unit met both variants",
    ),
    "two versions": (exposed(model_version=["1", "2", "1", "3"] * 50), None, "answered by versions 2, 3"),
    "clocks": (exposed(observed_at=pd.Timestamp("2026-03-01")), None, "200 outcomes observed on a day before"),
    "no unit": (exposed(entity_id=NOTHING, request_id=NOTHING), None, "200 exposures without a unit"),
}


@pytest.mark.parametrize("name", INVALID)
def test_exposures_that_cannot_be_believed_are_invalid(name: str) -> None:
    frame, experiment, told = INVALID[name]
    found = read_exposures(table(frame), experiment or split())
    said = " ".join([*found.faults, *sample_ratio(found, experiment or split())[1]])
    assert told in said


def test_what_cannot_be_believed_makes_the_verdict_invalid() -> None:
    record = verdict(exposed(variant="champion"))
    assert record.status == "invalid"
    assert record.reasons[0].startswith("Sample ratio mismatch: champion 200 of 100, challenger 0 of 100 units met")


def test_another_version_than_the_defined_one_is_invalid() -> None:
    found = read_exposures(table(exposed(model_version=["1", "2"] * 100)), split(), versions={"challenger": "3"})
    assert found.faults == ("variant challenger was answered by version 2, not by 3",)


@pytest.mark.parametrize("label", [0, 1])
def test_where_nothing_varies_nothing_is_shown(label: int) -> None:
    record = verdict(exposed(label=label))
    assert record.status == "roll_back"
    assert (record.primary.comparison.difference, record.primary.comparison.p_value) == (0.0, 1.0)


def test_where_everything_differs_it_is_shown() -> None:
    frame = exposed()
    record = verdict(frame.assign(label=(frame["variant"] == "challenger").astype(int)))
    assert (record.status, record.primary.comparison.difference) == ("ship", 1.0)


def test_an_outcome_counts_from_the_day_on_which_it_was_observed() -> None:
    late = exposed(observed_at=pd.Timestamp("2026-04-09"))
    assert verdict(late, as_of=DAY).known_rows == 0
    assert verdict(late, as_of=dt.date(2026, 4, 9)).known_rows == 200


def test_rows_outside_the_experiment_s_time_do_not_count() -> None:
    found = read_exposures(table(exposed()), split(start="2026-03-30T01:00:00+01:00", end="2026-03-30T01:00:00"))
    assert sum(found.units.values()) == 61


def test_without_a_start_a_split_begins_with_the_second_variant() -> None:
    frame = exposed(variant=["champion"] * 100 + ["challenger", "champion"] * 50)
    assert read_exposures(table(frame), split(start=None)).units == {"champion": 50, "challenger": 50}


def test_a_shadow_s_rows_are_paired_by_request() -> None:
    control = exposed(variant="champion", probability=0.3)
    shadow = exposed(variant="shadow", probability=0.6).assign(request_id=lambda t: t["request_id"] + "-shadow")
    alone = exposed(4, variant="champion", probability=0.1).assign(request_id=lambda t: "alone" + t["request_id"])
    found = read_exposures(table(pd.concat([control, shadow, alone])), ExperimentPolicy(name="x"))
    assert found.units == {"champion": 200, "challenger": 200}
    rows = found.table.select("a_probability", "b_probability", "a_confidence").execute()
    assert rows.drop_duplicates().to_numpy().tolist() == [[0.3, 0.6, 0.7]]


@pytest.mark.parametrize(
    ("definition", "labels", "expected"),
    [
        (LabelDefinition(target="left", kind="positive", positive=1), ["1", "0", "1.0", None], [1, 0, 1]),
        (LabelDefinition(target="left", kind="positive", positive="yes"), ["yes", "no", "no", None], [1, 0, 0]),
        (LabelDefinition(target="left", kind="above", threshold=2.0), ["3", "1", "2", None], [1, 0, 0]),
    ],
)
def test_an_outcome_is_read_by_the_version_s_own_definition(definition, labels, expected) -> None:
    found = read_exposures(table(exposed(4, label=labels)), split(), label=definition)
    rows = found.table.order_by("request_id").select("label").execute()["label"]
    assert rows.dropna().tolist() == expected
    assert rows.isna().sum() == 1


def test_a_label_that_is_no_outcome_is_refused() -> None:
    with pytest.raises(EvergreenError, match="label is 'maybe'"):
        read_exposures(table(exposed(4, label=["maybe"] * 4)), split())


@pytest.mark.parametrize("missing", ["variant", "timestamp"])
def test_a_missing_column_is_named(missing: str) -> None:
    with pytest.raises(EvergreenError, match="variant, timestamp or date, and entity_id or request_id are needed"):
        read_exposures(table(exposed().drop(columns=missing)), split())


def test_a_metric_s_column_that_is_not_there_is_named() -> None:
    with pytest.raises(EvergreenError, match="the exposures lack revenue"):
        verdict(exposed(), split(metric={"kind": "continuous", "column": "revenue"}))


def test_traffic_is_counted_by_day() -> None:
    frame = exposed(timestamp=pd.date_range("2026-03-01", periods=200, freq="h"), entity_id=["a", "b"] * 100)
    requests, entities = present_traffic(table(frame))
    assert (requests, entities) == (pytest.approx(200 / 9), pytest.approx(2 / 9))


def test_no_exposures_yet_is_no_error() -> None:
    assert isinstance(read_exposures(table(exposed()), split(start="2026-03-30T12:00")), Exposures)
    assert verdict(exposed(), split(start="2026-03-30T12:00")).status == "keep_running"
