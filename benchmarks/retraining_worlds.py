"""What policies of retraining cost and risk in seven worlds, at three delays of labels.

    python benchmarks/retraining_worlds.py [--years 20] [--delays 4] [--worlds quiet gradual]

A lean stream: five features, 300 rows a week, a logistic model by Newton's steps, a world whose best model is a little
beyond it. Trigger, choices of rows, forward judging, spending of alpha, refresh and waiting are the project's own
functions; monitoring is two plain checks (realised AUC of four weeks, shifted means of a week). Prints one markdown
table: mean AUC lost against the best logistic model of the week's world; years in which a change of champion was
harmful (its true AUC lay more than .005 under the former's, in the world of that week), and how many of them remain
where changes are left out that came after a turn of the world whose outcomes nobody could know yet; trainings a year.
"""

# ruff: noqa: D102, ARG002 - policies share one signature, which the base describes
from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from scipy import stats
from scipy.special import expit

from evergreen.evaluation.accumulating import JudgedDays, Look, decide_accumulating
from evergreen.evaluation.auc import auc_covariance
from evergreen.evaluation.gain import days_passed, information_of
from evergreen.evaluation.parameters import PromotionPolicy
from evergreen.monitoring.quality import QualityReport
from evergreen.monitoring.record import MonitoringRecord
from evergreen.records import Check
from evergreen.retraining.choices import Span, span_of
from evergreen.retraining.forward import Replay, recent_choice, replay
from evergreen.retraining.new_evidence import NothingGained
from evergreen.retraining.parameters import CandidatePolicy, RefreshPolicy, TriggerPolicy
from evergreen.retraining.refresh import decide_refresh
from evergreen.retraining.trigger import ChampionsAge, decide_trigger
from evergreen.rows.labelled import LabelledRows

WORLDS = ("quiet", "sudden", "gradual", "there and back", "recurring", "covariate shift", "label shift")
WEEKS, HISTORY, WEEK_ROWS, FEATURES, TEST_DAYS = 52, 26, 300, 5, 42
START = dt.date(2025, 1, 6)
HARM, TURN = 0.005, 1.1

Weights = np.ndarray


