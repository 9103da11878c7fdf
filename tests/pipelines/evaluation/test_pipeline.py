"""Claims about evaluation as it is wired, in memory."""

from __future__ import annotations

from evergreen import registry
from evergreen.reporting.figures import PICTURES
from tiny_use_case import TinyUseCase, people


def test_a_first_version_above_the_floor_serves_and_every_figure_is_its(served: TinyUseCase) -> None:
    record = served["evaluation"]
    assert (record.status, record.version) == ("promoted", "1")
    assert registry.aliases_of(served.name)["champion"] == "1"
    assert record.metrics["test"]["roc_auc"].value > 0.7
    assert set(served["importance"]["feature"]) == {"age", "balance", "region"}


def test_card_and_pictures_speak_of_the_judged_version(served: TinyUseCase) -> None:
    assert f"{served.name}" in served["model_card"]
    assert "version 1" in served["model_card"]
    titles = [served[f"{name}_picture"].layout.title.text for name in PICTURES]
    assert [title for title in titles if "version 1" not in title] == []


def test_a_first_version_that_guesses_does_not_serve(mlflow_store: object) -> None:
    guessing = TinyUseCase(customers=people(900, 1, "2026-01-31", effect=0.0))
    guessing.run("feature_engineering", "training", "evaluation")
    assert guessing["evaluation"].status == "refused"
    assert "champion" not in registry.aliases_of(guessing.name)


def test_without_a_new_version_the_champion_stands(served: TinyUseCase) -> None:
    served.run("training", "evaluation")
    assert served["evaluation"].status == "standing"
    assert registry.aliases_of(served.name) == {"champion": "1"}
