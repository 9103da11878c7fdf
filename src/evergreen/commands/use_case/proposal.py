"""What is each column of a table for? Key, date, block, outcome, feature or none of these, each with its reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evergreen.commands.use_case.facts import ColumnFacts, OpenTable, TableFacts, snake
from evergreen.errors import EvergreenError
from evergreen.rows.canonical import TRUTH

FREE_TEXT = 60  # mean length from which texts are prose
FEW_DAYS = 14
# What is written once a case is closed: words of columns that are known only with the outcome.
AFTERWARDS = frozenset(
    """
    outcome result reason cancelled canceled cancellation refund refunded chargeback closed
    closing resolved resolution settled settlement recovered recovery recoveries writeoff collections
    terminated termination exit survived alive actual final
    """.split()  # noqa: SIM905 - read at a glance
)
# Dates that belong to a person or a contract, not to the row.
OF_THE_SUBJECT = frozenset(
    ["birth", "born", "dob", "signup", "joined", "join", "registered", "opened", "start", "since", "hire", "hired"]
)


@dataclass(frozen=True)
class Asked:
    """What the user said.

    Attributes:
        entity: Column that tells rows apart, or None to look for one.
        target: The outcome's column.
        positive: The outcome that counts as 1, as typed, or None.
        date: Column with the row's date, or None to look for one.
        known_in_time: Features that tell the outcome and are known before it all the same.
    """

    target: str
    entity: str | None = None
    positive: str | None = None
    date: str | None = None
    known_in_time: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """A use case, as its YAML will say it.

    Attributes:
        entity: Column that tells rows apart.
        date: Column with the row's date, or None.
        panel: Whether an entity has many rows, one a date.
        block: Columns whose joint value stays on one side; empty: the entity.
        target: The outcome's column.
        positive: The outcome that counts as 1; None: the largest fifth of a number.
        numeric: Numeric features.
        categorical: Categorical features.
        left_out: Column → why it is no feature.
        outcome_time: Columns that are known only with the outcome.
        days: First and last day, where rows have dates.
        decisions: What was decided, a line each.
    """

    entity: str
    date: str | None
    panel: bool
    block: list[str]
    target: str
    positive: Any
    numeric: list[str]
    categorical: list[str]
    left_out: dict[str, str]
    outcome_time: list[str]
    days: tuple[dt.date, dt.date] | None
    decisions: list[str] = field(default_factory=list)

    def without(self, names: Collection[str], reason: str) -> Proposal:
        """The same use case without features that tell the outcome."""
        return Proposal(
            **{
                **vars(self),
                "numeric": [name for name in self.numeric if name not in names],
                "categorical": [name for name in self.categorical if name not in names],
                "outcome_time": [*self.outcome_time, *names],
                "left_out": self.left_out | dict.fromkeys(names, reason),
            }
        )


def propose(facts: TableFacts, table: OpenTable, asked: Asked) -> Proposal:
    """Give every column its part.

    Args:
        facts: The table, counted.
        table: The same table, for exact counts of keys.
        asked: What the user said; it counts before what is guessed.

    Raises:
        EvergreenError: Where no key is found, or the outcome can't be one.
    """
    for option, name in (("entity", asked.entity), ("date", asked.date)):
        if name is not None and name not in facts.columns:
            raise EvergreenError(
                f"{facts.file.name} has no column {name}: --{option} is one of {', '.join(facts.columns)}."
            )
    positive, said_positive = _positive(facts, asked)
    date, said_date = _date(facts, asked)
    entity, said_entity = _entity(facts, table, asked, date)
    taken = {entity, date, asked.target}
    outcome_time = [name for name in facts.columns if name not in taken and _known_afterwards(name, asked)]
    left_out = dict.fromkeys(outcome_time, "by its name known only with the outcome")
    others = {name: column for name, column in facts.columns.items() if name not in taken | left_out.keys()}
    left_out |= {name: reason for name, column in others.items() if (reason := _unfit(column, facts.rows))}
    block = _block(facts, entity, left_out)
    features = [column for name, column in facts.columns.items() if name not in taken | left_out.keys()]
    if not features:
        raise EvergreenError(f"{facts.file.name} has no column left to learn from: {_listed(left_out)}.")
    days = None if date is None else _days(facts.columns[date])
    said_block = [f"blocks: rows of one {block[0]} stay together, since it repeats"] if block else []
    return Proposal(
        entity=entity, date=date, panel=facts.columns[entity].levels < facts.rows, block=block,
        target=asked.target, positive=positive,
        numeric=[column.name for column in features if column.kind == "number"],
        categorical=[column.name for column in features if column.kind != "number"],
        left_out=left_out, outcome_time=outcome_time, days=days,
        decisions=[said_entity, said_date, *said_block, said_positive],
    )  # fmt: skip


def _positive(facts: TableFacts, asked: Asked) -> tuple[Any, str]:
    found, column = facts.outcomes, facts.columns[asked.target]
    rows = sum(found.values())
    shares = ", ".join(f"{value} ({count / max(rows, 1):.0%})" for value, count in list(found.items())[:5])
    if asked.positive is not None:
        value = next((each for each in found if str(_plain(each)) == asked.positive), None)
        if value is None:
            raise EvergreenError(f"--positive {asked.positive} is no value of {asked.target}: it holds {shares}.")
        return _plain(value), f"outcome: 1 where {asked.target} is {_plain(value)}, of {shares}"
    if len(found) < 2:
        raise EvergreenError(f"{asked.target} holds {shares or 'no value'}: an outcome needs two different values.")
    if len(found) == 2:
        value = next((each for each in found if str(_plain(each)).lower() in TRUTH[0]), list(found)[-1])
        why = "the word for yes" if str(_plain(value)).lower() in TRUTH[0] else "the rarer one"
        return _plain(value), f"outcome: 1 where {asked.target} is {_plain(value)} ({why}), of {shares}"
    if column.kind == "number" and column.levels > 10:
        return None, f"outcome: 1 where {asked.target} is above the .8 quantile of the training rows (training.label)"
    raise EvergreenError(
        f"{asked.target} has {column.levels} values ({shares}, …): say with --positive which one counts as 1."
    )


def _date(facts: TableFacts, asked: Asked) -> tuple[str | None, str]:
    if asked.date is not None:
        given = facts.columns[asked.date]
        if given.kind != "date" or given.nulls:
            example = next(iter(facts.sample[given.name].dropna()), None)
            raise EvergreenError(
                f"--date {given.name} holds {given.kind} values such as {example} and {given.nulls:,} nulls: "
                "every row needs a date, written as yyyy-mm-dd."
            )
        return asked.date, f"date: {asked.date}, as given"
    dates = [column for column in facts.columns.values() if column.kind == "date" and not column.nulls]
    of_rows = [column.name for column in dates if not OF_THE_SUBJECT & set(snake(column.name).split("_"))]
    if len(of_rows) != 1:
        return None, "date: none" + (f" ({', '.join(of_rows)} are several: say which with --date)" if of_rows else "")
    first, last = _days(facts.columns[of_rows[0]])
    if (last - first).days < FEW_DAYS:
        return None, f"date: none ({of_rows[0]} spans {(last - first).days + 1} days, too few to test on later ones)"
    return of_rows[0], f"date: {of_rows[0]}, the only date without nulls ({first} to {last}); tests lie at its end"


def _entity(facts: TableFacts, table: OpenTable, asked: Asked, date: str | None) -> tuple[str, str]:
    """The key: given or found, present and unique, with the date where a table has one."""
    if asked.entity is None:
        likely = [
            c for c in facts.columns.values() if c.name != asked.target and c.levels == facts.rows and not c.nulls
        ]
        likely.sort(key=lambda column: (not column.key_like, column.kind not in ("text", "number")))
        whole = [column for column in likely if column.key_like or column.kind == "text" or _whole(column)]
        if not whole:
            raise EvergreenError(
                f"no column of {facts.file.name} is different in every row: name one with --entity, with --date where "
                "an entity has a row a day, or add one (in pandas: table.reset_index(names='row_id'))."
            )
        return whole[0].name, f"entity: {whole[0].name}, different in all {facts.rows:,} rows"
    column, keys = facts.columns[asked.entity], [asked.entity, *([date] if date else [])]
    if column.nulls:
        raise EvergreenError(
            f"--entity {column.name} is null in {column.nulls:,} of {facts.rows:,} rows: a key has no nulls."
        )
    repeats = table.repeats(keys)
    if repeats:
        raise EvergreenError(
            f"{' with '.join(keys)} repeats in {repeats:,} of {facts.rows:,} rows of {facts.file.name}: a row needs a "
            f"key of its own; name another with --entity{'' if date else ', or --date if it has a row a day'}."
        )
    panel = (
        f"; with {date} a row's key, so all rows of one {column.name} stay together"
        if column.levels < facts.rows
        else ""
    )
    return column.name, f"entity: {column.name}, as given{panel}"


def _unfit(column: ColumnFacts, rows: int) -> str | None:
    """Why a column is no feature, or None."""
    there = rows - column.nulls
    if column.levels <= 1:
        return "empty" if there == 0 else "one value only"
    if column.kind == "other":
        return f"of type {column.stored}"
    if column.kind == "date":
        return "a date that is not the row's"
    one_a_row = column.levels == there and there > 2
    if one_a_row and (column.kind == "text" or column.key_like or (_whole(column) and there == rows)):
        return "a different value in every row"
    if column.key_like and column.levels > max(50, there // 50):
        return f"a key of something else ({column.levels:,} levels)"
    if column.kind == "text" and (column.levels > 0.5 * there or (column.length or 0) > FREE_TEXT):
        return f"free text or a name ({column.levels:,} levels)"
    return None


def _known_afterwards(name: str, asked: Asked) -> bool:
    if name in asked.known_in_time:
        return False
    words, outcome = (
        set(snake(name).split("_")),
        set(snake(asked.target).split("_")) - {"is", "has", "was", "target", "label", "y"},
    )
    stems = {word[:5] for word in outcome if len(word) >= 5}
    return bool(AFTERWARDS & words) or any(word.startswith(tuple(stems)) for word in words if stems)


def _block(facts: TableFacts, entity: str, left_out: dict[str, str]) -> list[str]:
    """The key of something else that repeats: its rows depend on each other."""
    if facts.columns[entity].levels < facts.rows:
        return []
    keys = [
        column for name, column in facts.columns.items()
        if left_out.get(name, "").startswith("a key of") and not column.nulls and 20 < column.levels < facts.rows
    ]  # fmt: skip
    return [max(keys, key=lambda column: column.levels).name] if keys else []


def _days(column: ColumnFacts) -> tuple[dt.date, dt.date]:
    first, last = (pd.Timestamp(value).date() for value in (column.least, column.greatest))
    return first, last


def _whole(column: ColumnFacts) -> bool:
    """Whether a number's extremes are whole, as those of a running number are."""
    return column.kind == "number" and all(float(value).is_integer() for value in (column.least, column.greatest))


def _plain(value: Any) -> Any:
    """A value as YAML writes it: 1 for 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _listed(left_out: dict[str, str]) -> str:
    return "; ".join(f"{name} is {reason}" for name, reason in left_out.items())
