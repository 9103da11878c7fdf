"""What dbt left behind in its target folder: which tables exist, their columns, how tests and sources fared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, AliasPath, BaseModel, ConfigDict, Field, ValidationError

from evergreen.errors import EvergreenError

MANIFEST, CATALOG, RUN_RESULTS, SOURCES = "manifest.json", "catalog.json", "run_results.json", "sources.json"
TABLE_KINDS = ("model", "seed", "snapshot", "source")
Content = TypeVar("Content", bound=BaseModel)


def _in_utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


Moment = Annotated[dt.datetime, AfterValidator(_in_utc)]


class Artefact(BaseModel):
    """A piece of a file that dbt wrote; what other versions of dbt add to it is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Node(Artefact):
    """A model, seed, snapshot, source or test.

    Attributes:
        unique_id: dbt's own name of it, for instance ``model.shop.fact_sales``.
        name: What ``ref()`` calls it; for a source, its table.
        resource_type: ``model``, ``seed``, ``snapshot``, ``source``, ``test``, ``unit_test`` or another.
        package_name: Project that it belongs to.
        alias: Name of its table in the warehouse where that is another.
        identifier: Likewise, for a source.
        source_name: For a source, the group that ``source()`` names first.
        version: Version of a versioned model.
        latest_version: The version that an unversioned ``ref()`` means.
        parents: Unique ids of what it reads.
        attached_node: For a generic test, the model that declares it.
    """

    unique_id: str
    name: str
    resource_type: str
    package_name: str
    alias: str | None = None
    identifier: str | None = None
    source_name: str | None = None
    version: str | int | float | None = None
    latest_version: str | int | float | None = None
    parents: tuple[str, ...] = Field(default=(), validation_alias=AliasPath("depends_on", "nodes"))
    attached_node: str | None = None

    @property
    def label(self) -> str:
        """The node as people say it."""
        return f"{self.source_name}.{self.name}" if self.source_name else self.name

    @property
    def is_test(self) -> bool:
        """Whether it judges tables instead of making one."""
        return self.resource_type in ("test", "unit_test")


class DbtManifest(Artefact):
    """``manifest.json``: everything that the project declares."""

    project_name: str | None = Field(default=None, validation_alias=AliasPath("metadata", "project_name"))
    adapter_type: str | None = Field(default=None, validation_alias=AliasPath("metadata", "adapter_type"))
    generated_at: Moment = Field(validation_alias=AliasPath("metadata", "generated_at"))
    nodes: dict[str, Node]
    sources: dict[str, Node] = Field(default_factory=dict)
    unit_tests: dict[str, Node] = Field(default_factory=dict)

    def all(self) -> Mapping[str, Node]:
        """Nodes, sources and unit tests by unique id."""
        return {**self.nodes, **self.sources, **self.unit_tests}

    def tables(self) -> list[Node]:
        """Everything that may be a table, models first; of a versioned model, the latest version."""
        found = [node for node in self.all().values() if node.resource_type in TABLE_KINDS]
        latest = [node for node in found if node.version == node.latest_version]
        return sorted(latest, key=lambda node: TABLE_KINDS.index(node.resource_type))

    def with_ancestors(self, unique_id: str) -> dict[str, Node]:
        """The node and everything that it is made from, by unique id; nearest first."""
        known, found, waiting = self.all(), {}, [unique_id]
        for name in waiting:  # grows while it is walked
            if name in known and name not in found:
                found[name] = known[name]
                waiting.extend(known[name].parents)
        return found

    def tests_of(self, judged: Mapping[str, Node]) -> Iterator[Node]:
        """The tests declared for any of these nodes; a test of two belongs to the one that declares it."""
        for node in self.all().values():
            owners = [node.attached_node] if node.attached_node else node.parents
            if node.is_test and any(owner in judged for owner in owners):
                yield node


class CatalogColumn(Artefact):
    """A column as it lies in the warehouse, its type in the warehouse's words."""

    name: str
    type: str


