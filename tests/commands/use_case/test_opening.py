"""Claims about files that people bring: each is read as a run reads it, or refused with what to say or to mend."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from evergreen.commands.use_case.facts import TableFacts, table_facts
from evergreen.commands.use_case.folder import written
from evergreen.commands.use_case.opening import opened
from evergreen.commands.use_case.proposal import Asked, Proposal, propose
from evergreen.datasets import TableFileDataset
from evergreen.errors import EvergreenError

ROWS = 400
DRAW = np.random.default_rng(5)
OWN = pd.DataFrame(
    {
        "kunde": np.arange(70_000, 70_000 + ROWS),
        "umsatz": DRAW.normal(50, 9, ROWS).round(2),
        "ort": DRAW.choice(["Köln", "Ulm", "Aue"], ROWS),
        "weg": DRAW.choice([0, 1], ROWS, p=[0.7, 0.3]),
    }
)
DAYS = pd.Series(pd.date_range("2025-01-01", periods=100).repeat(4))


def looked_at(file: Path, load_args: dict[str, Any] | None = None, **asked: Any) -> tuple[Proposal, TableFacts]:
    with opened(file, load_args) as table:
        wishes = Asked(**{"target": "weg", **asked})
        facts = table_facts(table, wishes.target)
        return propose(facts, table, wishes), facts


def csv(**options: Any) -> Callable[[pd.DataFrame, Path], Path]:
    def write(rows: pd.DataFrame, folder: Path) -> Path:
        file = folder / options.get("name", "t.csv")
        rows.to_csv(file, **{"index": False, **{key: value for key, value in options.items() if key != "name"}})
        return file

    return write


def in_two(rows: pd.DataFrame, folder: Path) -> Path:
    (folder / "parts").mkdir()
    for name, part in (("a", rows.iloc[:150]), ("b", rows.iloc[150:])):
        part.to_csv(folder / "parts" / f"{name}.csv", index=False)
    return folder / "parts"


WRITTEN: dict[str, tuple[Callable[[pd.DataFrame, Path], Path], dict[str, Any]]] = {
    "decimal commas between semicolons": (csv(sep=";", decimal=","), {}),
    "another encoding": (csv(encoding="cp1252"), {"encoding": "cp1252"}),
    "tabs in a text file": (csv(sep="\t", name="t.txt"), {}),
    "packed by gzip": (csv(name="t.csv.gz"), {}),
    "pandas' index, which has no name": (csv(index=True), {}),
    "a folder of files": (in_two, {}),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_however_a_text_is_written_the_run_reads_what_was_described(kind: str, tmp_path: Path) -> None:
    write, load_args = WRITTEN[kind]
    proposal, facts = looked_at(write(OWN, tmp_path), load_args)
    assert (proposal.entity, proposal.numeric, proposal.categorical) == ("kunde", ["umsatz"], ["ort"])
    entry = yaml.safe_load(written("own", facts, proposal, [], [])["catalog.yml"])["own.customers"]
    entry |= {"connection": {"backend": "duckdb", "database": ":memory:"}}
    table = TableFileDataset(**{name: value for name, value in entry.items() if name != "type"}).load()
    assert table.umsatz.sum().execute() == pytest.approx(OWN.umsatz.sum())
    assert set(table.ort.to_pandas()) == set(OWN.ort)


def parquet(rows: pd.DataFrame, folder: Path) -> Path:
    rows.to_parquet(folder / "t.parquet", index=False)
    return folder / "t.parquet"


@pytest.mark.parametrize("write", [csv(), parquet])
def test_days_may_be_numbers(write: Callable[[pd.DataFrame, Path], Path], tmp_path: Path) -> None:
    file = write(OWN.assign(tag=DAYS.dt.strftime("%Y%m%d").astype(int)), tmp_path)
    found, _ = looked_at(file)
    assert found.date == "tag"
    assert list(map(str, found.days or ())) == ["2025-01-01", "2025-04-10"]
    assert looked_at(file, date="none")[0].left_out == {"tag": "a date that is not the row's"}


def test_a_zone_that_the_file_names_is_where_days_are_counted(tmp_path: Path) -> None:
    rows = OWN.assign(um=pd.date_range("2025-01-01", periods=ROWS, freq="6h", tz="Europe/Berlin"))
    found, facts = looked_at(parquet(rows, tmp_path))
    assert (found.date, found.time_zone) == ("um", "Europe/Berlin")
    described = yaml.safe_load(written("own", facts, found, [], [])["parameters.yml"])["own"]["table"]
    assert described["time_zone"] == "Europe/Berlin"


def test_outcomes_that_are_missing_at_the_end_are_a_delay(tmp_path: Path) -> None:
    rows = OWN.assign(tag=DAYS, weg=OWN.weg.where(pd.Timestamp("2025-04-01") > DAYS))
    found, facts = looked_at(parquet(rows, tmp_path))
    assert found.label_delay_days == 10
    described = yaml.safe_load(written("own", facts, found, [], [])["parameters.yml"])["own"]
    assert described["split"]["label_delay_days"] == 10
    with pytest.raises(EvergreenError, match="only outcomes of the newest days may be missing"):
        looked_at(parquet(rows.assign(weg=rows.weg.where(rows.index != 3)), tmp_path))


@pytest.mark.parametrize(
    ("changed", "left_out"),
    [
        ({"umsatz": [f"{value:,.2f} €" for value in OWN.umsatz * 100]}, "numbers written as text such as"),
        ({"umsatz": OWN.umsatz.where(OWN.index > 0, 1e308)}, "numbers beyond 3.4e"),
        ({"Probability": OWN.umsatz}, "predictions use that name themselves"),
        ({"tag": DAYS.where(DAYS.index != 5, pd.Timestamp("2126-01-01"))}, "not the row's"),
        ({"mail": [f"person{i}@example.com" for i in range(ROWS)]}, "a different value in every row"),
    ],
)
def test_a_column_that_cannot_be_learnt_from_is_left_out_with_why(
    changed: dict[str, Any], left_out: str, tmp_path: Path
) -> None:
    found, _ = looked_at(parquet(OWN.assign(**changed), tmp_path))
    assert left_out in found.left_out[next(iter(changed))]


def test_huge_amounts_and_exact_decimals_are_numbers(tmp_path: Path) -> None:
    exact = [decimal.Decimal(f"{value:.2f}") for value in OWN.umsatz]
    found, _ = looked_at(parquet(OWN.assign(huge=OWN.umsatz * 1e30, exact=exact), tmp_path))
    assert found.numeric == ["umsatz", "huge", "exact"]


def test_a_name_that_looks_like_a_template_of_configuration_is_a_name(tmp_path: Path) -> None:
    from omegaconf import OmegaConf

    found, facts = looked_at(parquet(OWN.rename(columns={"umsatz": "${x}"}), tmp_path))
    described = OmegaConf.create(yaml.safe_load(written("own", facts, found, [], [])["parameters.yml"]))
    assert described.own.table.numeric[0] == "${x}"


@pytest.mark.parametrize(
    ("rows", "asked", "sentence"),
    [
        (OWN.assign(weg=OWN.weg.where(OWN.index % 7 > 0)), {}, "rows to learn from need their outcome"),
        (OWN.assign(weg=(OWN.index < 5).astype(int)), {}, "weg is 1 in 5 of 400 rows: at least 10 rows"),
        (OWN.head(10).assign(weg=[0, 1] * 5), {}, "weg is 1 in 5 of 10 rows"),
        (OWN[["kunde", "weg"]], {}, "no column left to learn from: kunde is the entity; weg the outcome"),
        (OWN.assign(kunde=OWN.kunde.where(OWN.index > 0)), {}, r"kunde comes nearest: no value in 1 of 400 rows"),
        (OWN.assign(tag=DAYS + pd.Timedelta(days=99_999)), {"date": "tag"}, "goes up to .*, in the future"),
    ],
)
def test_what_would_stop_a_run_is_said_before_anything_is_written(
    rows: pd.DataFrame, asked: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(EvergreenError, match=sentence):
        looked_at(parquet(rows, tmp_path), **asked)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.csv", OWN.to_csv(index=False).encode("cp1252"), r"not UTF-8 .* --load-args="),
        ("t.csv", OWN.to_csv(index=False).encode("utf-16"), r"not UTF-8 .* --load-args="),
        ("t.csv", b"", "t.csv is empty"),
        ("t.csv", b"\x00\x01\x02\xff" * 99, "not UTF-8"),
        ("t.csv", b"id,Id,weg\n1,2,3\n4,5,6\n", "differ by case only"),
        ("t.csv.gz", b"kunde,weg\n1,2\n", "no gzip file"),
        ("t.parquet", b"", "can't be read as parquet"),
        ("t.parquet", b"kunde,weg\n1,2\n", "can't be read as parquet"),
        ("t.parquet", b"PAR1" + b"\x00" * 80, "can't be read as parquet"),
        ("t.xlsx", b"PK", "is a workbook"),
        ("t.json", b"{}", "neither CSV"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_in_a_sentence(
    name: str, content: bytes, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EvergreenError, match=sentence) as refusal:
        looked_at(tmp_path / name)
    assert str(refusal.value).count("\n") < 3
