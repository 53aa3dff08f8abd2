"""Streams of a listing: each key is counted once, wherever ranges are cut and whoever lists the parts."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from random import Random

import pytest
from headrace.aws import AwsError
from headrace.dataset.key_ranges import KeyRange, KeyScale
from headrace.dataset.stretches import joined
from headrace.errors import HeadraceError
from headrace.profiling.board import Board
from headrace.profiling.sampled import _Sampling
from headrace.profiling.streams import Streams
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dataset_reference import KEYS, OBJECTS, Bucket, Made, xml_page
from tests.test_dataset_counts import check


@dataclass
class Below:
    """The objects of a bucket below a prefix, as streams ask for them."""

    bucket: Bucket
    prefix: str = ""

    def page(self, after: str | None = None, token: str | None = None, most: int = 1000) -> bytes:
        """One page."""
        return self.bucket.page(self.prefix, after, token, most)


class DrawnBoard(Board):
    """A board on which as many parts are wanted as a test draws."""

    def __init__(self, data: st.DataObject) -> None:
        super().__init__()
        self.data = data

    def wanted(self) -> int:
        """Anything."""
        return self.data.draw(st.integers(0, 5))


@given(OBJECTS, st.integers(1, 4), st.sampled_from(["", "a", "a/", "shared/prefix/"]), st.data())
@settings(max_examples=300)
def test_each_key_is_counted_once(objects: list[Made], most: int, prefix: str, data: st.DataObject) -> None:
    """Whatever is cut after whatever page, and in whatever order the parts are listed."""
    objects = [Made(prefix + each.key, each.size, each.storage_class) for each in objects]
    board = DrawnBoard(data)
    streams = Streams(Below(Bucket(objects, most=most), prefix), board, prefix)
    board.put([KeyRange()])
    stretches = []
    while board.queue:
        board.queue.rotate(data.draw(st.integers(0, 3)))
        stretches.append(streams.list_range(board.queue.popleft()))
    check(objects, streams.counts, joined(stretches), prefix)


def _scale(keys: list[str]) -> KeyScale:
    scale = KeyScale("")
    for each in keys:
        scale.see(each)
    return scale


@given(st.lists(KEYS, min_size=2, max_size=12, unique=True), st.integers(1, 40), st.booleans())
def test_points_rise_inside_their_range(keys: list[str], count: int, is_open: bool) -> None:
    """Between any two keys, by the bytes of their UTF-8; points may be keys, too."""
    low, high = min(keys, key=str.encode), max(keys, key=str.encode)
    until = None if is_open else high
    points = _scale(keys).points(low, until, count)
    assert len(points) <= count
    encoded = [each.encode() for each in [low, *points, *([] if is_open else [high])]]
    assert encoded == sorted(set(encoded))
    parts = KeyRange(after=low, until=until).cut(points)
    for key in keys:
        holding = [each for each in parts if (each.after or "") < key and (each.until is None or key <= each.until)]
        assert len(holding) == (key != low)


@given(st.lists(KEYS, min_size=3, max_size=3, unique=True))
def test_a_share_is_between_nothing_and_all(keys: list[str]) -> None:
    """Of any three keys in their order."""
    low, now, high = sorted(keys, key=str.encode)
    scale = _scale(keys)
    assert 0 <= scale.share_done(low, now, high) <= 1
    assert 0 <= scale.share_done(None, now, None) <= 1


def _listed(bucket: Bucket, count: int) -> tuple[Board, Streams]:
    board = Board()
    streams = Streams(Below(bucket), board, "")
    board.put([KeyRange()])
    streams.start(count)
    with board.changed:
        assert board.changed.wait_for(lambda: board.error or not board.outstanding, timeout=60)
    board.close()
    return board, streams


FLAT = [f"{number:08d}.jpg" for number in range(3000)]
NESTED = [f"data/c{number // 100:04d}/{number:08d}.jpg" for number in range(3000)]
DEEP = [f"one/long/shared/beginning/of/all/keys/part-{number:05d}.parquet" for number in range(3000)]
SKEWED = [f"{'a' * (number % 40)}/{number * number:x}" for number in range(3000)]
SHAPES = {"flat": FLAT, "nested": NESTED, "deep": DEEP, "skewed": SKEWED}


@pytest.mark.parametrize("shape", SHAPES)
def test_threads_share_the_work(shape: str) -> None:
    """Really in parallel: all is counted once, and the pages that find nothing are few."""
    objects = [Made(key, number) for number, key in enumerate(SHAPES[shape])]
    bucket = Bucket(objects, most=20)
    board, streams = _listed(bucket, 8)
    assert board.error is None
    check(objects, streams.counts, joined(board.stretches))
    assert board.objects == len(objects)
    assert 150 <= bucket.calls < 1000


@pytest.mark.parametrize("fault", ["ignores start-after", "in no order", "falls back"])
@pytest.mark.parametrize("is_sampled", [False, True])
def test_a_service_without_order_is_told(fault: str, is_sampled: bool) -> None:
    """Instead of a listing that never ends, or counts a key twice: some services order keys in their own way."""
    bucket = Bucket([Made(key, 1) for key in FLAT], most=20)

    class Faulty:
        def page(self, after: str | None = None, token: str | None = None, most: int = 1000) -> bytes:
            if fault == "in no order":
                return xml_page([Made("b", 1), Made("a", 1)], "t")
            if fault == "falls back" and (token or after):
                return xml_page([Made("0", 1)], "t")
            return bucket.page("", None, token, most)

    sampling = _Sampling(Faulty(), threading.Event(), "", Random(1), lambda *_: None)  # noqa: S311
    streams = Streams(Faulty(), Board(), "")
    with pytest.raises(AwsError, match="cannot be divided"):
        sampling.run() if is_sampled else streams.list_range(KeyRange(after=FLAT[1000]))


def test_a_sample_passes_over_empty_pages() -> None:
    """S3 may answer with a page that holds nothing and a token, as where many objects were deleted."""
    bucket, draw = Bucket([Made(key, 1) for key in FLAT], most=20), Random(1)  # noqa: S311

    class Gaps:
        def page(self, after: str | None = None, token: str | None = None, most: int = 1000) -> bytes:
            if token is not None and token.startswith("gap"):
                _, left, passed = token.split(":", 2)
                return xml_page([], f"gap:{int(left) - 1}:{passed}") if int(left) else bucket.page("", passed or None)
            return xml_page([], f"gap:2:{after or ''}") if draw.random() < 0.5 else bucket.page("", after, token, most)

    sampling = _Sampling(Gaps(), threading.Event(), "", Random(1), lambda *_: None)  # noqa: S311
    found = sampling.run()
    assert found is None  # so little is listed
    assert sampling.weighted.seen.files > 20


def test_an_estimate_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """No further page is asked for: the walks that run do not go on to their end."""
    monkeypatch.setattr("headrace.profiling.sampled.LISTED_BELOW", 100)
    stopped = threading.Event()

    class Stopping(Below):
        calls = 0

        def page(self, after: str | None = None, token: str | None = None, most: int = 1000) -> bytes:
            self.calls += 1
            if self.calls == 300:
                stopped.set()
            return super().page(after, token, most)

    pages = Stopping(Bucket([Made(key, 1) for key in FLAT], most=5))
    with pytest.raises(AwsError, match="stopped"):
        _Sampling(pages, stopped, "", Random(1), lambda *_: None).run()  # noqa: S311
    assert pages.calls <= 300 + 64


def test_an_estimate_that_fails_stops_its_walks() -> None:
    """Those that run do not ask for another page."""
    stopped = threading.Event()

    class Failing:
        def page(self, after: str | None = None, token: str | None = None, most: int = 1000) -> bytes:
            raise AwsError(f"no {after} {token} {most}")

    with pytest.raises(AwsError, match="no None"):
        _Sampling(Failing(), stopped, "", Random(1), lambda *_: None).run()  # noqa: S311
    assert stopped.is_set()


def test_an_error_stops_all_streams() -> None:
    """The main thread finds it on the board."""
    asked = threading.Event()

    class Failing:
        def page(self, after: str | None = None, token: str | None = None) -> bytes:
            asked.set()
            raise HeadraceError(f"no {after} {token}")

    board = Board()
    streams = Streams(Failing(), board, "")
    board.put([KeyRange()])
    streams.start(3)
    with board.changed:
        assert board.changed.wait_for(lambda: board.is_closed, timeout=60)
    assert str(board.error) == "no None None"
