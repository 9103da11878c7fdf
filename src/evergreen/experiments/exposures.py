"""Who met which variant, and what came of it? One table for every source, with what makes it invalid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.experiments.parameters import OF_THE_VERSION, ExperimentPolicy
from evergreen.rows.labels import LabelDefinition
from evergreen.wording import counted, listed

CHAMPION, CHALLENGER, SHADOW = "champion", "challenger", "shadow"
SHADOW_SUFFIX = f"-{SHADOW}"
TRAFFIC_DAYS = 28
SIDES = ("a_", "b_")
"""Columns of a paired table begin with the side that they are of, ``a_`` for the control."""


@dataclass(frozen=True)
class Exposures:
    """The rows of an experiment.

    Attributes:
        table: A split: a row an exposure, with ``unit``, ``variant``, ``day``, ``known_on`` (when its outcome came),
            ``label`` (0/1 or null) and the source's columns. Paired: a row a request, the versions' own columns under
            ``a_…`` and ``b_…``.
        units: Units (paired: requests) of each variant, by name, of other variants, too.
        begun: Day of the first row; None where there is none.
        as_of: The last day that is looked at.
        seen: VariantPolicy → the versions that answered, where the rows say so.
        faults: Why nothing may be concluded from them, a sentence each.
    """

    table: ir.Table
    units: dict[str, int]
    begun: dt.date | None
    as_of: dt.date
    seen: dict[str, tuple[str, ...]]
    faults: tuple[str, ...]

    @property
    def days(self) -> int:
        """Days so far, the first and the last included."""
        return 0 if self.begun is None else (self.as_of - self.begun).days + 1


def read_exposures(
    source: ir.Table,
    experiment: ExperimentPolicy,
    label: LabelDefinition | None = None,
    as_of: dt.date | None = None,
    versions: Mapping[str, str] | None = None,
) -> Exposures:
    """The experiment's rows of the service's predictions, or of any table of exposures.

    Args:
        source: ``variant``, ``entity_id`` or ``request_id`` and ``timestamp`` or ``date`` are needed; ``label``,
            ``observed_at``, ``model_version``, the versions' own columns and features as they are there. The service's
            names of variants mean the experiment's.
        experiment: Its definition.
        label: How an outcome becomes 0/1; None: it is 0/1.
        as_of: The last day to look at; None: the newest.
        versions: VariantPolicy → the version that it should have met; None: whichever it met.

    Raises:
        EvergreenError: Where a column is missing or a label isn't 0/1.
    """
    table = _with_outcome(_named(source, experiment), label)
    last = as_of or _newest(table)
    table = _within(table.filter((table["day"] <= ibis.date(last)) | table["day"].isnull()), experiment)
    seen = _seen(table, experiment)
    faults = [*_faults(table), *_version_faults(seen, versions or {})]
    known = table["known_on"] <= ibis.date(last)
    table = table.filter(table["day"].notnull()).mutate(label=known.ifelse(table["label"], ibis.null("int8")))
    if experiment.paired:
        table = _paired(table, experiment)
        pairs = int(table.count().execute())
        units = dict.fromkeys(experiment.variants, pairs)
    else:
        units, crossed = _units(table, experiment)
        if crossed:
            faults.append(f"{counted(crossed, 'unit')} met both variants, which must never happen")
    begun = table["day"].min().execute()
    return Exposures(table, units, None if pd.isna(begun) else pd.Timestamp(begun).date(), last, seen, tuple(faults))


def present_traffic(source: ir.Table, days: int = TRAFFIC_DAYS) -> tuple[float | None, float | None]:
    """Requests and entities a day over the newest days; None where nothing is counted by entity, or at all.

    Args:
        source: Exposures, as above.
        days: How many days to look back.
    """
    moment = source["timestamp" if "timestamp" in source.columns else "date"].cast("timestamp")
    rows = source.mutate(day=moment.date())
    rows = rows.filter(rows["day"].notnull())
    if "variant" in rows.columns:
        rows = rows.filter(rows["variant"] != SHADOW)
    newest = rows["day"].max().execute()
    if pd.isna(newest):
        return None, None
    first = pd.Timestamp(newest).date() - dt.timedelta(days=days - 1)
    rows = rows.filter(rows["day"] >= ibis.date(first))
    entities = rows["entity_id"].nunique() if "entity_id" in rows.columns else rows.count()
    found = rows.aggregate(n=rows.count(), entities=entities, days=rows["day"].nunique()).execute().iloc[0]
    return float(found["n"] / found["days"]), float(found["entities"] / found["days"]) or None


def empty_exposures(experiment: ExperimentPolicy, as_of: dt.date) -> Exposures:
    """No row yet."""
    kinds = {"unit": "string", "variant": "string", "day": "date", "known_on": "date", "label": "int8"}
    kinds |= {f"{side}{name}": "float64" for side in ("", *SIDES) for name in OF_THE_VERSION}
    table = ibis.memtable([], schema=ibis.schema(kinds))
    return Exposures(table, dict.fromkeys(experiment.variants, 0), None, as_of, {}, ())


def _named(source: ir.Table, experiment: ExperimentPolicy) -> ir.Table:
    """The source with ``unit``, ``variant``, ``moment`` and ``day`` as the analysis names them."""
    columns = source.columns
    keys = [name for name in ("entity_id", "request_id") if name in columns]
    moments = [name for name in ("timestamp", "date") if name in columns]
    wanted = keys[:1] if experiment.unit == "entity" else [name for name in keys if name == "request_id"]
    if "variant" not in columns or not wanted or not moments or (experiment.paired and "request_id" not in columns):
        raise EvergreenError(
            f"experiment {experiment.name}: the exposures have {listed(list(columns), 20)}; variant, timestamp or "
            f"date, and {'request_id' if experiment.paired else 'entity_id or request_id'} are needed"
        )
    unit = ibis.coalesce(*(source[name].cast("string") for name in (keys if wanted == keys[:1] else wanted)))
    first, second = experiment.variants
    meant = {CHAMPION: first, (SHADOW if experiment.mode == "shadow" else CHALLENGER): second, first: first}
    named = source["variant"].cast("string")
    moment = source[moments[0]].cast("timestamp")
    told = source["observed_at"].cast("timestamp") if "observed_at" in columns else ibis.null("timestamp")
    found = {
        "unit": unit,
        "variant": named.cases(*({**meant, second: second}).items(), else_=named),
        "moment": moment,
        "day": moment.date(),
        "known_on": ibis.greatest(moment.date(), ibis.coalesce(told.date(), moment.date())),
        "observed_on": told.date(),
    }
    if "probability" in columns:
        found["confidence"] = ibis.greatest(source["probability"], 1 - source["probability"])
    table = source.mutate(**found)
    if experiment.mode == "split":  # what a shadow scored beside it answered nobody
        return table.filter(table["variant"] != SHADOW)
    return table.filter(table["variant"].isin([first, second]))


def _with_outcome(table: ir.Table, definition: LabelDefinition | None) -> ir.Table:
    if "label" not in table.columns:
        return table.mutate(label=ibis.null("int8"))
    label = table["label"]
    if definition is not None and definition.kind == "above":
        return table.mutate(label=(label.cast("float64") > float(definition.threshold or 0)).cast("int8"))
    known = table.filter(label.notnull()).select("label").distinct().limit(1000).execute()["label"]
    if not len(known):
        return table.mutate(label=ibis.null("int8"))
    if definition is not None:
        positive = known[definition.apply(known) == 1].tolist()
    else:
        strange = [value for value in known.tolist() if value not in (0, 1)]
        if strange:
            raise EvergreenError(f"the exposures' label is {strange[0]!r} somewhere: 0, 1 or null is needed")
        positive = [value for value in known.tolist() if value == 1]
    is_positive = label.isin(positive) if positive else ibis.literal(False)
    return table.mutate(label=ibis.ifelse(label.notnull(), is_positive.cast("int8"), ibis.null("int8")))


def _newest(table: ir.Table) -> dt.date:
    found = table["day"].max().execute()
    if pd.isna(found):
        raise EvergreenError("the exposures have no row with a moment: at least one is needed")
    return pd.Timestamp(found).date()


def _within(table: ir.Table, experiment: ExperimentPolicy) -> ir.Table:
    """Rows between start and end; without a start a split begins with the second variant's first answer."""
    start = experiment.start
    if start is None and experiment.mode != "replay":
        first = table.filter(table["variant"] == experiment.treatment)["moment"].min().execute()
        start = None if pd.isna(first) else pd.Timestamp(first).to_pydatetime()
    if start is not None:
        table = table.filter(table["moment"].isnull() | (table["moment"] >= ibis.timestamp(start)))
    if experiment.end is not None:
        table = table.filter(table["moment"].isnull() | (table["moment"] <= ibis.timestamp(experiment.end)))
    return table


