"""Claims about recipes that are judged on days which none of their models had learnt."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from evergreen.modelling.parameters import TrainingParameters
from evergreen.retraining.choices import span_of
from evergreen.retraining.contenders import RowPool, champions_recipe
from evergreen.retraining.forward import Replay, cutoff_steps, replay
from evergreen.retraining.forward_contenders import recipe_fit, train_forward
from evergreen.retraining.parameters import CandidatePolicy, ForwardPolicy
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.splits import Bounds, block_share
from evergreen.schema import TableSpec

SPEC = TableSpec(entity="id", date="day", target="gone", positive=1, numeric=["a", "b"])
LABEL = LabelDefinition(target="gone", kind="positive", positive=1)
FIRST_DAY, DAYS = dt.date(2025, 6, 1), 180
RECIPE = champions_recipe(
    TrainingParameters(strategy="none", n_jobs=1), "LogisticRegression", {"penalty": "l2", "C": 1.0}
)
POLICY = ForwardPolicy()


def rows(changed_from: int = DAYS, per_day: int = 15) -> LabelledRows:
    """Half a year; from day ``changed_from`` on ``a`` works the other way round."""
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(DAYS), per_day)
    a, b = rng.normal(size=(2, len(day)))
    gone = (2 * np.where(day < changed_from, a, -a) + b + rng.logistic(size=len(day)) > 0).astype(int)
    stamp = pd.Timestamp(FIRST_DAY) + pd.to_timedelta(day, unit="D")
    frame = pd.DataFrame({"id": np.arange(len(day)), "day": stamp, "a": a, "b": b, "gone": gone})
    end = FIRST_DAY + dt.timedelta(days=DAYS - 1)
    bounds = Bounds(dated=True, train_start=FIRST_DAY, train_end=end, test_end=end, judging_share=0.3)
    return LabelledRows(frame, gone, block_share(frame[["id"]]), SPEC, LABEL, bounds, end)


def last_day(of: LabelledRows) -> int:
    return int(of.day_numbers.max())


def test_steps_are_whole_weeks_newest_ones_singly_and_older_ones_in_fours():
    steps = cutoff_steps(100, 100 + 7 * 17 + 3, POLICY)
    assert steps[:5] == [(72, 79), (79, 86), (86, 93), (93, 100), (100, 128)]
    judging = [step for step in steps if step[0] >= 100]
    assert judging == [(100, 128), (128, 156), *((156 + 7 * k, 163 + 7 * k) for k in range(9))]
    assert [step for step in cutoff_steps(100, 106, POLICY) if step[0] >= 100] == []


def test_no_model_learns_a_day_that_it_judges():
    everyone, seen = rows(), []

    def fit(learnt, weight):
        seen.append(int(learnt.day_numbers.max()))
        return lambda asked: np.full(len(asked), float(seen[-1]))

    first = last_day(everyone) - 70
    found = replay(everyone, everyone, [span_of("all", 28, 90)], fit, first, POLICY)
    judged = found.cutoffs >= 0
    np.testing.assert_array_equal(found.logits[judged, 0], found.cutoffs[judged])
    assert (found.days[judged] > found.cutoffs[judged]).all()
    assert found.days[judged].max() == last_day(everyone)


def test_rows_of_later_days_change_nothing_of_what_was_said_before():
    whole = rows(per_day=8)
    cut = last_day(whole) - 14
    early = whole.where(whole.day_numbers <= cut)
    spans, fit = [span_of("all", 28, 90), span_of("recent", 28, 90)], recipe_fit(RECIPE)
    first = last_day(whole) - 49
    then, now = (replay(each, each, spans, fit, first, POLICY) for each in (early, whole))
    said = then.cutoffs >= 0
    np.testing.assert_allclose(now.logits[: len(said)][said], then.logits[said])
    np.testing.assert_array_equal(now.chosen_logits(28)[: len(said)][said], then.chosen_logits(28)[said])


def test_what_was_said_before_is_kept_and_only_new_weeks_are_trained():
    whole = rows(per_day=8)
    early = whole.where(whole.day_numbers <= last_day(whole) - 7)
    spans, fit, fits = [span_of("all", 28, 90)], recipe_fit(RECIPE), []

    def counting(learnt, weight):
        fits.append(int(learnt.day_numbers.max()))
        return fit(learnt, weight)

    first = last_day(whole) - 70
    then = replay(early, early, spans, counting, first, POLICY)
    more = len(whole.y) - len(early.y)
    known = Replay(
        then.choices,
        whole.day_numbers,
        np.append(then.cutoffs, np.full(more, -1)),
        np.vstack([then.logits, np.full((more, 1), np.nan)]),
        whole.y.astype(bool),
    )
    fits.clear()
    found = replay(whole, whole, spans, counting, first, POLICY, known=known)
    assert fits == [last_day(whole) - 7]
    np.testing.assert_array_equal(found.logits[: len(then.logits)], known.logits[: len(then.logits)])


def test_after_a_change_short_spans_lead_and_judge_what_came_after_they_led():
    changed = rows(changed_from=DAYS - 42)
    day = changed.day_numbers
    age = (last_day(changed) - day).astype(float)
    first = last_day(changed) - 84
    pool = RowPool(changed, age < 28, age)
    contenders, found = train_forward(pool, changed, first, 28, CandidatePolicy(), RECIPE, SplitParameters(folds=3))
    assert contenders[0].choice in ("recent", "newest")
    assert len(contenders[0].candidates) == 1
    aucs = {each.choice: each.recent_roc_auc for each in contenders}
    assert aucs[contenders[0].choice] > aucs["all"] + 0.1
    led = [found.choices[found.choice_at(cutoff, 28)] for cutoff in (first + 28, last_day(changed) - 7)]
    assert led[0] == "all"
    assert led[1] in ("recent", "newest")


def test_a_span_of_one_class_competes_no_more():
    plain = rows(per_day=6)
    y = np.where(plain.day_numbers > last_day(plain) - 40, 0, plain.y)
    one_class = LabelledRows(plain.rows, y, plain.share, SPEC, LABEL, plain.bounds, plain.as_of)
    spans = [span_of("recent", 28, 90), span_of("all", 28, 90)]
    found = replay(one_class, one_class, spans, recipe_fit(RECIPE), last_day(plain) - 14, POLICY)
    newest = found.cutoffs >= last_day(plain) - 10
    assert np.isnan(found.logits[newest, 0]).all()
    assert not np.isnan(found.logits[newest, 1]).any()


@pytest.mark.parametrize(("choice", "days"), [("all", 0), ("weeks_16", 112), ("recent", 28), ("newest", 14)])
def test_a_choice_reaches_back_as_far_as_its_name_says(choice, days):
    assert span_of(choice, 28, 90).days == days
