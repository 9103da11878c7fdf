"""The base of every policy and result in this room."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A record that never changes and refuses fields that it doesn't know."""

    model_config = ConfigDict(extra="forbid", frozen=True)
