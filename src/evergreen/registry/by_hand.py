"""Promotion and rollback by a person: the target is checked first, then the alias moves, and the reason is kept."""

from __future__ import annotations

from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.registry.aliases import AliasChange, clear_challenger, move_champion
from evergreen.registry.audit_log import former_champion
from evergreen.registry.check import CheckedVersion, check_version
from evergreen.registry.versions import CHALLENGER, CHAMPION, aliases_of, list_versions, tag_version

PROMOTED = "promoted"
ROLLED_BACK = "rolled_back"


def promote(target: CheckedVersion, expected: str | None, reason: str) -> AliasChange:
    """Make a checked version champion, whatever the promotion decision said of it.

    Args:
        target: The version, from :func:`~evergreen.registry.check_version`.
        expected: The champion that the evidence was shown against; None where there was none.
        reason: Why, for the audit.

    Returns:
        The audit line.

    Raises:
        EvergreenError: No reason, the version serves already, or somebody else moved the alias.
    """
    use_case, number = target.version.use_case, target.version.version
    require_reason(use_case, reason, "promote")
    if number == expected:
        raise EvergreenError(f"{use_case} version {number} is the champion already; nothing was changed.")
    aucs = {row.version: row for row in list_versions(use_case)}
    evidence: dict[str, float | str | None] = {
        "status": aucs[number].status,
        "test_roc_auc": aucs[number].test_roc_auc,
        "champion_test_roc_auc": aucs[expected].test_roc_auc if expected in aucs else None,
        "checked": target.told,
    }
    change = move_champion(use_case, number, expected, reason, evidence)
    tag_version(use_case, number, status=PROMOTED)
    if aliases_of(use_case).get(CHALLENGER) == number:
        clear_challenger(use_case)
    return change


def rollback(use_case: str, reason: str, version: str | None = None) -> AliasChange:
    """Let an earlier version serve again: nothing is trained, no run is opened, one alias moves.

    Args:
        use_case: Name of the registered model.
        reason: Why, for the audit.
        version: The version to return to; default: the champion before the present one.

    Returns:
        The audit line.

    Raises:
        EvergreenError: No reason, no champion, nothing to return to, or a target that fails a check; the
            alias then stays where it is.
    """
    require_reason(use_case, reason, "roll back")
    champion = aliases_of(use_case).get(CHAMPION)
    if champion is None:
        raise EvergreenError(f"{use_case} has no champion, so there is nothing to roll back from.")
    target = version or former_champion(use_case)
    if target is None:
        raise EvergreenError(
            f"{use_case}: no champion came before version {champion}, or none is stored any more; "
            f"name a version with --version (`{command('kedro models list', use_case)}` shows them)."
        )
    if target == champion:
        raise EvergreenError(f"{use_case} version {target} is the champion already; nothing was changed.")
    checked = check_version(use_case, target)
    change = move_champion(use_case, target, champion, reason, {"checked": checked.told}, action="rollback")
    tag_version(use_case, target, status=PROMOTED)
    tag_version(use_case, champion, status=ROLLED_BACK)
    return change


def require_reason(use_case: str, reason: str, deed: str) -> None:
    """Refuse a change by hand that nobody gives a reason for."""
    if not reason.strip():
        raise EvergreenError(f'{use_case}: to {deed} by hand takes a reason for the audit: add --reason "why".')
