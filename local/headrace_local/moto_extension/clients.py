"""boto3 clients of the server's own endpoint: how the extension does what CloudFormation and SageMaker do, call AWS."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

_making = Lock()  # boto3's default session may not make two clients at once


@cache
def _make(service: str, region: str, is_checked: bool) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(retries={"max_attempts": 1}, max_pool_connections=20, parameter_validation=is_checked)
    return boto3.client(service, region_name=region, config=config)


def client(service: str, region: str, *, is_checked: bool = True) -> Any:
    """A client, made once for each service and Region. The process's environment leads it to its own endpoint.

    One that is not checked sends what it is given, for the service to refuse.
    """
    with _making:
        return _make(service, region, is_checked)
