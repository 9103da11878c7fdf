"""What was already tried against a champion: looks at its judging rows, and the last retraining."""

from __future__ import annotations

import datetime as dt

from mlflow import MlflowClient

from evergreen.registry.aliases import registry_lock
from evergreen.registry.settle import Contest
from evergreen.registry.versions import ModelVersion, tag_version

LOOKS_TAG = "looks"
LOOK_TAG = "look"
RETRAINED_TAG = "last_retraining"


def take_look(contest: Contest) -> int:
    """Count one more look at the champion's judging rows, before anything is seen.

    A challenger keeps the number of its look, so that a judgement that was interrupted can be repeated.

    Args:
        contest: The challenger, and the champion that it is judged against.

    Returns:
        The number of the look, from 1.
    """
    challenger, champion = contest.challenger, contest.reigning
    with registry_lock(champion.use_case):  # two retrainings at once never take the same look
        known = _tags(challenger).get(LOOK_TAG)
        if known is not None:
            return int(known)
        look = int(_tags(champion).get(LOOKS_TAG, 0)) + 1
        tag_version(champion.use_case, champion.version, **{LOOKS_TAG: look})
        tag_version(challenger.use_case, challenger.version, **{LOOK_TAG: look})
    return look


def note_retraining(champion: ModelVersion, as_of: dt.date) -> None:
    """Remember when a champion was last challenged by a retraining."""
    with registry_lock(champion.use_case):
        tag_version(champion.use_case, champion.version, **{RETRAINED_TAG: as_of})


def last_retraining(champion: ModelVersion) -> dt.date | None:
    """The last ``as_of`` of a retraining that made the champion or challenged it; None where there was none."""
    own = champion.manifest.as_of if champion.manifest.tested_on == "window" else None
    noted = _tags(champion).get(RETRAINED_TAG)
    return max((day for day in (own, noted and dt.date.fromisoformat(noted)) if day), default=None)


def _tags(version: ModelVersion) -> dict[str, str]:
    return dict(MlflowClient().get_model_version(version.use_case, version.version).tags)
