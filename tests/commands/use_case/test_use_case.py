"""Claims about `kedro use-case`: what a table's columns are for, what is written, what is refused, what is missing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result
from kedro.framework.startup import bootstrap_project

from evergreen.commands.use_case import use_case
from evergreen.commands.use_case.facts import table_facts
from evergreen.commands.use_case.folder import days_of_tests, windows
from evergreen.commands.use_case.opening import opened
from evergreen.commands.use_case.proposal import Asked, Proposal, propose
from evergreen.errors import EvergreenError
from tests_support import ROOT, USE_CASES, Project

pytestmark = pytest.mark.slow

ROWS = 1200


def table(**columns: object) -> pd.DataFrame:
    """Rows with a key, a number, a category and an outcome that follows from them, and whatever else is asked for."""
    draw = np.random.default_rng(0)
    amount, region = draw.normal(50, 10, ROWS).round(2), draw.choice(list("NSEW"), ROWS)
    odds = np.exp((amount - 55) / 8 + (region == "N"))
    paid = draw.random(ROWS) < odds / (1 + odds)
    own = {"customerID": [f"{i:05d}" for i in range(ROWS)], "amount": amount, "region": region}
    return pd.DataFrame({**own, "defaulted": np.where(paid, "Yes", "No"), **columns})


def looked_at(rows: pd.DataFrame, folder: Path, suffix: str = "csv", **asked: object) -> Proposal:
    file = folder / f"table.{suffix}"
    rows.to_csv(file, index=False) if suffix == "csv" else rows.to_parquet(file, index=False)
    with opened(file) as open_table:
        wishes = Asked(**{"target": "defaulted", **asked})
        return propose(table_facts(open_table, wishes.target), open_table, wishes)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_each_column_gets_its_part_in_every_format(tmp_path: Path, suffix: str) -> None:
    draw = np.random.default_rng(1)
    rows = table(
        constant=1,
        note=[f"called {i} times" for i in range(ROWS)],
        store_id=draw.integers(1, 400, ROWS),
        default_reason=draw.choice(["a", "b"], ROWS),
        signup=pd.date_range("2020-01-01", periods=ROWS).astype("str"),
        active=draw.choice([True, False], ROWS),
    )
    found = looked_at(rows, tmp_path, suffix)
    assert (found.entity, found.positive, found.date) == ("customerID", "Yes", None)
    assert (found.numeric, found.categorical) == (["amount"], ["region", "active"])
    assert set(found.left_out) == {"constant", "note", "store_id", "default_reason", "signup"}
    assert found.outcome_time == ["default_reason"]


def test_keys_and_one_level_a_row_are_counted_exactly(tmp_path: Path) -> None:
    nearly = np.arange(ROWS)
    nearly[-1] = 0
    found = looked_at(table(running=np.arange(ROWS), nearly=nearly), tmp_path)
    assert found.left_out == {"running": "a different value in every row"}
    with pytest.raises(EvergreenError, match=r"nearly repeats in 1 of 1,200 rows"):
        looked_at(table(nearly=nearly), tmp_path, entity="nearly")


def test_leading_zeros_and_decimals_after_the_first_lines_are_kept(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {"customerID": [f"{i:06d}" for i in range(30_000)], "amount": 7.0, "defaulted": [0, 1] * 15_000}
    )
    text = rows.astype({"amount": int}).to_csv(index=False).replace("029999,7", "029999,7.25")
    (tmp_path / "late.csv").write_text(text)
    with opened(tmp_path / "late.csv") as late:
        found = table_facts(late, "defaulted")
    assert found.sample["customerID"].str.len().eq(6).all()
    assert found.columns["amount"].greatest == 7.25


def test_a_late_text_makes_the_whole_column_text_and_still_a_number_by_its_share(tmp_path: Path) -> None:
    amounts = ["7"] * 30_000
    amounts[-1] = "n/a"
    pd.DataFrame({"id": range(30_000), "amount": amounts, "bad": [0, 1] * 15_000}).to_csv(
        tmp_path / "t.csv", index=False
    )
    with opened(tmp_path / "t.csv") as late:
        column = table_facts(late, "bad").columns["amount"]
    assert (column.stored, column.kind, column.greatest) == ("VARCHAR", "number", 7.0)


def test_different_numbers_with_one_that_is_none_are_a_feature(tmp_path: Path) -> None:
    odd = [f"{i / 8}" for i in range(ROWS - 1)] + ["n/a"]
    assert looked_at(table(odd=odd), tmp_path).numeric == ["amount", "odd"]


def test_the_only_date_without_nulls_dates_the_rows(tmp_path: Path) -> None:
    found = looked_at(
        table(day=pd.date_range("2024-01-01", periods=ROWS, freq="6h"), birth_date="1990-01-01"), tmp_path
    )
    assert found.date == "day"
    assert [str(day) for day in found.days or ()] == ["2024-01-01", "2024-10-26"]


def test_a_panel_has_a_key_with_its_date_and_its_entities_stay_together(tmp_path: Path) -> None:
    days = np.tile(pd.date_range("2024-01-01", periods=40), 30)
    found = looked_at(table(customerID=np.repeat(np.arange(30), 40), day=days), tmp_path, entity="customerID")
    assert (found.entity, found.date, found.panel, found.block) == ("customerID", "day", True, [])
    with pytest.raises(EvergreenError, match="customerID repeats in 1,170 of 1,200 rows"):
        looked_at(table(customerID=np.repeat(np.arange(30), 40)), tmp_path, entity="customerID")


def test_rows_of_another_key_that_repeats_stay_together(tmp_path: Path) -> None:
    assert looked_at(table(household_id=np.arange(ROWS) // 3), tmp_path).block == ["household_id"]


@pytest.mark.parametrize(
    ("outcome", "positive"),
    [(["yes", "no"], "yes"), ([1, 0], 1), (["good", "good", "bad"], "bad"), ([2, 2, 1], 1), ([True, False], True)],
)
def test_the_word_for_yes_counts_as_1_and_else_the_rarer_value(
    outcome: list[object], positive: object, tmp_path: Path
) -> None:
    rows = table(defaulted=(outcome * ROWS)[:ROWS])
    assert looked_at(rows, tmp_path, "parquet").positive == positive


@pytest.mark.parametrize(
    ("columns", "asked", "sentence"),
    [
        ({"defaulted": (["a", "b", "c"] * ROWS)[:ROWS]}, {}, "defaulted has 3 values .* say with --positive"),
        ({"defaulted": "a"}, {}, "an outcome needs two different values"),
        ({}, {"positive": "Maybe"}, r"--positive Maybe is no value of defaulted: it holds No"),
        ({}, {"target": "churned"}, "no column churned: --target is one of customerID, amount"),
        ({}, {"entity": "key"}, "no column key: --entity is one of"),
        ({}, {"date": "region"}, "--date region holds text values such as E"),
        ({"customerID": 1}, {}, "no column of table.csv is different in every row"),
    ],
)
def test_what_cannot_be_a_use_case_is_refused_with_what_to_do(
    columns: dict[str, object], asked: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(EvergreenError, match=sentence):
        looked_at(table(**columns), tmp_path, **asked)


@pytest.mark.parametrize(
    ("name", "sentence"), [("t.xlsx", "is a workbook"), ("t.json", "neither CSV"), ("no.csv", "no file")]
)
def test_files_of_other_kinds_are_refused(name: str, sentence: str, tmp_path: Path) -> None:
    if not name.startswith("no"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(EvergreenError, match=sentence), opened(tmp_path / name):
        pass


def test_windows_hold_some_hundred_rows_and_end_before_the_table_does() -> None:
    year = (pd.Timestamp("2024-01-01").date(), pd.Timestamp("2024-12-31").date())
    assert windows(1_000_000, year) == (7, 28, 1000)
    assert windows(3_660, year) == (28, 73, 365)


def test_a_panel_is_tested_on_as_many_days_as_its_few_tested_entities_need() -> None:
    years = (pd.Timestamp("1980-12-31").date(), pd.Timestamp("1987-12-31").date())
    assert days_of_tests(4_360, years, panel=False) == 91
    assert days_of_tests(4_360, years, panel=True) == 852
    assert days_of_tests(1_000_000, years, panel=True) == 91


def command(*arguments: str) -> Result:
    bootstrap_project(ROOT)
    return CliRunner().invoke(use_case, arguments, catch_exceptions=False)


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return Project(tmp_path / "data").conf_with(tmp_path, "other", {})


def test_a_feature_that_tells_the_outcome_is_left_out_and_declared_so(tmp_path: Path, conf: Path) -> None:
    rows = table()
    rows.assign(balance=np.where(rows["defaulted"] == "Yes", 1.0, 2.0) + rows["amount"] / 1000).to_csv(
        tmp_path / "t.csv"
    )
    done = command("add", "loans", f"--table={tmp_path}/t.csv", "--target=defaulted", f"--conf-source={conf}")
    assert done.exit_code == 0
    assert "left out: balance, it tells the outcome at ROC AUC 1.000" in done.output
    written = yaml.safe_load((conf / "loans/loans/parameters.yml").read_text())["loans"]["table"]
    assert written["numeric"] == ["amount"]
    assert written["columns"] == {"balance": {"known_at": "outcome"}}


def test_a_dry_run_prints_the_files_and_writes_none(tmp_path: Path, conf: Path) -> None:
    table().to_parquet(tmp_path / "t.parquet")
    arguments = ("add", "loans", f"--table={tmp_path}/t.parquet", "--target=defaulted", f"--conf-source={conf}")
    assert "entity: customerID" in command(*arguments, "--dry-run").output
    assert not (conf / "loans").exists()
    assert command(*arguments).exit_code == 0
    assert "exists: edit its files" in command(*arguments).output


def test_check_says_what_is_missing(tmp_path: Path, conf: Path) -> None:
    table().to_csv(tmp_path / "t.csv", index=False)
    command("add", "loans", f"--table={tmp_path}/t.csv", "--target=defaulted", "--env=other", f"--conf-source={conf}")
    asked = ("check", "loans", "--env=other", f"--conf-source={conf}")
    assert command(*asked).output == "loans: nothing is missing\n"
    table().drop(columns="region").to_csv(tmp_path / "t.csv", index=False)
    assert "loans: 2 to correct" in command(*asked).output
    (tmp_path / "t.csv").unlink()
    assert "loans.customers" in command(*asked).output


def digests(folder: Path) -> dict[str, str]:
    """Every file that the shipped use cases have in the data folder, the registry's and the runs' apart."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and {*USE_CASES} & {*file.parts}]
    kept = [file for file in files if "mlflow" not in file.parts]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in kept}


