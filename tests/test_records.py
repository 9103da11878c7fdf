"""Claims about the one shape of "found this, allowed that, do so", and about how statuses are spelt."""

from __future__ import annotations

from typing import Any

import pytest

from evergreen.evaluation.metrics import Metric
from evergreen.evaluation.promotion import PromotionDecision
from evergreen.records import Check, Record


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (
            Check(
                name="null_values", passed=False, where="sales.id", found="3 of 9 rows", allowed="0", what_to_do="drop"
            ),
            "sales.id fails null_values: 3 of 9 rows, allowed 0; drop.",
        ),
        (
            Check(name="rows", passed=False, found=120, allowed=1000, at_least=True),
            "rows fails: 120, allowed at least 1,000.",
        ),
        (
            Check(name="range", where="age", passed=True, found=0.004, allowed=0.01, unit="share", what_to_do="look"),
            "age passes range: 0.4 %, allowed 1.0 %.",
        ),
        (
            Check(name="latency", passed=True, found=12.345, allowed=200.0, unit="ms"),
            "latency passes: 12.35 ms, allowed 200 ms.",
        ),
        (Check(name="slices", passed=True, allowed=0.05), "slices passes: insufficient data, allowed 0.05."),
    ],
)
def test_a_check_says_where_what_found_allowed_and_what_to_do(check: Check, sentence: str) -> None:
    assert check.sentence == sentence


@pytest.mark.parametrize(
    ("former", "now"),
    [
        (
            {"name": "calibration", "passed": True, "found": 0.1, "allowed": 0.2, "sentence": "Calibration holds."},
            Check(name="calibration", passed=True, found=0.1, allowed=0.2, detail="Calibration holds"),
        ),
        (
            {"check": "range", "column": "age", "status": "warning", "found": 0.2, "allowed": 0.01},
            Check(name="range", where="age", passed=False, found=0.2, allowed=0.01, unit="share", blocks=False),
        ),
        (
            {"check": "duplicates", "column": None, "status": "failed", "found": 3, "allowed": 0},
            Check(name="duplicates", passed=False, found=3, allowed=0),
        ),
        (
            {"name": "cool-down", "fired": True, "found": "3 days", "allowed": "at least 7 days"},
            Check(name="cool-down", passed=False, found="3 days", allowed="at least 7 days"),
        ),
        (
            {"source": "drift", "found": "age drifted", "allowed": "below high"},
            Check(name="drift", passed=False, found="age drifted", allowed="below high"),
        ),
    ],
)
def test_the_five_former_shapes_are_read_as_checks(former: dict[str, Any], now: Check) -> None:
    assert Check.model_validate(former) == now


def test_statuses_that_were_written_with_spaces_are_read_in_snake_case() -> None:
    assert Metric.model_validate({"value": None, "status": "insufficient data"}).status == "insufficient_data"
    record = Record.model_validate({"use_case": "churn", "as_of": "2026-03-01", "status": "not needed"})
    assert record.status == "not_needed"


def test_a_decision_of_the_former_layout_is_read() -> None:
    former = {
        "decision": "refuse", "against": "champion", "alpha": 0.025, "power": 0.8,
        "rows": 9, "positives": 3, "blocks": 9,
        "reasons": ["Calibration fails."],
        "checks": [{"name": "calibration", "passed": False, "found": 0.4, "allowed": 0.1, "sentence": "It fails."}],
    }  # fmt: skip
    assert PromotionDecision.model_validate(former).checks[0].found_text == "It fails"
