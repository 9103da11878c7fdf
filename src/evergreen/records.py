"""What records are made of: the base of frozen policies and results, the head of those on disk, and the check."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from evergreen.shown import html_of
from evergreen.wording import NOTHING, in_words, share_text


def _snake_case(status: Any) -> Any:
    return status.replace(" ", "_") if isinstance(status, str) else status


SNAKE_CASE = BeforeValidator(_snake_case)
"""Reads a status that was written with spaces, as records once had them."""


class Frozen(BaseModel):
    """A record that never changes and refuses fields that it doesn't know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return html_of(self)


class Record(Frozen):
    """A decision or a result, as data.

    Attributes:
        use_case: The use case that the record speaks of.
        as_of: The date that the run pretended was today.
        status: What came of it, in snake_case; each record says which words it uses.
    """

    use_case: str
    as_of: dt.date
    status: Annotated[str, SNAKE_CASE]


class Check(Frozen):
    """One condition: what was found, what is allowed, and what to do.

    Attributes:
        name: What was checked.
        passed: Whether the condition holds.
        found: The number or words found; None where there was too little data to find any.
        allowed: The number or words allowed.
        where: Table, column or group that it speaks of; empty for the whole.
        what_to_do: What to do where it fails.
        detail: What was found in words, where ``found`` alone doesn't say it.
        unit: How numbers are read: ``share`` as a percentage, others behind the number.
        at_least: Whether ``allowed`` is the smallest value instead of the largest.
        effect: How large what was found is, on a scale of the check's own; None where it has none.
        blocks: Whether what depends on it stops where it fails; otherwise a failure is a warning.
    """

    name: str
    passed: bool
    found: float | str | None = None
    allowed: float | str | None = None
    where: str = ""
    what_to_do: str = ""
    detail: str = ""
    unit: Literal["", "share", "ms", "MB"] = ""
    at_least: bool = False
    effect: float | None = None
    blocks: bool = True

    @model_validator(mode="before")
    @classmethod
    def _former_layout(cls, data: Any) -> Any:
        """Records written before there was one shape are read, too."""
        return _as_check(dict(data)) if isinstance(data, dict) else data

    @property
    def status(self) -> Literal["ok", "warning", "failed"]:
        """``warning`` is worth a look, ``failed`` stops what depends on it."""
        if self.passed:
            return "ok"
        return "failed" if self.blocks else "warning"

    @property
    def subject(self) -> str:
        """What was looked at, in words."""
        return " ".join([in_words(self.name), *([self.where] if self.where else [])])

    @property
    def found_text(self) -> str:
        """What was found, for reading."""
        return self.detail or self._text(self.found)

    @property
    def allowed_text(self) -> str:
        """What is allowed, for reading."""
        return f"{'at least ' if self.at_least else ''}{self._text(self.allowed)}"

    @property
    def sentence(self) -> str:
        """The check in one sentence."""
        verb = "passes" if self.passed else "fails"
        head = f"{self.where} {verb} {self.name}" if self.where else f"{self.name} {verb}"
        advice = f"; {self.what_to_do}" if self.what_to_do and not self.passed else ""
        return f"{head}: {self.found_text}, allowed {self.allowed_text}{advice}."

    def within(self, table: str) -> Check:
        """The same check, its column named together with its table."""
        return self.model_copy(update={"where": f"{table}.{self.where}" if self.where else table})

    def _text(self, value: float | str | None) -> str:
        if value is None or isinstance(value, str):
            return NOTHING if value is None else value
        if self.unit == "share":
            return share_text(value)
        number = f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"
        return f"{number} {self.unit}".rstrip()


_SHARES = ("completeness", "unseen_levels", "range")


def _as_check(data: dict[str, Any]) -> dict[str, Any]:
    """Fields of the five former shapes under the present names."""
    if "fired" in data:
        data["passed"] = not data.pop("fired")
    if "source" in data:
        data |= {"name": data.pop("source"), "passed": False}
    if "sentence" in data:
        data["detail"] = str(data.pop("sentence")).rstrip(".")
    if "check" in data:
        status = data.pop("status", "failed")
        data |= {"name": data.pop("check"), "passed": status == "ok", "blocks": status != "warning"}
        data |= {"where": data.pop("column", None) or "", "unit": "share" if data["name"] in _SHARES else ""}
    return data
