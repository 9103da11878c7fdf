"""Claims about tables of every kind that went wrong once, each with other columns, values, types and files than then.

They go the way of a run: the catalog's dataset, the contract that the description implies, the features, and for a
snapshot the categories as the version knows them that learnt from the other table.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError
from pydantic import ValidationError

from evergreen.datasets import LakeDataset, TableFileDataset
from evergreen.errors import EvergreenError
from evergreen.features import star_features
from evergreen.features.star_contract import check_star
from evergreen.histories import Past
from evergreen.modelling.preprocessing import CategoryText
from evergreen.pipelines.feature_engineering.nodes import (
    make_current_features,
    make_dated_features,
    make_one_table_features,
)
from evergreen.rows.labels import fit_label_definition
from evergreen.rows.parameters import LabelPolicy, SplitParameters
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema

CONNECTION = {"backend": "duckdb", "database": ":memory:", "preserve_insertion_order": False}
N = 200
DRAW = np.random.default_rng(3)
POLICIES = pd.DataFrame(
    {
        "police": [f"P-{i:04d}" for i in range(N)],
        "hsn": DRAW.integers(1, 9, N),
        "kw": DRAW.normal(90, 20, N).round(1),
        "schaden": np.where(DRAW.random(N) < 0.3, "ja", "nein"),
    }
)
SPEC: dict[str, Any] = {
    "entity": "police", "target": "schaden", "positive": "ja", "numeric": ["kw"], "categorical": ["hsn"],
}  # fmt: skip


def from_file(rows: pd.DataFrame | str | bytes, folder: Path, kind: str = "parquet", **load_args: Any) -> Any:
    """The table as the catalog loads it."""
    file = folder / f"{len(list(folder.iterdir()))}.{kind}"
    if isinstance(rows, pd.DataFrame):
        (rows.to_parquet if kind == "parquet" else rows.to_csv)(file, index=False)
    else:
        file.write_bytes(rows if isinstance(rows, bytes) else rows.encode())
    options = {"file_format": kind, "connection": CONNECTION, "load_args": load_args, "table": "motor.customers"}
    return TableFileDataset(str(file), **options).load()


def learnt(rows: Any, **changed: Any) -> pd.DataFrame:
    spec = TableSpec(**SPEC | changed)
    return make_one_table_features(rows, spec, SplitParameters(), None).order_by("police").to_pandas()


def seen_now(rows: Any, **changed: Any) -> pd.DataFrame:
    return make_current_features(rows, TableSpec(**SPEC | changed), None).order_by("police").to_pandas()


def unknown_share(training: pd.DataFrame, current: pd.DataFrame, column: str) -> float:
    """Share of a snapshot's rows whose category the version does not know."""
    known = CategoryText().fit(training[[column]])
    return float((~pd.Series(known.transform(current[[column]])[:, 0]).isin(known.levels_[0])).mean())


def test_utf_16_is_named_in_the_refusal_and_read_once_it_is_given(tmp_path: Path) -> None:
    content = POLICIES.assign(ort="Łódź").to_csv(index=False, sep="\t").encode("utf-16")
    with pytest.raises(DatasetError, match=r"motor.customers: .* is not UTF-8 .* utf-16"):
        from_file(content, tmp_path, "csv")
    rows = from_file(content, tmp_path, "csv", encoding="utf-16", types={"hsn": "VARCHAR"})
    assert set(learnt(rows, categorical=["ort"]).ort) == {"Łódź"}


def test_exponents_and_fractions_after_many_whole_numbers_are_kept(tmp_path: Path) -> None:
    lines = [f"P{i};{i};{'ja' if i % 3 else 'nein'}" for i in range(22_000)] + ["X1;7.5;ja", "X2;2.5e-3;nein"]
    rows = from_file("police;kw;schaden\n" + "\n".join(lines), tmp_path, "csv")
    assert learnt(rows, categorical=[]).kw.tail(2).tolist() == [7.5, 0.0025]


