"""The page's sections on single columns: ranking, distributions beside each other, trend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from evergreen.monitoring.alerts import disjoint_windows
from evergreen.monitoring.drift.report import ColumnDrift, DriftReport
from evergreen.monitoring.profiles.profile import CategoricalColumn, Column, NumericColumn, Profile
from evergreen.reporting.blocks import Block, Folded, Panel, Panels, Table, Text
from evergreen.reporting.charts.picture import Picture
from evergreen.reporting.charts.sparkline import sparkline
from evergreen.reporting.monitoring.drawings import histogram_picture, levels_picture, rebin
from evergreen.reporting.monitoring.trends import IN_ALARM
from evergreen.reporting.monitoring.wording import badge
from evergreen.rows.spans import moment_text
from evergreen.wording import counted, listed, number_text, p_text, share_text, shortened

DETAILED = 24
_RANKED = 15
_WINDOWS_SHOWN = 26
_LEVEL_LENGTH = 40
_TREND_SPAN = 0.25
_SMALL_EFFECT = 0.05
Ranked = list[tuple[str, float]]
_VERDICT = ("Column", "Verdict", "Effect")


@dataclass(frozen=True)
class Trend:
    """Effects and alarms of every column over the windows of a history, oldest first.

    Attributes:
        effects: Effect by window (rows) and column; NaN where not judged.
        hits: Whether the column alarmed, likewise.
    """

    effects: pd.DataFrame
    hits: pd.DataFrame

    def pictures(self, name: str, is_open: bool, limit: float | None = None) -> list[Picture]:
        """The column's trend; nothing before the second window."""
        if name not in self.effects or len(self.effects) < 2:
            return []
        effects = [None if pd.isna(value) else float(value) for value in self.effects[name]]
        places = [moment_text(end) for end in self.effects.index]
        return [sparkline(name, places, effects, self.hits[name].tolist(), limit, is_open, _TREND_SPAN)]


def read_trend(history: pd.DataFrame) -> Trend:
    """The newest windows of a history that do not overlap, as the rule over windows sees them."""
    if history.empty:
        return Trend(pd.DataFrame(), pd.DataFrame())
    ends = disjoint_windows(history)[-_WINDOWS_SHOWN:]
    rows = history[history["window_end"].isin(ends)].drop_duplicates(["window_end", "column"], keep="last")
    alarmed = rows.assign(hit=rows["status"].isin(IN_ALARM))
    return Trend(
        effects=_by_window(rows, "effect"),
        hits=_by_window(alarmed, "hit").eq(True),
    )


