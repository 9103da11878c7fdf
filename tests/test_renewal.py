"""Claims about pages that a run names."""

from __future__ import annotations

from types import ModuleType

import pytest
from kedro.pipeline import Pipeline

from evergreen.pipelines import policy_backtest, reporting, scoring
from evergreen.renewal import written_pages


@pytest.mark.parametrize(
    ("room", "pages"),
    [
        (policy_backtest, ["churn/policy_backtest.html"]),
        (reporting, ["churn/dashboard.html", "churn/index.html", "churn/monitoring.html"]),
        (scoring, []),
    ],
)
def test_a_run_names_the_pages_that_its_pipelines_write(room: ModuleType, pages: list[str]) -> None:
    assert written_pages(Pipeline(room.create_pipeline(), namespace="churn")) == pages
