"""Amazon FSx as the machines meet it: file systems, links to S3, data repository tasks, tags.

Written after the Amazon FSx API Reference and the Lustre User Guide. What becomes of each thing that is created is
decided by the faults of the schedule (`FsxFaults`), never by the caller.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.clock import Clock, timestamp
from tests.simulation.faults import FsxFaults, Outcome
from tests.simulation.state_errors import StateError

ACCOUNT, REGION = "123456789012", "us-east-1"
LARGEST_PAGE = 100
DELETABLE = {"AVAILABLE", "FAILED", "MISCONFIGURED", "MISCONFIGURED_UNAVAILABLE"}
OPEN_TASKS = {"PENDING", "EXECUTING", "CANCELING"}


@dataclass
class FileSystem:
    id: str
    serial: int
    created: float
    tags: dict[str, str]
    capacity_gib: int
    subnet: str
    creator: str | None  # ARN of the execution that called; None: made by somebody else
    lifecycle: str = "CREATING"
    token: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    mount_name: str = ""
    deployment: str = "SCRATCH_2"
    available: float | None = None
    deleting: float | None = None
    gone: float | None = None
    refusals: int = 0  # how often a delete has been refused
    falls_back: int = 0  # how often a delete still turns out to have failed
    there_since: float = 0.0  # in this world, whatever its creation time says
    connections: int = 0  # clients that somebody outside SageMaker has mounted it with

    @property
    def arn(self) -> str:
        return f"arn:aws:fsx:{REGION}:{ACCOUNT}:file-system/{self.id}"

    @property
    def exists(self) -> bool:
        return self.gone is None


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


class SimulatedFsx:
    def __init__(self, clock: Clock, chance: random.Random, faults: FsxFaults) -> None:
        self._clock = clock
        self._chance = chance
        self._faults = faults
        self.file_systems: dict[str, FileSystem] = {}
        self.links: dict[str, Link] = {}
        self.tasks: dict[str, Task] = {}
        self._tokens: dict[str, str] = {}
        self._task_tokens: dict[str, str] = {}
        self.on_deletion: Callable[[FileSystem, str | None], None] = lambda *_: None
        self.on_tagged: Callable[[FileSystem, Mapping[str, str]], None] = lambda *_: None
        self.on_available: Callable[[FileSystem], None] = lambda _: None

    # -- file systems

    def create_file_system(self, arguments: Mapping[str, Any], caller: str | None) -> dict[str, Any]:
        token = arguments.get("ClientRequestToken")
        known = self.file_systems.get(self._tokens.get(token, "")) if token else None
        if known is not None and known.exists:
            if known.request != arguments:
                raise StateError("FSx.IncompatibleParameterErrorException", f"token {token} was used otherwise")
            return {"FileSystem": self._described(known)}
        if self._faults.service_limit:
            raise StateError("FSx.ServiceLimitExceededException", "The account has 100 scratch file systems.")
        made = self.add(
            tags={each["Key"]: each["Value"] for each in arguments.get("Tags", [])},
            capacity_gib=arguments["StorageCapacity"],
            subnet=arguments["SubnetIds"][0],
            creator=caller,
            lifecycle="CREATING",
        )
        made.request, made.token = dict(arguments), token
        if token:
            self._tokens[token] = made.id
        made.falls_back = self._faults.deletes_that_fail
        outcome = self._faults.creation
        self._clock.call_later(self._faults.creation_seconds(self._chance), lambda: self._created(made, outcome))
        return {"FileSystem": self._described(made)}

    def add(
        self,
        *,
        tags: Mapping[str, str],
        capacity_gib: int = 1200,
        subnet: str = "subnet-00000000000000009",
        creator: str | None = None,
        lifecycle: str = "AVAILABLE",
        created: float | None = None,
    ) -> FileSystem:
        """A file system that is there, whoever made it."""
        identity = f"fs-{self._chance.getrandbits(68):017x}"
        made = FileSystem(
            identity,
            len(self.file_systems),
            self._clock.now if created is None else created,
            dict(tags),
            capacity_gib,
            subnet,
            creator,
        )
        made.lifecycle, made.there_since = lifecycle, self._clock.now
        made.mount_name = "".join(self._chance.choices("abcdefghijklmnopqrstuvwxyz234567", k=8))
        self.file_systems[identity] = made
        return made

    def _created(self, made: FileSystem, outcome: Outcome) -> None:
        if made.exists and made.lifecycle == "CREATING":
            made.lifecycle = outcome.value
            if outcome is Outcome.AVAILABLE:
                made.available = self._clock.now
                self.on_available(made)

    def describe_file_systems(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if "FileSystemIds" in arguments:
            found = [self._existing(identity) for identity in arguments["FileSystemIds"]]
        else:
            found = [each for each in self.file_systems.values() if each.exists]
        page, more = _page(found, arguments)
        return {"FileSystems": [self._described(each) for each in page], **more}

    def _existing(self, identity: str) -> FileSystem:
        found = self.file_systems.get(identity)
        if found is None or not found.exists:
            raise StateError("FSx.FileSystemNotFoundException", f"File system '{identity}' does not exist.")
        return found

    def _described(self, each: FileSystem) -> dict[str, Any]:
        described: dict[str, Any] = {
            "OwnerId": ACCOUNT,
            "CreationTime": timestamp(each.created + self._faults.skew_seconds),
            "FileSystemId": each.id,
            "FileSystemType": "LUSTRE",
            "FileSystemTypeVersion": "2.15",
            "Lifecycle": each.lifecycle,
            "StorageCapacity": each.capacity_gib,
            "StorageType": "SSD",
            "VpcId": "vpc-00000000000000001",
            "SubnetIds": [each.subnet],
            "NetworkInterfaceIds": [f"eni-{each.id[3:]}", f"eni-1{each.id[4:]}"],
            "DnsName": f"{each.id}.fsx.{REGION}.amazonaws.com",
            "ResourceARN": each.arn,
            "Tags": [{"Key": key, "Value": value} for key, value in each.tags.items()],
            "LustreConfiguration": {
                "WeeklyMaintenanceStartTime": "1:02:30",
                "DeploymentType": each.deployment,
                "MountName": each.mount_name,
                "DataCompressionType": "NONE",
                "CopyTagsToBackups": False,
            },
        }
        if each.lifecycle == "FAILED":
            described["FailureDetails"] = {"Message": "Amazon FSx failed to create the file system: no capacity."}
        return described

    def delete_file_system(self, arguments: Mapping[str, Any], caller: str | None) -> dict[str, Any]:
        each = self._existing(arguments["FileSystemId"])
        if each.lifecycle == "DELETING":
            if self._faults.deleting_is_refused:
                raise StateError("FSx.BadRequestException", "File system is being deleted.")
            return {"FileSystemId": each.id, "Lifecycle": "DELETING"}
        if each.lifecycle not in DELETABLE:
            raise StateError("FSx.BadRequestException", f"File system is in the {each.lifecycle} state.")
        if any(task.file_system == each.id and task.lifecycle in OPEN_TASKS for task in self.tasks.values()):
            raise StateError("FSx.BadRequestException", "A data repository task is running on the file system.")
        if each.refusals < self._faults.deletes_refused:
            each.refusals += 1
            raise StateError("FSx.BadRequestException", "File system has an operation in progress.")
        before, each.lifecycle, each.deleting = each.lifecycle, "DELETING", self._clock.now
        self.on_deletion(each, caller)
        self._clock.call_later(self._faults.deletion_seconds(self._chance), lambda: self._deleted(each, before))
        return {"FileSystemId": each.id, "Lifecycle": "DELETING"}

    def _deleted(self, each: FileSystem, before: str) -> None:
        if each.falls_back > 0:
            each.falls_back -= 1
            each.lifecycle, each.deleting = before, None
            return
        each.gone, each.lifecycle = self._clock.now, "GONE"
        for link in self.links.values():
            if link.file_system == each.id:
                link.lifecycle = "DELETED"

    # -- links

    def create_data_repository_association(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        owner = self._existing(arguments["FileSystemId"])
        path, repository = arguments.get("FileSystemPath", "/"), arguments["DataRepositoryPath"]
        links = self._links_of(owner.id)
        token = arguments.get("ClientRequestToken", "")
        known = self.links.get(self._tokens.get(f"{owner.id}/{token}", "")) if token else None
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
            self._tokens[f"{owner.id}/{token}"] = made.id
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
        page, more = _page(found, arguments)
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
        if any(each.file_system == owner.id and each.lifecycle in OPEN_TASKS for each in self.tasks.values()):
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
        page, more = _page(found, arguments)
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

    # -- tags

    def tag_resource(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        each = self._tagged(arguments["ResourceARN"])
        tags = {tag["Key"]: tag["Value"] for tag in arguments["Tags"]}
        each.tags.update(tags)
        self.on_tagged(each, tags)
        return {}

    def untag_resource(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        each = self._tagged(arguments["ResourceARN"])
        for key in arguments["TagKeys"]:
            each.tags.pop(key, None)
        return {}

    def _tagged(self, arn: str) -> FileSystem:
        for each in self.file_systems.values():
            if each.arn == arn and each.exists:
                return each
        raise StateError("FSx.ResourceNotFoundException", f"{arn} does not exist.")


def _move(task: Task, before: str, after: str) -> None:
    if task.lifecycle == before:
        task.lifecycle = after


def _overlap(one: str, other: str) -> bool:
    longer, shorter = sorted((one.rstrip("/") + "/", other.rstrip("/") + "/"), key=len, reverse=True)
    return longer.startswith(shorter)


def _page(found: list[Any], arguments: Mapping[str, Any]) -> tuple[list[Any], dict[str, str]]:
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
