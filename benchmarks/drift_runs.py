"""Whole drift-free runs: columns, scores and rows as a whole judged together, as the monitoring pipeline does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import special

from drift_tables import blocked, table
from evergreen.monitoring.parameters import MonitoringParameters
from evergreen.monitoring.profiles.build import build_profile
from evergreen.monitoring.profiles.profile import Profile
from evergreen.monitoring.reference import BLOCK_SHARE, PROBABILITY, Reference, reference_profiles
from evergreen.monitoring.window import Findings, Window, judge_window
from evergreen.rows.labels import LabelDefinition
from evergreen.rows.splits import Bounds, block_share
from evergreen.schema import TableSpec

DAY = dt.date(2026, 2, 28)
NUMBERS = TableSpec(
    entity="id", target="y", numeric=[f"x{i}" for i in range(10)], categorical=[f"c{i}" for i in range(5)]
)
STORES = TableSpec(
    entity="id",
    date="date",
    block=["date", "store"],
    target="y",
    numeric=[f"{kind}{i}" for i in range(3) for kind in ("average", "block", "free")],
)


def probability(rows: pd.DataFrame, spec: TableSpec) -> np.ndarray:
    """A fixed model: the logistic of half the sum of four features."""
    return special.expit(rows[spec.numeric[:4]].sum(axis=1).to_numpy() / 2)


def independent_run(seed: int, rows: int = 4_000, window_rows: int = 1_000) -> Findings:
    """Ten numeric and five categorical columns of independent rows, the window like the reference."""
    rng = np.random.default_rng(seed)
    both = table(rng, rows + window_rows).assign(id=np.arange(rows + window_rows))
    return judged(both[:rows], both[rows:], NUMBERS)


def dependent_run(seed: int) -> Findings:
    """26 weeks of rows that depend on each other within store and day, and the week after them."""
    rows = blocked(np.random.default_rng(seed), 27).assign(id=lambda frame: np.arange(len(frame)))
    rows["store"] = rows["id"] // 5 % 20
    old = rows["date"] < rows["date"].min() + pd.Timedelta(weeks=26)
    return judged(rows[old], rows[~old], STORES)


def parts(findings: Findings) -> Iterator[bool]:
    """Whether columns, scores and rows as a whole alarm, and whether the run does."""
    assert findings.multivariate is not None
    found = [findings.drift.drifted, findings.scores.alarm, findings.multivariate.alarm]
    yield from [*found, any(found)]


def judged(old: pd.DataFrame, new: pd.DataFrame, spec: TableSpec) -> Findings:
    """All that monitoring says of a window of rows against a reference of others."""
    scores = pd.Series(probability(old, spec), index=old.index)
    profile, score_profile = reference_profiles(old, spec, scores, window_days=7)
    sample = old.sample(min(len(old), 5_000), random_state=0)
    labels = (np.random.default_rng(0).random(len(old)) < scores).astype(int)
    reference = memory_of(
        spec,
        profile,
        DAY,
        score_profile=score_profile,
        scores=pd.DataFrame({PROBABILITY: scores, "label": labels}),
        sample=sample.assign(**{BLOCK_SHARE: block_share(sample[spec.block_columns])}),
    )
    return judge_window(reference, window_of(new, profile, spec, probability(new, spec)), MonitoringParameters())


def memory_of(
    spec: TableSpec,
    profile: Profile,
    trained_as_of: dt.date,
    score_profile: Profile | None = None,
    scores: pd.DataFrame | None = None,
    sample: pd.DataFrame | None = None,
) -> Reference:
    """What a champion without metrics or importance remembers: its features alone, unless scores are given."""
    return Reference(
        spec=spec,
        label=LabelDefinition(target="y", kind="positive", positive=1),
        bounds=Bounds(dated=spec.date is not None, judging_share=0.3),
        threshold=0.5,
        trained_as_of=trained_as_of,
        profile=profile,
        score_profile=score_profile or profile,
        scores=scores,
        metrics={},
        sample=sample,
        importance={},
    )


def window_of(rows: pd.DataFrame, known: Profile, spec: TableSpec, scores: np.ndarray) -> Window:
    """Rows and their scores as a window whose outcomes nobody knows yet, counted as the reference's profile counts."""
    return Window(
        as_of=DAY,
        start=None,
        end=DAY,
        profile=build_profile(rows, known, date=spec.date),
        duplicates=0,
        rows=rows,
        share=block_share(rows[spec.block_columns]),
        probability=scores,
        outcomes=None,
    )
