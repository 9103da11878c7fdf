"""What would two versions have answered to requests of the past? The rows that a shadow would have logged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.experiments.exposures import SHADOW, SHADOW_SUFFIX
from evergreen.experiments.parameters import ExperimentPolicy
from evergreen.wording import listed

_KEPT = ("request_id", "entity_id", "timestamp", "date", "label", "observed_at")


@dataclass(frozen=True)
class Scorer:
    """A version that scores logged requests.

    Attributes:
        version: Its number.
        features: Columns that it needs.
        threshold: Probability from which a request is predicted 1.
        predict: Features (n, p) → probability of class 1, shape (n,), exactly as the service answers.
    """

    version: str
    features: tuple[str, ...]
    threshold: float
    predict: Callable[[pd.DataFrame], np.ndarray]


def replay_requests(
    source: ir.Table,
    experiment: ExperimentPolicy,
    scorers: Mapping[str, Scorer],
    max_rows: int,
    as_of: dt.date | None = None,
    unseen: Callable[[pd.DataFrame], np.ndarray] | None = None,
) -> pd.DataFrame:
    """Score the answered requests of the experiment's period again, with both versions.

    Args:
        source: The service's predictions, with the features that they were made from.
        experiment: Names variants and period.
        scorers: VariantPolicy → version.
        max_rows: Most requests; the newest.
        as_of: Last day; None: the newest.
        unseen: Rows → which of them no version can have learnt from, shape (n,); None: all.

    Returns:
        Two rows a request, the second variant's with a request id of its own, as a shadow's.

    Raises:
        EvergreenError: Where the requests were logged without a feature that a version needs.
    """
    needed = list(dict.fromkeys(name for scorer in scorers.values() for name in scorer.features))
    lacking = [name for name in needed if name not in source.columns]
    if lacking:
        raise EvergreenError(
            f"experiment {experiment.name}: the logged requests lack {listed(lacking)}; they are kept under "
            "scoring.keep_features, and a version that needs other features can only be compared in shadow or split"
        )
    rows = source.filter(source["variant"] != SHADOW) if "variant" in source.columns else source
    moment = rows["timestamp" if "timestamp" in rows.columns else "date"].cast("timestamp")
    if experiment.start is not None:
        rows = rows.filter(moment >= ibis.timestamp(experiment.start))
    last = experiment.end if as_of is None else dt.datetime.combine(as_of, dt.time.max)
    if last is not None:
        rows = rows.filter(moment <= ibis.timestamp(min(last, experiment.end or last)))
    kept = [name for name in (*_KEPT, *experiment.slices) if name in rows.columns and name not in needed]
    frame = rows.order_by(ibis.desc(moment)).limit(max_rows).select([*kept, *needed]).execute()
    if unseen is not None:
        frame = frame[unseen(frame)].reset_index(drop=True)
    return pd.concat([_scored(frame, experiment, name, scorer) for name, scorer in scorers.items()], ignore_index=True)


def _scored(frame: pd.DataFrame, experiment: ExperimentPolicy, variant: str, scorer: Scorer) -> pd.DataFrame:
    probability = scorer.predict(frame[list(scorer.features)]) if len(frame) else np.empty(0)
    suffix = "" if variant == experiment.control else SHADOW_SUFFIX
    return frame.assign(
        request_id=frame["request_id"].astype(str) + suffix,
        variant=variant,
        model_version=scorer.version,
        probability=probability,
        prediction=(probability >= scorer.threshold).astype(np.int8),
    )
