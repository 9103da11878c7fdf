"""Can a column be learnt from? If not, why."""

from __future__ import annotations

import re
from collections.abc import Collection

import pandas as pd

from evergreen.commands.use_case.facts import ColumnFacts, TableFacts
from evergreen.commands.use_case.opening import snake
from evergreen.features.checks import LARGEST
from evergreen.schema import RESERVED

_AMOUNT = re.compile(r"[-+]?[$€£]?\s?[\d.,' ]*\d\s?(%|[$€£]|[A-Z]{3})?")
_EXACT = 2**53  # from here on every float is whole
FREE_TEXT = 60  # mean length from which texts are prose
# What is written once a case is closed: words of columns that are known only with the outcome.
AFTERWARDS = frozenset(
    """
    outcome result reason cancelled canceled cancellation refund refunded chargeback closed
    closing resolved resolution settled settlement recovered recovery recoveries writeoff collections
    terminated termination exit survived alive actual final
    """.split()  # noqa: SIM905 - read at a glance
)


def why_unfit(column: ColumnFacts, facts: TableFacts) -> str | None:
    """Why a column is no feature, or None."""
    there = facts.rows - column.nulls
    if column.name.casefold() in RESERVED:
        return "predictions use that name themselves: rename it to learn from it"
    if column.levels <= 1:
        return "empty" if there == 0 else "one value only"
    if column.kind == "other":
        return f"of type {column.stored}"
    if column.kind == "date":
        return "a date that is not the row's"
    if column.kind == "number" and max(abs(float(column.least or 0)), abs(float(column.greatest or 0))) > LARGEST:
        return f"it holds numbers beyond {LARGEST:.1e}"
    if column.kind == "text" and column.levels > 20 and (example := _amount(facts.sample[column.name])):
        return f"numbers written as text such as {example}: write them as 1234.5 to learn from them"
    one_a_row = column.levels == there and there > 2
    if one_a_row and (column.kind == "text" or column.key_like or (is_whole(column) and there == facts.rows)):
        return "a different value in every row"
    if column.key_like and column.levels > max(50, there // 50):
        return f"a key of something else ({column.levels:,} levels)"
    if column.kind == "text" and (column.levels > 0.5 * there or (column.length or 0) > FREE_TEXT):
        return f"free text or a name ({column.levels:,} levels)"
    return None


def is_known_afterwards(name: str, target: str, known_in_time: Collection[str]) -> bool:
    """Whether a column is known only with the outcome, by its name.

    Args:
        name: The column.
        target: The outcome's column.
        known_in_time: Columns that the user said are known before it.
    """
    if name in known_in_time:
        return False
    words, outcome = (
        set(snake(name).split("_")),
        set(snake(target).split("_")) - {"is", "has", "was", "target", "label", "y"},
    )
    stems = {word[:5] for word in outcome if len(word) >= 5}
    return bool(AFTERWARDS & words) or any(word.startswith(tuple(stems)) for word in words if stems)


def _amount(sample: pd.Series) -> str | None:
    """An example, where texts are amounts, percentages or numbers with marks between their digits."""
    texts = sample.dropna().astype("str").head(1000)
    return texts.iloc[0] if len(texts) and texts.map(lambda text: bool(_AMOUNT.fullmatch(text.strip()))).all() else None


def is_whole(column: ColumnFacts) -> bool:
    """Whether a number's extremes are whole, as those of a running number are."""
    return column.kind == "number" and all(
        float(value).is_integer() and abs(value) < _EXACT for value in (column.least, column.greatest)
    )
