"""``kedro models promote``, ``rollback``, ``reject`` and ``prune``: change which version serves, and what is kept."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from evergreen.commands.group import REASON, command, open_project
from evergreen.commands.judging import judgement_by_hand
from evergreen.commands.looking import side_by_side
from evergreen.commands.promoting import promote_by_experiment
from evergreen.commands.table import cell, print_json, print_rows
from evergreen.errors import EvergreenError

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext

    from evergreen.registry import AliasChange, VersionFacts

YES = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@command(
    "promote",
    "promote --use-case churn --version 2 --reason 'fewer complaints'",
    "promote --use-case churn --experiment winter",
)
@click.option("--version", default=None, help="The version that shall serve.")
@click.option(
    "--experiment", default=None, help="In its place: the experiment whose new variant shall, if the judge agrees."
)
@REASON
@YES
def promote_command(
    use_case: str, env: str | None, as_json: bool, version: str | None, experiment: str | None, reason: str, yes: bool
) -> None:
    """Make a version champion: by hand, with a reason for the audit, or by what an experiment found.

    By hand it is checked, the evidence is shown, and a terminal is asked first; a script is taken at its word. By an
    experiment that says ship, the judge decides on its requests as on any rows.
    """
    context = open_project(use_case, env)
    if (version is None) == (experiment is None):
        raise click.UsageError("name --version (with --reason) or --experiment, one of them.")
    if experiment is not None:
        _promote_by_experiment(context, use_case, experiment, as_json)
    else:
        _promote_by_hand(context, use_case, str(version), reason, as_json, yes)


def _promote_by_hand(context: KedroContext, use_case: str, version: str, reason: str, as_json: bool, yes: bool) -> None:
    from evergreen import registry
    from evergreen.renewal import renew

    registry.require_reason(use_case, reason, "promote")
    champion = registry.aliases_of(use_case).get(registry.CHAMPION)
    target = registry.check_version(use_case, version)
    judgement, sentence = judgement_by_hand(context, target.version, champion)
    if not as_json:
        click.echo(f"{side_by_side(_readable(use_case, [champion, version]))}\n{sentence}\n")
        if not yes and sys.stdin.isatty():
            click.confirm(f"{use_case}: make version {version} champion?", abort=True)
    change = registry.promote(target, champion, reason, judgement)
    renew(context.catalog, use_case)
    _tell_change(change, as_json)


def _promote_by_experiment(context: KedroContext, use_case: str, name: str, as_json: bool) -> None:
    from evergreen.renewal import renew

    outcome = promote_by_experiment(context, use_case, name)
    renew(context.catalog, use_case)
    if as_json:
        print_json(outcome.model_dump())
        return
    reasons = " ".join(outcome.decision.reasons) if outcome.decision else ""
    serves = f"champion {cell(outcome.champion_before)} → {cell(outcome.champion_after)}"
    click.echo(f"{use_case}: {outcome.outcome} by experiment {name}; {serves}. {reasons}")


@command("rollback", "rollback --use-case churn --reason 'complaints since Monday'")
@click.option("--version", default=None, help="The version to return to; default: the champion before this one.")
@REASON
def rollback_command(use_case: str, env: str | None, as_json: bool, version: str | None, reason: str) -> None:
    """Let an earlier version serve again, once its files, libraries, columns and predictions have been checked."""
    context = open_project(use_case, env)
    from evergreen import registry
    from evergreen.renewal import renew

    change = registry.rollback(use_case, reason, version)
    renew(context.catalog, use_case)
    _tell_change(change, as_json)


@command("reject", "reject --use-case churn --version 3 --reason 'trained on a faulty export'")
@click.option("--version", required=True, help="The challenger that shall not be judged any more.")
@REASON
def reject_command(use_case: str, env: str | None, as_json: bool, version: str, reason: str) -> None:
    """Drop a challenger that is left over: the alias goes, the champion stays, and the reason goes into the audit."""
    context = open_project(use_case, env)
    from evergreen import registry
    from evergreen.renewal import renew

    line = registry.reject(use_case, version, reason)
    renew(context.catalog, use_case)
    if as_json:
        print_json(line.model_dump())
    else:
        serving = f"version {line.from_version} goes on serving" if line.from_version else "there is no champion"
        click.echo(f"{use_case}: version {version} rejected by {line.who}; {serving}.")


@command("prune", "prune --use-case churn", "prune --use-case churn --samples --yes")
@click.option("--samples", is_flag=True, help="Also delete the stored row samples of versions without an alias.")
@click.option("--dry-run", is_flag=True, help="Only print what would go; the default.")
@click.option("--yes", "-y", is_flag=True, help="Delete it.")
def prune_command(use_case: str, env: str | None, as_json: bool, samples: bool, dry_run: bool, yes: bool) -> None:
    """Delete versions and predictions beyond their retention; never what an alias or a rollback needs."""
    context = open_project(use_case, env)
    from evergreen import registry
    from evergreen.modelling.parameters import ScoringParameters

    parameters = context.params[use_case]
    policy = registry.RetentionParameters.model_validate(parameters.get("retention", {}))
    predictions_days = ScoringParameters.model_validate(parameters["scoring"]).retention_days
    folder = getattr(context.catalog[f"{use_case}.predictions"], "folder", None)  # a warehouse forgets by itself
    only_look, now = dry_run or not yes, dt.datetime.now(dt.UTC)
    removals = [
        *registry.prune_versions(use_case, policy, now, samples, dry_run=only_look),
        *(registry.prune_predictions(folder, predictions_days, now.date(), dry_run=only_look) if folder else []),
        *registry.prune_copies(dry_run=only_look),
    ]
    if as_json or removals:
        print_rows([dataclasses.asdict(removal) for removal in removals], as_json)
    if not as_json:
        click.echo(_outcome(len(removals), only_look))


def _readable(use_case: str, versions: list[str | None]) -> list[VersionFacts]:
    """Facts of versions, without those that are missing or damaged: a damaged champion must be replaceable."""
    from evergreen import registry

    found = []
    for number in versions:
        with suppress(EvergreenError):
            found += registry.compare_versions(use_case, [number]) if number else []
    return found


def _outcome(count: int, only_look: bool) -> str:
    if not count:
        return "Nothing is beyond its retention."
    return "Nothing was deleted; --yes deletes these." if only_look else f"{count} deleted."


def _tell_change(change: AliasChange, as_json: bool) -> None:
    if as_json:
        print_json(change.model_dump())
    else:
        click.echo(
            f"{change.use_case}: champion {cell(change.from_version)} → {change.to_version} "
            f"({change.action} by {change.who}; checked: {change.evidence['checked']})"
        )
