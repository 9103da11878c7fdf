"""``kedro use-case add`` and ``kedro use-case check``."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import pandas as pd
import yaml
from kedro.framework.project import settings

from evergreen.commands.lazy import CONTEXT_SETTINGS, example
from evergreen.commands.project import open_here
from evergreen.commands.use_case.facts import TableFacts, table_facts
from evergreen.commands.use_case.folder import written
from evergreen.commands.use_case.opening import opened
from evergreen.commands.use_case.proposal import Asked, Proposal, propose
from evergreen.errors import EvergreenError
from evergreen.invocation import Invocation, command, remember
from evergreen.modelling.parameters import LeakagePolicy
from evergreen.rows.labelled import LEAST_OF_A_CLASS
from evergreen.rows.labels import fit_label_definition
from evergreen.rows.parameters import LabelPolicy
from evergreen.schema import TableSpec
from evergreen.use_cases import read_use_cases

if TYPE_CHECKING:
    from evergreen.modelling.leakage import LeakageFinding


@click.command(
    context_settings=CONTEXT_SETTINGS,
    epilog=example(
        "kedro use-case add fraud --table fraud.parquet --target is_fraud",
        "kedro use-case add fraud --table fraud.csv --target status --positive fraud --dry-run",
    ),
)
@click.argument("name")
@click.option(
    "--table", "file", required=True, type=click.Path(path_type=Path), help="A CSV or parquet file, or a folder."
)
@click.option("--target", required=True, help="Column with the outcome.")
@click.option("--entity", default=None, help="Column that tells rows apart; default: one that differs in every row.")
@click.option(
    "--positive", default=None, help="Outcome that counts as 1; default: yes, true, 1, else the rarer of two."
)
@click.option("--date", default=None, help="Column with a row's date, or none; default: the only date without nulls.")
@click.option(
    "--known-in-time", multiple=True, help="Feature that tells the outcome and is known before it all the same."
)
@click.option(
    "--load-args", default=None, help="How text is read, as in a catalog entry: '{encoding: cp1252, delim: \";\"}'."
)
@click.option("--env", "-e", default=None, help="Environment to write into; default: a new one of the use case's name.")
@click.option("--conf-source", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None)
@click.option("--dry-run", is_flag=True, help="Print the files instead of writing them.")
def add(
    name: str, file: Path, env: str | None, conf_source: Path | None, dry_run: bool, known_in_time: tuple[str, ...],
    load_args: str | None, **asked: str | None,
) -> None:  # fmt: skip
    """Look at a table and describe it as a use case of its own: a folder of YAML, and the command that runs it."""
    project = open_here()
    conf, chosen = conf_source or project / settings.CONF_SOURCE, env or name
    read_use_cases({name: {"source": "one_table"}})
    folder = conf / chosen / name
    if folder.exists():
        raise EvergreenError(
            f"{_short(folder)} exists: edit its files, or delete the folder to have them written anew."
        )
    with opened(file.expanduser().resolve(), _options(load_args)) as table:
        wishes = Asked(**asked, known_in_time=known_in_time)  # type: ignore[arg-type]
        facts = table_facts(table, wishes.target)
        proposal, warnings = _without_leaks(propose(facts, table, wishes), facts, known_in_time)
    others = [] if (conf / chosen).exists() else _listed(conf)
    texts = written(name, facts, proposal, list(known_in_time), others)
    _say(facts, proposal, warnings)
    if dry_run:
        click.echo("\n".join(f"\n# {_short(folder / each)}\n{text}" for each, text in texts.items()))
        return
    _write(folder, texts)
    remember(Invocation(env=chosen, conf_source=str(conf_source) if conf_source else None))
    click.echo(f"\nWritten to {_short(folder)}. Run it: {command('kedro run', None if others else name)}")


@click.command(
    context_settings=CONTEXT_SETTINGS, epilog=example("kedro use-case check --env=fraud", "kedro use-case check churn")
)
@click.argument("name", required=False)
@click.option("--env", "-e", default=None, help="Kedro environment; default: base with local on top.")
@click.option("--conf-source", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None)
def check(name: str | None, env: str | None, conf_source: Path | None) -> None:
    """Say what a use case, or each of an environment's, still lacks: parameters, tables, columns."""
    from evergreen.commands.use_case.check import missing

    project = open_here()
    found = missing(project, conf_source or project / settings.CONF_SOURCE, env, name)
    for each, faults in found.items():
        click.echo(f"{each}: {'nothing is missing' if not faults else f'{len(faults)} to correct'}")
    faults = [fault for faults in found.values() for fault in faults]
    if faults:
        raise EvergreenError("\n".join(faults))


