"""What was already tried against a champion: looks at its judging rows, and the last retraining."""

from __future__ import annotations

import datetime as dt

from mlflow import MlflowClient

from evergreen.evaluation.decision import PromotionDecision
from evergreen.registry.aliases import registry_lock
from evergreen.registry.settle import Contest
from evergreen.registry.versions import ModelVersion, tag_version

LOOKS_TAG = "looks"
LOOK_TAG = "look"
LOOKED_AT_TAG = "looked_at"
JUDGED_ON_TAG = "judged_on"
JUDGEMENT_TAG = "judgement"
RETRAINED_TAG = "last_retraining"


def take_look(contest: Contest, rows: str = "") -> int:
    """Count one more look at the champion's judging rows, before anything is seen.

    Any other challenger, on rows already looked at too, is a new comparison and takes a new look, and so is the same
    challenger on new rows. The same challenger on the same rows keeps the number of its look, so that a judgement that
    was interrupted can be repeated, and asking again costs nothing.

    Args:
        contest: The challenger, and the champion that it is judged against.
        rows: Digest of the judging rows.

    Returns:
        The number of the look, from 1.
    """
    challenger, champion = contest.challenger, contest.reigning
    looked_at = _looked_at(contest, rows)
    with registry_lock(champion.use_case):  # two judgements at once never take the same look
        tags = _tags(challenger)
        if LOOK_TAG in tags and tags.get(LOOKED_AT_TAG) == looked_at:
            return int(tags[LOOK_TAG])
        look = int(_tags(champion).get(LOOKS_TAG, 0)) + 1
        tag_version(champion.use_case, champion.version, **{LOOKS_TAG: look})
        tag_version(challenger.use_case, challenger.version, **{LOOK_TAG: look, LOOKED_AT_TAG: looked_at})
    return look


def keep_judgement(contest: Contest, rows: str, decision: PromotionDecision) -> None:
    """Keep a decision with the challenger, so that asking again repeats it."""
    challenger = contest.challenger
    kept = {JUDGEMENT_TAG: decision.model_dump_json(), JUDGED_ON_TAG: _looked_at(contest, rows)}
    tag_version(challenger.use_case, challenger.version, **kept)


def kept_judgement(contest: Contest, rows: str | None = None) -> PromotionDecision | None:
    """The decision that was kept about this challenger and this champion; None where there is none.

    Args:
        contest: The challenger, and the champion that it was judged against.
        rows: Digest of the judging rows that it must rest on; None: of whatever rows.
    """
    tags = _tags(contest.challenger)
    judged_on = tags.get(JUDGED_ON_TAG, "")
    asked = _looked_at(contest, rows or "")
    same = judged_on == asked if rows is not None else judged_on.startswith(asked)
    return PromotionDecision.model_validate_json(tags[JUDGEMENT_TAG]) if same and JUDGEMENT_TAG in tags else None


def note_retraining(champion: ModelVersion, as_of: dt.date) -> None:
    """Remember when a champion was last challenged by a retraining."""
    with registry_lock(champion.use_case):
        tag_version(champion.use_case, champion.version, **{RETRAINED_TAG: as_of})


def last_retraining(champion: ModelVersion) -> dt.date | None:
    """The last ``as_of`` of a retraining that made the champion or challenged it; None where there was none."""
    own = champion.manifest.as_of if champion.manifest.tested_on == "window" else None
    noted = _tags(champion).get(RETRAINED_TAG)
    return max((day for day in (own, noted and dt.date.fromisoformat(noted)) if day), default=None)


def _looked_at(contest: Contest, rows: str) -> str:
    return f"version {contest.reigning.version}, rows {rows}"


def _tags(version: ModelVersion) -> dict[str, str]:
    return dict(MlflowClient().get_model_version(version.use_case, version.version).tags)
