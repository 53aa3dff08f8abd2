"""Preparing flows and starting them, against an AWS made of records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from headrace.aws import AwsError
from headrace.ephemeral import flows, launching, preparing, starting, survey
from headrace.ephemeral.flows import Flow
from headrace.ephemeral.preparing import PreparedFlow, prepare
from headrace.errors import InvalidInput
from headrace.execution_history import Execution, execution_arn
from headrace.future_lustre import EphemeralLustre
from headrace.job_file import JobFile
from headrace.platform import Platform
from headrace.rules import RuleViolations, Suppression

from tests.flow_records import (
    ARN,
    EPHEMERAL_PLATFORM,
    PART,
    FakeAws,
    a_job,
    a_lustre,
    events,
    execution,
    store_of,
)

pytestmark = pytest.mark.usefixtures("nobody_waits")


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
        monkeypatch.setattr(survey, "Objects", store_of(objects, size_bytes=1 << 30))
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