@pytest.mark.parametrize("outcome", [True, "ja", None])
def test_a_snapshot_with_one_class_or_none_is_taken(outcome: object, tmp_path: Path) -> None:
    current = POLICIES.assign(schaden=pd.Series([outcome] * N, dtype="object"))
    assert len(seen_now(from_file(current, tmp_path))) == N


def test_a_snapshot_lacks_the_outcome_and_its_weights_and_has_other_columns(tmp_path: Path) -> None:
    current = POLICIES.drop(columns="schaden").assign(schadenart="Hagel")
    assert list(seen_now(from_file(current, tmp_path), weights="jahre").columns) == ["police", "kw", "hsn"]


@pytest.mark.parametrize(("late", "refused"), [(29, False), (45, True)])
def test_outcomes_of_the_newest_days_alone_may_be_unknown(late: int, refused: bool, tmp_path: Path) -> None:
    beginn = pd.Series(pd.date_range("2025-03-01", periods=N).strftime("%Y-%m-%dT08:00:00"))
    rows = POLICIES.assign(beginn=beginn, schaden=POLICIES.schaden.where(POLICIES.index < N - late))
    spec = TableSpec(**SPEC | {"date": "beginn"})
    made = (from_file(rows, tmp_path), spec, SplitParameters(label_delay_days=30, history_days=0), Past(), None)
    if refused:
        with pytest.raises(EvergreenError, match=r"rows.schaden fails null_values: 15 of 200 rows up to 2025-08-17"):
            make_dated_features(*made)
    else:
        assert make_dated_features(*made).schaden.isnull().sum().execute() == late  # noqa: PD003 - an Ibis column


@pytest.mark.parametrize(
    "stored",
    [
        lambda hsn: hsn.astype("float32").where(hsn.index > 0),
        lambda hsn: hsn.map(lambda code: decimal.Decimal(f"{code}.00")),
        lambda hsn: hsn.astype("str"),
        lambda hsn: hsn.astype("Int8").where(hsn.index > 3),
    ],
)
def test_codes_are_the_same_codes_in_every_type(stored: Callable[[pd.Series], pd.Series], tmp_path: Path) -> None:
    training = learnt(from_file(POLICIES.astype({"hsn": "int16"}), tmp_path))
    current = seen_now(from_file(POLICIES.assign(hsn=stored(POLICIES.hsn)), tmp_path))
    there = current.hsn.notna()
    assert unknown_share(training, current[there], "hsn") == 0
    assert current.hsn[there].tolist() == training.hsn[there].tolist()


