"""One version in a worker's memory: how it reads a request and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from evergreen.modelling.kernels import compiler_of, tree_kernel
from evergreen.modelling.predictor import LARGEST, PLAN_FILE, Predictor
from evergreen.rows import canonical
from evergreen.serving.refusals import Refusal, short

FACTS_FILE = "served.json"
Number = float | None
Category = str | int | float | bool | None
KEY_TYPE = str | int | float | None
_EXACT_FLOATS = 2.0**53


def library_of(folder: Path) -> str | None:
    """The library, if any, whose import by a process that answers would keep its clients waiting for too long."""
    plan = _plan(folder)
    return "sklearn" if plan is None else compiler_of(plan)


def _plan(folder: Path) -> dict[str, Any] | None:
    """How a version's arrays are used; None where scikit-learn answers."""
    file = folder / PLAN_FILE
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


class Served:
    """A version that answers.

    Args:
        folder: What the loader wrote.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts: dict[str, Any] = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        self.use_case: str = self.facts["use_case"]
        self.version: str = self.facts["version"]
        self.engine: str = self.facts["engine"]
        self.threshold: float = self.facts["threshold"]
        self.numeric: list[str] = self.facts["numeric"]
        self.categorical: list[str] = self.facts["categorical"]
        self.features = [*self.numeric, *self.categorical]
        self.width, self._numbers = len(self.features), len(self.numeric)
        self.keys = [name for name in (self.facts["entity"], self.facts["date"]) if name and name not in self.features]
        self.fields = frozenset([*self.features, *self.keys])
        self.probability, self.probabilities = self._predictor()
        self.row_type = self._row_type()
        self._row = msgspec.json.Decoder(self.row_type)
        self._rows = msgspec.json.Decoder(msgspec.defstruct("Batch", [("data", list[self.row_type])], **_STRICT))  # type: ignore[name-defined]

    def _predictor(self) -> tuple[Callable[[Sequence[Any]], float], Callable[[Mapping[str, Any], int], np.ndarray]]:
        plan = _plan(self.folder)
        if plan is not None:
            predictor = Predictor.read(self.folder, canonical, tree_kernel(plan))
            return predictor.probability, predictor.probabilities
        from evergreen.serving.fallback import load_fallback

        return load_fallback(self.folder, self.numeric, self.categorical)

    def _row_type(self) -> type[msgspec.Struct]:
        """Features by name, then the keys, which a request may name; unknown names are refused."""
        names = [*self.features, *self.keys]
        kinds = [Number] * len(self.numeric) + [Category] * len(self.categorical)
        fields: list[Any] = [(f"f{place}", kind) for place, kind in enumerate(kinds)]
        fields += [(f"f{len(fields) + place}", KEY_TYPE, None) for place in range(len(self.keys))]
        rename = {f"f{place}": name for place, name in enumerate(names)}
        return msgspec.defstruct("Row", fields, rename=rename, **_STRICT)

    def read_row(self, body: bytes) -> tuple[msgspec.Struct, tuple[Any, ...]]:
        """One row, and its values: features in their order, then keys.

        Raises:
            Refusal: Naming the field and what is allowed.
        """
        try:
            row = self._row.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self.refusal(error) from None
        values = msgspec.structs.astuple(row)
        if body.count(b":") > self.width + sum(value is not None for value in values[self.width :]):
            refuse_repeated_names(body)
        self.require_in_range(values)
        for place in range(self.width, len(values)):
            if type(values[place]) is float:
                self.require_whole(self.keys[place - self.width], values[place])
        return row, values

    def require_whole(self, name: str, key: float) -> None:
        """Refuse a key that is a fraction, or may have been rounded to a whole number.

        Raises:
            Refusal: Naming the key.
        """
        if not (key.is_integer() and abs(key) < _EXACT_FLOATS):
            raise Refusal(422, f"{short(name)} is of the wrong type: {_allowed(name, self)} is allowed.")

    def require_in_range(self, values: tuple[Any, ...]) -> None:
        """Refuse a row with a number that is too large, or none.

        Raises:
            Refusal: Naming the feature.
        """
        for place in range(self._numbers):
            value = values[place]
            if value is not None and not -LARGEST <= value <= LARGEST:
                raise self.out_of_range(self.features[place])

    def read_rows(self, body: bytes) -> list[msgspec.Struct]:
        """Many rows of ``{"data": [...]}``; see :meth:`read_row`."""
        try:
            rows = self._rows.decode(body).data  # type: ignore[attr-defined]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self.refusal(error) from None
        if body.count(b":") > len(rows) * self.width + 1:
            refuse_repeated_names(body)
        return list(rows)

    def convert(self, rows: list[dict[str, Any]]) -> list[msgspec.Struct]:
        """Rows that another protocol brought, checked as strictly."""
        try:
            return list(msgspec.convert(rows, list[self.row_type]))  # type: ignore[name-defined]
        except msgspec.ValidationError as error:
            raise self.refusal(error) from None

    def columns(self, rows: Sequence[msgspec.Struct]) -> dict[str, Sequence[Any]]:
        """Rows by column, features and keys; numbers as float arrays with NaN for missing.

        Raises:
            Refusal: Where a number is beyond what the models can read.
        """
        names = [*self.features, *self.keys]
        by_column = list(zip(*map(msgspec.structs.astuple, rows), strict=True)) or [()] * len(names)
        columns: dict[str, Any] = dict(zip(names, by_column, strict=True))
        for name in self.numeric:
            numbers = np.array(columns[name], dtype=np.float64)
            if not (np.isnan(numbers) | (np.abs(numbers) <= LARGEST)).all():
                raise self.out_of_range(name)
            if np.isnan(numbers).sum() != sum(value is None for value in columns[name]):
                raise Refusal(422, f"{short(name)} is not a number somewhere: use null where a value is not known.")
            columns[name] = numbers
        for name in self.keys:
            for key in columns[name]:
                if type(key) is float:
                    self.require_whole(name, key)
        return columns

    def out_of_range(self, name: str) -> Refusal:
        """The refusal of a number that is too large."""
        return Refusal(422, f"{short(name)} is out of range: numbers of a magnitude up to 3.4e38 are allowed.")

    def refusal(self, error: Exception) -> Refusal:
        """The sentence for what msgspec says, with names cut and without values."""
        message = str(error)
        if not isinstance(error, msgspec.ValidationError):
            deep = isinstance(error, RecursionError)
            return Refusal(400, "The body is nested too deeply." if deep else "The body is not valid JSON.")
        name = message.split("`")[1] if "`" in message else ""
        place = message.rsplit(" - at `", 1)[1].rstrip("`") if " - at `" in message else ""
        if message.startswith("Object contains unknown field"):
            name = message.removeprefix("Object contains unknown field `").rsplit("` - at `", 1)[0].rstrip("`")
            return Refusal(422, f"{short(name)} is not a feature of {self.use_case}; GET /schema lists them.")
        if message.startswith("Object missing required field"):
            return Refusal(422, f"{short(name)} is missing: name it, with null where its value is not known.")
        if place in ("", "$"):
            return Refusal(422, "The body is not an object of the shape that GET /docs shows.")
        field = place.split(".", 1)[1] if "." in place else place.removeprefix("$")
        allowed = _allowed(field, self)
        return Refusal(422, f"{short(place.removeprefix('$').lstrip('.'))} is of the wrong type: {allowed} is allowed.")


def _allowed(field: str, served: Served) -> str:
    if field in served.numeric:
        return "a number or null"
    return "text, a number, true, false or null" if field in served.categorical else "text or a whole number"


_STRICT: dict[str, Any] = {"forbid_unknown_fields": True, "frozen": True, "gc": False}


def refuse_repeated_names(body: bytes) -> None:
    """Refuse a JSON body in which an object names a field twice.

    Raises:
        Refusal: Naming it.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise Refusal(422, f"{short(twice)} is named twice.")
        return found

    try:
        json.loads(body, object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise Refusal(400, "The body is not valid JSON.") from None
