"""A table's description is refused before any node where it can't hold."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from evergreen.schema import TableSpec

GOOD = {"entity": "id", "target": "y", "numeric": ["age"]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"categorical": ["variant"]}, "features variant bear a name that predictions use themselves"),
        ({"categorical": ["Probability"]}, "features Probability bear a name"),
        ({"numeric": ["charge", "Charge"]}, "columns charge, Charge differ by case only"),
        ({"numeric": ["age", "ID"]}, "columns ID, id differ by case only"),
        ({"positive": 1, "threshold": 3.0}, "leave one out"),
        ({"panel": True}, "panel: true needs a date"),
        ({"panel": True, "date": "day", "block": ["shop"]}, "leave block out"),
    ],
)
def test_a_description_that_cannot_hold_is_refused_in_words(change, sentence):
    with pytest.raises(ValidationError, match=sentence):
        TableSpec(**GOOD | change)
