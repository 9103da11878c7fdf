"""How does a judged model look? Plotly figures in one house style, safe for colour-blind readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

from evergreen.evaluation.auc import as_labels, as_scores

BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#8A8F98"
OTHERS = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe and Ito (2008)
DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
_INK, _FAINT = "#1F2328", "#E6E8EB"


@dataclass(frozen=True)
class Subject:
    """What the pictures of one evaluation are about; their titles say it.

    Attributes:
        use_case: The use case.
        version: The judged version.
        algorithm: Its algorithm.
        rows: Test rows.
    """

    use_case: str
    version: str
    algorithm: str
    rows: int

    def title(self, what: str) -> str:
        """``what`` of this version."""
        return f"{what} · {self.use_case}, version {self.version}"

    def subtitle(self, reading: str) -> str:
        """Algorithm and rows, and how to read the picture."""
        return f"{self.algorithm} on {self.rows:,} test rows. {reading}"


def styled(figure: go.Figure, title: str, subtitle: str) -> go.Figure:
    """Put the house style on a figure: large type, faint grid, title with a second line, legend at the right.

    Args:
        figure: Changed in place.
        title: What is shown, of which use case and version.
        subtitle: On how many rows, and how to read it.

    Returns:
        The same figure.
    """
    figure.update_layout(
        template="none",
        title={
            "text": f"<b>{title}</b><br><span style='font-size:15px;color:#57606A'>{subtitle}</span>",
            "x": 0, "xref": "paper", "xanchor": "left", "y": 0.965, "yanchor": "top", "font": {"size": 20},
        },
        font={"family": "Helvetica, Arial, sans-serif", "size": 15, "color": _INK},
        height=620,
        margin={"l": 90, "r": 40, "t": 105, "b": 75},
        hoverlabel={"font": {"size": 14}},
        legend={"font": {"size": 14}, "bgcolor": "rgba(255,255,255,0.8)"},
        plot_bgcolor="white",
        paper_bgcolor="white",
    )  # fmt: skip
    axis = {"gridcolor": _FAINT, "zeroline": False, "linecolor": GREY, "ticks": "outside", "tickcolor": GREY}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure


def roc_figure(curves: Mapping[str, pd.DataFrame], aucs: Mapping[str, float | None], subject: Subject) -> go.Figure:
    """ROC curves of all algorithms, the judged one thick.

    Args:
        curves: Frames of :func:`~evergreen.evaluation.curves.roc_curve` by algorithm.
        aucs: Test ROC AUC by algorithm, for the legend.
        subject: What it is about.
    """
    figure = go.Figure(_lines(curves, "false_positive_rate", "true_positive_rate", subject, aucs))
    figure.add_trace(_reference([0, 1], [0, 1], "chance"))
    figure.update_xaxes(title="False positive rate (share of negatives)", range=[-0.005, 1.005])
    figure.update_yaxes(title="True positive rate (share of positives)", range=[-0.005, 1.01])
    reading = "The further to the upper left, the better it ranks; AUC in the legend."
    return styled(figure, subject.title("ROC curve"), subject.subtitle(reading))


def precision_recall_figure(curves: Mapping[str, pd.DataFrame], base_rate: float, subject: Subject) -> go.Figure:
    """Precision over recall of all algorithms, with the base rate that chance would reach.

    Args:
        curves: Frames of :func:`~evergreen.evaluation.curves.precision_recall_curve` by algorithm.
        base_rate: Share of positives among the test rows.
        subject: What it is about.
    """
    figure = go.Figure(_lines(curves, "recall", "precision", subject))
    figure.add_trace(_reference([0, 1], [base_rate, base_rate], f"chance ({base_rate:.1%})"))
    figure.update_xaxes(title="Recall (share of positives found)", range=[-0.005, 1.005])
    figure.update_yaxes(title="Precision (share of predicted positives that are)", range=[0, 1.01])
    reading = "How many alarms are right, as more positives are found."
    return styled(figure, subject.title("Precision and recall"), subject.subtitle(reading))


def confusion_matrix_figure(y_true: ArrayLike, scores: ArrayLike, threshold: float, subject: Subject) -> go.Figure:
    """Counts, and shares of the actual class, at the decision threshold.

    Args:
        y_true: Labels 0/1, shape (rows,).
        scores: Probabilities of class 1, shape (rows,).
        threshold: Probability from which a row is predicted 1.
        subject: What it is about.
    """
    y = as_labels(y_true).astype(np.intp)
    predicted = (as_scores(scores, len(y)) >= threshold).astype(np.intp)
    counts = np.bincount(2 * y + predicted, minlength=4).reshape(2, 2)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [["true negatives", "false positives"], ["false negatives", "true positives"]]
    text = [
        [f"<b>{counts[i, j]:,}</b><br>{names[i][j]}<br>{shares[i, j]:.1%} of class {i}" for j in (0, 1)] for i in (0, 1)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=shares, x=["predicted 0", "predicted 1"], y=["actual 0", "actual 1"], text=text, texttemplate="%{text}",
            textfont={"size": 18}, hoverinfo="skip", zmin=0, zmax=1, xgap=4, ygap=4,
            colorscale=[[0, "#F4F7FA"], [1, "#6FB1DB"]], showscale=False,
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    reading = f"Predicted 1 from a probability of {threshold:.3f} on."
    styled(figure, subject.title("Confusion matrix"), subject.subtitle(reading))
    figure.update_xaxes(showgrid=False, ticks="")
    return figure.update_yaxes(showgrid=False, ticks="")


def calibration_figure(curve: pd.DataFrame, subject: Subject) -> go.Figure:
    """Observed share of positives over predicted probability with 95 % intervals, rows per bin below.

    Args:
        curve: A frame of :func:`~evergreen.evaluation.curves.calibration_curve`.
        subject: What it is about.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.78, 0.22], vertical_spacing=0.06)
    figure.add_trace(_reference([0, 1], [0, 1], "perfect calibration"), 1, 1)
    figure.add_trace(
        go.Scatter(
            x=curve["probability"], y=curve["observed"], mode="lines+markers", name=subject.algorithm,
            line={"color": BLUE, "width": 3}, marker={"size": 9},
            error_y={
                "array": curve["high"] - curve["observed"], "arrayminus": curve["observed"] - curve["low"],
                "color": BLUE, "thickness": 1.5, "width": 5,
            },
            hovertemplate="predicted %{x:.3f}<br>observed %{y:.3f}<extra></extra>",
        ), 1, 1,
    )  # fmt: skip
    bars = go.Bar(x=curve["probability"], y=curve["rows"], marker_color=GREY, width=0.04, showlegend=False, name="rows")
    figure.add_trace(bars, 2, 1)
    figure.update_yaxes(title="Observed share of 1", range=[-0.01, 1.01], row=1, col=1)
    figure.update_yaxes(title="Rows", rangemode="tozero", nticks=4, row=2, col=1)
    figure.update_xaxes(range=[-0.03, 1.03])
    figure.update_xaxes(title="Predicted probability (mean of the bin)", row=2, col=1)
    reading = "On the diagonal, .8 means eight in ten; bars are 95 % intervals."
    return styled(figure, subject.title("Calibration"), subject.subtitle(reading))