class CatalogTable(Artefact):
    """A table or view as it lies in the warehouse."""

    columns: dict[str, CatalogColumn]


class Catalog(Artefact):
    """``catalog.json``: what ``dbt docs generate`` found in the warehouse."""

    generated_at: Moment = Field(validation_alias=AliasPath("metadata", "generated_at"))
    nodes: dict[str, CatalogTable]
    sources: dict[str, CatalogTable] = Field(default_factory=dict)

    def table(self, unique_id: str) -> CatalogTable | None:
        """The table of a node; None where there is none in the warehouse."""
        return self.nodes.get(unique_id) or self.sources.get(unique_id)


class RunResult(Artefact):
    """How one model or test fared: ``success``, ``pass``, ``warn``, ``fail``, ``error``, ``skipped`` or another."""

    unique_id: str
    status: str
    message: str | None = None


class RunResults(Artefact):
    """``run_results.json``: how the last command of dbt fared; nearly every command overwrites it."""

    generated_at: Moment = Field(validation_alias=AliasPath("metadata", "generated_at"))
    command: str = Field(default="?", validation_alias=AliasPath("args", "which"))
    results: tuple[RunResult, ...]


class Limit(Artefact):
    """An age of a source's newest row, for instance 24 hours."""

    count: int | None = None
    period: Literal["minute", "hour", "day"] | None = None

    @property
    def age(self) -> dt.timedelta | None:
        """The age as a duration; None where no limit is set."""
        return None if self.count is None else dt.timedelta(**{f"{self.period}s": self.count})

    @property
    def label(self) -> str:
        """The age in words."""
        return f"{self.count} {self.period}{'' if self.count == 1 else 's'}"


class Freshness(Artefact):
    """How old the newest row of a source was: ``pass``, ``warn``, ``error`` or ``runtime error``."""

    unique_id: str
    status: str
    max_loaded_at: Moment | None = None
    error_after: Limit | None = Field(default=None, validation_alias=AliasPath("criteria", "error_after"))
    error: str | None = None


class Sources(Artefact):
    """``sources.json``: what ``dbt source freshness`` found."""

    results: tuple[Freshness, ...]


class Artefacts(Artefact):
    """What lies in dbt's target folder; files that dbt has not written are None.

    Attributes:
        folder: The folder.
        manifest: ``manifest.json``.
        catalog: ``catalog.json``, by ``dbt docs generate``.
        run_results: ``run_results.json``, by ``dbt build`` and every other command.
        sources: ``sources.json``, by ``dbt source freshness``.
    """

    folder: Path
    manifest: DbtManifest
    catalog: Catalog | None = None
    run_results: RunResults | None = None
    sources: Sources | None = None

    def results(self) -> tuple[RunResult, ...]:
        """How models and tests fared; nothing where that is not known."""
        return self.run_results.results if self.run_results else ()


def read_artefacts(folder: Path) -> Artefacts:
    """Read dbt's target folder, as dbt 1.8 and newer write it.

    Args:
        folder: The folder, usually ``target/`` of the dbt project.

    Raises:
        EvergreenError: Where there is no ``manifest.json``, or a file can't be understood.
    """
    manifest = _read(folder / MANIFEST, DbtManifest)
    if manifest is None:
        raise EvergreenError(
            f"dbt_target is {folder}, but no {MANIFEST} lies there: point it to the target folder of the dbt project, "
            "and run `dbt build` if it is new."
        )
    return Artefacts(
        folder=folder,
        manifest=manifest,
        catalog=_read(folder / CATALOG, Catalog),
        run_results=_read(folder / RUN_RESULTS, RunResults),
        sources=_read(folder / SOURCES, Sources),
    )


def _read(file: Path, kind: type[Content]) -> Content | None:
    try:
        return kind.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EvergreenError(
            f"{file} can't be read ({error.strerror}): give this user the right to read it."
        ) from error
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"])) or "the file"
        raise EvergreenError(
            f"{file} is not what dbt 1.8 or newer writes ({where}: {fault['msg']}): run dbt again, and let it end."
        ) from error
