"""A flow as records, and everything that it asks of AWS answered from lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.aws.file_systems import LustreListing
from headrace.aws.objects import StoredObject
from headrace.errors import InvalidInput
from headrace.execution_history import Execution, HistoryEvent, execution_arn
from headrace.job_description import JobDescription, LogLine, description_of
from headrace.platform import EphemeralPart, LustreLink

from tests.test_training import PLATFORM

DATA = LustreLink(name="data", path="/data", bucket="lake", prefix="data/")
MACHINE = "arn:aws:states:eu-west-1:111111111111:stateMachine:headrace-dev-"
PART = EphemeralPart(
    platform="dev",
    machine_arn=f"{MACHINE}ephemeral",
    teardown_machine_arn=f"{MACHINE}teardown",
    reaper_machine_arn=f"{MACHINE}reaper",
    links=(DATA,),
    max_file_systems=4,
    max_gib=9600,
    max_hours=48,
)
EPHEMERAL_PLATFORM = replace(PLATFORM, ephemeral=PART)

START = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "dev-digits"


def events(*happened: str | tuple[str, dict[str, Any]]) -> list[HistoryEvent]:
    """A state that is entered, or ``call`` that is scheduled (``?call``) or has succeeded, one a minute."""
    made = []
    for number, each in enumerate(happened, start=1):
        name, members = (each, {}) if isinstance(each, str) else each
        at = START + timedelta(minutes=number - 1)
        if name.startswith("?"):
            made.append(HistoryEvent(event_id=number, kind="TaskScheduled", at=at, call=name[1:], given=members))
        elif members:
            made.append(HistoryEvent(event_id=number, kind="TaskSucceeded", at=at, call=name, answer=members))
        else:
            made.append(HistoryEvent(event_id=number, kind="StateEntered", at=at, state=name))
    return made


def asked_for(name: str) -> tuple[str, dict[str, Any]]:
    """A job whose creation is scheduled."""
    return "?createTrainingJob", {"TrainingJobName": name}


MADE = ("createTrainingJob", {"TrainingJobArn": "arn"})
IMPORTED = ("describeDataRepositoryTasks", {"DataRepositoryTasks": [{"Status": {"SucceededCount": 7}}]})
CREATED = ("createFileSystem", {"FileSystem": {"FileSystemId": "fs-1"}})
COURSE = events(
    "Begin",
    "CountLive",
    "CreateFileSystem",
    CREATED,
    "WaitForFileSystem",
    "CreateLink",
    "CreateLink",
    "StartImport",
    IMPORTED,
    asked_for(f"{NAME}-preload"),
    MADE,
    "DescribeJob",
    asked_for(NAME),
    MADE,
    "WaitForCapacity",
    asked_for(f"{NAME}-2"),
    MADE,
    "StartTeardown",
)


ARN = execution_arn(PART.machine_arn, NAME)


INPUT = {"Lustre": {"StorageCapacity": 1200, "LifetimeSeconds": 7200}}


def execution(status: str = "RUNNING", **members: Any) -> Execution:
    """The flow's execution."""
    ended = None if status == "RUNNING" else START + timedelta(hours=1)
    plain: dict[str, Any] = {"arn": ARN, "name": NAME, "machine_arn": PART.machine_arn, "input": INPUT}
    return Execution(**(plain | {"status": status, "started": START, "ended": ended} | members))


def a_lustre(owner: str = ARN, **members: Any) -> LustreListing:
    """A file system of the flow."""
    tags = {"headrace:platform": "dev", "headrace:owner": owner, "headrace:expires": "2026-01-01T02:00:00.000Z"}
    plain: dict[str, Any] = {"file_system_id": "fs-1", "lifecycle": "AVAILABLE", "created": START, "tags": tags}
    return LustreListing(**(plain | {"storage_capacity_gib": 1200, "mount_name": "abcd1234"} | members))


def a_job(name: str, status: str = "Completed", channel_on: str = "fs-1") -> JobDescription:
    """A job on a file system."""
    source = {"FileSystemId": channel_on, "FileSystemType": "FSxLustre", "DirectoryPath": "/abcd1234/data"}
    return description_of(
        {
            "TrainingJobName": name,
            "TrainingJobArn": f"arn:{name}",
            "TrainingJobStatus": status,
            "SecondaryStatus": status,
            "CreationTime": START,
            "LastModifiedTime": START,
            "ResourceConfig": {"InstanceCount": 1},
            "AlgorithmSpecification": {"TrainingInputMode": "File"},
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"FileSystemDataSource": source}}],
        }
    )


