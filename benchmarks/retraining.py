"""What policies of retraining cost and bring over simulated years of weeks, on the churn source.

    python benchmarks/retraining.py [--years 100] [--weeks 52]

Every policy lives through the same years: half of them without any change, half with a concept change (the age
effect turns round) in some week. Prints one markdown table:

- unneeded: share of years without change in which a policy changed the champion at all;
- gap: ROC AUC of a model trained on 20,000 rows of the new world alone, less the champion's, at the year's end;
- windows: weeks from having 1,000 labelled rows of the new world until the champion is within .02 of that model,
  over the years (median and 90 % quantile; a year in which it never is counts as all weeks that were left);
- trainings a year, in years without and with change.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from evergreen.datasets.synthetic.churn import ChurnRecipe
from evergreen.datasets.synthetic.scenario import Scenario
from evergreen.evaluation.accumulating import Look
from evergreen.evaluation.gain import days_passed, information_of
from evergreen.evaluation.judge import Contestant, judge_days
from evergreen.evaluation.metrics import classification_metrics
from evergreen.evaluation.parameters import EvaluationParameters, SlicePolicy
from evergreen.modelling.estimators import make_pipeline
from evergreen.modelling.parameters import TrainingParameters
from evergreen.modelling.search import Candidate, train_candidate
from evergreen.monitoring.conclude import conclude, window_history
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.profiles.build import build_profile
from evergreen.monitoring.record import MonitoringRecord
from evergreen.monitoring.reference import (
    BLOCK_SHARE,
    MIN_UNSEEN,
    PROBABILITY,
    Reference,
    reference_profiles,
    unseen_score_profile,
)
from evergreen.monitoring.window import Window, judge_window
from evergreen.retraining.contenders import RowPool, champions_recipe
from evergreen.retraining.forward import Replay
from evergreen.retraining.forward_contenders import train_forward
from evergreen.retraining.parameters import CandidatePolicy, TriggerPolicy
from evergreen.retraining.row_pool import challenger_bounds
from evergreen.retraining.trigger import ChampionsAge, decide_trigger
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.splits import Bounds, block_share, training_mask, unseen_mask
from evergreen.rows.splits import test_mask as rows_of_the_test_window
from evergreen.schema import TableSpec

START = dt.date(2025, 1, 1)
WINDOW_DAYS = 28
ENOUGH_ROWS = 1000
CLOSE = 0.02
VERSION = "1"
ALGORITHM = "LogisticRegression"

SPEC = TableSpec(
    entity="customer_id",
    date="date",
    target="churned",
    positive=1,
    numeric=[
        "age",
        "income",
        "credit_score",
        "account_balance",
        "transaction_frequency",
        "avg_transaction_amount",
        "months_as_customer",
        "number_of_products",
        "digital_engagement",
    ],
    categorical=["region"],
)
LABEL = LabelDefinition(target="churned", kind="positive", positive=1)
SPLIT = SplitParameters(history_days=0, test_days=42)
TRAINING = TrainingParameters(algorithms=[ALGORITHM], strategy="none", n_jobs=1)
MONITORING = MonitoringParameters(window_days=7)
RULES = TriggerPolicy()
JUDGING = EvaluationParameters(slices=SlicePolicy(max_gap=0.4))

Predict = Callable[[pd.DataFrame], np.ndarray]


@dataclass(frozen=True)
class Year:
    """A stream of labelled rows in weeks; ``change`` is the first week of the new world, or None.

    Attributes:
        rows: All rows, those before the year (for the first champion) included, ``share`` and ``day`` among them.
        weeks: Weeks of the year, after the first champion was made.
        week_rows: Rows a week.
        change: Week in which the concept changes, counted from the year's start.
        fresh: Rows of the world at the year's end that no policy ever sees.
        best_auc: ROC AUC on them of a model that was trained on 20,000 rows of that world alone.
    """

    rows: pd.DataFrame
    weeks: int
    week_rows: int
    change: int | None
    fresh: pd.DataFrame
    best_auc: float

    def until(self, week: int) -> tuple[pd.DataFrame, dt.date]:
        """Rows known at the end of a week, and its last day."""
        today = START + dt.timedelta(days=7 * (week + 1) - 1)
        return self.rows[self.rows["date"] <= pd.Timestamp(today)], today


def world(rows: int, seed: int, changed: bool) -> pd.DataFrame:
    """Customers of the old or the new world."""
    scenarios = (Scenario(name="concept_change"),) if changed else ()
    recipe = ChurnRecipe(table="current", size=rows, seed=seed, scenarios=scenarios)
    return pd.concat([chunk.to_pandas() for chunk in recipe.chunks()], ignore_index=True)


def simulate_year(seed: int, weeks: int, change: int | None, week_rows: int = 500, history_weeks: int = 16) -> Year:
    """One year of weeks, with as many weeks before it as the first champion needs."""
    total = (weeks + history_weeks) * week_rows
    week = np.arange(total) // week_rows - history_weeks
    rows = world(total, 10 * seed, changed=False)
    if change is not None:
        after = week >= change
        rows.loc[after] = world(total, 10 * seed + 1, changed=True).loc[after]
    rows["customer_id"] = [f"{seed}-{number}" for number in range(total)]
    day = np.random.default_rng(seed).integers(0, 7, total) + 7 * week
    rows["date"] = pd.Timestamp(START) + pd.to_timedelta(day, unit="D")
    rows["share"] = block_share(rows[["customer_id"]])
    fresh = world(10_000, 10 * seed + 2, changed=change is not None)
    alone = fit(world(20_000, 10 * seed + 3, changed=change is not None))
    return Year(rows, weeks, week_rows, change, fresh, auc(alone, fresh))


def fit(rows: pd.DataFrame) -> Predict:
    """The plain model on some rows."""
    pipeline = make_pipeline(ALGORITHM, SPEC, {"solver": "liblinear"}, seed=0)
    pipeline.fit(rows[SPEC.features], rows["churned"].to_numpy())
    return lambda asked: pipeline.predict_proba(asked[SPEC.features])[:, 1]


def auc(predict: Predict, rows: pd.DataFrame) -> float:
    """ROC AUC on some rows."""
    return float(roc_auc_score(rows["churned"], predict(rows)))


@dataclass
class Policy:
    """One way to keep a champion: it sees a year week by week."""

    predict: Predict = field(default=lambda rows: np.zeros(len(rows)))
    trainings: int = 0
    promotions: int = 0

    def begin(self, known: pd.DataFrame, today: dt.date) -> None:  # noqa: ARG002 - one policy asks for the day
        """Make the first champion."""
        self.predict = fit(known)

    def step(self, known: pd.DataFrame, today: dt.date) -> None:
        """Live through a week."""


class Always(Policy):
    """A new model every week, on all rows, without a question."""

    def step(self, known: pd.DataFrame, today: dt.date) -> None:  # noqa: ARG002 - likewise
        """Train and promote."""
        self.predict = fit(known)
        self.trainings += 1
        self.promotions += 1


class Tutorial(Policy):
    """Retrain when any column's KS test says p < .05, promote when the AUC on one random split is .005 better."""

    reference: pd.DataFrame

    def begin(self, known: pd.DataFrame, today: dt.date) -> None:
        """The first champion, and what later weeks are compared with."""
        super().begin(known, today)
        self.reference = known

    def step(self, known: pd.DataFrame, today: dt.date) -> None:
        """Test, train, compare."""
        week = known[known["date"] > pd.Timestamp(today - dt.timedelta(days=7))]
        if min(stats.ks_2samp(self.reference[name], week[name]).pvalue for name in SPEC.numeric) >= 0.05:
            return
        shuffled = known.sample(frac=1, random_state=self.trainings)
        train, test = shuffled[len(known) // 5 :], shuffled[: len(known) // 5]
        challenger = fit(train)
        self.trainings += 1
        if auc(challenger, test) >= auc(self.predict, test) + 0.005:
            self.predict, self.reference = challenger, known
            self.promotions += 1


class Evergreen(Policy):
    """The project's own functions: watch, trigger, contenders, judgement."""

    bounds: Bounds
    reference: Reference
    looks: list[tuple[float, float]]
    said: Replay | None
    recipe: TrainingParameters
    retrained: dt.date | None
    history: pd.DataFrame

    def begin(self, known: pd.DataFrame, today: dt.date) -> None:
        """The first champion, tested on the six weeks after its training."""
        train_end = today - dt.timedelta(days=SPLIT.test_days)
        first = known["date"].min().date()
        bounds = Bounds(
            dated=True, train_start=first, train_end=train_end, test_end=today, judging_share=SPLIT.judging_share
        )
        rows = labelled(known, bounds, today)
        train = rows.where(training_mask(rows.dates, rows.share, bounds))
        test = rows.where(rows_of_the_test_window(rows.dates, rows.share, bounds))
        made = train_candidate(ALGORITHM, train.X, train.y, train.share, train.dates, SPEC, TRAINING, SPLIT)
        self.retrained = None
        kept = np.ones(len(train.y), dtype=bool)
        self._crown(made, train, kept, test, probabilities(made)(test.rows), today)

    def step(self, known: pd.DataFrame, today: dt.date) -> None:
        """Watch, and retrain where the trigger fires."""
        record = self._watch(known, today)
        new = int((known["date"] > pd.Timestamp(self.bounds.train_end)).sum())
        age = ChampionsAge(
            version=VERSION,
            retrained=self.promotions > 0,
            days_since_training=(today - self.reference.trained_as_of).days,
            days_since_retraining=None if self.retrained is None else (today - self.retrained).days,
            new_labelled_rows=new,
        )
        trigger = decide_trigger(record, age, RULES)
        if trigger.fired:
            self._retrain(known, today)

    def _watch(self, known: pd.DataFrame, today: dt.date) -> MonitoringRecord:
        rows = known[known["date"] > pd.Timestamp(today - dt.timedelta(days=7))].reset_index(drop=True)
        probability = self.predict(rows)
        unseen = unseen_mask(rows["date"], rows["share"].to_numpy(), self.bounds)
        outcomes = pd.DataFrame({"label": rows["churned"], PROBABILITY: probability, BLOCK_SHARE: rows["share"]})
        window = Window(
            as_of=today,
            start=today - dt.timedelta(days=6),
            end=today,
            profile=build_profile(rows[[*SPEC.features, "date"]], self.reference.profile, date="date"),
            duplicates=0,
            rows=rows,
            share=rows["share"].to_numpy(),
            probability=probability,
            outcomes=outcomes[unseen] if unseen.any() else None,
        )
        findings = judge_window(self.reference, window, MONITORING)
        self.history = pd.concat([self.history, window_history(VERSION, window, findings)], ignore_index=True).tail(200)
        return conclude("churn", VERSION, self.reference, window, findings, self.history, MONITORING)

    def _retrain(self, known: pd.DataFrame, today: dt.date) -> None:
        self.trainings += 1
        self.retrained = today
        bounds = challenger_bounds(self.bounds, today, SPLIT)
        rows = labelled(known, bounds, today)
        pool_rows = rows.where(training_mask(rows.dates, rows.share, bounds))
        age = (pd.Timestamp(today) - pool_rows.dates).dt.days.to_numpy(dtype=float)
        pool = RowPool(pool_rows, age < WINDOW_DAYS, age)
        first = int(np.datetime64(self.bounds.train_end, "D").astype(np.int64))
        before = None if self.said is None else longer(self.said, pool_rows)
        contenders, self.said = train_forward(
            pool, pool_rows, first, WINDOW_DAYS, CANDIDATES, self.recipe, SPLIT, before
        )
        scores = self.said.chosen_logits(CANDIDATES.forward.choose_days)
        asked = (self.said.days > first) & ~np.isnan(scores)
        best, challenger, judged = contenders[0], contenders[0].candidates[0], pool_rows.where(asked)
        if not asked.any():
            return
        cutoffs = self.said.cutoffs[asked]
        passed = days_passed(judged.day_numbers, self.bounds.train_end) / JUDGING.promotion.planned_days
        self.looks.append((min(passed, 1.0), information_of(judged.y, cutoffs)))
        look = Look(len(self.looks), 1, *(tuple(each) for each in zip(*self.looks, strict=True)))
        contestant = Contestant(probabilities(challenger), 0)
        decision = judge_days(
            judged, self.predict(judged.rows), expit(scores[asked]), cutoffs, contestant, JUDGING, look
        )
        if decision.decision == "promote":
            self.promotions += 1
            self._crown(challenger, best.rows, best.recent, judged, expit(scores[asked]), today)

    def _crown(
        self,
        made: Candidate,
        train: LabelledRows,
        remembered: np.ndarray,
        test: LabelledRows,
        promised: np.ndarray,
        today: dt.date,
    ) -> None:
        self.predict, self.bounds, self.looks, self.said = probabilities(made), train.bounds, [], None
        self.recipe = champions_recipe(TRAINING, ALGORITHM, made.best_params)
        self.history = pd.DataFrame()
        scores = pd.Series(made.out_of_fold, index=made.out_of_fold_index)
        scores = scores[remembered[scores.index]]
        profile, score_profile = reference_profiles(train.rows[remembered], SPEC, scores.rename(PROBABILITY), 7)
        unseen = pd.DataFrame({PROBABILITY: promised, "label": test.y})
        unseen = unseen if len(unseen) >= MIN_UNSEEN else None
        self.reference = Reference(
            spec=SPEC,
            label=LABEL,
            bounds=train.bounds,
            threshold=made.threshold,
            trained_as_of=today,
            profile=profile,
            score_profile=score_profile if unseen is None else unseen_score_profile(unseen, score_profile),
            scores=unseen,
            metrics=classification_metrics(test.y, promised, made.threshold),
            sample=None,
            importance={},
        )


CANDIDATES = CandidatePolicy()
POLICIES: dict[str, type[Policy]] = {
    "evergreen": Evergreen,
    "never": Policy,
    "always": Always,
    "tutorials' rule": Tutorial,
}


def labelled(known: pd.DataFrame, bounds: Bounds, today: dt.date) -> LabelledRows:
    """Rows as training knows them."""
    rows = known.reset_index(drop=True)
    return LabelledRows(rows, rows["churned"].to_numpy(), rows["share"].to_numpy(), SPEC, LABEL, bounds, today)


def longer(said: Replay, rows: LabelledRows) -> Replay:
    """What was said of the first rows, laid on all: newer ones stand behind them."""
    more = len(rows.y) - len(said.days)
    return Replay(
        said.choices,
        rows.day_numbers,
        np.append(said.cutoffs, np.full(more, -1)),
        np.vstack([said.logits, np.full((more, len(said.choices)), np.nan)]),
        rows.y.astype(bool),
    )


def probabilities(made: Candidate) -> Predict:
    """A candidate's probability of class 1."""
    return lambda rows: made.pipeline.predict_proba(rows[SPEC.features])[:, 1]


@dataclass(frozen=True)
class Outcome:
    """What a policy made of a year.

    Attributes:
        changed: Whether the concept changed.
        promotions: Changes of champion.
        trainings: Models trained.
        gap: How far the champion is from a model of the new world alone, in ROC AUC, at the end.
        windows: Weeks from having enough labelled rows of the new world until the champion is close; None: never.
        left: Weeks that there were for it.
    """

    changed: bool
    promotions: int
    trainings: int
    gap: float
    windows: int | None
    left: int


def live(policy: Policy, year: Year) -> Outcome:
    """Let a policy live through a year."""
    policy.begin(*year.until(-1))
    change = year.weeks if year.change is None else year.change
    enough = change + -(-ENOUGH_ROWS // year.week_rows) - 1  # the week at whose end the rows are there
    windows = None
    for week in range(year.weeks):
        policy.step(*year.until(week))
        if windows is None and week >= enough and year.best_auc - auc(policy.predict, year.fresh) <= CLOSE:
            windows = week - enough
    gap = year.best_auc - auc(policy.predict, year.fresh)
    return Outcome(year.change is not None, policy.promotions, policy.trainings, gap, windows, year.weeks - enough)


def simulate(years: int, weeks: int, names: list[str]) -> dict[str, list[Outcome]]:
    """All policies through the same years, every second one with a concept change in its first half."""
    outcomes: dict[str, list[Outcome]] = {name: [] for name in names}
    for seed in range(years):
        change = None if seed % 2 == 0 else int(np.random.default_rng(seed).integers(2, weeks // 2))
        year = simulate_year(seed, weeks, change)
        for name in names:
            outcomes[name].append(live(POLICIES[name](), year))
    return outcomes


def table(outcomes: dict[str, list[Outcome]]) -> str:
    """The markdown table."""
    lines = [
        "| policy | unneeded promotion | AUC gap, mean (worst) | windows to within .02 | trainings, quiet / change |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, found in outcomes.items():
        quiet = [each for each in found if not each.changed]
        moved = [each for each in found if each.changed]
        unneeded = sum(each.promotions > 0 for each in quiet)
        high = stats.beta.ppf(0.95, unneeded + 1, len(quiet) - unneeded) if unneeded < len(quiet) else 1.0
        gaps = [each.gap for each in moved]
        waits = [each.left if each.windows is None else each.windows for each in moved]
        never = sum(each.windows is None for each in moved)
        lines.append(
            f"| {name} | {unneeded} of {len(quiet)} years (at most {high:.1%} with 95 % confidence) "
            f"| {np.mean(gaps):.3f} ({max(gaps):.3f}) "
            f"| median {np.median(waits):.0f}, 90 % {np.quantile(waits, 0.9):.0f}, never in {never} of {len(moved)} "
            f"| {np.mean([e.trainings for e in quiet]):.1f} / {np.mean([e.trainings for e in moved]):.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=20)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--policies", nargs="+", choices=POLICIES, default=list(POLICIES))
    asked = parser.parse_args()
    print(table(simulate(asked.years, asked.weeks, asked.policies)))


if __name__ == "__main__":
    main()
