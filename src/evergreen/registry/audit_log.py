"""Who was champion when, as the audit tells it, changes of killed processes settled."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd

from evergreen.registry.aliases import AliasChange, audit
from evergreen.registry.versions import CHAMPION, aliases_of, list_versions


def history(use_case: str) -> list[AliasChange]:
    """All changes of the champion alias, oldest first, none left as ``started``.

    A change whose process was killed happened if the next change found its version serving (for the last
    change: if the alias points at it); otherwise it was ``abandoned``.
    """
    lines = audit(use_case)
    found_later = [*(line.from_version for line in lines), aliases_of(use_case).get(CHAMPION)][1:]
    return [_settled(line, later) for line, later in zip(lines, found_later, strict=True)]


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
    done = [line for line in history(use_case) if line.state == "done" and line.when <= moment]
    return done[-1] if done else None


def former_champion(use_case: str) -> str | None:
    """The version that a rollback returns to: the one that served before the present champion was promoted.

    A rollback undoes promotions, so the version that was rolled back from is not returned to, and versions
    that no longer exist are passed over.

    Returns:
        The version, or None where there is none.
    """
    standing: list[str] = []
    for line in history(use_case):
        if line.state == "done":
            standing = _after(standing, line)
    present = aliases_of(use_case).get(CHAMPION)
    existing = {row.version for row in list_versions(use_case)}
    before = standing[: standing.index(present)] if present in standing else standing
    return next((version for version in reversed(before) if version in existing), None)


def _after(standing: list[str], line: AliasChange) -> list[str]:
    """The versions on which the champion stands, itself last: a promotion adds one, a rollback takes some away."""
    version = line.to_version
    if line.action == "promote":
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
