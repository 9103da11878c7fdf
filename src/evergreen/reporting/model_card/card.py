"""What must somebody know before relying on this version? The model card (Mitchell et al. 2019)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from evergreen.evaluation.curves import calibration_curve, roc_curve
from evergreen.evaluation.explained import Explained
from evergreen.evaluation.judge import EvaluationRecord, ScoredRows
from evergreen.records import Frozen
from evergreen.reporting.blocks import Block, Bullets, Table, Text, Tone, Verdict
from evergreen.reporting.model_card.evidence import (
    METRIC_LABELS,
    algorithm_blocks,
    curve_blocks,
    importance_blocks,
    interval_text,
    limits_found,
    metrics_blocks,
    promotion_in_words,
    slice_blocks,
)
from evergreen.reporting.page import Page, Section, Tile, as_html, as_markdown
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds, TestedOn
from evergreen.schema import TableSpec
from evergreen.wording import number_text, percent_text

_TILES = ("roc_auc", "average_precision", "f1", "expected_calibration_error")


class CardFacts(Frozen):
    """What the card says beside the evaluation; the first fields are those of the version's manifest.

    Attributes:
        use_case: The use case.
        version: The registered version.
        algorithm: Its algorithm.
        as_of: The date that its training pretended was today.
        spec: The table that it expects.
        bounds: The windows that it was trained and tested on.
        label: How the outcome becomes 0/1.
        threshold: Probability from which a row is predicted 1.
        training_rows: Rows that it was fitted on.
        tested_on: Where the rows lie that it has not seen, as in its manifest.
        fingerprint: Digest of training data and parameters.
        content_digest: Digest of the training rows alone.
        parent_version: The champion when it was trained, or None.
        git_commit: Commit of the code, or None.
        library_versions: Versions that it was trained with.
        created: When it was made, in UTC.
        intended_use: What it is for, and what it is not for.
        contact: Whom to ask, or None.
        personal_data: What is known of persons in the data, in words.
        limits: Known limits beside those that the figures show.
    """

    use_case: str
    version: str
    algorithm: str
    as_of: dt.date
    spec: TableSpec
    bounds: Bounds
    label: LabelDefinition
    threshold: float
    training_rows: int
    tested_on: TestedOn = "features"
    fingerprint: str
    content_digest: str
    parent_version: str | None
    git_commit: str | None
    library_versions: dict[str, str]
    created: dt.datetime
    intended_use: str
    contact: str | None = None
    personal_data: str = "Nobody has stated yet whether the features describe persons."
    limits: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelCard:
    """The card in both forms; the HTML fetches nothing."""

    markdown: str
    html: str


def card_of(facts: CardFacts, record: EvaluationRecord, scored: ScoredRows, explained: Explained) -> ModelCard:
    """The model card of a version that was just judged, its curves computed from the scores."""
    y = scored.test.y
    roc = {name: roc_curve(y, scores) for name, scores in scored.scores.items()}
    calibration = calibration_curve(y, scored.judged)
    return model_card(facts, record, explained.importance, explained.judged.basis, roc, calibration)


def model_card(
    facts: CardFacts,
    record: EvaluationRecord,
    importance: pd.DataFrame,
    explained: str,
    roc: Mapping[str, pd.DataFrame],
    calibration: pd.DataFrame,
) -> ModelCard:
    """Write the model card.

    Args:
        facts: Who the version is.
        record: How it was judged.
        importance: What :func:`~evergreen.evaluation.importance.importance_table` returned.
        explained: What the SHAP values rest on: ``Explanation.basis``.
        roc: Frames of :func:`~evergreen.evaluation.curves.roc_curve` by algorithm.
        calibration: The version's frame of :func:`~evergreen.evaluation.curves.calibration_curve`.

    Returns:
        The card; a figure that is missing reads "insufficient data".
    """
    test = record.metrics["test"]
    sections = [
        Section("In short", [Text(_summary(facts, record)), Bullets(promotion_in_words(record))]),
        Section("Intended use", [Text(facts.intended_use), Text(f"Contact: {facts.contact or 'not stated'}.")]),
        Section("Metrics", metrics_blocks(record)),
        Section("Curves and calibration", curve_blocks(record, roc, calibration)),
        Section("Other algorithms", algorithm_blocks(record)),
        Section("Slices", slice_blocks(record)),
        Section("What moves the scores", importance_blocks(importance, explained)),
        Section("Limits", [Bullets([*facts.limits, *limits_found(record)])]),
        Section("Personal data", [Text(facts.personal_data), Text("This card holds sums over rows, no single row.")]),
        Section("Data", _data(facts, record)),
        Section("Features", [_features(facts.spec)]),
        Section("Lineage", [_lineage(facts)]),
    ]
    page = Page(
        title=f"{facts.use_case} · version {facts.version}",
        subtitle=f"{facts.algorithm}, judged on {record.n_test:,} test rows as of {record.as_of}",
        status=record.status,
        tiles=[
            Tile(
                METRIC_LABELS[name].removesuffix(" (lower is better)"),
                number_text(test[name].value),
                interval_text(test[name]),
            )
            for name in _TILES
        ],
        sections=sections,
        verdict=card_verdict(facts, record),
    )
    return ModelCard(markdown=as_markdown(page), html=as_html(page))


_OUTCOMES: dict[str, tuple[str, str, Tone]] = {
    "promoted": ("was found fit to serve", "Use it for what it is meant for, and read its limits.", "good"),
    "refreshed": (
        "took over as a refresh, which is no proven gain",
        "Use it as the version before it; a rollback undoes it.",
        "good",
    ),
    "standing": ("serves", "Use it for what it is meant for, and read its limits.", "good"),
    "refused": ("was refused", "Don't use it: the reasons stand under In short.", "bad"),
    "undecidable": ("could not be judged", "Don't use it yet: too little speaks for it, see In short.", "watch"),
}


def card_verdict(facts: CardFacts, record: EvaluationRecord) -> Verdict:
    """Whether the version may be relied on, since when it is judged so, and what to do."""
    became, advice, tone = _OUTCOMES[record.promotion.outcome]
    auc = record.metrics["test"]["roc_auc"]
    headline = f"Version {facts.version} {became}: ROC AUC {number_text(auc.value)} on rows that it had not seen."
    answers = [
        ("Since when", f"Judged as of {record.as_of}, made {facts.created:%Y-%m-%d %H:%M} UTC."),
        ("What to do", advice),
    ]
    return Verdict(headline, answers, tone)


def _summary(facts: CardFacts, record: EvaluationRecord) -> str:
    auc = record.metrics["test"]["roc_auc"]
    return (
        f"The model gives the probability that {_outcome(facts.label)}; from {number_text(facts.threshold)} on it "
        f"predicts yes. Of a random pair of a yes and a no it ranks the right one first with a chance of "
        f"{number_text(auc.value)} ({interval_text(auc)}). {record.beats_logistic_regression}"
    )


def _outcome(label: LabelDefinition) -> str:
    if label.kind == "positive":
        wanted = label.positive if isinstance(label.positive, tuple) else (label.positive,)
        return f"{label.target} is {' or '.join(map(str, wanted))}"
    return f"{label.target} is above {number_text(label.threshold)}"


def _data(facts: CardFacts, record: EvaluationRecord) -> list[Block]:
    spec = facts.spec
    rows = [
        *_windows(facts.bounds, facts.tested_on),
        ("Training rows", f"{facts.training_rows:,}"),
        ("Test rows", f"{record.n_test:,}"),
        ("Never torn apart", " × ".join(spec.block_columns)),
        ("Outcome", f"1 where {_outcome(facts.label)}"),
        ("Fingerprint of data and parameters", facts.fingerprint),
        ("Digest of the training rows", facts.content_digest),
    ]
    return [Table(("", ""), rows)]


def _windows(bounds: Bounds, tested_on: TestedOn) -> list[tuple[str, str]]:
    """When the rows are from that it learnt from, and those that judged it."""
    kept = f"{percent_text(bounds.judging_share)} of"
    if not bounds.dated:
        return [("Division", f"{kept} entities, chosen by a hash, are kept from training and judge")]
    training = ("Training window", f"{bounds.train_start} to {bounds.train_end}")
    if tested_on == "window" and bounds.judging_from is None:
        told = f"days up to {bounds.test_end}, each scored by models of the same recipe that had not learnt it"
        return [training, ("Judging rows", f"{kept} entities alone, {told}" if bounds.panel else told)]
    if tested_on == "window":
        return [training, ("Judging rows", f"up to {bounds.test_end}: {kept} blocks, chosen by a hash, never train")]
    first_test_day = bounds.train_end and bounds.train_end + dt.timedelta(days=1)
    return [training, ("Test window", f"{first_test_day} to {bounds.test_end}")]


def _features(spec: TableSpec) -> Table:
    known = {"prediction": "when the prediction is made", "outcome": "with the outcome"}
    rows = [
        (name, "numeric" if name in spec.numeric else "categorical", known[spec.known_at(name)])
        for name in spec.features
    ]
    return Table(("Feature", "Kind", "Known"), rows)


def _lineage(facts: CardFacts) -> Table:
    rows = [
        ("Version", facts.version),
        ("Champion when it was trained", facts.parent_version or "none: first of its lineage"),
        ("Trained as of", str(facts.as_of)),
        ("Created", f"{facts.created:%Y-%m-%d %H:%M} UTC"),
        ("Git commit", facts.git_commit or "outside a checkout"),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in sorted(facts.library_versions.items()))),
    ]
    return Table(("", ""), rows)