def a_teardown(number: int, status: str, owner: str = ARN, minutes: int = 61) -> Execution:
    """An execution of the teardown machine."""
    arn = execution_arn(PART.teardown_machine_arn, f"t-{number}")
    at = START + timedelta(minutes=minutes)
    return Execution(
        arn=arn,
        name=f"t-{number}",
        machine_arn=PART.teardown_machine_arn,
        status=status,
        started=at,
        ended=None if status == "RUNNING" else at,
        input={"Owner": owner},
        error="Teardown.NotDeleted" if status == "FAILED" else None,
    )


class FakeAws:
    """Everything that flows ask, answered from lists. ``steps``: how the flow's execution stands, look after look."""

    region = "us-east-1"
    connection = None

    def __init__(self, *steps: Execution, history: Sequence[HistoryEvent] = ()) -> None:
        self.steps = list(steps) or [execution()]
        self.history = list(history)
        self.deeds: list[tuple[Any, ...]] = []
        self.others: dict[str, Execution] = {}
        self.lists: list[list[LustreListing]] = [[]]
        self.job_tags: dict[str, str] = {}
        self.jobs: dict[str, JobDescription] = {}
        self.start_error: BaseException | None = None
        self.images: set[str] | None = None
        self.executions = self.training_jobs = self.job_logs = self.s3 = self.file_systems = self.account = self

    # executions
    def describe(self, name: str) -> Any:
        if not name.startswith("arn:aws:states"):
            if name not in self.jobs:
                raise InvalidInput(f"no training job {name!r}")
            return self.jobs[name]
        if name in self.others:
            return self.others[name]
        if name != ARN:
            return None
        return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]

    def events_after(self, _arn: str, event_id: int = 0) -> list[HistoryEvent]:
        return [each for each in self.history if each.event_id > event_id]

    def start(self, machine_arn: str, name: str, given: Mapping[str, Any]) -> str:
        if self.start_error is not None:
            raise self.start_error
        arn = execution_arn(machine_arn, name)
        self.deeds.append(("start", machine_arn.rpartition("-")[2], given.get("Owner", "job")))
        if machine_arn != PART.machine_arn:
            self.others[arn] = execution("SUCCEEDED", arn=arn, name=name, input=given, machine_arn=machine_arn)
        return arn

    def stop(self, _arn: str, error: str, _cause: str) -> None:
        self.deeds.append(("stop", error))
        self.steps = [execution("ABORTED", error=error)]

    def running(self, machine_arn: str) -> list[str]:
        return [arn for arn in self.newest(machine_arn) if not self.others[arn].is_over]

    def newest(self, machine_arn: str, _most: int = 100) -> list[str]:
        return [arn for arn, each in self.others.items() if each.machine_arn == machine_arn][::-1]

    # file systems
    def lustres(self, tags: Mapping[str, str], file_system_id: str | None = None) -> list[LustreListing]:
        found = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        return [
            each
            for each in found
            if file_system_id in (None, each.file_system_id)
            and all(key in each.tags and value in ("", each.tags[key]) for key, value in tags.items())
        ]

    def client_connections(self, _file_system_id: str, _now: datetime, _minutes: int) -> float:
        return 0.0

    # jobs
    def exists(self, name: str) -> bool:
        return name in self.jobs

    def names_in_use(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(each for each in names if each in self.jobs)

    def active_names(self, _since: datetime | None = None) -> tuple[str, ...]:
        return tuple(each.name for each in self.jobs.values() if not each.is_over)

    def tags(self, _arn: str) -> dict[str, str]:
        return self.job_tags

    def lines(self, _name: str, _seen: dict[str, str]) -> list[LogLine]:
        return []

    # s3 and the account
    def create_object(self, _bucket: str, key: str, _body: bytes) -> bool:
        self.deeds.append(("put", key))
        return True

    def delete_object(self, _bucket: str, key: str) -> None:
        self.deeds.append(("delete", key))

    def image_exists(self, image: str) -> bool:
        return self.images is None or any(image.endswith(f"/{each}") for each in self.images)

    def number(self) -> str:
        return "111111111111"

    def parameters_below(self, _path: str) -> dict[str, str]:
        return {"/headrace/dev/foundation": "{}"}


def store_of(objects: int, size_bytes: int = 1) -> type:
    """In place of :class:`headrace.aws.objects.Objects`: as many objects below any prefix."""

    class Store:
        def __init__(self, _connection: object) -> None: ...

        def bucket_region(self, _bucket: str) -> str:
            return "eu-west-1"

        def list_objects(self, _bucket: str, prefix: str, _region: str) -> Any:
            keys = (f"{prefix}{number:09d}" for number in range(objects))
            return (StoredObject(key=key, size_bytes=size_bytes, modified=START) for key in keys)

    return Store
