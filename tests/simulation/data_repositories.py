"""The links of a Lustre to S3, and the tasks on them. FSx works on one link of a file system at a time, and one task.

Written after the Amazon FSx API Reference, CreateDataRepositoryAssociation and CreateDataRepositoryTask.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.simulation.clock import Clock, timestamp
from tests.simulation.faults import FsxFaults
from tests.simulation.state_errors import StateError

ACCOUNT, REGION = "123456789012", "us-east-1"
LARGEST_PAGE = 100
OPEN_TASKS = {"PENDING", "EXECUTING", "CANCELING"}


class Linkable(Protocol):
    """A file system, as far as links and tasks ask."""

    id: str
    lifecycle: str


@dataclass
class Link:
    id: str
    serial: int
    file_system: str
    path: str
    repository: str
    lifecycle: str = "CREATING"


@dataclass
class Task:
    id: str
    serial: int
    file_system: str
    kind: str
    paths: list[str]
    lifecycle: str = "PENDING"
    succeeded: int = 0
    failed: int = 0


class DataRepositories(ABC):
    def __init__(self, clock: Clock, chance: random.Random, faults: FsxFaults) -> None:
        self._clock = clock
        self._chance = chance
        self._faults = faults
        self.links: dict[str, Link] = {}
        self.tasks: dict[str, Task] = {}
        self._link_tokens: dict[str, str] = {}
        self._task_tokens: dict[str, str] = {}

    @abstractmethod
    def _existing(self, identity: str) -> Linkable:
        """The file system; FSx.FileSystemNotFoundException when there is none."""

    def is_busy(self, file_system: str) -> bool:
        """Whether a task runs on it, or is about to."""
        return any(each.file_system == file_system and each.lifecycle in OPEN_TASKS for each in self.tasks.values())

    def forget(self, file_system: str) -> None:
        """It is gone, and its links with it."""
        for link in self._links_of(file_system):
            link.lifecycle = "DELETED"

    # -- links

    def create_data_repository_association(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        owner = self._existing(arguments["FileSystemId"])
        path, repository = arguments.get("FileSystemPath", "/"), arguments["DataRepositoryPath"]
        links = self._links_of(owner.id)
        token = arguments.get("ClientRequestToken", "")
        known = self.links.get(self._link_tokens.get(f"{owner.id}/{token}", "")) if token else None
        if known is not None:
            if (known.path, known.repository) != (path, repository):
                raise StateError("FSx.IncompatibleParameterErrorException", f"token {token} was used otherwise")
            return {"Association": self._described_link(known)}
        if owner.lifecycle != "AVAILABLE":
            raise StateError("FSx.BadRequestException", f"File system is in the {owner.lifecycle} state.")
        if any(_overlap(each.path, path) for each in links):
            raise StateError("FSx.BadRequestException", f"{path} overlaps the path of another association.")
        made = Link(f"dra-{self._chance.getrandbits(68):017x}", len(self.links), owner.id, path, repository)
        self.links[made.id] = made
        if token:
            self._link_tokens[f"{owner.id}/{token}"] = made.id
        if not any(each.lifecycle == "CREATING" for each in links):
            self._work_on(made)
        return {"Association": self._described_link(made)}

    def _links_of(self, identity: str) -> list[Link]:
        return [each for each in self.links.values() if each.file_system == identity and each.lifecycle != "DELETED"]

    def _work_on(self, link: Link) -> None:
        """FSx works on one link of a file system at a time; the others wait as CREATING."""

        def done() -> None:
            if link.lifecycle == "CREATING":
                index = len(self._links_of(link.file_system)) if self._faults.last_link_only else 1
                first = self._links_of(link.file_system).index(link) + 1 == index
                link.lifecycle = self._faults.link.value if first else "AVAILABLE"
            waiting = [each for each in self._links_of(link.file_system) if each.lifecycle == "CREATING"]
            if waiting:
                self._work_on(waiting[0])

        self._clock.call_later(self._faults.link_seconds(self._chance), done)

    def describe_data_repository_associations(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if "AssociationIds" in arguments:
            found = []
            for identity in arguments["AssociationIds"]:
                link = self.links.get(identity)
                if link is None or link.lifecycle == "DELETED":
                    raise StateError("FSx.DataRepositoryAssociationNotFoundException", f"{identity} does not exist.")
                found.append(link)
        else:
            found = [each for each in self.links.values() if each.lifecycle != "DELETED"]
            found = _filtered(found, arguments, {"file-system-id": lambda each: each.file_system})
        page, more = paged(found, arguments)
        return {"Associations": [self._described_link(each) for each in page], **more}

    def _described_link(self, link: Link) -> dict[str, Any]:
        described: dict[str, Any] = {
            "AssociationId": link.id,
            "ResourceARN": f"arn:aws:fsx:{REGION}:{ACCOUNT}:association/{link.file_system}/{link.id}",
            "FileSystemId": link.file_system,
            "Lifecycle": link.lifecycle,
            "FileSystemPath": link.path,
            "DataRepositoryPath": link.repository,
            "BatchImportMetaDataOnCreate": False,
            "CreationTime": timestamp(self._clock.now + self._faults.skew_seconds),
        }
        if link.lifecycle in ("FAILED", "MISCONFIGURED"):
            described["FailureDetails"] = {"Message": "Amazon FSx is unable to validate access to the S3 bucket."}
        return described

    # -- data repository tasks

    def create_data_repository_task(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        owner = self._existing(arguments["FileSystemId"])
        token = arguments.get("ClientRequestToken", "")
        known = self.tasks.get(self._task_tokens.get(f"{owner.id}/{token}", "")) if token else None
        if known is not None:
            return {"DataRepositoryTask": self._described_task(known)}
        if owner.lifecycle != "AVAILABLE":
            raise StateError("FSx.BadRequestException", f"File system is in the {owner.lifecycle} state.")
        if self.is_busy(owner.id):
            raise StateError("FSx.DataRepositoryTaskExecutingException", "A data repository task is executing.")
        identity = f"task-{self._chance.getrandbits(68):017x}"
        made = Task(identity, len(self.tasks), owner.id, arguments["Type"], list(arguments.get("Paths", [])))
        self.tasks[made.id] = made
        if token:
            self._task_tokens[f"{owner.id}/{token}"] = made.id
        self._clock.call_later(self._chance.uniform(5, 40), lambda: _move(made, "PENDING", "EXECUTING"))
        self._clock.call_later(self._faults.import_seconds(self._chance), lambda: self._task_ends(made))
        return {"DataRepositoryTask": self._described_task(made)}

    def _task_ends(self, task: Task) -> None:
        if task.lifecycle not in ("PENDING", "EXECUTING"):
            return
        task.lifecycle = "FAILED" if self._faults.import_fails else "SUCCEEDED"
        task.succeeded = self._faults.objects - self._faults.objects_that_fail
        task.failed = self._faults.objects_that_fail
        if self._faults.import_fails:
            task.succeeded, task.failed = task.succeeded // 2, max(1, task.failed)

    def describe_data_repository_tasks(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if "TaskIds" in arguments:
            unknown = [identity for identity in arguments["TaskIds"] if identity not in self.tasks]
            if unknown:
                raise StateError("FSx.DataRepositoryTaskNotFoundException", f"{unknown[0]} does not exist.")
            found = [self.tasks[identity] for identity in arguments["TaskIds"]]
        else:
            readers: dict[str, Callable[[Task], str]] = {
                "file-system-id": lambda each: each.file_system,
                "task-lifecycle": lambda each: each.lifecycle,
            }
            found = _filtered(self.tasks.values(), arguments, readers)
        page, more = paged(found, arguments)
        return {"DataRepositoryTasks": [self._described_task(each) for each in page], **more}

    def cancel_data_repository_task(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        task = self.tasks.get(arguments["TaskId"])
        if task is None:
            raise StateError("FSx.DataRepositoryTaskNotFoundException", f"{arguments['TaskId']} does not exist.")
        if task.lifecycle not in OPEN_TASKS:
            raise StateError("FSx.DataRepositoryTaskEndedException", f"The task is {task.lifecycle}.")
        task.lifecycle = "CANCELING"
        self._clock.call_later(self._chance.uniform(5, 90), lambda: _move(task, "CANCELING", "CANCELED"))
        return {"TaskId": task.id, "Lifecycle": "CANCELING"}

    def _described_task(self, task: Task) -> dict[str, Any]:
        described: dict[str, Any] = {
            "TaskId": task.id,
            "Lifecycle": task.lifecycle,
            "Type": task.kind,
            "CreationTime": timestamp(self._clock.now + self._faults.skew_seconds),
            "ResourceARN": f"arn:aws:fsx:{REGION}:{ACCOUNT}:task/{task.id}",
            "FileSystemId": task.file_system,
            "Paths": list(task.paths),
            "Report": {"Enabled": False},
        }
        if task.lifecycle in ("SUCCEEDED", "FAILED", "CANCELED"):
            counts = {"TotalCount": task.succeeded + task.failed, "SucceededCount": task.succeeded}
            described["Status"] = {**counts, "FailedCount": task.failed}
        if task.lifecycle == "FAILED":
            described["FailureDetails"] = {"Message": "The import of metadata failed."}
        return described


def _move(task: Task, before: str, after: str) -> None:
    if task.lifecycle == before:
        task.lifecycle = after


def _overlap(one: str, other: str) -> bool:
    longer, shorter = sorted((one.rstrip("/") + "/", other.rstrip("/") + "/"), key=len, reverse=True)
    return longer.startswith(shorter)


def paged(found: list[Any], arguments: Mapping[str, Any]) -> tuple[list[Any], dict[str, str]]:
    """A page of what was found. The token names the last that was shown: what goes away in between moves nothing."""
    last = int(arguments["NextToken"]) if "NextToken" in arguments else -1
    size = min(arguments.get("MaxResults", LARGEST_PAGE), LARGEST_PAGE)
    left = [each for each in found if each.serial > last]
    more = {"NextToken": str(left[size - 1].serial)} if len(left) > size else {}
    return left[:size], more


def _filtered(
    found: Iterable[Any], arguments: Mapping[str, Any], readers: Mapping[str, Callable[[Any], str]]
) -> list[Any]:
    kept = list(found)
    for each in arguments.get("Filters", []):
        if each["Name"] not in readers:
            raise StateError("FSx.BadRequestException", f"There is no filter {each['Name']}.")
        read = readers[each["Name"]]
        kept = [one for one in kept if read(one) in each["Values"]]
    return kept
