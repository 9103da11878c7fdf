"""What is said of a backtest: every policy's cost, the bound, what is recommended, and the settings to paste."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from evergreen.records import Frozen, Record
from evergreen.retraining.backtest.policies import (
    BacktestedPolicy,
    Lived,
    Matrix,
    either,
    every,
    live,
    live_from_each_start,
    never,
    on_drift,
    on_estimate,
    on_loss,
    oracle,
    regret_interval,
    staleness,
)

FEWEST_WINDOWS = 8
NOTICEABLE_SHIFT = 0.3
DROP = 0.05
AS_GOOD_COST = 1.02


class PolicyCost(Frozen):
    """One policy on the history.

    Attributes:
        policy: In words.
        cost: Retraining cost × trainings + Σ (1 − AUC) of the model in charge.
        trainings: How often it trained.
        promotions: How often another model took over.
        auc: Mean AUC of the model in charge.
        cost_a_window: Its cost a window, mean over histories that begin at each window of the first quarter.
        trainings_a_window: Its trainings, likewise.
        regret: Cost above the oracle's.
        regret_interval: Its 95 % interval, by blocks of windows.
        available: Whether ``retraining`` can be set to do so.
    """

    policy: str
    cost: float
    trainings: int
    promotions: int
    auc: float
    cost_a_window: float
    trainings_a_window: float
    regret: float
    regret_interval: tuple[float, float]
    available: bool


class StaleAuc(Frozen):
    """AUC that a model of an age loses against the newest one, mean over ``cells`` windows."""

    age_windows: int
    auc_lost: float
    cells: int


class BacktestRecord(Record):
    """``policy_backtest.json``; ``status`` is ``recommended``, or ``skipped`` where there is no history to replay.

    Attributes:
        reason: Why, in a sentence.
        version: The champion whose recipe was replayed.
        window_days: Length of a window.
        windows: How many there are.
        first: First day of the first one.
        last: Last day of the last one.
        retraining_cost: What a training costs, in AUC lost over one window.
        oracle_cost: The least that anyone could have paid.
        oracle_trainings: With so many trainings.
        policies: Every policy, cheapest first.
        recommended: What ``retraining`` can be set to, costs a window within 2 % of the cheapest, and trains least;
            None where nothing was replayed.
        settings: The YAML that sets it so.
        staleness: What age costs.
    """

    reason: str
    version: str
    window_days: int
    windows: int = 0
    first: dt.date | None = None
    last: dt.date | None = None
    retraining_cost: float
    oracle_cost: float | None = None
    oracle_trainings: int | None = None
    policies: tuple[PolicyCost, ...] = ()
    recommended: str | None = None
    settings: str = ""
    staleness: tuple[StaleAuc, ...] = ()


def known_policies(window_days: int) -> list[BacktestedPolicy]:
    """The policies that compete, those that do least first.

    Args:
        window_days: Length of a window.
    """
    return [
        BacktestedPolicy("never", never, True, _rules()),
        *(
            BacktestedPolicy(_every(k), every(k), True, _rules("age", age=k * window_days))
            for k in (13, 8, 4, 2, 1)
        ),
        BacktestedPolicy("on drift", on_drift(NOTICEABLE_SHIFT), True, _rules("drift", "breadth")),
        BacktestedPolicy("on realised loss", on_loss(DROP), True, _rules("performance")),
        BacktestedPolicy("on estimated loss", on_estimate(DROP), True, _rules("estimate")),
        BacktestedPolicy(
            "on realised or estimated loss",
            either(on_loss(DROP), on_estimate(DROP)), True, _rules("performance", "estimate"),
        ),
        BacktestedPolicy(
            "on realised loss, or every 8 windows",
            either(on_loss(DROP), every(8)), True, _rules("performance", "age", age=8 * window_days),
        ),
        BacktestedPolicy(f"refresh, {_every(4)}", every(4), True, _refresh(4 * window_days), refreshes=True),
        BacktestedPolicy(
            "on realised loss, and refresh every 4 windows", either(on_loss(DROP), every(4)), True,
            _refresh(4 * window_days, "performance"), refreshes=True,
        ),
        *(BacktestedPolicy(f"{_every(k)}, unasked", every(k), False) for k in (8, 4, 1)),
    ]  # fmt: skip


def skipped_backtest(use_case: str, as_of: dt.date, version: str, window_days: int, cost: float, reason: str) -> (
    BacktestRecord
):  # fmt: skip
    """The record where there is no history to replay."""
    return BacktestRecord(
        use_case=use_case, as_of=as_of, status="skipped", reason=reason, version=version, window_days=window_days,
        retraining_cost=cost,
    )  # fmt: skip


def backtest_record(
    use_case: str, as_of: dt.date, version: str, matrix: Matrix, ends: Sequence[dt.date], window_days: int, cost: float
) -> BacktestRecord:
    """Let all policies live through the windows, and say which pays.

    Args:
        use_case: Name of the use case.
        as_of: The date that the run pretends is today.
        version: The champion whose recipe was replayed.
        matrix: What its models do.
        ends: Last day of each window.
        window_days: Length of a window.
        cost: What a training costs, in AUC lost over one window.
    """
    if matrix.windows < FEWEST_WINDOWS:
        reason = f"The history has {matrix.windows} whole windows of {window_days} days, {FEWEST_WINDOWS} are needed."
        return skipped_backtest(use_case, as_of, version, window_days, cost, reason)
    best = oracle(matrix, cost)
    policies = known_policies(window_days)
    rows = [_cost(policy, matrix, cost, best) for policy in policies]
    ranked = sorted(rows, key=lambda row: row.cost)
    chosen = _recommended([row for row in ranked if row.available])
    settings = next(policy.settings for policy in policies if policy.name == chosen.policy)
    return BacktestRecord(
        use_case=use_case,
        as_of=as_of,
        status="recommended",
        reason=(
            f"Of what retraining can be set to, '{chosen.policy}' trains least among the policies that cost about as "
            f"little as the cheapest, wherever in the first quarter a history begins: {chosen.cost:.3f} over all "
            f"{matrix.windows} windows, {chosen.trainings} trainings, mean AUC {chosen.auc:.3f}; nobody could have "
            f"paid less than {best.costs.sum():.3f}."
        ),
        version=version,
        window_days=window_days,
        windows=matrix.windows,
        first=ends[0] - dt.timedelta(days=window_days - 1),
        last=ends[-1],
        retraining_cost=cost,
        oracle_cost=float(best.costs.sum()),
        oracle_trainings=int(best.trained.sum()),
        policies=tuple(ranked),
        recommended=chosen.policy,
        settings=f"{use_case}:\n{settings}",
        staleness=tuple(StaleAuc(age_windows=a, auc_lost=lost, cells=n) for a, lost, n in staleness(matrix)),
    )


def _recommended(available: list[PolicyCost]) -> PolicyCost:
    """Of the policies that cost about as little as the cheapest, the one that trains least."""
    least = min(row.cost_a_window for row in available)
    as_good = [row for row in available if row.cost_a_window <= AS_GOOD_COST * least]
    return min(as_good, key=lambda row: (row.trainings_a_window, row.cost_a_window))


def _cost(policy: BacktestedPolicy, matrix: Matrix, cost: float, best: Lived) -> PolicyCost:
    lived = live(matrix, policy, cost)
    steady = live_from_each_start(matrix, policy, cost)
    aucs = matrix.auc[lived.in_charge, np.arange(matrix.windows)]
    return PolicyCost(
        policy=policy.name,
        cost=float(lived.costs.sum()),
        trainings=int(lived.trained.sum()),
        promotions=int((np.diff(lived.in_charge) != 0).sum()),
        auc=float(np.nanmean(aucs)) if np.isfinite(aucs).any() else 0.0,
        cost_a_window=steady[0],
        trainings_a_window=steady[1],
        regret=float(lived.costs.sum() - best.costs.sum()),
        regret_interval=regret_interval(lived.costs, best.costs),
        available=bool(policy.settings),
    )


def _every(windows: int) -> str:
    return "every window" if windows == 1 else f"every {windows} windows"


def _rules(*names: str, age: int | None = None) -> str:
    lines = [f"  retraining: {{trigger: {{rules: [{', '.join(names)}]}}, refresh: {{every_days: 0}}}}"]
    if age is not None:
        lines.append(f"  monitoring: {{reasons: {{max_days_since_training: {max(age - 1, 1)}}}}}")
    return "\n".join(lines) + "\n"


def _refresh(days: int, *names: str) -> str:
    return f"  retraining: {{trigger: {{rules: [{', '.join(names)}]}}, refresh: {{every_days: {days}}}}}\n"
