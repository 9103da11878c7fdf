"""The retail world: its laws, its determinism, its scenarios, and that it can be learnt honestly."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ValidationError
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from evergreen.datasets.synthetic.retail import FIRST_DAY, LAST_DAY, RetailRecipe, lines_until
from evergreen.datasets.synthetic.retail_dimensions import NEW_CATEGORY, draw_products
from evergreen.datasets.synthetic.scenario import Scenario

START = dt.date(2025, 12, 3)  # in the middle of a week


@cache
def world(table: str = "fact_sales", *scenarios: Scenario, size: int = 50_000, seed: int = 7) -> pd.DataFrame:
    recipe = RetailRecipe(table=table, size=size, seed=seed, scenarios=scenarios)
    plain = pa.schema([(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in recipe.schema])
    return pa.concat_tables(recipe.chunks()).cast(plain).to_pandas(types_mapper=pd.ArrowDtype)


def happens(name: Any, strength: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lines since the start in the unchanged world and in the changed one."""
    calm, changed = world(), world("fact_sales", Scenario(name=name, start=START, strength=strength))
    before = calm.date_key < START
    pd.testing.assert_frame_equal(calm[before], changed[before])
    return calm[~before], changed[~before]


def test_the_timeline_is_112_whole_weeks_that_end_on_a_saturday():
    assert (LAST_DAY - FIRST_DAY).days + 1 == 7 * 112
    assert LAST_DAY.strftime("%A") == "Saturday"
    days = world().date_key
    assert (days.min(), days.max()) == (FIRST_DAY, LAST_DAY)
    assert days.is_monotonic_increasing


@pytest.mark.parametrize("size", [1, 13, 5_000])
def test_the_size_is_exact_and_ids_are_unique(size: int):
    sales = world(size=size)
    assert sales.sales_id.tolist() == list(range(1, size + 1))


def test_lines_follow_weekday_and_season_whatever_the_size():
    small, large = (np.diff(lines_until(size)) / size for size in (100_000, 10_000_000))
    assert np.abs(small - large).max() <= 1 / 100_000
    assert large[6::7].mean() / large[1::7].mean() == pytest.approx(1.2 / 0.85, rel=0.01)


def test_amounts_and_quantities_are_positive_and_in_cents():
    sales = world()
    assert sales.sales_amount.min() > 0
    assert sales.sales_quantity.min() >= 1
    assert np.allclose(sales.sales_amount * 100, np.rint(sales.sales_amount.astype(float) * 100))
    assert not sales.isna().any(axis=None)


def test_every_line_has_its_product_its_store_and_its_stores_retailer():
    sales = world()
    assert set(sales.product_id) <= set(world("dim_product").product_id)
    assert set(sales.store_id) == set(world("dim_store").store_id)
    assert len(world("dim_product")) == 600
    assert len(world("dim_store")) == 60
    assert sales.retailer_id.nunique() == 8
    assert len(sales[["store_id", "retailer_id"]].drop_duplicates()) == 60


def test_the_same_recipe_gives_the_same_rows_and_another_seed_others():
    recipe = RetailRecipe(table="fact_sales", size=3_000, seed=1)
    first, again = (list(recipe.model_copy().chunks()) for _ in range(2))
    assert all(a.equals(b) for a, b in zip(first, again, strict=True))
    assert not next(recipe.model_copy(update={"seed": 2}).chunks()).equals(first[0])


def test_size_does_not_change_the_law_of_a_line():
    small, large = world(size=20_000), world(size=200_000)
    for column in ("sales_amount", "sales_quantity"):
        sample = [np.log(sales[column].to_numpy(float)) for sales in (small, large)]
        # lines share promotions and store-day shocks, so the bound is wider than for independent lines
        assert stats.ks_2samp(*sample).statistic < 0.02
    shares = [sales.product_id.value_counts(normalize=True).sort_index() for sales in (small, large)]
    assert shares[0].sub(shares[1], fill_value=0).abs().sum() / 2 < 0.1
    pd.testing.assert_frame_equal(world("dim_product", size=20_000), world("dim_product", size=200_000))


