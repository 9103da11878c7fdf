"""What can never be decided with these settings, because a window holds too few days? And which window would do."""

from __future__ import annotations

from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.retraining.parameters import RetrainingParameters
from evergreen.rows.parameters import SplitParameters
from evergreen.schema import TableSpec


def undecidable_settings(
    table: TableSpec, split: SplitParameters, evaluation: EvaluationParameters, retraining: RetrainingParameters
) -> list[str]:
    """One sentence a setting that leaves too few days; empty where all suffice, or rows have no dates.

    A table that has fewer days than the calendar – one a week – needs windows as much longer.

    Args:
        table: The use case's table.
        split: Length of the test window.
        evaluation: Fewest independent rows (blocks) of a class on which anything is decided.
        retraining: Windows of retraining.
    """
    if table.date is None:
        return []
    least, slices = evaluation.promotion.min_units_per_class, evaluation.slices.min_units_per_class
    found = []
    if table.block_columns == [table.date]:
        found += _short("split.test_days", split.test_days, least, "a first champion is judged on")
        found += _short("split.test_days", split.test_days, slices, "slices are judged on")
    newest, refresh = evaluation.promotion.newest_days, retraining.refresh
    found += _short("evaluation.promotion.newest_days", newest, least, "a sudden gain is looked for on")
    if refresh.every_days:
        found += _short("retraining.refresh.judged_days", refresh.judged_days, least, "a refresh is decided on")
    asked, window = retraining.gate.min_days, retraining.window_days
    if asked is not None and asked > window:
        found.append(
            f"retraining.gate.min_days is {asked}, but retraining.window_days is {window}: no window passes; "
            f"set retraining.window_days to at least {asked}."
        )
    return list(dict.fromkeys(found))


def _short(name: str, days: int, least: int, what: str) -> list[str]:
    if days >= least:
        return []
    return [
        f"{name} is {days}: {what} so many days at the most, and below {least} with both classes nothing is decided; "
        f"set it to at least {least}, more where a day may lack a class or the table lacks days."
    ]
