"""A search on a cluster chooses what a search here chooses."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from evergreen.errors import EvergreenError
from evergreen.modelling.cluster import CLUSTERS, fits_on
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.search import Candidate, train_candidates
from evergreen.rows.parameters import SplitParameters
from small_models import SPEC, table

GRID = {"LogisticRegression": {"C": [0.1, 1, 10, 100], "penalty": ["l2"], "solver": ["liblinear"]}}
PACKAGES = {"dask": "distributed", "ray": "ray"}


def searched(backend: str, cluster: str | None = None) -> list[Candidate]:
    X, y = table()
    policy = TrainingParameters(
        algorithms=["LogisticRegression", "Prior"], grids=GRID, backend=backend, cluster=cluster, n_jobs=2
    )
    share = np.random.default_rng(1).random(len(y))
    return train_candidates(X, y, share, None, SPEC, policy, SplitParameters())


@pytest.mark.parametrize("backend", CLUSTERS)
def test_two_workers_choose_what_this_process_chooses(backend: str) -> None:
    pytest.importorskip(PACKAGES[backend], reason="needs a cluster's package: make test-spark")
    here, there = searched("threading"), searched(backend)
    assert [each.algorithm for each in there] == [each.algorithm for each in here]
    for ours, theirs in zip(there, here, strict=True):
        assert (ours.status, ours.best_params, ours.error) == ("ok", theirs.best_params, None)
        np.testing.assert_allclose(ours.fold_scores, theirs.fold_scores, rtol=0, atol=1e-12)


def test_a_scheduler_is_found_by_its_address_and_left_running() -> None:
    distributed = pytest.importorskip("distributed", reason="needs a cluster's package: make test-spark")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        (first, *_) = searched("dask", cluster.scheduler_address)
        assert first.status == "ok"
        assert len(cluster.scheduler.workers) == 2


def test_a_scheduler_that_does_not_answer_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs a cluster's package: make test-spark")
    monkeypatch.setattr("evergreen.modelling.cluster.PATIENCE_SECONDS", 1)
    with (
        pytest.raises(EvergreenError, match=r"training\.cluster is tcp://127\.0\.0\.1:9, where no dask cluster"),
        fits_on("dask", "tcp://127.0.0.1:9"),
    ):
        pass


@pytest.mark.parametrize("backend", CLUSTERS)
def test_a_missing_package_is_named_with_its_extra(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(_: str) -> Any:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", find_nothing)
    with pytest.raises(EvergreenError, match=rf"pip install 'evergreen\[{backend}\]'"), fits_on(backend, None):
        pass


def test_an_unknown_backend_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"known are .*dask.*ray"):
        TrainingParameters(backend="mapreduce")
