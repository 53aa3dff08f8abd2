"""The page as a person sees it: in a real Chromium without a network, on a phone and on a desk, by day and by night."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from headrace.advisor.report.words import usd

from tests.browser import Browser, NoBrowserError, View, browser
from tests.report_pages import DESK, PHONE, QUESTIONS, advice_on, page_of

SMALLEST_CHART_PIXELS = 10
SMALLEST_TEXT_PIXELS = 12
READABLE_CONTRAST = 4.5
CHARTS = {
    "usual": ["time", "cost", "epochs", "sharing"],
    "crowded": ["time", "cost", "epochs"],
    "without prices": ["time"],
    "on EFS": ["time", "cost", "epochs"],
    "too large": ["time", "cost", "epochs"],
    "tiny": ["time", "cost", "epochs"],
}
VIEWS = [
    *product(QUESTIONS, (PHONE,), ("light",)),
    *product(("usual", "crowded", "on EFS"), (DESK,), ("light",)),
    *product(("usual",), (PHONE, DESK), ("dark",)),
    *product(("usual",), ((320, 568), (719, 900), (720, 900), (899, 900), (900, 900)), ("light",)),
]
AUDITED = (("on EFS", PHONE, "light"), ("usual", DESK, "dark"))
Seen = dict[tuple[str, tuple[int, int], str], Any]


@pytest.fixture(scope="module")
def seen(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Every view: (question, size of the window, scheme) -> what is seen."""
    folder: Path = tmp_path_factory.mktemp("pages")
    files = {name: folder / f"{name}.html" for name in QUESTIONS}
    for name, file in files.items():
        file.write_text(page_of(name), encoding="utf-8")
    looks = [
        View(
            file=str(files[name]),
            width=width,
            height=height,
            scheme=scheme,
            open_all=True,
            audit=(name, (width, height), scheme) in AUDITED,
        )
        for name, (width, height), scheme in VIEWS
    ]
    return dict(zip(VIEWS, chromium.look(looks), strict=True))


@pytest.fixture(scope="module")
def chromium() -> Browser:
    """The browser; without one these tests are skipped, unless they are asked for."""
    try:
        return browser()
    except NoBrowserError as error:
        if os.environ.get("HEADRACE_NEEDS_BROWSER"):
            raise
        pytest.skip(str(error))


def charts_of(view: Any) -> Iterator[tuple[str, Any]]:
    """The drawings that are shown, with the section's name."""
    for chart in view["charts"]:
        for drawing in chart["shown"]:
            yield chart["name"], drawing


def test_a_page_opens_without_a_network_and_without_a_complaint(seen: Seen) -> None:
    """It asks for nothing but itself, and its policy refuses a script, a style sheet and a picture from elsewhere."""
    for view in seen.values():
        assert view["requests"] == []
        assert view["complaints"] == []
        assert sorted(view["refused"]) == ["img-src", "script-src-elem", "style-src-elem"]


def test_nothing_is_wider_than_the_window(seen: Seen) -> None:
    """Nobody scrolls sideways, whatever is unfolded; on a phone and wherever the layout changes."""
    for (_, (width, _), _), view in seen.items():
        assert view["innerWidth"] == width
        assert view["scrollWidth"] <= width
        assert view["outside"] == []


def test_each_chart_is_shown_once_with_a_label(seen: Seen) -> None:
    """The drawing for this width, and not the other one; where there is nothing to show, none."""
    for (name, (width, _), _), view in seen.items():
        assert [each["name"] for each in view["charts"]] == CHARTS[name]
        for chart in view["charts"]:
            assert chart["label"]
            (drawing,) = chart["shown"]
            box = drawing["box"]
            assert min(width * 0.8, 480) <= box["right"] - box["left"] <= width
            assert box["bottom"] - box["top"] > 100


def test_all_text_can_be_read(seen: Seen) -> None:
    """On the smallest phone too; and no label is cut off by the window."""
    for (_, (width, _), _), view in seen.items():
        assert view["smallest"] >= SMALLEST_TEXT_PIXELS
        for _, drawing in charts_of(view):
            assert min(each["pixels"] for each in drawing["texts"]) >= SMALLEST_CHART_PIXELS
            assert all(each["box"]["left"] >= 0 and each["box"]["right"] <= width for each in drawing["texts"])


def test_labels_do_not_lie_upon_each_other(seen: Seen) -> None:
    """Whatever the names are and however near lines end."""
    for key, view in seen.items():
        for name, drawing in charts_of(view):
            touching = [
                (key, name, one["text"], other["text"])
                for one, other in combinations(drawing["texts"], 2)
                if overlap(one["box"], other["box"])
            ]
            assert touching == []


def overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    """Whether two boxes share more than the room above and below their letters."""
    wide = min(one["right"], other["right"]) - max(one["left"], other["left"])
    high = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
    return wide > 1 and high > 4


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(…)``, as WCAG 2 defines it."""
    channels = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_day_and_night_differ_and_both_are_readable(seen: Seen) -> None:
    """The charts change with the page: their letters, and the colours of what they show."""
    for size in (PHONE, DESK):
        day, night = seen["usual", size, "light"], seen["usual", size, "dark"]
        assert luminance(day["paper"]) > 0.9 > 0.1 > luminance(night["paper"])
        for view in (day, night):
            letters = {each["colour"] for _, drawing in charts_of(view) for each in drawing["texts"]}
            assert min(contrast(each, view["paper"]) for each in {*letters, view["ink"]}) >= READABLE_CONTRAST
        for (_, one), (_, other) in zip(charts_of(day), charts_of(night), strict=True):
            assert set(one["strokes"]) & set(other["strokes"]) <= {"none"}


def test_it_serves_those_who_read_or_operate_it_in_another_way(seen: Seen) -> None:
    """axe-core finds nothing against WCAG 2.2 AA or its best practices: by day and night, on a phone and a desk."""
    assert [seen[each]["audit"] for each in AUDITED] == [[]] * len(AUDITED)


def test_a_link_from_the_table_unfolds_what_it_leads_to(chromium: Browser, tmp_path: Path) -> None:
    """The phases and items of that road, without a script."""
    file = tmp_path / "usual.html"
    file.write_text(page_of("usual"), encoding="utf-8")
    look = View(file=str(file), width=DESK[0], height=DESK[1], follow="a[href='#road-3']")
    (view,) = chromium.look([look])
    (unfolded,) = view["unfolded"]
    assert advice_on("usual")["roads"][2]["name"] in unfolded


def test_on_a_phone_a_table_becomes_cards_that_say_what_they_show(seen: Seen) -> None:
    """All roads are there, each with its figures."""
    text = seen["usual", PHONE, "light"]["text"]
    assert all(each["name"] in text for each in advice_on("usual")["roads"])
    assert all(usd(each["usd"]["point"]) in text for each in advice_on("usual")["roads"] if each["usd"])
