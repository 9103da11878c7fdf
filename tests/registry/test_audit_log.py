"""Claims about who was champion when."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.registry import aliases
from evergreen.registry.audit_log import person
from versions import make_version

pytestmark = pytest.mark.usefixtures("mlflow_store")


@pytest.fixture
def use_case() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


class KilledError(BaseException):
    """Stands for SIGKILL: no handler of the code sees it."""


def kill_while_moving(monkeypatch: pytest.MonkeyPatch, use_case: str, to: str, expected: str, moved: bool) -> None:
    """Move the champion in a process that dies just before, or just after, the alias moved."""
    real = MlflowClient.set_registered_model_alias

    def dying(client: MlflowClient, *arguments: str) -> None:
        if moved:
            real(client, *arguments)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_registered_model_alias", dying)
        with pytest.raises(KilledError):
            registry.move_champion(use_case, to, expected, "killed")


def test_the_champion_at_a_time_is_the_one_of_the_last_change_before_it(use_case: str, tmp_path: Path) -> None:
    first, second = make_version(use_case, tmp_path), make_version(use_case, tmp_path, "f2")
    assert registry.champion_at(use_case, dt.datetime.now(dt.UTC)) is None
    one = registry.move_champion(use_case, first, None, "first")
    two = registry.move_champion(use_case, second, first, "better")
    three = registry.rollback(use_case, "worse")
    instant = dt.timedelta(microseconds=1)
    assert registry.champion_at(use_case, one.when - instant) is None
    told = [registry.champion_at(use_case, change.when) for change in (one, two, three)]
    assert [line.to_version for line in told if line] == [first, second, first]
    before_two = registry.champion_at(use_case, two.when - instant)
    assert before_two is not None
    assert before_two.to_version == first


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("later", [False, True])
def test_a_change_whose_process_was_killed_is_settled_by_what_was_found_later(
    use_case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: bool, later: bool
) -> None:
    first, second = make_version(use_case, tmp_path), make_version(use_case, tmp_path, "f2")
    registry.move_champion(use_case, first, None, "first")
    kill_while_moving(monkeypatch, use_case, second, first, moved)
    assert registry.audit(use_case)[-1].state == "started"
    serving = registry.aliases_of(use_case)["champion"]
    assert serving == (second if moved else first)
    if later:
        third = make_version(use_case, tmp_path, "f3")
        registry.move_champion(use_case, third, serving, "the next run succeeds")
    settled = registry.history(use_case)[1]
    assert settled.state == ("done" if moved else "abandoned")
    at_death = registry.champion_at(use_case, settled.when)
    assert at_death is not None
    assert at_death.to_version == serving
    assert registry.former_champion(use_case) == (serving if later else first if moved else None)


def test_a_change_that_another_host_overwrites_is_reported_as_a_conflict(
    use_case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_version(use_case, tmp_path), make_version(use_case, tmp_path, "f2")
    real = MlflowClient.set_registered_model_alias

    def overwritten(client: MlflowClient, name: str, alias: str, version: str) -> None:
        real(client, name, alias, first)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_registered_model_alias", overwritten)
        with pytest.raises(EvergreenError, match="another host moved it"):
            registry.move_champion(use_case, second, None, "race")
    assert [line.state for line in registry.history(use_case)] == ["conflict"]
    assert registry.champion_at(use_case, dt.datetime.now(dt.UTC)) is None


def test_two_hosts_that_write_the_same_line_number_lose_neither(
    use_case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = make_version(use_case, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(aliases, "audit", lambda _: [])
        registry.move_champion(use_case, version, None, "one")
        MlflowClient().delete_registered_model_alias(use_case, "champion")
        registry.move_champion(use_case, version, None, "two")
    assert [line.reason for line in registry.audit(use_case)] == ["one", "two"]


def test_the_table_for_people_grows_and_keeps_its_rows(use_case: str, tmp_path: Path) -> None:
    assert registry.audit_table(use_case).empty
    first, second = make_version(use_case, tmp_path), make_version(use_case, tmp_path, "f2")
    registry.move_champion(use_case, first, None, "first", {"difference": 0.2})
    before = registry.audit_table(use_case)
    registry.move_champion(use_case, second, first, "better")
    after = registry.audit_table(use_case)
    assert list(after) == ["when", "who", "action", "from_version", "to_version", "state", "reason", "evidence"]
    pd.testing.assert_frame_equal(after.head(1), before)
    assert json.loads(after["evidence"][0]) == {"difference": 0.2}
    assert len(after) == 2


def test_a_user_without_a_name_is_written_down_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1000680000")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert person().startswith("uid ")
