"""How does an explanation look? Plotly figures, and the summary as a PNG for print."""

from __future__ import annotations

import io

import numpy as np
import plotly.graph_objects as go

from evergreen.evaluation.auc import Floats
from evergreen.evaluation.explanation import Explanation
from evergreen.reporting.pictures import BLUE, GREY, VERMILION, Subject, styled

_DPI = 300
_DRAWN_ROWS = 300
_LOW_TO_HIGH = ((0.0, BLUE), (0.5, "#D9D9D9"), (1.0, VERMILION))


def shap_summary_figure(explanation: Explanation, subject: Subject, max_features: int = 15) -> go.Figure:
    """SHAP values of the most important features, one dot a row, coloured by the feature's own value.

    Args:
        explanation: Of any rows; 300 of them are drawn.
        subject: What it is about.
        max_features: Features to show.
    """
    top, drawn = _top(explanation, max_features), _drawn(explanation)
    x = explanation.shap_values[drawn][:, top]
    figure = go.Figure(
        go.Scattergl(
            x=x.ravel(order="F").astype(np.float32),
            y=(np.arange(len(top)) + _swarm(x)).ravel(order="F").astype(np.float32),
            mode="markers", showlegend=False,
            text=[f"{explanation.features[j]} = {_shown(v)}" for j in top for v in explanation.data.iloc[drawn, j]],
            hovertemplate="%{text}<br>%{x:+.4f}<extra></extra>",
            marker={
                "color": _percentile(explanation.encoded[drawn][:, top]).ravel(order="F").astype(np.float32),
                "size": 6, "opacity": 0.8, "colorscale": [list(stop) for stop in _LOW_TO_HIGH],
                "colorbar": {
                    "title": {"text": "Feature value", "side": "right"}, "tickvals": [0.03, 0.97], "thickness": 12,
                    "ticktext": ["low", "high"], "outlinewidth": 0,
                },
            },
        )
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5})
    reading = f"{explanation.basis}; a category's value is its average outcome in training."
    styled(figure, subject.title("What moves the scores"), _sentence(subject, reading))
    figure.update_layout(height=max(420, 200 + 34 * len(top)), margin={"l": 30})
    figure.update_xaxes(title=_axis_title(explanation))
    names = [explanation.features[j] for j in top]
    return figure.update_yaxes(
        tickvals=list(range(len(top))), ticktext=names, range=[len(top) - 0.4, -0.6], automargin=True
    )


def shap_local_figure(explanation: Explanation, row: int, subject: Subject, max_features: int = 10) -> go.Figure:
    """One row's score as a waterfall, from the expected score to its own.

    Args:
        explanation: Holds the row.
        row: Its position in the explanation.
        subject: What it is about.
        max_features: Features to show; the others are summed.
    """
    values, base = explanation.shap_values[row], float(explanation.base_values[row])
    order = np.argsort(-np.abs(values), kind="stable")
    top, rest = order[:max_features], order[max_features:]
    names = [f"{explanation.features[j]} = {_shown(explanation.data.iloc[row, j])}" for j in top]
    steps = [float(values[j]) for j in top]
    if len(rest):
        names.append(f"{len(rest)} other features")
        steps.append(float(values[rest].sum()))
    figure = go.Figure(
        go.Waterfall(
            orientation="h", y=["expected", *names, "this row"], x=[base, *steps, 0.0],
            measure=["absolute", *["relative"] * len(steps), "total"],
            text=[f"{base:.3f}", *[f"{step:+.3f}" for step in steps], f"{explanation.outputs[row]:.3f}"],
            textposition="outside", cliponaxis=False, hoverinfo="skip", showlegend=False,
            increasing={"marker": {"color": VERMILION}}, decreasing={"marker": {"color": BLUE}},
            totals={"marker": {"color": GREY}}, connector={"line": {"color": GREY, "width": 1}},
        )
    )  # fmt: skip
    reading = f"probability {explanation.probabilities[row]:.3f}; {explanation.explainer} explainer."
    styled(figure, subject.title("Why this score"), _sentence(subject, reading))
    figure.update_layout(height=220 + 34 * (len(steps) + 2), margin={"l": 30, "r": 80})
    figure.update_xaxes(title=f"Score in {explanation.units}")
    return figure.update_yaxes(autorange="reversed", automargin=True)


