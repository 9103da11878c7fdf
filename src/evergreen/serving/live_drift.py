"""Does live traffic look like the rows that the version learnt from? Looked at by the supervisor, every minute."""

from __future__ import annotations

import datetime as dt
import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from evergreen import registry
from evergreen.monitoring.drift.compare import compare_profiles
from evergreen.monitoring.drift.report import ColumnDrift, DriftReport
from evergreen.monitoring.parameters import DriftPolicy
from evergreen.monitoring.profiles.profile import CategoricalColumn, Column, NumericColumn, Profile
from evergreen.monitoring.reference import PROBABILITY, Reference
from evergreen.registry.references import reference
from evergreen.reporting.monitoring.messages import AlertMessage
from evergreen.serving.settings import LiveDriftSettings
from evergreen.serving.tally import Layout, read_tallies

MONTH_SECONDS = 30.4 * 86400
NEWEST_LOOKS, LARGE_EFFECT = 2, 0.5
"""A shift this large need not wait until it shows in the whole window: that of the newest looks is enough."""
Notify = Callable[[list[AlertMessage]], None]
logger = logging.getLogger("evergreen.serving")


class LiveDrift:
    """Holds the traffic of the last minutes against the reference of the version that serves.

    A look is one of many: the false alarms that a month may bring are dealt out evenly over its looks, so that looking
    every minute costs no more false alarms than looking once a month. The newest two looks are held against it for
    themselves, too, where they have rows enough, for shifts of half a standard deviation and more.

    Args:
        use_case: Whose.
        folder: Where the workers' counts lie.
        settings: The rules.
        notify: Sends messages.
    """

    def __init__(self, use_case: str, folder: Path, settings: LiveDriftSettings, notify: Notify) -> None:
        self._use_case, self._folder, self._settings, self._notify = use_case, folder, settings, notify
        self._version: str | None = None
        self._counts_of_window: frozenset[str] = frozenset()

    def look(self, version: str) -> dict[str, Any]:
        """Compare the newest window; as ``/stats`` shows it."""
        if version != self._version:
            self._begin(version)
        window, newest = self._windows()
        rows = int(window[""].sum()) if "" in window else 0
        found: dict[str, Any] = {"version": version, "rows": rows, "columns": {}}
        least = self._settings.min_rows
        if self._reference is None or rows < least:
            return {**found, "status": "insufficient_data"}
        report = self._compare(window, rows, self._settings.min_effect)
        columns = {name: c for name, c in report.columns.items() if c.status != "off" and c.effect is not None}
        of_newest = int(newest[""].sum())
        if least <= of_newest < rows:
            sudden = self._compare(newest, of_newest, max(LARGE_EFFECT, self._settings.min_effect)).columns
            columns |= {name: sudden[name] for name, c in columns.items() if sudden[name].alarm and not c.alarm}
        found["columns"] = {
            name: {"effect": round(float(c.effect or 0.0), 4), "alarm": c.alarm} for name, c in columns.items()
        }
        self._tell(version, {name: c for name, c in columns.items() if c.alarm})
        status = "drift" if any(c.alarm for c in columns.values()) else report.status
        return {**found, "status": status, **self._of_scores(window[""])}

    def _begin(self, version: str) -> None:
        self._version, self._counts_of_window = version, frozenset()
        self._reference: Reference | None = None
        self._layout = Layout({}, [])
        try:
            loaded = registry.load(self._use_case, version)
            self._reference = known = reference(loaded)
        except Exception as error:
            logger.warning("%s version %s has no reference to hold traffic against: %s", self._use_case, version, error)
            return
        features = known.spec.features
        columns = {name: column for name, column in known.profile.columns.items() if name in features}
        self._columns = columns
        score = known.score_profile.columns[PROBABILITY]
        assert isinstance(score, NumericColumn)
        self._score = score
        watch = {
            "numeric": {name: c.edges for name, c in columns.items() if isinstance(c, NumericColumn)},
            "categorical": {name: c.levels for name, c in columns.items() if isinstance(c, CategoricalColumn)},
            "score": score.edges,
        }
        self._layout = Layout(watch, features)
        looks = self._settings.window_minutes * 60 / self._settings.every_seconds
        empty = np.zeros(self._layout.size, np.int64)
        self._past: deque[np.ndarray] = deque([empty], maxlen=max(2, round(looks) + 1))

    def _windows(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Counts by column of the newest minutes, and of the newest looks: all counts without those before them."""
        if self._reference is None:
            return {}, {}
        counts = read_tallies(self._folder, str(self._version), self._layout.size)
        before = self._past[0], self._past[-min(NEWEST_LOOKS, len(self._past))]
        self._past.append(counts)
        window, newest = (self._layout.blocks(counts - former) for former in before)
        return window, newest

    def _compare(self, window: dict[str, np.ndarray], rows: int, least: float) -> DriftReport:
        assert self._reference is not None
        columns: dict[str, Column] = {
            name: _column(column, window[name])
            for name, column in self._columns.items()
            if isinstance(column, NumericColumn | CategoricalColumn)
        }
        columns[PROBABILITY] = _column(self._score, np.append(window[""], 0))
        known = self._reference.profile
        profile = Profile(rows=rows, families=known.families | {PROBABILITY: "number"}, columns=columns)
        whole = known.model_copy(
            update={
                "columns": {**self._columns, PROBABILITY: self._score},
                "families": known.families | {PROBABILITY: "number"},
            }
        )
        spec = self._reference.spec
        a_look = self._settings.false_alarms_per_month * self._settings.every_seconds / MONTH_SECONDS
        scores_off = [PROBABILITY] if self._reference.scores is None else []
        policy = DriftPolicy(
            q=a_look / 2,  # two windows a look
            min_effect=least,
            warning_effect=max(0.2, least),
            high_effect=max(0.25, least),
            critical_effect=max(0.5, least),
            off=(*(name for name in spec.features if not spec.drifts(name)), *scores_off),
        )
        return compare_profiles(whole, profile, policy)

    def _of_scores(self, counts: np.ndarray) -> dict[str, float | None]:
        """Share of positive predictions, and the ROC AUC that the scores promise where they are calibrated."""
        assert self._reference is not None
        edges = np.array([0.0, *self._score.edges, 1.0])
        middle = np.clip((edges[:-1] + edges[1:]) / 2, 0, 1)
        n = counts.astype(float)
        positive, negative = n * middle, n * (1 - middle)
        below = np.concatenate([[0.0], np.cumsum(negative)[:-1]])
        pairs = positive.sum() * negative.sum()
        auc = float((positive * (below + negative / 2)).sum() / pairs) if pairs > 0 else None
        rate = float(n[middle >= self._reference.threshold].sum() / n.sum())
        return {"positive_rate": round(rate, 4), "estimated_auc": None if auc is None else round(auc, 4)}

    def _tell(self, version: str, alarms: dict[str, ColumnDrift]) -> None:
        """A message where a column begins to alarm; one that goes on is silent, until all is quiet again."""
        new = sorted(alarms.keys() - self._counts_of_window)
        self._counts_of_window = self._counts_of_window | alarms.keys() if alarms else frozenset()
        if not new:
            return
        found = [alarms[name] for name in new]
        worst = max(found, key=lambda column: column.effect or 0.0)
        message = AlertMessage(
            use_case=self._use_case,
            as_of=dt.datetime.now(dt.UTC).date(),
            version=version,
            title=f"{self._use_case}: live traffic has drifted",
            severity=worst.severity,
            lines=tuple(f"{name}: {column.message}" for name, column in zip(new, found, strict=True)),
        )
        logger.warning("%s: live traffic has drifted in %s.", self._use_case, ", ".join(new))
        self._notify([message])


def _column(known: NumericColumn | CategoricalColumn, counts: np.ndarray) -> NumericColumn | CategoricalColumn:
    """Live counts as a column of a profile; the range and the moments of values are not counted live."""
    values, nulls = counts[:-1], int(counts[-1])
    counts_of_window = {"nulls": nulls, "counts": tuple(values.tolist()), "pair_design": None}
    if isinstance(known, CategoricalColumn):
        return known.model_copy(update={**counts_of_window, "unseen": {}})
    return known.model_copy(update={**counts_of_window, "infinities": 0})
