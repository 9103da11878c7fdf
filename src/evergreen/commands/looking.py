"""``kedro models list``, ``runs``, ``history`` and ``compare``: what was registered, tried and decided."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from evergreen.commands.group import command, open_project
from evergreen.commands.table import cell, print_json, print_rows, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.framework.context import KedroContext

    from evergreen.evaluation.metrics import Metric
    from evergreen.registry import AliasChange, VersionFacts
    from evergreen.rows.splits import Bounds

SHORT_RUN = 8


ANY_USE_CASE = click.option("--use-case", default=None, help="Name of the use case, for instance churn; default: all.")


@command("list", "list", "list --use-case churn --json", use_case=ANY_USE_CASE)
def list_command(use_case: str | None, env: str | None, as_json: bool) -> None:
    """All versions, newest first: aliases, algorithm, test AUC, created, status, side in a running experiment."""
    context = open_project(use_case, env)
    if use_case is not None:
        rows = _versions(context, use_case)
    else:
        rows = [{"use_case": name, **row} for name in _listed() for row in _versions(context, name)]
    if not as_json and not any(row["experiment"] for row in rows):
        rows = [{name: value for name, value in row.items() if name != "experiment"} for row in rows]
    print_rows(rows, as_json)


def _listed() -> list[str]:
    from evergreen.context import use_cases

    return list(use_cases())


def _versions(context: KedroContext, use_case: str) -> list[dict[str, Any]]:
    from evergreen import registry

    sides = _experiment_sides(context, use_case, registry.aliases_of(use_case))
    return [
        {**dataclasses.asdict(row), "experiment": sides.get(row.version)} for row in registry.list_versions(use_case)
    ]


def _experiment_sides(context: KedroContext, use_case: str, pointing: Mapping[str, str]) -> dict[str, str]:
    """Version → its side in the running experiment."""
    from evergreen.experiments.parameters import ExperimentParameters

    running = ExperimentParameters.model_validate(context.params[use_case].get("experiments", {})).running
    if running is None:
        return {}
    named = {name: pointing.get(one.version, one.version) for name, one in running.variants.items()}
    return {version: f"{running.name} ({running.mode}): {name}" for name, version in named.items()}


@command("runs", "runs --use-case churn --limit 5")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many runs.")
def runs_command(use_case: str, env: str | None, as_json: bool, limit: int) -> None:
    """Every algorithm that was trained, newest first: metrics, status, time, and the version it became."""
    open_project(use_case, env)
    from evergreen import registry

    found: list[dict[str, Any]] = registry.runs(use_case, limit).to_dict("records")  # type: ignore[assignment]
    print_rows(found if as_json else [_run(row) for row in found], as_json)


@command("history", "history --use-case churn", "history --use-case churn --at 2026-02-01   # who was champion then")
@click.option("--at", default=None, help="Tell who was champion then: a time, or a date (its end); UTC unless it says.")
def history_command(use_case: str, env: str | None, as_json: bool, at: str | None) -> None:
    """Every change of the champion, look and rejection, oldest first; or who was champion at a time."""
    moment = None if at is None else _moment(at)
    open_project(use_case, env)
    from evergreen import registry

    if moment is not None:
        _tell_champion_at(use_case, moment, registry.champion_at(use_case, moment), as_json)
        return
    lines = registry.history(use_case)
    print_rows([line.model_dump() if as_json else _change(line) for line in lines], as_json)
    recorded = next((line.to_version for line in reversed(lines) if line.moves and line.state == "done"), None)
    serving = registry.aliases_of(use_case).get(registry.CHAMPION)
    if recorded != serving:
        click.echo(f"The champion is version {cell(serving)}: the alias was moved by something else.", err=True)


@command("compare", "compare --use-case churn --version 1 --version 2")
@click.option("--version", "versions", multiple=True, help="Repeat per version; default: champion and newest other.")
def compare_command(use_case: str, env: str | None, as_json: bool, versions: tuple[str, ...]) -> None:
    """Versions side by side: data, metrics with intervals, threshold, features, lineage."""
    open_project(use_case, env)
    from evergreen import registry

    facts = registry.compare_versions(use_case, list(versions))
    if as_json:
        print_json({"use_case": use_case, "versions": [one.model_dump() for one in facts], **_equal(facts)})
    else:
        click.echo(side_by_side(facts))


def side_by_side(facts: list[VersionFacts]) -> str:
    """A table with one column a version and one row a fact, and what the figures rest on below."""
    columns = {f"version {one.version}": _facts(one) for one in facts}
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    rows = [{"": name, **{head: column.get(name) for head, column in columns.items()}} for name in names]
    return "\n".join([table(rows), *(_notes(**_equal(facts)) if len(facts) > 1 else [])])


def _notes(fingerprint_equal: bool, training_rows_equal: bool, test_window_equal: bool) -> list[str]:
    if fingerprint_equal:
        trained = "They were trained on the same rows with the same parameters."
    elif training_rows_equal:
        trained = "They were trained on the same rows with other parameters."
    else:
        trained = "They were trained on other rows."
    tested = "Their test windows differ: only a promotion decision compares versions on the same rows."
    return [trained] if test_window_equal else [trained, tested]


def _equal(facts: list[VersionFacts]) -> dict[str, bool]:
    return {
        "fingerprint_equal": len({one.fingerprint for one in facts}) == 1,
        "training_rows_equal": len({one.content_digest for one in facts}) == 1,
        "test_window_equal": len({(one.as_of, one.bounds.train_end, one.bounds.test_end) for one in facts}) == 1,
    }


def _facts(one: VersionFacts) -> dict[str, Any]:
    train, test = _windows(one.bounds)
    return {
        "aliases": one.aliases,
        "status": one.status,
        "decision": one.decision,
        "algorithm": one.algorithm,
        "as of": one.as_of,
        "created": one.created,
        "training rows": f"{one.training_rows:,}",
        "training window": train,
        "test window": test,
        "CV roc_auc": one.cv_roc_auc_mean,
        **{f"test {name}": _interval(metric) for name, metric in one.test_metrics.items()},
        "threshold": one.threshold,
        "top features": one.top_features,
        "parent": one.parent_version,
        "fingerprint": one.fingerprint[:12],
    }


def _windows(bounds: Bounds) -> tuple[str, str]:
    if bounds.train_end is None or bounds.test_end is None:
        return "no dates", "no dates"
    test_start = bounds.train_end + dt.timedelta(days=1)
    return f"{bounds.train_start} to {bounds.train_end}", f"{test_start} to {bounds.test_end}"


def _interval(metric: Metric) -> str:
    if metric.value is None:
        return metric.reason or metric.status
    if metric.low is None or metric.high is None:
        return f"{metric.value:.4f}"
    return f"{metric.value:.4f} ({metric.low:.4f} to {metric.high:.4f})"


def _run(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": row["version"],
        "algorithm": row["algorithm"],
        "pipeline": row["pipeline"],
        "status": row["status"],
        "started": f"{row['started']:%Y-%m-%d %H:%M}",
        "fit s": cell(row["fit_seconds"], digits=1),
        "cv AUC": row["cv_roc_auc_mean"],
        "± std": row["cv_roc_auc_std"],
        "test AUC": row["test_roc_auc"],
        "run": row["run_id"][:SHORT_RUN],
    }


def _change(line: AliasChange) -> dict[str, Any]:
    return {
        "when": line.when,
        "who": line.who,
        "action": line.action,
        "from": line.from_version,
        "to": line.to_version,
        "state": line.state,
        "reason": line.reason,
        "evidence": line.evidence,
    }


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text} is no ISO date or time such as 2026-03-01 or 2026-03-01T12:00") from error
    if len(text) <= len("yyyy-mm-dd"):
        moment = dt.datetime.combine(moment, dt.time.max)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _tell_champion_at(use_case: str, moment: dt.datetime, change: AliasChange | None, as_json: bool) -> None:
    if as_json:
        since = {"since": change.when, "reason": change.reason} if change else {"since": None, "reason": None}
        print_json({"use_case": use_case, "at": moment, "champion": change.to_version if change else None, **since})
    elif change is None:
        click.echo(f"{use_case} had no champion at {cell(moment)} UTC.")
    else:
        click.echo(
            f"{use_case}: version {change.to_version} was champion at {cell(moment)} UTC, since {cell(change.when)} "
            f"({change.action} by {change.who}: {change.reason})"
        )
