"""A figure that is not known to the last digit: a point, and the range in which it is expected.

Independent figures are added with their deviations in quadrature: that all of them are off in the same direction at
once is not expected. What is made of one figure several times (an epoch, ten times) is off by the same share each time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from headrace.figures.rates import Rate


class Span(NamedTuple):
    """``low`` <= ``point`` <= ``high``, in the same unit."""

    point: float
    low: float
    high: float

    def times(self, factor: float) -> Span:
        """So many times the same figure; ``factor`` is not negative."""
        return Span(self.point * factor, self.low * factor, self.high * factor)

    def overlaps(self, other: Span) -> bool:
        """Whether both may be the same."""
        return self.low <= other.high and other.low <= self.high


NONE = Span(0.0, 0.0, 0.0)


def exactly(value: float) -> Span:
    """A figure without a doubt."""
    return Span(value, value, value)


def span_of(rate: Rate) -> Span:
    """A rate as it is known."""
    return Span(rate.value, rate.low, rate.high)


def over(quantity: float, speed: Span) -> Span:
    """How long ``quantity`` takes at a speed: the higher the speed, the lower the time."""
    if not quantity:
        return NONE
    return Span(quantity / speed.point, quantity / speed.high, quantity / speed.low)


def total(spans: Iterable[Span]) -> Span:
    """The sum of independent figures."""
    point = below = above = 0.0
    for each in spans:
        point += each.point
        below += (each.point - each.low) ** 2
        above += (each.high - each.point) ** 2
    return Span(point, max(0.0, point - math.sqrt(below)), point + math.sqrt(above))


def largest(*spans: Span) -> Span:
    """What takes as long as the longest of several that go on at the same time."""
    return Span(max(each.point for each in spans), max(each.low for each in spans), max(each.high for each in spans))


def smallest(*spans: Span) -> Span:
    """A speed that several things bound."""
    return Span(min(each.point for each in spans), min(each.low for each in spans), min(each.high for each in spans))
