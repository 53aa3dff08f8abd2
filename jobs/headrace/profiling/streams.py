"""Streams: threads that list ranges of keys, page by page, and count what they hold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol

from headrace.dataset.counts import Counts
from headrace.dataset.key_ranges import KeyRange, KeyScale
from headrace.dataset.pages import parse_page
from headrace.dataset.stretches import Stretch
from headrace.profiling.board import Board
from headrace.profiling.order import require_order

MOST_PARTS: Final = 31
PAGE_KEYS: Final = 1000
_MOST_TIMES: Final = 4


class Pages(Protocol):
    """Where pages come from: :class:`headrace.aws.listing.Listing`."""

    def page(self, after: str | None = None, token: str | None = None) -> bytes:
        """The page after a key, or that a token stands for."""


class Streams:
    """The streams of one process. ``told`` hears that something was counted."""

    def __init__(self, pages: Pages, board: Board, prefix: str, told: Callable[[], None] = lambda: None) -> None:
        """Streams do not run before :meth:`start`."""
        self.counts = Counts(prefix.encode())
        self._pages = pages
        self._board = board
        self._told = told
        self._scale = KeyScale(prefix)
        # numpy lets other threads go on at each of its steps: threads that count at once take twice the time
        self._counting = threading.Lock()

    def start(self, count: int) -> None:
        """Run so many streams, until the board is closed."""
        for number in range(count):
            threading.Thread(target=self._run, args=(number,), name=f"listing-{number}", daemon=True).start()

    def _run(self, number: int) -> None:
        try:
            while (taken := self._board.take()) is not None:
                self._told()
                stretch = self.list_range(taken, number)
                self._board.finish(number, stretch)
                self._told()
        except BaseException as error:  # told to the main thread, which raises it
            self._board.close(error)

    def list_range(self, rest: KeyRange, number: int = 0) -> Stretch:
        """List what a range holds, or of it what is left after parts were given away."""
        stretch, token = Stretch(), None
        start, listed, pages = rest.after, 0, 0
        above = None if rest.after is None else rest.after.encode()
        while not self._board.is_closed:
            body = self._pages.page(rest.after, token)
            with self._counting:
                page = parse_page(body)
                require_order(page.page, above)
                inside = page.page.up_to(None if rest.until is None else rest.until.encode())
                stretch.add(*self.counts.add(inside))
                last = inside.key(-1).decode() if len(inside) else None
                if last is not None:
                    above = inside.key(-1)
                    self._scale.see(inside.key(0).decode())
                    self._scale.see(last)
            listed, pages = listed + len(inside), pages + 1
            is_over = page.next_token is None or len(inside) < len(page.page) or last == rest.until is not None
            done = 0.0 if last is None or is_over else self._scale.share_done(start, last, rest.until)
            expected = listed * (1 - done) / done if done else 0.0
            # between the folders of a range may be wide gaps: it is not trusted to hold very much more than it did
            self._board.tell(number, len(inside), min(expected, _MOST_TIMES * listed), last, rest.until)
            self._told()
            if is_over:
                break
            token = page.next_token
            if last is not None and (own := self._shared(rest, last, expected, pages)) is not rest:
                rest, start, listed, pages = own, last, 0, 0
        return stretch

    def _shared(self, rest: KeyRange, last: str, expected: float, pages: int) -> KeyRange:
        """Give away what others wait for; the part that begins here stays."""
        # not less than a page for each; where the estimate proved to be too low, what was listed tells more
        worthwhile = max(int(expected / PAGE_KEYS), pages // 2)
        count = min(MOST_PARTS, worthwhile, self._board.wanted())
        points = self._scale.points(last, rest.until, count) if count else []
        if not points:
            return rest
        own, *others = KeyRange(after=last, until=rest.until).cut(points)
        self._board.put(others)
        return KeyRange(after=rest.after, until=own.until)
