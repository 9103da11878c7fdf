"""Claims about performance, estimated and measured, and about what follows from it."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy import special, stats
from sklearn import metrics

from evergreen.errors import EvergreenError
from evergreen.evaluation.metrics import classification_metrics
from evergreen.monitoring import build_profile, compare_profiles, estimate_performance
from evergreen.monitoring.alerts import Alert, alerts_over_time, disjoint_windows, history_rows, open_alerts
from evergreen.monitoring.drift.multivariate import classifier_two_sample_test, comparable_features
from evergreen.monitoring.parameters import QualityPolicy, ReasonPolicy
from evergreen.monitoring.performance import measure_performance, positive_rate_shift
from evergreen.monitoring.quality import check_quality, count_duplicates
from evergreen.monitoring.reasons import by_alerts, find_reasons

# DuckDB asks pandas for an option that pandas 3 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")


def scored(seed: int, rows: int, slope: float = 1.0, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = rng.normal(-0.5, 1.5, rows)
    labels = (rng.random(rows) < special.expit(z + noise * rng.normal(size=rows))).astype(int)
    return special.expit(slope * z), labels


def realised(labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    predictions = scores >= 0.5
    return {
        "roc_auc": metrics.roc_auc_score(labels, scores),
        "accuracy": metrics.accuracy_score(labels, predictions),
        "precision": metrics.precision_score(labels, predictions),
        "recall": metrics.recall_score(labels, predictions),
        "f1": metrics.f1_score(labels, predictions),
    }


@pytest.mark.parametrize(("slope", "calibration"), [(1.0, "none"), (2.0, "logistic")])
def test_estimates_cover_what_labels_say_later(slope, calibration):
    covered: dict[str, list[bool]] = {}
    kinds = []
    for seed in range(30):
        reference_scores, reference_labels = scored(seed, 3_000, slope)
        scores, labels = scored(seed + 700, 800, slope)
        found = estimate_performance(reference_scores, reference_labels, scores, seed=seed)
        kinds.append(found.calibration)
        for name, value in realised(labels, scores).items():
            estimate = found.metrics[name]
            covered.setdefault(name, []).append(estimate.low <= value <= estimate.high)
    assert kinds.count(calibration) >= 25
    least = stats.binom.ppf(0.001, 30, 0.95)
    assert all(sum(hits) >= least for hits in covered.values())


def test_estimates_name_their_target_and_blind_spot():
    found = estimate_performance(*scored(0, 500), scored(1, 500)[0])
    assert "concept drift" in found.blind_spot
    assert "window" in found.target


def test_too_small_a_reference_estimates_nothing():
    found = estimate_performance(*scored(0, 30), scored(1, 500)[0])
    assert (found.status, found.metrics["roc_auc"].value) == ("insufficient_data", None)


def test_scores_that_are_no_probabilities_are_refused():
    with pytest.raises(EvergreenError, match="pass probabilities"):
        estimate_performance(*scored(0, 500), [0.2, 1.4])


def test_a_collapse_alerts_and_an_equal_window_does_not():
    scores, labels = scored(0, 4_000)
    reference = classification_metrics(labels, scores)
    same = measure_performance(*scored(1, 2_000)[::-1], reference)
    worse = measure_performance(*scored(2, 2_000, noise=5.0)[::-1], reference)
    assert (same.status, worse.status) == ("ok", "alert")
    assert worse.metrics["roc_auc"].low > 0


def test_a_drop_that_noise_explains_does_not_alert():
    scores, labels = scored(0, 4_000)
    reference = classification_metrics(labels, scores)
    statuses = [measure_performance(*scored(seed, 60)[::-1], reference).status for seed in range(20)]
    assert statuses.count("alert") <= 3


def test_small_windows_without_change_seldom_alert_on_any_metric():
    scores, labels = scored(0, 1_000)
    reference = classification_metrics(labels, scores)
    windows = 150
    alerts = sum(
        measure_performance(*scored(seed, 200)[::-1], reference).status == "alert" for seed in range(1, windows + 1)
    )
    assert alerts <= stats.binom.isf(0.001, windows, 0.025)


def test_the_positive_rate_alerts_beyond_a_fifth_only_with_evidence():
    few, many = np.repeat([0, 1], [80, 20]), np.repeat([0, 1], [8_000, 2_000])
    assert positive_rate_shift(many, np.repeat([0, 1], [7_000, 3_000])).alert
    assert not positive_rate_shift(many, np.repeat([0, 1], [7_800, 2_200])).alert
    assert not positive_rate_shift(few, np.repeat([0, 1], [70, 30])).alert
    assert positive_rate_shift(many, np.repeat([0, 1], [70, 30])).alert
    assert not positive_rate_shift(many, np.repeat([0, 1], [70, 30]), ci=0.999).alert


def flipped(seed: int, rows: int, correlation: float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    pair = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], rows)
    return pd.DataFrame({"a": pair[:, 0], "b": pair[:, 1], "other": rng.normal(size=rows)})


def test_a_correlation_flip_is_invisible_by_column_and_found_by_rows():
    reference, window = flipped(0, 3_000, 0.8), flipped(1, 3_000, -0.8)
    profile = build_profile(reference)
    assert not compare_profiles(profile, build_profile(window, profile)).drifted
    found = classifier_two_sample_test(reference, window, numeric=["a", "b", "other"])
    assert found.alarm
    assert set(list(found.features)[:2]) == {"a", "b"}


def test_rows_of_one_kind_are_told_apart_no_more_often_than_stated():
    alarms = [
        classifier_two_sample_test(
            flipped(seed, 500, 0.5), flipped(seed + 300, 500, 0.5), numeric=["a", "b", "other"], min_effect=0.0
        ).alarm
        for seed in range(25)
    ]
    assert sum(alarms) <= stats.binom.isf(0.001, 25, 0.05)


def weather(seed: int, days: int, stores: int = 20, rows: int = 5) -> pd.DataFrame:
    """Rows of stores and days: a level per store that hardly moves, a value per store and day, and noise."""
    rng = np.random.default_rng(seed)
    day, store = np.repeat(np.arange(days), stores * rows), np.tile(np.repeat(np.arange(stores), rows), days)
    level = np.cumsum(rng.normal(0, 0.1, (days, stores)), axis=0)
    return pd.DataFrame(
        {
            "date": pd.Timestamp("2025-01-01") + pd.to_timedelta(day, unit="D"),
            "block": day * stores + store,
            "level": level[day, store],
            "weather": rng.normal(size=(days, stores))[day, store],
            "free": rng.normal(size=len(day)),
            "kind": np.array(["a", "b", "c"])[rng.integers(0, 3, len(day))],
        }
    )


def test_rows_that_share_a_block_are_told_apart_no_more_often_than_stated_and_far_more_often_without():
    alarms = {"blocks": 0, "rows": 0}
    for seed in range(12):
        rows = weather(seed, 12)
        old = rows["block"] < 160
        reference, window = rows[old], rows[~old]
        blocks = {"reference_blocks": reference["block"], "window_blocks": window["block"]}
        for name, known in (("blocks", blocks), ("rows", {})):
            found = classifier_two_sample_test(reference, window, numeric=["weather", "free"], min_effect=0.0, **known)
            alarms[name] += found.alarm
    assert alarms["blocks"] <= stats.binom.isf(0.001, 12, 0.05)
    assert alarms["rows"] > alarms["blocks"]


def test_a_level_that_tells_every_week_from_every_other_takes_no_part():
    rows = weather(0, 7 * 20)
    old = rows["date"] < rows["date"].min() + pd.Timedelta(weeks=19)
    features = {"numeric": ["level", "free"], "categorical": ["kind"]}
    reference = build_profile(rows[old], date="date", **features)
    assert comparable_features(reference, ["level", "free", "kind"]) == ["free", "kind"]
    blocks = {"reference_blocks": rows["block"][old], "window_blocks": rows["block"][~old]}
    assert classifier_two_sample_test(rows[old], rows[~old], **features, **blocks).alarm
    assert not classifier_two_sample_test(rows[old], rows[~old], numeric=["free"], categorical=["kind"], **blocks).alarm


def test_no_feature_to_compare_is_insufficient_data():
    rows = weather(0, 7)
    assert classifier_two_sample_test(rows, rows, numeric=[]).status == "insufficient_data"


def history(p_values: list[float], effect: float = 0.2) -> pd.DataFrame:
    ends = pd.date_range("2026-01-07", periods=len(p_values), freq="7D")
    return pd.DataFrame(
        {
            "window_start": ends - pd.Timedelta(days=6),
            "window_end": ends,
            "column": "x",
            "status": "ok",
            "adjusted_p_value": p_values,
            "effect": effect,
            "severity": "warning",
            "minimum_detectable_effect": 0.1,
        }
    )


@pytest.mark.parametrize(
    ("p_values", "events"),
    [
        ([0.5, 0.001, 0.5], ["opened", "closed"]),
        ([0.5, 0.03, 0.5, 0.5], []),
        ([0.03, 0.5, 0.03, 0.5], ["opened", "closed"]),
        ([0.03, 0.5, 0.5, 0.03], []),
        ([0.001, 0.001, 0.001, 0.9, 0.001], ["opened", "repeated", "repeated", "closed", "opened"]),
    ],
)
def test_an_alert_opens_once_repeats_and_closes(p_values, events):
    assert [alert.event for alert in alerts_over_time(history(p_values))] == events


def test_a_small_shift_that_no_window_shows_alone_opens_an_alert_once_two_windows_together_do():
    rows = history([0.9, 0.06, 0.06, 0.9, 0.9]).assign(
        pair_adjusted_p_value=[None, 0.5, 0.0014, 0.04, 0.9], pair_effect=[None, 0.2, 0.2, 0.2, 0.2]
    )
    alerts = alerts_over_time(rows)
    assert [(alert.event, alert.window_end.day) for alert in alerts] == [("opened", 21), ("closed", 4)]
    assert alerts[0].reason == "adjusted p 0.0014 together with the window before"
    assert alerts_over_time(rows.assign(pair_effect=0.01)) == []


def test_a_pair_takes_nine_tenths_of_a_windows_budget():
    alone = history([0.9, 0.05 / 30])
    assert [alert.event for alert in alerts_over_time(alone)] == ["opened"]
    paired = alone.assign(pair_adjusted_p_value=[0.9, 0.9], pair_effect=0.2)
    assert alerts_over_time(paired) == []
    assert alerts_over_time(paired.assign(pair_adjusted_p_value=[0.9, 0.05 / 30])) == []
    assert len(alerts_over_time(paired.assign(pair_adjusted_p_value=[0.9, 0.0014]))) == 1


def test_a_closing_says_how_severe_the_opening_was_told_and_since_when_the_alert_was_open():
    calm, broken = history([0.001, 0.9]), history([0.001, 0.001])
    both = pd.concat([calm, broken.assign(column="y", severity="critical")])
    both.loc[both["window_end"] == both["window_end"].max(), "severity"] = "none"
    closed = next(alert for alert in alerts_over_time(both) if alert.event == "closed")
    assert (closed.column, closed.severity, closed.reported_as) == ("x", "warning", "critical")
    assert closed.reason == "no sign of drift in this window; open since 2026-01-07"


def test_small_effects_never_alert():
    assert alerts_over_time(history([1e-9] * 4, effect=0.01)) == []


def test_overlapping_windows_count_once():
    daily = history([0.03] * 6)
    daily["window_end"] = pd.date_range("2026-01-07", periods=6, freq="1D")
    daily["window_start"] = daily["window_end"] - pd.Timedelta(days=6)
    assert disjoint_windows(daily) == [pd.Timestamp("2026-01-12")]
    assert alerts_over_time(daily) == []


def test_a_missing_column_opens_an_alert_and_stays_open():
    frame = pd.DataFrame({"x": np.arange(500.0), "y": np.arange(500.0)})
    reference = build_profile(frame)
    report = compare_profiles(reference, build_profile(frame.drop(columns="x"), reference))
    rows = history_rows(report, dt.date(2026, 1, 1), dt.date(2026, 1, 7))
    assert list(open_alerts(alerts_over_time(rows))) == ["x"]
    assert [reason.name for reason in find_reasons(drift=report) if not reason.passed] == ["drift"]


def test_a_reason_goes_by_alerts_over_windows_not_by_one_window():
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(2_000, 2)), columns=["x", "y"])
    reference = build_profile(rows)
    report = compare_profiles(reference, build_profile(rows.assign(x=rows["x"] + 1), reference))
    assert report.alarms == ["x"]
    assert by_alerts(report, {}, None).alarms == []
    assert all(reason.passed for reason in find_reasons(drift=by_alerts(report, {}, None)))
    end = dt.datetime(2026, 1, 7)
    alert = Alert(column="y", event="repeated", window_end=end, severity="high", reason="adjusted p 1e-9 at once")
    found = by_alerts(report, {"y": alert}, {"x": 0.75, "y": 0.25})
    assert (found.alarms, found.drifted_share, found.drifted_importance) == (["y"], 0.5, 0.25)
    assert [reason.name for reason in find_reasons(drift=found) if not reason.passed] == ["drift"]


def test_broken_data_blocks_and_says_what_is_broken():
    frame = pd.DataFrame({"x": np.arange(500.0), "y": np.arange(500.0)})
    reference = build_profile(frame)
    quality = check_quality(reference, build_profile(frame.drop(columns="x"), reference))
    assert [check.sentence for check in quality.blockers] == ["x fails schema: missing, allowed number."]
    repeated = check_quality(reference, build_profile(frame, reference), duplicates=3)
    assert [check.sentence for check in repeated.blockers] == ["duplicates fails: 3, allowed 0."]
    assert check_quality(reference, build_profile(frame, reference)).blockers == []


def test_every_reason_is_listed_given_or_not_with_its_numbers():
    reasons = find_reasons(days_since_training=40, policy=ReasonPolicy(max_days_since_training=30))
    assert [(reason.name, reason.passed) for reason in reasons] == [
        ("performance", True), ("estimate", True), ("multivariate", True), ("predictions", True), ("age", False),
    ]  # fmt: skip
    assert reasons[-1].sentence == "age fails: trained 40 days ago, allowed 30 days."


def test_each_fault_fails_its_own_check():
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 60, 2_000), unit="D")
    good = pd.DataFrame({"day": days, "x": rng.normal(size=2_000), "k": rng.integers(0, 5, 2_000), "c": "a", "d": "b"})
    good.loc[::2, "c"] = "z"
    good["id"] = np.arange(2_000)
    reference = build_profile(good, numeric=["x", "k", "id"], categorical=["c", "d"], date="day")
    bad = good.assign(x=np.where(good["k"] > 0, 50.0, np.inf), k=3, c="new", extra=1, id="text", d=None)
    window = build_profile(bad, reference, date="day")
    report = check_quality(reference, window, as_of=dt.date(2026, 2, 20), duplicates=7)
    failed = {(check.name, check.where) for check in report.failures}
    assert failed == {
        ("duplicates", ""),
        ("date_range", ""),
        ("schema", "extra"),
        ("schema", "id"),
        ("completeness", "d"),
        ("infinities", "x"),
        ("range", "x"),
        ("constant", "x"),
        ("constant", "k"),
        ("unseen_levels", "c"),
        ("constant", "c"),
    }
    fine = check_quality(
        reference, build_profile(good, reference, date="day"), QualityPolicy(), as_of=dt.date(2026, 3, 2)
    )
    assert fine.status == "ok"
    stale = check_quality(reference, build_profile(good, reference, date="day"), as_of=dt.date(2026, 4, 1))
    assert [check.name for check in stale.failures] == ["freshness"]


def test_a_calendar_column_may_stand_still_and_run_ahead():
    def days(start: str, count: int) -> pd.DataFrame:
        date = pd.Timestamp(start) + pd.to_timedelta(np.arange(count) % 700, unit="D")
        return pd.DataFrame({"date": date, "year": date.year, "season": np.where(date.month < 7, "spring", "autumn")})

    reference = build_profile(days("2024-02-01", 7_000), numeric=["year"], categorical=["season"], date="date")
    week = days("2027-01-04", 7).assign(season="winter")
    window = build_profile(week, reference, date="date")
    loud = {(check.name, check.where) for check in check_quality(reference, window).failures}
    assert {("range", "year"), ("constant", "year"), ("unseen_levels", "season")} <= loud
    assert check_quality(reference, window, off=("year", "season")).status == "ok"


def test_duplicates_are_rows_beyond_the_first_of_their_key():
    frame = pd.DataFrame({"id": [1, 1, 2, 2, 2, 3]})
    table = ibis.memtable(frame.to_dict("list"))
    assert count_duplicates(frame, ["id"]) == count_duplicates(table, ["id"]) == 3
