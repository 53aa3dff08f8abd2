"""Lines, and the axes that they stand on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import altair

_LINE_PIXELS: Final = 1.75
_BEST_PIXELS: Final = 3
_CENT: Final = 0.01
_TICKS: Final = 6
_STEPS: Final = (1, 2, 5)
_MANY_DECADES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the chart. ``colour`` and ``dash`` tell it from the others; ``place``: of the road in the ranking."""

    place: int
    name: str
    colour: str
    dash: tuple[int, ...]
    x: Sequence[float]
    y: Sequence[float]


def drawn(lines: Sequence[Line], x: altair.X, y: altair.Y) -> altair.Chart:
    """The lines of a chart; the best road's is the widest, and lies above the others."""
    import altair as alt

    values = [
        {
            "x": each,
            "y": amount,
            "place": line.place,
            "colour": f"var(--{line.colour})",
            "dash": list(line.dash),
            "width": _BEST_PIXELS if line.place == 1 else _LINE_PIXELS,
        }
        for line in reversed(lines)
        for each, amount in zip(line.x, line.y, strict=True)
    ]
    return (
        alt.Chart(alt.Data(values=values))
        .mark_line(strokeJoin="round")
        .encode(
            x=x,
            y=y,
            detail=alt.Detail("place:N"),
            stroke=alt.Stroke("colour:N").scale(None),
            strokeDash=alt.StrokeDash("dash:N").scale(None),
            strokeWidth=alt.StrokeWidth("width:Q").scale(None),
        )
    )


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5, 10 …; powers of ten alone where there are many of them."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = _STEPS if len(decades) <= _MANY_DECADES + 1 else _STEPS[:1]
    return [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]


def usd_axis(low: float, high: float, *, is_log: bool) -> dict[str, Any]:
    """Whole dollars where ticks are such, else cents, else the one digit that is left."""
    if not is_log:
        step = (high - low) / _TICKS
        return {"tickCount": _TICKS, "format": "$,.0f" if step >= 1 else "$,.2f" if step >= _CENT else "$,~f"}
    formats = f"datum.value >= 1 ? '$,.0f' : datum.value >= {_CENT} ? '$,.2f' : '$,.1r'"
    return {"values": log_ticks(low, high), "labelExpr": f"format(datum.value, {formats})"}
