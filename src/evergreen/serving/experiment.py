"""What does the running experiment ask of the service: who answers whom, and can the challenger read requests?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evergreen.errors import EvergreenError
from evergreen.serving.served import FACTS_FILE
from evergreen.serving.settings import RoutingSettings, ServingSettings

if TYPE_CHECKING:  # a service without a registry knows no statistics
    from evergreen.experiments.parameters import ExperimentPolicy


def with_experiment(settings: ServingSettings, experiment: ExperimentPolicy | None) -> ServingSettings:
    """The service's settings with the routing of the running experiment; what ``serving.yml`` routes goes first.

    Args:
        settings: As configured.
        experiment: The running one; a replay asks nothing of the service.

    Raises:
        EvergreenError: Where the present state of the experiment is not what the service serves.
    """
    if experiment is None or experiment.mode == "replay" or settings.routing.experiment is not None:
        return settings
    first, second = experiment.variants.values()
    if first.version != "champion" and settings.version not in (None, first.version):
        raise EvergreenError(
            f"experiment {experiment.name} compares with version {first.version}, and the service is told to serve "
            f"version {settings.version}: serve that version, or end the experiment"
        )
    routing = RoutingSettings(
        experiment=experiment.name,
        salt=experiment.salt,
        unit=experiment.unit,
        control=experiment.control,
        treatment=experiment.treatment,
        challenger=second.version,
        challenger_share=second.weight / (first.weight + second.weight),
        shadow=experiment.mode == "shadow",
    )
    pinned = settings.version if first.version == "champion" else first.version
    return settings.model_copy(update={"routing": routing, "version": pinned})


def challenger_of(routing: RoutingSettings, champion: str, pointing: Mapping[str, str]) -> str | None:
    """The version that takes part beside the champion; None where none does."""
    if routing.experiment is None:
        return None
    number = routing.challenger if routing.challenger.isdigit() else pointing.get(routing.challenger)
    return None if number == champion else number


def described(routing: RoutingSettings, version: str, challenger: str | None) -> dict[str, Any] | None:
    """The experiment, for ``/health``; None where none runs."""
    if routing.experiment is None:
        return None
    mode, share = ("shadow", 0.0) if routing.shadow else ("split", routing.challenger_share)
    found = {"name": routing.experiment, "mode": mode, "control": version, "treatment": challenger, "share": share}
    because = f"there is no other {routing.challenger}: everyone gets the champion"
    return found if challenger else {**found, "because": because}


def refuse_other_features(champion: Path, challenger: Path) -> None:
    """Refuse a challenger that reads other features than the champion, whose requests it would be given.

    Args:
        champion: Folder that the loader wrote.
        challenger: Likewise.

    Raises:
        EvergreenError: Naming the features.
    """
    first, second = (json.loads((folder / FACTS_FILE).read_text(encoding="utf-8")) for folder in (champion, challenger))
    kinds = ("numeric", "categorical")
    if any(first[kind] != second[kind] for kind in kinds):
        own = {name for kind in kinds for name in first[kind]} ^ {name for kind in kinds for name in second[kind]}
        raise EvergreenError(
            f"version {second['version']} reads other features than version {first['version']} "
            f"({', '.join(sorted(own)) or 'in another order'}): requests name the champion's, so that only a "
            "replay can compare them"
        )
