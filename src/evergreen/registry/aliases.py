"""Moving the champion alias: one call, under a lock, read back, and written down with all that was decided."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
from mlflow import MlflowClient

from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.registry.audit_log import Action, AliasChange, Evidence, audit, next_tag, person, write_line
from evergreen.registry.database import database_file
from evergreen.registry.lock import exclusive, host_state
from evergreen.registry.versions import CHALLENGER, CHAMPION, aliases_of


@contextmanager
def registry_lock(use_case: str) -> Iterator[None]:
    """Let one process of this host at a time change a use case's versions and aliases.

    The lock lies beside the registry's own data; where that is a server, in a folder that every process of the host
    shares.

    Raises:
        EvergreenError: Where another process has held the lock too long, or the lock cannot be written.
    """
    uri = mlflow.get_registry_uri()
    database = database_file(uri)
    if database is not None:
        place = database.parent / f".{use_case}.lock"
    else:
        place = host_state() / f"{use_case}-{hashlib.sha256(uri.encode()).hexdigest()[:16]}.lock"
    with exclusive(place, f"{use_case}: another process has been changing the registry"):
        yield


def move_champion(
    use_case: str,
    to_version: str,
    expected: str | None,
    reason: str,
    evidence: Evidence | None = None,
    action: Action = "promote",
) -> AliasChange:
    """Point the champion alias at a version, if the champion is still the one that the decision was about.

    Args:
        use_case: Name of the registered model.
        to_version: The version that shall serve.
        expected: The champion that the decision compared with; None where there was none.
        reason: Why, in words, for the audit.
        evidence: Figures behind the decision, for the audit.
        action: ``promote``, ``refresh`` or ``rollback``.

    Returns:
        The audit line.

    Raises:
        EvergreenError: Where another process holds the lock or has moved the alias in the meantime.
    """
    with registry_lock(use_case):
        return _move(use_case, to_version, expected, reason, evidence or {}, action)


def _move(
    use_case: str,
    to_version: str,
    expected: str | None,
    reason: str,
    evidence: Evidence,
    action: Action,
) -> AliasChange:
    client = MlflowClient()
    champion = aliases_of(use_case).get(CHAMPION)
    lines = audit(use_case)
    moves = [line for line in lines if line.moves]
    if champion == to_version and moves and _is_about(moves[-1], expected, to_version, action, reason):
        return moves[-1].model_copy(update={"state": "done"})  # a former try of the same decision got this far
    if champion != expected:
        raise EvergreenError(
            f"{use_case}: the champion is version {champion or 'none'}, but this decision was made against "
            f"{expected or 'none'}: somebody else moved it; version {to_version} was not made champion, decide again."
        )
    change = AliasChange(
        when=dt.datetime.now(dt.UTC), who=person(), action=action, use_case=use_case,
        from_version=champion, to_version=to_version, reason=reason, evidence=evidence,
    )  # fmt: skip
    tag = next_tag(lines)
    write_line(tag, change)
    client.set_registered_model_alias(use_case, CHAMPION, to_version)
    if (found := aliases_of(use_case).get(CHAMPION)) != to_version:
        write_line(tag, change.model_copy(update={"state": "conflict"}))
        raise EvergreenError(
            f"{use_case}: the champion alias was set to version {to_version} but reads {found}: "
            "another host moved it at the same moment; "
            f"look at `{command('kedro models history', use_case)}` and decide again."
        )
    done = change.model_copy(update={"state": "done"})
    write_line(tag, done)
    return done


def _is_about(line: AliasChange, expected: str | None, to_version: str, action: str, reason: str) -> bool:
    found = (line.from_version, line.to_version, line.action, line.reason)
    return found == (expected, to_version, action, reason)


def set_challenger(use_case: str, version: str) -> None:
    """Point the challenger alias at a version."""
    MlflowClient().set_registered_model_alias(use_case, CHALLENGER, version)


def clear_challenger(use_case: str) -> None:
    """Remove the challenger alias, whatever was decided."""
    if CHALLENGER in aliases_of(use_case):
        MlflowClient().delete_registered_model_alias(use_case, CHALLENGER)
