"""What was already tried against a champion: looks at its judging rows, and the last retraining."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import NamedTuple

from mlflow import MlflowClient

from evergreen.evaluation.accumulating import Look
from evergreen.evaluation.decision import PromotionDecision
from evergreen.registry.aliases import registry_lock
from evergreen.registry.settle import Contest
from evergreen.registry.versions import ModelVersion, tag_version
from evergreen.retraining.new_evidence import NothingGained

LOOKS_TAG = "looks"
MET_TAG = "challengers_met"
DAYS_TAG = "looks_of_challenger_"
ROWS_DIGITS = 12
LEAST_GROWTH = 1.001
LOOK_TAG = "look"
LOOKED_AT_TAG = "looked_at"
JUDGED_ON_TAG = "judged_on"
JUDGEMENT_TAG = "judgement"
RETRAINED_TAG = "last_retraining"
NOTHING_GAINED_TAG = "nothing_gained"
REFRESH_TAG = "refreshes_in_vain"


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


def take_look_at_days(
    contest: Contest, rows: str, elapsed: float, information: float, experiment: str | None = None
) -> Look:
    """Count one more look at a champion's judged days, before anything is seen.

    Versions of one recipe are one challenger, that is asked again as days come; another recipe is another challenger,
    and so is an experiment, whose rows are its own. A look at the same rows keeps its place, so that an interrupted
    judgement can be repeated.

    Args:
        contest: The challenger, and the champion that it is judged against.
        rows: Digest of the judged rows.
        elapsed: Share of the planned time since the champion's training end.
        information: What the rows will weigh.
        experiment: The experiment that brought the rows; None for judged days.

    Returns:
        The look, with those of the same challenger before it.
    """
    challenger, champion = contest.challenger, contest.reigning
    who = challenger.manifest.recipe or f"version {challenger.version}"
    who = who if experiment is None else f"experiment {experiment}, version {challenger.version}"
    with registry_lock(champion.use_case):  # two judgements at once never take the same look
        tags = _tags(champion)
        met: list[str] = json.loads(tags.get(MET_TAG, "[]"))
        met = met if who in met else [*met, who]
        tag = f"{DAYS_TAG}{met.index(who) + 1}"
        taken = [_TakenLook(*each) for each in json.loads(tags.get(tag, "[]"))]
        known = next((place for place, each in enumerate(taken) if each.rows == rows[:ROWS_DIGITS]), None)
        if known is None:
            number = int(tags.get(LOOKS_TAG, 0)) + 1
            taken.append(_next_look(taken, number, rows, elapsed, information))
            counted = {LOOKS_TAG: number, MET_TAG: json.dumps(met), tag: json.dumps(taken)}
            tag_version(champion.use_case, champion.version, **counted)
            known = len(taken) - 1
        place = {LOOK_TAG: taken[known].number, LOOKED_AT_TAG: _looked_at(contest, rows)}
        tag_version(challenger.use_case, challenger.version, **place)
    upto = taken[: known + 1]
    return Look(
        number=taken[known].number,
        challenger=met.index(who) + 1,
        elapsed=tuple(each.elapsed for each in upto),
        information=tuple(each.information for each in upto),
    )


class _TakenLook(NamedTuple):
    """One look of a challenger, as the champion's tags keep it."""

    number: int
    rows: str
    elapsed: float
    information: float


def _next_look(taken: list[_TakenLook], number: int, rows: str, elapsed: float, information: float) -> _TakenLook:
    """The next look; time and information never fall, though rows may have been corrected."""
    if taken:
        elapsed = max(elapsed, taken[-1].elapsed)
        information = max(information, taken[-1].information * LEAST_GROWTH)
    return _TakenLook(number, rows[:ROWS_DIGITS], round(elapsed, 4), round(max(information, 1e-3), 3))


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


def note_nothing_gained(
    champion: ModelVersion, as_of: dt.date, rows: int, effects: Mapping[str, float], grown: bool
) -> None:
    """Remember what a retraining rested on that found nothing to gain: the next one waits for more.

    Args:
        champion: The version that stays.
        as_of: The retraining's day.
        rows: Labelled rows newer than the champion's training.
        effects: Rule → effect that it asked with.
        grown: Whether the champion's loss had grown since earlier ones.
    """
    with registry_lock(champion.use_case):
        before = nothing_gained(champion)
        first = NothingGained(as_of=as_of, times=1, new_labelled_rows=rows, effects=dict(effects))
        noted = first if before is None else before.and_again(as_of, rows, effects, grown)
        tag_version(champion.use_case, champion.version, **{NOTHING_GAINED_TAG: noted.model_dump_json()})


def nothing_gained(champion: ModelVersion) -> NothingGained | None:
    """What the retrainings of a champion rested on that found nothing to gain; None where there was none."""
    noted = _tags(champion).get(NOTHING_GAINED_TAG)
    return None if noted is None else NothingGained.model_validate_json(noted)


def note_refresh(champion: ModelVersion, as_of: dt.date) -> None:
    """Remember that a refresh of a champion was asked for, and was not ahead."""
    with registry_lock(champion.use_case):
        days = {*refreshes_in_vain(champion), as_of}
        noted = json.dumps(sorted(day.isoformat() for day in days))
        tag_version(champion.use_case, champion.version, **{REFRESH_TAG: noted})


def refreshes_in_vain(champion: ModelVersion) -> list[dt.date]:
    """The days on which a refresh of a champion was asked for and was not ahead, ascending."""
    return [dt.date.fromisoformat(day) for day in json.loads(_tags(champion).get(REFRESH_TAG, "[]"))]


def _looked_at(contest: Contest, rows: str) -> str:
    return f"version {contest.reigning.version}, rows {rows}"


def _tags(version: ModelVersion) -> dict[str, str]:
    return dict(MlflowClient().get_model_version(version.use_case, version.version).tags)
