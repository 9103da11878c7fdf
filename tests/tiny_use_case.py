"""A use case of a few hundred customers, whose pipelines run in memory as the project wires them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import ibis
import numpy as np
import pandas as pd
from kedro.io import DataCatalog, MemoryDataset

from evergreen.datasets import ModelVersionDataset
from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.experiments.parameters import ExperimentParameters
from evergreen.modelling.parameters import ScoringParameters, TrainingParameters
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.past.counts import no_counts
from evergreen.pipeline_registry import lifecycle
from evergreen.retraining.parameters import GatePolicy, RetrainingParameters
from evergreen.rows.parameters import SplitParameters
from evergreen.runner import LifecycleRunner
from evergreen.schema import TableSpec
from evergreen.use_cases import WINDOW_DAYS, UseCase

TABLE = TableSpec(
    entity="customer", target="left", positive=1, numeric=["age", "balance"], categorical=["region"],
    snapshot_date="seen",
)  # fmt: skip
OPTIONAL = ("service_predictions", "exposures", "past_experiment", "evaluation_contents", "trigger", "retraining")
OPTIONAL += ("newest_monitoring", "newest_window_profile", "newest_policy_backtest", "service_status", "index")
ALIASES = {"champion": ["champion"], "incumbent": ["champion"], "challenger": ["challenger", "champion"]}


class Kept(MemoryDataset):
    """Data that outlive the run that made them, as files do."""

    def __init__(self, data: Any = None) -> None:
        super().__init__(**({} if data is None else {"data": data}), copy_mode="assign")

    def _release(self) -> None:
        pass


class KeptOnceMade(Kept):
    """Data that no run may have made yet: None until then, as the catalog's optional entries answer."""

    def load(self) -> Any:
        return super().load() if self.exists() else None


def people(rows: int, seed: int, seen: str, *, effect: float = 1.5, shift: float = 0.0) -> pd.DataFrame:
    """Customers of one snapshot; ``effect`` is how strongly age makes them leave."""
    rng = np.random.default_rng(seed)
    age = rng.normal(45 + 10 * shift, 10, rows)
    return pd.DataFrame(
        {
            "customer": np.arange(rows) + seed * 1_000_000,
            "age": age,
            "balance": rng.normal(size=rows),
            "region": rng.choice(["north", "south"], rows),
            "left": (effect * (45 - age) / 10 + rng.logistic(size=rows) > 0).astype(int),
            "seen": pd.Timestamp(seen),
        }
    )


@dataclass
class TinyUseCase:
    """Its datasets, kept from one pipeline to the next."""

    customers: pd.DataFrame = field(default_factory=lambda: people(900, 1, "2026-01-31"))
    current: pd.DataFrame = field(default_factory=lambda: people(900, 2, "2026-02-28"))
    labels: pd.DataFrame | None = None
    name: str = field(default_factory=lambda: f"tiny-{uuid.uuid4().hex[:8]}")

    def __post_init__(self) -> None:
        self.kept = {
            "customers": Kept(ibis.memtable(self.customers)),
            "current": Kept(ibis.memtable(self.current)),
            "past_monitoring_history": Kept(pd.DataFrame({"window_end": pd.Series(dtype="M8[us]")})),
            "past_window_metrics": Kept(pd.DataFrame({"window_end": pd.Series(dtype="M8[us]")})),
            "past_window_counts": Kept(no_counts()),
            "params:use_case": Kept(self.name),
            "params:table": Kept(TABLE),
            "params:split": Kept(SplitParameters()),
            "params:training": Kept(TrainingParameters(algorithms=["LogisticRegression"], strategy="none")),
            "params:evaluation": Kept(EvaluationParameters(explained_rows=50)),
            "params:scoring": Kept(ScoringParameters()),
            "params:monitoring": Kept(MonitoringParameters()),
            "params:experiments": Kept(ExperimentParameters()),
            "params:simulate": Kept(False),
            "params:window_days": Kept(WINDOW_DAYS),
            "params:retraining": Kept(RetrainingParameters(gate=GatePolicy(min_rows=100), explained_rows=20)),
        }
        if self.labels is not None:
            self.kept["labels"] = Kept(ibis.memtable(self.labels))
        self.kept |= {entry: KeptOnceMade() for entry in OPTIONAL}
        for entry, aliases in ALIASES.items():
            self.kept[entry] = ModelVersionDataset(self.name, aliases, optional=entry == "incumbent")

    def run(self, *pipelines: str) -> None:
        """Run pipelines, each as the project registers it for a use case of one table."""
        registered = lifecycle({self.name: UseCase(source="one_table", labels=self.labels is not None)})
        for pipeline in pipelines:
            LifecycleRunner().run(registered[pipeline], self._catalog(registered[pipeline].datasets()))

    def __getitem__(self, entry: str) -> Any:
        return self.kept[entry].load()

    def _catalog(self, entries: set[str]) -> DataCatalog:
        before = f"{self.name}."
        for entry in entries:
            self.kept.setdefault(entry.replace(before, "", 1), Kept("2026-02-28" if entry == "params:as_of" else None))
        return DataCatalog({entry: self.kept[entry.replace(before, "", 1)] for entry in entries})
