"""Amazon FSx as the machines meet it: file systems and their tags; links and tasks are in `data_repositories`.

Written after the Amazon FSx API Reference and the Lustre User Guide. What becomes of each thing that is created is
decided by the faults of the schedule (`FsxFaults`), never by the caller.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.clock import Clock, timestamp
from tests.simulation.data_repositories import ACCOUNT, REGION, DataRepositories, paged
from tests.simulation.faults import FsxFaults, Outcome
from tests.simulation.state_errors import StateError

DELETABLE = {"AVAILABLE", "FAILED", "MISCONFIGURED", "MISCONFIGURED_UNAVAILABLE"}


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


class SimulatedFsx(DataRepositories):
    def __init__(self, clock: Clock, chance: random.Random, faults: FsxFaults) -> None:
        super().__init__(clock, chance, faults)
        self.file_systems: dict[str, FileSystem] = {}
        self._tokens: dict[str, str] = {}
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
        page, more = paged(found, arguments)
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
        if self.is_busy(each.id):
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
        self.forget(each.id)

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
