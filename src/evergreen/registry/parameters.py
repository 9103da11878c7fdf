"""The parameters that rule registry."""

from __future__ import annotations

from pydantic import Field

from evergreen.records import Frozen
from evergreen.schema import MOST_DAYS


class RetentionParameters(Frozen):
    """How long versions are kept; one goes when it is neither among the newest nor young enough.

    Attributes:
        keep_versions: So many of the newest versions stay.
        keep_days: Versions that were made in the last so many days stay.
    """

    keep_versions: int = Field(default=10, ge=1)
    keep_days: int = Field(default=90, ge=0, le=MOST_DAYS)
