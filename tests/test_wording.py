"""Claims about numbers and names in words."""

from __future__ import annotations

import math

import pytest

from evergreen.wording import NOTHING, counted, in_words, listed, number_text, p_text, range_text, share_text, shortened


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345, ".123"),
        (-0.12345, "-.123"),
        (-0.0001, "0"),
        (0.9999, "1.000"),
        (1.25, "1.250"),
        (123456.78, "123,456.8"),
        (None, NOTHING),
        (math.inf, NOTHING),
    ],
)
def test_a_number_is_short_and_never_minus_zero(value: float | None, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize("ends", [(None, 1.0), (0.0, math.nan)])
def test_an_interval_without_an_end_is_none(ends: tuple[float | None, float | None]) -> None:
    assert range_text(*ends) == NOTHING
    assert range_text(0.1, 0.25, 2) == ".10 to .25"


@pytest.mark.parametrize(("p_value", "text"), [(0.5, ".50"), (0.01234, ".0123"), (1e-9, "< .0001"), (None, NOTHING)])
def test_a_p_value_keeps_the_digits_that_matter(p_value: float | None, text: str) -> None:
    assert p_text(p_value) == text


def test_a_share_is_a_percentage_with_its_sign_where_asked_for() -> None:
    assert (share_text(0.1234), share_text(0.02, "+"), share_text(None)) == ("12.3 %", "+2.0 %", NOTHING)


def test_what_is_too_much_is_counted_or_cut() -> None:
    assert listed(list("abcdefg"), most=3) == "a, b, c and 4 more"
    assert listed(["a", "b"], most=2) == "a, b"
    assert (shortened("economy", 5), shortened("short", 5)) == ("econ…", "short")
    assert (counted(1, "row"), counted(2000, "row")) == ("1 row", "2,000 rows")


def test_a_status_reads_as_words() -> None:
    assert in_words("insufficient_data") == NOTHING
