"""Requests that were answered, beside what the warehouse has for the same keys and days."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

import ibis
import ibis.expr.types as ir
import pandas as pd

from evergreen.features.by_key import Tables, features_on, keyed_columns, lines_of, newest_day
from evergreen.monitoring.parameters import SkewPolicy
from evergreen.monitoring.served import ANSWERED
from evergreen.monitoring.skew import Pairs
from evergreen.rows.canonical_column import canonical_column
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema

_SEPARATOR = "\x1f"


def newest_requests(predictions: ir.Table, policy: SkewPolicy, as_of: dt.date | None) -> pd.DataFrame:
    """The newest answered requests."""
    answered = predictions.filter(predictions["variant"].isin(ANSWERED))
    last = as_of or answered["date"].max().to_pyarrow().as_py() or dt.date.min
    first = last - dt.timedelta(days=min(policy.days, last.toordinal()) - 1)
    recent = answered.filter(answered["date"].between(ibis.date(first), ibis.date(last)))
    return recent.order_by(recent["timestamp"].desc()).limit(policy.max_requests).to_pandas()


def by_row(requests: pd.DataFrame, window: ir.Table, table: TableSpec) -> Pairs:
    """Requests that named their features and their row's key, beside the row of the table of features."""
    named = requests[requests["entity_id"].notna()]
    keys = ibis.memtable(named[["entity_id"]].drop_duplicates().astype("str"))
    rows = window.mutate(ev_entity=canonical_column(window[table.entity]))
    rows = rows.filter(rows["ev_entity"].isin(keys["entity_id"])).select("ev_entity", *table.features)
    known = rows.to_pandas().drop_duplicates("ev_entity").set_index("ev_entity")
    return _paired(named, named["entity_id"], known)


def by_key(requests: pd.DataFrame, tables: Tables, star: StarSchema, table: TableSpec) -> Iterator[Pairs]:
    """Requests by key beside what their keys have on their day, from the facts that were known when they were made."""
    for (day, known_until), asked in requests[requests["asked_keys"].notna()].groupby(["asked_date", "known_until"]):
        yield _of_keys(asked, tables, star, table, _day(day), _day(known_until))


def settled(requests: pd.DataFrame, tables: Tables, star: StarSchema, table: TableSpec) -> Iterator[Pairs]:
    """The same from all facts before their day, where the warehouse has these by now."""
    newest = newest_day(tables, star, None)
    for day, asked in requests[requests["asked_keys"].notna()].groupby("asked_date"):
        if _day(day) <= newest:
            yield _of_keys(asked, tables, star, table, _day(day), newest)


def _of_keys(
    asked: pd.DataFrame, tables: Tables, star: StarSchema, table: TableSpec, day: dt.date, known_until: dt.date
) -> Pairs:
    names = star.facts.keys
    keys = [json.loads(text) for text in asked["asked_keys"]]
    lines = lines_of(keys, tables, star)
    features = [name for name in keyed_columns(star) if name in table.features]
    found = features_on(tables, star, table, lines, day, known_until)
    texts = found.select(*features, **{f"ev_{name}": canonical_column(found[name]) for name in names}).to_pandas()
    known = texts[features].set_axis(_joined(texts[[f"ev_{name}" for name in names]]), axis=0)
    wanted = _joined(pd.DataFrame([{name: row.get(name) for name in names} for row in keys], index=asked.index))
    return _paired(asked, pd.Series(wanted, index=asked.index), known)


def _joined(keys: pd.DataFrame) -> list[str]:
    return [_SEPARATOR.join("" if pd.isna(part) else str(part) for part in row) for row in keys.to_numpy(object)]


def _paired(requests: pd.DataFrame, key: pd.Series, known: pd.DataFrame) -> Pairs:
    there = key.isin(known.index)
    served, recomputed = requests[there], known.loc[key[there]]
    columns = [name for name in known.columns if name in served.columns]
    return Pairs(served[["request_id", *columns]].reset_index(drop=True), recomputed[columns].reset_index(drop=True))


def _day(value: object) -> dt.date:
    return pd.Timestamp(str(value)).date()
