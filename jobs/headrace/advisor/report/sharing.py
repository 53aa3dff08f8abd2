"""From how many jobs on a shared file system pays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from headrace.advisor.report.lines import Line, drawn, log_ticks, usd_axis
from headrace.advisor.report.look import INK, LABEL_PIXELS, MUTED, Look, Margin, svg_of

if TYPE_CHECKING:
    import altair

_HEIGHT: Final = 260
_POINTS: Final = 120
_DEAREST_SHARE: Final = 3.0
_BEYOND: Final = 4.0


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
    ticks = log_ticks(*domain)
    x = alt.X("x:Q").scale(type="log", domain=domain, nice=False)
    x = x.axis(title="jobs per month", values=ticks, format=",~f", grid=False)
    y = alt.Y("y:Q").scale(domain=[0, top * 1.02], nice=False).axis(title=None, **usd_axis(0, top, is_log=False))
    shared = Line(place=1, name="", colour="lustre", dash=(), x=jobs, y=[sharing.usd(each) for each in jobs])
    flat = Line(place=2, name="", colour="file", dash=(6, 4), x=domain, y=[other, other])
    cross = alt.Chart(alt.Data(values=[{"x": meet, "y": other, "low": 0}]))
    is_right = math.log(meet / least) > math.log(domain[1] / least) / 2
    chart = alt.layer(
        cross.mark_rule(stroke=MUTED, strokeDash=[2, 3]).encode(x=x, y=y, y2=alt.Y2("low:Q")),
        drawn([flat, shared], x, y),
        cross.mark_point(filled=True, size=90, fill=INK, stroke="var(--paper)", opacity=1).encode(x=x, y=y),
        _note(told, meet, top * 0.06, x, y, align="right" if is_right else "left", dx=-8 if is_right else 8, bold=True),
        _note(sharing.shared, least, top * 0.97, x, y, align="left", dx=20),
        _note(sharing.other, domain[1], other, x, y, align="right", dy=-12),
    )
    return svg_of(chart, look, margin, _HEIGHT)


def _note(
    text: str, x_at: float, y_at: float, x: altair.X, y: altair.Y, *, bold: bool = False, **mark: Any
) -> altair.Chart:
    import altair as alt

    here = alt.Chart(alt.Data(values=[{"x": x_at, "y": y_at, "line": text}]))
    weight = "bold" if bold else "normal"
    return here.mark_text(fontSize=LABEL_PIXELS, fontWeight=weight, **mark).encode(x=x, y=y, text=alt.Text("line:N"))
