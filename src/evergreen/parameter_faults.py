"""What is wrong with parameters? One sentence each, for ``kedro check-conf`` and before every run."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kedro.config import AbstractConfigLoader
from kedro.framework.project import pipelines, settings
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel, ValidationError

from evergreen.context import use_cases
from evergreen.deadlines import MlflowDeadlines
from evergreen.errors import EvergreenError
from evergreen.rows.windows import parse_date
from evergreen.use_cases import POLICIES, WINDOW_DAYS

BASE = "base"
# Blocks that no pipeline reads.
OF_THE_PROJECT: dict[str, type[BaseModel]] = {"mlflow_server": MlflowDeadlines}
_ASKED = re.compile(r"\$\{runtime_params:\s*([A-Za-z_]\w*)")


def refuse_faulty_parameters(loader: AbstractConfigLoader) -> None:
    """Stop a run whose parameters, those of the command line included, nobody reads or a model refuses.

    Args:
        loader: The run's configuration.

    Raises:
        EvergreenError: One sentence a fault.
    """
    conf, given = Path(loader.conf_source), loader.runtime_params or {}
    base = settings.CONFIG_LOADER_CLASS(str(conf), env=BASE, **settings.CONFIG_LOADER_ARGS)["parameters"]
    asked = {name for name in given if name in _names_asked_for(conf)} - {"as_of"}
    faults = list(parameter_faults({k: v for k, v in loader["parameters"].items() if k not in asked}, base))
    if faults:
        raise EvergreenError(" ".join(faults))


def parameter_faults(parameters: dict[str, Any], base: dict[str, Any]) -> Iterator[str]:
    """Names that nothing reads, and values that a typed model refuses."""
    known = {*base, *use_cases()}
    try:
        parse_date(parameters.get("as_of"))
    except EvergreenError as error:
        yield f"parameter {error}"
    for name, block in parameters.items():
        if name not in known:
            yield f"parameter {name} is read by nothing{probably_meant(name, known)}."
        elif name in use_cases() and not isinstance(block, dict):
            yield f"parameter {name} is {block!r}: a block of parameters is needed, as in --params={name}.training.k=8."
        elif name in use_cases():
            blocks = _blocks_read(name)
            window = block.get("window_days", WINDOW_DAYS)
            if not isinstance(window, int) or window < 1:
                yield f"parameter {name}.window_days is {window!r}: a number of days is needed, 1 or more."
            for unread in (each for each in block if each not in blocks):
                yield f"parameter {name}.{unread} is read by nothing{probably_meant(unread, blocks)}."
    for key, model in {**TypeExtractor(dict(pipelines)).extract_types_from_pipelines(), **OF_THE_PROJECT}.items():
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from _model_faults(key, model, parameters)


def _blocks_read(use_case: str) -> set[str]:
    """Blocks of a use case's parameters: those that its pipelines read, and what ``kedro models prune`` does."""
    read = pipelines["__default__"].inputs()
    asked = {name.removeprefix(f"params:{use_case}.") for name in read if name.startswith(f"params:{use_case}.")}
    return {name.partition(".")[0] for name in asked} | {*POLICIES, "use_case"}


def _model_faults(key: str, model: type[BaseModel], parameters: dict[str, Any]) -> Iterator[str]:
    value: Any = parameters
    for part in key.split("."):
        if not isinstance(value, dict):
            return  # reported above
        if part not in value:
            yield f"parameter {key} is missing; a {model.__name__} is needed."
            return
        value = value[part]
    try:
        model.model_validate(value)
    except ValidationError as error:
        for fault in error.errors():
            where = ".".join([key, *map(str, fault["loc"])])
            yield f"parameter {where} is {fault['input']!r}: {fault['msg'].removeprefix('Value error, ')}."


def probably_meant(name: str, known: Iterable[str]) -> str:
    """The known name that is spelt most alike, as the end of a sentence; empty where none is."""
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; {close[0]} was probably meant" if close else ""


def _names_asked_for(conf: Path) -> set[str]:
    """What configuration asks the command line for, as in ``${runtime_params:lake}``."""
    return {name for file in conf.rglob("*.yml") for name in _ASKED.findall(file.read_text())}
