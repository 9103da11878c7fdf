"""Claims about the pictures of an evaluation."""

from __future__ import annotations

import io
import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image

from evergreen.evaluation import curves
from evergreen.evaluation.explanation import Explanation
from evergreen.reporting import pictures, shap_pictures
from evergreen.reporting.pictures import Subject

SUBJECT = Subject("churn", "7", "GradientBoosting", 2000)
NAMES = ("GradientBoosting", "LogisticRegression", "SVM")


@pytest.fixture(scope="module")
def judged() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    y = rng.random(2000) < 0.3
    return y, {name: np.clip(0.3 * y + rng.normal(0.3, 0.15, 2000), 0, 1) for name in NAMES}


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"age": rng.normal(40, 10, 400), "plan": rng.choice(["basic", "plus"], 400), "unused": 0.0})
    data.loc[0, "age"] = np.nan
    encoded = np.column_stack([data["age"].fillna(40), data["plan"] == "plus", np.zeros(400)])
    shap_values = np.column_stack([0.03 * (encoded[:, 0] - 40), encoded[:, 1] - 0.5, np.zeros(400)])
    return Explanation(
        features=("age", "plan", "unused"), shap_values=shap_values, base_values=np.full(400, -1.0), data=data,
        encoded=encoded, units="log-odds", explainer="tree", index=np.arange(400), available=900, additivity_error=0.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def figures(judged, explanation) -> dict[str, go.Figure]:
    y, scores = judged
    mine = scores["GradientBoosting"]
    return {
        "roc": pictures.roc_figure(
            {n: curves.roc_curve(y, s) for n, s in scores.items()}, dict.fromkeys(scores, 0.9), SUBJECT
        ),
        "precision_recall": pictures.precision_recall_figure(
            {n: curves.precision_recall_curve(y, s) for n, s in scores.items()}, float(y.mean()), SUBJECT
        ),
        "confusion": pictures.confusion_matrix_figure(y, mine, 0.45, SUBJECT),
        "calibration": pictures.calibration_figure(curves.calibration_curve(y, mine), SUBJECT),
        "scores": pictures.score_distribution_figure(curves.score_histogram(y, mine), 0.45, SUBJECT),
        "gain": pictures.gain_figure({n: curves.gain_curve(y, s) for n, s in scores.items()}, SUBJECT),
        "summary": shap_pictures.shap_summary_figure(explanation, SUBJECT),
        "local": shap_pictures.shap_local_figure(explanation, 3, SUBJECT),
    }


def test_every_picture_names_use_case_version_and_algorithm(figures):
    for figure in figures.values():
        title = figure.layout.title.text
        assert "churn, version 7" in title
        assert "GradientBoosting" in title


def test_every_axis_with_numbers_has_a_title(figures):
    for name in ("roc", "precision_recall", "scores"):
        assert figures[name].layout.xaxis.title.text
        assert figures[name].layout.yaxis.title.text
    assert figures["calibration"].layout.xaxis2.title.text
    assert figures["gain"].layout.yaxis2.title.text
    assert "log-odds" in figures["summary"].layout.xaxis.title.text
    assert "log-odds" in figures["local"].layout.xaxis.title.text


def test_every_picture_is_json_that_fits_a_report(figures):
    for figure in figures.values():
        text = figure.to_json()
        assert len(text) < 300_000
        json.loads(text, parse_constant=pytest.fail)


def test_the_judged_algorithm_is_thick_on_top_and_first_in_the_legend(figures):
    lines = [trace for trace in figures["roc"].data if trace.name != "chance"]
    assert lines[-1].name.startswith("GradientBoosting")
    assert lines[-1].line.width > 2 * max(trace.line.width for trace in lines[:-1])
    assert min(lines, key=lambda trace: trace.legendrank) is lines[-1]
    styles = {(trace.line.color, trace.line.dash) for trace in lines}
    assert len(styles) == len(lines)


def test_the_confusion_matrix_counts_the_rows(judged, figures):
    y, scores = judged
    predicted = scores["GradientBoosting"] >= 0.45
    texts = figures["confusion"].data[0].text
    assert f"<b>{int((~y & ~predicted).sum()):,}</b>" in texts[0][0]
    assert f"<b>{int((y & predicted).sum()):,}</b>" in texts[1][1]
    assert f"<b>{int((y & ~predicted).sum()):,}</b>" in texts[1][0]


def test_calibration_intervals_reach_from_low_to_high(judged, figures):
    y, scores = judged
    curve = curves.calibration_curve(y, scores["GradientBoosting"])
    bars = figures["calibration"].data[1]
    np.testing.assert_allclose(np.asarray(bars.y) + np.asarray(bars.error_y.array), curve["high"])
    np.testing.assert_allclose(np.asarray(bars.y) - np.asarray(bars.error_y.arrayminus), curve["low"])


def test_one_class_only_still_gives_pictures():
    y, scores = np.zeros(20), np.full(20, 0.2)
    pictures.confusion_matrix_figure(y, scores, 0.5, SUBJECT)
    pictures.roc_figure({"GradientBoosting": curves.roc_curve(y, scores)}, {"GradientBoosting": None}, SUBJECT)
    pictures.calibration_figure(curves.calibration_curve(y, scores), SUBJECT)
    pictures.score_distribution_figure(curves.score_histogram(y, scores), 0.5, SUBJECT)
    pictures.gain_figure({"GradientBoosting": curves.gain_curve(y, scores)}, SUBJECT)


def test_the_waterfall_ends_at_the_rows_own_score(explanation, figures):
    fall = figures["local"].data[0]
    steps = [value for value, kind in zip(fall.x, fall.measure, strict=True) if kind == "relative"]
    assert fall.x[0] + sum(steps) == pytest.approx(explanation.outputs[3])
    assert fall.text[-1] == f"{explanation.outputs[3]:.3f}"


def test_the_waterfall_sums_what_it_does_not_show(explanation):
    fall = shap_pictures.shap_local_figure(explanation, 5, SUBJECT, max_features=1).data[0]
    assert "2 other features" in fall.y
    assert fall.x[0] + fall.x[1] + fall.x[2] == pytest.approx(explanation.outputs[5])


def test_the_summary_names_features_in_order_of_importance_and_stays_in_its_lane(figures):
    axis = figures["summary"].layout.yaxis
    assert axis.ticktext == ("plan", "age", "unused")
    heights = np.asarray(figures["summary"].data[0].y)
    assert np.abs(heights - np.round(heights)).max() <= 0.42


def test_the_png_has_300_dpi_and_leaves_no_figure_behind(explanation):
    before, backend = plt.get_fignums(), plt.get_backend()
    png = shap_pictures.shap_summary_png(explanation, SUBJECT)
    assert png.startswith(b"\x89PNG")
    with Image.open(io.BytesIO(png)) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert image.size[0] >= 2000
    assert plt.get_fignums() == before
    assert plt.get_backend() == backend
    np.testing.assert_equal(png, shap_pictures.shap_summary_png(explanation, SUBJECT))