def shap_summary_png(explanation: Explanation, subject: Subject, max_features: int = 15) -> bytes:
    """The summary as a PNG at 300 dpi, drawn without pyplot: no window, no state left behind.

    Args:
        explanation: Of any rows; 300 of them are drawn.
        subject: What it is about.
        max_features: Features to show.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    top, drawn = _top(explanation, max_features), _drawn(explanation)
    x = explanation.shap_values[drawn][:, top]
    figure = Figure(figsize=(9, 1.9 + 0.36 * len(top)), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    dots = axes.scatter(
        x, np.arange(len(top)) + _swarm(x), c=_percentile(explanation.encoded[drawn][:, top]), s=9, linewidths=0,
        alpha=0.85, cmap=LinearSegmentedColormap.from_list("low to high", list(_LOW_TO_HIGH)), vmin=0, vmax=1,
    )  # fmt: skip
    axes.axvline(0, color=GREY, linewidth=1, zorder=0)
    axes.set_yticks(range(len(top)), [explanation.features[j] for j in top])
    axes.set_ylim(len(top) - 0.4, -0.6)
    axes.set_xlabel(_axis_title(explanation))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    axes.set_title(f"{subject.title('What moves the scores')}\n", loc="left", fontweight="bold")
    axes.text(
        0, 1.02, f"{subject.algorithm}; {explanation.basis}", transform=axes.transAxes, color="#57606A", fontsize=9
    )
    bar = figure.colorbar(dots, ax=axes, label="Feature value", ticks=[0.03, 0.97], aspect=40, pad=0.02)
    bar.ax.set_yticklabels(["low", "high"])
    bar.outline.set_visible(False)
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=_DPI)
    return target.getvalue()


def _top(explanation: Explanation, max_features: int) -> np.ndarray:
    return np.argsort(-np.abs(explanation.shap_values).mean(axis=0), kind="stable")[:max_features]


def _drawn(explanation: Explanation) -> np.ndarray:
    rows = len(explanation.shap_values)
    return np.unique(np.linspace(0, rows - 1, min(rows, _DRAWN_ROWS)).round().astype(np.intp))


def _swarm(x: Floats) -> Floats:
    """Offsets that keep dots of near-equal value apart, shape of ``x`` (rows, features), within ±.4."""
    low, high = x.min(), x.max()
    bins = np.floor((x - low) / max((high - low) / 120, 1e-12)).astype(np.intp)
    offsets = np.zeros(x.shape)
    for feature in range(x.shape[1]):
        order = np.argsort(bins[:, feature], kind="stable")
        counts = np.bincount(bins[:, feature])
        place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        side = np.where(place % 2 == 0, 1, -1) * ((place + 1) // 2)
        offsets[order, feature] = side * min(0.07, 0.8 / max(int(counts.max()), 1))
    return offsets


def _percentile(values: Floats) -> Floats:
    """Where each value stands within its column, 0 to 1; ties share a place."""
    places = np.empty(values.shape)
    for column in range(values.shape[1]):
        _, inverse, counts = np.unique(values[:, column], return_inverse=True, return_counts=True)
        middle = np.cumsum(counts) - (counts + 1) / 2
        span = max(float(middle[-1] - middle[0]), 1e-12)
        places[:, column] = ((middle - middle[0]) / span if len(counts) > 1 else np.array([0.5]))[inverse]
    return places


def _axis_title(explanation: Explanation) -> str:
    return f"SHAP value: what the feature adds to the score ({explanation.units})"


def _sentence(subject: Subject, reading: str) -> str:
    return f"{subject.algorithm}, {reading}"


def _shown(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "missing" if np.isnan(value) else f"{value:.4g}"
    return str(value)
