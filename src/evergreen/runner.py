"""How do nodes run one after the other, and which are skipped where a run's own judgement left no champion?"""

from __future__ import annotations

import logging
from collections import Counter
from itertools import chain

from kedro.io import CatalogProtocol
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro.runner.task import Task
from pluggy import PluginManager

from evergreen import progress
from evergreen.use_cases import use_case_of

logger = logging.getLogger("evergreen")

_DRAWN_ANYHOW = "dashboard"  # says what is missing


class LifecycleRunner(SequentialRunner):
    """Runs nodes in order; those that need a champion are skipped where the run judged one and none serves.

    A first champion that is refused or undecided is an outcome, not a fault. A run that judges nothing meets the
    missing champion as a fault.
    """

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        counts = Counter(chain.from_iterable(node.inputs for node in pipeline.nodes))
        vacancies, unwatched, done = Vacancies(pipeline, catalog), _unwatched(pipeline, catalog), set[Node]()
        with progress.watched():
            for node in pipeline.nodes:
                if node not in unwatched and not vacancies.skip(node):
                    try:
                        with progress.step(node.name):
                            Task(node, catalog, is_async=False, hook_manager=hook_manager, run_id=run_id).execute()
                    except Exception:
                        self._suggest_resume_scenario(pipeline, done, catalog)
                        raise
                done.add(node)
                self._release_datasets(node, catalog, counts, pipeline)


def _unwatched(pipeline: Pipeline, catalog: CatalogProtocol) -> set[Node]:
    """The nodes that draw a window where none was ever looked at; the dashboard is drawn all the same, and says so."""
    found: set[Node] = set()
    for record in sorted(pipeline.inputs()):
        use_case, _, name = record.partition(".")
        if name == "monitoring" and not catalog.exists(record):
            mine = [node for node in pipeline.nodes if node.namespace == f"{use_case}.reporting"]
            found |= {node for node in mine if record in node.inputs}
            logger.info("%s: no window was monitored yet, so the dashboard alone is drawn.", use_case)
    return found


class Vacancies:
    """The nodes of a run that have no champion to work with once its own judgement is made."""

    def __init__(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        self._catalog = catalog
        self._waiting = {use_case: _need_champion(pipeline, use_case) for use_case in _judged(pipeline)}
        self._found: dict[str, bool] = {}

    def skip(self, node: Node) -> bool:
        """Whether the node has nothing to do; said once a use case."""
        use_case = use_case_of(node.namespace)
        waiting = self._waiting.get(use_case, ())
        if node not in waiting:
            return False
        if use_case not in self._found:
            self._found[use_case] = self._catalog.exists(f"{use_case}.champion")
            if not self._found[use_case]:
                rooms = dict.fromkeys(str(each.namespace).partition(".")[2] for each in waiting)
                logger.info("%s: %s skipped, because no version serves.", use_case, ", ".join(rooms))
        return not self._found[use_case]


def _judged(pipeline: Pipeline) -> set[str]:
    """The use cases that a run decides a promotion of."""
    return {
        use_case_of(node.namespace)
        for node in pipeline.nodes
        if f"{use_case_of(node.namespace)}.evaluation" in node.outputs
    }


def _need_champion(pipeline: Pipeline, use_case: str) -> list[Node]:
    """The nodes that can do nothing without a champion, in order."""
    champion = f"{use_case}.champion"
    found = pipeline.from_inputs(champion).nodes if champion in pipeline.datasets() else []
    return [node for node in found if f"{use_case}.{_DRAWN_ANYHOW}" not in node.outputs]
