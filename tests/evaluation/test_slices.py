"""Slices and their gates: they find planted trouble and stay quiet on noise."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from evergreen.evaluation.parameters import SlicePolicy
from evergreen.evaluation.slice_gates import auc_gate, gap_gate, slice_check
from evergreen.evaluation.slices import slice_groups, slice_metrics, worst_slices


def judged_rows(seed: int = 0, rows: int = 4_000) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "region": rng.choice(["north", "south", "east"], rows),
            "contract": rng.choice(["monthly", "yearly"], rows),
            "age": rng.normal(40, 10, rows),
        }
    )
    y = rng.random(rows) < 0.3
    return y, rng.normal(size=rows) + 1.2 * y, frame


def test_groups_are_levels_and_quantiles_with_rare_and_missing_apart():
    frame = pd.DataFrame(
        {
            "level": ["a"] * 150 + ["b"] * 120 + ["c"] * 3 + ["d"] * 2 + [None] * 5,
            "number": [np.nan] * 4 + list(range(276)),
            "constant": 7,
        }
    )
    groups = slice_groups(frame, ["level"], ["number", "constant"])
    assert pd.Series(groups["level"]).value_counts().to_dict() == {"a": 150, "b": 120, "other": 5, "missing": 5}
    counts = pd.Series(groups["number"]).value_counts()
    assert counts.drop("missing").between(68, 70).all()
    assert len(counts) == 5
    assert counts["missing"] == 4
    assert set(groups["constant"]) == {"7"}


def test_a_discrete_number_gets_fewer_groups_than_asked_for():
    groups = slice_groups(pd.DataFrame({"flag": [0] * 90 + [1] * 10}), [], ["flag"])
    assert len(set(groups["flag"])) <= 2


def test_pandas_categoricals_and_nullable_numbers_are_sliced_too():
    frame = pd.DataFrame(
        {
            "level": pd.Categorical(["a", "b", None] * 100),
            "number": pd.array([1, 2, None] * 100, dtype="Int64"),
            "empty": pd.array([None] * 300, dtype="Float64"),
        }
    )
    groups = slice_groups(frame, ["level"], ["number", "empty"])
    assert set(groups["level"]) == {"a", "b", "missing"}
    assert "missing" in set(groups["number"])
    assert set(groups["empty"]) == {"missing"}


def test_each_row_is_in_one_group_of_each_column_and_figures_are_the_groups_own():
    y, s, frame = judged_rows()
    rows = slice_metrics(y, s, frame, ["region", "contract"], ["age"])
    counts = pd.DataFrame([row.model_dump() for row in rows]).groupby("column")["n"].sum()
    assert (counts == len(y)).all()
    south = next(row for row in rows if row.group == "south")
    inside = (frame["region"] == "south").to_numpy()
    assert south.roc_auc == pytest.approx(roc_auc_score(y[inside], s[inside]))
    assert south.base_rate == pytest.approx(y[inside].mean())
    assert south.low < south.roc_auc < south.high


def test_a_slice_without_positives_is_insufficient_data_and_never_nan():
    y, s, frame = judged_rows()
    y[frame["region"] == "east"] = False
    rows = slice_metrics(y, s, frame, ["region"], [])
    east = next(row for row in rows if row.group == "east")
    assert (east.status, east.roc_auc, east.base_rate) == ("insufficient_data", None, 0.0)
    assert east.reason.startswith("0 positive")
    assert "NaN" not in json.dumps([row.model_dump() for row in rows])
    assert auc_gate([east]).passed
    assert gap_gate([east]).sentence.startswith("slice_gap passes: no slice has enough rows")


def test_the_worst_slice_is_named_and_refused():
    y, s, frame = judged_rows()
    broken = (frame["contract"] == "yearly").to_numpy()
    s[broken] = np.random.default_rng(1).normal(size=broken.sum()) - 0.6 * y[broken]
    rows = slice_metrics(y, s, frame, ["region", "contract"], ["age"])
    assert worst_slices(rows, 1)[0].group == "yearly"
    assert not auc_gate(rows).passed
    assert "contract = yearly" in auc_gate(rows).sentence
    gap = gap_gate(rows)
    assert (gap.passed, gap.found > 0.4) == (False, True)
    assert "yearly" in gap.sentence


def test_gates_do_not_refuse_on_noise_over_many_slices():
    policy = SlicePolicy(min_auc=0.8, max_gap=0.001, min_rows=20)
    refused = {"auc": 0, "gap": 0}
    for seed in range(80):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({f"column {c}": rng.integers(0, 5, 1_500).astype(str) for c in range(5)})
        y = rng.random(1_500) < 0.3
        s = rng.normal(size=1_500) + 1.2 * y  # AUC .802 in every slice
        rows = slice_metrics(y, s, frame, list(frame), [], policy)
        refused["auc"] += not auc_gate(rows, policy).passed
        refused["gap"] += not gap_gate(rows, policy).passed
        assert min(row.roc_auc for row in rows) < 0.8
    assert max(refused.values()) / 80 <= 0.05 + 2.5 * 0.024


def test_the_slice_check_finds_a_loss_that_the_whole_hides():
    y, champion, frame = judged_rows(2, 8_000)
    rng = np.random.default_rng(3)
    challenger = champion + 0.3 * rng.normal(size=len(y)) + 0.6 * y
    groups = slice_groups(frame, ["region", "contract"], ["age"])
    assert slice_check(y, champion, challenger, groups).passed
    east = (frame["region"] == "east").to_numpy()
    challenger[east] = rng.normal(size=east.sum())
    found = slice_check(y, champion, challenger, groups)
    assert (found.passed, "region = east" in found.sentence) == (False, True)
    assert found.found < -0.2


def test_the_slice_check_of_equal_models_passes_on_noise():
    failed = 0
    for seed in range(50):
        y, s, frame = judged_rows(seed, 1_000)
        rng = np.random.default_rng(seed)
        pair = [s + 0.5 * rng.normal(size=len(y)) for _ in range(2)]
        groups = slice_groups(frame, ["region", "contract"], ["age"])
        failed += not slice_check(y, *pair, groups).passed
    assert failed <= 2


def test_blocks_widen_a_slices_interval():
    rng = np.random.default_rng(4)
    blocks = np.repeat(np.arange(100), 20)
    y = rng.random(2_000) < 0.3
    s = rng.normal(size=100)[blocks] + 0.3 * rng.normal(size=2_000) + y
    frame = pd.DataFrame({"all": ["x"] * 2_000})
    alone, grouped = (slice_metrics(y, s, frame, ["all"], [], blocks=b)[0] for b in (None, blocks))
    assert alone.roc_auc == grouped.roc_auc
    assert grouped.standard_error > 1.2 * alone.standard_error


def test_ten_rows_are_sliced_without_a_crash():
    y, s, frame = judged_rows(rows=10)
    rows = slice_metrics(y, s, frame, ["region"], ["age"])
    assert {row.status for row in rows} == {"insufficient_data"}
    check = slice_check(y, s, s, slice_groups(frame, ["region"], ["age"]))
    assert (check.passed, check.found) == (True, None)


@pytest.mark.slow
def test_chance_among_many_slices_breaks_no_gate():
    policy = SlicePolicy(min_rows=20, max_gap=0.05)
    refused = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({"supplier": np.repeat(np.arange(120), 30).astype(str)})
        y = rng.random(3_600) < 0.5
        rows = slice_metrics(y, rng.normal(size=3_600) + 1.5 * y, frame, ["supplier"], [], policy)
        aucs = [row.roc_auc for row in rows if row.roc_auc is not None]
        assert max(aucs) - min(aucs) > 0.25
        refused += not gap_gate(rows, policy).passed
    assert refused <= 1


def test_a_gap_that_the_champion_has_too_does_not_refuse_and_a_named_column_is_held_strictly():
    y, s, frame = judged_rows()
    broken = (frame["contract"] == "yearly").to_numpy()
    s[broken] = np.random.default_rng(1).normal(size=broken.sum()) - 0.6 * y[broken]
    milder, rows = (slice_metrics(y, each, frame, ["contract"], []) for each in (s, s - 0.2 * broken * y))
    assert gap_gate(milder, champions=rows).passed
    worse, alone = gap_gate(rows, champions=milder), gap_gate(rows)
    assert (worse.status, alone.status) == ("failed", "warning")
    strict = SlicePolicy(held_strictly=("contract",))
    assert "held strictly" in gap_gate(rows, strict, milder).sentence
    assert not gap_gate(rows, strict, milder).passed


def test_a_named_column_breaks_by_what_was_found_where_chance_would_excuse_it():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"group": np.repeat(["a", "b"], 40)})
    y = rng.random(80) < 0.5
    s = np.where(frame["group"] == "a", 3.0 * y, -0.5 * y) + rng.normal(size=80)
    rows = slice_metrics(y, s, frame, ["group"], [], SlicePolicy(min_rows=10))
    assert gap_gate(rows).passed
    assert not gap_gate(rows, SlicePolicy(held_strictly=("group",))).passed
