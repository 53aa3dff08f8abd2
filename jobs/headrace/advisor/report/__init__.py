"""The advice as a page: one file that needs nothing else, for a browser on a phone or a desk, without a network.

The page is made of the advice as JSON alone, so that it shows what machines read. Charts are still pictures within the
page, and no script runs: whatever stands in the names of the data set is text, and stays text.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from headrace.advisor.report.figures import MOST_ROADS, figures_of
from headrace.advisor.report.refusals import refusals_of
from headrace.advisor.report.words import count, duration, duration_between, size, usd, usd_between, writable
from headrace.errors import InvalidInput

if TYPE_CHECKING:
    import jinja2

_FOLDER: Final = Path(__file__).parent


def render(plain: Mapping[str, Any]) -> str:
    """The page's HTML. ``plain``: as :func:`headrace.advisor.plain.to_plain` makes it.

    Raises InvalidInput where the libraries of the extra ``report`` are not installed.
    """
    require_libraries()
    import jinja2

    advice = writable(plain)
    template = _environment(jinja2.FileSystemLoader(_FOLDER)).get_template("page.html.jinja")
    figures, refusals = figures_of(advice), refusals_of(advice["rejected"])
    return template.render(advice=advice, figures=figures, refusals=refusals, most_roads=MOST_ROADS) + "\n"


def require_libraries() -> None:
    """Raises InvalidInput where a library of the extra ``report`` is not installed. Imports none of them."""
    for name in ("altair", "jinja2", "vl_convert"):
        if name in sys.modules and sys.modules[name] is not None:
            continue
        if sys.modules.get(name, name) is None or find_spec(name) is None:
            raise InvalidInput(
                f"--html: the page is drawn with {name}, which is not installed; "
                "fix: pip install 'headrace[report]', or leave --html out"
            )


def _environment(loader: jinja2.BaseLoader) -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "count": count,
        "duration": duration,
        "duration_between": duration_between,
        "size": size,
        "usd": usd,
        "usd_between": usd_between,
    }
    return environment
