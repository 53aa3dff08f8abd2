"""A real headless Chromium that looks at pages: at a width, in a light or dark dress, without a network.

On Linux (x86-64) it comes with node_modules, with its own libraries and fonts, so that it draws the same everywhere.
Elsewhere ``HEADRACE_CHROMIUM`` names one, or one of the names below is on PATH.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent.parent
NODE_MODULES = ROOT / "node_modules"
SCRIPT = ROOT / "tests" / "browser.mjs"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 120
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/font-cache</cachedir></fontconfig>
"""


class NoBrowserError(Exception):
    """No Chromium can be had on this machine; says what would help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A look at a page.

    ``scheme``: light or dark. ``picture``: where a PNG goes, of the window, or of the page down to the end of what
    ``until`` selects. ``open_all``: with every ``details`` unfolded. ``follow``: a selector of what is clicked first.
    ``audit``: with what axe-core finds.
    """

    file: str
    width: int
    height: int
    scheme: str = "light"
    picture: str | None = None
    until: str | None = None
    open_all: bool = False
    follow: str | None = None
    audit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """``chromium``: the program. ``environment``: with which it finds its libraries and fonts."""

    chromium: str
    environment: dict[str, str]

    def look(self, views: Iterable[View]) -> list[dict[str, Any]]:
        """What a person would see, as tests/browser.mjs tells it, for each view."""
        asked = json.dumps([asdict(each) for each in views])
        found: dict[str, Any] = json.loads(_node([str(SCRIPT), self.chromium], self.environment, asked))
        views_seen: list[dict[str, Any]] = found["views"]
        return views_seen


def browser() -> Browser:
    """The Chromium of this machine. Raises NoBrowserError where there is none."""
    if not (NODE_MODULES / "playwright-core").is_dir():
        raise NoBrowserError("node_modules has no playwright-core: make test installs it")
    given = os.environ.get("HEADRACE_CHROMIUM")
    if given is None and (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        return _packed()
    found = given or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise NoBrowserError(f"no Chromium for {platform.system()} {platform.machine()}: set HEADRACE_CHROMIUM to one")
    return Browser(chromium=found, environment=dict(os.environ))


def _packed() -> Browser:
    """The Chromium of the npm package, unpacked once for each version of it."""
    package = NODE_MODULES / "@sparticuz" / "chromium" / "package.json"
    folder = NODE_MODULES / ".cache" / f"chromium-{json.loads(package.read_text(encoding='utf-8'))['version']}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        unpacked = Path(tempfile.mkdtemp(dir=folder.parent))
        _node([str(SCRIPT), "unpack"], _environment(unpacked))
        (unpacked / "fonts.conf").write_text(FONTS.format(folder=escape(str(folder))), encoding="utf-8")
        # one step, so that an unpacking that was interrupted leaves nothing that looks complete
        unpacked.rename(folder)
    return Browser(chromium=str(folder / "chromium"), environment=_environment(folder))


def _environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "TMPDIR": str(folder),
        # with this the package brings the shared libraries that a bare machine lacks
        "AWS_LAMBDA_JS_RUNTIME": "nodejs20.x",
        "FONTCONFIG_FILE": str(folder / "fonts.conf"),
        "LD_LIBRARY_PATH": str(folder / "al2023" / "lib"),
    }


def _node(arguments: list[str], environment: dict[str, str], given: str = "") -> str:
    return subprocess.run(
        ["node", *arguments],
        env=environment,
        input=given,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
    ).stdout
