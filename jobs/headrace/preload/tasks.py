"""Data repository tasks as a preload and a release need them: waiting for one, and which import to compare with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from headrace.aws import Aws
from headrace.aws.connection import AccessDenied
from headrace.aws.data_repository_tasks import IMPORT_METADATA, DataRepositoryTask
from headrace.platform import LustreLink

_FIRST_POLL_SECONDS: Final = 1.0
_SLOWEST_POLL_SECONDS: Final = 15.0
_POLL_GROWTH: Final = 1.5


def imports_of(aws: Aws, file_system_id: str) -> list[DataRepositoryTask] | None:
    """The tasks that import metadata; None where these credentials may not look."""
    try:
        tasks = aws.data_repository_tasks.of_file_system(file_system_id)
    except AccessDenied:
        return None
    return [each for each in tasks if each.task_type == IMPORT_METADATA]


def until_over(
    aws: Aws, task: DataRepositoryTask, sleep: Callable[[float], None] = time.sleep
) -> Iterator[DataRepositoryTask]:
    """The task as it stands, again and again, until it has ended; the last is over. Blocks between them."""
    pause_seconds = _FIRST_POLL_SECONDS
    yield task
    while not task.is_over:
        sleep(pause_seconds)
        pause_seconds = min(pause_seconds * _POLL_GROWTH, _SLOWEST_POLL_SECONDS)
        task = aws.data_repository_tasks.describe(task.task_id)
        yield task


def import_to_compare(
    imports: Iterable[DataRepositoryTask], read: Sequence[LustreLink], links: Sequence[LustreLink], newest: datetime
) -> DataRepositoryTask | None:
    """The task whose count of files must be what is loaded of the links that were ``read`` as a whole.

    One task counts what it has imported, and a further one perhaps only what was new by then: so there is none to
    compare with unless a single task has touched these links, has imported just these, and is younger than every
    object. ``links``: all of the file system; ``newest``: when an object was written last.
    """
    wanted = {_uri(each) for each in read}
    touching = [each for each in imports if _touches(each, wanted)]
    if len(touching) != 1:
        return None
    (task,) = touching
    imported = {path.rstrip("/") for path in task.paths} or {_uri(each) for each in links}
    is_whole = imported == wanted and task.lifecycle == "SUCCEEDED"
    return task if is_whole and task.created >= newest else None


def _touches(task: DataRepositoryTask, uris: Iterable[str]) -> bool:
    paths = [f"{path.rstrip('/')}/" for path in task.paths]
    return not paths or any(path.startswith(f"{uri}/") or f"{uri}/".startswith(path) for path in paths for uri in uris)


def _uri(link: LustreLink) -> str:
    return f"s3://{link.bucket}/{link.prefix}".rstrip("/")
