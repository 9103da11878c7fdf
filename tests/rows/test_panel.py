"""In a panel no entity stands on both sides, and nobody is judged on days that a model has learnt from."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from evergreen.rows import splits
from evergreen.rows.parameters import SplitParameters
from evergreen.rows.splits import block_share, timeline, training_mask, unseen_mask

FIRST = dt.date(2026, 1, 1)
DAYS = 200


@pytest.fixture
def panel():
    rows = pd.DataFrame({"who": np.tile(np.arange(60), DAYS), "day": np.repeat(pd.date_range(FIRST, periods=DAYS), 60)})
    bounds = timeline(FIRST, FIRST + dt.timedelta(days=DAYS - 1), SplitParameters(history_days=10, test_days=40))
    return rows, block_share(rows[["who"]]), bounds.model_copy(update={"panel": True})


@pytest.mark.parametrize("other", [splits.test_mask, unseen_mask])
def test_no_entity_stands_on_both_sides_and_training_ends_before(panel, other):
    rows, share, bounds = panel
    train, judged = training_mask(rows.day, share, bounds), other(rows.day, share, bounds)
    assert not set(rows.who[train]) & set(rows.who[judged])
    assert rows.day[train].max() < rows.day[judged].min()
    assert min(train.sum(), judged.sum()) > 0
