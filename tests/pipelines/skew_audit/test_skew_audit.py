"""The audit is silent while the warehouse confirms what was served, and names what it does not confirm."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from evergreen.features import star_features
from evergreen.features.by_key import keyed_columns
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.skew import SkewAuditRecord
from evergreen.pipelines.skew_audit.nodes import audit, audit_star
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema
from small_star import FACTS, KNOWN, facts, known

STAR = StarSchema.model_validate(
    {
        "facts": {"table": "facts", "key": "id", "date": "day", "keys": ["a", "b"], "numeric": ["own"]},
        "measures": {"x": "x"},
        "histories": {"h": {"keys": ["b"], "measures": {"x": ["avg", "total"]}, "frequency": True}},
        "dimensions": {"known": {"table": "known", "key": "b", "numeric": ["size"], "categorical": ["kind"]}},
        "calendar": ["month"],
    }
)
SPEC = TableSpec(
    entity="id", date="date", target="x", numeric=["h_avg_x", "h_total_x", "h_frequency", "size", "own"],
    categorical=["kind"],
)  # fmt: skip
ROWS = facts(5, 60).dropna(subset=["b"])
NEWEST = max(ROWS["day"])
ROWS.loc[ROWS["day"] == NEWEST, "b"] = 1
CUT = sorted(set(ROWS["day"]))[-4]


def tables(rows: pd.DataFrame, sizes: pd.DataFrame) -> dict[str, Any]:
    made = [pa.Table.from_pandas(f, s, preserve_index=False) for f, s in ((rows, FACTS), (sizes, KNOWN))]
    return dict(zip(("facts", "known"), map(ibis.memtable, made), strict=True))


def features(rows: pd.DataFrame) -> pd.DataFrame:
    return star_features(tables(rows, known()), STAR, SPEC).to_pandas()


def logged(rows: pd.DataFrame, **more: Any) -> ibis.Table:
    frame = rows.assign(variant="champion", timestamp=pd.Timestamp(NEWEST), date=pd.Timestamp(NEWEST).date())
    frame = frame.assign(request_id=[f"r{i}" for i in range(len(rows))], **{"entity_id": None, **more})
    return ibis.memtable(frame.assign(entity_id=frame["entity_id"].astype("str")))


def by_row(rows: pd.DataFrame) -> ibis.Table:
    """Requests that named the features and key of rows that the warehouse has by now."""
    made = features(rows)
    return logged(made[SPEC.features], entity_id=made["id"].astype(str).to_numpy())


def by_key(rows: pd.DataFrame, day: dt.date, known_until: dt.date) -> ibis.Table:
    """Requests for the keys of a day's rows, answered from facts up to a day before."""
    own = rows[rows["day"] == day]
    made = features(pd.concat([rows[rows["day"] <= known_until], own]))
    made = made[pd.to_datetime(made["date"]) == pd.Timestamp(day)]
    keys = [
        json.dumps({"a": None if pd.isna(a) else a, "b": str(int(b))})
        for a, b in zip(made["a"], made["b"], strict=True)
    ]
    return logged(made[[*keyed_columns(STAR), "own"]], asked_keys=keys, asked_date=day, known_until=known_until)


def audited(predictions: ibis.Table, rows: pd.DataFrame, sizes: pd.DataFrame | None = None) -> SkewAuditRecord:
    named = {f"table_{name}": each for name, each in tables(rows, known() if sizes is None else sizes).items()}
    window = star_features({name.removeprefix("table_"): each for name, each in named.items()}, STAR, SPEC)
    return audit_star(predictions, window, SPEC, MonitoringParameters(), NEWEST, "sales", STAR, **named)


@pytest.mark.parametrize("asked", [by_row(ROWS), by_key(ROWS, NEWEST, CUT)], ids=["by row", "by key"])
def test_it_is_silent_where_nothing_changed(asked: ibis.Table) -> None:
    record = audited(asked, ROWS)
    assert record.status == "same"
    assert record.requests == asked.count().execute()
    assert record.cells > 0


@pytest.mark.parametrize("asked", [by_row(ROWS), by_key(ROWS, NEWEST, CUT)], ids=["by row", "by key"])
def test_it_names_a_feature_whose_source_was_changed(asked: ibis.Table) -> None:
    record = audited(asked, ROWS, known().assign(size=[1.5 + 1e-9, 2.5]))
    assert (record.status, [column.column for column in record.columns]) == ("skew", ["size"])
    assert record.columns[0].greatest == pytest.approx(1e-9, rel=1e-3)
    assert record.request_ids


def test_a_sale_that_arrived_late_is_skew() -> None:
    asked = by_key(ROWS, NEWEST, CUT)
    late = ROWS[ROWS["day"] == CUT].assign(id=999, x=8.0, b=1)
    record = audited(asked, pd.concat([ROWS, late]))
    assert "h_frequency" in [column.column for column in record.columns]


def test_what_newer_facts_would_have_changed_is_counted_apart() -> None:
    record = audited(by_key(ROWS, NEWEST, CUT), ROWS)
    assert record.settled_requests == record.requests
    assert record.aged > 0


def test_without_keys_there_is_nothing_to_compare() -> None:
    rows = features(ROWS)
    found = audit(logged(rows[SPEC.features]), ibis.memtable(rows), SPEC, MonitoringParameters(), None, "sales")
    assert (found.status, audit(None, ibis.memtable(rows), SPEC, MonitoringParameters(), None, "sales").status) == (
        "nothing_to_compare",
        "nothing_to_compare",
    )
