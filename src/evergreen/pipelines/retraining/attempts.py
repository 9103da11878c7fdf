"""What was tried against a champion so far, and what is remembered of the next try."""

from __future__ import annotations

import datetime as dt

import ibis.expr.types as ir

from evergreen import registry
from evergreen.evaluation.judge import PromotionOutcome
from evergreen.retraining.record import ChallengerRecord
from evergreen.retraining.row_pool import count_new_labelled
from evergreen.retraining.trigger import ChampionsAge, RetrainingTrigger
from evergreen.rows.parameters import SplitParameters
from evergreen.schema import TableSpec


def age_of(
    champion: registry.ModelVersion, window: ir.Table, table: TableSpec, split: SplitParameters, today: dt.date
) -> ChampionsAge:
    """How old a champion is, how much is new since then, and what was tried already."""
    manifest = champion.manifest
    retrained = manifest.tested_on == "window"
    last, vain = registry.last_retraining(champion), registry.refreshes_in_vain(champion)
    learnt = manifest.as_of if retrained else None
    return ChampionsAge(
        version=champion.version,
        retrained=retrained,
        days_since_training=(today - manifest.as_of).days,
        days_since_retraining=None if last is None else (today - last).days,
        new_labelled_rows=count_new_labelled(window, table, manifest.bounds, today, split, learnt),
        dated=manifest.bounds.dated,
        nothing_gained=registry.nothing_gained(champion),
        days_since_refresh=(today - vain[-1]).days if vain else None,
        refreshes_in_vain=len(vain),
    )


def note_attempt(
    champion: registry.ModelVersion, trigger: RetrainingTrigger, trained: ChallengerRecord, settled: PromotionOutcome
) -> None:
    """Remember what was asked of the champion's rival, and what it rested on where there was nothing to gain."""
    vain = settled.decision is not None and not settled.decision.serves
    if trained.gain_asked:
        registry.note_retraining(champion, trigger.as_of)
    if trained.gain_asked and vain:
        rows, effects = trigger.new_labelled_rows, trigger.effects
        registry.note_nothing_gained(champion, trigger.as_of, rows, effects, trigger.loss_grew)
    elif trained.refresh_due and vain:
        registry.note_refresh(champion, trigger.as_of)
