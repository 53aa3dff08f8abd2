"""A bucket of made-up keys that answers ListObjectsV2 as quickly as Python can: a stand-in for S3 in measurements.

Run: ``python benchmarks/listing_stub.py KEYS flat|nested PORT LATENCY_SECONDS``. Pages are joined from rows that were
made before, so that the stub takes little of the processors that it shares with what is measured.
"""

from __future__ import annotations

import asyncio
import sys
from bisect import bisect_left, bisect_right
from urllib.parse import parse_qsl, urlsplit

PREFIX = "data/"
_LAST = "\U0010ffff"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Name>bench</Name>"
)
_ROW = (
    "<Contents><Key>{key}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
    "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>{size}</Size>"
    "<StorageClass>STANDARD</StorageClass></Contents>"
)


def keys_of(shape: str, count: int) -> list[str]:
    """The keys in their order: one folder, or ten thousand to each."""
    if shape == "flat":
        return [f"{PREFIX}{number:010d}.jpg" for number in range(count)]
    return [f"{PREFIX}c{number // 10_000:04d}/{number:08d}.jpg" for number in range(count)]


def size_of(number: int) -> int:
    """The size of object number so and so: 20,000 to 59,999 bytes."""
    return 20_000 + number * 7919 % 40_000


class Bucket:
    """Answers for one set of keys."""

    def __init__(self, keys: list[str]) -> None:
        """Makes all rows: whoever is measured first shall not wait for them."""
        self._keys = keys
        self._rows = [_ROW.format(key=key, size=size_of(number)) for number, key in enumerate(keys)]

    def answer(self, query: dict[str, str]) -> bytes:
        """A page, or with a delimiter the folders below the prefix."""
        prefix, most = query.get("prefix", ""), int(query.get("max-keys", "1000"))
        start = bisect_left(self._keys, prefix)
        if token := query.get("continuation-token"):
            start = int(token)
        elif after := query.get("start-after"):
            start = max(start, bisect_right(self._keys, after))
        end = bisect_left(self._keys, prefix + _LAST) if prefix else len(self._keys)
        if query.get("delimiter"):
            return self._folders(prefix, start, end)
        stop = max(start, min(start + most, end))
        following = f"<NextContinuationToken>{stop}</NextContinuationToken>" if stop < end else ""
        encoding = "<EncodingType>url</EncodingType>" if "encoding-type" in query else ""
        return (
            f"{_HEAD}<Prefix>{prefix}</Prefix><MaxKeys>{most}</MaxKeys><KeyCount>{stop - start}</KeyCount>{encoding}"
            f"<IsTruncated>{'true' if following else 'false'}</IsTruncated>{following}"
            f"{''.join(self._rows[start:stop])}</ListBucketResult>"
        ).encode()

    def _folders(self, prefix: str, start: int, end: int) -> bytes:
        found, rows = [], []
        while start < end:
            key = self._keys[start]
            slash = key.find("/", len(prefix))
            if slash < 0:
                rows += self._rows[start : start + 1]
                start += 1
            else:
                found.append(f"<CommonPrefixes><Prefix>{key[: slash + 1]}</Prefix></CommonPrefixes>")
                start = bisect_left(self._keys, key[: slash + 1] + _LAST)
        count = len(found) + len(rows)
        return (
            f"{_HEAD}<Prefix>{prefix}</Prefix><Delimiter>/</Delimiter><MaxKeys>{count}</MaxKeys><KeyCount>{count}"
            f"</KeyCount><IsTruncated>false</IsTruncated>{''.join(rows)}{''.join(found)}</ListBucketResult>"
        ).encode()


class Connection(asyncio.Protocol):
    """One connection that stays open."""

    def __init__(self, bucket: Bucket, latency_seconds: float) -> None:
        self._bucket = bucket
        self._latency_seconds = latency_seconds
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole; none has a body."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            request, self._received = self._received.split(b"\r\n\r\n", 1)
            answer = self._answer(request)
            if self._latency_seconds:
                asyncio.get_running_loop().call_later(self._latency_seconds, self._transport.write, answer)
            else:
                self._transport.write(answer)

    def _answer(self, request: bytes) -> bytes:
        method, target, _ = request.split(b" ", 2)
        query = dict(parse_qsl(urlsplit(target.decode()).query, keep_blank_values=True))
        region = b"x-amz-bucket-region: us-east-1\r\n"
        if method == b"HEAD":
            body = b""
        elif "location" in query:
            body = b'<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'
        else:
            body = self._bucket.answer(query)
        return b"HTTP/1.1 200 OK\r\n%sContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s" % (
            region,
            len(body),
            body,
        )


async def serve(keys: list[str], port: int, latency_seconds: float) -> None:
    """Serve until the process is ended; says ``ready`` when it can."""
    bucket = Bucket(keys)
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(bucket, latency_seconds), "127.0.0.1", port
    )
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(keys_of(sys.argv[2], int(sys.argv[1])), int(sys.argv[3]), float(sys.argv[4])))
