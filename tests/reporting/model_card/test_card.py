"""Claims about the model card."""

from __future__ import annotations

import datetime as dt
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from evergreen.evaluation import curves
from evergreen.evaluation.comparison import compare_models
from evergreen.evaluation.judge import EvaluationRecord, PromotionOutcome
from evergreen.evaluation.metrics import classification_metrics
from evergreen.evaluation.promotion import decide_promotion
from evergreen.evaluation.slices import slice_metrics
from evergreen.reporting.model_card.card import CardFacts, ModelCard, model_card
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds
from evergreen.schema import ColumnRule, TableSpec

SPEC = TableSpec(
    entity="customer_id",
    target="churned",
    positive="yes",
    numeric=["tenure"],
    categorical=["plan"],
    columns={"tenure": ColumnRule(known_at="outcome")},
)
FACTS = CardFacts(
    use_case="churn",
    version="7",
    algorithm="GradientBoosting",
    as_of=dt.date(2026, 3, 1),
    spec=SPEC,
    bounds=Bounds(dated=False, judging_share=0.3),
    label=LabelDefinition(target="churned", kind="positive", positive="yes"),
    threshold=0.4,
    training_rows=4933,
    fingerprint="f" * 32,
    content_digest="c" * 32,
    parent_version="5",
    git_commit="0123abc",
    library_versions={"scikit-learn": "1.9.1", "numpy": "2.4.6"},
    created=dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC),
    intended_use="Ranks customers for the <retention> team; not for prices.",
    contact="team@example.com",
    personal_data="Features describe customers.",
    limits=("Trained on one country only.",),
)


def written(y: np.ndarray, facts: CardFacts = FACTS, importance: pd.DataFrame | None = None) -> ModelCard:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"tenure": rng.random(len(y)), "plan": rng.choice(["basic", "a|b"], len(y))})
    scores = {
        name: np.clip(0.3 * y + rng.normal(0.3, 0.15, len(y)), 0, 1)
        for name in ("GradientBoosting", "LogisticRegression")
    }
    own = scores[facts.algorithm]
    metrics = classification_metrics(y, own, facts.threshold)
    record = EvaluationRecord(
        use_case="churn", as_of=facts.as_of, status="refused", version=facts.version, algorithm=facts.algorithm,
        threshold=facts.threshold, n_test=len(y), metrics={"test": metrics, "train": metrics},
        beats_logistic_regression="GradientBoosting is better than LogisticRegression.",
        test_roc_auc={name: classification_metrics(y, s)["roc_auc"].value for name, s in scores.items()},
        slices=[s.model_dump() for s in slice_metrics(y, own, frame, ["plan"], ["tenure"])],
        comparisons=[c.model_dump() for c in compare_models(y, scores, dict.fromkeys(scores, 0.4))],
        promotion=PromotionOutcome(
            outcome="refused", champion_before="5", champion_after="5", decision=decide_promotion(y, None, own)
        ),
    )  # fmt: skip
    if importance is None:
        importance = pd.DataFrame(
            {
                "feature": ["tenure", "plan"], "mean_abs_shap": [0.5, 0.1], "units": "log-odds", "rank": [1, 2],
                "auc_loss": [0.1, -0.00001], "auc_loss_low": [0.05, np.nan], "auc_loss_high": [0.15, np.nan],
            }
        )  # fmt: skip
    roc = {name: curves.roc_curve(y, s) for name, s in scores.items()}
    basis = "tree explainer, log-odds, 1,000 of 2,110 rows"
    return model_card(facts, record, importance, basis, roc, curves.calibration_curve(y, own))


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return written((np.random.default_rng(1).random(800) < 0.3).astype(np.int8))


class Reader(HTMLParser):
    """Collects text, tags and addresses, and checks that elements close in order."""

    VOID = ("meta", "link", "br", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):  # noqa: ARG002 - the parser's signature
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data


def read(card: ModelCard) -> Reader:
    reader = Reader()
    reader.feed(card.html)
    assert reader.open == []
    return reader


def test_the_page_is_whole_small_and_fetches_nothing(card):
    page = read(card)
    assert len(card.html) < 1_000_000
    assert "src" not in page.attributes
    assert all(address.startswith("#") or address == "data:," for address in page.addresses)
    assert "url(" not in card.html
    assert "@import" not in card.html


