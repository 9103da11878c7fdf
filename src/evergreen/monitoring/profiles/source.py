"""One way to read a table for profiling, whether it is a DataFrame or an Ibis expression."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from evergreen.monitoring.profiles.profile import Family
from evergreen.rows.canonical_column import canonical_column
from evergreen.rows.canonical_series import canonical_texts

Kind = str
Batch = dict[str, Any]
HASHED_PIECES = 32
_VALUES_PER_BATCH = 4_000_000
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Cut:
    """How a reference is cut into held-out windows.

    Attributes:
        pieces: Number of held-out windows K; rows outside any of them get the number K.
        date: Date column to cut by, or None to cut by blocks.
        last_day: Newest day, from which windows are counted back.
        period_days: Length of a window.
        last_minute: Newest minute, from which windows of hours are counted back, in place of ``last_day``.
        period_minutes: Length of such a window.
        blocks: Columns whose joint value is never torn apart, or one label per row of a DataFrame.
    """

    pieces: int
    date: str | None = None
    last_day: dt.date | None = None
    period_days: int = 1
    last_minute: dt.datetime | None = None
    period_minutes: int = 60
    blocks: Any = None


class Source(Protocol):
    """A table that can be profiled."""

    families: dict[str, Family]

    def size(self, date: str | None) -> tuple[int, dt.date | None, dt.date | None]:
        """Number of rows, first and last day."""

    def sample(self, kinds: Mapping[str, Kind], rows: int) -> Batch:
        """The columns of at most about ``rows`` random rows."""

    def batches(self, kinds: Mapping[str, Kind], cut: Cut | None) -> Iterator[tuple[Batch, NDArray | None]]:
        """All rows' columns, and each row's piece, batch by batch."""


class FrameSource:
    """A pandas DataFrame."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.families = {str(name): _pandas_family(frame[name]) for name in frame.columns}

    def size(self, date: str | None) -> tuple[int, dt.date | None, dt.date | None]:
        """Number of rows, first and last day."""
        if date is None or not self.frame[date].notna().any():
            return len(self.frame), None, None
        days = pd.to_datetime(self.frame[date])
        return len(self.frame), days.min().date(), days.max().date()

    def sample(self, kinds: Mapping[str, Kind], rows: int) -> Batch:
        """The columns of at most ``rows`` random rows, the same ones each time."""
        frame = self.frame
        if len(frame) > rows:
            chosen = np.random.default_rng(0).choice(len(frame), rows, replace=False)
            frame = frame.iloc[np.sort(chosen)]
        return {name: _from_series(frame[name], kind) for name, kind in kinds.items()}

    def batches(self, kinds: Mapping[str, Kind], cut: Cut | None) -> Iterator[tuple[Batch, NDArray | None]]:
        """All rows' columns, and each row's piece, batch by batch."""
        pieces = None if cut is None else self._pieces(cut)
        step = max(10_000, _VALUES_PER_BATCH // max(len(kinds), 1))
        for start in range(0, len(self.frame), step):
            rows = slice(start, start + step)
            batch = {name: _from_series(self.frame[name].iloc[rows], kind) for name, kind in kinds.items()}
            yield batch, None if pieces is None else pieces[rows]

    def _pieces(self, cut: Cut) -> NDArray[np.integer]:
        if cut.date is None:
            blocks = self.frame[cut.blocks] if isinstance(cut.blocks, list) else pd.Series(cut.blocks)
            return (pd.util.hash_pandas_object(blocks, index=False).to_numpy() % cut.pieces).astype(np.int64)
        age = (pd.Timestamp(str(cut.last_day)) - pd.to_datetime(self.frame[cut.date]).dt.normalize()).dt.days
        return (age // cut.period_days).fillna(cut.pieces).clip(upper=cut.pieces).to_numpy(np.int64)


class IbisSource:
    """An Ibis table; batches are streamed, so memory stays bounded."""

    def __init__(self, table: ir.Table) -> None:
        self.table = table
        self.families = {name: _ibis_family(table[name].type()) for name in table.columns}

    @property
    def engine(self) -> str:
        """Ibis' name of the engine that holds the table."""
        return str(self.table.get_backend().name)

    def size(self, date: str | None) -> tuple[int, dt.date | None, dt.date | None]:
        """Number of rows, first and last day."""
        days = {} if date is None else {"first": self.table[date].min(), "last": self.table[date].max()}
        row = self.table.agg(rows=self.table.count(), **days).to_pyarrow().to_pylist()[0]
        if date is None or row["first"] is None:
            return int(row["rows"]), None, None
        return int(row["rows"]), pd.Timestamp(row["first"]).date(), pd.Timestamp(row["last"]).date()

    def sample(self, kinds: Mapping[str, Kind], rows: int) -> Batch:
        """The columns of at most about ``rows`` random rows."""
        total = int(self.table.count().to_pyarrow().as_py())
        table = self.table.filter(ibis.random() < rows / total) if total > rows else self.table
        return _from_arrow(self.selected(kinds, None, table).to_pyarrow().combine_chunks(), kinds)

    def batches(self, kinds: Mapping[str, Kind], cut: Cut | None) -> Iterator[tuple[Batch, NDArray | None]]:
        """All rows' columns, and each row's piece, batch by batch."""
        step = min(max(10_000, _VALUES_PER_BATCH // max(len(kinds), 1)), 500_000)
        reader = self.selected(kinds, cut, self.table).to_pyarrow_batches(chunk_size=step)
        while (rows := _next_batch(reader)) is not None:
            pieces = None if cut is None else rows.column(len(kinds)).to_numpy(zero_copy_only=False)
            yield _from_arrow(rows, kinds), pieces

    def selected(self, kinds: Mapping[str, Kind], cut: Cut | None, table: ir.Table) -> ir.Table:
        """The columns on their profiling types, in order, and last each row's piece where cut."""
        chosen = {f"c{i}": comparable(table[name], kind) for i, (name, kind) in enumerate(kinds.items())}
        return table.select(**chosen, **({} if cut is None else {"piece": piece(table, cut)}))


def _next_batch(reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
    """The next rows, None at the end; Ibis 12 still calls a DuckDB method that has been renamed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fetch_record_batch", DeprecationWarning)
        return next(reader, None)


def comparable(column: ir.Value, kind: Kind) -> ir.Value:
    """A column as floats, canonical texts or timestamps; NaN becomes null."""
    type_ = column.type()
    if kind == "time":
        return column.cast("timestamp")
    if kind == "numeric":
        column = column.cast("int64") if type_.is_boolean() else column
        numbers = column.cast("float64")
        return ibis.ifelse(numbers.isnan(), ibis.null("float64"), numbers) if type_.is_floating() else numbers
    return canonical_column(column)


def piece(table: ir.Table, cut: Cut) -> ir.Value:
    """Number of the held-out window of each row; engines hash differently, any even hash will do."""
    if cut.date is None:
        label = ibis.literal("|").join([table[name].cast("string").fill_null("") for name in cut.blocks])
        return ((label.hash() % cut.pieces) + cut.pieces) % cut.pieces
    if cut.last_minute is not None:
        minutes = table[cut.date].cast("timestamp").truncate("m")
        passed = ibis.timestamp(cut.last_minute).delta(minutes, unit="minute")
        return (passed / cut.period_minutes).floor().cast("int64").fill_null(cut.pieces).clip(0, cut.pieces)
    newest = ibis.date(str(cut.last_day))
    age = newest.delta(table[cut.date].cast("date"), unit="day")
    number = (age / cut.period_days).floor().cast("int64")
    return ibis.ifelse(number < cut.pieces, number, cut.pieces).fill_null(cut.pieces)


def _from_series(series: pd.Series, kind: Kind) -> Any:
    if kind == "numeric":
        return series.to_numpy(np.float64, na_value=np.nan)
    if kind == "time":
        return pd.to_datetime(series, utc=_zoned(series)).dt.tz_localize(None).to_numpy("datetime64[us]")
    codes, texts = canonical_texts(series)
    return pa.array(texts[codes], pa.string(), mask=series.isna().to_numpy())


def _zoned(series: pd.Series) -> bool:
    return isinstance(series.dtype, pd.DatetimeTZDtype)


def _from_arrow(rows: Any, kinds: Mapping[str, Kind]) -> Batch:
    batch: Batch = {}
    for i, (name, kind) in enumerate(kinds.items()):
        column = rows.column(i)
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        if kind == "categorical":
            batch[name] = column.cast(pa.string())
        elif kind == "time":
            batch[name] = column.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
        else:
            batch[name] = column.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    return batch


def _pandas_family(series: pd.Series) -> Family:
    types = pd.api.types
    if types.is_object_dtype(series.dtype) and not series.notna().any():
        return "null"
    tests: list[tuple[Any, Family]] = [
        (types.is_bool_dtype, "boolean"),
        (types.is_numeric_dtype, "number"),
        (types.is_datetime64_any_dtype, "time"),
    ]
    for test, family in tests:
        if test(series.dtype):
            return family
    if types.is_object_dtype(series.dtype):
        inferred = types.infer_dtype(series, skipna=True)
        named: dict[str, Family] = {
            "date": "time",
            "datetime": "time",
            "boolean": "boolean",
            "decimal": "number",
        }
        return named.get(inferred, "text")
    return "text"


def _ibis_family(type_: Any) -> Family:
    if type_.is_boolean():
        return "boolean"
    if type_.is_numeric():
        return "number"
    if type_.is_string():
        return "text"
    if type_.is_date() or type_.is_timestamp():
        return "time"
    return "null" if type_.is_null() else "other"
