"""boto3 clients of the server's own endpoint: how the extension does what CloudFormation and SageMaker do, call AWS."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

_making = Lock()  # boto3's default session may not make two clients at once


@cache
def _make(service: str, region: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(retries={"max_attempts": 1}, max_pool_connections=20)
    return boto3.client(service, region_name=region, config=config)


def client(service: str, region: str) -> Any:
    """A client, made once for each service and Region. The process's environment leads it to its own endpoint."""
    with _making:
        return _make(service, region)
