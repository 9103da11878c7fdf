"""How a use case describes what its rows learn from the calendar and from earlier rows; no table is touched here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from evergreen.records import Frozen
from evergreen.schema import MOST_DAYS, Value

Statistic = Literal["avg", "std", "total", "min", "max"]
CALENDAR = ("year", "month", "day_of_week", "is_weekend", "quarter", "season")
_OWN_PREFIX = "ev_"


class Ratio(Frozen):
    """Two columns of a row, divided; null where the second is 0."""

    over: str
    under: str


class Compared(Frozen):
    """A column of a row held against numbers or values: 1 or 0, null where the column is."""

    column: str
    above: float | None = None
    equals: tuple[Value, ...] = ()

    @model_validator(mode="after")
    def _says_one_thing(self) -> Compared:
        if (self.above is None) == (not self.equals):
            raise ValueError("say above: <number> or equals: [<value>, …], one of them")
        return self


class Measure(Frozen):
    """A number of a row that is known only once the row has happened: what histories are made of.

    A text in YAML is the name of a column. Exactly one of the first four says where the number comes from.

    Attributes:
        column: A numeric column.
        ratio: One column divided by another.
        product: Two columns multiplied.
        when: 1 where a column exceeds a number or has a value, else 0: its average is a share.
        name: What the table of features calls it; default: the column, else the measure's own name.
    """

    column: str | None = None
    ratio: Ratio | None = None
    product: tuple[str, str] | None = None
    when: Compared | None = None
    name: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _column_alone(cls, data: Any) -> Any:
        return {"column": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Measure:
        if sum(each is not None for each in (self.column, self.ratio, self.product, self.when)) != 1:
            raise ValueError("a measure is one of column, ratio, product, when")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        if self.ratio:
            return (self.ratio.over, self.ratio.under)
        if self.when:
            return (self.when.column,)
        return self.product or (str(self.column),)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Those of its columns that must hold numbers."""
        return () if self.when and self.when.equals else self.columns


class HistoryRule(Frozen):
    """What is kept of a key's past.

    Attributes:
        keys: Columns that make the key; a row with a null among them has no history, only nulls.
        measures: Measure → the statistics to keep of it.
        frequency: Whether to count the key's rows.
        windows: Lengths in days; each makes columns of its own that end in ``_7d``. None given: ``history_days``,
            without an ending.
        delay_days: Days until a row's measures are known: a row's history ends so many days before its own day.
    """

    keys: list[str] = Field(min_length=1)
    measures: dict[str, list[Statistic]] = Field(default_factory=dict)
    frequency: bool = False
    windows: list[Annotated[int, Field(le=MOST_DAYS)]] = Field(default_factory=list)
    delay_days: int = Field(default=1, ge=1, le=MOST_DAYS)

    @model_validator(mode="after")
    def _looks_at_something(self) -> HistoryRule:
        if not self.measures and not self.frequency:
            raise ValueError("a history keeps nothing: name measures, or set frequency: true")
        short = [days for days in self.windows if days < self.delay_days]
        if short:
            raise ValueError(f"a window of {short[0]} days ends before it begins: delay_days is {self.delay_days}")
        return self

    def columns(self, prefix: str) -> list[str]:
        """Names of the features, in order."""
        names = [f"{prefix}_{stat}_{m}" for m, stats in self.measures.items() for stat in stats]
        names += [f"{prefix}_frequency"] if self.frequency else []
        return [f"{name}{ending}" for ending in self.spans(0) for name in names]

    def spans(self, history_days: int) -> dict[str, int]:
        """Ending of the features' names → length of the window in days."""
        return {f"_{days}d": days for days in self.windows} or {"": history_days}


class Past(Frozen):
    """What rows with dates may learn from each other and from the calendar.

    Attributes:
        history_days: How far back a history looks that names no windows.
        measures: Name in the histories → where the number comes from.
        histories: First word of the features' names → what is kept of a key's past.
        calendar: What of the row's date is a feature.
    """

    history_days: int = Field(default=90, gt=0, le=MOST_DAYS)
    measures: dict[str, Measure] = Field(default_factory=dict)
    histories: dict[str, HistoryRule] = Field(default_factory=dict)
    calendar: list[Literal["year", "month", "day_of_week", "is_weekend", "quarter", "season"]] = Field(
        default_factory=list
    )

    @model_validator(mode="after")
    def _histories_know_their_measures(self) -> Past:
        for prefix, history in self.histories.items():
            unknown = [name for name in history.measures if name not in self.measures]
            if unknown:
                known = ", ".join(self.measures) or "none"
                raise ValueError(f"history {prefix} is of {', '.join(unknown)}, but measures are {known}: add it there")
        refuse_twice("history, calendar", self.past_columns)
        return self

    @property
    def past_columns(self) -> list[str]:
        """Features that come of the calendar and of histories, in order."""
        return [*self.calendar, *(c for prefix, history in self.histories.items() for c in history.columns(prefix))]

    @property
    def look_back_days(self) -> int:
        """How many days before a row's own its histories look at; 0: at none."""
        return max((d for each in self.histories.values() for d in each.spans(self.history_days).values()), default=0)


def refuse_twice(what: str, names: Iterable[str]) -> None:
    """Refuse names that are the same whatever their case, or that belong to columns in between."""
    lowered = [name.casefold() for name in names]
    twice = sorted({name for name in lowered if lowered.count(name) > 1})
    if twice:
        raise ValueError(f"{what} of the same name: {', '.join(twice)}; a prefix or another name keeps them apart")
    own = [name for name in lowered if name.startswith(_OWN_PREFIX)]
    if own:
        raise ValueError(f"{', '.join(own)} begins with {_OWN_PREFIX}, as columns in between do; rename it")


def with_past(table: Mapping[str, Any], features: Mapping[str, Any]) -> dict[str, Any]:
    """A dated table's description with the features that it asks of its own past, where its lists lack them.

    Args:
        table: The block ``table`` of a use case, as YAML has it.
        features: Its block ``features``, likewise; one that can't be read is reported with all faults.
    """
    try:
        past = Past.model_validate(features)
    except ValueError:
        return dict(table)
    numeric, categorical = list(table.get("numeric") or []), list(table.get("categorical") or [])
    new = [name for name in past.past_columns if name not in (*numeric, *categorical)]
    numeric += [name for name in new if name != "season"]
    categorical += [name for name in new if name == "season"]
    rules: dict[str, Any] = {name: {"drift": False} for name in past.calendar}
    listed = {"numeric": numeric, "categorical": categorical, "columns": {**rules, **(table.get("columns") or {})}}
    return {**table, **listed} if new else dict(table)
