"""Which source tables a run reads, whether they are those of its models, and whether dbt keeps their promises."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol, DataCatalog
from kedro.pipeline import Pipeline
from kedro.validation.core import resolve_validator
from pydantic import ValidationError

from evergreen.context import use_cases
from evergreen.datasets.dbt import Artefacts, DbtParameters, check_tables, read_artefacts
from evergreen.errors import EvergreenError
from evergreen.features.checks import Column
from evergreen.features.contracts import Contract, contract_for
from evergreen.features.derived import DERIVED
from evergreen.features.outcomes import LabelsContract
from evergreen.features.star_contract import star_contracts
from evergreen.histories import Past
from evergreen.modelling.parameters import TrainingParameters
from evergreen.rows.parameters import LabelPolicy
from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema
from evergreen.use_cases import use_case_of


def source_entries(pipeline: Pipeline) -> list[str]:
    """The source tables among what a pipeline reads: those that features are made from.

    Feature engineering also reads parameters and, from the registry, the version that serves; neither is a table.
    """
    read = pipelines["feature_engineering"].inputs() & pipeline.inputs()
    return sorted(name for name in read if not name.startswith("params:") and not name.endswith(".incumbent"))


def promised_columns(entry: str, catalog: DataCatalog) -> list[Column]:
    """The columns that a source table's contracts ask for: its catalog entry's, and its use case's description."""
    contracts = []
    spec = catalog.validator_specs.get(entry)
    validator = resolve_validator(spec) if spec else None
    if isinstance(validator, Contract):
        contracts.append(validator)
    contracts += source_contracts(entry, lambda name: catalog.load(f"params:{name}"))
    return list({column.name: column for contract in contracts for column in contract.columns}.values())


def source_contracts(entry: str, parameter: Callable[[str], Any]) -> list[Contract]:
    """What a use case's description asks of one of its source tables.

    Args:
        entry: The table's catalog entry.
        parameter: Gives a parameter by its name.
    """
    name, _, table = entry.partition(".")
    use_case, spec = use_cases()[name], TableSpec.model_validate(parameter(f"{name}.table"))
    if table == "labels" and use_case.labels:
        return [LabelsContract(spec)]
    if use_case.source == "star_schema":
        star = StarSchema.model_validate(parameter(f"{name}.features"))
        return [contract for contract in star_contracts(star) if contract.table == table]
    if use_case.source == "dated_table":
        spec = spec.without(Past.model_validate(parameter(f"{name}.features")).past_columns)
    return [contract_for(spec.without(DERIVED), labelled=table != "current" and not use_case.labels, table=table)]


def check_dbt(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Check the source tables that a pipeline reads against dbt's artefacts, where ``dbt_target`` is set.

    Raises:
        EvergreenError: Where dbt's artefacts break a contract or can't be read; nothing has run by then.
    """
    target = catalog.load("params:dbt_target")
    entries = source_entries(pipeline)
    if target is None or not entries:
        return
    assert isinstance(catalog, DataCatalog)  # the project configures no other
    promises = {entry: promised_columns(entry, catalog) for entry in entries}
    parameters = dbt_parameters(catalog.load("params:dbt"))
    check_tables(artefacts_in(target), promises, parameters, dt.datetime.now(dt.UTC))


def edits(pipeline: Pipeline, catalog: CatalogProtocol) -> list[str]:
    """What was edited in the use cases of a run since their champions were trained, a sentence each.

    Raises:
        EvergreenError: Where the registry holds a model of another table under a use case's name.
    """
    from evergreen.registry import edit_of

    spaces = sorted({use_case_of(node.namespace) for node in pipeline.nodes} & use_cases().keys())
    found = [(name, edit_of(name, *_declared(name, catalog))) for name in spaces]
    return [sentence for name, edit in found if edit and (sentence := edit.sentence(name))]


def same_tables(pipeline: Pipeline, catalog: CatalogProtocol) -> list[str]:
    """Use cases of a run whose newest snapshot is the very table that they learn from, a sentence each."""
    read, found = pipeline.inputs(), []
    for name in sorted(name for name in use_cases() if {f"{name}.customers", f"{name}.current"} <= read):
        ours, newest = (catalog.get(f"{name}.{table}") for table in ("customers", "current"))
        if str(ours) == str(newest):
            dated = TableSpec.model_validate(catalog.load(f"params:{name}.table")).date
            what_to_do = (
                f"its rows have dates, so name it once, as {name}.rows, with {{source: dated_table}} in use_cases.yml"
                if dated
                else f"name a newer snapshot in the catalog entry {name}.current, once there is one"
            )
            found.append(
                f"{name}: current is the table that it learns from, so monitoring can find nothing new in it; "
                f"{what_to_do}."
            )
    return found


def _declared(use_case: str, catalog: CatalogProtocol) -> tuple[TableSpec, LabelPolicy]:
    """A use case's table and label; Kedro types only the parameters of the pipelines that it was asked for."""
    table, training = (catalog.load(f"params:{use_case}.{block}") for block in ("table", "training"))
    return TableSpec.model_validate(table), TrainingParameters.model_validate(training).label


def artefacts_in(target: str) -> Artefacts:
    """The artefacts of dbt in the folder that the user named, seen from where the command was started."""
    return read_artefacts(Path(target).expanduser().resolve())


def dbt_parameters(block: Any) -> DbtParameters:
    """The block ``dbt`` of the parameters.

    Raises:
        EvergreenError: Where it names something that does not exist.
    """
    try:
        return DbtParameters.model_validate(block)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise EvergreenError(f"The parameters under dbt can't be read: {faults}; they are models and owner.") from error
