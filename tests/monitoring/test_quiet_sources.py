"""Claims about the sources that ship with the project: quiet where nothing changes, loud where something does."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
import pytest
import yaml

from evergreen.datasets.synthetic.churn import ChurnRecipe
from evergreen.datasets.synthetic.retail import FIRST_DAY, RetailRecipe
from evergreen.datasets.synthetic.scenario import Scenario
from evergreen.monitoring import DriftPolicy, DriftReport, Profile, build_profile, compare_profiles, merge
from evergreen.monitoring.alerts import alerts_over_time, history_rows
from evergreen.monitoring.past.replay import for_pooled
from evergreen.schema import TableSpec
from shipped_star import retail, retail_features

PARAMETERS = Path(__file__).parents[2] / "conf" / "base" / "parameters.yml"
WEEK = dt.timedelta(days=7)
HISTORY, TRAINING, WATCHED = dt.timedelta(days=90), dt.timedelta(weeks=75), 30

# DuckDB asks pandas for an option that pandas 3 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")


def spec(use_case: str) -> TableSpec:
    return TableSpec(**yaml.safe_load(PARAMETERS.read_text())[use_case]["table"])


def default_sales() -> pd.DataFrame:
    connection = ibis.duckdb.connect(threads=1)
    tables = []
    for name in ("fact_sales", "dim_product", "dim_store", "business_kpis"):
        rows = pa.concat_tables(RetailRecipe(table=name).chunks())
        plain = [pa.field(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in rows.schema]
        tables.append(connection.create_table(name, rows.cast(pa.schema(plain))))
    *star, kpis = tables
    return retail_features(*star, retail(), kpis).to_pandas()


@pytest.fixture(scope="module")
def watched_retail() -> tuple[Profile, list[DriftReport], list[DriftReport], DriftPolicy]:
    of = spec("high_value_sales")
    sales = default_sales()
    day = pd.to_datetime(sales["date"]).dt.date
    sales = sales[[*of.keys, *of.features]].assign(date=pd.to_datetime(sales["date"]))
    start = FIRST_DAY + TRAINING
    reference = build_profile(
        sales[(day >= FIRST_DAY + HISTORY) & (day < start)],
        blocks=of.block_columns,
        numeric=of.numeric,
        categorical=of.categorical,
        date=of.date,
    )
    policy = DriftPolicy(off=tuple(name for name in of.features if not of.drifts(name)))
    weeks = [sales[(day >= start + i * WEEK) & (day < start + (i + 1) * WEEK)] for i in range(WATCHED)]
    profiles = [build_profile(week, reference, date=of.date) for week in weeks]
    reports = [compare_profiles(reference, profile, policy) for profile in profiles]
    both = [merge(before, profile) for before, profile in pairwise(profiles)]
    pairs = [compare_profiles(for_pooled(reference, 2), profile, policy) for profile in both]
    return reference, reports, pairs, policy


def test_thirty_weeks_of_the_default_retail_source_stay_silent(watched_retail):
    _, reports, pairs, _ = watched_retail
    assert [report.alarms for report in reports] == [[]] * WATCHED
    lines = [
        history_rows(report, report.window_start, report.window_end, pair)
        for report, pair in zip(reports, [None, *pairs], strict=True)
    ]
    history = pd.concat(lines)
    assert history["pair_adjusted_p_value"].notna().sum() >= 10 * (WATCHED - 1)
    assert alerts_over_time(history) == []


def test_silence_is_a_verdict_on_most_columns_and_not_for_want_of_rows(watched_retail):
    _, reports, _, policy = watched_retail
    for report in reports:
        assert report.status == "ok"
        judged = [column for column in report.columns.values() if column.status == "ok"]
        assert len(judged) >= 10
        assert all(column.minimum_detectable_effect <= policy.max_detectable_effect for column in judged)


def test_trailing_averages_of_few_keys_know_that_their_rows_repeat_each_other(watched_retail):
    reference, *_ = watched_retail
    inflation = {name: dict(column.design)["values"] for name, column in reference.columns.items()}
    assert inflation["retailer_avg_amount"] > inflation["store_avg_amount"] > inflation["product_category"]


def customers(table: str, *scenarios: Scenario) -> pd.DataFrame:
    return pa.concat_tables(ChurnRecipe(table=table, scenarios=scenarios).chunks()).to_pandas()


@pytest.mark.parametrize(
    ("scenarios", "moved"),
    [((), set()), ((Scenario(name="economic_downturn"),), {"income", "credit_score", "avg_transaction_amount"})],
    ids=["none", "downturn"],
)
def test_churn_is_quiet_without_a_scenario_and_its_downturn_is_found(scenarios, moved):
    of = spec("churn")
    reference = build_profile(customers("customers"), numeric=of.numeric, categorical=of.categorical)
    report = compare_profiles(reference, build_profile(customers("current", *scenarios), reference))
    assert report.drifted == bool(scenarios)
    assert moved <= set(report.alarms)
