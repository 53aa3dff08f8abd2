"""Pages of ListObjectsV2 as the bytes that S3 sent: who reads them need not make Python objects of every key.

Endpoint, addressing style, certificates, proxies and credentials are those of the boto3 client; so is the signature.
Only the way through the client's serializer and parser is left out, which takes ten times as long as the rest.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from headrace.aws.connection import Connection, calls_aws

PAGE_KEYS: Final = 1000
_ATTEMPTS: Final = 10
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 10.0
_TRY_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_TRY_AGAIN_CODES: Final = frozenset({"RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable"})
_END: Final = b"</ListBucketResult>"
_CODE: Final = re.compile(rb"<Code>([^<]*)</Code>")
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
    _credentials: Any = field(init=False, default=None)

    @calls_aws
    def page(self, after: str | None = None, token: str | None = None, most: int = PAGE_KEYS) -> bytes:
        """The page whose keys come after a key, or that a token stands for; keys are URL-encoded.

        Raises AccessDenied without s3:ListBucket, AwsError when S3 still fails after ten attempts.
        """
        query = f"encoding-type=url&list-type=2&max-keys={most}&prefix={_quoted(self.prefix)}"
        if token is not None:
            query = f"continuation-token={_quoted(token)}&{query}"
        elif after is not None:
            query = f"{query}&start-after={_quoted(after)}"
        for attempt in range(_ATTEMPTS):
            status, body = self._attempt(query, is_last=attempt == _ATTEMPTS - 1)
            if status == 200 and body.rstrip().endswith(_END):
                return body
            error = _client_error(status, body)
            if not (status in {0, 200} | _TRY_AGAIN or error.response["Error"]["Code"] in _TRY_AGAIN_CODES):
                break
            # full jitter, so that streams that were slowed down together do not come back together
            longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            if attempt < _ATTEMPTS - 1:
                self.pause(random.uniform(0, longest))  # noqa: S311  (no secret)
        raise error

    def _attempt(self, query: str, *, is_last: bool) -> tuple[int, bytes]:
        """Status and body of one request; status 0 for a connection that broke."""
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import ConnectionClosedError, HTTPClientError

        self._prepare()
        request = AWSRequest("GET", f"{self._url}?{query}")
        S3SigV4Auth(self._credentials.get_frozen_credentials(), "s3", self.region).add_auth(request)
        try:
            answer = self._sender.send(request.prepare())
        except (ConnectionClosedError, HTTPClientError):
            if is_last:
                raise
            return 0, b""
        return answer.status_code, answer.content

    def _prepare(self) -> None:
        if self._sender is None:
            client = self.connection.client("s3", self.region)
            self._credentials = self.connection.credentials()
            signed = client.generate_presigned_url("list_objects_v2", Params={"Bucket": self.bucket})
            parts = urlsplit(signed)
            self._url = f"{parts.scheme}://{parts.netloc}{parts.path or '/'}"
            # botocore has no public name for it; a session of our own would not know the client's proxies and CA bundle
            self._sender = client._endpoint.http_session


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
