"""Where did a module go? Imports of the former layout keep working for one release, with a warning that says it."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
import warnings
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "datasets.alert_channels": "datasets.alerts.receivers",
    "datasets.delivery": "datasets.alerts.delivery",
    "datasets.mail": "datasets.alerts.mail",
    "datasets.semantic_model": "datasets.power_bi.semantic_model",
    "datasets.history": "datasets.monitoring_history",
    "experiments.sequential": "evaluation.sequential",
    "features.columns": "features.checks",
    "modelling.behaviour": "evaluation.behaviour",
    "modelling.candidates": "retraining.contenders",
    "modelling.comparison": "evaluation.comparison",
    "modelling.curves": "evaluation.curves",
    "modelling.delong": "evaluation.auc",
    "modelling.evaluation": "evaluation.judge",
    "modelling.evaluation_parameters": "evaluation.parameters",
    "modelling.explained": "evaluation.explained",
    "modelling.explainers": "evaluation.explainers",
    "modelling.explanation": "evaluation.explanation",
    "modelling.fingerprint": "rows.fingerprint",
    "modelling.gate": "retraining.gate",
    "modelling.importance": "evaluation.importance",
    "modelling.labels": "rows.labels",
    "modelling.leaderboard": "modelling.record",
    "modelling.metrics": "evaluation.metrics",
    "modelling.promotion": "evaluation.promotion",
    "modelling.report": "reporting",
    "modelling.report.card_drawings": "reporting.model_card.drawings",
    "modelling.report.card_evidence": "reporting.model_card.evidence",
    "modelling.report.explanation_pictures": "reporting.shap_pictures",
    "modelling.report.figures": "reporting.figures",
    "modelling.report.model_card": "reporting.model_card.card",
    "modelling.report.pages": "reporting.page",
    "modelling.report.pictures": "reporting.pictures",
    "modelling.retraining": "retraining.record",
    "modelling.row_pool": "retraining.row_pool",
    "modelling.rows": "rows.windows",
    "modelling.slice_gates": "evaluation.slice_gates",
    "modelling.slices": "evaluation.slices",
    "modelling.spending": "evaluation.spending",
    "modelling.splits": "rows.splits",
    "modelling.training_parameters": "modelling.parameters",
    "modelling.training_set": "rows.labelled",
    "monitoring.bins": "monitoring.profiles.bins",
    "monitoring.build": "monitoring.profiles.build",
    "monitoring.column_tests": "monitoring.drift.column_tests",
    "monitoring.design_effect": "monitoring.profiles.design_effect",
    "monitoring.drawings": "reporting.monitoring.drawings",
    "monitoring.effects": "monitoring.drift.effects",
    "monitoring.frozen": "records",
    "monitoring.history": "monitoring.alerts",
    "monitoring.messages": "reporting.monitoring.messages",
    "monitoring.multivariate": "monitoring.drift.multivariate",
    "monitoring.page": "reporting.monitoring.page",
    "monitoring.page_blocks": "reporting.blocks",
    "monitoring.page_columns": "reporting.monitoring.columns",
    "monitoring.page_evidence": "reporting.monitoring.evidence",
    "monitoring.policy": "monitoring.drift.report",
    "monitoring.profile": "monitoring.profiles.profile",
    "monitoring.prometheus": "reporting.monitoring.prometheus",
    "monitoring.pushdown": "monitoring.profiles.pushdown",
    "monitoring.rules": "retraining.trigger",
    "monitoring.source": "monitoring.profiles.source",
    "monitoring.tally": "monitoring.profiles.tally",
    "monitoring.trigger": "monitoring.reasons",
    "monitoring.tutorial": "monitoring.drift.tutorial",
    "monitoring.two_sample": "monitoring.profiles.two_sample",
    "monitoring.verdict": "reporting.monitoring.verdict",
    "monitoring.watch": "monitoring.window",
    "monitoring.wording": "reporting.monitoring.wording",
    "pipelines.retraining.parameters": "retraining.parameters",
    "pipelines.retraining.record": "retraining.record",
    "pipelines.retraining.window": "retraining.gate",
}
RENAMED = {
    "CardParameters": "CardPolicy",
    "RetentionPolicy": "RetentionParameters",
    "RetrainingRules": "TriggerPolicy",
    "ScoringPolicy": "ScoringParameters",
    "SplitPolicy": "SplitParameters",
    "TrainingPolicy": "TrainingParameters",
}


class FormerModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module of the former layout where it is now."""

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        """The former name's spec; None for every other name."""
        if fullname.removeprefix("evergreen.") not in MOVED:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def create_module(self, spec: ModuleSpec) -> None:
        """A module as Python makes it."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module with what stands at its present place."""
        place = f"evergreen.{MOVED[module.__name__.removeprefix('evergreen.')]}"
        warnings.warn(f"{module.__name__} is now {place}.", DeprecationWarning, stacklevel=2)
        found = importlib.import_module(place)
        names = {**_parameters_of(place), **vars(found)}
        names |= {was: names[now] for was, now in RENAMED.items() if now in names}
        module.__dict__.update({name: value for name, value in names.items() if not name.startswith("__")})
        if hasattr(found, "__path__"):
            module.__path__ = []  # modules below it are found by their own former names


def _parameters_of(place: str) -> dict[str, object]:
    """What rules the module's room: each policy once stood beside what it rules."""
    room = ".".join(place.split(".")[:2])
    if importlib.util.find_spec(room).submodule_search_locations is None:  # type: ignore[union-attr]
        return {}
    parameters = importlib.util.find_spec(f"{room}.parameters")
    return dict(vars(importlib.import_module(parameters.name))) if parameters else {}


def find_former_modules() -> None:
    """Let imports of the former layout be found, after everything that exists."""
    if not any(isinstance(finder, FormerModules) for finder in sys.meta_path):
        sys.meta_path.append(FormerModules())
