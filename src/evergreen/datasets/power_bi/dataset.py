"""The catalog connector: what a DAX query says of a Power BI semantic model, as a parquet file that is kept a while."""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import DatasetError

from evergreen.datasets.own_table import OwnTableDataset
from evergreen.datasets.power_bi.semantic_model import Row, SemanticModel, Service, ServicePrincipal
from evergreen.datasets.whole import written_whole
from evergreen.errors import EvergreenError

_LOGGER = logging.getLogger(__name__)
_QUESTION_KEY: Final = b"evergreen.question"
_ASKED_KEY: Final = b"evergreen.asked"
_DAX_NAME: Final = re.compile(r"^'?(?P<table>[^\[\]]*?)'?\[(?P<column>.+)\]$")


class PowerBIDataset(OwnTableDataset):
    """Loads the table that a DAX query evaluates to, lazily and from a parquet file that is asked for anew in time.

    The file carries the question that it answers and when that was asked. Another question, or an answer older than
    ``max_age_hours``, is asked again; the new file takes the place of the old one only when it is whole. Tables of
    one ``connection`` can be joined.

    Example:
        ```yaml
        high_value_sales.business_kpis:
          type: evergreen.datasets.PowerBIDataset
          filepath: ${data:}/01_raw/business_kpis.parquet
          group: 3d9b93c6-7b6d-4801-a491-1738910904fd
          dataset: cfafbeb1-8037-4d0c-896e-a46fb27ff229
          query: EVALUATE SUMMARIZECOLUMNS('KPI'[Retailer], 'KPI'[Month], "Target", [Sales Target], "Margin", [Margin])
          columns: {"KPI[Retailer]": retailer_id, "KPI[Month]": month, "[Target]": sales_target, "[Margin]": margin}
          types: {retailer_id: string, month: date, sales_target: float64, margin: float64}
          max_age_hours: 12
          credentials: power_bi
          connection: ${globals:connection}
        ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        dataset: str,
        query: str,
        credentials: dict[str, str],
        group: str | None = None,
        columns: dict[str, str] | None = None,
        types: dict[str, str] | None = None,
        max_age_hours: float = 24.0,
        service: dict[str, Any] | None = None,
        connection: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Describe the question; nothing is asked before the first load.

        Args:
            filepath: Parquet file that keeps the answer.
            dataset: Id of the semantic model.
            query: One DAX query that evaluates to one table.
            credentials: ``{tenant_id: …, client_id: …, client_secret: …}`` of a service principal.
            group: Id of the model's workspace.
            columns: DAX name → plain name of the columns to keep; default: all, ``Table[Column]`` as ``Column``.
            types: Plain name → Ibis type, such as ``date``, ``float64``, ``string``; default: as they come, and dates
                come as ISO text.
            max_age_hours: How old the kept answer may be; 0: always ask.
            service: Fields of :class:`~evergreen.datasets.power_bi.semantic_model.Service` that differ: addresses of
                another cloud, certificates, attempts and waits.
            connection: Ibis connection, shared by all datasets with an equal one.
            fs_args: What the file system takes where the file lies in a bucket.
            metadata: Kept for plugins.

        Raises:
            EvergreenError: A part of the credentials, or an unknown field of ``service`` or type.
        """
        super().__init__(filepath=filepath, connection=connection, fs_args=fs_args, metadata=metadata)
        self._table = f"Power BI semantic model {dataset}"
        self._model = SemanticModel(dataset, group, self._principal(credentials), self._service(service or {}))
        self._query = query
        self._columns = _unique(columns, self._table) if columns else None
        self._types = {name: self._type(name, kind) for name, kind in (types or {}).items()}
        self._max_age = dt.timedelta(hours=max_age_hours)
        question = {"dataset": dataset, "group": group, "query": query, "columns": columns, "types": types}
        self._question = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()

    def load(self) -> ir.Table:
        """Return the lazy table on the shared connection.

        Raises:
            EvergreenError: The question is due and the service doesn't answer it; the kept file stays.
        """
        path = self._place
        asked = asked_at(path, self._question)
        now = dt.datetime.now(dt.UTC)
        if asked is None or now - asked >= self._max_age:
            _LOGGER.info("Asking %s for %s", self._table, path.name)
            self._keep(self._plain(self._model.query(self._query)), path, now)
        return super().load()

    def save(self, data: ir.Table) -> NoReturn:  # noqa: ARG002 - the interface has it
        """Refuse: the semantic model is a source."""
        raise DatasetError(f"{self._table} is a source and is not written to.")

    def _plain(self, rows: list[Row]) -> pa.Table:
        """The rows under plain names and declared types."""
        if not rows:
            raise EvergreenError(f"{self._table}: the query gave no row, allowed is 1 or more; check its filters.")
        names = self._columns or _plain_names(list(rows[0]), self._table)
        for dax in names:
            if dax not in rows[0]:
                close = difflib.get_close_matches(dax, rows[0], n=1)
                hint = f"did you mean '{close[0]}'? " if close else ""
                raise EvergreenError(
                    f"{self._table}: the result has no column '{dax}': {hint}it has {', '.join(rows[0])}; correct "
                    "columns or query in the catalog entry."
                )
        return pa.table({name: self._column(name, [row.get(dax) for row in rows]) for dax, name in names.items()})

    def _column(self, name: str, values: list[Any]) -> pa.Array:
        kind = self._types.get(name)
        try:
            if kind is None:
                return pa.array(values)
            if pa.types.is_date(kind) or pa.types.is_timestamp(kind):  # the service writes both as ISO timestamps
                return pa.array(values, pa.string()).cast(pa.timestamp("us")).cast(kind)
            if pa.types.is_string(kind):
                return pa.array([None if value is None else str(value) for value in values], kind)
            return pa.array(values, kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise EvergreenError(
                f"{self._table}: column '{name}' holds values that are no {kind or 'one type'} ({error}); correct "
                "types in the catalog entry, or the measure."
            ) from error

    def _keep(self, table: pa.Table, path: Path, asked: dt.datetime) -> None:
        stored = {_QUESTION_KEY: self._question.encode(), _ASKED_KEY: asked.isoformat().encode()}
        with written_whole(path) as temporary:
            pq.write_table(table.replace_schema_metadata(stored), temporary)

    def _principal(self, credentials: Mapping[str, str]) -> ServicePrincipal:
        wanted = ("tenant_id", "client_id", "client_secret")
        missing = [name for name in wanted if not credentials.get(name)]
        if missing:
            raise EvergreenError(
                f"{self._table}: the credentials lack {', '.join(missing)}; set {', '.join(wanted)} in "
                "conf/local/credentials.yml."
            )
        return ServicePrincipal(**{name: str(credentials[name]) for name in wanted})

    def _service(self, fields: dict[str, Any]) -> Service:
        unknown = sorted(set(fields) - set(Service.__dataclass_fields__))
        if unknown:
            raise EvergreenError(
                f"{self._table}: service has no field {', '.join(unknown)}, allowed are "
                f"{', '.join(Service.__dataclass_fields__)}; correct the catalog entry."
            )
        return Service(**fields)

    def _type(self, name: str, kind: str) -> pa.DataType:
        try:
            return ibis.dtype(kind).to_pyarrow()
        except Exception as error:  # ibis' parser raises its own
            raise EvergreenError(
                f"{self._table}: the type of '{name}' is '{kind}', allowed are Ibis types such as string, date, "
                "int64, float64; correct types in the catalog entry."
            ) from error

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "model": self._table, "query": self._query}


def asked_at(path: Path, question: str) -> dt.datetime | None:
    """When the file's question was asked; None for a missing or broken file, or one that answers another question."""
    try:
        with path.open("rb") as file:
            stored = pq.read_metadata(file).metadata or {}
    except (FileNotFoundError, pa.ArrowInvalid):
        return None
    if stored.get(_QUESTION_KEY, b"").decode() != question:
        return None
    return dt.datetime.fromisoformat(stored[_ASKED_KEY].decode())


def _plain_names(columns: list[str], table: str) -> dict[str, str]:
    """``Table[Column]`` and ``[Measure]`` without table and brackets."""
    return _unique({dax: (match["column"] if (match := _DAX_NAME.match(dax)) else dax) for dax in columns}, table)


def _unique(columns: dict[str, str], table: str) -> dict[str, str]:
    names = list(columns.values())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise EvergreenError(
            f"{table}: several columns of the result are called {', '.join(twice)}, allowed is each name once; name "
            "them under columns in the catalog entry."
        )
    return columns
