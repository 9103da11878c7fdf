"""Moving the champion alias: one call, under a lock, read back, and written down."""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import mlflow
from mlflow import MlflowClient

from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.records import Frozen
from evergreen.registry.database import database_file
from evergreen.registry.lock import exclusive, host_state
from evergreen.registry.versions import CHALLENGER, CHAMPION, aliases_of

AUDIT_TAG = "audit."


class AliasChange(Frozen):
    """One line of the audit: who moved the champion alias when, why, from where to where, on what evidence.

    ``state`` is ``started`` before the alias moves and ``done`` after it was read back, so that a process
    that is killed in between leaves a trace; the history settles it to ``done`` or ``abandoned``. ``conflict``
    is a change that another host overwrote at the same moment.
    """

    when: dt.datetime
    who: str
    action: Literal["promote", "rollback"]
    use_case: str
    from_version: str | None
    to_version: str
    reason: str
    evidence: dict[str, float | str | None]
    state: Literal["started", "done", "conflict", "abandoned"] = "started"


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
    evidence: dict[str, float | str | None] | None = None,
    action: Literal["promote", "rollback"] = "promote",
) -> AliasChange:
    """Point the champion alias at a version, if the champion is still the one that the decision was about.

    Args:
        use_case: Name of the registered model.
        to_version: The version that shall serve.
        expected: The champion that the decision compared with; None where there was none.
        reason: Why, in words, for the audit.
        evidence: Figures behind the decision, for the audit.
        action: ``promote`` or ``rollback``.

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
    evidence: dict[str, float | str | None],
    action: Literal["promote", "rollback"],
) -> AliasChange:
    client = MlflowClient()
    champion = aliases_of(use_case).get(CHAMPION)
    lines = audit(use_case)
    if champion == to_version and lines and _tells(lines[-1], expected, to_version, action, reason):
        return lines[-1].model_copy(update={"state": "done"})  # a former try of the same decision got this far
    if champion != expected:
        raise EvergreenError(
            f"{use_case}: the champion is version {champion or 'none'}, but this decision was made against "
            f"{expected or 'none'}: somebody else moved it; version {to_version} was not made champion, decide again."
        )
    change = AliasChange(
        when=dt.datetime.now(dt.UTC), who=_who(), action=action, use_case=use_case,
        from_version=champion, to_version=to_version, reason=reason, evidence=evidence,
    )  # fmt: skip
    tag = f"{AUDIT_TAG}{len(lines) + 1:06d}.{uuid.uuid4().hex[:8]}"  # two hosts never share a tag
    _write(tag, change)
    client.set_registered_model_alias(use_case, CHAMPION, to_version)
    if (found := aliases_of(use_case).get(CHAMPION)) != to_version:
        _write(tag, change.model_copy(update={"state": "conflict"}))
        raise EvergreenError(
            f"{use_case}: the champion alias was set to version {to_version} but reads {found}: "
            "another host moved it at the same moment; "
            f"look at `{command('kedro models history', use_case)}` and decide again."
        )
    done = change.model_copy(update={"state": "done"})
    _write(tag, done)
    return done


def _tells(line: AliasChange, expected: str | None, to_version: str, action: str, reason: str) -> bool:
    told = (line.from_version, line.to_version, line.action, line.reason)
    return told == (expected, to_version, action, reason)


def _write(tag: str, change: AliasChange) -> None:
    MlflowClient().set_registered_model_tag(change.use_case, tag, change.model_dump_json())


def _who() -> str:
    """The user's name, or its number where a container's user has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def audit(use_case: str) -> list[AliasChange]:
    """All alias changes of a use case as they were written, oldest first."""
    found = MlflowClient().search_registered_models(f"name = '{use_case}'")
    tags = found[0].tags if found else {}
    lines = [AliasChange(**json.loads(tags[name])) for name in tags if name.startswith(AUDIT_TAG)]
    return sorted(lines, key=lambda line: line.when)


def set_challenger(use_case: str, version: str) -> None:
    """Point the challenger alias at a version."""
    MlflowClient().set_registered_model_alias(use_case, CHALLENGER, version)


def clear_challenger(use_case: str) -> None:
    """Remove the challenger alias, whatever was decided."""
    if CHALLENGER in aliases_of(use_case):
        MlflowClient().delete_registered_model_alias(use_case, CHALLENGER)
