"""Whether a window's columns are distributed as the reference's were."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from evergreen.errors import EvergreenError
from evergreen.monitoring.drift import tutorial
from evergreen.monitoring.drift.column_tests import (
    Tested,
    minimum_detectable_effect,
    minimum_detectable_spread,
    share_test,
)
from evergreen.monitoring.drift.effects import shown
from evergreen.monitoring.drift.report import (
    COLUMNS_SHARE,
    ColumnDrift,
    ColumnStatus,
    DriftReport,
    Hypothesis,
    ShownStatistic,
)
from evergreen.monitoring.drift.severity import weighed
from evergreen.monitoring.drift.statistics import deciding, shown_beside
from evergreen.monitoring.parameters import DriftPolicy
from evergreen.monitoring.past.seasons import Alternative
from evergreen.monitoring.profiles.profile import (
    CategoricalColumn,
    Column,
    DesignEffect,
    NumericColumn,
    Profile,
    TimeColumn,
    ValueColumn,
    larger_design,
)

VALUES_WEIGHT = 0.8
"""Part of a budget for the values of columns; their nulls and infinities share the rest."""
_SPEAKING = {
    "values": "Its values are distributed differently",
    "nulls": "Its share of nulls changed",
    "infinities": "Its share of infinities changed",
}
_WORTH_AN_EXCUSE = 0.05


@dataclass(frozen=True)
class _Pair:
    reference: ValueColumn
    window: ValueColumn
    design: DesignEffect
    tested: list[Tested]
    season_of: dt.date | None = None


def compare_profiles(
    reference: Profile,
    window: Profile,
    policy: DriftPolicy | None = None,
    *,
    importance: Mapping[str, float] | None = None,
    share: float = COLUMNS_SHARE,
    seasons: Mapping[str, Sequence[Alternative]] | None = None,
) -> DriftReport:
    """Compare a window's profile with the reference's, column by column.

    A column alarms when one of its hypotheses (values, nulls, infinities) survives weighted Benjamini–Hochberg
    (Genovese, Roeder and Wasserman 2006) at ``share`` of ``policy.q`` over all hypotheses of the run *and* its
    noise-corrected effect reaches ``policy.min_effect``. Hypotheses on values share four fifths of the weight: most
    tables have few nulls, and where they break they break visibly. A missing or retyped column alarms without a test.
    The comparison is symmetric: swapping the profiles gives the same p-values and effects.

    Args:
        reference: Profile that knows how things were, with its design effects.
        window: Profile of the rows to judge, built with ``reference=``.
        policy: What counts as drift; default ``DriftPolicy()``.
        importance: Weight of each column in ``drifted_importance``, a column not named weighing nothing;
            default: all alike.
        share: Part of the budget ``policy.q`` that this comparison may spend; columns and scores share it.
        seasons: How earlier years would have moved a column's reference by now: its values count as changed as they
            do against the likeliest of the reference and these.

    Returns:
        The report; a column that cannot be tested says so in its status and never ends the report.

    Raises:
        EvergreenError: The window was not counted on the reference's edges and levels.
    """
    policy = policy or DriftPolicy()
    policy = policy.model_copy(update={"q": policy.q * share})
    pairs = {
        name: _seasonal(_pair(name, column, window.columns[name], policy), (seasons or {}).get(name, ()), policy)
        for name, column in reference.columns.items()
        if name in window.columns and name not in policy.off and not isinstance(column, TimeColumn)
    }
    if policy.rule == "tutorial":
        judged = {name: tutorial.judge_column(pair.reference, pair.window) for name, pair in pairs.items()}
    else:
        judged = _judge(pairs, policy)
    columns = {
        name: judged[name] if name in judged else _untested(name, reference, window, policy)
        for name in reference.columns
    }
    return _report(reference, window, policy, columns, importance)


def _pair(name: str, reference: Column, window: Column, policy: DriftPolicy) -> _Pair:
    if not isinstance(reference, TimeColumn) and not isinstance(window, TimeColumn) and _same(reference, window):
        design = larger_design(reference.design, window.design)
        return _Pair(reference, window, design, _tests(reference, window, design, policy))
    raise EvergreenError(
        f"Column {name}: the window was counted on other edges or levels than the reference; "
        "build its profile with build_profile(window, reference=reference)."
    )


def _seasonal(pair: _Pair, alternatives: Sequence[Alternative], policy: DriftPolicy) -> _Pair:
    """The pair with its values held against the likeliest of the reference and what earlier years made of it."""
    plain = next((tested for tested in pair.tested if tested.name == "values"), None)
    if plain is None or plain.p_value > _WORTH_AN_EXCUSE:
        return pair
    best, day = plain, None
    for other in alternatives:
        found = _values(other.reference, other.window, pair.design.times(other.inflation), policy)
        if found.p_value > best.p_value:
            best, day = found, other.year_before
    best = replace(best, seen=plain.effect)
    tested = [best if each is plain else each for each in pair.tested]
    return replace(pair, tested=tested, season_of=day)


def _same(reference: ValueColumn, window: ValueColumn) -> bool:
    if isinstance(reference, NumericColumn):
        return isinstance(window, NumericColumn) and reference.edges == window.edges
    return isinstance(window, CategoricalColumn) and reference.levels == window.levels


def _values(reference: ValueColumn, window: ValueColumn, design: DesignEffect, policy: DriftPolicy) -> Tested:
    found = deciding(policy.decides, reference, window, design)
    return Tested("values", found.p_value, found.effect)


def _tests(reference: ValueColumn, window: ValueColumn, design: DesignEffect, policy: DriftPolicy) -> list[Tested]:
    """Every hypothesis that there are rows for; nulls are one even where none has been seen yet."""
    tested = []
    if min(reference.count, window.count) >= policy.min_rows:
        tested.append(_values(reference, window, design, policy))
    if min(reference.rows, window.rows) >= policy.min_rows:
        tested.append(share_test("nulls", reference, window, design))
        if reference.infinities or window.infinities:
            tested.append(share_test("infinities", reference, window, design))
    return tested


def _judge(pairs: Mapping[str, _Pair], policy: DriftPolicy) -> dict[str, ColumnDrift]:
    """Verdicts by column, all hypotheses of the run corrected together."""
    all_tested = [tested for pair in pairs.values() for tested in pair.tested]
    adjusted = iter(_adjusted(all_tested))
    alpha = policy.q * VALUES_WEIGHT / max(sum(tested.name == "values" for tested in all_tested), 1)
    columns = {}
    for name, pair in pairs.items():
        hypotheses = []
        for tested in pair.tested:
            corrected = float(next(adjusted))
            alarm = corrected <= policy.q and tested.effect >= policy.min_effect
            hypotheses.append(
                Hypothesis(
                    name=tested.name,
                    p_value=tested.p_value,
                    adjusted_p_value=corrected,
                    effect=max(tested.effect, tested.seen) if alarm else tested.effect,
                    alarm=alarm,
                )
            )
        columns[name] = _verdict(pair, tuple(hypotheses), policy, alpha)
    return columns


def _adjusted(tested: Sequence[Tested]) -> NDArray[np.float64]:
    """P-values after weighted Benjamini–Hochberg, in order; the weights average at most 1."""
    if not tested:
        return np.empty(0)
    on_values = np.array([t.name == "values" for t in tested])
    of_kind = np.where(on_values, on_values.sum(), (~on_values).sum())
    weights = np.where(on_values, VALUES_WEIGHT, 1 - VALUES_WEIGHT) * len(tested) / of_kind
    return stats.false_discovery_control(np.minimum([t.p_value for t in tested] / weights, 1.0))


def _verdict(pair: _Pair, hypotheses: tuple[Hypothesis, ...], policy: DriftPolicy, alpha: float) -> ColumnDrift:
    alarms = [h for h in hypotheses if h.alarm]
    loudest = max(alarms, key=lambda h: h.effect, default=None)
    speaking = loudest or min(hypotheses, key=lambda h: h.p_value, default=None)
    detectable = minimum_detectable_effect(pair.reference, pair.window, pair.design, alpha)
    if detectable is not None:
        detectable = max(detectable, policy.min_effect)
    spread = minimum_detectable_spread(pair.reference, pair.window, pair.design, alpha)
    tested = any(h.name == "values" for h in hypotheses)
    weak = not tested or detectable is None or detectable > policy.max_detectable_effect
    status: ColumnStatus = "drift" if alarms else "insufficient_data" if weak else "ok"
    return ColumnDrift(
        status=status,
        alarm=bool(alarms),
        severity=policy.severity(speaking.effect) if alarms and speaking else "none",
        effect=speaking.effect if speaking else None,
        p_value=speaking.p_value if speaking else None,
        adjusted_p_value=speaking.adjusted_p_value if speaking else None,
        minimum_detectable_effect=detectable,
        minimum_detectable_spread=spread,
        hypotheses=hypotheses,
        statistics=_beside(pair, policy),
        design_effect=pair.design.values,
        design_windows=pair.design.windows,
        autocorrelation=pair.design.autocorrelation,
        season_of=pair.season_of,
        message=_sentence(status, speaking, detectable, spread, pair.season_of),
        **shown(pair.reference, pair.window),
    )


def _beside(pair: _Pair, policy: DriftPolicy) -> dict[str, ShownStatistic]:
    if not policy.shows or not pair.reference.count or not pair.window.count:
        return {}
    found = shown_beside(policy.shows, pair.reference, pair.window, pair.design)
    return {name: ShownStatistic(p_value=each.p_value, effect=each.effect) for name, each in found.items()}


def _sentence(
    status: str,
    speaking: Hypothesis | None,
    detectable: float | None,
    spread: float | None,
    season_of: dt.date | None,
) -> str:
    if status == "drift" and speaking:
        shift = f"like a shift of {speaking.effect:.2f} standard deviations"
        return f"{_SPEAKING[speaking.name]}, {shift} (adjusted p {speaking.adjusted_p_value:.2g})."
    if detectable is None:
        return "One side has no values."
    wider = "" if spread is None else f", or of the standard deviation below {spread - 1:.0%},"
    if status == "ok" and season_of:
        return f"It differs from the reference as the window from {season_of} of an earlier year did: a season."
    limit = f"a shift below {detectable:.2f} standard deviations{wider} would probably go unnoticed"
    return f"Too few independent rows: {limit}." if status == "insufficient_data" else f"No drift found; {limit}."


def _untested(name: str, reference: Profile, window: Profile, policy: DriftPolicy) -> ColumnDrift:
    found = window.families.get(name)
    if name in policy.off or isinstance(reference.columns[name], TimeColumn):
        return ColumnDrift(status="off", message="The column takes no part in drift alarms.")
    if found is None:
        return ColumnDrift(status="missing", alarm=True, severity="critical", message="The window lacks the column.")
    message = f"The column was {reference.families[name]} and is {found} now."
    return ColumnDrift(status="retyped", alarm=True, severity="critical", message=message)


def _report(
    reference: Profile,
    window: Profile,
    policy: DriftPolicy,
    columns: dict[str, ColumnDrift],
    importance: Mapping[str, float] | None,
) -> DriftReport:
    judged = {name: column for name, column in columns.items() if column.status != "off"}
    weights = {name: 1.0 if importance is None else importance.get(name, 0.0) for name in judged}
    if importance and policy.rule == "evergreen":
        columns = {**columns, **weighed(judged, weights, policy)}
    alarmed = [name for name, column in judged.items() if column.alarm]
    share = len(alarmed) / max(len(judged), 1)
    total = sum(weights.values())
    drifted = share > tutorial.DRIFTED_SHARE if policy.rule == "tutorial" else bool(alarmed)
    blind = all(column.status == "insufficient_data" for column in judged.values())
    return DriftReport(
        status="drift" if drifted else "insufficient_data" if blind else "ok",
        drifted=drifted,
        rule=policy.rule,
        q=policy.q,
        hypotheses=sum(len(column.hypotheses) for column in judged.values()),
        reference_rows=reference.rows,
        window_rows=window.rows,
        window_start=window.window_start,
        window_end=window.window_end,
        drifted_share=share,
        drifted_importance=sum(weights[name] for name in alarmed) / total if total else 0.0,
        columns=columns,
        new_columns=tuple(name for name in window.families if name not in reference.families),
    )
