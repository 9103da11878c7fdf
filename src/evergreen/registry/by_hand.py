"""Promotion, rollback and rejection by a person: the target is checked, the alias moves, and the reason is kept."""

from __future__ import annotations

from evergreen.errors import EvergreenError
from evergreen.evaluation.decision import PromotionDecision
from evergreen.invocation import command
from evergreen.registry.aliases import clear_challenger, move_champion, registry_lock
from evergreen.registry.audit_log import AliasChange, Evidence, former_champion, note
from evergreen.registry.check import CheckedVersion, check_version
from evergreen.registry.settle import evidence_of
from evergreen.registry.versions import (
    CHALLENGER,
    CHAMPION,
    UNDECIDED,
    aliases_of,
    list_versions,
    status_of,
    tag_version,
)

PROMOTED = "promoted"
ROLLED_BACK = "rolled_back"
REJECTED = "rejected"


def promote(
    target: CheckedVersion, expected: str | None, reason: str, judgement: PromotionDecision | None = None
) -> AliasChange:
    """Make a checked version champion, whatever the promotion decision said of it.

    Args:
        target: The version, from :func:`~evergreen.registry.check_version`.
        expected: The champion that the evidence was shown against; None where there was none.
        reason: Why, for the audit.
        judgement: What the judge said of it against that champion; None where it was not asked.

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
    evidence: Evidence = {
        **(evidence_of(judgement) if judgement else {"decision": "not judged against the champion"}),
        "status": aucs[number].status,
        "test_roc_auc": aucs[number].test_roc_auc,
        "champion_test_roc_auc": aucs[expected].test_roc_auc if expected in aucs else None,
        "checked": target.sentence,
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
    change = move_champion(use_case, target, champion, reason, {"checked": checked.sentence}, action="rollback")
    tag_version(use_case, target, status=PROMOTED)
    tag_version(use_case, champion, status=ROLLED_BACK)
    return change


def reject(use_case: str, version: str, reason: str) -> AliasChange:
    """Drop a challenger: nobody judges it any more, and training on the same rows does not bring it back.

    Args:
        use_case: Name of the registered model.
        version: The challenger, or any version on which nothing was decided.
        reason: Why, for the audit.

    Returns:
        The audit line.

    Raises:
        EvergreenError: No reason, no such version, the champion, or a version that was decided on already.
    """
    require_reason(use_case, reason, "reject")
    with registry_lock(use_case):
        pointing, known = aliases_of(use_case), [row.version for row in list_versions(use_case)]
        if version not in known:
            names = ", ".join(known) or "none"
            raise EvergreenError(f"{use_case} has no version {version} to reject; registered versions: {names}.")
        if pointing.get(CHAMPION) == version:
            raise EvergreenError(
                f"{use_case} version {version} is the champion, which is not rejected but replaced: "
                f"`{command('kedro models rollback', use_case)}` lets the version before it serve."
            )
        status, challenges = status_of(use_case, version), pointing.get(CHALLENGER) == version
        if status != UNDECIDED and not challenges:
            raise EvergreenError(f"{use_case} version {version} is {status} already; nothing was changed.")
        line = note(use_case, "reject", version, reason, {"status": status})
        tag_version(use_case, version, status=REJECTED, decision=reason)
        if challenges:
            clear_challenger(use_case)
    return line


def require_reason(use_case: str, reason: str, deed: str) -> None:
    """Refuse a change by hand that nobody gives a reason for."""
    if reason.encode(errors="ignore") != reason.encode(errors="replace"):
        raise EvergreenError(f"{use_case}: the reason holds bytes that are no text: write it as UTF-8.")
    if not reason.strip():
        raise EvergreenError(f'{use_case}: to {deed} by hand takes a reason for the audit: add --reason "why".')
