"""Claims about monitoring as it is wired, in memory."""

from __future__ import annotations

import ibis

from tiny_use_case import Kept, TinyUseCase, people


def test_a_snapshot_of_the_same_world_is_quiet(served: TinyUseCase) -> None:
    served.run("monitoring")
    record = served["monitoring"]
    assert (record.status, record.version) == ("ok", "1")
    assert [name for name, column in record.drift.columns.items() if column.alarm] == []


def test_a_column_that_moved_alarms_on_record_page_and_metrics(served: TinyUseCase) -> None:
    served.kept["current"] = Kept(ibis.memtable(people(900, 4, "2026-03-31", shift=1.0)))
    served.run("feature_engineering", "monitoring")
    record = served["monitoring"]
    assert record.status == "drift"
    assert [name for name, column in record.drift.columns.items() if column.alarm] == ["age"]
    assert "age" in served["monitoring_page"]
    assert f'use_case="{served.name}"' in served["monitoring_metrics"]


def test_a_window_leaves_one_row_a_column_for_the_history(served: TinyUseCase) -> None:
    served.run("monitoring")
    rows = served["monitoring_history"]
    assert sorted(rows["column"]) == sorted([*served["champion"].manifest.spec.features, "probability"])
    assert rows["window_end"].nunique() == 1


def test_a_window_leaves_its_metrics_and_estimates_a_row_each(served: TinyUseCase) -> None:
    served.run("monitoring")
    record, rows = served["monitoring"], served["window_metrics"].set_index(["kind", "metric"])
    assert rows.index.is_unique
    assert set(rows.index.get_level_values("kind")) == {"measured", "estimated", "predictions", "drift"}
    auc = record.performance.metrics["roc_auc"]
    assert rows.loc[("measured", "roc_auc"), ["value", "low", "reference"]].tolist() == [
        auc.window.value, auc.window.low, auc.reference,
    ]  # fmt: skip
    assert rows.loc[("estimated", "f1"), "rows"] == record.estimate.rows
    assert rows.loc[("predictions", "positive_rate"), "value"] == record.positive_rate.window
