"""What training jobs print, from CloudWatch Logs: one stream per instance, merged by the time of each line.

Lines are read page by page while they are consumed, so that a log of any length needs the memory of one page per
instance. Source: CloudWatch Logs API Reference, GetLogEvents: a page may be empty though more follow; the end is
where the service gives back the token that it got.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from headrace.aws.connection import Connection, calls_aws, client_error, code_of
from headrace.job_description import LogLine

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_LARGEST_PAGE_LINES = 10_000


@dataclass(frozen=True, slots=True)
class JobLogs:
    """The log streams of a job.

    ``seen`` (stream -> token) remembers how far a reader has come, and is updated. ``instance``: only its lines, such
    as ``algo-1``. ``since``: only lines from then on.
    """

    connection: Connection

    def lines(
        self, name: str, seen: dict[str, str], *, instance: str | None = None, since: datetime | None = None
    ) -> Iterator[LogLine]:
        """Log lines of the job since the last call, in the order of their times. Raises AwsError."""
        streams = [self._new_lines(each, seen, since) for each in self._streams(name, instance)]
        return heapq.merge(*streams, key=_written)

    def last_lines(
        self,
        name: str,
        seen: dict[str, str],
        most: int,
        *,
        instance: str | None = None,
        since: datetime | None = None,
    ) -> list[LogLine]:
        """The last ``most`` lines of the job; what comes later is for :meth:`lines`. Raises AwsError."""
        streams = [self._last_of_stream(each, seen, most, since) for each in self._streams(name, instance)]
        return list(heapq.merge(*streams, key=_written))[-most:]

    @calls_aws
    def _streams(self, name: str, instance: str | None) -> list[str]:
        prefix = f"{name}/" if instance is None else f"{name}/{instance}-"
        paginator = self.connection.client("logs").get_paginator("describe_log_streams")
        pages = paginator.paginate(logGroupName=LOG_GROUP, logStreamNamePrefix=prefix)
        try:
            return [each["logStreamName"] for page in pages for each in page["logStreams"]]
        except client_error() as error:
            if code_of(error) == "ResourceNotFoundException":
                return []  # the first job of an account makes the group
            raise

    def _new_lines(self, stream: str, seen: dict[str, str], since: datetime | None) -> Iterator[LogLine]:
        while True:
            before = seen.get(stream)
            page = self._page(stream, before, since, startFromHead=True)
            seen[stream] = page["nextForwardToken"]
            yield from _lines_of(stream, page)
            if page["nextForwardToken"] == before:
                return

    def _last_of_stream(self, stream: str, seen: dict[str, str], most: int, since: datetime | None) -> list[LogLine]:
        lines: list[LogLine] = []
        before: str | None = None
        while len(lines) < most:
            limit = min(most - len(lines), _LARGEST_PAGE_LINES)
            page = self._page(stream, before, since, startFromHead=False, limit=limit)
            if page["events"]:
                seen.setdefault(stream, page["nextForwardToken"])
            lines[:0] = _lines_of(stream, page)
            if page["nextBackwardToken"] == before:
                break
            before = page["nextBackwardToken"]
        return lines

    @calls_aws
    def _page(self, stream: str, token: str | None, since: datetime | None, **options: Any) -> Any:
        if token is not None:
            options["nextToken"] = token
        if since is not None:
            options["startTime"] = max(0, round(since.timestamp() * 1000))
        return self.connection.client("logs").get_log_events(logGroupName=LOG_GROUP, logStreamName=stream, **options)


def _lines_of(stream: str, page: Any) -> Iterator[LogLine]:
    for event in page["events"]:
        written = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        yield LogLine(stream=stream, written=written, text=event["message"])


def _written(line: LogLine) -> datetime:
    return line.written