@dataclass(frozen=True)
class State:
    """A world in one week: how the outcome follows from features, their mean, and the share of positives."""

    angle: float = 0.0
    mean: float = 0.0
    positives: float | None = None

    def rows(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A one and features, (count, 6), and outcomes (count,)."""
        x = rng.normal(size=(4 * count if self.positives else count, FEATURES))
        x[:, 0] += self.mean
        y = rng.random(len(x)) < expit(self.logit(x))
        x = np.column_stack([np.ones(len(x)), x])
        if self.positives is None:
            return x, y
        wanted = rng.random(count) < self.positives
        ones, zeros = np.flatnonzero(y), np.flatnonzero(~y)
        at = np.where(wanted, ones[np.arange(count) % len(ones)], zeros[np.arange(count) % len(zeros)])
        return x[at], wanted

    def logit(self, x: np.ndarray) -> np.ndarray:
        """The true logit: a plane that turns, and a bend that no plane sees."""
        turned = np.cos(self.angle) * x[:, 0] + np.sin(self.angle) * x[:, 1]
        return 1.4 * turned + 0.7 * x[:, 2] + 0.3 * (x[:, 3] ** 2 - 1) * x[:, 0] - 0.8


@dataclass(frozen=True)
class Rows:
    """What the project's functions ask of labelled rows, as arrays alone: a one and features (n, 6), outcomes, days."""

    X: np.ndarray
    y: np.ndarray
    day_numbers: np.ndarray
    weights: None = None

    def where(self, at: np.ndarray | slice) -> Rows:
        """The rows at positions, or for which a mask is true."""
        return Rows(self.X[at], self.y[at], self.day_numbers[at])


@dataclass(frozen=True)
class Year:
    """A stream by weeks, with what is true of each week: rows to score a model on, the best model's AUC on them."""

    rows: Rows
    truth: list[tuple[np.ndarray, np.ndarray, float]]
    angles: list[float]
    known: dict[tuple[int, bytes], float] = field(default_factory=dict)

    def until(self, week: int) -> Rows:
        """Rows up to a week, counted from the year's first."""
        return self.rows.where(slice((week + HISTORY + 1) * WEEK_ROWS))

    def turned_unseen(self, week: int, delay: int) -> bool:
        """Whether the world has turned by more than half since the newest week whose outcomes are known."""
        seen, now = self.angles[week - delay + HISTORY], self.angles[week + HISTORY]
        return abs(now - seen) > TURN / 2

    def true_auc(self, week: int, weights: Weights) -> float:
        x, y, _ = self.truth[week]
        key = id(x), weights.tobytes()
        if key not in self.known:
            self.known[key] = auc(y, scores(weights, x))
        return self.known[key]


def auc(y: np.ndarray, said: np.ndarray) -> float:
    """ROC AUC of scores without ties."""
    ones = y[np.argsort(said)].astype(bool)
    m = int(ones.sum())
    n = len(ones) - m
    return float((np.flatnonzero(ones).sum() - m * (m - 1) / 2) / (m * n))


def states(world: str, rng: np.random.Generator) -> list[State]:
    """A world's weeks, those of the history first."""
    at = int(rng.integers(6, 30))
    weeks = np.arange(-HISTORY, WEEKS)
    after = weeks >= at
    share = {
        "sudden": after * 1.0,
        "gradual": np.clip((weeks - at) / 26, 0, 1),
        "there and back": (after & (weeks < at + 20)) * 1.0,
        "recurring": ((weeks // 13) % 2 == 1) & (weeks >= 0),
    }.get(world, np.zeros(len(weeks)))
    mean = after * (1.0 if world == "covariate shift" else 0.0)
    positives = [None if world != "label shift" else (0.6 if moved else 0.35) for moved in after]
    return [State(TURN * s, m, p) for s, m, p in zip(share, mean, positives, strict=True)]


def simulate(world: str, seed: int) -> Year:
    """One year of a world."""
    rng = np.random.default_rng(seed)
    known: dict[State, tuple[np.ndarray, np.ndarray, float]] = {}
    path = states(world, rng)
    drawn = [state.rows(WEEK_ROWS, rng) for state in path]
    for state in path:
        if state not in known:
            x, y = state.rows(8_000, rng)
            asked, answers = state.rows(6_000, rng)
            best = auc(answers, scores(fit(x, y), asked))
            known[state] = asked, answers, best
    x, y = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    week = np.repeat(np.arange(-HISTORY, WEEKS), WEEK_ROWS)
    day = (START - dt.date(1970, 1, 1)).days + 7 * week + rng.integers(0, 7, len(week))
    return Year(
        Rows(x, y.astype(np.int64), day), [known[state] for state in path[HISTORY:]], [state.angle for state in path]
    )


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, start: Weights | None = None) -> Weights:
    """Logistic regression with a little ridge, by Newton's steps, from a neighbour's weights if there is one."""
    beta, ridge = np.zeros(FEATURES + 1) if start is None else start, np.array([0.0, *[1.0] * FEATURES])
    for _ in range(8):
        p = expit(x @ beta)
        error, bend = y - p, np.maximum(p * (1 - p), 1e-6)
        if weight is not None:
            error, bend = weight * error, weight * bend
        hessian = (x * bend[:, None]).T @ x + np.diag(ridge)
        step = np.linalg.solve(hessian, error @ x - ridge * beta)
        beta = beta + step
        if np.abs(step).max() < 1e-4:
            break
    return beta


def scores(weights: Weights, x: np.ndarray) -> np.ndarray:
    """On the logit scale."""
    return x @ weights


class Recipe:
    """The recipe, as forward judging asks for it; each model begins where the one before it ended."""

    last: Weights | None = None

    def __call__(self, rows: Rows, weight: np.ndarray | None) -> Callable[[np.ndarray], np.ndarray]:
        weights = self.last = fit(rows.X, rows.y, weight, self.last)
        return lambda asked: scores(weights, asked)


@dataclass
class Policy:
    """One way to keep a champion."""

    weights: Weights = field(default_factory=lambda: np.zeros(FEATURES + 1))
    trainings: int = 0
    refreshes: int = 0

    def begin(self, known: Rows) -> None:
        """The first champion, from what was known before the last six weeks."""
        self.weights = fit(known.X, known.y)

    def step(self, known: Rows, seen: Rows, week: int) -> None:
        """Live through a week: ``known`` rows have outcomes, of ``seen`` ones the features are known."""


class EveryWeek(Policy):
    """All rows, every week, unasked."""

    def step(self, known: Rows, seen: Rows, week: int) -> None:
        self.weights = fit(known.X, known.y)
        self.trainings += 1


class EightWeeks(Policy):
    """The newest eight weeks, every four, unasked."""

    def step(self, known: Rows, seen: Rows, week: int) -> None:
        if week % 4 == 3:
            newest = known.where(known.day_numbers > known.day_numbers.max() - 56)
            self.weights = fit(newest.X, newest.y)
            self.trainings += 1


class Tutorial(Policy):
    """Retrain when any feature's KS test says p < .05, promote when one random split is .005 better."""

    reference: np.ndarray

    def begin(self, known: Rows) -> None:
        super().begin(known)
        self.reference = known.X

    def step(self, known: Rows, seen: Rows, week: int) -> None:
        newest = seen.where(seen.day_numbers > seen.day_numbers.max() - 7).X
        tests = (stats.ks_2samp(self.reference[:, j], newest[:, j], method="asymp") for j in range(1, FEATURES + 1))
        if min(each.pvalue for each in tests) >= 0.05:
            return
        self.trainings += 1
        mixed = np.random.default_rng(self.trainings).permutation(len(known.y))
        train, test = mixed[len(mixed) // 5 :], mixed[: len(mixed) // 5]
        x, y = known.X, known.y
        challenger = fit(x[train], y[train])
        aucs = [auc(y[test], scores(each, x[test])) for each in (challenger, self.weights)]
        if aucs[0] >= aucs[1] + 0.005:
            self.weights, self.reference = challenger, x


class Evergreen(Policy):
    """The project's rule."""

    trigger, promotion, candidates = TriggerPolicy(), PromotionPolicy(), CandidatePolicy()
    refresh: RefreshPolicy = RefreshPolicy()

    def begin(self, known: Rows) -> None:
        last = int(known.day_numbers.max())
        train, test = (known.where((known.day_numbers <= last - TEST_DAYS) == side) for side in (True, False))
        self.promoted = False
        self.retrained: int | None = None
        self._crown(fit(train.X, train.y), train, last - TEST_DAYS, last, self._auc_on(test, train))

    def _auc_on(self, test: Rows, train: Rows) -> tuple[float, float]:
        found = auc_covariance(test.y.astype(bool), scores(fit(train.X, train.y), test.X))
        return found.contrast([1])

    def _crown(self, weights: Weights, learnt: Rows, train_end: int, today: int, promise: tuple[float, float]) -> None:
        self.weights, self.train_end, self.made, self.promise = weights, train_end, today, promise
        newest = learnt.where(learnt.day_numbers > train_end - 28).X
        self.mean, self.count = newest.mean(axis=0), len(newest)
        self.looks: list[tuple[float, float]] = []
        self.said: Replay | None = None
        self.vain: NothingGained | None = None
        self.vain_refreshes: list[int] = []

    def step(self, known: Rows, seen: Rows, week: int) -> None:
        today = int(seen.day_numbers.max())
        age = ChampionsAge(
            version="1",
            retrained=self.promoted,
            days_since_training=today - self.made,
            days_since_retraining=None if self.retrained is None else today - self.retrained,
            new_labelled_rows=int((known.day_numbers > self.train_end).sum()),
            dated=True,
            nothing_gained=self.vain,
            days_since_refresh=today - self.vain_refreshes[-1] if self.vain_refreshes else None,
            refreshes_in_vain=len(self.vain_refreshes),
        )
        reasons = (self._performance(known), self._drift(seen))
        record = MonitoringRecord.model_construct(
            use_case="world", as_of=_date(today), version="1", reasons=reasons,
            quality=QualityReport(status="ok", checks=()),
        )  # fmt: skip
        trigger = decide_trigger(record, age, self.trigger, self.refresh)
        if not trigger.fired:
            return
        self.trainings += 1
        asked = trigger.status != "refresh"
        decision = self._challenge(known, today, asked, trigger.refresh_due)
        self.retrained = today if asked else self.retrained
        if decision == "undecided" and asked:
            day, rows, effects = _date(today), age.new_labelled_rows, trigger.effects
            first = NothingGained(as_of=day, times=1, new_labelled_rows=rows, effects=effects)
            self.vain = self.vain.and_again(day, rows, effects, trigger.loss_grew) if self.vain else first
        elif decision == "undecided" and trigger.refresh_due:
            self.vain_refreshes.append(today)

    def _performance(self, known: Rows) -> Check:
        newest = known.where(known.day_numbers > max(self.train_end, known.day_numbers.max() - 28))
        if len(newest.y) < 300:
            return Check(name="performance", passed=True)
        auc, error = auc_covariance(newest.y.astype(bool), scores(self.weights, newest.X)).contrast([1])
        drop = self.promise[0] - auc
        fell = drop > 0.03 and drop > 2.6 * np.hypot(error, self.promise[1])
        return Check(name="performance", passed=not fell, found=f"{drop:.3f}", allowed="0.030", effect=drop)

    def _drift(self, seen: Rows) -> Check:
        newest = seen.where(seen.day_numbers > seen.day_numbers.max() - 7).X
        shift = np.abs(newest.mean(axis=0) - self.mean)
        sure = shift > 3.5 * np.sqrt(1 / len(newest) + 1 / self.count)
        moved = float(shift[sure].max()) if sure.any() else 0.0
        return Check(name="drift", passed=moved <= 0.25, found=f"{moved:.2f}", allowed="0.25", effect=moved)

    def _challenge(self, known: Rows, today: int, gain_asked: bool, refresh_due: bool) -> str:
        forward = self.candidates.forward
        spans = [span_of(choice, 28, self.candidates.half_life_days) for choice in self.candidates.candidates]
        before = None if self.said is None else longer(self.said, known)
        rows = cast("LabelledRows", known)
        self.said = replay(rows, rows, spans, cast("Any", Recipe()), self.train_end, forward, known=before)
        logits = self.said.chosen_logits(forward.choose_days)
        at = (self.said.days > self.train_end) & ~np.isnan(logits)
        if not at.any():
            return "undecided"
        asked = known.where(at)
        judged = JudgedDays(
            asked.y.astype(bool), scores(self.weights, asked.X), logits[at], self.said.days[at],
            self.said.cutoffs[at],
        )  # fmt: skip
        if gain_asked:
            passed = days_passed(judged.days, _date(self.train_end)) / self.promotion.planned_days
            self.looks.append((min(passed, 1.0), information_of(asked.y, judged.cutoffs)))
            look = Look(len(self.looks), 1, *(tuple(each) for each in zip(*self.looks, strict=True)))
            shown = decide_accumulating(judged, look, self.promotion).decision == "promote"
        if not (gain_asked and shown):
            if not (refresh_due and decide_refresh(judged, self.refresh, self.promotion).serves):
                return "undecided"
            self.refreshes += 1
        self.promoted = True
        self._promote(known, spans, today, judged)
        return "serves"

    def _promote(self, known: Rows, spans: list[Span], today: int, judged: JudgedDays) -> None:
        assert self.said is not None  # it was judged
        last = int(known.day_numbers.max())
        choice, _ = recent_choice(self.said, last, self.candidates.forward)
        span = next(each for each in spans if each.choice == choice)
        learnt = known.where(known.day_numbers > last - span.days) if span.days else known
        weight = span.weights((last - learnt.day_numbers).astype(float), None)
        newest = judged.days > judged.days.max() - 56
        promise = auc_covariance(judged.y[newest], judged.challenger[newest]).contrast([1])
        self._crown(fit(learnt.X, learnt.y, weight), learnt, last, today, promise)


class NoRefresh(Evergreen):
    """Without refreshes."""

    refresh = RefreshPolicy(every_days=0)


def longer(said: Replay, rows: Rows) -> Replay:
    """What was said of the first rows, laid on all: newer ones stand behind them."""
    more = len(rows.y) - len(said.days)
    cutoffs = np.append(said.cutoffs, np.full(more, -1))
    logits = np.vstack([said.logits, np.full((more, len(said.choices)), np.nan)])
    return Replay(said.choices, rows.day_numbers, cutoffs, logits, rows.y.astype(bool))


POLICIES: dict[str, type[Policy]] = {
    "Evergreen": Evergreen,
    "Evergreen, no refresh": NoRefresh,
    "never": Policy,
    "every week, all rows": EveryWeek,
    "8 weeks every 4": EightWeeks,
    "tutorials' rule": Tutorial,
}


@dataclass(frozen=True)
class Lived:
    """A year: AUC lost against the best, whether a change was harmful, and visibly so, trainings, refreshes."""

    lost: float
    harmful: bool
    visibly: bool
    trainings: int
    refreshes: int


def live(policy: Policy, year: Year, delay: int) -> Lived:
    """Let a policy live through a year whose outcomes are known ``delay`` weeks late."""
    policy.begin(year.until(-delay - 1))
    lost, harmful, visibly = [], False, False
    for week in range(WEEKS):
        before = policy.weights
        policy.step(year.until(week - delay), year.until(week), week)
        auc = year.true_auc(week, policy.weights)
        if policy.weights is not before:
            harms = auc < year.true_auc(week, before) - HARM
            harmful |= harms
            visibly |= harms and not year.turned_unseen(week, delay)
        lost.append(year.truth[week][2] - auc)
    return Lived(float(np.mean(lost)), harmful, visibly, policy.trainings, policy.refreshes)


def _date(day: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=day)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--delays", type=int, nargs="+", default=[4])
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS))
    parser.add_argument("--policies", nargs="+", default=list(POLICIES))
    asked = parser.parse_args()
    print(
        "| delay, world | policy | AUC lost | harmful years | visibly so | trainings a year | refreshes a year |",
        flush=True,
    )
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for delay in asked.delays:
        for world in asked.worlds:
            years = [simulate(world, asked.first_seed + number) for number in range(asked.years)]
            for name in asked.policies:
                found = [live(POLICIES[name](), year, delay) for year in years]
                lost, trainings, refreshes = (
                    np.mean([getattr(each, part) for each in found]) for part in ("lost", "trainings", "refreshes")
                )
                harmful = sum(each.harmful for each in found)
                visibly = sum(each.visibly for each in found)
                cells = f"{lost:.4f} | {harmful} of {len(found)} | {visibly} | {trainings:.1f} | {refreshes:.1f}"
                print(f"| {delay} weeks, {world} | {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
