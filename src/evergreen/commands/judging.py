"""What does the judge say of a version that a person wants to promote? Repeated, or asked now where rows are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evergreen.errors import EvergreenError

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext

    from evergreen.evaluation.decision import PromotionDecision
    from evergreen.registry import Contest, ModelVersion

NEWEST_ROWS = ("current_features", "features")  # a snapshot where there is one


def judgement_by_hand(
    context: KedroContext, version: ModelVersion, champion: str | None
) -> tuple[PromotionDecision | None, str]:
    """The judge's answer about a version against the champion, and a sentence that gives it.

    An answer that was given before is repeated; otherwise the newest feature table is asked, which takes a look.

    Args:
        context: The project's.
        version: The version that a person wants to serve.
        champion: The version that serves, or None.
    """
    from evergreen import registry

    if champion is None or champion == version.version:
        return None, "There is no other champion to judge it against."
    try:
        contest = registry.Contest(version, registry.load(version.use_case, champion))
    except EvergreenError as error:
        return None, f"Could not be judged: {error}"
    kept = registry.kept_judgement(contest)
    if kept is not None:
        return kept, f"Judged before: {_in_words(kept)}"
    try:
        decision = _judge_now(context, contest)
    except EvergreenError as error:
        return None, f"Could not be judged against version {champion}: {error}"
    if decision is None:
        return None, f"Not judged against version {champion}: no feature table is here to judge on."
    registry.note_look(contest, decision)
    return decision, f"Judged now: {_in_words(decision)}"


def _judge_now(context: KedroContext, contest: Contest) -> PromotionDecision | None:
    from evergreen import registry
    from evergreen.evaluation.parameters import EvaluationParameters

    use_case = contest.challenger.use_case
    entries = (f"{use_case}.{name}" for name in NEWEST_ROWS)
    newest = next((entry for entry in entries if entry in context.catalog and context.catalog.exists(entry)), None)
    if newest is None:
        return None
    policy = EvaluationParameters.model_validate(context.params[use_case]["evaluation"])
    rows = registry.judging_rows(contest, context.catalog.load(newest), policy.max_rows)
    return registry.judge_challenger(contest, rows, policy) if len(rows.y) else None


def _in_words(decision: PromotionDecision) -> str:
    look = f"look {decision.look}, " if decision.look else ""
    return f"{decision.decision} ({look}{decision.rows:,} rows). {' '.join(decision.reasons)}"
