"""How a chart becomes part of the page: a still SVG in two widths, whose colours are the page's own.

A chart is drawn once for a phone and once for a wide window, since text that is scaled down with its chart cannot be
read; the style sheet shows the one that fits. Colours are names of the style sheet's variables, so that the page's
dark dress is the charts' too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import altair

INK, MUTED, GRID = "var(--ink)", "var(--muted)", "var(--grid)"
LABEL_PIXELS: Final = 12
SMALL_PIXELS: Final = 11
_HEAD = re.compile(r'<svg [^>]*viewBox="0 0 (\d+) (\d+)"[^>]*>')
# in attributes only: what is written within the picture stays as it is
_LONG_NUMBER = re.compile(r"(?<=\.\d\d)\d+(?=[^<>]*>)")
_IDLE = re.compile(
    r'<path class="(?:background|foreground)" aria-hidden="true" d=""[^>]*/>'
    r'| (?:aria-hidden|pointer-events|role|aria-roledescription|class)="[^"]*"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A width in pixels for which charts are drawn. ``name``: the class by which the style sheet shows them."""

    name: str
    width: int

    @property
    def is_wide(self) -> bool:
        """Whether there is room beside a chart for the names of what it shows."""
        return self is WIDE


PHONE: Final = Look(name="narrow", width=312)
WIDE: Final = Look(name="wide", width=912)


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """Pixels around the plot: for axes, names and figures."""

    left: int
    right: int
    top: int
    bottom: int


def svg_of(chart: altair.LayerChart, look: Look, margin: Margin, height: int) -> str:
    """The chart as SVG. ``height``: of the plot; the margins come on top of it.

    Roles and labels of single marks are left out: a figure has one label, and a table with the same figures.
    """
    import vl_convert

    sized = chart.properties(
        width=look.width - margin.left - margin.right,
        height=height,
        autosize="none",
        background="transparent",
        padding={"left": margin.left, "right": margin.right, "top": margin.top, "bottom": margin.bottom},
    )
    # what would be validated is written here, never given, and takes longer to validate than to draw
    spec = sized.to_dict(validate=False) | {"config": _CONFIG}
    text = _IDLE.sub("", vl_convert.vegalite_to_svg(spec))
    head = rf'<svg class="{look.name}" viewBox="0 0 \1 \2" aria-hidden="true" focusable="false">'
    return _LONG_NUMBER.sub("", _HEAD.sub(head, text, count=1))


_CONFIG: Final[dict[str, Any]] = {
    "font": "inherit",
    "aria": False,
    "view": {"stroke": None},
    "text": {"fontSize": LABEL_PIXELS, "fill": INK},
    "axis": {
        "domain": False,
        "ticks": False,
        "gridColor": GRID,
        "labelColor": MUTED,
        "labelFontSize": SMALL_PIXELS,
        "labelPadding": 6,
        "labelOverlap": "greedy",
        "labelSeparation": 6,
        "labelFlush": False,
        "titleColor": MUTED,
        "titleFontSize": SMALL_PIXELS,
        "titleFontWeight": "normal",
    },
}
