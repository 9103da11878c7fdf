"""What people read follows the champion: renewed at every door that may have moved it, on whichever machine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from evergreen import registry
from evergreen.context import use_cases
from evergreen.errors import EvergreenError
from evergreen.pipelines.reporting.dashboard import DASHBOARD_RECORDS
from evergreen.pipelines.reporting.nodes import write_dashboard
from evergreen.reporting.index import index_page
from evergreen.reporting.overview import UseCasePages, overview_page
from evergreen.reporting.serving import ServingRecord, with_banner, with_gauge, with_line

_PAGE_ENTRIES = {
    "dashboard.html": "dashboard",
    "monitoring.html": "monitoring_page",
    "model_card.html": "model_card_page",
    "experiment.html": "experiment_page",
    "policy_backtest.html": "policy_backtest_page",
    "index.html": "index",
}


def renew(catalog: CatalogProtocol, use_case: str, overview: bool = True) -> ServingRecord | None:
    """Make evaluation record, card and pictures those of the version that serves, and let every page name it.

    What is up to date is left alone; ``serving`` is written last, so that a renewal that was killed is repeated.

    Args:
        catalog: The project's catalog.
        use_case: Name of the registered model.
        overview: Whether the page of the whole data folder is renewed, too.

    Returns:
        Which version serves; None before the first champion.
    """
    entry = f"{use_case}.serving"
    serving = registry.serving_record(use_case)
    if serving is None or entry not in catalog:
        return serving
    known, shown = catalog.load(entry), catalog.load(f"{use_case}.evaluation")
    moved = known != serving
    if moved or shown is None or shown.version != serving.version:
        for name, content in registry.published_figures(use_case, serving.version).items():
            catalog.save(f"{use_case}.{name}", content)
        _renew_contents(catalog, use_case)
    _renew_index(catalog, use_case)
    _renew_texts(catalog, use_case, serving)
    _renew_cards(catalog, use_case)
    if moved:
        _renew_dashboard(catalog, use_case)
        registry.describe(serving)
        catalog.save(entry, serving)
    if overview:
        renew_overview(catalog)
    return serving


def renew_overview(catalog: CatalogProtocol) -> None:
    """The page of the data folder that leads to every use case's pages."""
    if "overview" in catalog:
        found = {name: _pages_of(catalog, name) for name in use_cases()}
        catalog.save("overview", overview_page(found))


def written_pages(pipeline: Pipeline) -> list[str]:
    """The pages that a pipeline writes, as paths under the folder of reports.

    Args:
        pipeline: What ran.
    """
    outputs = [name.partition(".") for name in sorted(pipeline.all_outputs())]
    files = {entry: file for file, entry in _PAGE_ENTRIES.items()}
    return [f"{use_case}/{files[entry]}" for use_case, _, entry in outputs if entry in files]


def _pages_of(catalog: CatalogProtocol, use_case: str) -> UseCasePages:
    entries = {file: f"{use_case}.{entry}" for file, entry in _PAGE_ENTRIES.items()}
    return UseCasePages(
        tuple(file for file, entry in entries.items() if entry in catalog and catalog.exists(entry)),
        catalog.load(f"{use_case}.serving"),
        catalog.load(f"{use_case}.newest_monitoring"),
    )


def _renew_contents(catalog: CatalogProtocol, use_case: str) -> None:
    entry, evaluation = f"{use_case}.evaluation_contents", catalog.load(f"{use_case}.evaluation")
    if catalog.exists(entry):
        spoken_of = {name: getattr(evaluation, name) for name in ("as_of", "status", "version")}
        catalog.save(entry, catalog.load(entry).model_copy(update=spoken_of))


def _renew_index(catalog: CatalogProtocol, use_case: str) -> None:
    names = ("monitoring", "evaluation_contents", "retraining", "experiment")
    entries = {name: f"{use_case}.{name}" for name in names if catalog.exists(f"{use_case}.{name}")}
    if catalog.exists(f"{use_case}.index") and "monitoring" in entries:
        found = {name: catalog.load(entry) for name, entry in entries.items()}
        others = (found.get(name) for name in names[1:])
        page = index_page(found["monitoring"], *others)
        catalog.save(f"{use_case}.index", page)


def _renew_cards(catalog: CatalogProtocol, use_case: str) -> None:
    """Keep a card of every version that serves or served, whichever pipeline made it."""
    entries = {"model_card_page": f"{use_case}.version_cards", "model_card": f"{use_case}.version_cards_markdown"}
    if any(entry not in catalog for entry in entries.values()):
        return
    kept = [set(catalog.load(entry)) if catalog.exists(entry) else set() for entry in entries.values()]
    for number in dict.fromkeys(line.to_version for line in registry.moves(use_case)):
        name = f"version-{number}"
        if any(name not in names for names in kept):
            with suppress(EvergreenError):  # a version that is gone has no card
                stored = registry.published_figures(use_case, number)
                for form, entry in entries.items():
                    catalog.save(entry, {name: stored[form]})


def _renew_dashboard(catalog: CatalogProtocol, use_case: str) -> None:
    entry = f"{use_case}.dashboard"
    if entry in catalog and catalog.exists(entry):
        policy = catalog.load(f"params:{use_case}.monitoring")
        records = [catalog.load(f"{use_case}.{name}") for name in DASHBOARD_RECORDS]
        catalog.save(entry, write_dashboard(use_case, policy, "", *records))


def _renew_texts(catalog: CatalogProtocol, use_case: str, serving: ServingRecord) -> None:
    monitoring = catalog.load(f"{use_case}.monitoring") if catalog.exists(f"{use_case}.monitoring") else None
    watched = monitoring.version if monitoring is not None else serving.version
    renewals: dict[str, Callable[[str], str]] = {
        "model_card": lambda text: with_line(text, serving, serving.version),
        "model_card_page": lambda text: with_banner(text, serving, serving.version),
        "index": lambda text: with_banner(text, serving, serving.version),
        "monitoring_page": lambda text: with_banner(text, serving, watched),
        "monitoring_metrics": lambda text: with_gauge(text, serving),
    }
    for name, renewed in renewals.items():
        entry = f"{use_case}.{name}"
        if catalog.exists(entry):
            text = catalog.load(entry)
            if (new := renewed(text)) != text:
                catalog.save(entry, new)
