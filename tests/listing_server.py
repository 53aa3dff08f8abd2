"""A bucket over HTTP that answers ListObjectsV2 and nothing else, and fails as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from tests.dataset_reference import Bucket, Made

DENIED = (
    403,
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/x is not authorized "
    b"to perform: s3:ListBucket on resource: arn:aws:s3:::data</Message></Error>",
)
SLOW_DOWN = (503, b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
CUT = (200, b'<?xml version="1.0"?><ListBucketResult><Contents><Key>a')
CLOSED = (0, b"")


@dataclass
class ListingServer:
    """``answers`` come first, one for each request; then those of the bucket. ``requests``: what was asked."""

    bucket: Bucket
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    region: str | None = "us-east-1"
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, query: dict[str, str]) -> tuple[int, bytes]:
        """Status and body for a query."""
        with self.lock:
            self.requests.append(query)
            if self.answers:
                return self.answers.pop(0)
        most = int(query.get("max-keys", "1000"))
        return 200, self.bucket.page(query["prefix"], query.get("start-after"), query.get("continuation-token"), most)


@contextmanager
def serving(
    objects: Sequence[Made], answers: Sequence[tuple[int, bytes]] = (), most: int = 1000
) -> Iterator[ListingServer]:
    """A server on a free port of the loopback."""
    listing = ListingServer(Bucket(objects, most=most), list(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.send_response(200)
            if listing.region is not None:
                self.send_header("x-amz-bucket-region", listing.region)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            listing.headers.append(dict(self.headers))
            query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            status, body = listing.answer(query)
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # whoever was stopped hangs up
    listing.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield listing
    finally:
        server.shutdown()
        server.server_close()
