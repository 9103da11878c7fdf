"""Claims about the model card in a model hub."""

from __future__ import annotations

import yaml

from evergreen.reporting.model_card.hugging_face import hugging_face_card
from made_up_pages import evaluation


def test_metadata_stand_before_the_text_with_the_metrics_that_are_known() -> None:
    record = evaluation()
    _, head, text = hugging_face_card("# churn · version 7\n", record).split("---\n", 2)
    found = yaml.safe_load(head)
    (result,) = found["model-index"][0]["results"]
    assert text == "\n# churn · version 7\n"
    assert (found["library_name"], found["pipeline_tag"]) == ("sklearn", "tabular-classification")
    assert result["task"]["type"] == "tabular-classification"
    assert {m["type"]: m["value"] for m in result["metrics"]}["roc_auc"] == record.metrics["test"]["roc_auc"].value
    assert len(result["metrics"]) == 5
