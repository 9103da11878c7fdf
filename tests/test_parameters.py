"""Claims about parameters: base YAML shows the models' defaults, and every field is read by something."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import yaml
from annotated_types import Le
from kedro.framework.project import pipelines, settings
from kedro.framework.startup import bootstrap_project
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel

from evergreen.configuration import ConfigLoader
from evergreen.registry import RetentionParameters
from evergreen.use_cases import POLICIES
from tests_support import ROOT

bootstrap_project(ROOT)
SOURCE = "\n".join(file.read_text() for file in (ROOT / "src").rglob("*.py"))


def models() -> dict[str, type[BaseModel]]:
    """Block of churn's parameters → its model."""
    found = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
    blocks = {name.removeprefix("churn."): model for name, model in found.items() if name.startswith("churn.")}
    typed = {name: model for name, model in blocks.items() if isinstance(model, type) and issubclass(model, BaseModel)}
    return typed | {"retention": RetentionParameters}


def parts(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and all models that its fields hold."""
    yield model
    for field in model.model_fields.values():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from parts(kind)


@pytest.mark.parametrize("block", POLICIES)
def test_what_base_yaml_shows_of_a_block_are_the_models_defaults(block: str) -> None:
    loader = settings.CONFIG_LOADER_CLASS(str(ROOT / "conf"), env="base", **settings.CONFIG_LOADER_ARGS)
    shown = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())[f"_{block}"]
    assert loader["parameters"]["churn"][block].items() >= shown.items()
    model = models()[block]
    assert model.model_validate(shown).model_dump() == model().model_dump()


def test_every_field_of_every_block_is_read_by_something() -> None:
    for model in {part for root in models().values() for part in parts(root)}:
        for name in model.model_fields:
            assert re.search(rf"\.{name}\b", SOURCE), f"{model.__name__}.{name} is read by nothing"


def test_no_number_of_days_is_longer_than_calendars_are() -> None:
    for part in {part for root in models().values() for part in parts(root)}:
        for name, field in part.model_fields.items():
            if re.search(r"(^|_)days", name) and int in (field.annotation, *get_args(field.annotation)):
                assert any(isinstance(bound, Le) for bound in field.metadata), f"{part.__name__}.{name} has no end"


def test_a_block_is_called_parameters_what_it_holds_policy_and_a_room_has_one_file_of_them() -> None:
    for root in (models()[block] for block in POLICIES):
        for part in parts(root):
            assert part.__name__.endswith("Parameters" if part is root else "Policy"), part
            assert re.fullmatch(r"evergreen\.\w+\.parameters", part.__module__), part


def test_a_block_that_yaml_does_not_name_has_its_models_defaults(tmp_path: Any) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/use_cases.yml").write_text("fraud: {source: one_table}\n")
    (tmp_path / "base/parameters.yml").write_text("fraud: {training: {k: 3}}\n")
    found = ConfigLoader(str(tmp_path), env="base", **settings.CONFIG_LOADER_ARGS)["parameters"]["fraud"]
    assert found["use_case"] == "fraud"
    assert (found["training"], found["split"], found["window_days"]) == ({"k": 3}, {}, 7)


@pytest.mark.parametrize("block", ["{window_days: 14}", "{monitoring: {window_days: 14}}"])
def test_a_use_case_has_one_window_under_its_own_name_and_the_former_one(block: str, tmp_path: Any) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/use_cases.yml").write_text("fraud: {source: one_table}\n")
    (tmp_path / "base/parameters.yml").write_text(f"fraud: {block}\n")
    found = ConfigLoader(str(tmp_path), env="base", **settings.CONFIG_LOADER_ARGS)["parameters"]["fraud"]
    assert (found["window_days"], found["monitoring"]["window_days"]) == (14, 14)