def _faults(table: ir.Table) -> list[str]:
    missing = {f"no_{name}": table[name].isnull().sum().coalesce(0) for name in ("unit", "day")}
    found = table.aggregate(**missing, early=(table["observed_on"] < table["day"]).sum().coalesce(0)).execute().iloc[0]
    said = []
    if found["no_day"] > 0:
        said.append(f"{counted(int(found['no_day']), 'exposure')} without a moment")
    if found["no_unit"] > 0:
        said.append(f"{counted(int(found['no_unit']), 'exposure')} without a unit")
    if found["early"] > 0:
        said.append(
            f"{counted(int(found['early']), 'outcome')} observed on a day before the exposure: clocks are out of order"
        )
    return said


def _seen(table: ir.Table, experiment: ExperimentPolicy) -> dict[str, tuple[str, ...]]:
    if "model_version" not in table.columns:
        return {}
    found = table.select("variant", "model_version").distinct().execute().dropna()
    return {
        name: tuple(sorted(found.loc[found["variant"] == name, "model_version"].astype(str)))
        for name in experiment.variants
    }


def _version_faults(seen: Mapping[str, tuple[str, ...]], versions: Mapping[str, str]) -> list[str]:
    """Variants that were answered by several versions, or by another than they should have been."""
    said = []
    for name, answered in seen.items():
        if len(answered) > 1:
            said.append(f"variant {name} was answered by versions {', '.join(answered)}: an experiment has one a side")
        elif answered and name in versions and answered != (versions[name],):
            said.append(f"variant {name} was answered by version {answered[0]}, not by {versions[name]}")
    return said


