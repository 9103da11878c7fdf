"""Where on a picture does a number stand, and which numbers are written beside it?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Numbers from ``low`` to ``high`` on the way from ``start`` to ``end`` of the drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where the value stands; what lies beyond an end stands on it."""
        span = self.high - self.low
        share = 0.5 if span == 0 else (value - self.low) / span
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def spanning(
    values: Sequence[float | None], low: float | None = None, high: float | None = None
) -> tuple[float, float]:
    """The ends of an axis that holds all values, a little beyond them where an end is not given."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    least, largest = min([*known, *_given(low)], default=0.0), max([*known, *_given(high)], default=1.0)
    room = 0.08 * (largest - least) or 0.05 * abs(largest) or 1.0
    return least - (0 if least == low else room), largest + (0 if largest == high else room)


def _given(end: float | None) -> list[float]:
    return [] if end is None else [end]


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers between two ends, at most ``most`` and at least none."""
    span = high - low
    if not span > 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if span / (power * factor) <= most)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) + 0.0 for k in range(first, math.floor(high / step + 1e-9) + 1)]


def spread(number: int, most: int = 5) -> list[int]:
    """At most ``most`` places among ``number``, evenly spread, the first and the last among them."""
    if number <= most:
        return list(range(number))
    return sorted({round(k * (number - 1) / (most - 1)) for k in range(most)})


def tick_text(value: float) -> str:
    """A number beside an axis, as short as it can be said: .05, 2, 1,500, 20k."""
    if abs(value) >= 10_000:
        return f"{value / 1_000:,.0f}k" if abs(value) < 10_000_000 else f"{value:.2g}"
    text = f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"
    return text.replace("0.", ".", 1) if abs(value) < 1 and "e" not in text else text


def share_tick(share: float) -> str:
    """A share beside an axis, as short as it can be said: 5 %, 83.5 %."""
    return f"{100 * share:.3g} %"