def _by_window(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    return rows.pivot_table(index="window_end", columns="column", values=value, aggfunc="last", dropna=False)


def ranking(drift: DriftReport, importance: Mapping[str, float] | None) -> Ranked:
    """Judged columns by drift × importance, those in alarm first; without importances by drift alone.

    Drift is the effect; a missing or retyped column counts as 1. Importances are shares of their sum.
    """
    weights = importance or {}
    total = sum(weights.values()) or 1.0
    ranked = [
        (name, _loudness(column) * (weights.get(name, 0.0) / total if weights else 1.0))
        for name, column in drift.columns.items()
        if column.status != "off"
    ]
    return sorted(
        ranked,
        key=lambda pair: (not drift.columns[pair[0]].alarm, -pair[1], -_loudness(drift.columns[pair[0]]), pair[0]),
    )


def ranking_blocks(drift: DriftReport, importance: Mapping[str, float] | None) -> list[Block]:
    """The columns that matter most, as bars; a full bar is at least a small drift of an average column."""
    ranked = ranking(drift, importance)
    return _ranked_by_both(drift, ranked, importance) if importance else _ranked_by_drift(drift, ranked)


def _ranked_by_both(drift: DriftReport, ranked: Ranked, importance: Mapping[str, float]) -> list[Block]:
    total = sum(importance.values()) or 1.0
    rows = [
        (name, *_verdict(drift.columns[name]), share_text(importance.get(name, 0.0) / total), number_text(product, 4))
        for name, product in ranked[:_RANKED]
    ]
    head = (*_VERDICT, "Importance", "Drift × importance")
    text = (
        "Ranked by drift × importance, columns in alarm first: a large drift of a column that the model hardly uses "
        "matters little."
    )
    bars = _bars(ranked, _SMALL_EFFECT / max(len(ranked), 1))
    return [Text(text), Table(head, rows, frozenset(head[2:]), bars)]


def _ranked_by_drift(drift: DriftReport, ranked: Ranked) -> list[Block]:
    rows = [(name, *_verdict(drift.columns[name])) for name, _ in ranked[:_RANKED]]
    text = "Ranked by drift alone, because no importance is known; columns in alarm come first."
    return [Text(text), Table(_VERDICT, rows, frozenset({"Effect"}), _bars(ranked, _SMALL_EFFECT))]


def _bars(ranked: Ranked, least: float) -> list[float]:
    shown = [product for _, product in ranked[:_RANKED]]
    largest = max([least, *shown])
    return [product / largest for product in shown]


def column_blocks(
    drift: DriftReport,
    reference: Profile,
    window: Profile,
    trend: Trend,
    importance: Mapping[str, float] | None,
    is_open: Mapping[str, object],
    limit: float | None = None,
) -> list[Block]:
    """Columns in alarm first; quiet ones folded, those that matter most in detail, a line for every other one.

    Args:
        drift: What became of the columns.
        reference: Profile of the features in the training rows.
        window: Profile of the features in the window.
        trend: Effects over windows.
        importance: Weight of each feature; None or empty: unknown.
        is_open: Columns whose alert is open.
        limit: Effect from which a column may alarm, for the trends.
    """
    names = [name for name, _ in ranking(drift, importance)]
    loud = [name for name in names if drift.columns[name].alarm or name in is_open]
    quiet = [name for name in names[:DETAILED] if name not in loud]

    def panels(shown: list[str]) -> Panels:
        return Panels(
            [
                column_panel(
                    name,
                    drift.columns[name],
                    [
                        *distributions(name, reference.columns.get(name), window.columns.get(name)),
                        *trend.pictures(name, name in is_open, limit),
                    ],
                    facts(reference.columns.get(name), window.columns.get(name)),
                )
                for name in shown
            ]
        )

    off = sorted(name for name, column in drift.columns.items() if column.status == "off")
    text = (
        "Grey is the reference, blue this window. Effects are mean shifts in standard deviations that would look as "
        "different. Under each distribution stands the effect window by window: red points are windows in alarm, "
        "a ring is an open alert."
    )
    drawn = loud[:DETAILED]
    blocks: list[Block] = [Text(text), panels(drawn) if drawn else Text("No column is in alarm.")]
    quiet = quiet[: DETAILED - len(drawn)]
    if quiet:
        blocks.append(Folded(f"{counted(len(quiet), 'quiet column')}, those that matter most first", [panels(quiet)]))
    others = [name for name in names if name not in drawn and name not in quiet]
    if others:
        head = (*_VERDICT, "Adjusted p", "Detectable shift", "Nulls before", "Nulls now")
        rows = [_line(name, drift.columns[name]) for name in others]
        text = f"The other {counted(len(rows), 'column')}, in the order of the ranking"
        blocks.append(Folded(text, [Table(head, rows, frozenset(head[2:]))]))
    if off:
        blocks.append(Text(f"Without part in alarms, because they move with the calendar: {listed(off, 20)}."))
    return blocks


def column_panel(name: str, column: ColumnDrift, pictures: Sequence[Picture], facts: list[tuple[str, str]]) -> Panel:
    """One column's verdict, pictures and numbers."""
    word, tone = badge(column)
    usual = [
        ("Effect", _effect(column)),
        ("Adjusted p", p_text(column.adjusted_p_value)),
        ("Detectable shift", number_text(column.minimum_detectable_effect, 2)),
        ("Design effect", number_text(column.design_effect, 2)),
        ("Nulls before", share_text(column.reference_null_share)),
        ("Nulls now", share_text(column.window_null_share)),
    ]
    unseen = [f"{shortened(level, _LEVEL_LENGTH)} ({count:,})" for level, count in column.unseen_levels.items()]
    new = f" New levels: {listed(unseen)}." if unseen else ""
    return Panel(name, word, tone, f"{column.message}{new}", pictures, [*usual, *facts], _distances(column))


def _loudness(column: ColumnDrift) -> float:
    return 1.0 if column.status in ("missing", "retyped") else column.effect or 0.0


def _verdict(column: ColumnDrift) -> tuple[str, str]:
    return badge(column)[0], _effect(column)


def _effect(column: ColumnDrift) -> str:
    return column.status if column.status in ("missing", "retyped") else number_text(column.effect, 2)


def distributions(name: str, reference: Column | None, window: Column | None) -> list[Picture]:
    """Both sides' distributions in one picture; none where either has nothing to draw."""
    picture = None
    if isinstance(reference, NumericColumn) and isinstance(window, NumericColumn):
        histogram = rebin(reference, window)
        picture = histogram_picture(histogram, name) if histogram else None
    elif isinstance(reference, CategoricalColumn) and isinstance(window, CategoricalColumn):
        picture = levels_picture(reference, window, name)
    return [picture] if picture else []


def facts(reference: Column | None, window: Column | None) -> list[tuple[str, str]]:
    """What is worth saying of a column beside its verdict."""
    if isinstance(reference, NumericColumn):
        after = window.mean if isinstance(window, NumericColumn) else None
        return [("Mean before", _rounded(reference.mean)), ("Mean now", _rounded(after))]
    if isinstance(reference, CategoricalColumn):
        seen = isinstance(window, CategoricalColumn) and window.count > 0
        others = window.counts[-1] / window.count if isinstance(window, CategoricalColumn) and seen else None
        return [("Levels", f"{len(reference.levels):,}"), ("Other levels now", share_text(others))]
    return []


def _distances(column: ColumnDrift) -> str:
    found = column.distances
    if found is None:
        return "PSI and the other usual distances: insufficient data."
    shown = [("PSI", found.psi), ("Jensen–Shannon", found.jensen_shannon), ("Wasserstein", found.wasserstein)]
    shown += [("KS", found.ks), ("mean z", found.mean_z)]
    known = [f"{name} {number_text(value)}" for name, value in shown if value is not None]
    return f"Shown, not decided on: {' · '.join(known)}"


def _line(name: str, column: ColumnDrift) -> tuple[str, ...]:
    return (
        name,
        *_verdict(column),
        p_text(column.adjusted_p_value),
        number_text(column.minimum_detectable_effect, 2),
        share_text(column.reference_null_share),
        share_text(column.window_null_share),
    )


def _rounded(value: float | None) -> str:
    if value is None or abs(value) < 100:
        return number_text(value, 2)
    return f"{value:,.0f}"