def _options(text: str | None) -> dict[str, Any]:
    """Options of reading, as YAML has them.

    Raises:
        EvergreenError: Where the text is no mapping.
    """
    try:
        found = yaml.safe_load(text or "{}")
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict):
        raise EvergreenError(f"--load-args is {text!r}: write it as a mapping, for instance '{{encoding: cp1252}}'.")
    return found


def _without_leaks(proposal: Proposal, facts: TableFacts, allowed: tuple[str, ...]) -> tuple[Proposal, list[str]]:
    """Leave out each feature that tells the outcome by itself; pairs that do are the user's to decide on."""
    findings = _leaks(proposal, facts, allowed)
    alone = {finding.columns[0]: finding for finding in findings if len(finding.columns) == 1}
    for column, finding in alone.items():
        proposal = proposal.without([column], f"it tells the outcome at ROC AUC {finding.roc_auc:.3f}")
    pairs = [finding for finding in findings if len(finding.columns) == 2]
    if not pairs:
        return proposal, []
    named = sorted({column for finding in pairs for column in finding.columns})
    options = " ".join(
        f"--known-in-time={column!r}" if " " in column else f"--known-in-time={column}" for column in named
    )
    return proposal, [
        f"{'; '.join(map(str, pairs))}. Training will stop at this: take out what is known only with the outcome, or "
        f"say that these are known before it: {options}"
    ]


def _leaks(proposal: Proposal, facts: TableFacts, allowed: tuple[str, ...]) -> list[LeakageFinding]:
    """What training's own guard finds on a sample of the table."""
    from evergreen.modelling.leakage import measured_leaks

    spec = TableSpec(
        entity=proposal.entity, target=proposal.target, positive=proposal.positive,
        numeric=proposal.numeric, categorical=proposal.categorical,
    )  # fmt: skip
    rows = facts.sample[facts.sample[proposal.target].notna()].reset_index(drop=True)
    label = fit_label_definition(rows[proposal.target], spec, LabelPolicy())
    y = label.apply(rows[proposal.target])
    if min(np.bincount(y, minlength=2)) < LEAST_OF_A_CLASS:
        return []
    return measured_leaks(_features(rows, spec), y, spec, LeakagePolicy(allow=list(allowed)))


def _features(rows: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """The features as the feature table types them."""
    numbers = {name: pd.to_numeric(rows[name], errors="coerce").astype("float64") for name in spec.numeric}
    texts = {name: rows[name].astype("str").where(rows[name].notna(), None) for name in spec.categorical}
    return pd.DataFrame({**numbers, **texts})


def _listed(conf: Path) -> list[str]:
    """Use cases of base, which an environment of its own leaves out."""
    loader = settings.CONFIG_LOADER_CLASS(str(conf), env="base", **settings.CONFIG_LOADER_ARGS)
    return [name for name, entry in loader["use_cases"].items() if entry is not None]


def _say(facts: TableFacts, proposal: Proposal, warnings: list[str]) -> None:
    click.echo(f"{facts.file.name}: {facts.rows:,} rows, {len(facts.columns)} columns")
    for line in proposal.decisions:
        click.echo(f"  {line}")
    click.echo(f"  features: {len(proposal.numeric)} numeric, {len(proposal.categorical)} categorical")
    for column, reason in proposal.left_out.items():
        click.echo(f"  left out: {column}, {reason}")
    for warning in warnings:
        click.echo(f"  attention: {warning}", err=True)


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Write all files under a temporary name, then move: a folder is whole or absent."""
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for name, text in texts.items():
        (unfinished / name).write_text(text)
    unfinished.rename(folder)


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
