"""The churn world: every column against its law, the cut-off, the snapshots and their scenarios."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from evergreen.datasets.synthetic.churn import CHURN_CUTOFF, REGIONS, SNAPSHOT_DATES, ChurnRecipe
from evergreen.datasets.synthetic.scenario import Scenario

FEATURES = ["age", "credit_score", "account_balance", "transaction_frequency", "digital_engagement"]


@cache
def customers(table: str = "customers", *scenarios: Scenario, size: int = 100_000) -> pd.DataFrame:
    chunks = ChurnRecipe(table=table, size=size, seed=3, scenarios=scenarios).chunks()
    return pd.concat([chunk.to_pandas() for chunk in chunks], ignore_index=True)


@pytest.mark.parametrize(
    ("column", "law", "bounds"),
    [
        ("age", stats.norm(35, 12), (18, 80)),
        ("income", stats.lognorm(0.6, scale=np.exp(10.5)), (0, np.inf)),
        ("credit_score", stats.norm(650, 100), (300, 850)),
        ("account_balance", stats.lognorm(1.5, scale=np.exp(8)), (0, np.inf)),
        ("transaction_frequency", stats.poisson(25), (0, np.inf)),
        ("avg_transaction_amount", stats.lognorm(0.8, scale=np.exp(4)), (0, np.inf)),
        ("months_as_customer", stats.expon(scale=24), (1, 120)),
        ("number_of_products", stats.poisson(2.5), (1, 10)),
        ("digital_engagement", stats.beta(3, 2), (0, 1)),
    ],
)
def test_each_column_follows_its_law_between_its_bounds(column: str, law: Any, bounds: tuple[float, float]):
    values = np.sort(customers()[column].to_numpy(float))
    assert values[0] >= bounds[0]
    assert values[-1] <= bounds[1]
    points = np.quantile(values, np.linspace(0.01, 0.99, 99))
    inside = points[(points > bounds[0]) & (points < bounds[1])]
    observed = np.searchsorted(values, inside, side="right") / len(values)
    # the uniform distance of 100,000 draws from their law exceeds .0063 once in 1,000 times
    assert np.abs(observed - law.cdf(inside)).max() < 0.0063


def test_regions_have_their_shares():
    shares = customers().region.value_counts(normalize=True)
    assert {name: shares[name] for name in REGIONS} == pytest.approx(REGIONS, abs=0.006)


def test_a_quarter_of_the_customers_churns():
    # standard error .0007 at 400,000 customers
    assert customers(size=400_000).churned.mean() == pytest.approx(0.25, abs=0.0025)


def test_the_cutoff_is_the_upper_quartile_of_a_second_implementation():
    rng = np.random.default_rng(0)
    n = 500_000
    tendency = (
        -0.02 * (np.clip(35 + 12 * rng.standard_normal(n), 18, 80) - 35)
        - 0.003 * (np.clip(650 + 100 * rng.standard_normal(n), 300, 850) - 650)
        - 0.02 * np.log1p(np.exp(8 + 1.5 * rng.standard_normal(n)))
        + 0.1 * (rng.poisson(25, n) / 25 - 1)
        - 0.3 * stats.beta(3, 2).ppf(rng.random(n))
        + 0.5 * rng.standard_normal(n)
    )
    assert np.quantile(tendency, 0.75) == pytest.approx(CHURN_CUTOFF, abs=0.003)


def test_size_does_not_change_the_law_and_chunks_do_not_repeat_each_other():
    small, large = customers(size=20_000), customers(size=250_000)
    for column in ("age", "income", "credit_score", "months_as_customer"):
        assert stats.ks_2samp(small[column], large[column]).pvalue > 0.001
        assert stats.ks_2samp(large[column][:100_000], large[column][200_000:]).pvalue > 0.001
    assert (large.income[:50_000].to_numpy() != large.income[100_000:150_000].to_numpy()).mean() > 0.99


def test_the_same_recipe_gives_the_same_customers_and_another_seed_others():
    recipe = ChurnRecipe(table="current", size=500, seed=1)
    assert next(recipe.chunks()).equals(next(recipe.model_copy().chunks()))
    assert not next(recipe.model_copy(update={"seed": 2}).chunks()).equals(next(recipe.chunks()))


def test_half_of_the_current_customers_are_known_and_every_id_stands_once():
    old, new = customers(size=20_000), customers("current", size=20_000)
    assert old.customer_id.is_unique
    assert new.customer_id.is_unique
    assert new.customer_id.isin(old.customer_id).mean() == 0.5
    assert old.snapshot_date.unique().tolist() == [SNAPSHOT_DATES["customers"]]
    assert new.snapshot_date.unique().tolist() == [SNAPSHOT_DATES["current"]]


def test_a_newer_snapshot_without_a_scenario_has_not_drifted():
    old, new = customers(), customers("current", Scenario(name="none"))
    for column in [*FEATURES, "income", "avg_transaction_amount", "months_as_customer"]:
        assert stats.ks_2samp(old[column], new[column]).pvalue > 0.001
    assert new.churned.mean() == pytest.approx(0.25, abs=0.007)


def test_a_downturn_lowers_income_transactions_and_scores():
    calm = customers("current")
    poor = customers("current", Scenario(name="economic_downturn"))
    assert (poor.income / calm.income).to_numpy() == pytest.approx(0.85, abs=1e-3)
    assert poor.avg_transaction_amount.sum() / calm.avg_transaction_amount.sum() == pytest.approx(0.9, abs=1e-3)
    inside = poor.credit_score.between(301, 849) & calm.credit_score.between(301, 849)
    fall = (calm.credit_score - poor.credit_score)[inside]
    assert fall.mean() == pytest.approx(20, abs=0.6)
    assert fall.std() == pytest.approx(10, abs=0.3)
    same = ["customer_id", "age", "account_balance", "region", "digital_engagement", "number_of_products"]
    pd.testing.assert_frame_equal(poor[same], calm[same])


def test_a_concept_change_turns_the_effect_of_age_round_and_leaves_the_customers():
    calm, changed = customers("current"), customers("current", Scenario(name="concept_change"))
    pd.testing.assert_frame_equal(calm.drop(columns="churned"), changed.drop(columns="churned"))
    assert np.corrcoef(calm.age, calm.churned)[0, 1] < -0.2
    assert np.corrcoef(changed.age, changed.churned)[0, 1] > 0.2


def test_missing_values_blank_their_share():
    holed = customers("current", Scenario(name="missing_values", strength=0.3))
    assert holed[["income", "credit_score", "region"]].isna().mean().to_numpy() == pytest.approx(0.3, abs=0.01)
    assert not holed.drop(columns=["income", "credit_score", "region"]).isna().any(axis=None)


def test_a_model_of_the_old_snapshot_fails_on_the_shipped_current_one():
    X = customers()[FEATURES].assign(account_balance=lambda d: np.log1p(d.account_balance))
    scaled = (X - X.mean()) / X.std()
    model = LogisticRegression().fit(scaled[:50_000], customers().churned[:50_000])
    current = customers("current", Scenario(name="economic_downturn"), Scenario(name="concept_change"))
    Z = current[FEATURES].assign(account_balance=lambda d: np.log1p(d.account_balance))
    old = roc_auc_score(customers().churned[50_000:], model.predict_proba(scaled[50_000:])[:, 1])
    new = roc_auc_score(current.churned, model.predict_proba((Z - X.mean()) / X.std())[:, 1])
    assert old > 0.75
    assert new < old - 0.1


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        ({"name": "mix_shift"}, "the churn source has no scenario mix_shift"),
        ({"name": "economic_downturn", "start": "2026-01-01"}, "changes a whole snapshot; leave out its start"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused(scenario: dict[str, Any], told: str):
    with pytest.raises(ValidationError, match=told):
        ChurnRecipe.model_validate({"table": "current", "scenarios": [scenario]})
