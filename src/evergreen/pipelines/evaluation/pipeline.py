"""Wires evaluation: contest, test scores, metrics, explanations, decision, records, card."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.evaluation import nodes
from evergreen.reporting.figures import PICTURES


def create_pipeline() -> Pipeline:
    """Evaluation of one use case; ``window`` is the newest feature table.

    ``evaluation`` is written by the report and read back by what needs it, so that they tell the
    same figures.
    """
    return Pipeline(
        [
            Node(
                func=nodes.line_up,
                inputs=["training", "challenger", "incumbent"],
                outputs="contest",
                name="line_up",
            ),
            Node(
                func=nodes.score_test_rows,
                inputs=["features", "window", "contest", "params:evaluation"],
                outputs="test_scores",
                name="score_test_rows",
            ),
            Node(
                func=nodes.measure,
                inputs=["test_scores", "contest"],
                outputs="metrics",
                name="measure",
            ),
            Node(
                func=nodes.slice_scores,
                inputs=["test_scores", "params:evaluation"],
                outputs="slices",
                name="slice_scores",
            ),
            Node(
                func=nodes.compare,
                inputs="test_scores",
                outputs="comparisons",
                name="compare_algorithms",
            ),
            Node(
                func=nodes.explain,
                inputs=["test_scores", "contest", "params:evaluation"],
                outputs=["explained", "importance", "explanations"],
                name="explain",
            ),
            Node(
                func=nodes.decide,
                inputs=["test_scores", "window", "contest", "params:evaluation"],
                outputs="promotion",
                name="decide_promotion",
            ),
            Node(
                func=nodes.report,
                inputs=["test_scores", "metrics", "slices", "comparisons", "promotion", "contest"],
                outputs="judged",
                name="report_evaluation",
            ),
            _pages(),
            Node(
                func=nodes.publish,
                inputs=["judged", "test_scores", "explained", "pictures", "card", "contest"],
                outputs="published",
                name="publish_evaluation",
            ),
            Node(
                func=nodes.settle,
                inputs=["published", "judged", "contest"],
                outputs="evaluation",
                name="settle_promotion",
            ),
        ]
    )


def _pages() -> Pipeline:
    """What people look at: card and pictures, a dataset each; Kedro-Viz shows them as one room until it is opened."""
    return Pipeline(
        [
            Node(
                func=nodes.draw,
                inputs=["test_scores", "explained", "contest"],
                outputs="pictures",
                name="draw",
            ),
            Node(
                func=nodes.hang,
                inputs="pictures",
                outputs=[f"{name}_picture" for name in PICTURES],
                name="hang_pictures",
            ),
            Node(
                func=nodes.write_card,
                inputs=["judged", "test_scores", "explained", "contest", "params:evaluation"],
                outputs=["card", "model_card", "model_card_page"],
                name="write_model_card",
            ),
            Node(
                func=nodes.list_contents,
                inputs=[
                    "judged",
                    "model_card_page",
                    "model_card",
                    "importance",
                    "explanations",
                    *(f"{name}_picture" for name in PICTURES),
                ],
                outputs="evaluation_contents",
                name="list_evaluation_contents",
            ),
        ],
        namespace="pages",
        prefix_datasets_with_namespace=False,
    )
