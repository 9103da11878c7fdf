"""What records are made of: the common head of those on disk, and the base of frozen policies and results."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A decision or a result, as data.

    Attributes:
        use_case: The use case that the record speaks of.
        as_of: The date that the run pretended was today.
        status: What came of it, in one or two words; each record says which words it uses.
    """

    model_config = ConfigDict(extra="forbid")

    use_case: str
    as_of: dt.date
    status: str


class Frozen(BaseModel):
    """A record that never changes and refuses fields that it doesn't know."""

    model_config = ConfigDict(extra="forbid", frozen=True)
