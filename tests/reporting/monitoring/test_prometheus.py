"""Claims about the Prometheus text: it parses, says what the record says, and nothing that is unknown."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from evergreen.reporting.monitoring.prometheus import prometheus_text
from monitored_window import Observed, observe, table

Labels = tuple[tuple[str, str], ...]
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})\{{(.*)\}} (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def parse(text: str) -> dict[str, dict[Labels, float]]:
    """A strict reader of the exposition format: every sample follows the HELP and TYPE of its own family."""
    assert text.endswith("\n")
    families: dict[str, dict[Labels, float]] = {}
    lines = iter(text.splitlines())
    family = ""
    for line in lines:
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert family not in families
            assert next(lines) == f"# TYPE {family} gauge"
            families[family] = {}
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        assert name == family
        found = LABEL.findall(labels)
        assert "".join(f'{key}="{raw}",' for key, raw in found) == f"{labels},"
        key = tuple((k, re.sub(r'\\[\\"n]', lambda m: ESCAPES[m[0]], raw)) for k, raw in found)
        assert key not in families[family]
        families[family][key] = float(value)
    assert all(families.values())
    return families


@pytest.fixture(scope="module")
def drifted() -> Observed:
    odd = 'in "come"\\\n'
    return observe(table(0).assign(**{odd: 1.0}), table(1, shift=0.5).assign(**{odd: 1.0}))


def test_the_text_says_what_the_record_says(drifted):
    record = drifted.record
    families = parse(prometheus_text(record))
    common = (("use_case", "churn"), ("version", "7"))
    assert families["evergreen_drift_effect"] == {
        (*common, ("column", name)): column.effect for name, column in record.drift.columns.items()
    }
    assert families["evergreen_drift_alarm"][(*common, ("column", "income"))] == 1
    assert families["evergreen_drift_alarm"][(*common, ("column", "age"))] == 0
    assert families["evergreen_window_rows"] == {common: 2_000}
    assert families["evergreen_roc_auc"] == {
        (*common, ("kind", "estimated")): record.estimate.metrics["roc_auc"].value,
        (*common, ("kind", "realised")): record.performance.metrics["roc_auc"].window.value,
        (*common, ("kind", "reference")): record.performance.metrics["roc_auc"].reference,
    }
    assert families["evergreen_positive_rate"] == {common: record.positive_rate.window}
    assert families["evergreen_alerts_open"] == {common: 1}
    assert families["evergreen_retrain_reasons"] == {common: 1}
    assert "evergreen_retrain_trigger" not in families
    assert families["evergreen_quality_failed_checks"] == {common: 0}
    midnight = dt.datetime(2026, 2, 28, tzinfo=dt.UTC).timestamp()
    assert families["evergreen_monitoring_as_of_timestamp_seconds"] == {common: midnight}
    assert len(families) == 9


def test_quotes_backslashes_and_line_breaks_in_labels_survive(drifted):
    alarms = parse(prometheus_text(drifted.record))["evergreen_drift_alarm"]
    assert {dict(labels)["column"] for labels in alarms} == {"age", "income", "plan", 'in "come"\\\n'}


def test_what_is_unknown_has_no_sample(drifted):
    missing = drifted.record.model_copy(
        update={
            "performance": None,
            "reference_auc": None,
            "positive_rate": drifted.record.positive_rate.model_copy(update={"window": None}),
        }
    )
    families = parse(prometheus_text(missing))
    assert "evergreen_positive_rate" not in families
    assert [dict(labels)["kind"] for labels in families["evergreen_roc_auc"]] == ["estimated"]
    assert "nan" not in prometheus_text(missing).lower()


def test_an_estimate_without_labels_has_its_reference_beside_it(drifted):
    unlabelled = drifted.record.model_copy(update={"performance": None, "reference_auc": 0.8})
    samples = parse(prometheus_text(unlabelled))["evergreen_roc_auc"]
    assert {dict(labels)["kind"]: value for labels, value in samples.items()}["reference"] == 0.8


def test_the_order_does_not_depend_on_the_order_of_columns(drifted):
    drift = drifted.record.drift
    turned = drift.model_copy(update={"columns": dict(reversed(drift.columns.items()))})
    assert prometheus_text(drifted.record.model_copy(update={"drift": turned})) == prometheus_text(drifted.record)
