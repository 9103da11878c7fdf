"""Why does nothing serve, and what leads to a champion?"""

from __future__ import annotations

from mlflow import MlflowClient

from evergreen.invocation import command
from evergreen.registry.versions import UNDECIDED, list_versions
from evergreen.wording import in_words


def explain_vacancy(use_case: str) -> str:
    """One sentence for whoever needs a champion where none serves; it never names what has just been done."""
    newest = next(iter(list_versions(use_case)), None)
    if newest is None:
        train = command("kedro run --pipelines=feature_engineering,training,evaluation", use_case)
        return f"{use_case} has no champion yet: run `{train}` first."
    if newest.status == UNDECIDED:
        judge = command("kedro run --pipelines=training,evaluation", use_case)
        return f"{use_case} has no champion yet, and nobody has judged version {newest.version}: run `{judge}` first."
    decision = MlflowClient().get_model_version(use_case, newest.version).tags.get("decision")
    by_hand = command(f"kedro models promote --version {newest.version} --reason <why>", use_case)
    return (
        f"{use_case} has no champion: version {newest.version} was {in_words(newest.status)}"
        f"{f' ({decision})' if decision else ''}; once that is changed `{command('kedro run', use_case)}` judges anew, "
        f"`{by_hand}` lets it serve as it is."
    )
