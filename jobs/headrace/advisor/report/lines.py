"""Lines: what an epoch costs when a job has more of them, and from how many jobs on a shared file system pays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from headrace.advisor.report.look import INK, LABEL_PIXELS, MUTED, SMALL_PIXELS, Look, Margin, svg_of

if TYPE_CHECKING:
    import altair

_HEIGHT: Final = 320
_APART_PIXELS: Final = 15
_ABOVE_AXIS_PIXELS: Final = 8
_LINE_PIXELS: Final = 1.75
_BEST_PIXELS: Final = 3
_LOG_FROM_RATIO: Final = 6
_CENT: Final = 0.01
_TICKS: Final = 6
_STEPS: Final = (1, 2, 5)
_MANY_DECADES: Final = 3
_POINTS: Final = 120
_DEAREST_SHARE: Final = 3.0
_BEYOND: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the chart. ``colour`` and ``dash`` tell it from the others; ``place``: of the road in the ranking."""

    place: int
    name: str
    colour: str
    dash: tuple[int, ...]
    x: Sequence[float]
    y: Sequence[float]


def against_epochs(lines: Sequence[Line], asked: float, look: Look) -> str:
    """Dollars of an epoch against the epochs of a job; ``asked``: the epochs of the question."""
    import altair as alt

    margin = Margin(left=52, right=280 if look.is_wide else 24, top=26, bottom=42)
    amounts = [each for line in lines for each in line.y]
    low, high = min(amounts), max(amounts)
    is_log = high > low * _LOG_FROM_RATIO > 0
    domain = [low / 1.15, high * 1.1] if is_log else [0.0, high * 1.08]
    x_domain = [min(line.x[0] for line in lines), max(line.x[-1] for line in lines)]
    x = alt.X("x:Q").scale(type="log", domain=x_domain, nice=False)
    x = x.axis(title="epochs of the job", values=list(lines[0].x), format="d", grid=False)
    scale: dict[str, Any] = {"type": "log" if is_log else "linear", "domain": domain, "nice": False}
    y = alt.Y("y:Q").scale(**scale).axis(title=None, **_usd_axis(*domain, is_log=is_log))
    heights = [_height(line.y[-1], domain, is_log) for line in lines]
    chart = alt.layer(
        *_asked(asked, x_domain, domain, x, y),
        _lines(lines, x, y),
        *_names(lines, heights, look.width - margin.left - margin.right, look),
    )
    return svg_of(chart, look, margin, _HEIGHT)


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = _STEPS if len(decades) <= _MANY_DECADES + 1 else _STEPS[:1]
    return [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]


def _usd_axis(low: float, high: float, *, is_log: bool) -> dict[str, Any]:
    """Whole dollars where ticks are such, else cents, else the one digit that is left."""
    if not is_log:
        step = (high - low) / _TICKS
        return {"tickCount": _TICKS, "format": "$,.0f" if step >= 1 else "$,.2f" if step >= _CENT else "$,~f"}
    formats = f"datum.value >= 1 ? '$,.0f' : datum.value >= {_CENT} ? '$,.2f' : '$,.1r'"
    return {"values": _log_ticks(low, high), "labelExpr": f"format(datum.value, {formats})"}


def _height(amount: float, domain: Sequence[float], is_log: bool) -> float:
    told: Any = math.log if is_log else float
    low, high, here = told(domain[0]), told(domain[1]), told(amount)
    return float(_HEIGHT * (high - here) / (high - low))


def _lines(lines: Sequence[Line], x: altair.X, y: altair.Y) -> altair.Chart:
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
        for line in reversed(lines)  # the best one is drawn last, above the others
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


