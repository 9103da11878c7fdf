"""Effects that are added up where rows lie are those of the functions on values."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest

from evergreen.evaluation.auc import auc_covariance
from evergreen.experiments import compare_means, compare_paired, compare_proportions, compare_ratios, cuped
from evergreen.experiments import effect as effect_file
from evergreen.experiments.binned_auc import binned_auc_covariance
from evergreen.experiments.effect import Effect, effect_of
from evergreen.experiments.exposures import Exposures
from evergreen.experiments.looks import planned_looks
from evergreen.experiments.parameters import ExperimentPolicy, GuardrailPolicy
from evergreen.experiments.verdict import guard

RNG = np.random.default_rng(0)
ROWS = 600


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    made = pd.DataFrame({"unit": [f"u{k}" for k in RNG.integers(0, 250, ROWS)]})
    made["variant"] = np.where(made["unit"].str[1:].astype(int) % 2, "champion", "challenger")
    made["before"] = RNG.normal(size=ROWS)
    made["revenue"] = made["before"] + RNG.normal(size=ROWS) + 0.3 * (made["variant"] == "challenger")
    made["visits"] = RNG.integers(1, 5, ROWS).astype(float)
    made["label"] = (RNG.random(ROWS) < 0.4).astype(int)
    for side in ("a_", "b_"):
        made[f"{side}probability"] = np.clip(0.3 * made["label"] + 0.5 * RNG.random(ROWS) + 0.1, 0, 1)
        made[f"{side}prediction"] = (made[f"{side}probability"] > 0.5).astype(int)
    return made.assign(probability=made["a_probability"], prediction=made["a_prediction"])


@pytest.fixture(scope="module")
def table(frame: pd.DataFrame) -> ir.Table:
    return ibis.duckdb.connect().create_table("t", frame)


def found(table: ir.Table, unit: str = "request", mode: str = "split", **block: Any) -> Effect:
    made = ExperimentPolicy(**{"name": "x", "mode": mode, "unit": unit, **block})
    effect = effect_of(table, made, made.metric)
    assert effect is not None
    return effect


def sides(frame: pd.DataFrame, column: str) -> tuple[np.ndarray, np.ndarray]:
    return tuple(frame.loc[frame["variant"] == name, column].to_numpy(float) for name in ("champion", "challenger"))


def test_a_share_is_that_of_the_rows(frame: pd.DataFrame, table: ir.Table) -> None:
    a, b = sides(frame, "label")
    expected = compare_proportions(int(a.sum()), len(a), int(b.sum()), len(b))
    ours = found(table, metric={"kind": "binary"}).comparison
    names = ("statistic", "p_value", "difference", "low", "high", "relative", "effect_size")
    assert [getattr(ours, name) for name in names] == pytest.approx([getattr(expected, name) for name in names])


def test_a_mean_by_unit_is_that_of_the_units(frame: pd.DataFrame, table: ir.Table) -> None:
    by_unit = frame.groupby(["unit", "variant"], as_index=False)["revenue"].sum()
    expected = compare_means(*sides(by_unit, "revenue"))
    metric = {"kind": "continuous", "column": "revenue", "per_unit": "sum"}
    ours = found(table, "entity", metric=metric).comparison
    assert (ours.difference, ours.p_value, ours.n_a) == pytest.approx(
        (expected.difference, expected.p_value, expected.n_a)
    )


def test_a_ratio_by_unit_is_the_delta_method_s(frame: pd.DataFrame, table: ir.Table) -> None:
    by_unit = frame.groupby(["unit", "variant"], as_index=False)[["revenue", "visits"]].sum()
    (m_a, m_b), (d_a, d_b) = sides(by_unit, "revenue"), sides(by_unit, "visits")
    expected = compare_ratios(m_a, d_a, m_b, d_b)
    ours = found(table, "entity", metric={"kind": "ratio", "column": "revenue", "denominator": "visits"}).comparison
    assert (ours.difference, ours.low, ours.high) == pytest.approx((expected.difference, expected.low, expected.high))


def test_a_covariate_is_taken_out_as_cuped_does(frame: pd.DataFrame, table: ir.Table) -> None:
    ordered = frame.assign(adjusted=cuped(frame["revenue"], frame["before"]).adjusted)
    expected = compare_means(*sides(ordered, "adjusted"))
    metric = {"kind": "continuous", "column": "revenue"}
    ours = found(table, metric=metric, covariate="before")
    plain = found(table, metric=metric)
    assert (ours.comparison.difference, ours.comparison.p_value) == pytest.approx(
        (expected.difference, expected.p_value), rel=1e-9
    )
    assert ours.error < 0.8 * plain.error
    assert "of the variance taken out" in ours.note


@pytest.mark.parametrize("unit", ["request", "entity"])
@pytest.mark.parametrize("kind", ["roc_auc", "brier", "log_loss"])
def test_pairs_are_compared_as_on_values(frame: pd.DataFrame, table: ir.Table, kind: str, unit: str) -> None:
    numbered = table if unit == "entity" else table.mutate(unit=ibis.row_number().cast("string"))
    blocks = frame["unit"] if unit == "entity" else None
    expected = compare_paired(frame["label"], frame["a_probability"], frame["b_probability"], kind, blocks=blocks)
    ours = found(numbered, unit, "shadow", metric={"kind": kind})
    assert ours.comparison.difference == pytest.approx(expected.difference, rel=1e-9)
    assert ours.comparison.p_value == pytest.approx(expected.p_value, rel=0.02)


@pytest.mark.parametrize("unit", [None, "unit"])
def test_binned_scores_say_what_ranked_ones_say_and_by_how_much_not(
    frame: pd.DataFrame, table: ir.Table, unit: str | None
) -> None:
    names = ["a_probability", "b_probability"]
    scores = np.stack([frame[name] for name in names])
    exact = auc_covariance(frame["label"], scores, None if unit is None else frame["unit"])
    fine, coarse = (binned_auc_covariance(table, names, unit, bins) for bins in (65_536, 50))
    assert fine.found.aucs == pytest.approx(exact.aucs, abs=1e-4)
    assert np.sqrt(np.diag(fine.found.covariance)) == pytest.approx(np.sqrt(np.diag(exact.covariance)), rel=0.05)
    assert np.all(np.abs(coarse.found.aucs - exact.aucs) <= np.array(coarse.error))
    assert max(fine.error) < 1e-3 < min(coarse.error)


def test_many_rows_are_binned_and_said_to_be(table: ir.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked = found(table, mode="shadow")
    monkeypatch.setattr(effect_file, "EXACT_ROWS", 100)
    binned = found(table, mode="shadow")
    assert binned.comparison.difference == pytest.approx(ranked.comparison.difference, abs=1e-4)
    assert binned.note.startswith("scores in bins, which move each AUC by at most")


def test_two_arms_aucs_are_compared_unpaired(frame: pd.DataFrame, table: ir.Table) -> None:
    ours = found(table, metric={"kind": "roc_auc"})
    parts = [frame[frame["variant"] == name] for name in ("champion", "challenger")]
    alone = [auc_covariance(part["label"], part["probability"]) for part in parts]
    assert ours.comparison.difference == pytest.approx(float(alone[1].aucs[0] - alone[0].aucs[0]))
    assert ours.error**2 == pytest.approx(sum(float(one.covariance[0, 0]) for one in alone))


def test_a_variant_with_too_few_units_has_no_effect(table: ir.Table) -> None:
    made = ExperimentPolicy(name="x", mode="split", unit="request", metric={"kind": "binary"})
    assert effect_of(table.filter(table["variant"] == "champion"), made, made.metric) is None


def test_looks_are_taken_by_what_was_known_and_end_where_one_crosses() -> None:
    rows = 400
    frame = pd.DataFrame({"unit": np.arange(rows).astype(str), "variant": ["champion", "challenger"] * (rows // 2)})
    frame["known_on"] = pd.date_range("2026-03-01", periods=4).repeat(100)
    frame["day"] = pd.Timestamp("2026-03-01")
    frame["label"] = np.where(frame["variant"] == "challenger", 1, np.arange(rows) % 4 == 0).astype(int)
    table = ibis.duckdb.connect().create_table("t", frame)
    table = table.mutate(known_on=table["known_on"].date(), day=table["day"].date())
    made = ExperimentPolicy(name="x", mode="split", unit="request", metric={"kind": "binary"}, looks=4)
    exposures = Exposures(table, {}, None, frame["known_on"].max().date(), {}, ())
    looks = planned_looks(exposures, made, planned_rows=400)
    assert [(look.number, look.rows, look.crossed) for look in looks] == [(1, 100, "better")]
    assert looks[0].information == 0.25
    assert planned_looks(exposures, made, planned_rows=4000) == ()


@pytest.mark.parametrize(
    ("margin", "error", "state"), [(0.05, 0.001, "holds"), (0.005, 0.001, "broken"), (0.02, 0.1, "open")]
)
def test_a_guardrail_holds_is_broken_or_open(margin: float, error: float, state: str) -> None:
    comparison = compare_means([0.0, 1.0], [0.0, 1.0]).model_copy(update={"difference": -0.02})
    rail = GuardrailPolicy(kind="accuracy", margin=margin)
    result = guard("g", rail, Effect(comparison, error, 1000), 1000, 0.05)
    assert (result.state, result.worsening) == (state, 0.02)
