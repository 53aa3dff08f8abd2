"""Bars, one for each road, stacked from parts, with the interval of their sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from headrace.advisor.report.look import INK, LABEL_PIXELS, MUTED, SMALL_PIXELS, Look, Margin, svg_of
from headrace.advisor.report.words import heading

if TYPE_CHECKING:
    import altair

BAR_PIXELS: Final = 18
_ARROW: Final = 4
_INDENT: Final = 16
_LONGEST_INTERVAL: Final = 1.3


class Part(NamedTuple):
    """A part of a bar. ``kind``: the style sheet has a colour of this name, which the legend explains."""

    kind: str
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """``low`` and ``high``: the interval of the sum. ``parts`` are none where the sum is not known; ``told`` says so.

    ``told``: the sum in words; ``interval``: its ends in words. ``name``: of the road; ``place``: in the ranking.
    """

    place: int
    name: str
    told: str
    interval: str
    parts: Sequence[Part]
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Where things stand, in pixels: of a row, from its upper edge; ``margin`` is that of the whole chart."""

    margin: Margin
    height: int
    bar_top: int
    name_left: int
    told_left: int
    told_align: str


_BESIDE: Final = _Rows(
    margin=Margin(left=272, right=172, top=4, bottom=42),
    height=46,
    bar_top=14,
    name_left=-272,
    told_left=16,
    told_align="left",
)
_ABOVE: Final = _Rows(
    margin=Margin(left=2, right=12, top=4, bottom=42),
    height=68,
    bar_top=38,
    name_left=0,
    told_left=8,
    told_align="right",
)


def stacked(bars: Sequence[Bar], unit: str, look: Look) -> str:
    """The chart: names and sums beside the bars where there is room, else above them. ``unit``: of the amounts."""
    import altair as alt

    rows = _BESIDE if look.is_wide else _ABOVE
    height = rows.height * len(bars)
    far = _far(bars)
    x = alt.X("from:Q").scale(domain=[0, far], nice=False).axis(title=unit, tickCount=8 if look.is_wide else 5)
    y = alt.Y("top:Q").scale(domain=[0, height], range=[0, height], nice=False).axis(None)
    chart = alt.layer(
        alt.Chart(alt.Data(values=list(_parts(bars, rows))))
        .mark_rect(strokeWidth=1)
        .encode(
            x=x,
            x2=alt.X2("to:Q"),
            y=y,
            y2=alt.Y2("bottom:Q"),
            fill=alt.Fill("fill:N").scale(None),
            stroke=alt.Stroke("stroke:N").scale(None),
        ),
        *_whiskers(bars, rows, far, far / (look.width - rows.margin.left - rows.margin.right)),
        *_texts(bars, rows, look),
    )
    return svg_of(chart, look, rows.margin, height)


def _parts(bars: Sequence[Bar], rows: _Rows) -> Iterable[dict[str, Any]]:
    for row, bar in enumerate(bars):
        ends = [0.0, *accumulate(each.amount for each in bar.parts)]
        top = row * rows.height + rows.bar_top
        for each, left, right in zip(bar.parts, ends, ends[1:], strict=False):
            if right > left:
                yield {
                    "from": left,
                    "to": right,
                    "top": top,
                    "bottom": top + BAR_PIXELS,
                    "fill": f"var(--{each.kind})",
                    "stroke": f"var(--{each.kind}-edge, var(--paper))",
                }


def _far(bars: Sequence[Bar]) -> float:
    """Where the axis ends: an interval may be so long that the bars would be nothing beside it."""
    longest = max([sum(each.amount for each in bar.parts) for bar in bars], default=0.0)
    return min(max([each.high for each in bars if each.parts], default=1.0), longest * _LONGEST_INTERVAL) or 1.0


def _whiskers(bars: Sequence[Bar], rows: _Rows, far: float, pixel: float) -> Iterable[altair.Chart]:
    """The intervals; an arrow where one goes on beyond the axis. ``pixel``: in the axis' unit."""
    import altair as alt

    strokes = []
    for row, bar in enumerate(bars):
        if not bar.parts:
            continue
        middle = row * rows.height + rows.bar_top + BAR_PIXELS / 2
        high, is_beyond = min(bar.high, far), bar.high > far
        strokes.append((bar.low, high, middle, middle))
        for end, tip in ((bar.low, bar.low), (high - _ARROW * pixel * is_beyond, high)):
            strokes += [(end, tip, middle - _ARROW, middle), (end, tip, middle + _ARROW, middle)]
    ends = [dict(zip(("from", "to", "top", "bottom"), each, strict=True)) for each in strokes]
    # a line of the paper's colour below keeps them visible upon any part
    for stroke, width in (("var(--paper)", 4), ("var(--ink)", 1.5)):
        yield (
            alt.Chart(alt.Data(values=ends))
            .mark_rule(stroke=stroke, strokeWidth=width, strokeCap="round")
            .encode(x=alt.X("from:Q"), x2=alt.X2("to:Q"), y=alt.Y("top:Q"), y2=alt.Y2("bottom:Q"))
        )


def _texts(bars: Sequence[Bar], rows: _Rows, look: Look) -> Iterable[altair.Chart]:
    width = look.width - rows.margin.left - rows.margin.right
    first = rows.bar_top + 5 if look.is_wide else 14
    second = first + 16
    names = [heading(each.name) for each in bars]
    roads = [f"{bar.place}  {road}" for bar, (road, _) in zip(bars, names, strict=True)]
    left, right = _Column(rows.name_left, "left"), _Column(width + rows.told_left, rows.told_align)
    yield _text(roads, rows, first, left, is_bold=True)
    yield _text([ready for _, ready in names], rows, second, _Column(left.pixels + _INDENT, "left"))
    yield _text([each.told for each in bars], rows, first, right, is_bold=True)
    yield _text([each.interval for each in bars], rows, second, right)


class _Column(NamedTuple):
    """Where lines begin, or end if their ``align`` is right, in pixels from the bars' beginning."""

    pixels: float
    align: str


def _text(lines: Sequence[str], rows: _Rows, top: int, column: _Column, *, is_bold: bool = False) -> altair.Chart:
    import altair as alt

    values = [{"line": line, "top": row * rows.height + top} for row, line in enumerate(lines) if line]
    weight, size, fill = ("bold", LABEL_PIXELS, INK) if is_bold else ("normal", SMALL_PIXELS, MUTED)
    return (
        alt.Chart(alt.Data(values=values))
        .mark_text(align=column.align, baseline="alphabetic", fontWeight=weight, fontSize=size, fill=fill)
        .encode(x=alt.XValue(column.pixels), y=alt.Y("top:Q"), text=alt.Text("line:N"))
    )