@pytest.mark.parametrize(
    ("written", "now", "unknown"),
    [
        (["Y", "N"], ["Y", "N", "?"], 1 / 3),
        ([True, False], ["TRUE", "false"], 0),
        ([True, False], ["true", "false", "n/a"], 1 / 3),
        (["on", "off"], ["on", "off", None], 0),
    ],
)
def test_truth_values_are_read_alike_whatever_stands_beside_them(
    written: list[Any], now: list[Any], unknown: float, tmp_path: Path
) -> None:
    frames = [
        POLICIES.iloc[: 60 // len(values) * len(values)].assign(vollkasko=pd.Series(values * (60 // len(values))))
        for values in (written, now)
    ]
    training, current = (
        make(from_file(frame, tmp_path, "csv" if frame is frames[1] else "parquet"), categorical=["vollkasko"])
        for make, frame in zip((learnt, seen_now), frames, strict=True)
    )
    there = current.vollkasko.notna()
    assert unknown_share(training, current[there], "vollkasko") == pytest.approx(unknown)


@pytest.mark.parametrize("name", ["latency_ms", "Request_ID", "block_share"])
def test_a_feature_under_a_name_of_predictions_is_refused_before_anything_is_read(name: str) -> None:
    with pytest.raises(ValidationError, match=f"features {name} bear a name that predictions use themselves"):
        TableSpec(**SPEC | {"numeric": [name]})


def test_columns_that_differ_by_case_only_are_named_and_none_is_to_be_renamed_to_the_other(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"columns KW, kw, whose names are equal or differ by case only"):
        from_file(POLICIES.assign(KW=1)[["KW", *POLICIES.columns]], tmp_path, "csv")


@pytest.mark.parametrize("values", [["TRUE", "FALSE"], [True, None], [1, 0], ["1", "0"]])
def test_truth_values_among_numbers_are_one_and_zero(values: list[Any], tmp_path: Path) -> None:
    garage = pd.Series(values * (N // 2), dtype="object")
    kind = "csv" if isinstance(values[0], str) else "parquet"
    found = learnt(from_file(POLICIES.assign(garage=garage), tmp_path, kind), numeric=["garage"])
    assert set(found.garage.dropna()) == ({1.0} if None in values else {0.0, 1.0})


@pytest.mark.parametrize(
    ("stored", "positive"),
    [
        (lambda y: y.map({True: decimal.Decimal("1.0"), False: decimal.Decimal("0.0")}), "1"),
        (lambda y: y.map({True: "2.0", False: "1.0"}), 2),
        (lambda y: y.astype("float64"), True),
        (lambda y: y.map({True: "true", False: "false"}), True),
    ],
)
def test_a_positive_value_is_found_in_every_type(
    stored: Callable[[pd.Series], pd.Series], positive: object, tmp_path: Path
) -> None:
    hit = POLICIES.schaden == "ja"
    found = learnt(from_file(POLICIES.assign(schaden=stored(hit)), tmp_path), positive=positive)
    spec = TableSpec(**SPEC | {"positive": positive})
    label = fit_label_definition(found.schaden, spec, LabelPolicy())
    assert label.apply(found.schaden).tolist() == hit.astype(int).tolist()


def test_of_four_classes_two_count_as_one_when_they_are_listed(tmp_path: Path) -> None:
    rows = POLICIES.assign(schaden=(["keiner", "Glas", "Hagel", "Wild"] * N)[:N])
    with pytest.raises(EvergreenError, match=r"keiner.*name under positive the value, or the list"):
        learnt(from_file(rows, tmp_path), positive="Diebstahl")
    found = learnt(from_file(rows, tmp_path), positive=("Glas", "Hagel"))
    spec = TableSpec(**SPEC | {"positive": ("Glas", "Hagel")})
    assert fit_label_definition(found.schaden, spec, LabelPolicy()).apply(found.schaden).mean() == 0.5


@pytest.mark.parametrize("texts", [lambda i: f"kunde{i}@example.org", lambda i: f"{i:032x}", lambda i: f"Tel. {i}"])
def test_a_category_with_a_level_a_row_is_refused(texts: Callable[[int], str], tmp_path: Path) -> None:
    rows = POLICIES.assign(kontakt=[texts(i) for i in range(N)])
    with pytest.raises(EvergreenError, match=r"customers.kontakt fails levels_that_repeat: 200 levels in 200 rows"):
        learnt(from_file(rows, tmp_path), categorical=["kontakt"])


# Star schemas: trips of bicycles, which begin at stations, as files of a lake.
STAR = StarSchema.model_validate(
    {
        "history_days": 5,
        "facts": {"table": "trips", "key": "trip", "date": "began", "keys": ["station"]},
        "measures": {"km": "km"},
        "histories": {"station": {"keys": ["station"], "measures": {"km": ["avg"]}, "windows": []}},
        "dimensions": {"place": {"table": "stations", "key": "station", "categorical": ["quarter"]}},
        "calendar": ["is_weekend"],
    }
)
TRIPS = TableSpec(entity="trip", date="day", target="km", threshold=3.0, numeric=["station_avg_km"])
FIRST = dt.date(2026, 2, 6)  # a Friday


def lake(folder: Path, stations: Any = None, **changed: Any) -> pd.DataFrame:
    """Features of trips; ``changed`` are columns of the trips."""
    days = [FIRST + dt.timedelta(days=day) for day in (0, 1, 2, 3)]
    trips = {"trip": [1, 2, 3, 4], "began": days, "station": [7, 7, 8, 7], "km": [1.0, 3.0, 5.0, 2.0]}
    for name, table in {
        "trips": pa.table(trips | changed),
        "stations": pa.table(stations or {"station": [7, 8], "quarter": ["old town", "port"]}),
    }.items():
        if not (folder / name).exists():
            pq.write_table(table, folder / f"{name}.parquet")
    tables = {
        name: LakeDataset(lake=str(folder), table=name, connection=CONNECTION).load() for name in ("trips", "stations")
    }
    check_star(tables, STAR)
    return star_features(tables, STAR, TRIPS).order_by("trip").to_pandas()


def test_a_star_needs_the_columns_that_its_description_names_which_may_be_called_as_the_calendars(
    tmp_path: Path,
) -> None:
    found = lake(tmp_path)
    assert found.quarter.tolist() == ["old town", "old town", "port", "old town"]
    assert found.station_avg_km.tolist()[3] == 2.0


@pytest.mark.parametrize(
    "began",
    [
        pa.array([20260206, 20260207, 20260208, 20260209], pa.int32()),
        pa.array([20260206.0, 20260207.0, 20260208.0, 20260209.0]),
        pa.array(["20260206", "20260207", "20260208", "20260209"]),
        pa.array([dt.datetime(2026, 2, 6 + day, 23, 59) for day in range(4)], pa.timestamp("ms")),
    ],
)
def test_days_of_a_star_are_read_from_numbers_texts_and_moments(began: pa.Array, tmp_path: Path) -> None:
    assert lake(tmp_path, began=began).is_weekend.tolist() == [0, 1, 1, 0]


def test_moments_with_a_zone_have_no_day_until_a_place_is_named(tmp_path: Path) -> None:
    moments = [dt.datetime(2026, 2, 6 + day, 2, tzinfo=dt.UTC) for day in range(4)]  # evenings before in New York
    with pytest.raises(EvergreenError, match=r"began.* holds timestamps with a time zone"):
        lake(tmp_path, began=pa.array(moments, pa.timestamp("us", tz="America/New_York")))


@pytest.mark.parametrize(
    ("station", "sentence"),
    [
        (["7", "7", "8", "7"], r"trips.station is string but stations.station is int64"),
        (pa.array([FIRST] * 4), r"trips.station fails column_type: type date, allowed text or whole numbers"),
    ],
)
def test_keys_of_two_types_are_named_with_both(station: Any, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(EvergreenError, match=sentence):
        lake(tmp_path, station=station)


def test_a_key_that_a_null_has_made_a_float_is_a_key(tmp_path: Path) -> None:
    found = lake(tmp_path, station=pa.array([7.0, None, 8.0, 7.0]), stations={"station": [7, 8], "quarter": ["a", "b"]})
    assert found.quarter.fillna("").tolist() == ["a", "", "b", "a"]


def parts(folder: Path, *km: pa.Array) -> None:
    (folder / "trips").mkdir()
    for i, each in enumerate(km):
        rows = {"km": each, "trip": [2 * i, 2 * i + 1], "station": [7, 7], "began": [FIRST, FIRST]}
        pq.write_table(pa.table(rows), folder / "trips" / f"{i}.parquet")


def test_fractions_of_the_third_file_of_a_lake_are_kept(tmp_path: Path) -> None:
    parts(tmp_path, pa.array([1, 2], pa.int8()), pa.array([3, 4], pa.int64()), pa.array([0.5, 1.25], pa.float32()))
    assert lake(tmp_path).km.sum() == 11.75


@pytest.mark.parametrize(
    ("later", "kind"),
    [(pa.array([True, False]), "BOOLEAN"), (pa.array([FIRST, FIRST]), "DATE"), (pa.array(["1", "2"]), "VARCHAR")],
)
def test_files_of_a_lake_with_two_types_of_a_column_are_refused(later: pa.Array, kind: str, tmp_path: Path) -> None:
    parts(tmp_path, pa.array([1.0, 2.0]), pa.array([3, 4]), later)
    with pytest.raises(DatasetError, match=rf"trips: column km is DOUBLE in trips/0.parquet but {kind} in trips/2"):
        lake(tmp_path)
