"""Assignment and the sample ratio."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evergreen.errors import EvergreenError
from evergreen.experiments import assign, assign_all, sample_ratio_test

HALVES = {"control": 0.5, "treatment": 0.5}
IDS = [f"kunde-{number}-ä" for number in range(30_000)]


def test_shares_are_the_weights():
    weights = {"a": 0.2, "b": 0.3, "c": 0.5}
    counts = Counter(assign_all(IDS, "pricing", weights))
    for name, weight in weights.items():
        assert abs(counts[name] - weight * len(IDS)) < 3.5 * np.sqrt(len(IDS) * weight * (1 - weight))


def test_another_process_assigns_alike():
    code = (
        "from evergreen.experiments import assign\n"
        "print([assign(f'\\xfc{n}', 'x', {'a': 1, 'b': 2}) for n in range(50)])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert there.stdout.strip() == str([assign(f"ü{n}", "x", {"a": 1, "b": 2}) for n in range(50)])


def test_assigning_needs_neither_pandas_nor_scipy():
    code = (
        "import sys; from evergreen.experiments import assign; print({'pandas', 'scipy', 'numpy'} & set(sys.modules))"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == "set()"


def test_a_variant_that_grows_only_wins_units():
    before = assign_all(IDS, "pricing", {"control": 0.8, "x": 0.1, "y": 0.1})
    after = assign_all(IDS, "pricing", {"control": 0.6, "x": 0.2, "y": 0.2})
    moved = {(old, new) for old, new in zip(before, after, strict=True) if old != new}
    assert moved == {("control", "x"), ("control", "y")}


def test_the_order_and_scale_of_weights_do_not_matter():
    assert assign_all(IDS[:500], "e", {"a": 1, "b": 3}) == assign_all(IDS[:500], "e", {"b": 0.75, "a": 0.25})


def test_experiments_and_salts_deal_independently():
    first = np.array(assign_all(IDS, "one", HALVES)) == "control"
    other = np.array(assign_all(IDS, "two", HALVES)) == "control"
    salted = np.array(assign_all(IDS, "one", HALVES, salt="again")) == "control"
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.025
    assert abs(np.corrcoef(first, salted)[0, 1]) < 0.025


def test_a_variant_without_weight_meets_nobody():
    assert set(assign_all(IDS[:2000], "e", {"a": 0.5, "b": 0.5, "off": 0})) == {"a", "b"}


@pytest.mark.parametrize("weights", [{"a": -0.1, "b": 1.1}, {"a": float("nan")}, {"a": 0, "b": 0}, {}])
def test_weights_that_cannot_deal_are_refused(weights):
    with pytest.raises(EvergreenError, match="weight"):
        assign("u", "e", weights)


def test_the_published_mismatch_is_found():
    found = sample_ratio_test({"a": 821_588, "b": 815_482}, HALVES | {"a": 0.5, "b": 0.5, "control": 0, "treatment": 0})
    assert found.statistic == pytest.approx(22.774, abs=0.0005)
    assert found.p_value == pytest.approx(1.82e-6, abs=0.005e-6)
    assert found.degrees_of_freedom == 1
    assert found.mismatch


@given(total=st.integers(1000, 10**9), weight=st.floats(0.05, 0.95))
def test_counts_as_promised_are_no_mismatch(total, weight):
    counts = {"a": round(total * weight), "b": total - round(total * weight)}
    assert not sample_ratio_test(counts, {"a": weight, "b": 1 - weight}).mismatch


@pytest.mark.parametrize(
    ("counts", "weights", "words"),
    [
        ({"a": -1, "b": 5}, HALVES | {"a": 1, "b": 1}, "isn't negative"),
        ({"a": 5, "b": 5, "off": 1}, {"a": 1, "b": 1, "off": 0}, "no weight"),
        ({"a": 5, "unknown": 1}, {"a": 1}, "variant unknown"),
        ({"a": 0, "b": 0}, {"a": 1, "b": 1}, "wait for traffic"),
    ],
)
def test_impossible_counts_are_refused_in_a_sentence(counts, weights, words):
    with pytest.raises(EvergreenError, match=words):
        sample_ratio_test(counts, weights)
