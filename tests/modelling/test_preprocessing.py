from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import mutual_info_classif

from evergreen.errors import EvergreenError
from evergreen.modelling.preprocessing import (
    PRICE_TIER,
    TIERS,
    PriceTier,
    make_preprocessing,
    mutual_information,
    recall_levels,
    selected_features,
)
from evergreen.schema import TableSpec

SPEC = TableSpec(entity="id", target="y", numeric=["price", "age", "empty"], categorical=["city", "code"])


def table(rows: int = 400) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "price": rng.lognormal(size=rows),
            "age": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(40, 10, rows)),
            "empty": np.full(rows, np.nan),
            "city": rng.choice(["A", "B", None], rows),
            "code": rng.integers(1, 4, rows),
        }
    )
    return frame, (frame["price"].to_numpy() * (1 + (frame["city"] == "A")) > 1.5).astype(np.int8)


def test_one_output_a_feature_and_a_price_tier_under_the_users_names():
    X, y = table()
    pipeline = make_preprocessing(SPEC, 99, "price", 0).fit(X, y)
    assert list(pipeline["columns"].get_feature_names_out()) == ["price", "age", "empty", PRICE_TIER, "city", "code"]
    values = pipeline.transform(X)
    assert values.shape == (400, 6)
    assert np.isfinite(values).all()


def test_the_best_k_features_are_kept_and_listed_with_falling_scores():
    X, y = table()
    kept = selected_features(make_preprocessing(SPEC, 2, None, 0).fit(X, y))
    assert kept["feature"].tolist() == ["price", "city"]
    assert kept["score"].is_monotonic_decreasing
    assert kept["score"].min() > 0


def test_unknown_and_missing_categories_are_numbers_and_an_unknown_one_is_the_overall_mean():
    X, y = table()
    pipeline = make_preprocessing(SPEC, 99, None, 0, few_levels=0).fit(X, y)
    strange = X.head(2).assign(city=["never seen", None])
    city = pipeline.transform(strange)[:, 3]
    assert city[0] == pytest.approx(y.mean())
    assert city[1] == pytest.approx(y[X["city"].isna()].mean(), abs=0.02)


def test_few_levels_are_codes_for_trees_and_one_indicator_a_level_for_linear_models():
    X, y = table()
    strange = X.head(3).assign(city=["A", "never seen", None], code=[3, 1, 9])
    codes = make_preprocessing(SPEC, 99, None, 0).fit(X, y).transform(strange)[:, 3:]
    np.testing.assert_array_equal(codes, [[3, 4], [1, 2], [2, 1]])
    shown = make_preprocessing(SPEC, 99, None, 0, one_hot=True).fit(X, y).transform(strange)[:, 3:]
    np.testing.assert_array_equal(shown, [[0, 1, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0], [1, 0, 0, 0, 0, 0]])


def test_many_levels_are_target_means_beside_few_that_are_not():
    X, y = table()
    X = X.assign(code=np.arange(400) % 50)
    fitted = make_preprocessing(SPEC, 99, None, 0, one_hot=True)
    values = fitted.fit_transform(X, y)
    assert values.shape == (400, 3 + 3 + 1)
    assert 0 <= values[:, -1].min() < values[:, -1].max() <= 1


def test_a_feature_is_kept_or_dropped_with_all_its_levels():
    X, y = table()
    fitted = make_preprocessing(SPEC, 2, None, 0, one_hot=True).fit(X, y)
    assert selected_features(fitted)["feature"].tolist() == ["price", "city"]
    assert fitted.transform(X).shape == (400, 1 + 3)


@pytest.mark.parametrize("dtype", ["str", "float64", "Int64", "category"])
def test_a_category_means_the_same_in_every_dtype(dtype):
    X, y = table()
    pipeline = make_preprocessing(SPEC, 99, None, 0).fit(X, y)
    np.testing.assert_array_equal(pipeline.transform(X.assign(code=X["code"].astype(dtype))), pipeline.transform(X))


