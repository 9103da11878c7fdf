"""``python -m evergreen.parameter_reference``: docs/parameters.md, made of the models that read the parameters."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from kedro.framework.project import pipelines
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from evergreen.commands.project import open_here
from evergreen.context import use_cases
from evergreen.use_cases import POLICIES

PAGE = Path("docs/parameters.md")
LONGEST = 60
_BOUNDS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
_HEAD = """# Parameters

Every use case has these blocks in `conf/<env>/**/parameters*.yml`: `churn: {training: {k: 8}}`, or on the command line
`--params=churn.training.k=8`. What YAML does not name has the default below; `kedro check-conf` says what is misspelt.
A dot leads into a block of its own. This page is made of the models that read the parameters (`make reference`).
"""


def page() -> str:
    """The whole page in markdown."""
    return "\n".join([_HEAD, *(_block(name, model) for name, model in _blocks().items())])


def _blocks() -> dict[str, type[BaseModel]]:
    """Block → its model, as pipelines and commands read it; of the first use case that has it."""
    from evergreen.registry.parameters import RetentionParameters

    found = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
    typed = {name: each for name, each in found.items() if isinstance(each, type) and issubclass(each, BaseModel)}
    names = ("table", "features", *POLICIES)
    asked = {name: [f"{use_case}.{name}" for use_case in use_cases()] for name in names}
    known = {name: next((typed[each] for each in places if each in typed), None) for name, places in asked.items()}
    whole = {**known, "retention": RetentionParameters}
    return {name: model for name, model in whole.items() if model is not None}


def _block(name: str, model: type[BaseModel]) -> str:
    head = ["| parameter | values | default | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([f"## {name}", "", _first_line(model), "", *head, *_rows(model, "", ()), ""])


def _rows(model: type[BaseModel], prefix: str, above: tuple[type, ...]) -> Iterator[str]:
    meanings = _meanings(model)
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        meaning = meanings.get(name, "")
        if inner is not None and inner not in above:
            yield _row(f"{prefix}{name}", _kind(field), "", meaning or _first_line(inner))
            yield from _rows(inner, f"{prefix}{name}.{_inside(field.annotation)}", (*above, model, inner))
        else:
            yield _row(f"{prefix}{name}", _kind(field), _default(field), meaning)


def _row(*cells: str) -> str:
    name, kind, default, meaning = (each.replace("|", r"\|") for each in cells)
    return f"| `{name}` | {kind} | {default} | {meaning} |"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The block that a field holds, alone or by name."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _inside(annotation: Any) -> str:
    return {dict: "<name>.", list: "[].", tuple: "[]."}.get(get_origin(annotation) or annotation, "")


def _kind(field: FieldInfo) -> str:
    bounds = [
        f"{sign} {getattr(each, at):g}" for each in field.metadata for at, sign in _BOUNDS.items() if hasattr(each, at)
    ]
    return ", ".join([_named(field.annotation), *bounds])


def _named(annotation: Any) -> str:
    """A type in words that a reader of YAML knows."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in inner)
    if origin is types.UnionType or str(origin) == "typing.Union":
        return " or ".join(dict.fromkeys(_named(each) for each in inner))
    if origin in (list, tuple, set, frozenset):
        return f"list of {_named(inner[0])}" if inner else "list"
    if origin is dict:
        return f"names with {_named(inner[1])}"
    if _model_in(annotation) is not None:
        return "block"
    words = {"str": "text", "int": "whole number", "float": "number", "bool": "true, false", "NoneType": "null"}
    name = getattr(annotation, "__name__", str(annotation))
    return words.get(name, name)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True) if not field.is_required() else PydanticUndefined
    if value is PydanticUndefined:
        return "required"
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    text = yaml.safe_dump(_plain(plain), default_flow_style=True, width=10_000, sort_keys=False)
    text = re.sub(r"\n\.\.\.\n$", "", text).strip()
    return f"`{text}`" if len(text) <= LONGEST else "see the model"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _first_line(model: type[BaseModel]) -> str:
    return _markdown((model.__doc__ or "").strip().partition("\n\n")[0])


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """Field → what its docstring says, those of former classes first."""
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        _, _, listed = (each.__doc__ or "").partition("Attributes:")
        entries = re.findall(r"^ {4,8}(\w+): (.+?)(?=^ {4,8}\w+: |\Z)", listed, re.DOTALL | re.MULTILINE)
        found |= {name: _markdown(text) for name, text in entries}
    return found


def _markdown(text: str) -> str:
    return " ".join(
        re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text.partition("\n\n")[0])
        .replace("``", "`")
        .replace("None", "null")
        .split()
    )


def main() -> None:
    """Write the page."""
    project = open_here()
    (project / PAGE).write_text(page())


if __name__ == "__main__":
    main()