def test_every_link_of_the_contents_has_its_section(card):
    page = read(card)
    links = [address[1:] for address in page.addresses if address.startswith("#")]
    assert [one for one in links if one not in page.ids] == []
    assert len(links) == 12


@pytest.mark.parametrize("form", ["markdown", "text"])
def test_both_forms_say_everything(form, card):
    told = card.markdown if form == "markdown" else read(card).text
    for expected in (
        "churn · version 7", "GradientBoosting", "2026-03-01", "refused", "champion before: 5", "team@example.com",
        "Ranks customers", "churned is yes", "f" * 32, "c" * 32, "0123abc", "scikit-learn 1.9.1", "4,933", "800",
        "tenure", "with the outcome", "when the prediction is made", "ROC AUC", "Brier score", ".0500 to .1500",
        "tree explainer, log-odds, 1,000 of 2,110 rows", "is better than", "Trained on one country only",
        "Features describe customers", "30 % of entities", "plan = basic",
    ):  # fmt: skip
        assert expected in told, expected


def test_markup_in_the_users_words_is_text_and_not_markup(card):
    assert "<retention>" in read(card).text
    assert "&lt;retention&gt;" in card.html
    assert "plan = a\\|b" in card.markdown


def test_a_markdown_table_has_the_same_number_of_cells_in_every_row(card):
    tables = [block for block in card.markdown.split("\n\n") if block.startswith("|")]
    assert len(tables) >= 7
    for table in tables:
        assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1


def test_test_metrics_stand_beside_those_of_training(card):
    assert "| Metric | Test | 95 % interval | Training, out of fold | 95 % interval (training) |" in card.markdown


@pytest.mark.parametrize(
    "y",
    [np.zeros(40, np.int8), np.ones(40, np.int8), np.array([0, 1] * 5, np.int8)],
    ids=["no positive", "no negative", "ten rows"],
)
def test_degenerate_rows_read_insufficient_data_and_never_nan(y):
    importance = pd.DataFrame(
        {
            "feature": ["tenure", "plan"], "mean_abs_shap": [0.0, 0.0], "units": "probability", "rank": [1, 2],
            "auc_loss": np.nan, "auc_loss_low": np.nan, "auc_loss_high": np.nan,
        }
    )  # fmt: skip
    card = written(y, importance=importance)
    for told in (card.markdown, read(card).text):
        assert "insufficient data" in told
        assert "nan" not in told.lower()
        assert "None" not in told
        assert "inf " not in told
    assert "nan" not in card.html.lower()


def test_dated_windows_and_a_fitted_threshold_are_told():
    facts = FACTS.model_copy(
        update={
            "bounds": Bounds(
                dated=True, train_start=dt.date(2024, 1, 1), train_end=dt.date(2025, 9, 30),
                test_end=dt.date(2025, 12, 30), judging_share=0.3,
            ),
            "label": LabelDefinition(target="amount", kind="above", threshold=1234.5),
            "parent_version": None,
            "git_commit": None,
            "contact": None,
        }
    )  # fmt: skip
    told = written((np.random.default_rng(1).random(300) < 0.3).astype(np.int8), facts).markdown
    assert "2024-01-01 to 2025-09-30" in told
    assert "2025-10-01 to 2025-12-30" in told
    assert "amount is above 1,234.5" in told
    assert "none: first of its lineage" in told
    assert "Contact: not stated." in told
    assert "None" not in told


def test_a_version_of_a_retraining_names_its_judging_rows_instead_of_a_test_window() -> None:
    bounds = Bounds(
        dated=True,
        train_start=dt.date(2025, 1, 1),
        train_end=dt.date(2026, 2, 28),
        test_end=dt.date(2026, 2, 28),
        judging_from=dt.date(2025, 12, 1),
        judging_share=0.3,
    )
    y = (np.random.default_rng(1).random(300) < 0.3).astype(np.int8)
    first = written(y, FACTS.model_copy(update={"bounds": bounds})).markdown
    retrained = written(y, FACTS.model_copy(update={"bounds": bounds, "tested_on": "window"})).markdown
    assert "Test window" in first
    assert "Test window" not in retrained
    assert "up to 2026-02-28: 30 % of blocks, chosen by a hash, never train" in retrained
    forward = FACTS.model_copy(
        update={"bounds": bounds.model_copy(update={"judging_from": None}), "tested_on": "window"}
    )
    assert "days up to 2026-02-28, each scored by models of the same recipe" in written(y, forward).markdown
