"""Claims about looks at judging rows: who pays, who repeats an answer, and what the audit says."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from pathlib import Path

import ibis
import pandas as pd
import pytest
from mlflow import MlflowClient

from evergreen import registry
from evergreen.errors import EvergreenError
from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.evaluation.spending import alpha_of_challenger, spend_alpha
from evergreen.rows.fingerprint import content_digest
from evergreen.rows.labelled import LabelledRows
from versions import ROWS, Y, make_version

pytestmark = pytest.mark.usefixtures("mlflow_store")
POLICY = EvaluationParameters()


@pytest.fixture
def use_case() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def champion(use_case: str, tmp_path: Path) -> str:
    number = make_version(use_case, tmp_path, "champion", complete=True)
    registry.move_champion(use_case, number, None, "first")
    return number


def challenge(use_case: str, folder: Path, mark: str) -> registry.Contest:
    """A new challenger, equal to the champion but for its fingerprint."""
    number = make_version(use_case, folder, mark, c=0.5)
    registry.set_challenger(use_case, number)
    return registry.Contest(registry.load(use_case, number), registry.load(use_case, "1"))


def rows(contest: registry.Contest, copies: int = 4) -> LabelledRows:
    table = pd.concat([ROWS.assign(gone=Y)] * copies, ignore_index=True)
    return registry.judging_rows(contest, ibis.memtable(table.assign(id=table.index)), 10_000)


def tags(use_case: str, version: str) -> dict[str, str]:
    return dict(MlflowClient().get_model_version(use_case, version).tags)


def test_every_other_challenger_on_the_same_rows_takes_a_look_and_pays_for_it(
    use_case: str, champion: str, tmp_path: Path
) -> None:
    decisions = []
    for mark in ("a", "b", "c"):
        contest = challenge(use_case, tmp_path, mark)
        decisions.append(registry.judge_challenger(contest, rows(contest), POLICY))
        registry.settle(contest, decisions[-1])
    assert [decision.look for decision in decisions] == [1, 2, 3]
    assert [decision.alpha for decision in decisions] == [spend_alpha(0.025, look) for look in (1, 2, 3)]
    assert tags(use_case, champion)["looks"] == "3"
    assert [tags(use_case, number)["look"] for number in ("2", "3", "4")] == ["1", "2", "3"]
    lines = [line for line in registry.audit(use_case) if line.action == "look"]
    assert [(line.to_version, line.evidence["look"]) for line in lines] == [("2", 1), ("3", 2), ("4", 3)]


def test_where_rows_have_dates_an_experiment_is_another_challenger_of_the_one_budget(
    use_case: str, champion: str, tmp_path: Path
) -> None:
    first, other = (challenge(use_case, tmp_path, mark) for mark in ("a", "b"))
    decisions = []
    for contest, copies, name in ((first, 4, "winter"), (first, 5, "winter"), (other, 4, "spring")):
        manifest = contest.challenger.manifest
        dated = manifest.model_copy(update={"bounds": manifest.bounds.model_copy(update={"dated": True})})
        asked = replace(contest, challenger=replace(contest.challenger, manifest=dated))
        decisions.append(registry.judge_challenger(asked, rows(contest, copies), POLICY, "shadow", name))
    shares = [alpha_of_challenger(0.025, challenger) for challenger in (1, 1, 2)]
    assert [decision.alpha for decision in decisions] == [
        spend_alpha(share, look) for share, look in zip(shares, (1, 2, 1), strict=True)
    ]
    assert [(decision.look, decision.experiment) for decision in decisions] == [
        (1, "winter"), (2, "winter"), (3, "spring")
    ]  # fmt: skip
    endless = [spend_alpha(alpha_of_challenger(0.025, k), n) for k in range(1, 200) for n in range(1, 200)]
    assert sum(endless) < 0.025


def test_the_same_challenger_asked_again_repeats_its_answer_and_costs_nothing(
    use_case: str, champion: str, tmp_path: Path
) -> None:
    contest = challenge(use_case, tmp_path, "a")
    first = registry.judge_challenger(contest, rows(contest), POLICY)
    registry.settle(contest, first)
    strict = POLICY.model_copy(update={"promotion": POLICY.promotion.model_copy(update={"alpha": 0.01})})
    assert registry.judge_challenger(contest, rows(contest), strict) == first
    registry.settle(contest, first)
    assert tags(use_case, champion)["looks"] == "1"
    assert [line.action for line in registry.audit(use_case)] == ["promote", "look"]


def test_the_same_challenger_on_new_rows_is_a_new_comparison(use_case: str, champion: str, tmp_path: Path) -> None:
    contest = challenge(use_case, tmp_path, "a")
    looks = [registry.judge_challenger(contest, rows(contest, copies), POLICY).look for copies in (4, 5)]
    assert looks == [1, 2]


def test_a_judgement_that_was_interrupted_keeps_its_look(use_case: str, champion: str, tmp_path: Path) -> None:
    contest = challenge(use_case, tmp_path, "a")
    judged = rows(contest)
    registry.take_look(contest, content_digest(judged.rows))
    assert registry.judge_challenger(contest, judged, POLICY).look == 1


def test_an_answer_against_a_former_champion_is_not_repeated(use_case: str, champion: str, tmp_path: Path) -> None:
    contest = challenge(use_case, tmp_path, "a")
    registry.judge_challenger(contest, rows(contest), POLICY)
    other = registry.load(use_case, make_version(use_case, tmp_path, "other"))
    assert registry.kept_judgement(contest) is not None
    assert registry.kept_judgement(replace(contest, champion=other)) is None


def test_champion_and_challenger_may_use_different_features(use_case: str, champion: str, tmp_path: Path) -> None:
    contest = challenge(use_case, tmp_path, "a")
    slim = contest.challenger.manifest.model_copy(update={"spec": contest.challenger.manifest.spec.without(["b"])})
    judged = rows(replace(contest, challenger=replace(contest.challenger, manifest=slim)))
    assert judged.spec.features == ["a"]
    assert contest.reigning.probabilities(judged.rows).shape == (len(judged.y),)


def test_a_rejected_challenger_is_dropped_with_a_reason_and_the_champion_stays(
    use_case: str, champion: str, tmp_path: Path
) -> None:
    number = challenge(use_case, tmp_path, "a").challenger.version
    line = registry.reject(use_case, number, "trained on the wrong month")
    assert (line.action, line.to_version, line.from_version) == ("reject", number, champion)
    assert registry.aliases_of(use_case) == {"champion": champion}
    assert registry.status_of(use_case, number) == "rejected"
    assert registry.former_champion(use_case) is None
    assert [change.action for change in registry.moves(use_case)] == ["promote"]


@pytest.mark.parametrize(
    ("version", "reason", "sentence"),
    [
        ("1", "x", "is the champion, which is not rejected"),
        ("9", "x", "has no version 9"),
        ("2", " ", "takes a reason"),
    ],
)
def test_what_cannot_be_rejected_is_said_in_words(
    use_case: str, champion: str, tmp_path: Path, version: str, reason: str, sentence: str
) -> None:
    challenge(use_case, tmp_path, "a")
    with pytest.raises(EvergreenError, match=sentence):
        registry.reject(use_case, version, reason)
    assert registry.aliases_of(use_case) == {"champion": champion, "challenger": "2"}


def test_a_version_that_was_decided_on_is_not_rejected_again(use_case: str, champion: str, tmp_path: Path) -> None:
    number = challenge(use_case, tmp_path, "a").challenger.version
    registry.reject(use_case, number, "once")
    with pytest.raises(EvergreenError, match="is rejected already"):
        registry.reject(use_case, number, "twice")


def test_a_refresh_moves_the_alias_as_what_it_is_and_a_rollback_undoes_it(
    use_case: str, champion: str, tmp_path: Path
) -> None:
    contest = challenge(use_case, tmp_path, "newer rows")
    asked = registry.judge_challenger(contest, rows(contest), POLICY)
    refresh = asked.model_copy(update={"decision": "refresh", "odds": 0.87, "reasons": ("A refresh.",)})
    outcome = registry.settle(contest, refresh)
    assert (outcome.outcome, outcome.champion_after) == ("refreshed", "2")
    assert registry.aliases_of(use_case) == {"champion": "2"}
    assert registry.status_of(use_case, "2") == "refreshed"
    *_, look, moved = registry.audit(use_case)
    assert (look.action, moved.action, moved.state, moved.evidence["odds"]) == ("look", "refresh", "done", 0.87)
    assert registry.former_champion(use_case) == champion
    assert registry.rollback(use_case, "worse by hand").to_version == champion


def test_what_found_nothing_to_gain_is_remembered_with_the_champion(use_case: str, champion: str) -> None:
    version, day = registry.load(use_case, champion), dt.date(2026, 3, 1)
    assert registry.nothing_gained(version) is None
    registry.note_nothing_gained(version, day, 500, {"drift": 0.3}, grown=False)
    registry.note_nothing_gained(version, day + dt.timedelta(days=7), 900, {"drift": 0.2}, grown=False)
    found = registry.nothing_gained(version)
    assert found is not None
    assert (found.times, found.before, found.new_labelled_rows, found.effects) == (2, 0, 900, {"drift": 0.3})
    registry.note_nothing_gained(version, day + dt.timedelta(days=14), 1200, {"drift": 0.9}, grown=True)
    found = registry.nothing_gained(version)
    assert found is not None
    assert (found.times, found.before) == (1, 2)
    registry.note_refresh(version, day)
    registry.note_refresh(version, day)
    assert registry.refreshes_in_vain(version) == [day]
