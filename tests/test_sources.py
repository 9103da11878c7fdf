"""Claims about which tables a run takes for its sources."""

from __future__ import annotations

import pytest
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project

from evergreen.sources import source_entries
from tests_support import ROOT

bootstrap_project(ROOT)


def test_sources_are_the_tables_that_features_are_made_from_and_nothing_else() -> None:
    assert source_entries(pipelines["churn"]) == ["churn.current", "churn.customers"]


@pytest.mark.parametrize("room", ["training", "evaluation", "scoring", "monitoring", "retraining"])
def test_what_lives_on_features_reads_no_source(room: str) -> None:
    assert source_entries(pipelines[room]) == []
