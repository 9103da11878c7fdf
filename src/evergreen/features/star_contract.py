"""What the tables of a star schema promise, as its description implies."""

from __future__ import annotations

from collections.abc import Mapping

import ibis.expr.types as ir

from evergreen.errors import EvergreenError
from evergreen.features.checks import Column, Count, closest, duplicate_keys, future_dates, returns
from evergreen.features.contract import Contract
from evergreen.features.dimensions import period_number
from evergreen.features.star_schema import naive_columns
from evergreen.histories import Past
from evergreen.records import Check
from evergreen.schema import TableSpec
from evergreen.star_schema import Dimension, StarSchema

_MAX_UNPARSABLE_SHARE = 0.1


class FactsContract(Contract):
    """The fact table: its key is present and unique, its numbers are numbers, no day lies ahead, returns are few.

    Args:
        star: The description of the star schema.
    """

    def __init__(self, star: StarSchema) -> None:
        facts = star.facts
        columns: dict[str, Column] = {}
        numbers = [name for each in star.measures.values() for name in each.numbers]
        read = [name for each in star.measures.values() for name in each.columns]
        for name in (*read, *facts.outcomes, *facts.returns.marked, *facts.required):
            columns[name] = Column(name, "any", required=name in facts.required)
        for name in facts.categorical:
            columns[name] = Column(name, "category", required=name in facts.required)
        for name in facts.numeric:
            columns[name] = Column(name, "number", name in facts.required, unparsable_share=_MAX_UNPARSABLE_SHARE)
        for name in (*numbers, *facts.returns.positive):
            columns[name] = Column(name, "number", name in facts.required, unparsable_share=0.0)
        for name in facts.keys:
            columns[name] = Column(name, "key", required=name in facts.required)
        for name in facts.key:
            columns[name] = Column(name, "any" if len(facts.key) > 1 else "key", required=True)
        columns[facts.date] = Column(facts.date, "date", required=True, unparsable_share=0.0)
        super().__init__(facts.table, list(columns.values()), [] if facts.number_repeats else facts.key)
        self.star = star

    def counts(self, data: ir.Table, sound: dict[str, Column]) -> list[Count]:
        """Beyond the columns: days ahead, and returns."""
        counts = super().counts(data, sound)
        facts = self.star.facts
        if facts.date in sound:
            counts.append(future_dates(data, facts.date, None))
        marks = {*facts.returns.positive, *facts.returns.marked}
        if marks and marks <= sound.keys():
            counts.append(returns(data, facts.returns, "features.facts.returns.max_share"))
        return counts


class DimensionContract(Contract):
    """A dimension: a key that is present and unique, once a period where it goes by periods; features may be null.

    Args:
        dimension: Its description.
        time_zone: Where the day of its date is counted, if it has a time zone.
    """

    def __init__(self, dimension: Dimension, time_zone: str | None) -> None:
        columns = {name: Column(name, "category") for name in dimension.categorical}
        columns |= {name: Column(name, "number", unparsable_share=_MAX_UNPARSABLE_SHARE) for name in dimension.numeric}
        columns |= {name: Column(name, "key", required=True) for name in dimension.key.values()}
        key = list(dimension.key.values())
        if dimension.date:
            columns[dimension.date] = Column(dimension.date, "date", required=True, unparsable_share=0.0)
            key = [] if dimension.period else [*key, dimension.date]
        super().__init__(dimension.table, list(columns.values()), key, may_be_empty=dimension.date is not None)
        self.dimension = dimension
        self.time_zone = time_zone

    def inspect(self, data: ir.Table, sound: dict[str, Column], rows: int) -> list[Check]:
        """One row a key and period."""
        named = [*self.dimension.key.values(), *([self.dimension.date] if self.dimension.date else [])]
        if self.dimension.period is None or self.dimension.date is None or not set(named) <= sound.keys():
            return []
        period = period_number(data[self.dimension.date], self.dimension.period, self.time_zone)
        repeated = duplicate_keys(data.mutate(ev_period=period), [*self.dimension.key.values(), "ev_period"])
        words, advice = (
            f"repeat a key in one {self.dimension.period}",
            f"keep one row a key and {self.dimension.period}",
        )
        count = Count("duplicate_keys", ", ".join(named), repeated, words, advice)
        check = count.judge(int(repeated.to_pyarrow().as_py()), rows)
        return [] if check.passed else [check]


def star_contracts(star: StarSchema) -> list[Contract]:
    """The contract of the facts and of each dimension, each for the table that its ``table`` names."""
    return [FactsContract(star), *(DimensionContract(each, star.time_zone) for each in star.dimensions.values())]


def check_star(tables: Mapping[str, ir.Table], star: StarSchema) -> None:
    """Check every table of a star schema before anything is made of it.

    Raises:
        EvergreenError: At the first table that breaks its contract.
    """
    for contract in star_contracts(star):
        contract.validate(tables[contract.table])


def require_described(spec: TableSpec, star: StarSchema, tables: list[str], *, labelled_apart: bool) -> None:
    """Check that the three descriptions of a use case speak of the same columns and tables.

    Args:
        spec: What the model learns from.
        star: What is made of the star schema.
        tables: The tables that ``use_cases.yml`` lists.
        labelled_apart: Whether outcomes arrive in a table of their own.

    Raises:
        EvergreenError: At the first name that one has and the other lacks.
    """
    if set(star.tables) != set(tables):
        raise EvergreenError(
            f"features speaks of the tables {', '.join(star.tables)}, but use_cases.yml lists {', '.join(tables)}: "
            f"write tables: [{', '.join(star.tables)}] there, or correct features."
        )
    if spec.date is None:
        raise EvergreenError("table.date is missing: a star schema's rows have dates; name the column, such as date.")
    made = [*star.feature_columns, *star.facts.keys, *star.outcome_columns, spec.entity, spec.date]
    made += naive_columns(star) if star.naive else []
    wanted = dict.fromkeys(spec.features, "features")
    wanted |= dict.fromkeys(spec.block, "block") | ({} if labelled_apart else {spec.target: "target"})
    for name, role in wanted.items():
        if name not in made:
            close = closest(name, made)
            raise EvergreenError(
                f"table names {name} among its {role}, which features does not make"
                f"{f': did you mean {close}?' if close else '.'} It makes {', '.join(made)}."
            )


def require_known_in_time(target: str, past: Past, label_delay_days: int) -> None:
    """Check that no history sees outcomes that are not known by then.

    Args:
        target: The outcome: a column, or what a star schema calls a measure.
        past: The histories.
        label_delay_days: Days until an outcome is known.

    Raises:
        EvergreenError: At the first history that ends too late.
    """
    told = {
        target,
        *(name for key, each in past.measures.items() if target in (key, each.name) for name in each.columns),
    }
    late = {name for name, each in past.measures.items() if told & {name, *each.columns}}
    for prefix, history in past.histories.items():
        if late & history.measures.keys() and history.delay_days < label_delay_days:
            raise EvergreenError(
                f"history {prefix} ends {history.delay_days} day(s) before a row's own and sees {target}, which is "
                f"known after {label_delay_days} (split.label_delay_days): set its delay_days to {label_delay_days}."
            )