def _units(table: ir.Table, experiment: ExperimentPolicy) -> tuple[dict[str, int], int]:
    """Units of each variant, and how many met both."""
    if experiment.unit == "request":
        counts = table.group_by("variant").agg(n=table.count()).execute()
        return dict.fromkeys(experiment.variants, 0) | _as_counts(counts, "variant"), 0
    by_unit = table.group_by("unit").agg(low=table["variant"].min(), high=table["variant"].max())
    counts = by_unit.group_by("low", "high").agg(n=by_unit.count()).execute()
    both = counts[counts["low"] != counts["high"]]
    own = counts[counts["low"] == counts["high"]]
    return dict.fromkeys(experiment.variants, 0) | _as_counts(own, "low"), int(both["n"].sum())


def _as_counts(frame: pd.DataFrame, name: str) -> dict[str, int]:
    return dict(zip(frame[name].astype(str), map(int, frame["n"]), strict=True))


def _paired(table: ir.Table, experiment: ExperimentPolicy) -> ir.Table:
    """Requests that both versions scored, one row each."""
    own = [name for name in (*OF_THE_VERSION, "model_version") if name in table.columns]
    key = table["request_id"].cast("string").re_replace(f"{SHADOW_SUFFIX}$", "")
    table = table.mutate(request=key)
    first, second = (table.filter(table["variant"] == name) for name in experiment.variants)
    left = first.rename({f"a_{name}": name for name in own})
    right = second.select("request", **{f"b_{name}": second[name] for name in own})
    return left.inner_join(right, "request")
