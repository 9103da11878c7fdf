"""Where do an experiment's rows come from: made up, the log, or the log scored again?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import ibis
import ibis.expr.types as ir

from evergreen import registry
from evergreen.experiments.analysis import Analysed
from evergreen.experiments.exposures import Exposures, empty_exposures, present_traffic, read_exposures
from evergreen.experiments.parameters import ExperimentParameters, ExperimentPolicy
from evergreen.experiments.plan import Expected, ExperimentPlan, expected_of, plan_experiment
from evergreen.experiments.replay import Scorer, replay_requests
from evergreen.experiments.simulation import default_experiment, expected_of_traffic, simulate_exposures
from evergreen.rows.labels import LabelDefinition


@dataclass(frozen=True)
class ExperimentRows:
    """What is analysed, its rows, and the plan."""

    subject: Analysed
    exposures: Exposures
    plan: ExperimentPlan


def simulated_rows(use_case: str, experiments: ExperimentParameters, as_of: dt.date) -> ExperimentRows:
    """Made-up traffic of the running experiment, or of a plain one where none runs."""
    experiment, traffic = experiments.running or default_experiment(), experiments.simulation
    experiment = experiment.model_copy(update={"start": None, "end": None, "slices": [], "covariate": None})
    table = ibis.memtable(simulate_exposures(experiment, traffic, as_of))
    exposures = read_exposures(table, experiment, as_of=as_of)
    expected = expected_of_traffic(experiment, traffic)
    plan = plan_experiment(experiment, expected, traffic.requests_per_day, traffic.requests_per_day)
    return ExperimentRows(Analysed(use_case, experiment, {}, simulated=True), exposures, plan)


def logged_rows(
    use_case: str,
    experiments: ExperimentParameters,
    source: ir.Table | None,
    champion: registry.ModelVersion | None,
    as_of: dt.date | None,
) -> ExperimentRows:
    """The running experiment's logged requests; before there are any, its plan alone."""
    experiment = experiments.running
    assert experiment is not None  # the caller asks only then
    traffic = (None, None) if source is None else present_traffic(source)
    plan = plan_experiment(experiment, _expected(experiment, champion), *traffic)
    exposures = empty_exposures(experiment, as_of or dt.datetime.now(dt.UTC).date())
    versions, faults = _versions(use_case, experiment, {})
    if source is not None and experiment.mode == "replay" and not faults:
        scorers = {name: _scorer(use_case, number) for name, number in versions.items()}
        manifests = [registry.load(use_case, number).manifest for number in versions.values()]
        unseen = partial(registry.unseen_requests, manifests=manifests)
        scored = replay_requests(source, experiment, scorers, experiments.max_pairs, as_of, unseen)
        exposures = read_exposures(ibis.memtable(scored), experiment, _label(champion), as_of)
    elif source is not None and experiment.mode != "replay":
        named = {name: one.version for name, one in experiment.variants.items() if one.version.isdigit()}
        exposures = read_exposures(source, experiment, _label(champion), as_of, named)
        versions, faults = _versions(use_case, experiment, exposures.seen)
    return ExperimentRows(Analysed(use_case, experiment, versions, faults=faults), exposures, plan)


def _label(champion: registry.ModelVersion | None) -> LabelDefinition | None:
    return None if champion is None else champion.manifest.label


def _expected(experiment: ExperimentPolicy, champion: registry.ModelVersion | None) -> Expected | None:
    if champion is None:
        return None
    scores = registry.reference_scores(champion)
    return expected_of(experiment, scores["label"], scores["probability"], champion.manifest.threshold)


def _versions(
    use_case: str, experiment: ExperimentPolicy, seen: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, str], list[str]]:
    """Variant → version number, and a sentence for each that does not exist.

    An alias that has moved since means the version that answered under it.
    """
    known, pointing = {row.version for row in registry.list_versions(use_case)}, registry.aliases_of(use_case)
    found, faults = {}, []
    for name, variant in experiment.variants.items():
        answered = seen.get(name, ())
        number = answered[0] if len(answered) == 1 else pointing.get(variant.version, variant.version)
        if number in known:
            found[name] = number
        else:
            there = ", ".join(sorted(known, key=int)) or "none"
            faults.append(f"variant {name} is version {number}, which does not exist; registered: {there}")
    return found, faults


def _scorer(use_case: str, number: str) -> Scorer:
    version = registry.load(use_case, number)
    manifest = version.manifest
    return Scorer(number, tuple(manifest.spec.features), manifest.threshold, registry.exact_probabilities(version))
