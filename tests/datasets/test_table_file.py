"""Files are read without loss, or refused in one sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError

from evergreen import scratch
from evergreen.configuration import _read_without_loss
from evergreen.datasets import TableFileDataset

CONNECTION = {"backend": "duckdb", "database": ":memory:", "preserve_insertion_order": False}


def read(path: Path, kind: str = "csv", **load_args: object):
    options = {"file_format": kind, "connection": CONNECTION, "load_args": load_args, "table": "churn.customers"}
    table = TableFileDataset(str(path), **options).load()
    return table.to_pyarrow().to_pandas().sort_values(table.columns[0], ignore_index=True), table


def written(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def refusal(path: Path, kind: str = "csv", **load_args: object) -> str:
    with pytest.raises(DatasetError) as error:
        read(path, kind, **load_args)
    return str(error.value.__cause__)


def test_decimals_that_come_late_keep_their_fractions(tmp_path):
    late = [f"{i},{i}" for i in range(21_000)] + [f"{i},{i}.25" for i in range(21_000, 21_100)]
    rows, _ = read(written(tmp_path / "late.csv", "id,charge", *late))
    assert rows.charge.sum() == sum(range(21_100)) + 25


def test_text_in_a_number_column_leaves_it_text_so_that_it_can_be_counted(tmp_path):
    rows, _ = read(written(tmp_path / "n.csv", "id,charge", *(f"{i},{i}" for i in range(30)), "30,n/a"))
    assert rows.charge.tolist()[-2:] == ["29", "n/a"]


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (["1", "2"], [1, 2]),
        (["01", "2"], ["01", "2"]),
        (["1.5", "2.0"], [1.5, 2.0]),
        (["1.50", "2.25"], [1.5, 2.25]),
        (["1.10", "1.1"], ["1.10", "1.1"]),
        (["1", "1.0"], ["1", "1.0"]),
        (["12345678901234567890", "12345678901234567891"], ["12345678901234567890", "12345678901234567891"]),
        (["Yes", "No"], ["Yes", "No"]),
        (["true", "false"], ["true", "false"]),
    ],
)
def test_a_column_becomes_numbers_only_where_each_comes_back_as_it_was_written(tmp_path, values, kept):
    rows, _ = read(written(tmp_path / "v.csv", "id,code", *(f"{i},{value}" for i, value in enumerate(values))))
    assert rows.code.tolist() == kept


def test_a_declared_type_goes_before_what_the_rows_suggest(tmp_path):
    rows, _ = read(written(tmp_path / "t.csv", "id,code", "1,7", "2,8"), types={"code": "VARCHAR"})
    assert rows.code.tolist() == ["7", "8"]


def test_a_copy_in_another_encoding_lies_where_copies_are_cleaned(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "_roots", [tmp_path / "copies"])
    read(written(tmp_path / "e.csv", "id,plan", "1,groß", encoding="cp1252"), encoding="cp1252")
    assert [copy.suffix for copy in (tmp_path / "copies").rglob("*") if copy.suffix == ".csv"] == [".csv"]


def test_an_encoding_is_named_in_the_refusal_and_read_once_it_is_given(tmp_path):
    path = written(tmp_path / "e.csv", "id,plan", "1,a", "2,groß", encoding="cp1252")
    assert refusal(path) == (
        "churn.customers: e.csv is not UTF-8 (line 3 holds the byte 0xdf): say how it is encoded, for instance "
        "`load_args: {encoding: cp1252}` (or latin-1, utf-16) in its catalog entry."
    )
    assert read(path, encoding="cp1252")[0].plan.tolist() == ["a", "groß"]
    assert "can't be read as 'ascii'" in refusal(path, encoding="ascii")


def test_decimal_commas_are_named_in_the_refusal_and_read_once_they_are_given(tmp_path):
    path = written(tmp_path / "c.csv", "id;charge;day", "1;2,5;31/12/2025", "2;3,75;01/01/2026")
    assert "charge of c.csv hold numbers with a decimal comma" in refusal(path)
    rows, table = read(path, decimal_separator=",")
    assert rows.charge.tolist() == [2.5, 3.75]
    assert table.day.type().is_date()


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["id,w", "id,w", "1,2"], "h.csv holds its column names on line 2, too"),
        (["id,w", "1,2", "id,w", "3,4"], "h.csv holds its column names on 1 further lines"),
        (["id,w,v", ",kg,EUR", "1,2.5,3", "2,3,4"], "line 2 of h.csv looks like a second header (, kg, EUR)"),
        (["charge,Charge", "1,2"], "h.csv has columns charge, Charge, whose names are equal or differ by case only"),
        (["id,w,v", "1,2,3", "2,3"], "h.csv has a single column named 'id,w,v'"),
    ],
)
def test_a_header_that_is_none_or_comes_twice_is_found(tmp_path, lines, sentence):
    assert sentence in refusal(written(tmp_path / "h.csv", *lines))


def test_a_missing_file_is_named_with_its_table(tmp_path):
    assert refusal(tmp_path / "none.csv").startswith("churn.customers: ")


def test_several_csv_files_are_read_by_name_with_the_type_that_holds_them_all(tmp_path):
    written(tmp_path / "a.csv", "id,x", "1,5")
    written(tmp_path / "b.csv", "x,id", "2.5,2")
    assert read(tmp_path / "*.csv")[0].x.tolist() == [5.0, 2.5]
    written(tmp_path / "c.csv", "id,y", "3,1")
    assert "x, y stand in one of a.csv and c.csv only" in refusal(tmp_path / "*.csv")


def parts(folder: Path, *columns: pa.Array) -> Path:
    for i, column in enumerate(columns):
        pq.write_table(pa.table({"x": column, "id": [i] * len(column)}), folder / f"part-{i}.parquet")
    return folder


def test_fractions_of_a_later_parquet_file_are_kept(tmp_path):
    rows, _ = read(parts(tmp_path, pa.array([1, 2]), pa.array([1.5])), "parquet")
    assert rows.x.sum() == 4.5


@pytest.mark.parametrize(
    ("later", "sentence"),
    [
        (pa.array(["a"]), "column x is BIGINT in {folder}/part-0.parquet but VARCHAR in {folder}/part-1.parquet"),
        (pa.array([True]), "column x is BIGINT in {folder}/part-0.parquet but BOOLEAN in {folder}/part-1.parquet"),
    ],
)
def test_parquet_files_of_two_types_are_refused_with_file_column_and_both(tmp_path, later, sentence):
    folder = parts(tmp_path, pa.array([1, 2]), later)
    assert sentence.format(folder=tmp_path.name) in refusal(folder, "parquet")


def test_whole_numbers_that_a_float_would_round_are_refused(tmp_path):
    folder = parts(tmp_path, pa.array([2**60 + 1]), pa.array([1.5]))
    assert "whole numbers up to 1152921504606846977, which would be rounded" in refusal(folder, "parquet")


def test_the_catalogs_file_entries_are_read_this_way():
    entry = {"type": "ibis.FileDataset", "filepath": "x.csv", "file_format": "csv"}
    other = {"type": "pandas.CSVDataset", "filepath": "x.csv"}
    catalog = _read_without_loss({"churn.customers": entry, "other": other, "_shared": 1})
    assert catalog["churn.customers"] == {
        **entry,
        "type": "evergreen.datasets.TableFileDataset",
        "table": "churn.customers",
    }
    assert catalog["other"] == other
