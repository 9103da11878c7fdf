"""Outcomes that arrive apart: each row gets the newest that was observed by a day, the others stay unlabelled."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

from evergreen.features.checks import Column, Count, duplicate_keys
from evergreen.features.contract import Contract
from evergreen.features.lookup import look_up
from evergreen.features.typed import as_date, as_key
from evergreen.records import Check
from evergreen.rows.canonical_column import canonical_column
from evergreen.schema import TableSpec

OBSERVED_AT = "observed_at"


class LabelsContract(Contract):
    """A table of outcomes: of whom, when observed, and one outcome a day of observation; it may still be empty.

    Args:
        spec: The use case's table of features, whose names it shares.
    """

    def __init__(self, spec: TableSpec) -> None:
        columns = [Column(spec.entity, "key", required=True), Column(spec.target, "any", required=True)]
        dates = [OBSERVED_AT, *([spec.date] if spec.panel and spec.date else [])]
        columns += [Column(name, "date", required=True, unparsable_share=0.0) for name in dates]
        super().__init__("labels", columns, [], may_be_empty=True)
        self.spec = spec

    def inspect(self, data: ir.Table, sound: dict[str, Column], rows: int) -> list[Check]:
        """One outcome a row and day of observation."""
        key = [self.spec.entity, *(name for name in _dates(self.spec) if name in data.columns), OBSERVED_AT]
        if not {self.spec.entity, OBSERVED_AT} <= sound.keys():
            return []
        repeated = int(duplicate_keys(data, key).to_pyarrow().as_py())
        words, advice = "repeat a key", "keep one outcome a day of observation"
        check = Count("duplicate_keys", ", ".join(key), ibis.literal(repeated), words, advice).judge(repeated, rows)
        return [] if check.passed else [check]


def with_labels(features: ir.Table, labels: ir.Table, spec: TableSpec, as_of: dt.date | None) -> ir.Table:
    """Give rows the outcome that had been observed of them by a day.

    An outcome can't be observed before the row's day: an earlier one speaks of another row of the same entity. Where an
    outcome was revised, the newest observation counts.

    Args:
        features: A table of features; an outcome of its own is replaced.
        labels: The entity (and, under the name that the table of features has, the row's date), the outcome under the
            target's name, and ``observed_at``.
        spec: The table's description.
        as_of: The last day whose observations count; None: all do.

    Returns:
        The features, row for row, with the target; null where nothing had been observed.
    """
    own = next((name for name in _dates(spec) if name in features.columns), None)
    dated = own is not None and own in labels.columns
    observed = as_date(labels[OBSERVED_AT], spec.time_zone)
    known = labels.select(
        ev_entity=canonical_column(as_key(labels[spec.entity])),
        **({"ev_date": as_date(labels[own], spec.time_zone)} if dated else {}),
        ev_observed=observed,
        ev_outcome=labels[spec.target],
    )
    if as_of is not None:
        known = known.filter(known.ev_observed <= ibis.date(as_of))
    keys = ["ev_entity", *(["ev_date"] if dated else [])]
    newest = ibis.row_number().over(ibis.window(group_by=keys, order_by=ibis.desc(known.ev_observed)))
    known = known.mutate(ev_rank=newest).filter(lambda t: t.ev_rank == 0).drop("ev_rank")
    rows = features.drop(spec.target) if spec.target in features.columns else features
    named = rows.mutate(ev_entity=canonical_column(rows[spec.entity]), **({"ev_date": rows[own]} if dated else {}))
    found = look_up(named, known, keys)
    outcome = found.ev_outcome
    if own is not None:
        outcome = ibis.ifelse(found.ev_observed >= found[own], outcome, ibis.null(outcome.type()))
    return found.select(*rows.columns, **{spec.target: outcome})


def _dates(spec: TableSpec) -> list[str]:
    return [name for name in (spec.date, spec.snapshot_date) if name]
