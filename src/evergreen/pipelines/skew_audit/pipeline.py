"""Wires the audit of served features for one kind of source."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.skew_audit import nodes
from evergreen.use_cases import UseCase

_ASKED = {
    "predictions": "service_predictions",
    "window": "window",
    "table": "params:table",
    "monitoring": "params:monitoring",
    "as_of": "params:as_of",
}


def create_pipeline(use_case: UseCase) -> Pipeline:
    """The audit of one use case; apart from the lifecycle, for it needs requests that a service has answered."""
    star = use_case.source == "star_schema"
    tables = {f"table_{name}": name for name in use_case.tables}
    return Pipeline(
        [
            Node(
                func=nodes.audit_star if star else nodes.audit,
                inputs={
                    **_ASKED,
                    "use_case": "params:use_case",
                    **({"star": "params:features", **tables} if star else {}),
                },
                outputs="skew_audit",
                name="audit_skew",
            )
        ]
    )
