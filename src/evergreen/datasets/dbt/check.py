"""Whether dbt's artefacts say that the source tables can be relied on: there, complete, tested, fresh."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Mapping, Sequence

import ibis
import ibis.expr.datatypes as dtypes
from ibis.backends.sql.datatypes import SqlglotType, get_type_mapper
from sqlglot.errors import SqlglotError

from evergreen.datasets.dbt.artefacts import (
    CATALOG,
    RUN_RESULTS,
    SOURCES,
    Artefacts,
    CatalogTable,
    Freshness,
    Node,
    RunResult,
)
from evergreen.datasets.dbt.lookup import DbtParameters, find_table
from evergreen.errors import EvergreenError
from evergreen.features.checks import Column, schema_breaches
from evergreen.records import Check

logger = logging.getLogger("evergreen")
FINE = {"success", "pass", "warn", "no-op", "reused"}
JUDGED = {"pass", "warn", "fail", "error", "runtime error", "skipped"}
BUILDING = {"build", "run", "seed", "snapshot", "retry"}
DIALECTS = {"redshift": "postgres", "sqlserver": "mssql", "synapse": "mssql", "fabric": "mssql"}
LONGEST_MESSAGE = 200


def check_tables(
    artefacts: Artefacts, promises: Mapping[str, Sequence[Column]], parameters: DbtParameters, now: dt.datetime
) -> None:
    """Hold the contracts of source tables against what dbt says of them.

    A test or a source that only warns is logged as a warning; what can't be judged, because dbt has not written
    the file for it, as information.

    Args:
        artefacts: What lies in dbt's target folder.
        promises: Catalog entry of a source table → the columns that its contract asks for.
        parameters: Which table is which model.
        now: The present, with a time zone: what was fresh when dbt looked may be stale by now.

    Raises:
        EvergreenError: A headline and one sentence for each breach.
    """
    _say_what_is_not_checked(artefacts)
    names = {entry: parameters.model_of(entry) for entry in promises}
    ours = {entry: name for entry, name in names.items() if name is not None}
    sentences = [
        sentence
        for entry, name in ours.items()
        for sentence in _sentences(artefacts, entry, name, promises[entry], now)
    ]
    if sentences:
        listed = "\n".join(f"  - {sentence}" for sentence in sentences)
        raise EvergreenError(f"nothing was run, because of what dbt says in {artefacts.folder}:\n{listed}")
    logger.info("dbt: what %s says of %s was checked.", artefacts.folder, ", ".join(ours) or "no table")


def column_types(table: CatalogTable, adapter: str) -> dict[str, dtypes.DataType]:
    """Types of a warehouse's columns as Ibis has them; unknown where the warehouse's word for it is foreign.

    Args:
        table: The table in dbt's catalog.
        adapter: dbt's name of the warehouse, for instance ``bigquery``.
    """
    try:
        mapper = get_type_mapper(DIALECTS.get(adapter, adapter))
    except KeyError:
        return {column.name: dtypes.unknown for column in table.columns.values()}
    return {column.name: _type(mapper, column.type) for column in table.columns.values()}


def _type(mapper: type[SqlglotType], text: str) -> dtypes.DataType:
    try:
        return mapper.from_string(text)
    except SqlglotError:
        return dtypes.unknown


def _say_what_is_not_checked(artefacts: Artefacts) -> None:
    catalog, built = artefacts.catalog, artefacts.run_results
    if catalog is None:
        logger.info("dbt: no %s, so columns and types are not checked; `dbt docs generate` writes it.", CATALOG)
    elif built and built.command in BUILDING and catalog.generated_at < built.generated_at:
        logger.info("dbt: %s is older than the last build; `dbt docs generate --no-compile` renews it.", CATALOG)
    if artefacts.sources is None:
        logger.info("dbt: no %s, so freshness is not checked; `dbt source freshness` writes it.", SOURCES)


def _sentences(
    artefacts: Artefacts, entry: str, name: str, columns: Sequence[Column], now: dt.datetime
) -> Iterator[str]:
    try:
        node = find_table(artefacts.manifest, entry, name)
    except EvergreenError as error:
        yield str(error)
        return
    lineage = artefacts.manifest.with_ancestors(node.unique_id)
    found = [
        *_of_columns(artefacts, node, columns),
        *_of_results(artefacts, lineage),
        *_of_freshness(artefacts, lineage, now),
    ]
    yield from (breach.within(entry).sentence for breach in found)


def _of_columns(artefacts: Artefacts, node: Node, columns: Sequence[Column]) -> list[Check]:
    if artefacts.catalog is None:
        return []
    table = artefacts.catalog.table(node.unique_id)
    if table is None:
        found = f"{node.label} is in the manifest, but not in {CATALOG}"
        advice = "run `dbt build` and then `dbt docs generate --no-compile`"
        return [_failed("dbt_table", found, "a table or view in the warehouse", advice)]
    types = column_types(table, artefacts.manifest.adapter_type or "")
    unread = [column.name for column in columns if types.get(column.name, dtypes.null).is_unknown()]
    if unread:
        logger.info("dbt: the types of %s are foreign and not checked: %s.", node.label, ", ".join(unread))
    return schema_breaches(ibis.table(types), [column for column in columns if column.name not in unread])


def _of_results(artefacts: Artefacts, lineage: Mapping[str, Node]) -> list[Check]:
    """Tests and models on the way to a table that ended badly; skipped ones only where nothing else did."""
    tests = {test.unique_id: test for test in artefacts.manifest.tests_of(lineage)}
    nodes = {**lineage, **tests}
    results = [result for result in artefacts.results() if result.unique_id in nodes]
    if tests and not any(result.unique_id in tests and result.status in JUDGED for result in results):
        return [_without_results(artefacts, len(tests))]
    for result in results:
        if result.status == "warn":
            logger.warning("dbt: %s: %s", nodes[result.unique_id].label, _outcome(result))
    bad = [result for result in results if result.status not in FINE]
    reported = [result for result in bad if result.status != "skipped"] or bad
    return [_unwell(nodes[result.unique_id], result) for result in reported]


def _unwell(node: Node, result: RunResult) -> Check:
    if node.is_test:
        advice = "repair the rows or the test, then run `dbt build`"
        return _failed("dbt_test", f"{node.label} ended with {_outcome(result)}", "pass", advice)
    found = f"{node.label} ended with {_outcome(result)}"
    return _failed("dbt_build", found, "success", "repair what stopped it, then run `dbt build`")


def _without_results(artefacts: Artefacts, tests: int) -> Check:
    results = artefacts.run_results
    of = f"which `dbt {results.command}` wrote" if results else "which is missing"
    advice = "run `dbt build`, and `dbt docs generate` only with --no-compile after it"
    return _failed("dbt_tests", f"none of its {tests} tests has a result in {RUN_RESULTS}, {of}", "results", advice)


def _of_freshness(artefacts: Artefacts, lineage: Mapping[str, Node], now: dt.datetime) -> list[Check]:
    looks = [look for look in (artefacts.sources.results if artefacts.sources else ()) if look.unique_id in lineage]
    breaches = []
    for look in looks:
        source = lineage[look.unique_id].label
        stale = _staleness(look, now)
        if stale:
            advice = "load it, then run `dbt source freshness`"
            breaches.append(_failed("dbt_freshness", f"source {source} {stale}", _limit(look), advice))
        elif look.status == "warn":
            logger.warning("dbt: source %s grows old: it %s", source, _loaded(look))
    return breaches


def _failed(name: str, found: str, allowed: str, what_to_do: str) -> Check:
    return Check(name=name, passed=False, found=found, allowed=allowed, what_to_do=what_to_do)


def _staleness(look: Freshness, now: dt.datetime) -> str | None:
    if look.status == "runtime error":
        return f"could not be looked at ({_short(look.error or 'no reason given')})"
    if look.status == "error":
        return _loaded(look)
    age = look.error_after.age if look.error_after else None
    if age and look.max_loaded_at and now - look.max_loaded_at > age:
        return f"{_loaded(look)} when dbt looked, which was fresh then and is not any more"
    return None


def _loaded(look: Freshness) -> str:
    return f"was loaded last on {look.max_loaded_at:%Y-%m-%d at %H:%M} UTC" if look.max_loaded_at else "has no rows"


def _limit(look: Freshness) -> str:
    return look.error_after.label if look.error_after else "a fresh one"


def _outcome(result: RunResult) -> str:
    return f"{result.status} ({_short(result.message)})" if result.message else result.status


def _short(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]}…"
