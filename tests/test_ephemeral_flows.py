"""Starting, following, stopping and taking down flows, against a Step Functions made of records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from headrace import ephemeral, launch
from headrace.aws import AwsError
from headrace.aws.file_systems import LustreListing
from headrace.aws.objects import StoredObject
from headrace.ephemeral import flows, in_use, launching, notebook, preparing, reaper, starting, survey, teardown
from headrace.ephemeral.flows import Flow, FlowFailed, PlatformFlow
from headrace.ephemeral.preparing import PreparedFlow, prepare
from headrace.ephemeral.reaping import Action
from headrace.ephemeral.stages import Stage, StageSpan
from headrace.errors import InvalidInput
from headrace.execution_history import Execution, ExecutionStatus, HistoryEvent, execution_arn
from headrace.future_lustre import EphemeralLustre
from headrace.job_description import JobDescription, LogLine, description_of
from headrace.job_file import JobFile
from headrace.platform import Platform
from headrace.rules import RuleViolations, Suppression

from tests.test_ephemeral_input import EPHEMERAL_PLATFORM, PART
from tests.test_ephemeral_stages import COURSE, CREATED, MADE, NAME, _job, events

START = datetime(2026, 1, 1, tzinfo=UTC)
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


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits."""
    for module, name in (
        (flows, "FIRST_POLL_SECONDS"),
        (flows, "_SLOWEST_POLL_SECONDS"),
        (launch, "_LAST_LINES_SECONDS"),
        (reaper, "_PAUSE_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 0)
    monkeypatch.setattr(starting, "PAUSES_SECONDS", (0.0, 0.0, 0.0, 0.0))
    monkeypatch.setattr(launch, "read_platform", lambda _aws, _platform=None: EPHEMERAL_PLATFORM)


def test_a_flow_is_followed_through_its_stages_and_its_jobs() -> None:
    """Stages in their order, each job when it is there, and the flow at the end."""
    aws: Any = FakeAws(execution(), execution(), execution("SUCCEEDED"), history=COURSE)
    aws.jobs = {each: a_job(each) for each in (f"{NAME}-preload", NAME, f"{NAME}-2")}
    told = list(flows.follow(aws, ARN))
    assert [each.stage for each in told if isinstance(each, StageSpan)][-1] is Stage.TEARING_DOWN
    assert [each.name for each in told if isinstance(each, JobDescription)] == list(aws.jobs)
    flow = told[-1]
    assert isinstance(flow, Flow)
    assert flow.job is not None
    assert (flow.name, flow.job.name, flow.lustre) == (NAME, f"{NAME}-2", None)
    assert flow.expires == START + timedelta(hours=2)
    cost = flow.cost("us-east-1", START + timedelta(days=9))
    assert cost is not None
    assert cost.gib_hours == pytest.approx(1200 * 57 / 60)  # made in minute 3, gone in minute 60


def test_the_cost_of_a_file_system_that_is_there_runs_on() -> None:
    """Whatever has become of its flow."""
    flow = Flow(execution=execution("ABORTED"), progress=_progress(), lustre=a_lustre())
    cost = flow.cost("us-east-1", START + timedelta(hours=3))
    assert cost is not None
    assert cost.gib_hours == pytest.approx(1200 * 2.95)
    assert replace(flow, progress=replace(_progress(), billed_from=None)).cost("us-east-1", START) is None


def _progress() -> Any:
    from headrace.ephemeral.stages import Progress

    return Progress(job_name=NAME).after(COURSE[:4])


def test_a_plain_job_is_no_flows_and_costs_no_question() -> None:
    """It reads no Lustre; one that does is asked for its tag."""
    aws: Any = FakeAws()
    on_s3 = replace(a_job("x"), channels=())
    assert flows.find(aws, "x", on_s3) is None
    assert flows.find(aws, "x", a_job("x")) is None
    aws.job_tags = {"headrace:owner": ARN}
    found = flows.find(aws, NAME, a_job(NAME))
    assert found is not None
    assert (found.execution.arn, found.part) == (ARN, PART)


def test_a_flow_without_a_job_is_found_by_its_name() -> None:
    """The record names the machine."""
    aws: Any = FakeAws()
    found = flows.find(aws, NAME, None)
    assert found is not None
    assert found.execution.name == NAME
    assert flows.find(aws, "other", None) is None


@pytest.mark.parametrize("suffix", ["", "-2", "-preload", "-preload-2"])
def test_each_job_of_a_flow_leads_to_it(suffix: str) -> None:
    """By the names that the machine gives them."""
    aws: Any = FakeAws()
    aws.job_tags = {"headrace:owner": ARN, "headrace:platform": "dev"}
    found = flows.find(aws, f"{NAME}{suffix}", a_job(f"{NAME}{suffix}"))
    assert found is not None
    assert found.execution.arn == ARN


@pytest.mark.parametrize(
    ("job_name", "owner"),
    [
        (NAME, ARN.replace("-ephemeral:", "-other:")),
        (NAME, ARN.replace(":111111111111:", ":222222222222:")),
        (NAME, "an apple"),
        ("mine", ARN),
        (f"{NAME}s", ARN),
    ],
)
def test_what_a_jobs_tag_claims_is_not_believed(job_name: str, owner: str) -> None:
    """Only an execution of the platform's machine whose name the job bears; no other is even described."""
    aws: Any = FakeAws()
    aws.others = {owner: execution(arn=owner)}
    aws.job_tags = {"headrace:owner": owner}
    with pytest.raises(InvalidInput, match="headrace:owner of"):
        flows.find(aws, job_name, a_job(job_name))


def test_the_platform_of_a_job_is_the_one_that_it_is_tagged_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever the command names."""
    asked: list[str | None] = []

    def read(_aws: Any, platform: str | None = None) -> Platform:
        asked.append(platform)
        return EPHEMERAL_PLATFORM

    monkeypatch.setattr(launch, "read_platform", read)
    aws: Any = FakeAws()
    aws.job_tags = {"headrace:owner": ARN, "headrace:platform": "birds"}
    assert flows.find(aws, NAME, a_job(NAME), "dev") is not None
    del aws.job_tags["headrace:platform"]
    assert flows.find(aws, NAME, a_job(NAME), "dev") is not None
    assert asked == ["birds", "dev"]


def test_a_file_system_whose_tag_was_taken_away_is_still_there() -> None:
    """Its id is in the history; without an id only the tag tells."""
    aws: Any = FakeAws(history=COURSE[:4])
    aws.lists = [[a_lustre(tags={})]]
    flow = flows.look(aws, execution("FAILED"))
    assert flow.lustre is not None
    assert flow.lustre.file_system_id == "fs-1"
    aws.history = []
    assert flows.look(aws, execution("FAILED")).lustre is None


def test_stopping_is_asked_for_once() -> None:
    """What has ended stays as it is."""
    aws: Any = FakeAws()
    assert teardown.stop(aws, execution())
    assert not teardown.stop(aws, execution("SUCCEEDED"))
    assert aws.deeds == [("stop", "Ephemeral.Stopped")]


def test_a_flow_that_takes_its_file_system_down_is_left_to_it() -> None:
    """Its job may have ended well, and an abort would hide that."""
    running = execution()
    aws: Any = FakeAws(running, running, execution("SUCCEEDED"), history=COURSE)
    assert not teardown.stop(aws, running)
    assert list(teardown.until_gone(aws, PART.teardown_machine_arn, ARN)) == ["the flow takes its file system down"]
    assert aws.deeds == []


def test_what_a_flow_that_failed_has_left_is_taken_down_from_outside() -> None:
    """Its own teardown has failed; EventBridge starts another."""
    aws: Any = FakeAws(execution("FAILED", error="Ephemeral.NotDeleted"))
    aws.lists = [[a_lustre()], [a_lustre(lifecycle="DELETING")], []]
    ended = _teardown(1, "SUCCEEDED")
    aws.others[ended.arn] = ended
    assert list(teardown.until_gone(aws, PART.teardown_machine_arn, ARN)) == [
        "waiting for the teardown; fs-1 is DELETING"
    ]


def test_a_job_that_was_deleted_is_left_out() -> None:
    """The history names it for 90 days."""
    aws: Any = FakeAws(execution("SUCCEEDED"), history=COURSE)
    aws.jobs = {NAME: a_job(NAME)}
    assert [each.name for each in flows.look(aws, execution("SUCCEEDED")).jobs] == [NAME]


def _teardown(number: int, status: str, owner: str = ARN, minutes: int = 61) -> Execution:
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


def _torn_down(aws: Any) -> list[str]:
    return list(teardown.take_down(aws, PART.teardown_machine_arn, ARN))


def test_the_teardown_that_eventbridge_starts_is_awaited() -> None:
    """Others' teardowns, and old ones of ours, are passed over."""
    aws: Any = FakeAws(execution("ABORTED"))
    for each in (
        _teardown(1, "SUCCEEDED", minutes=1),
        _teardown(2, "SUCCEEDED", owner="arn:aws:states:other"),
        _teardown(3, "SUCCEEDED"),
    ):
        aws.others[each.arn] = each
    aws.lists = [[a_lustre(lifecycle="DELETING")], []]
    assert _torn_down(aws) == ["waiting for the teardown; fs-1 is DELETING"]
    assert aws.deeds == []


def test_a_teardown_that_nobody_starts_is_started_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute; it does no harm twice."""
    monkeypatch.setattr(teardown, "_TEARDOWN_SECONDS", -1)
    aws: Any = FakeAws(execution("ABORTED"))
    _torn_down(aws)
    assert aws.deeds == [("start", "teardown", ARN)]


def test_a_teardown_that_failed_is_tried_once_more_and_then_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says where to look."""
    aws: Any = FakeAws(execution("ABORTED"))
    failed = _teardown(1, "FAILED")
    aws.others[failed.arn] = failed
    start = aws.start

    def start_and_fail(machine_arn: str, name: str, given: Mapping[str, Any]) -> str:
        arn = start(machine_arn, name, given)
        aws.others[arn] = replace(aws.others[arn], status="FAILED", error="Teardown.NotDeleted", cause="used by x")
        return str(arn)

    monkeypatch.setattr(aws, "start", start_and_fail)
    with pytest.raises(FlowFailed, match=r"FAILED: Teardown.NotDeleted: used by x; see headrace reap --dry-run"):
        _torn_down(aws)
    assert len(aws.deeds) == 1


def test_the_error_of_a_flow_is_one_line_and_names_what_is_left() -> None:
    """The cause may be of many lines."""
    ended = execution("FAILED", error="Ephemeral.TrainingFailed", cause="a\nb")
    flow = Flow(execution=ended, progress=_progress(), lustre=a_lustre())
    assert str(flows.failure(flow)) == (f"{NAME}: FAILED: Ephemeral.TrainingFailed: a b; file system fs-1 is AVAILABLE")


def test_a_file_system_that_no_teardown_finds_is_told() -> None:
    """It finds them by their tags, which somebody may have taken away."""
    aws: Any = FakeAws(execution("ABORTED"), history=COURSE[:4])
    aws.lists = [[a_lustre(tags={})]]
    ended = _teardown(1, "SUCCEEDED")
    aws.others[ended.arn] = ended
    with pytest.raises(FlowFailed, match="file system fs-1 is AVAILABLE, and was not taken down"):
        list(teardown.until_gone(aws, PART.teardown_machine_arn, ARN))


# --- preparing and starting


@pytest.fixture
def job(tmp_path: Path) -> JobFile:
    """A job with code and a folder of the link."""
    (tmp_path / "train.py").write_text("print(1)")
    return JobFile.model_validate(
        {
            "job_name": "headrace-dev-digits",
            "image": "x:1",
            "instance_type": "ml.m5.large",
            "max_runtime_seconds": 3600,
            "channels": {"train": {"lustre": "data", "path": "digits"}},
            "source_dir": tmp_path,
            "entry_point": "train.py",
        }
    )


Prepare = Callable[..., PreparedFlow]


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> Prepare:
    """Prepares without an account: the pre-flight has nothing to say, and S3 has what it is given."""
    monkeypatch.setattr(preparing.preflight, "check", lambda plan, _aws: list(plan.findings))

    def do(job: JobFile, aws: Any, objects: int = 3, platform: Platform = EPHEMERAL_PLATFORM, **given: Any) -> Any:
        class Store:
            def __init__(self, _connection: object) -> None: ...

            def bucket_region(self, _bucket: str) -> str:
                return "eu-west-1"

            def list_objects(self, _bucket: str, prefix: str, _region: str) -> Any:
                keys = (f"{prefix}{number:09d}" for number in range(objects))
                return (StoredObject(key=key, size_bytes=1 << 30, modified=START) for key in keys)

        monkeypatch.setattr(survey, "Objects", Store)
        return prepare(job, aws, platform, **given)

    return do


def test_a_job_is_prepared_as_the_machine_takes_it(job: JobFile, prepared: Prepare) -> None:
    """Sized by its data, preloaded, with room for its slowest course."""
    flow = prepared(job, FakeAws(), objects=2000)
    lustre = flow.given["Lustre"]
    assert (flow.name, flow.arn.rpartition(":")[2]) == ("headrace-dev-digits", "headrace-dev-digits")
    assert (lustre["StorageCapacity"], lustre["SubnetId"], lustre["ReadySeconds"]) == (2400, "subnet-1", 1804)
    assert lustre["LifetimeSeconds"] == flow.lifetime.seconds
    assert flow.given["Preload"]["FolderMarkers"] == 0
    preload = flow.given["Preload"]["Request"]
    assert preload["TrainingJobName"] == "headrace-dev-digits-preload"
    source = preload["InputDataConfig"][0]["DataSource"]["FileSystemDataSource"]
    assert (source["FileSystemId"], source["DirectoryPath"]) == ("fs-00000000000000000", "/data/digits")
    assert preload["RoleArn"] == flow.given["Training"]["Request"]["RoleArn"]
    assert flow.lifetime.needed_seconds > 1804 + preload["StoppingCondition"]["MaxRuntimeInSeconds"] + 3600


def test_without_a_preload_there_is_none(job: JobFile, prepared: Prepare) -> None:
    """What Python wishes stands before what the file says."""
    flow = prepared(job, FakeAws(), wishes=EphemeralLustre(preload=False, capacity_attempts=1))
    assert (flow.given["Preload"], flow.given["Training"]["CapacityAttempts"]) == (None, 1)


def test_the_preload_has_an_image_and_instances_of_its_own_where_they_are_given(
    job: JobFile, prepared: Prepare
) -> None:
    """The job's image may have no shell, or be large."""
    wanted = {"preload_image": "busybox:1", "preload_instance_type": "ml.c5n.xlarge"}
    file = job.model_copy(update={"ephemeral": job.ephemeral.model_copy(update=wanted)})
    request = prepared(file, FakeAws()).given["Preload"]["Request"]
    assert request["AlgorithmSpecification"]["TrainingImage"].endswith(".amazonaws.com/busybox:1")
    assert request["ResourceConfig"]["InstanceType"] == "ml.c5n.xlarge"
    usual = prepared(job, FakeAws()).given["Preload"]["Request"]
    assert usual["AlgorithmSpecification"]["TrainingImage"].endswith("/x:1")


def test_what_the_preload_is_given_is_looked_at(job: JobFile, prepared: Prepare) -> None:
    """Before a file system is paid for."""
    aws: Any = FakeAws()
    aws.images = {"x:1"}
    wishes = EphemeralLustre(preload_image="busybox:1", preload_instance_type="ml.huge")
    with pytest.raises(RuleViolations) as caught:
        prepared(job, aws, wishes=wishes)
    told = {(each.rule_id, each.field) for each in caught.value.findings}
    assert told == {("V83", "ephemeral.preload_image"), ("V85", "ephemeral.preload_instance_type")}


@pytest.mark.parametrize(("own", "is_refused"), [(47, False), (48, True), (49, True)])
def test_the_machines_tags_have_room_beside_the_jobs(
    job: JobFile, prepared: Prepare, own: int, is_refused: bool
) -> None:
    """headrace:platform is a third, which headrace sets itself."""
    file = job.model_copy(update={"tags": {f"t{number}": "x" for number in range(own)}})
    if not is_refused:
        assert len(prepared(file, FakeAws()).given["Preload"]["Request"]["Tags"]) == 48
        return
    with pytest.raises(RuleViolations, match="V175 ERROR: tags is"):
        prepared(file, FakeAws())


@pytest.mark.parametrize("changes", [{"max_runtime_seconds": 10**400}, {"max_pending_seconds": 10**400}])
def test_numbers_without_end_are_told_and_end_nothing(job: JobFile, prepared: Prepare, changes: Any) -> None:
    """Python's whole numbers have no largest."""
    with pytest.raises(RuleViolations):
        prepared(job.model_copy(update=changes), FakeAws())


@pytest.mark.parametrize("hours", [float("inf"), float("nan"), 1e400, 1e300, 0, -1, True, "4"])
def test_a_lifetime_is_a_number_of_hours(monkeypatch: pytest.MonkeyPatch, hours: Any) -> None:
    """Told in one line, before anything is looked at."""
    for given in ({"lifetime_hours": hours}, {"lifetime_hours": hours, "capacity_attempts": 10**9}):
        with pytest.raises(InvalidInput) as caught:
            EphemeralLustre(**given)
        assert len(caught.value.problems) == len(given)
    with pytest.raises(InvalidInput, match=r"^hours is .*; allowed: hours, more than 0 and up to 168; fix: such as 4$"):
        _hold(monkeypatch, FakeAws())(hours=hours).__enter__()


def test_everything_that_is_wrong_is_told_at_once(job: JobFile, prepared: Prepare) -> None:
    """Of the job, of the data, of the file system and of the cap."""
    broken = job.model_copy(
        update={
            "ephemeral": job.ephemeral.model_copy(update={"storage_capacity_gib": 1300, "lifetime_hours": 99.0}),
            "role_arn": "arn:aws:iam::111111111111:role/own",
        }
    )
    aws: Any = FakeAws()
    aws.jobs = {"headrace-dev-digits-2": a_job("x")}
    with pytest.raises(RuleViolations) as caught:
        prepared(broken, aws, objects=0)
    assert {each.rule_id for each in caught.value.findings} == {"V2", "V48", "V84", "V153", "V156"}


def test_a_full_platform_is_told_before_anything_is_uploaded(job: JobFile, prepared: Prepare) -> None:
    """What is being deleted does not count; the machine counts once more."""
    aws: Any = FakeAws()
    aws.lists = [[a_lustre(file_system_id=f"fs-{number}") for number in range(PART.max_file_systems)]]
    with pytest.raises(RuleViolations, match=r"V176 ERROR: ephemeral file systems is .*fs-0 of dev-digits"):
        prepared(job, aws)
    aws.lists[0][0] = a_lustre(lifecycle="DELETING")
    prepared(job, aws)


@pytest.mark.parametrize("gib", [0, -1200, 1300])
def test_a_capacity_that_there_is_not_is_told_and_ends_nothing(job: JobFile, prepared: Prepare, gib: int) -> None:
    """How long a preload takes cannot be worked out for it; and no suppression helps."""
    broken = job.model_copy(update={"ephemeral": job.ephemeral.model_copy(update={"storage_capacity_gib": gib})})
    with pytest.raises(RuleViolations) as caught:
        prepared(broken, FakeAws(), suppressions=[Suppression("V2", "so what"), Suppression("V26", "so what")])
    assert [each.rule_id for each in caught.value.findings] == ["V2"]


@pytest.mark.parametrize(
    ("channel", "rules"),
    [
        ({"lustre": "dat"}, {"V124"}),
        ({"lustre": "data", "path": "a/../b"}, {"V114"}),
        ({"s3": "s3://lake/data/"}, {"V151"}),
    ],
)
def test_one_mistake_gives_one_error(job: JobFile, prepared: Prepare, channel: Any, rules: set[str]) -> None:
    """A channel that cannot be made has asked for a Lustre; and no role was named that could be left out."""
    channels = {"train": type(job.channels["train"]).model_validate(channel)}
    with pytest.raises(RuleViolations) as caught:
        prepared(job.model_copy(update={"channels": channels}), FakeAws())
    assert {each.rule_id for each in caught.value.findings} == rules


def test_a_platform_without_machines_is_told_before_anything_else(job: JobFile, prepared: Prepare) -> None:
    """Nothing else can be worked out."""
    with pytest.raises(RuleViolations, match="V150"):
        prepared(job, FakeAws(), platform=replace(EPHEMERAL_PLATFORM, ephemeral=None))


def test_where_something_is_wrong_already_only_the_beginning_is_listed(
    job: JobFile, prepared: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing may take half an hour."""
    monkeypatch.setattr(preparing, "_FIRST_OBJECTS", 10)
    counted: list[int] = []
    bad = job.model_copy(update={"job_name": "of-another-platform"})
    with pytest.raises(RuleViolations, match="V59"):
        prepared(bad, FakeAws(), objects=10_000, told=lambda _what, count: counted.append(count))
    assert max(counted) == 10


KEY = "code/headrace-dev-digits/source.tar.gz"


def test_code_is_there_before_the_flow_begins(job: JobFile, prepared: Prepare) -> None:
    """Its job reads it an hour later."""
    aws: Any = FakeAws()
    launching.start(prepared(job, aws), aws)
    assert aws.deeds == [("put", KEY), ("start", "ephemeral", "job")]


def test_a_flow_that_cannot_be_started_leaves_no_code_behind(job: JobFile, prepared: Prepare) -> None:
    """Nothing half-made stays."""
    aws: Any = FakeAws()
    flow = prepared(job, aws)
    aws.start_error = AwsError("no rights")
    with pytest.raises(AwsError, match="no rights"):
        launching.start(flow, aws)
    assert aws.deeds == [("put", KEY), ("delete", KEY)]


@pytest.mark.parametrize("seen_after", [0, 3])
def test_code_of_a_flow_whose_answer_was_lost_stays(
    job: JobFile, prepared: Prepare, monkeypatch: pytest.MonkeyPatch, seen_after: int
) -> None:
    """The execution is there, or is seen a little later, and its job reads its code."""
    aws: Any = FakeAws()
    flow = prepared(job, aws)
    aws.start_error = KeyboardInterrupt()
    _seen_after(aws, monkeypatch, seen_after, execution(arn=flow.arn))
    with pytest.raises(KeyboardInterrupt):
        launching.start(flow, aws)
    assert aws.deeds == [("put", KEY)]


def _seen_after(aws: Any, monkeypatch: pytest.MonkeyPatch, looks: int, there: Execution) -> None:
    """Step Functions describes the execution after so many looks."""
    left = [looks]

    def describe(arn: str) -> Execution | None:
        left[0] -= 1
        return there if arn == there.arn and left[0] < 0 else None

    monkeypatch.setattr(aws, "describe", describe)


def _answers(aws: Any, monkeypatch: pytest.MonkeyPatch, *answers: BaseException | None) -> list[str]:
    """What StartExecution does, call after call; None: it answers. The names that were asked for."""
    remaining, asked = list(answers), list[str]()

    def start(machine_arn: str, name: str, _given: Mapping[str, Any]) -> str:
        asked.append(name)
        answer = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        if answer is not None:
            raise answer
        return execution_arn(machine_arn, name)

    monkeypatch.setattr(aws, "start", start)
    return asked


LOST = AwsError("read timeout")


def test_a_lost_answer_is_asked_for_again(job: JobFile, prepared: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same name with the same input is the same execution."""
    aws: Any = FakeAws()
    flow = prepared(job, aws)
    asked = _answers(aws, monkeypatch, LOST, LOST, None)
    assert launching.start(flow, aws) == flow.arn
    assert asked == [flow.name] * 3
    assert aws.deeds == [("put", KEY)]


@pytest.mark.parametrize(
    ("given", "is_ours"), [({"JobName": "x", "Pair": [1, 2]}, True), ({"JobName": "x", "Pair": [2]}, False)]
)
def test_a_flow_that_has_ended_when_it_is_asked_for_again_is_the_one_that_was_started(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], is_ours: bool
) -> None:
    """Its name is refused then; it is ours when it has our input."""
    aws: Any = FakeAws()
    arn = execution_arn(PART.machine_arn, "x")
    aws.others = {arn: execution("FAILED", arn=arn, input=given)}
    refusal = InvalidInput("StartExecution: ExecutionAlreadyExists: x")
    _answers(aws, monkeypatch, LOST, refusal)
    wanted = {"JobName": "x", "Pair": (1, 2)}
    if is_ours:
        assert starting.start(aws, PART.machine_arn, "x", wanted) == arn
    else:
        with pytest.raises(InvalidInput, match="ExecutionAlreadyExists"):
            starting.start(aws, PART.machine_arn, "x", wanted)


def test_when_no_answer_comes_the_flow_is_looked_for(
    job: JobFile, prepared: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a while, since Step Functions may know it a little later; only then the code is taken back."""
    aws: Any = FakeAws()
    flow = prepared(job, aws)
    _answers(aws, monkeypatch, LOST)
    _seen_after(aws, monkeypatch, 3, execution(arn=flow.arn))
    assert launching.start(flow, aws) == flow.arn
    assert aws.deeds == [("put", KEY)]
    _seen_after(aws, monkeypatch, 99, execution(arn=flow.arn))
    with pytest.raises(AwsError, match="read timeout"):
        launching.start(flow, aws)
    assert aws.deeds == [("put", KEY), ("put", KEY), ("delete", KEY)]


def test_a_flow_that_was_just_started_is_followed_when_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its description may come a little later than its start."""
    aws: Any = FakeAws(history=events("Begin"))
    _seen_after(aws, monkeypatch, 2, execution("SUCCEEDED"))
    assert isinstance(list(flows.follow(aws, ARN))[-1], Flow)
    with pytest.raises(InvalidInput, match="no execution"):
        flows.described(aws, f"{ARN}-other")


def test_a_refusal_is_told_at_once(job: JobFile, prepared: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what was not started."""
    aws: Any = FakeAws()
    flow = prepared(job, aws)
    slept: list[float] = []
    monkeypatch.setattr(starting, "time", SimpleNamespace(sleep=slept.append))
    asked = _answers(aws, monkeypatch, InvalidInput("StartExecution: InvalidName: x"))
    with pytest.raises(InvalidInput, match="InvalidName"):
        launching.start(flow, aws)
    assert (len(asked), sum(slept)) == (1, 0)
    assert aws.deeds == [("put", KEY), ("delete", KEY)]


# --- holding


def _hold(monkeypatch: pytest.MonkeyPatch, aws: FakeAws, objects: int = 3) -> Callable[..., Any]:
    class Store:
        def __init__(self, _connection: object) -> None: ...

        def bucket_region(self, _bucket: str) -> str:
            return "eu-west-1"

        def list_objects(self, _bucket: str, prefix: str, _region: str) -> Any:
            keys = (f"{prefix}{number}" for number in range(objects))
            return (StoredObject(key=key, size_bytes=1, modified=START) for key in keys)

    monkeypatch.setattr(survey, "Objects", Store)
    monkeypatch.setattr(notebook, "Aws", lambda _region: aws)
    # the name has the time in it; here it is the flow's
    monkeypatch.setattr(notebook, "_name", lambda *_given: NAME)
    told: list[str] = []

    def hold(**given: Any) -> Any:
        return ephemeral.lustre(**({"links": {"data": "digits"}, "hours": 2, "told": told.append} | given))

    return hold


HELD = events("Begin", "CreateFileSystem", CREATED, "CreateLink", "StartImport", "Hold")


def test_a_held_file_system_is_a_platform_to_launch_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """And goes at the end of the block."""
    aws = FakeAws(history=HELD)
    aws.lists = [[], [a_lustre()], []]
    ended = _teardown(1, "SUCCEEDED")
    aws.others[ended.arn] = ended
    with _hold(monkeypatch, aws)() as held:
        lustre = held.platform.lustre
        assert lustre is not None
        assert (held.file_system_id, held.mount_name) == (lustre.file_system_id, "abcd1234")
        assert lustre.links == PART.links
        assert held.expires == START + timedelta(hours=2)
        assert aws.deeds == [("start", "ephemeral", "job")]
    assert aws.deeds[1:] == [("stop", "Ephemeral.Stopped")]


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt()])
def test_a_held_file_system_goes_whatever_happens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    """The error that happened is the one that is told; where the end fails as well, that is told beside it."""
    aws = FakeAws(history=HELD)
    aws.lists = [[a_lustre()]]
    hold = _hold(monkeypatch, aws)

    def no_list(*_given: object) -> list[str]:
        raise AwsError("no network")

    monkeypatch.setattr(aws, "newest", no_list)
    with pytest.raises(type(error)) as caught, hold() as held:
        raise error
    assert aws.deeds[-1] == ("stop", "Ephemeral.Stopped")
    line = f"{held.name} goes on: no network; headrace stop {held.name} --platform dev"
    assert capsys.readouterr().err == f"{line}\n"
    assert caught.value.__notes__ == [line]
    assert isinstance(caught.value.__context__, AwsError)


def test_a_hold_that_cannot_be_stopped_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The credentials have expired meanwhile: the file system goes on costing until its hours are over."""
    aws = FakeAws(history=HELD)
    aws.lists = [[a_lustre()]]
    hold = _hold(monkeypatch, aws)

    def expired(*_given: object) -> None:
        raise AwsError("StopExecution: ExpiredTokenException: x")

    monkeypatch.setattr(aws, "stop", expired)
    with pytest.raises(AwsError, match="ExpiredToken"), hold() as held:
        pass
    assert f"headrace stop {held.name} --platform dev" in capsys.readouterr().err


def test_a_second_ctrl_c_breaks_off_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says what goes on."""
    aws = FakeAws(history=HELD)
    aws.lists = [[a_lustre()]]
    hold = _hold(monkeypatch, aws)

    def interrupted(*_given: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(aws, "newest", interrupted)
    with pytest.raises(KeyboardInterrupt), hold() as held:
        raise ValueError("mine")
    assert capsys.readouterr().err.startswith(f"{held.name} goes on: interrupted; ")


def test_the_end_of_a_hold_waits_though_its_execution_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have timed out, or somebody else may have stopped it: that does not say that nothing is left."""
    aws = FakeAws(history=HELD)
    aws.lists = [[a_lustre()]]
    failed = _teardown(1, "FAILED")
    aws.others[failed.arn] = failed
    start = aws.start

    def start_and_fail(machine_arn: str, name: str, given: Mapping[str, Any]) -> str:
        arn = start(machine_arn, name, given)
        if machine_arn == PART.teardown_machine_arn:
            aws.others[arn] = replace(aws.others[arn], status="FAILED", error="Teardown.NotDeleted")
        return arn

    monkeypatch.setattr(aws, "start", start_and_fail)
    with pytest.raises(FlowFailed, match=r"Teardown.NotDeleted.*headrace reap"), _hold(monkeypatch, aws)():
        aws.steps = [execution("TIMED_OUT")]
    assert ("start", "teardown", ARN) in aws.deeds


def test_a_hold_that_is_refused_has_no_end(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was started."""
    aws = FakeAws()
    monkeypatch.setattr(aws, "describe", lambda _arn: None)
    aws.start_error = InvalidInput("StartExecution: StateMachineDoesNotExist: x")
    with pytest.raises(InvalidInput, match="StateMachineDoesNotExist"), _hold(monkeypatch, aws)():
        raise AssertionError("the block is not entered")
    assert (aws.deeds, capsys.readouterr().err) == ([], "")


def test_a_hold_that_fails_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has taken itself down."""
    failed = execution("FAILED", error="Ephemeral.CapReached", cause="4 file systems live")
    aws = FakeAws(failed, history=events("Begin"))
    with pytest.raises(FlowFailed, match=r"Ephemeral.CapReached: 4 file systems live"), _hold(monkeypatch, aws)():
        raise AssertionError("the block is not entered")
    assert aws.deeds == [("start", "ephemeral", "job")]


@pytest.mark.parametrize(
    ("given", "objects", "rules"),
    [
        ({"links": {"nothing": ""}}, 3, {"V124"}),
        ({"hours": 99}, 3, {"V153"}),
        ({"hours": 0.1}, 3, {"V160"}),
        ({"storage_capacity_gib": 1300}, 3, {"V2"}),
        ({"availability_zone_id": "x"}, 3, {"V159"}),
        ({}, 0, {"V48"}),
        ({"links": {"data": ""}, "hours": 99, "storage_capacity_gib": 1}, 0, {"V2", "V48", "V153"}),
    ],
)
def test_what_cannot_be_held_is_refused_before_it_costs_anything(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], objects: int, rules: set[str]
) -> None:
    """With the arguments' names."""
    aws = FakeAws()
    with pytest.raises(RuleViolations) as caught, _hold(monkeypatch, aws, objects)(**given):
        raise AssertionError("the block is not entered")
    assert {each.rule_id for each in caught.value.findings} == rules
    assert not any(each.field.startswith(("ephemeral.", "channels.", "life")) for each in caught.value.findings)
    assert aws.deeds == []


# --- what a platform is used for, and the reaper


def test_a_platform_in_use_is_told_with_everything_that_uses_it() -> None:
    """Ephemeral file systems, flows that have none yet, and jobs on the shared one."""
    aws: Any = FakeAws()
    aws.lists = [[a_lustre()]]
    other = execution_arn(PART.machine_arn, "early")
    aws.others = {arn: execution(arn=arn) for arn in (ARN, other)}
    shared = EPHEMERAL_PLATFORM.lustre
    assert shared is not None
    aws.jobs = {
        "user": a_job("user", "InProgress", shared.file_system_id),
        "other": a_job("other", "InProgress"),
        "over": a_job("over", "Completed", shared.file_system_id),
    }
    assert [str(each) for each in in_use.uses(aws, "dev").found] == [
        f"ephemeral file system fs-1 of {NAME} is AVAILABLE; fix: headrace stop {NAME}, or wait for its end",
        "flow early is RUNNING; fix: headrace stop early, or wait for its end",
        f"training job user, which mounts the shared file system {shared.file_system_id}, is InProgress; "
        "fix: headrace stop --wait user, or wait for its end",
    ]


def test_a_platform_that_is_not_there_is_used_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless file systems have outlived it."""
    aws: Any = FakeAws()
    monkeypatch.setattr(aws, "parameters_below", lambda _path: {})
    assert in_use.uses(aws, "dev") == in_use.Uses(has_record=False, found=())
    aws.lists = [[a_lustre()]]
    assert len(in_use.uses(aws, "dev").found) == 1


def test_a_job_that_may_not_be_looked_at_may_mount_the_shared_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the policy of users gives no right to look: what is told is the right that does."""
    from headrace.aws.connection import AccessDenied

    def denied(name: str) -> Any:
        raise AccessDenied(f"{name}: no; ask for the platform's user policy", "sagemaker:DescribeTrainingJob")

    aws: Any = FakeAws()
    aws.jobs = {"theirs": a_job("theirs", "InProgress")}
    monkeypatch.setattr(aws, "describe", denied)
    (use,) = in_use.uses(aws, "dev").found
    assert (use.what.split(",")[0], use.state) == ("training job theirs", "not to be looked at")
    assert use.fix.startswith("sagemaker:DescribeTrainingJob on all training jobs")


def test_the_reapers_facts_are_looked_up_for_each_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that may not be looked at may mount anything."""
    from headrace.aws.connection import AccessDenied

    aws: Any = FakeAws(execution("FAILED"))
    aws.lists = [[a_lustre(), a_lustre(owner=f"{ARN}:more", file_system_id="fs-2")]]
    now = START + timedelta(hours=9)
    first, second = reaper.decisions(aws, PART, now)
    assert (first.action, second.action) == (Action.MARK, Action.KEEP)
    aws.jobs = {"x": a_job("x", "InProgress")}
    assert reaper.decisions(aws, PART, now)[0].facts.mounted_by == ("x",)

    def denied(name: str) -> Any:
        if name.startswith("arn:"):
            return execution("FAILED")
        raise AccessDenied("no", "sagemaker:DescribeTrainingJob")

    monkeypatch.setattr(aws, "describe", denied)
    (first, _) = reaper.decisions(aws, PART, now)
    assert (first.action, first.facts.unknown_jobs) == (Action.KEEP, 1)


def test_the_reaper_is_started_by_hand_and_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its decisions are its output."""
    aws: Any = FakeAws()
    begun, ended = reaper.run(aws, PART)
    assert (begun.status, ended.status) == (ExecutionStatus.SUCCEEDED, ExecutionStatus.SUCCEEDED)
    monkeypatch.setattr(flows, "described", lambda _aws, _arn: execution("FAILED", error="E", cause="c"))
    monkeypatch.setattr(reaper, "described", lambda _aws, _arn: execution("FAILED", error="E", cause="c"))
    with pytest.raises(FlowFailed, match="FAILED: E: c"):
        list(reaper.run(aws, PART))


def test_waiting_for_a_stage_ends_there_or_with_the_flows_error() -> None:
    """The stage, and then the flow as it stands."""
    aws: Any = FakeAws(history=events("Begin", "CreateFileSystem", CREATED, _job(NAME), MADE))
    aws.jobs = {NAME: a_job(NAME)}
    assert isinstance(list(flows.wait_for(aws, ARN, Stage.CREATING))[-1], Flow)
    aws = FakeAws(execution("TIMED_OUT"), history=events("Begin"))
    with pytest.raises(FlowFailed, match="TIMED_OUT: no reason given"):
        list(flows.wait_for(aws, ARN, Stage.HOLDING))


def test_a_file_system_costs_until_its_teardown_has_ended() -> None:
    """The flow was aborted before; its end is not that of the bill."""
    aws: Any = FakeAws(execution("ABORTED"), history=COURSE[:4])
    first, second = _teardown(1, "SUCCEEDED"), replace(_teardown(2, "SUCCEEDED"), ended=START + timedelta(minutes=93))
    aws.others = {each.arn: each for each in (first, second)}
    ended = PlatformFlow(execution=execution("ABORTED"), part=PART)
    flow = teardown.look(aws, ended)
    cost = flow.cost("us-east-1", START + timedelta(days=9))
    assert cost is not None
    assert cost.gib_hours == pytest.approx(1200 * 90 / 60)
    assert flow.progress.stage is not None
    assert (flow.progress.stage.stage, flow.progress.stage.seconds(START)) == (Stage.TEARING_DOWN, 32 * 60)
    aws.others[second.arn] = replace(second, status="RUNNING", ended=None)
    aws.lists = [[a_lustre()]]
    flow = teardown.look(aws, ended)
    assert flow.progress.stage is not None
    assert flow.progress.stage.ended is None


def test_a_teardown_that_came_too_early_is_followed_by_another() -> None:
    """The file system was seen after it had ended."""
    aws: Any = FakeAws(execution("ABORTED"), history=COURSE[:4])
    early = _teardown(1, "SUCCEEDED")
    aws.others[early.arn] = early
    aws.lists = [[a_lustre()], [a_lustre()], [a_lustre()], []]
    list(teardown.until_gone(aws, PART.teardown_machine_arn, ARN))
    assert aws.deeds == [("start", "teardown", ARN)]
