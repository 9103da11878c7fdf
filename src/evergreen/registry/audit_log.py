"""Who was champion when, and who was judged, as the audit has it, changes of killed processes settled."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import os
import uuid
from typing import Literal

import pandas as pd
from mlflow import MlflowClient
from pydantic import AwareDatetime, ValidationError

from evergreen.records import Frozen
from evergreen.registry.damage import report_damage
from evergreen.registry.versions import CHAMPION, aliases_of, list_versions

AUDIT_TAG = "audit."
Evidence = dict[str, int | float | str | None]
Action = Literal["promote", "refresh", "rollback", "look", "reject", "repair"]


class AliasChange(Frozen):
    """One line of the audit: who moved the champion alias when, why, from where to where, on what evidence.

    A ``look`` is a challenger (``to_version``) that was judged against the champion (``from_version``) and did not
    win; ``reject`` drops a challenger by hand; ``repair`` mended a version's files. None moves the champion alias. A
    ``refresh`` lets the champion's recipe on newer rows serve: no proven gain.

    ``state`` is ``started`` before the alias moves and ``done`` after it was read back, so that a process
    that is killed in between leaves a trace; the history settles it to ``done`` or ``abandoned``. ``conflict``
    is a change that another host overwrote at the same moment.
    """

    when: AwareDatetime
    who: str
    action: Action
    use_case: str
    from_version: str | None
    to_version: str
    reason: str
    evidence: Evidence
    state: Literal["started", "done", "conflict", "abandoned"] = "started"

    @property
    def moves(self) -> bool:
        """Whether the line is about the champion alias itself."""
        return self.action in ("promote", "refresh", "rollback")


def note(use_case: str, action: Action, version: str, reason: str, evidence: Evidence | None = None) -> AliasChange:
    """Write a line that moves no alias into the audit; the caller holds the registry's lock.

    Args:
        use_case: Name of the registered model.
        action: ``look``, ``reject`` or ``repair``.
        version: The version that it is about.
        reason: Why, in words.
        evidence: Figures behind it.
    """
    line = AliasChange(
        when=dt.datetime.now(dt.UTC), who=person(), action=action, use_case=use_case, to_version=version,
        from_version=aliases_of(use_case).get(CHAMPION), reason=reason, evidence=evidence or {}, state="done",
    )  # fmt: skip
    write_line(next_tag(audit(use_case)), line)
    return line


def next_tag(lines: list[AliasChange]) -> str:
    """A tag that two hosts never share."""
    return f"{AUDIT_TAG}{len(lines) + 1:06d}.{uuid.uuid4().hex[:8]}"


def write_line(tag: str, change: AliasChange) -> None:
    """Write a line under its tag, or what became of it."""
    MlflowClient().set_registered_model_tag(change.use_case, tag, change.model_dump_json())


def person() -> str:
    """The user's name, or its number where a container's user has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def audit(use_case: str) -> list[AliasChange]:
    """All lines of a use case's audit as they were written, oldest first; what cannot be read is passed over."""
    found = MlflowClient().search_registered_models(f"name = '{use_case}'")
    tags = found[0].tags if found else {}
    lines = [_read(use_case, name, text) for name, text in tags.items() if name.startswith(AUDIT_TAG)]
    return sorted((line for line in lines if line is not None), key=lambda line: line.when)


def _read(use_case: str, name: str, text: str) -> AliasChange | None:
    try:
        return AliasChange.model_validate_json(text)
    except ValidationError:
        report_damage(f"{use_case}: the audit line {name} cannot be read and is passed over.")
        return None


def history(use_case: str) -> list[AliasChange]:
    """The whole audit, oldest first: changes of the champion alias, none left as ``started``, looks and rejections.

    A change whose process was killed happened if the next change found its version serving (for the last
    change: if the alias points at it); otherwise it was ``abandoned``.
    """
    lines = audit(use_case)
    moves = [line for line in lines if line.moves]
    found_later = [*(line.from_version for line in moves), aliases_of(use_case).get(CHAMPION)][1:]
    settled = iter([_settled(line, later) for line, later in zip(moves, found_later, strict=True)])
    return [next(settled) if line.moves else line for line in lines]


def moves(use_case: str) -> list[AliasChange]:
    """The changes of the champion alias that happened, oldest first."""
    return [line for line in history(use_case) if line.moves and line.state == "done"]


def _settled(line: AliasChange, found_later: str | None) -> AliasChange:
    if line.state != "started":
        return line
    return line.model_copy(update={"state": "done" if found_later == line.to_version else "abandoned"})


def champion_at(use_case: str, moment: dt.datetime) -> AliasChange | None:
    """The change that made the version champion that served at a moment; None before the first.

    Args:
        use_case: Name of the registered model.
        moment: With a time zone.
    """
    done = [line for line in moves(use_case) if line.when <= moment]
    return done[-1] if done else None


def former_champion(use_case: str) -> str | None:
    """The version that a rollback returns to: the one that served before the present champion was promoted.

    A rollback undoes promotions, so the version that was rolled back from is not returned to, and versions
    that no longer exist are passed over.

    Returns:
        The version, or None where there is none.
    """
    standing: list[str] = []
    for line in moves(use_case):
        standing = _after(standing, line)
    present = aliases_of(use_case).get(CHAMPION)
    existing = {row.version for row in list_versions(use_case)}
    before = standing[: standing.index(present)] if present in standing else standing
    return next((version for version in reversed(before) if version in existing), None)


def _after(standing: list[str], line: AliasChange) -> list[str]:
    """The versions on which the champion stands, itself last: a rollback takes some away, others add one."""
    version = line.to_version
    if line.action != "rollback":
        kept = [earlier for earlier in standing if earlier != version]
    else:
        kept = standing[: standing.index(version)] if version in standing else standing[:-1]
    return [*kept, version]


def audit_table(use_case: str) -> pd.DataFrame:
    """The history for people: one row per change, oldest first; rows are only ever added.

    Returns:
        ``when`` (UTC), ``who``, ``action``, ``from_version``, ``to_version``, ``state``, ``reason`` and
        ``evidence`` (JSON).
    """
    columns = ["when", "who", "action", "from_version", "to_version", "state", "reason", "evidence"]
    rows = [{**line.model_dump(), "evidence": json.dumps(line.evidence)} for line in history(use_case)]
    return pd.DataFrame(rows, columns=columns).astype({"from_version": "str"})
