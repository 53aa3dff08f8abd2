"""What an epoch costs, when a job has more of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from headrace.advisor.report.lines import Line, drawn, usd_axis
from headrace.advisor.report.look import MUTED, SMALL_PIXELS, Look, Margin, svg_of

if TYPE_CHECKING:
    import altair

_HEIGHT: Final = 320
_APART_PIXELS: Final = 15
_ABOVE_AXIS_PIXELS: Final = 8
_LOG_FROM_RATIO: Final = 6


def against_epochs(lines: Sequence[Line], asked: float, look: Look) -> str:
    """Dollars of an epoch against the epochs of a job; ``asked``: the epochs of the question."""
    import altair as alt

    margin = Margin(left=52, right=320 if look.is_wide else 24, top=26, bottom=42)
    amounts = [each for line in lines for each in line.y]
    low, high = min(amounts), max(amounts)
    is_log = high > low * _LOG_FROM_RATIO > 0
    domain = [low / 1.15, high * 1.1] if is_log else [0.0, high * 1.08]
    x_domain = [min(line.x[0] for line in lines), max(line.x[-1] for line in lines)]
    x = alt.X("x:Q").scale(type="log", domain=x_domain, nice=False)
    x = x.axis(title="epochs of the job", values=list(lines[0].x), format="d", grid=False)
    scale: dict[str, Any] = {"type": "log" if is_log else "linear", "domain": domain, "nice": False}
    y = alt.Y("y:Q").scale(**scale).axis(title=None, **usd_axis(*domain, is_log=is_log))
    chart = alt.layer(
        *_asked(asked, x_domain, domain, x, y),
        drawn(lines, x, y),
        *_names(lines, domain, is_log, look.width - margin.left - margin.right, look),
    )
    return svg_of(chart, look, margin, _HEIGHT)


def _asked(
    asked: float, x_domain: Sequence[float], domain: Sequence[float], x: altair.X, y: altair.Y
) -> Iterable[altair.Chart]:
    import altair as alt

    if not x_domain[0] <= asked <= x_domain[1]:
        return
    here = alt.Chart(alt.Data(values=[{"x": asked, "y": domain[1], "low": domain[0]}]))
    yield here.mark_rule(stroke=MUTED, strokeDash=[2, 3]).encode(x=x, y=y, y2=alt.Y2("low:Q"))
    name = f"asked: {asked:g}"
    yield here.mark_text(dy=-8, fontSize=SMALL_PIXELS, fill=MUTED).encode(x=x, y=y, text=alt.TextValue(name))


def _height(amount: float, domain: Sequence[float], is_log: bool) -> float:
    told: Any = math.log if is_log else float
    low, high, here = told(domain[0]), told(domain[1]), told(amount)
    return float(_HEIGHT * (high - here) / (high - low))


def _names(
    lines: Sequence[Line], domain: Sequence[float], is_log: bool, right: float, look: Look
) -> list[altair.Chart]:
    """The lines' names at their ends, moved apart where they would lie upon each other."""
    import altair as alt

    heights = [_height(line.y[-1], domain, is_log) for line in lines]
    places = spread(heights, _APART_PIXELS, _HEIGHT - _ABOVE_AXIS_PIXELS)
    pixels: dict[str, Any] = {"scale": None, "axis": None}
    begin, place = alt.X("begin:Q", **pixels), alt.Y("place:Q", **pixels)
    values = [
        {
            "end": right + 2,
            "begin": right + (19 if look.is_wide else 5),
            "height": height,
            "place": place,
            "colour": f"var(--{line.colour})",
            "name": f"{line.place}  {line.name}" if look.is_wide else f"{line.place}",
            "is_best": line.place == 1,
        }
        for line, height, place in zip(lines, heights, places, strict=True)
    ]
    leaders = alt.Chart(alt.Data(values=values)).mark_rule()
    ends = {
        "x": alt.X("end:Q", **pixels),
        "x2": alt.X2("begin:Q"),
        "y": alt.Y("height:Q", **pixels),
        "y2": alt.Y2("place:Q"),
    }
    charts = [leaders.encode(**ends, stroke=alt.Stroke("colour:N").scale(None))]
    for weight, is_best in (("bold", True), ("normal", False)):
        named = alt.Chart(alt.Data(values=[each for each in values if each["is_best"] is is_best]))
        text = named.mark_text(align="left", dx=3, fontWeight=weight)
        charts.append(text.encode(x=begin, y=place, text=alt.Text("name:N")))
    return charts


def spread(heights: Sequence[float], apart: float, bottom: float) -> list[float]:
    """The heights, in their order, moved so that none is nearer to another than ``apart``; none below ``bottom``."""
    order = sorted(range(len(heights)), key=lambda each: heights[each])
    placed = [0.0] * len(heights)
    above = -math.inf
    for index in order:
        above = placed[index] = max(heights[index], above + apart)
    below = bottom + apart
    for index in reversed(order):
        below = placed[index] = min(placed[index], below - apart)
    return placed