def score_distribution_figure(histogram: pd.DataFrame, threshold: float, subject: Subject) -> go.Figure:
    """Scores of both classes as shares of their class, with the decision threshold.

    Args:
        histogram: A frame of :func:`~evergreen.evaluation.curves.score_histogram`.
        threshold: Probability from which a row is predicted 1.
        subject: What it is about.
    """
    figure = go.Figure()
    for label, colour in ((0, BLUE), (1, VERMILION)):
        part = histogram[histogram["class"] == label]
        figure.add_trace(
            go.Bar(
                x=(part["left"] + part["right"]) / 2, y=part["share"], width=part["right"] - part["left"],
                name=f"class {label} ({int(part['rows'].sum()):,} rows)", opacity=0.6,
                marker={"color": colour, "line": {"width": 0}},
                hovertemplate=f"class {label}: %{{y:.1%}} at %{{x:.3f}}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_vline(
        x=threshold, line={"color": _INK, "dash": "dash", "width": 2}, annotation_text=f"threshold {threshold:.3f}",
        annotation_position="top right",
    )  # fmt: skip
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_xaxes(title="Predicted probability of 1")
    figure.update_yaxes(title="Share of the class", tickformat=".0%", rangemode="tozero")
    reading = "The less the two overlap, the better."
    return styled(figure, subject.title("Scores by class"), subject.subtitle(reading))


def gain_figure(curves: Mapping[str, pd.DataFrame], subject: Subject) -> go.Figure:
    """Cumulative gain at the left and lift at the right, of all algorithms.

    Args:
        curves: Frames of :func:`~evergreen.evaluation.curves.gain_curve` by algorithm.
        subject: What it is about.
    """
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.11)
    figure.add_traces(_lines(curves, "targeted", "gain", subject), rows=1, cols=1)
    lifts = {name: curve[curve["targeted"] >= 0.01] for name, curve in curves.items()}
    for line in _lines(lifts, "targeted", "lift", subject):
        figure.add_trace(line.update(showlegend=False), 1, 2)
    figure.add_trace(_reference([0, 1], [0, 1], "chance"), 1, 1)
    figure.add_trace(_reference([0, 1], [1, 1], "chance").update(showlegend=False), 1, 2)
    figure.update_xaxes(title="Share of rows acted on, best first", tickformat=".0%", range=[-0.005, 1.005])
    figure.update_yaxes(title="Share of positives reached", tickformat=".0%", range=[0, 1.01], row=1, col=1)
    figure.update_yaxes(title="Lift (times the base rate)", rangemode="tozero", row=1, col=2)
    reading = "What acting on the best-scored rows reaches; lift from 1 % of rows on."
    return styled(figure, subject.title("Gain and lift"), subject.subtitle(reading))


def _lines(
    curves: Mapping[str, pd.DataFrame],
    x: str,
    y: str,
    subject: Subject,
    figures: Mapping[str, float | None] | None = None,
) -> list[go.Scatter]:
    """One line per algorithm: the judged one thick and last drawn, so that it lies on top; first in the legend."""
    others = [name for name in curves if name != subject.algorithm]
    styles = dict(zip(others, cycle(zip(OTHERS, DASHES, strict=True)), strict=False))
    lines = []
    for rank, name in enumerate([*others[::-1], *(n for n in curves if n == subject.algorithm)]):
        colour, dash = styles.get(name, (BLUE, "solid"))
        judged = name == subject.algorithm
        value = (figures or {}).get(name)
        lines.append(
            go.Scatter(
                x=curves[name][x], y=curves[name][y], mode="lines", legendrank=1000 - rank,
                name=name if value is None else f"{name} {value:.3f}",
                line={"color": colour, "dash": "solid" if judged else dash, "width": 4 if judged else 1.6},
                hovertemplate=f"{name}<br>%{{x:.3f}}, %{{y:.3f}}<extra></extra>",
            )
        )  # fmt: skip
    return lines


def _reference(x: list[float], y: list[float], name: str) -> go.Scatter:
    line = {"color": GREY, "width": 1.5, "dash": "2px,4px"}
    return go.Scatter(x=x, y=y, mode="lines", name=name, line=line, hoverinfo="skip", legendrank=2000)