def listed(project: Project) -> list[str]:
    return [project.kedro("models", "list", f"--use-case={name}").stdout for name in USE_CASES]


def test_two_commands_lead_from_a_csv_to_a_champion_and_leave_other_use_cases_as_they_are(
    relived: Project, tmp_path: Path
) -> None:
    conf = relived.conf_with(tmp_path, "mine", {"parameters.yml": "loans: {training: {strategy: none}}"})
    table().to_csv(tmp_path / "t.csv", index=False)
    before, versions = digests(relived.data), listed(relived)
    assert any(file.endswith("monitoring.html") for file in before)
    where = ("--env=mine", f"--conf-source={conf}")
    added = relived.kedro("use-case", "add", "loans", f"--table={tmp_path}/t.csv", "--target=defaulted", *where)
    assert added.returncode == 0, added.stderr
    printed = added.stdout.strip().rpartition("Run it: kedro ")[2].split()
    assert {*printed} == {"run", "--namespaces=loans", *where}
    done = relived.kedro(*printed)
    assert done.returncode == 0, done.stderr
    assert relived.record("loans", "evaluation")["promotion"]["champion_after"] == "1"
    assert "champion   version 1" in done.stdout
    assert listed(relived) == versions
    assert digests(relived.data) == before


def test_another_table_under_a_shipped_name_is_refused_before_anything_is_run(relived: Project, tmp_path: Path) -> None:
    own = {"entity": "customerID", "target": "defaulted", "positive": "Yes", "numeric": ["amount"], "categorical": []}
    conf = relived.conf_with(tmp_path, "mine", {"parameters.yml": yaml.safe_dump({"churn": {"table": own}})})
    before = digests(relived.data)
    done = relived.run(f"--conf-source={conf}", "--namespaces=churn", env="mine")
    assert done.returncode == 1
    assert "churn is another table here than the one that version" in done.stderr
    assert "`kedro use-case add`" in done.stderr
    assert digests(relived.data) == before
