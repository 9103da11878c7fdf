"""How does a model card stand in a model hub? With the metadata that Hugging Face reads, as YAML before the text."""

from __future__ import annotations

from typing import Any

import yaml

from evergreen.evaluation.judge import EvaluationRecord
from evergreen.reporting.model_card.evidence import METRIC_LABELS

_HUB_METRICS = {"roc_auc": "roc_auc", "accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1"}


def hugging_face_metadata(record: EvaluationRecord) -> dict[str, Any]:
    """The metadata of a model card, by the names of Hugging Face's specification.

    Args:
        record: How the version was judged; metrics that it has no number for are left out.
    """
    found = record.metrics["test"]
    metrics = [
        {"type": kind, "name": f"{METRIC_LABELS[name]} (test)", "value": found[name].value}
        for name, kind in _HUB_METRICS.items()
        if name in found and found[name].value is not None
    ]
    task = {"type": "tabular-classification", "name": "Tabular classification"}
    dataset = {"type": record.use_case, "name": f"{record.use_case}, {record.n_test:,} rows as of {record.as_of}"}
    return {
        "library_name": "sklearn",
        "pipeline_tag": "tabular-classification",
        "tags": ["sklearn", "tabular-classification", "evergreen", record.algorithm],
        "model-index": [
            {
                "name": f"{record.use_case}-version-{record.version}",
                "results": [{"task": task, "dataset": dataset, "metrics": metrics}],
            }
        ],
    }


def hugging_face_card(markdown: str, record: EvaluationRecord) -> str:
    """The card as a hub's ``README.md``: metadata between two lines of dashes, then the text.

    Args:
        markdown: The model card.
        record: How the version was judged.
    """
    head = yaml.safe_dump(hugging_face_metadata(record), sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n\n{markdown}"
