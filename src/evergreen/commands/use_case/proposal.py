"""What is each column of a table for? Key, date, block, outcome, feature or none of these, each with its reason."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from evergreen.commands.use_case.facts import ColumnFacts, TableFacts
from evergreen.commands.use_case.fitness import is_known_afterwards, is_whole, why_unfit
from evergreen.commands.use_case.opening import OpenTable, snake
from evergreen.commands.use_case.outcome import day_of, label_delay, positive_value
from evergreen.errors import EvergreenError

_NAMELESS = re.compile(r"column\d+|Unnamed: \d+")
FEW_DAYS = 14
NO_DATE = "none"
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
        time_zone: Where a row's day is counted, for dates with a time zone.
        label_delay_days: Days at the end of which outcomes are missing.
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
    time_zone: str | None = None
    label_delay_days: int = 0
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
        if name is not None and name not in facts.columns and not (option == "date" and name == NO_DATE):
            raise EvergreenError(
                f"{facts.file.name} has no column {name}: --{option} is one of {', '.join(facts.columns)}."
            )
    positive, said_positive = positive_value(facts, asked.target, asked.positive)
    date, said_date = _date(facts, asked)
    entity, said_entity = _entity(facts, table, asked, date)
    taken = {entity, date, asked.target}
    outcome_time = [
        name
        for name in facts.columns
        if name not in taken and is_known_afterwards(name, asked.target, asked.known_in_time)
    ]
    left_out = dict.fromkeys(outcome_time, "by its name known only with the outcome")
    others = {name: column for name, column in facts.columns.items() if name not in taken | left_out.keys()}
    left_out |= {name: reason for name, column in others.items() if (reason := why_unfit(column, facts))}
    block = _block(facts, entity, left_out)
    features = [column for name, column in facts.columns.items() if name not in taken | left_out.keys()]
    if not features:
        raise EvergreenError(
            f"{facts.file.name} has no column left to learn from: {_listed(left_out, entity, asked.target)}."
        )
    days = None if date is None else _days(facts.columns[date])
    delay, said_delay = label_delay(facts, table, asked.target, date)
    said_reading = [f"read with load_args: {dict(facts.load_args)}"] if facts.load_args else []
    zone = facts.zones.get(date or "")
    said_zone = [f"time zone: days of {date} are counted in {zone} (table.time_zone)"] if zone else []
    said_block = [f"blocks: rows of one {block[0]} stay together, since it repeats"] if block else []
    return Proposal(
        entity=entity, date=date, panel=facts.columns[entity].levels < facts.rows, block=block,
        target=asked.target, positive=positive,
        numeric=[column.name for column in features if column.kind == "number"],
        categorical=[column.name for column in features if column.kind != "number"],
        left_out=left_out, outcome_time=outcome_time, days=days, time_zone=zone, label_delay_days=delay,
        decisions=[*said_reading, said_entity, said_date, *said_zone, *said_block, said_positive, *said_delay],
    )  # fmt: skip


def _date(facts: TableFacts, asked: Asked) -> tuple[str | None, str]:
    if asked.date == NO_DATE:
        return None, "date: none, as said"
    if asked.date is not None:
        given = facts.columns[asked.date]
        if given.kind != "date" or given.nulls:
            example = next(iter(facts.sample[given.name].dropna()), None)
            raise EvergreenError(
                f"--date {given.name} holds {given.kind} values such as {example} and {given.nulls:,} nulls: "
                "every row needs a date, written as yyyy-mm-dd or yyyymmdd."
            )
        if ahead := _ahead(given):
            raise EvergreenError(
                f"--date {given.name} {ahead}: correct these rows, for the newest day is taken for today."
            )
        return asked.date, f"date: {asked.date}, as given"
    dates = [column for column in facts.columns.values() if column.kind == "date" and not column.nulls]
    of_rows = [column for column in dates if not OF_THE_SUBJECT & set(snake(column.name).split("_"))]
    if len(of_rows) != 1:
        named = ", ".join(column.name for column in of_rows)
        return None, "date: none" + (f" ({named} are several: say which with --date)" if of_rows else "")
    (found,) = of_rows
    first, last = _days(found)
    if ahead := _ahead(found):
        return None, f"date: none ({found.name} {ahead}: correct these rows if it is the row's date)"
    if (last - first).days < FEW_DAYS:
        return None, f"date: none ({found.name} spans {(last - first).days + 1} days, too few to test on later ones)"
    said = f"date: {found.name}, the only date without nulls ({first} to {last}); tests lie at its end"
    return found.name, f"{said} (--date={NO_DATE} if it is not the row's)"


def _ahead(column: ColumnFacts) -> str:
    """How far a date reaches into the future; empty where it doesn't."""
    last = _days(column)[1]
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)  # somewhere on earth it is already tomorrow
    return f"goes up to {last}, in the future" if last > tomorrow else ""


def _entity(facts: TableFacts, table: OpenTable, asked: Asked, date: str | None) -> tuple[str, str]:
    """The key: given or found, present and unique, with the date where a table has one."""
    if asked.entity is None:
        likely = [
            c for c in facts.columns.values() if c.name != asked.target and c.levels == facts.rows and not c.nulls
        ]
        likely.sort(key=lambda c: (not c.key_like, bool(_NAMELESS.fullmatch(c.name)), c.kind not in ("text", "number")))
        whole = [column for column in likely if column.key_like or column.kind == "text" or is_whole(column)]
        if not whole:
            raise EvergreenError(
                f"no column of {facts.file.name} is different in every row{_nearest_key(facts, asked)}: name one with "
                "--entity, with --date where an entity has a row a day, or add one (in pandas: "
                "table.reset_index(names='row_id'))."
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


def _nearest_key(facts: TableFacts, asked: Asked) -> str:
    """The column that is nearly one, and what it lacks."""
    found = [c for c in facts.columns.values() if c.name != asked.target and (c.key_like or is_whole(c))]
    nearest = max(found, key=lambda c: (c.levels, c.key_like), default=None)
    if nearest is None or nearest.levels < 0.9 * facts.rows:
        return ""
    lacks = [f"no value in {nearest.nulls:,} of {facts.rows:,} rows"] if nearest.nulls else []
    repeats = facts.rows - nearest.nulls - nearest.levels
    lacks += [f"a repeated value in {repeats:,}"] if repeats > 0 else []
    return f" ({nearest.name} comes nearest: {' and '.join(lacks)})"


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
    return day_of(column.least), day_of(column.greatest)


def _listed(left_out: dict[str, str], entity: str, target: str) -> str:
    return "; ".join([f"{entity} is the entity", f"{target} the outcome", *map(" is ".join, left_out.items())])
