"""Source tables → one table of features per use case."""

from __future__ import annotations

import ibis.expr.types as ir

from evergreen import registry
from evergreen.features import add_past, one_table_features, with_labels
from evergreen.features.by_key import NOTHING, KeyedFeatures, features_by_key
from evergreen.features.contracts import contract_for
from evergreen.features.days import Days
from evergreen.features.derived import with_derived
from evergreen.features.making import dated_in_parts, star_in_parts
from evergreen.features.outcomes import LabelsContract
from evergreen.features.star_contract import check_star, require_described, require_known_in_time
from evergreen.histories import Past
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.windows import parse_date
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema


def make_star_features(
    table: TableSpec,
    star: StarSchema,
    split: SplitParameters,
    incumbent: registry.ModelVersion | None,
    labels: ir.Table | None = None,
    as_of: str | None = None,
    **tables: ir.Table,
) -> ir.Table:
    """Point-in-time features of every row of the fact table, from its star schema."""
    named = {name.removeprefix("table_"): each for name, each in tables.items()}
    require_described(table, star, list(named), labelled_apart=labels is not None)
    require_known_in_time(table.target, star, split.label_delay_days)
    check_star(named, star)
    if labels is not None:
        LabelsContract(table).validate(labels)
    features = star_in_parts(named, star, table, labels, parse_date(as_of))
    registry.require_made(incumbent, table, features.columns)
    return features


def make_serving_features(
    features: ir.Table,  # noqa: ARG001 - made first: the tables' contracts hold
    table: TableSpec,
    star: StarSchema,
    as_of: str | None = None,
    **tables: ir.Table,
) -> KeyedFeatures:
    """Every key's features on the days to come, where the service is to answer by key."""
    if not star.by_key_days:
        return NOTHING
    named = {name.removeprefix("table_"): each for name, each in tables.items()}
    return features_by_key(named, star, table, star.by_key_days, parse_date(as_of))


def make_one_table_features(
    rows: ir.Table,
    table: TableSpec,
    split: SplitParameters,
    incumbent: registry.ModelVersion | None,
    labels: ir.Table | None = None,
    as_of: str | None = None,
) -> ir.Table:
    """Features of the rows to learn from, as parameters describe them and as the champion needs them."""
    apart, delay = labels is not None, split.label_delay_days
    rows = with_derived(rows, table, registry.trained_spec(incumbent))
    contract_for(table, labelled=not apart, table="customers", label_delay_days=delay).validate(rows)
    registry.warn_of_lost_columns(incumbent, rows.columns)
    wanted = registry.carried(table, incumbent, rows.columns)
    return _labelled(one_table_features(rows, wanted, outcome=not apart), table, labels, as_of)


def make_dated_features(
    rows: ir.Table,
    table: TableSpec,
    split: SplitParameters,
    past: Past,
    incumbent: registry.ModelVersion | None,
    labels: ir.Table | None = None,
    as_of: str | None = None,
) -> ir.Table:
    """Features of rows with dates: their own columns, and what was known of their keys before."""
    apart, delay = labels is not None, split.label_delay_days
    require_known_in_time(table.target, past, delay)
    own = table.without(past.past_columns)
    derived = with_derived(rows, own, registry.trained_spec(incumbent))
    contract_for(own, labelled=not apart, table="rows", label_delay_days=delay).validate(derived)
    if labels is not None:
        LabelsContract(table).validate(labels)
    known = add_past(derived, table, past).columns
    registry.warn_of_lost_columns(incumbent, known)
    wanted = registry.carried(table, incumbent, known)

    def features(span: Days) -> ir.Table:
        return one_table_features(add_past(derived, table, past, span=span), wanted, name="rows", outcome=not apart)

    return dated_in_parts(rows, features, table, past.look_back_days, labels, parse_date(as_of))


def make_current_features(
    rows: ir.Table,
    table: TableSpec,
    incumbent: registry.ModelVersion | None,
    labels: ir.Table | None = None,
    as_of: str | None = None,
) -> ir.Table:
    """Features of the newest snapshot, whose outcomes need not be known."""
    rows = with_derived(rows, table, registry.trained_spec(incumbent))
    contract_for(table, labelled=False, table="current").validate(rows)
    wanted = registry.carried(table, incumbent, rows.columns)
    return _labelled(one_table_features(rows, wanted, name="current", outcome=False), table, labels, as_of)


def _labelled(features: ir.Table, table: TableSpec, labels: ir.Table | None, as_of: str | None) -> ir.Table:
    """Features with the outcomes that arrived apart by the day that the run pretends is today."""
    if labels is None:
        return features
    LabelsContract(table).validate(labels)
    return with_labels(features, labels, table, parse_date(as_of))
