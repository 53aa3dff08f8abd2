"""Publishes events of the account's own services, in the order in which they happen and in nobody's way."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from headrace_local.moto_extension.clients import client


@cache
def _messenger() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="events")


def publish(*, region: str, source: str, detail_type: str, resources: Sequence[str], detail: Mapping[str, Any]) -> None:
    """Put an event on the default bus, soon."""
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Resources": list(resources),
        "Detail": json.dumps(detail),
    }
    _messenger().submit(_put, region, entry)


def _put(region: str, entry: Mapping[str, Any]) -> None:
    try:
        client("events", region).put_events(Entries=[entry])
    except Exception as error:
        print(f"an event was lost: {entry['DetailType']}: {error}", file=sys.stderr)  # noqa: T201 - the server's log
