"""What the champion scores with must still be made, or nothing is trained."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from evergreen.errors import EvergreenError
from evergreen.registry import require_made, warn_of_lost_columns
from evergreen.schema import TableSpec

THEN = TableSpec(entity="id", date="day", target="late", positive=1, numeric=["shop_avg_amount", "rate"])
VERSION = SimpleNamespace(use_case="orders", version="4", manifest=SimpleNamespace(spec=THEN))


def test_a_feature_that_is_made_no_more_is_named_before_anything_is_trained() -> None:
    declared = THEN.without(["rate"])
    require_made(VERSION, declared, ["id", "day", "shop_avg_amount", "rate"])
    with pytest.raises(EvergreenError, match="orders version 4 serves on rate, which features makes no more: nothing"):
        require_made(VERSION, declared, ["id", "day", "shop_avg_amount"])


def test_a_new_lineage_and_a_first_version_need_nothing_of_the_past() -> None:
    require_made(VERSION, THEN.model_copy(update={"target": "lost"}), ["id", "day"])
    require_made(None, THEN, [])


def test_a_champion_whose_history_or_column_is_gone_is_said_before_training(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_lost_columns(VERSION, ["id", "day", "shop_avg_amount", "rate", "more"])
    warn_of_lost_columns(None, [])
    assert caplog.messages == []
    warn_of_lost_columns(VERSION, ["id", "day", "rate"])
    (message,) = caplog.messages
    assert message.startswith("orders version 4 serves on shop_avg_amount, which neither the table nor its features")
