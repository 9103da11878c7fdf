"""What is too much memory for several threads is done again by one."""

from __future__ import annotations

import duckdb
import ibis
import pytest

from evergreen.datasets.own_table import within_memory


def threads(connection: ibis.BaseBackend) -> int:
    return int(connection.con.execute("select current_setting('threads')").fetchone()[0])


def test_one_thread_gets_along_with_what_two_do_not() -> None:
    connection = ibis.duckdb.connect(threads=2)
    seen = []

    def work() -> None:
        seen.append(threads(connection))
        if threads(connection) > 1:
            raise duckdb.OutOfMemoryException("failed to pin block")

    within_memory(connection, work)
    assert seen == [2, 1]
    assert threads(connection) == 2


def test_what_one_thread_cannot_do_either_is_said() -> None:
    connection = ibis.duckdb.connect(threads=2, memory_limit="10MB", temp_directory="")
    rows = "select hash(i) as key, hash(i, 1) as other from range(3_000_000) as numbers(i)"
    with pytest.raises(duckdb.OutOfMemoryException):
        within_memory(connection, lambda: connection.con.execute(f"create table t as {rows} order by key"))
    assert threads(connection) == 2
