"""Pages of ListObjectsV2 as the bytes that S3 sent: who reads them need not make Python objects of every key.

Endpoint, addressing style, certificates, proxies and credentials are those of the boto3 client; so is the signature.
Only the way through the client's serializer and parser is left out, which takes ten times as long as the rest.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from headrace.aws.connection import AwsError, Connection, calls_aws

PAGE_KEYS: Final = 1000
_ATTEMPTS: Final = 10
_ATTEMPTS_TO_CONNECT: Final = 6
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 10.0
_TRY_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_TRY_AGAIN_CODES: Final = frozenset({"RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable"})
_OTHER_REGION: Final = frozenset(
    {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "301", "307"}
)
_END: Final = b"</ListBucketResult>"
_CODE: Final = re.compile(rb"<Code>([^<]*)</Code>")
_REGION: Final = re.compile(rb"<Region>([a-z0-9-]+)</Region>")
_CHECK_PROXIES: Final = "check AWS_ENDPOINT_URL and proxies"
_CHECK_REGION: Final = "check AWS_ENDPOINT_URL; a bucket made anew in another Region is found there an hour later"
_MESSAGE: Final = re.compile(rb"<Message>([^<]*)</Message>")


@dataclass(slots=True)
class Listing:
    """The objects below a prefix; threads may share it. ``pause`` waits so many seconds before another attempt."""

    connection: Connection
    bucket: str
    prefix: str
    region: str
    pause: Callable[[float], object] = time.sleep
    _url: str = field(init=False, default="")
    _sender: Any = field(init=False, default=None)
    _has_answered: bool = field(init=False, default=False)
    _preparing: threading.Lock = field(init=False, default_factory=threading.Lock)

    @calls_aws
    def page(self, after: str | None = None, token: str | None = None, most: int = PAGE_KEYS) -> bytes:
        """The page whose keys come after a key, or that a token stands for; keys are URL-encoded.

        Raises AccessDenied without s3:ListBucket, AwsError when S3 still fails after ten attempts, or for an answer of
        something else.
        """
        query = f"encoding-type=url&list-type=2&max-keys={most}&prefix={_quoted(self.prefix)}"
        if token is not None:
            query = f"continuation-token={_quoted(token)}&{query}"
        elif after is not None:
            query = f"{query}&start-after={_quoted(after)}"
        for attempt in range(_ATTEMPTS):
            status, body = self._attempt(query, attempt + 1)
            if status == 200 and body.rstrip().endswith(_END):
                return body
            error = self._error(status, body)
            if not (status in {0, 200} | _TRY_AGAIN or error.response["Error"]["Code"] in _TRY_AGAIN_CODES):
                break
            # full jitter, so that streams that were slowed down together do not come back together
            longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            if attempt < _ATTEMPTS - 1:
                self.pause(random.uniform(0, longest))  # noqa: S311  (no secret)
        raise error

    def _attempt(self, query: str, number: int) -> tuple[int, bytes]:
        """Status and body of one request; status 0 for a connection that broke, or that nobody took."""
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import ConnectionError, HTTPClientError, SSLError

        self._prepare()
        request = AWSRequest("GET", f"{self._url}?{query}")
        S3SigV4Auth(self.connection.credentials(), "s3", self.region).add_auth(request)
        try:
            answer = self._sender.send(request.prepare())
        except SSLError:
            raise
        except (ConnectionError, HTTPClientError):
            # an endpoint that never answered is more likely to be wrong than to be gone for a while
            if number >= (_ATTEMPTS if self._has_answered else _ATTEMPTS_TO_CONNECT):
                raise
            return 0, b""
        self._has_answered = True
        return answer.status_code, answer.content

    def _prepare(self) -> None:
        with self._preparing:
            if self._sender is None:
                client = self.connection.client("s3", self.region)
                self._url = _url_of(client, self.bucket)
                # botocore has no public name for it; a session of our own would not know the client's proxies and CA
                # bundle
                self._sender = client._endpoint.http_session

    def _error(self, status: int, body: bytes) -> Any:
        """The ClientError of an answer. Raises AwsError at once for one of something else, or of another Region."""
        if (
            status == 200
            and body.strip()
            and not any(each in body[:1024] for each in (b"<ListBucketResult", b"<Error"))
        ):
            raise AwsError(f"ListObjectsV2: the answer of {self._url} is no listing of S3; {_CHECK_PROXIES}")
        error = _client_error(status, body)
        if error.response["Error"]["Code"] in _OTHER_REGION:
            named = _REGION.search(body)
            where = f"s3://{self.bucket} lies in {named[1].decode()}" if named else f"s3://{self.bucket} lies elsewhere"
            raise AwsError(f"ListObjectsV2: {where}, and {self._url} was asked in {self.region}; {_CHECK_REGION}")
        return error


class _Nothing:
    """The body of an answer that nobody gave."""

    def stream(self) -> Iterator[bytes]:
        return iter(())


def _url_of(client: Any, bucket: str) -> str:
    """Where the client itself would list the bucket: the address of a call that is not sent."""
    from botocore.awsrequest import AWSResponse

    urls: list[str] = []

    def keep(request: Any, **_: object) -> Any:
        urls.append(request.url.partition("?")[0])
        return AWSResponse(request.url, 200, {}, _Nothing())

    client.meta.events.register("before-send.s3.ListObjectsV2", keep)
    try:
        client.list_objects_v2(Bucket=bucket)
    finally:
        client.meta.events.unregister("before-send.s3.ListObjectsV2", keep)
    return urls[-1]


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


def _client_error(status: int, body: bytes) -> Any:
    from botocore.exceptions import ClientError

    code, message = _CODE.search(body), _MESSAGE.search(body)
    told = {
        "Code": code[1].decode("utf-8", "replace") if code else str(status),
        "Message": message[1].decode("utf-8", "replace") if message else "no listing came, or only a part of it",
    }
    return ClientError({"Error": told, "ResponseMetadata": {"HTTPStatusCode": status}}, "ListObjectsV2")
