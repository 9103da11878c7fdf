"""From an experiment's verdict to a champion: what it found goes to the judge, and into the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.wording import in_words

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext

    from evergreen.evaluation.judge import PromotionOutcome
    from evergreen.experiments.record import ExperimentRecord
    from evergreen.registry import Contest
    from evergreen.rows.labelled import LabelledRows


def promote_by_experiment(context: KedroContext, use_case: str, name: str) -> PromotionOutcome:
    """Let the judge decide on an experiment that says ``ship``, and carry its decision out.

    Args:
        context: The project's.
        use_case: Name of the use case.
        name: The experiment.

    Raises:
        EvergreenError: Where the experiment has no record, says something else, or was against another champion.
    """
    from evergreen import registry
    from evergreen.evaluation.parameters import EvaluationParameters

    record = _shipping(context, use_case, name)
    champion = registry.aliases_of(use_case).get(registry.CHAMPION)
    present, new = record.variants
    if present.version != champion:
        raise EvergreenError(
            f"{use_case}: experiment {name} compared version {new.version} with version {present.version}, and the "
            f"champion is version {champion or 'none'}: nothing was changed; compare with the version that serves."
        )
    contest = registry.Contest(registry.load(use_case, new.version), registry.load(use_case, champion))
    policy = EvaluationParameters.model_validate(context.params[use_case]["evaluation"])
    rows = _rows(context, contest, record, policy.max_rows)
    registry.check_version(use_case, new.version)
    return registry.settle(contest, registry.judge_experiment(contest, rows, record, policy))


def _shipping(context: KedroContext, use_case: str, name: str) -> ExperimentRecord:
    record: ExperimentRecord | None = context.catalog.load(f"{use_case}.past_experiment")
    analyse = f"run `{command('kedro run --pipeline=ab_testing', use_case)}`"
    if record is None or record.experiment != name:
        found = f"; the newest record is of {record.experiment}" if record is not None and record.experiment else ""
        raise EvergreenError(f"{use_case}: experiment {name} has no record{found}: nothing was changed; {analyse}.")
    if record.simulated:
        raise EvergreenError(f"{use_case}: the record of {name} is of made-up traffic: nothing was changed; {analyse}.")
    if record.status != "ship":
        says = f"says {in_words(record.status)}, not ship, so nothing was changed"
        raise EvergreenError(f"{use_case}: experiment {name} {says}. {' '.join(record.reasons)}")
    return record


def _rows(context: KedroContext, contest: Contest, record: ExperimentRecord, max_rows: int) -> LabelledRows:
    """The experiment's requests, read again as the analysis read them, up to the record's day."""
    from evergreen import registry
    from evergreen.experiments.parameters import ExperimentParameters
    from evergreen.pipelines.ab_testing.rows import logged_rows

    use_case = record.use_case
    experiments = ExperimentParameters.model_validate(context.params[use_case]["experiments"])
    if record.experiment not in experiments.defined:
        raise EvergreenError(f"{use_case}: experiment {record.experiment} is defined no more: define it again.")
    running = experiments.model_copy(update={"active": record.experiment})
    source = context.catalog.load(f"{use_case}.exposures")
    found = logged_rows(use_case, running, source, contest.reigning, record.as_of)
    variant = record.variants[1].name if record.mode == "split" else None
    return registry.experiment_rows(contest, found.exposures.table, record, variant, max_rows)