def test_without_a_scenario_a_week_looks_like_the_year_before_it():
    sales = world(size=200_000)
    recent = sales.date_key > LAST_DAY - dt.timedelta(days=7)
    year = (sales.date_key > LAST_DAY - dt.timedelta(days=372)) & ~recent
    amounts = np.log(sales.sales_amount.to_numpy(float))
    assert stats.ks_2samp(amounts[recent], amounts[year]).statistic < 0.05
    threshold = np.quantile(amounts[year], 0.8)
    assert (amounts[recent] > threshold).mean() == pytest.approx(0.2, abs=0.03)


def test_lines_of_one_store_and_day_hang_together_modestly():
    sales = world(size=400_000).assign(log=lambda d: np.log(d.sales_quantity.astype(float)))
    sales["log"] -= sales.groupby("store_id").log.transform("mean")
    by_day = sales.groupby(["store_id", "date_key"]).log.agg(["mean", "size", "var"]).query("size > 4")
    between = by_day["mean"].var() - (by_day["var"] / by_day["size"]).mean()
    assert 0.05 < np.sqrt(between) < 0.2


def test_every_retailer_has_figures_for_every_month_and_the_one_before_the_first_line():
    kpis, retailers = world("business_kpis"), world().retailer_id.unique()
    months = pd.date_range("2023-12-01", "2026-02-01", freq="MS").date
    assert set(zip(kpis.retailer_id, kpis.month, strict=True)) == {(r, m) for r in retailers for m in months}
    assert len(kpis) == len(retailers) * len(months)
    assert kpis.margin.between(0.1, 0.4).all()
    assert (kpis.sales_target > 0).all()


def test_figures_depend_on_the_seed_and_not_on_the_size():
    pd.testing.assert_frame_equal(world("business_kpis", size=20_000), world("business_kpis", size=200_000))
    assert not world("business_kpis").equals(world("business_kpis", seed=8))


def test_a_target_is_a_plan_by_the_size_of_a_retailers_stores_and_knows_no_line():
    """Retailers that sell more plan for more; what remains of a month's plan says nothing of its sales."""
    sales = world(size=200_000).assign(month=lambda d: pd.to_datetime(d.date_key).dt.to_period("M"))
    sold = sales.groupby(["retailer_id", "month"]).sales_amount.sum().astype(float)
    kpis = world("business_kpis").assign(month=lambda d: pd.to_datetime(d.month).dt.to_period("M"))
    planned = kpis.set_index(["retailer_id", "month"]).sales_target.astype(float)
    both = np.log(pd.concat([sold, planned], axis=1)).dropna()
    by_retailer = both.groupby("retailer_id").mean()
    assert stats.spearmanr(*by_retailer.to_numpy().T).statistic > 0.8
    rest = both - both.groupby("retailer_id").transform("mean")
    rest -= rest.groupby("month").transform("mean")
    assert stats.spearmanr(*rest.to_numpy().T).pvalue > 0.01


def test_price_inflation_multiplies_prices_and_leaves_quantities():
    calm, changed = happens("price_inflation", 0.2)
    assert (changed.sales_amount.sum() / calm.sales_amount.sum()) == pytest.approx(1.2, abs=0.001)
    pd.testing.assert_frame_equal(
        calm.drop(columns="sales_amount"), changed.drop(columns="sales_amount"), check_exact=True
    )


def test_mix_shift_moves_its_share_of_lines_to_the_first_category():
    calm, changed = happens("mix_shift", 0.4)
    category = world("dim_product").set_index("product_id").product_category
    share = [(sales.product_id.map(category) == "Grocery").mean() for sales in (calm, changed)]
    assert share[1] == pytest.approx(share[0] + 0.4 * (1 - share[0]), abs=0.03)
    pd.testing.assert_series_equal(calm.store_id, changed.store_id)


def test_a_new_category_sells_its_share_and_the_old_products_stay():
    scenario = Scenario(name="new_category", start=START, strength=0.3)
    _, changed = happens("new_category", 0.3)
    products = world("dim_product", scenario)
    pd.testing.assert_frame_equal(products.head(600), world("dim_product"))
    assert (products.product_category.tail(30) == NEW_CATEGORY).all()
    is_new = changed.product_id.isin(products.product_id.tail(30))
    assert is_new.mean() == pytest.approx(0.3, abs=0.03)


