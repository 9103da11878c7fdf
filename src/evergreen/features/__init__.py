"""Leak-free features as Ibis expressions: pure, stateless, point in time."""

from evergreen.features.calendar import CALENDAR, add_calendar
from evergreen.features.checks import require_columns
from evergreen.features.history import History, key_history
from evergreen.features.one_table import one_table_features
from evergreen.features.outcomes import with_labels
from evergreen.features.past import add_past
from evergreen.features.prejoined import dimension_of
from evergreen.features.star_schema import star_features
from evergreen.features.typed import as_date

__all__ = [
    "CALENDAR",
    "History",
    "add_calendar",
    "add_past",
    "as_date",
    "dimension_of",
    "key_history",
    "one_table_features",
    "require_columns",
    "star_features",
    "with_labels",
]
