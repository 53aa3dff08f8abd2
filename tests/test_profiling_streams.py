"""Streams of a listing: each key is counted once, wherever ranges are cut and whoever lists the parts."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
from headrace.dataset.key_ranges import KeyRange, KeyScale
from headrace.dataset.stretches import joined
from headrace.errors import HeadraceError
from headrace.profiling.board import Board
from headrace.profiling.streams import Streams
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dataset_reference import KEYS, OBJECTS, Bucket, Made
from tests.test_dataset_counts import check


@dataclass(slots=True)
class Below:
    """The objects of a bucket below a prefix, as streams ask for them."""

    bucket: Bucket
    prefix: str = ""

    def page(self, after: str | None = None, token: str | None = None) -> bytes:
        """One page."""
        return self.bucket.page(self.prefix, after, token)


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
