"""The files of FastFile channels as an S3 for rclone: it lists folders and gives objects, and knows nothing else.

Through moto's own S3 a small file takes some three times as long, and a mount would see more than its channel. Here a
channel is a bucket of its own under a name that nobody guesses. It holds what was listed when the job started: the
instance's share, by its paths in the channel. The bytes are read from moto's storage when rclone asks for them.

Source: Amazon S3 API Reference, ListObjects and GetObject.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from email.utils import format_datetime
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import PurePosixPath
from socketserver import ThreadingTCPServer
from threading import Thread
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from headrace_local.runner.s3_storage import S3Storage, StoredObject

_HOST = "127.0.0.1"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_AS_REFERENCES = {sign: f"&#{ord(sign)};" for sign in "\t\n\r"}


class _Folder(NamedTuple):
    files: list[str]
    folders: set[str]


class Shelf:
    """The files of one channel, from the keys of their objects and their paths in the channel."""

    def __init__(self, storage: S3Storage, bucket: str, files: Mapping[str, PurePosixPath]) -> None:
        self._storage = storage
        self._bucket = bucket
        self._keys = {str(path): key for key, path in files.items()}
        self._folders: dict[PurePosixPath, _Folder] = {}
        for path in files.values():
            self._folder(path.parent).files.append(str(path))
            for folder in path.parents[:-1]:
                self._folder(folder.parent).folders.add(str(folder))

    def _folder(self, path: PurePosixPath) -> _Folder:
        return self._folders.setdefault(path, _Folder([], set()))

    def get(self, path: str) -> tuple[StoredObject, bytes] | None:
        """A file as it is now, with its bytes; None when there is no such file, or its object has gone."""
        key = self._keys.get(path, "")
        found = self._storage.describe(self._bucket, key)
        content = None if found is None else self._storage.read_unchanged(self._bucket, key, found.etag)
        return None if found is None or content is None else (found, content)

    def listing(self, prefix: str) -> bytes:
        """What ListObjects answers for a folder, with a slash as the delimiter."""
        files, folders = self._folders.get(PurePosixPath(prefix), _Folder([], set()))
        entries = [self._entry(each) for each in files]
        entries += [f"<CommonPrefixes><Prefix>{_escaped(each)}/</Prefix></CommonPrefixes>" for each in folders]
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(entries)}</ListBucketResult>".encode()

    def _entry(self, path: str) -> str:
        found = self._storage.describe(self._bucket, self._keys[path])
        if found is None:
            return ""
        return (
            f"<Contents><Key>{_escaped(path)}</Key><LastModified>{found.modified.isoformat()}</LastModified>"
            f"<ETag>{_escaped(found.etag)}</ETag><Size>{found.size}</Size></Contents>"
        )


def _escaped(text: str) -> str:
    return escape(text, _AS_REFERENCES)


class ObjectServer:
    """Serves shelves on a port of 127.0.0.1, until this process ends."""

    def __init__(self) -> None:
        self._shelves: dict[str, Shelf] = {}
        handler = type("Handler", (_Handler,), {"shelves": self._shelves})
        self._server = _Server((_HOST, 0), handler)
        Thread(target=self._server.serve_forever, name="object-server", daemon=True).start()

    @property
    def endpoint_url(self) -> str:
        """Where rclone finds it."""
        return f"http://{_HOST}:{self._server.server_address[1]}"

    def put_up(self, shelf: Shelf) -> str:
        """Serve a shelf; the name of its bucket."""
        name = secrets.token_hex(16)
        self._shelves[name] = shelf
        return name

    def take_down(self, name: str) -> None:
        """Serve it no longer."""
        self._shelves.pop(name, None)


@cache
def object_server() -> ObjectServer:
    """The one of this process."""
    return ObjectServer()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """Nothing: an rclone that ends hangs up on what it has asked for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # head and body in one piece: in two, the second waits for the client to acknowledge the first
    wbufsize = -1
    shelves: Mapping[str, Shelf]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        name, _, path = unquote(url.path).removeprefix("/").partition("/")
        shelf = self.shelves.get(name)
        if shelf is None:
            self._answer(HTTPStatus.NOT_FOUND)
        elif path:
            self._give(shelf.get(path))
        else:
            prefix = parse_qs(url.query).get("prefix", [""])[0]
            self._answer(HTTPStatus.OK, shelf.listing(prefix))

    def _give(self, found: tuple[StoredObject, bytes] | None) -> None:
        if found is None:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        described, content = found
        head = {"ETag": described.etag, "Last-Modified": format_datetime(described.modified, usegmt=True)}
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        if asked is None:
            self._answer(HTTPStatus.OK, content, head)
            return
        first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        head["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        self._answer(HTTPStatus.PARTIAL_CONTENT, memoryview(content)[first : last + 1], head)

    def _answer(
        self, status: HTTPStatus, body: bytes | memoryview = b"", head: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.send_response(status)
        for name, value in {**head, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: the server's log is for failures."""