def test_nullable_and_boolean_numbers_are_read():
    X, y = table()
    pipeline = make_preprocessing(SPEC, 99, "price", 0).fit(X, y)
    nullable = X.assign(age=X["age"].round().astype("Int64"), empty=pd.array([None] * len(X), dtype="boolean"))
    assert np.isfinite(pipeline.transform(nullable)).all()


def test_categories_are_encoded_without_their_own_label():
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"id": np.arange(2000).astype(str)})
    y = rng.integers(0, 2, 2000)
    spec = TableSpec(entity="key", target="y", categorical=["id"])
    encoded = make_preprocessing(spec, 1, None, 0).fit_transform(X, y)[:, 0]
    assert abs(np.corrcoef(encoded, y)[0, 1]) < 0.1


def test_price_tiers_are_the_training_rows_quintiles():
    prices = pd.DataFrame({"price": np.arange(1, 101.0)})
    tier = PriceTier().fit(prices)
    assert np.bincount(tier.transform(prices)[:, 0].astype(int)).tolist() == [20] * len(TIERS)
    later = pd.DataFrame({"price": [0.0, 1000.0, np.nan]})
    assert [TIERS[int(number)] for number in tier.transform(later)[:, 0]] == ["Low", "High", "Medium"]


def test_a_price_column_that_is_no_numeric_feature_is_refused():
    with pytest.raises(EvergreenError, match="price_column 'city' is not among the numeric features"):
        make_preprocessing(SPEC, 15, "city", 0)


def test_mutual_information_agrees_with_scikit_learn_on_discrete_features():
    rng = np.random.default_rng(2)
    X = rng.integers(0, 10, (5000, 3)).astype(float)
    y = (X[:, 0] + rng.normal(0, 3, 5000) > 5).astype(int)
    bias = 9 / (2 * 5000)
    expected = np.maximum(mutual_info_classif(X, y, discrete_features=True) - bias, 0)
    np.testing.assert_allclose(mutual_information(X, y), expected, atol=1e-12)


def test_mutual_information_sees_a_bent_dependence_and_ignores_noise():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(5000, 3))
    X[:, 2] = 1.0
    y = (np.abs(X[:, 0]) > 1).astype(int)
    bent, noise, constant = mutual_information(X, y)
    assert bent > 0.4
    assert noise < 0.005
    assert constant == 0


SPELLINGS = {
    "whole numbers of a file with a null": ([1, 2, 3, 1], [1.0, 2.0, 3.0, 1.0]),
    "whole numbers as text of floats": ([1, 2, 3, 1], ["1.0", "2.0", "3.0", "1.0"]),
    "truth values": ([True, False, True, False], ["Yes", "No", "Yes", "No"]),
    "words for truth values": (["Yes", "No", "Yes", "No"], [True, False, True, False]),
}


def encoded(seen, read, recalled=False):
    frames = [pd.DataFrame({"code": values * 100}) for values in (seen, read)]
    spec = TableSpec(entity="id", target="y", categorical=["code"])
    fitted = make_preprocessing(spec, 9, None, 0).fit(frames[0], np.tile([0, 1, 1, 1], 100))
    if recalled:
        del fitted["columns"].named_transformers_["categorical"]["text"].levels_
        recall_levels(fitted)
    return fitted.transform(frames[0]), fitted.transform(frames[1])


@pytest.mark.parametrize("recalled", [False, True])
@pytest.mark.parametrize("kind", list(SPELLINGS))
def test_a_category_is_encoded_alike_however_a_later_file_spells_it(kind, recalled):
    seen, read = encoded(*SPELLINGS[kind], recalled=recalled)
    np.testing.assert_array_equal(seen, read)


def test_texts_that_differ_are_encoded_as_two_categories():
    seen, read = encoded(["1", "2", "1", "2"], ["01", "2", "01", "2"])
    assert (seen != read).ravel().tolist() == [True, False, True, False] * 100
