"""The way to AWS: one session, clients made when they are first needed, and errors of one line.

boto3 is imported with the first connection, since it takes half a second.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from headrace.errors import HeadraceError, InvalidInput

MAX_CONNECTIONS = 32
# EC2 has a code of its own; a HEAD has no body, and so no code but its status
_DENIALS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})
_DENIED_ACTION = re.compile(r"perform: (?P<action>[a-z0-9-]+:[A-Za-z0-9]+)")
_ACTIONS = {"HeadBucket": "s3:ListBucket", "ListObjectsV2": "s3:ListBucket", "HeadObject": "s3:GetObject"}


class AwsError(HeadraceError):
    """A call to AWS failed for a reason that is not the user's input: rights, network, throttling."""


class AccessDenied(AwsError):
    """AWS refuses an answer for want of a permission. ``action`` is what must be allowed, such as ``iam:GetRole``."""

    def __init__(self, message: str, action: str) -> None:
        """``message``: one line for a person."""
        self.action = action
        super().__init__(message)


Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn botocore's exceptions into AwsError of one line that a person can act on."""
    from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

    try:
        yield
    except NoCredentialsError:
        raise AwsError("no AWS credentials; log in (aws sso login), or set AWS_PROFILE") from None
    except EndpointConnectionError as error:
        raise AwsError(f"{error}; check the network, AWS_ENDPOINT_URL and the Region") from None
    except ClientError as error:
        code, message = code_of(error), message_of(error)
        line = f"{error.operation_name}: {code}: {message}"
        if code in _DENIALS:
            raise AccessDenied(f"{line}; ask for the platform's user policy", _action_of(error)) from None
        raise AwsError(line) from None
    except BotoCoreError as error:
        raise AwsError(" ".join(str(error).split())) from None


def calls_aws(method: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """For methods that call AWS: their errors become AwsError."""

    @wraps(method)
    def wrapped(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        with one_line_errors():
            return method(*args, **kwargs)

    return wrapped


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Credentials as they are now; ``token``: of those that are valid for a while. Its text does not show secrets."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)


class Connection:
    """A session in one Region. Clients are shared by threads, as boto3 allows; making one is not, hence the lock."""

    def __init__(self, region: str | None = None, credentials: Credentials | None = None) -> None:
        """``region``: default is AWS_REGION, AWS_DEFAULT_REGION or the profile's. Raises InvalidInput without any.

        ``credentials``: those of another process, which renews them by :meth:`renew`; none are looked for here.
        """
        import boto3

        self._given = credentials
        keys = {} if credentials is None else _session_keys(credentials)
        with one_line_errors():
            # boto3 itself reads AWS_DEFAULT_REGION only; the CLI and the other SDKs read AWS_REGION first
            self._session = boto3.Session(region_name=region or os.environ.get("AWS_REGION") or None, **keys)
        if not self._session.region_name:
            raise InvalidInput("no AWS Region; set AWS_REGION, or give --region")
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = threading.Lock()

    @property
    def region(self) -> str:
        """The Region in which calls are made, such as ``us-east-1``."""
        return str(self._session.region_name)

    @calls_aws
    def credentials(self) -> Credentials:
        """The credentials, renewed where their time is up; for requests that are signed without a client."""
        from botocore.exceptions import NoCredentialsError

        if self._given is not None:
            return self._given
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        frozen = credentials.get_frozen_credentials()
        return Credentials(
            access_key=str(frozen.access_key),
            secret_key=str(frozen.secret_key),
            token=frozen.token and str(frozen.token),
        )

    def renew(self, credentials: Credentials) -> None:
        """Sign with these from now on."""
        self._given = credentials

    def client(self, service: str, region: str | None = None) -> Any:
        """The boto3 client of a service, here or in another Region. Raises InvalidInput for a wrong endpoint."""
        from botocore.config import Config

        key = (service, region or self.region)
        with self._making:
            if key not in self._clients:
                config = Config(
                    retries={"mode": "adaptive", "max_attempts": 8},
                    user_agent_extra="headrace",
                    max_pool_connections=MAX_CONNECTIONS,
                )
                try:
                    self._clients[key] = self._session.client(service, region_name=key[1], config=config)
                except ValueError as error:  # AWS_ENDPOINT_URL is no URL
                    raise InvalidInput(f"{error}; correct AWS_ENDPOINT_URL and the Region, or unset them") from None
            return self._clients[key]


def _session_keys(credentials: Credentials) -> dict[str, Any]:
    return {
        "aws_access_key_id": credentials.access_key,
        "aws_secret_access_key": credentials.secret_key,
        "aws_session_token": credentials.token,
    }


def client_error() -> type[Exception]:
    """botocore's ClientError, imported where it is caught."""
    from botocore.exceptions import ClientError

    error: type[Exception] = ClientError
    return error


def code_of(error: Any) -> str:
    """The service's code of a ClientError, such as ``NoSuchBucket``."""
    return str(error.response["Error"]["Code"])


def message_of(error: Any) -> str:
    """The service's message of a ClientError, on one line."""
    return " ".join(str(error.response["Error"].get("Message", "")).split())


def _action_of(error: Any) -> str:
    """The permission that is missing: most messages name it; only EC2 has a code that tells the service."""
    if named := _DENIED_ACTION.search(message_of(error)):
        return named["action"]
    operation = str(error.operation_name)
    return _ACTIONS.get(operation, f"ec2:{operation}" if code_of(error) == "UnauthorizedOperation" else operation)
