"""Wires evaluation: contest, test scores, metrics, explanations, decision, records, card."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from evergreen.pipelines.evaluation import nodes
from evergreen.reporting.figures import PICTURES


def create_pipeline() -> Pipeline:
    """Evaluation of one use case; ``window`` is the newest feature table.

    ``evaluation`` is written by the report and read back by what needs it, so that the card, the training record
    and MLflow tell the same figures.
    """
    judged = ["published", "test_scores", "slices", "window", "contest", "params:evaluation"]
    figures = ["test_scores", "metrics", "slices", "comparisons", "promotion", "contest"]
    card = ["evaluation", "test_scores", "explained", "contest", "params:evaluation"]
    return Pipeline(
        [
            Node(nodes.line_up, ["training", "challenger", "incumbent"], "contest", name="line_up"),
            Node(
                nodes.score_test_rows,
                ["features", "window", "contest", "params:evaluation"],
                "test_scores",
                name="score_test_rows",
            ),
            Node(nodes.measure, ["test_scores", "contest"], "metrics", name="measure"),
            Node(nodes.slice_scores, ["test_scores", "params:evaluation"], "slices", name="slice_scores"),
            Node(nodes.compare, "test_scores", "comparisons", name="compare_algorithms"),
            Node(
                nodes.explain,
                ["test_scores", "contest", "params:evaluation"],
                ["explained", "importance", "explanations"],
                name="explain",
            ),
            Node(nodes.draw, ["test_scores", "explained", "contest"], "pictures", name="draw"),
            Node(nodes.hang, "pictures", [f"{name}_picture" for name in PICTURES], name="hang_pictures"),
            Node(
                nodes.publish,
                ["test_scores", "metrics", "explained", "pictures", "contest"],
                "published",
                name="publish_evaluation",
            ),
            Node(nodes.decide, judged, "promotion", name="decide_promotion"),
            Node(nodes.report, figures, "evaluation", name="report_evaluation"),
            Node(nodes.fill_training_record, ["training", "evaluation"], "training_evaluated", name="fill_training"),
            Node(nodes.write_card, card, ["model_card", "model_card_page"], name="write_model_card"),
        ]
    )