def _names(lines: Sequence[Line], heights: Sequence[float], right: float, look: Look) -> Iterable[altair.Chart]:
    """The lines' names at their ends, moved apart where they would lie upon each other."""
    import altair as alt

    begin = right + (19 if look.is_wide else 5)
    values = [
        {
            "end": right + 2,
            "begin": begin,
            "height": height,
            "place": place,
            "colour": f"var(--{line.colour})",
            "name": f"{line.place}  {line.name}" if look.is_wide else f"{line.place}",
        }
        for line, height, place in zip(
            lines, heights, spread(heights, _APART_PIXELS, _HEIGHT - _ABOVE_AXIS_PIXELS), strict=True
        )
    ]
    pixels: dict[str, Any] = {"scale": None, "axis": None}
    y = alt.Y("place:Q", **pixels)
    yield (
        alt.Chart(alt.Data(values=values))
        .mark_rule()
        .encode(
            x=alt.X("end:Q", **pixels),
            x2=alt.X2("begin:Q"),
            y=alt.Y("height:Q", **pixels),
            y2=alt.Y2("place:Q"),
            stroke=alt.Stroke("colour:N").scale(None),
        )
    )
    for weight, named in (("bold", values[:1]), ("normal", values[1:])):
        text = alt.Chart(alt.Data(values=named)).mark_text(align="left", dx=3, fontWeight=weight)
        yield text.encode(x=alt.X("begin:Q", **pixels), y=y, text=alt.Text("name:N"))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """Dollars of a job against the jobs of a month: the shared file system's, and those of the best other road."""

    shared: str
    other: str
    usd_per_month: float
    shared_usd: float
    other_usd: float
    jobs_per_month: float

    def usd(self, jobs: float) -> float:
        """Of a job on the shared file system, with its part of the month."""
        return self.shared_usd + self.usd_per_month / jobs


def of_sharing(sharing: Sharing, told: str, look: Look) -> str:
    """Where the two meet is marked. ``told``: what is said of that point."""
    import altair as alt

    margin = Margin(left=52, right=16, top=14, bottom=42)
    meet, other = sharing.jobs_per_month, sharing.other_usd
    # far to the left a job pays for most of a month: the chart begins where it costs a few times the other
    least = sharing.usd_per_month / (_DEAREST_SHARE * other - sharing.shared_usd)
    domain, top = [least, meet * _BEYOND], _DEAREST_SHARE * other
    jobs = [least * (domain[1] / least) ** (each / _POINTS) for each in range(_POINTS + 1)]
    ticks = _log_ticks(*domain)
    x = alt.X("x:Q").scale(type="log", domain=domain, nice=False)
    x = x.axis(title="jobs per month", values=ticks, format=",~f", grid=False)
    y = alt.Y("y:Q").scale(domain=[0, top * 1.02], nice=False).axis(title=None, **_usd_axis(0, top, is_log=False))
    shared = Line(place=1, name="", colour="lustre", dash=(), x=jobs, y=[sharing.usd(each) for each in jobs])
    flat = Line(place=2, name="", colour="file", dash=(6, 4), x=domain, y=[other, other])
    cross = alt.Chart(alt.Data(values=[{"x": meet, "y": other, "low": 0}]))
    is_right = math.log(meet / least) > math.log(domain[1] / least) / 2
    chart = alt.layer(
        cross.mark_rule(stroke=MUTED, strokeDash=[2, 3]).encode(x=x, y=y, y2=alt.Y2("low:Q")),
        _lines([flat, shared], x, y),
        cross.mark_point(filled=True, size=90, fill=INK, stroke="var(--paper)", opacity=1).encode(x=x, y=y),
        _note(told, meet, top * 0.06, x, y, align="right" if is_right else "left", dx=-8 if is_right else 8, bold=True),
        _note(sharing.shared, least, top * 0.97, x, y, align="left", dx=20),
        _note(sharing.other, domain[1], other, x, y, align="right", dy=-12),
    )
    return svg_of(chart, look, margin, 260)


def _note(
    text: str, x_at: float, y_at: float, x: altair.X, y: altair.Y, *, bold: bool = False, **mark: Any
) -> altair.Chart:
    import altair as alt

    here = alt.Chart(alt.Data(values=[{"x": x_at, "y": y_at, "line": text}]))
    weight = "bold" if bold else "normal"
    return here.mark_text(fontSize=LABEL_PIXELS, fontWeight=weight, **mark).encode(x=x, y=y, text=alt.Text("line:N"))