def test_concept_change_lets_cheap_products_bring_the_large_amounts():
    calm, changed = happens("concept_change", 1.0)
    product = pd.Index(world("dim_product").product_id)
    price = draw_products(7, 600, with_new_category=False).log_price
    position = product.get_indexer(calm.product_id)
    before, after = (
        stats.spearmanr(price[position], sales.sales_amount.astype(float)).statistic for sales in (calm, changed)
    )
    assert before > 0.4
    assert after < -0.2
    pd.testing.assert_series_equal(calm.product_id, changed.product_id)


def test_missing_values_blank_their_share_of_retailers_and_quantities():
    calm, changed = happens("missing_values", 0.25)
    for column in ("retailer_id", "sales_quantity"):
        assert changed[column].isna().mean() == pytest.approx(0.25, abs=0.03)
        kept = changed[column].notna()
        pd.testing.assert_series_equal(changed[column][kept], calm[column][kept])
    pd.testing.assert_series_equal(calm.sales_amount, changed.sales_amount)


def test_none_changes_nothing():
    pd.testing.assert_frame_equal(world(), world("fact_sales", Scenario(name="none")))


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        ({"name": "price_inflation"}, "scenario price_inflation needs a start date, such as start: 2026-02-28"),
        ({"name": "economic_downturn"}, "the retail source has no scenario economic_downturn; use one of none"),
        ({"name": "mix_shift", "start": START, "strength": 2}, "less than or equal to 1"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused(scenario: dict[str, Any], told: str):
    with pytest.raises(ValidationError, match=told):
        RetailRecipe.model_validate({"table": "fact_sales", "scenarios": [scenario]})


PAST = """
    SELECT {key}_id, date_key, sum(amount) OVER past / sum(lines) OVER past AS {key}_amount,
           sum(quantity) OVER past / sum(lines) OVER past AS {key}_quantity,
           sum(price) OVER past / sum(lines) OVER past AS {key}_price
    FROM (SELECT {key}_id, date_key, count(*) AS lines, sum(sales_amount) AS amount,
                 sum(sales_quantity) AS quantity, sum(sales_amount / sales_quantity) AS price
          FROM sales GROUP BY ALL)
    WINDOW past AS (PARTITION BY {key}_id ORDER BY date_key
                    RANGE BETWEEN INTERVAL 90 DAY PRECEDING AND INTERVAL 1 DAY PRECEDING)
"""


def test_an_honest_model_learns_what_it_should():
    tables = {
        name: pa.concat_tables(RetailRecipe(table=name, size=40_000, seed=7).chunks())
        for name in ("fact_sales", "dim_product", "dim_store")
    }
    engine = duckdb.connect()
    engine.register("sales", tables["fact_sales"])
    engine.register("products", tables["dim_product"])
    engine.register("stores", tables["dim_store"])
    features = engine.sql(
        f"""
        SELECT date_key, sales_amount, dayofweek(date_key) AS weekday, month(date_key) AS month, retailer_id,
               columns('_amount$|_quantity$|_price$|_category$|_brand$|_format$|_city$')
        FROM (SELECT * EXCLUDE (sales_quantity) FROM sales)
        JOIN products USING (product_id) JOIN stores USING (store_id)
        JOIN ({PAST.format(key="product")}) USING (product_id, date_key)
        JOIN ({PAST.format(key="store")}) USING (store_id, date_key)
        """
    ).df()
    day = features.pop("date_key")
    amount = features.pop("sales_amount")
    text = features.select_dtypes(exclude="number").columns
    X = features.drop(columns="sales_amount_1").astype(dict.fromkeys(text, "category"))
    train = (day >= "2024-04-07") & (day < "2025-10-01")
    test = day >= "2025-10-01"
    y = amount > amount[train].quantile(0.8)
    model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=0)
    with threadpool_limits(1):
        score = model.fit(X[train], y[train]).predict_proba(X[test])[:, 1]
    # about 8,000 test lines: the standard error of the AUC is .005
    assert 0.80 < roc_auc_score(y[test], score) < 0.89
