"""The page of ``headrace advise --html``: what it says, and that whatever stands in names is text and stays text."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from copy import deepcopy
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from headrace.advisor.report import render
from headrace.advisor.report.epochs import spread
from headrace.advisor.report.figures import MOST_ROADS, Figure, figures_of
from headrace.advisor.report.refusals import refusals_of
from headrace.advisor.report.words import count, duration, duration_between, heading, size, usd, usd_between
from headrace.errors import InvalidInput
from hypothesis import example, given
from hypothesis import strategies as st

from tests.report_pages import QUESTIONS, advice_on, page_of

LARGEST_PAGE_BYTES = 300_000
MARKUP = "\"'><script>alert(1)</script><img src=http://127.0.0.1/ onerror=alert(1)>{{ 7*7 }}{% raw %}&amp;\u202e"
UNWRITABLE = "\x1b\0\x0c\udce9\uffff"
LOADING = {"script", "link", "iframe", "object", "embed", "img", "image", "use", "audio", "video", "base", "form", "a"}

Figures = Mapping[str, Mapping[str, Figure | None]]


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def advices() -> dict[str, dict[str, Any]]:
    """The advice to each question, as JSON."""
    return {name: advice_on(name) for name in QUESTIONS}


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """The page of each."""
    return {name: page_of(name) for name in QUESTIONS}


@pytest.fixture(scope="module")
def figures(advices: Mapping[str, Any]) -> dict[str, dict[str, Figure | None]]:
    """The figures of those whose figures are looked at."""
    return {name: figures_of(advices[name]) for name in ("usual", "crowded", "tiny")}


def figure_of(figures: Figures, question: str, name: str) -> Figure:
    """A figure that is there."""
    found = figures[question][name]
    assert found is not None
    return found


def texts_of(advice: Mapping[str, Any]) -> list[str]:
    """All that is said in words."""
    flow = advice["decision_flow"]
    return [
        advice["question"]["location"],
        advice["question"]["instance_type"],
        *(each["name"] for part in ("roads", "rejected") for each in advice[part]),
        *(each[key] for each in advice["roads"] for key in ("bound", "first_bound")),
        *(name for each in advice["roads"] for part in ("waiting", "billed") for name in each[part]),
        *(item[key] for each in advice["roads"] for item in each["costs"] for key in ("name", "arithmetic")),
        *(each["measurement"]["phase"] for each in advice["roads"] if each["measurement"]),
        *(finding[key] for each in advice["rejected"] for finding in each["findings"] for key in finding),
        *(step[key] for each in flow["answers"] for step in each["steps"] for key in step),
        *flow["remarks"],
        flow["disagreement"],
        flow["source"],
        *(each[key] for each in advice["what_ifs"] for key in ("change",)),
        *(each["winner"]["name"] for each in advice["what_ifs"]),
        advice["why"][1:],
        *advice["notes"],
    ]


@pytest.mark.parametrize("name", QUESTIONS)
def test_all_that_the_advice_says_is_in_the_page(
    name: str, advices: Mapping[str, Any], pages: Mapping[str, str]
) -> None:
    """Every road, rejected ones too, with phases, items, rules, flow, what-ifs and notes."""
    text = Page(pages[name]).text
    assert [each for each in texts_of(advices[name]) if each not in text] == []


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_page_needs_nothing_else(name: str, pages: Mapping[str, str]) -> None:
    """No script, nothing that is loaded, no link that leads elsewhere; and it is small."""
    page = Page(pages[name])
    loading = [(tag, attributes) for tag, attributes in page.elements if tag in LOADING]
    assert {tag for tag, _ in loading} <= {"a"}
    assert all((attributes["href"] or "").startswith("#") for _, attributes in loading)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {(attributes["href"] or "")[1:] for _, attributes in loading} <= set(ids)
    named = {key for _, attributes in page.elements for key in attributes}
    assert not {each for each in named if each.startswith("on") or each in ("src", "srcset", "xlink:href")}
    assert "url(" not in pages[name]
    assert "@import" not in pages[name]
    assert len(pages[name].encode()) < LARGEST_PAGE_BYTES


def test_the_policy_of_the_page_allows_nothing_from_elsewhere(pages: Mapping[str, str]) -> None:
    """The first element that could load something comes after the policy."""
    html = pages["usual"]
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
    assert html.index("Content-Security-Policy") < html.index("<title>")
    assert html.startswith("<!DOCTYPE html>\n<html lang=")


def hostile(value: Any) -> Any:
    """The same JSON with markup at the end of every text."""
    if isinstance(value, dict):
        return {key: hostile(each) for key, each in value.items()}
    if isinstance(value, list):
        return [hostile(each) for each in value]
    return value + MARKUP + UNWRITABLE if isinstance(value, str) else value


def test_whatever_a_text_holds_stays_text(advices: Mapping[str, Any], pages: Mapping[str, str]) -> None:
    """Markup in every text of the JSON makes no element that was not there before; what cannot be written is marked."""
    usual = Page(pages["usual"])
    marked = Page(render(hostile(advices["usual"])))
    assert {tag for tag, _ in marked.elements} <= {tag for tag, _ in usual.elements}
    assert not {key for _, attributes in marked.elements for key in attributes if key.startswith("on")}
    assert advices["usual"]["question"]["location"] + MARKUP + "\ufffd" * len(UNWRITABLE) in marked.text


def test_parts_with_nothing_to_show_say_so(pages: Mapping[str, str]) -> None:
    """No prices, no road that fits, a shared file system that never pays."""
    assert "price not known" in pages["without prices"]
    assert "No price is known in xx-nowhere-1" in pages["without prices"]
    assert "Never here: beside its $168.00 a month" in pages["crowded"]
    assert "Not told: no file system can be shared" in pages["on EFS"]
    assert "in 16 ways" in pages["on EFS"]


def test_no_road_at_all(advices: Mapping[str, Any]) -> None:
    """Every road refused: the page says so, and why."""
    nothing: dict[str, Any] = {"roads": [], "curves": [], "what_ifs": [], "sharing": None, "winner": None}
    page = Page(render({**advices["on EFS"], **nothing}))
    assert "No road can bring this data set" in page.text
    assert "V181" in page.text
    assert not [tag for tag, _ in page.elements if tag == "figure"]


def test_only_the_best_roads_are_drawn(advices: Mapping[str, Any], figures: Figures, pages: Mapping[str, str]) -> None:
    """The others are counted, and stand in the table."""
    advice = advices["usual"]
    assert len(advice["roads"]) > MOST_ROADS
    told = figure_of(figures, "usual", "time").told.split("; ")
    assert [each.partition(":")[0] for each in told] == [each["name"] for each in advice["roads"][:MOST_ROADS]]
    assert f"The best {MOST_ROADS} of {len(advice['roads'])} roads are shown" in pages["usual"]


def bars_of(drawing: str, colour: str) -> list[float]:
    """The widths of the bars of a colour, in pixels."""
    return [float(each) for each in re.findall(rf'd="M[\d.]+,[\d.]+h([\d.]+)v[^"]*" fill="var\(--{colour}\)"', drawing)]


def test_bars_are_as_long_as_what_they_show(advices: Mapping[str, Any], figures: Figures) -> None:
    """The epochs of the time chart, by phase: in proportion, whatever the width."""
    advice = advices["usual"]
    figure = figure_of(figures, "usual", "time")
    seconds = [
        road["billed"][phase]["point"]
        for road in advice["roads"][:MOST_ROADS]
        for phase in ("first epoch", "further epochs")
    ]
    for drawing in figure.drawings:
        widths = bars_of(drawing, "training")
        per_second = widths[0] / seconds[0]
        assert widths == pytest.approx([each * per_second for each in seconds], rel=0.01, abs=0.02)


def test_costs_are_stacked_by_kind(advices: Mapping[str, Any], figures: Figures) -> None:
    """A road without a price has no bar; the legend names what is there."""
    figure = figure_of(figures, "crowded", "cost")
    priced = [each for each in advices["crowded"]["roads"][:MOST_ROADS] if each["usd"]]
    assert 0 < len(priced) < MOST_ROADS
    assert len(bars_of(figure.drawings[0], "instances")) == len(priced)
    assert {each.colour for each in figure.legend} == {"instances", "storage", "requests", "preparing"}
    assert figure.told.count("price not known") == MOST_ROADS - len(priced)


def test_every_line_is_told_apart(figures: Figures) -> None:
    """By colour or by dashes."""
    figure = figure_of(figures, "usual", "epochs")
    assert len({(each.colour, each.dash) for each in figure.legend}) == len(figure.legend) == MOST_ROADS


def test_small_amounts_keep_their_digits(figures: Figures) -> None:
    """An axis of fractions of a cent does not read $0.00 at each of its ticks."""
    figure = figure_of(figures, "tiny", "epochs")
    ticks = re.findall(r">(\$[\d.,]+)<", figure.drawings[0])
    assert len(ticks) == len(set(ticks)) >= 3


def test_the_crossing_is_marked_where_sharing_pays(advices: Mapping[str, Any], figures: Figures) -> None:
    """Told in whole jobs: from the next one on."""
    figure = figure_of(figures, "usual", "sharing")
    jobs = math.ceil(advices["usual"]["sharing"]["jobs_per_month"])
    assert all(f"pays from {jobs} jobs a month" in each for each in figure.drawings)


def test_a_missing_library_is_told_with_the_fix(monkeypatch: pytest.MonkeyPatch, advices: Mapping[str, Any]) -> None:
    """One line: what is missing, and how to install it."""
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(
        InvalidInput, match=r"vl_convert, which is not installed; fix: pip install 'headrace\[report\]'"
    ):
        render(advices["usual"])


def test_the_same_advice_makes_the_same_page(advices: Mapping[str, Any], pages: Mapping[str, str]) -> None:
    """So that pages can be compared; the advice itself stays as it was."""
    before = deepcopy(advices["usual"])
    assert render(advices["usual"]) == pages["usual"]
    assert advices["usual"] == before


def test_refusals_for_the_same_reasons_are_told_once() -> None:
    """Of the same road only."""
    reason, another = {"rule_id": "V1", "got": "a"}, {"rule_id": "V2", "got": "b"}
    rejected = [
        {"road": "X", "name": "X, 1", "findings": [reason]},
        {"road": "Y", "name": "Y", "findings": [reason]},
        {"road": "X", "name": "X, 2", "findings": [reason]},
        {"road": "X", "name": "X, 3", "findings": [reason, another]},
    ]
    assert [(each.heading, list(each.names)) for each in refusals_of(rejected)] == [
        ("X", ["X, 1", "X, 2"]),
        ("Y", ["Y"]),
        ("X, 3", ["X, 3"]),
    ]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"), (0.003, "under 0.01 s"), (0.043, "0.04 s"), (59.4, "59 s"), (59.6, "1 min"), (275, "4 min 35 s"),
        (599.9, "10 min"), (3570, "1 h"), (7500, "2 h 5 min"), (47757, "13 h 16 min"), (172_799, "48 h"),
        (216_000, "2 days 12 h"), (14_400_000, "167 days"),
    ],
)  # fmt: skip
def test_durations(seconds: float, told: str) -> None:
    """Two units at most."""
    assert duration(seconds) == told


@pytest.mark.parametrize(
    ("dollars", "told"),
    [(0, "$0.00"), (0.004, "under $0.01"), (3.2, "$3.20"), (999.5, "$999.50"), (722_259.4, "$722,259")],
)
def test_dollars(dollars: float, told: str) -> None:
    """To the cent, or to the dollar."""
    assert usd(dollars) == told


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0 bytes"), (999, "999 bytes"), (39_294, "39.3 KB"), (60_133_650_000, "60.1 GB"), (9e14, "900 TB")],
)
def test_sizes(number: float, told: str) -> None:
    """Decimal units, as AWS bills."""
    assert size(number) == told


def test_intervals_and_counts() -> None:
    """In the unit of the longer end; nothing where both ends read the same."""
    assert duration_between({"low": 46_409, "high": 50_160}) == "12.9–13.9 h"
    assert duration_between({"low": 33, "high": 170}) == "33–170 s"
    assert duration_between({"low": 4514, "high": 4794}) == "75.2–79.9 min"
    assert duration_between({"low": 25, "high": 85}) == "25–85 s"
    assert duration_between({"low": 0, "high": 0}) == ""
    assert usd_between({"low": 19.866, "high": 21.538}) == "$19.87–$21.54"
    assert usd_between({"low": 1.001, "high": 1.002}) == ""
    assert (count(1_530_350), count(2.5)) == ("1,530,350", "2.5")
    assert heading("FSx for Lustre, shared, loaded") == ("FSx for Lustre", "shared, loaded")
    assert heading("S3 File") == ("S3 File", "")


@given(st.floats(0, 1e9), st.floats(0, 1e9))
@example(3599.9, 3600)
def test_a_longer_duration_never_reads_shorter(one: float, other: float) -> None:
    """In whatever unit each is told."""
    assert told_seconds(duration(min(one, other))) <= told_seconds(duration(max(one, other)))


def told_seconds(told: str) -> float:
    """What a duration says, in seconds."""
    if told.startswith("under"):
        return 0.001
    units = {"s": 1, "min": 60, "h": 3600, "days": 86_400}
    return sum(float(number.replace(",", "")) * units[unit] for number, unit in re.findall(r"([\d.,]+) (\w+)", told))


@given(st.lists(st.floats(0, 300), min_size=1, max_size=8))
def test_names_at_the_ends_of_lines_do_not_overlap(heights: list[float]) -> None:
    """They keep their order and their distance, and stay above the axis; alone, a name stays where its line ends."""
    places = spread(heights, apart=15, bottom=300)
    ordered = sorted(zip(heights, places, strict=True))
    assert all(below - above >= 15 - 1e-6 for (_, above), (_, below) in pairwise(sorted(ordered, key=lambda x: x[1])))
    assert max(places) <= 300 + 1e-6
    if len(heights) == 1:
        assert places == heights
