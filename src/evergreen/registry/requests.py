"""Logged requests as rows that a version may be judged on, and what an experiment's verdict makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.evaluation.decision import PromotionDecision
from evergreen.evaluation.judge import judge
from evergreen.evaluation.parameters import EvaluationParameters
from evergreen.experiments.record import ExperimentRecord
from evergreen.registry.attempts import keep_judgement, kept_judgement, take_look
from evergreen.registry.judgement import contestant, judge_challenger
from evergreen.registry.manifest import Manifest
from evergreen.registry.settle import Contest
from evergreen.rows.fingerprint import content_digest
from evergreen.rows.labelled import LabelledRows
from evergreen.rows.splits import block_share, unseen_mask
from evergreen.wording import listed


def unseen_requests(frame: pd.DataFrame, manifests: Sequence[Manifest]) -> np.ndarray:
    """Requests whose outcome none of some versions can have learnt from, shape (n,) of bool.

    They were made after the version's ``as_of``, or their entity is one that it was never trained on.

    Args:
        frame: ``entity_id`` and ``timestamp`` (or ``date``), a row a request.
        manifests: The versions'.
    """
    unseen = np.ones(len(frame), dtype=bool)
    day = pd.to_datetime(frame["timestamp" if "timestamp" in frame else "date"]).dt.date.to_numpy()
    for manifest in manifests:
        later = day > manifest.as_of
        if not manifest.bounds.dated and "entity_id" in frame:
            later = later | unseen_mask(None, block_share(frame[["entity_id"]]), manifest.bounds)
        unseen &= later
    return unseen


def experiment_rows(
    contest: Contest, table: ir.Table, record: ExperimentRecord, variant: str | None, max_rows: int
) -> LabelledRows:
    """The newest requests of an experiment whose outcome is known.

    Args:
        contest: The new version, and the champion that it was compared with.
        table: Exposures, as the experiment's analysis read them.
        record: What it says.
        variant: Of a split, the variant whose requests count.
        max_rows: Most rows.

    Raises:
        EvergreenError: Where the requests were logged without their features, or none has an outcome.
    """
    new, old = contest.challenger.manifest, contest.reigning.manifest
    both = new.spec if variant else new.spec.with_features_of(old.spec)
    lacking = [name for name in both.features if name not in table.columns]
    if lacking:
        raise EvergreenError(
            f"experiment {record.experiment}: its requests were logged without {listed(lacking)}, on which the judge "
            "looks at slices and behaviour: set scoring.keep_features before the next one"
        )
    rows = table.filter(table["label"].notnull())  # noqa: PD004 - an Ibis column
    if variant is not None:
        rows = rows.filter(rows["variant"] == variant)
    rows = rows.order_by(ibis.desc("known_on"), "unit").limit(max_rows)
    frame = rows.select("unit", "label", *both.features).execute()
    if not len(frame):
        raise EvergreenError(f"experiment {record.experiment}: no request has an outcome, so there is nothing to judge")
    y = frame.pop("label").to_numpy(np.int8)
    share = block_share(frame[["unit"]])
    return LabelledRows(frame, y, share, new.spec, new.label, new.bounds, record.as_of)


def judge_experiment(
    contest: Contest, rows: LabelledRows, record: ExperimentRecord, policy: EvaluationParameters
) -> PromotionDecision:
    """May the new variant of an experiment that says ``ship`` serve? The judge's answer, which takes a look.

    Replay and shadow hand over their requests: both versions are compared on them as on any rows. After a split the
    verdict stands in place of the paired comparison; floor, slices, calibration and behaviour are judged on the new
    variant's own requests.

    Args:
        contest: The new version, and the champion that it was compared with.
        rows: What :func:`experiment_rows` found.
        record: What the experiment says.
        policy: What the version must show.
    """
    assert record.mode is not None  # an experiment that ran
    if record.mode != "split":
        return judge_challenger(contest, rows, policy, record.mode, record.experiment)
    digest = content_digest(rows.rows)
    kept = kept_judgement(contest, digest)
    if kept is not None:
        return kept
    look = take_look(contest, digest)
    scores = contest.challenger.probabilities(rows.rows)
    found = judge(rows, None, scores, contestant(contest.challenger), policy, look, "split")
    reasons = (*record.reasons, *found.reasons)
    decision = found.model_copy(update={"experiment": record.experiment, "reasons": reasons})
    keep_judgement(contest, digest, decision)
    return decision
