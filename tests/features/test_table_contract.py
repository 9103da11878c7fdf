"""What the table of a use case promises follows from its description; serving data promises less."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest

from evergreen.errors import EvergreenError
from evergreen.features import one_table_features
from evergreen.features.contracts import contract_for
from evergreen.schema import TableSpec

ROWS = 200
FIELDS = {"entity": "who", "target": "left", "positive": "Yes", "numeric": ["age"], "categorical": ["plan"]}
SPEC = TableSpec(**FIELDS)
DATED = TableSpec(**FIELDS, date="day")
FIRST = dt.date(2026, 1, 1)


def people(**changed: object) -> pd.DataFrame:
    good = pd.DataFrame(
        {
            "who": [f"c{i}" for i in range(ROWS)],
            "day": [FIRST + dt.timedelta(days=i // 2) for i in range(ROWS)],
            "left": ["Yes", "No"] * (ROWS // 2),
            "age": range(ROWS),
            "plan": ["a", "b"] * (ROWS // 2),
        }
    )
    return good.assign(**changed)


def complaint(frame: pd.DataFrame, spec: TableSpec = SPEC, **options: object) -> str:
    contract = contract_for(spec, **{"labelled": True, "table": "customers", **options})
    try:
        contract.validate(ibis.memtable(frame))
    except EvergreenError as error:
        return str(error)
    return ""


def half_known(known: int) -> list[str | None]:
    return [value if i < known else None for i, value in enumerate(people().left)]


@pytest.mark.parametrize(
    "frame",
    [
        people().drop(columns="left"),
        people(left=pd.Series([None] * ROWS, dtype="str")),
        people(left=half_known(ROWS // 2)),
        people(left="No"),
    ],
)
def test_the_newest_snapshot_needs_no_outcome(frame):
    assert complaint(frame, labelled=False, table="current") == ""
    assert one_table_features(ibis.memtable(frame), SPEC, outcome=False).count().to_pyarrow().as_py() == ROWS


def test_outcomes_may_be_unknown_within_the_label_delay_and_no_longer():
    young = people(left=half_known(ROWS - 20))
    assert complaint(young, DATED, label_delay_days=10) == ""
    assert complaint(young, DATED, label_delay_days=5) == (
        "customers.left fails null_values: 10 of 200 rows up to 2026-04-05 have no outcome, allowed 0; "
        "fill or drop these rows, or raise split.label_delay_days (now 5)."
    )


def test_the_advice_never_takes_away_a_column_that_is_needed():
    lacking = people(Age=1).drop(columns="age")
    assert complaint(lacking).endswith("rename Age.")
    spec = TableSpec(**FIELDS | {"numeric": ["age", "ages"]})
    assert complaint(people(), spec).endswith(
        "customers.ages fails missing_column: no such column, allowed one; add it to the source."
    )


@pytest.mark.parametrize(
    "texts",
    [
        [f"note {i}" for i in range(ROWS)],
        [f"{'a long story of many words that nobody will ever tell again ' * 2}{i // 2 * 2}" for i in range(ROWS)],
    ],
)
def test_ids_and_free_text_are_no_categories(texts):
    assert "customers.plan fails levels_that_repeat" in complaint(people(plan=texts))
    assert "take it off the list" in complaint(people(plan=texts))
    assert complaint(people(plan=texts), labelled=False) == ""


@pytest.mark.parametrize(
    ("changed", "description", "sentence"),
    [
        ({"left": ["a", "b", "c", "d"] * 50}, {"positive": None}, "text (a, b, c, d), allowed numbers where positive"),
        (
            {"left": ["a", "b", "c", "d"] * 50},
            {"positive": "x"},
            "one class only in 200 rows of type string (a, b",
        ),
        ({"left": range(ROWS)}, {"positive": None, "threshold": 500}, "allowed numbers on both sides of 500"),
        ({"left": 1.0}, {"positive": None}, "allowed several values; state threshold"),
    ],
)
def test_an_outcome_that_gives_no_two_classes_is_refused_with_what_would(changed, description, sentence):
    assert sentence in complaint(people(**changed), TableSpec(**FIELDS | description))


@pytest.mark.parametrize(
    ("changed", "description"),
    [
        ({"left": ["a", "b", "c", "d"] * 50}, {"positive": "b"}),
        ({"left": ["a", "b", "c", "d"] * 50}, {"positive": ["b", "c"]}),
        ({"left": range(ROWS)}, {"positive": None, "threshold": 50}),
        ({"left": ["1.0", "0.0"] * 100}, {"positive": 1}),
        ({"left": [True, False] * 100}, {}),
        ({"age": [True, False] * 100}, {}),
        ({"age": ["True", "False"] * 100}, {}),
    ],
)
def test_outcomes_and_features_of_many_kinds_are_accepted(changed, description):
    assert complaint(people(**changed), TableSpec(**FIELDS | description)) == ""


def test_a_panel_repeats_entities_but_not_on_one_day():
    panel = TableSpec(**FIELDS, date="day", panel=True)
    rows = people(who=[f"c{i % 10}" for i in range(ROWS)])
    assert complaint(rows, panel) == ""
    assert "customers.who, day fails duplicate_keys" in complaint(rows.assign(day=FIRST), panel)
    assert "customers.who fails duplicate_keys" in complaint(rows, DATED)


def test_rows_without_a_key_are_refused_or_dropped_as_declared():
    rows = people(who=[None, *people().who[1:]])
    assert "null_values: 1 of 200" in complaint(rows)
    dropping = TableSpec(**FIELDS, null_keys="drop")
    assert complaint(rows, dropping) == ""
    assert one_table_features(ibis.memtable(rows), dropping).count().to_pyarrow().as_py() == ROWS - 1


def test_a_date_among_the_numbers_is_read_as_days_before_the_rows_own():
    joined = [FIRST - dt.timedelta(days=3)] * ROWS
    features = one_table_features(ibis.memtable(people(age=joined)), DATED).order_by("day").to_pyarrow().to_pandas()
    assert features.age.tolist()[:3] == [3.0, 3.0, 4.0]
    with pytest.raises(EvergreenError, match="the rows have none: name it as table"):
        one_table_features(ibis.memtable(people(age=joined)), SPEC)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1.0, 2.0], ["1", "2"]),
        ([True, False], ["1", "0"]),
        (["01", "1"], ["01", "1"]),
        ([FIRST, FIRST], ["2026-01-01"] * 2),
    ],
)
def test_a_category_is_its_canonical_text_in_the_features(values, texts):
    features = one_table_features(ibis.memtable(people(plan=values * (ROWS // 2))), SPEC)
    assert sorted(set(features.plan.to_pyarrow().to_pylist())) == sorted(set(texts))


def test_every_row_to_learn_from_has_its_weight_and_a_new_one_needs_none():
    spec = TableSpec(**FIELDS, weights="weight")
    assert complaint(people(weight=1.5), spec) == ""
    assert "customers.weight fails null_values: 200 of 200" in complaint(people(weight=float("nan")), spec)
    assert complaint(people(), spec, labelled=False) == ""
    assert one_table_features(ibis.memtable(people(weight=2)), spec).weight.max().to_pyarrow().as_py() == 2.0


BAD_VALUES = {
    "an infinite number": ({"age": [*range(199), float("inf")]}, "customers.age fails infinite_values: 1 of 200 rows"),
    "1e300": (
        {"age": [*range(199), 1e300]},
        "customers.age fails infinite_values: 1 of 200 rows are infinite or beyond",
    ),
    "-1e308": ({"age": [*range(199), -1e308]}, "customers.age fails infinite_values"),
    "1e300 as text": ({"age": [*map(str, range(199)), "1e300"]}, "customers.age fails infinite_values"),
    "a day of 2126": (
        {"day": [FIRST] * 199 + [dt.date(2126, 1, 1)]},
        "customers.day fails future_dates: 1 of 200 rows",
    ),
    "a moment of 2126": (
        {"day": [pd.Timestamp(2026, 1, 1)] * 199 + [pd.Timestamp(2126, 1, 1)]},
        "customers.day fails future_dates",
    ),
    "the number 21260101": ({"day": [20260101] * 199 + [21260101]}, "customers.day fails future_dates"),
    "no day of February": ({"day": [20260101] * 199 + [20260230]}, "customers.day fails unparsable_values"),
    "a word for a day": ({"day": ["2026-01-01"] * 199 + ["today"]}, "customers.day fails unparsable_values"),
    "a day that is missing": ({"day": [FIRST] * 199 + [None]}, "customers.day fails null_values"),
    "a key that is missing": ({"who": [*map(str, range(199)), None]}, "customers.who fails null_values"),
    "a key that repeats": ({"who": [*range(199), 0]}, "customers.who fails duplicate_keys"),
    "a fraction as key": ({"who": [*range(199), 0.5]}, "customers.who fails fractional_keys"),
    "a list as key": ({"who": [[i] for i in range(200)]}, "customers.who fails column_type"),
    "words for numbers": ({"age": ["old", "young"] * 100}, "customers.age fails unparsable_values: 200 of 200 rows"),
    "amounts as text": ({"age": ["$1,200"] * 200}, "customers.age fails unparsable_values"),
    "one class": ({"left": "Yes"}, "customers.left fails two_classes"),
    "no class that counts": ({"left": ["a", "b"] * 100}, "customers.left fails two_classes"),
    "an outcome that is missing": ({"left": ["Yes", None] * 100}, "customers.left fails null_values"),
    "a level a row": ({"plan": [f"user {i}" for i in range(200)]}, "customers.plan fails levels_that_repeat"),
}


@pytest.mark.parametrize("kind", BAD_VALUES)
def test_a_value_that_cannot_be_is_named_with_its_column_and_number(kind: str) -> None:
    changed, sentence = BAD_VALUES[kind]
    found = complaint(people(**changed), DATED)
    assert sentence in found
    assert found.count("\n") <= 3


@pytest.mark.parametrize("name", ["${x}", "a b", "1", "größe", "x; drop table t", "{y}", "%20", "select"])
def test_a_column_may_be_called_anything(name: str) -> None:
    spec = TableSpec(**{**FIELDS, "numeric": [name]})
    assert complaint(people().rename(columns={"age": name}), spec) == ""


def test_amounts_of_1e30_are_numbers() -> None:
    assert complaint(people(age=[i * 1e30 for i in range(ROWS)])) == ""


def test_a_category_of_a_million_values_is_a_sentence_where_every_row_has_its_own() -> None:
    connection = ibis.duckdb.connect(memory_limit="500MB")
    values = (
        "i as who, i || ' Main Street' as plan, 1.0 * i as age, case when i % 5 = 0 then 'Yes' else 'No' end as left"
    )
    connection.raw_sql(f"create view people as select {values} from range(1000000) r(i)")
    with pytest.raises(EvergreenError, match=r"customers.plan fails levels_that_repeat: 1,000,000 levels in 1,000,000"):
        contract_for(SPEC, labelled=True, table="customers").validate(connection.table("people"))
