"""The deeds of a launch: upload, create, watch, and go on where AWS has no capacity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from headrace import launch
from headrace.aws import Aws
from headrace.errors import HeadraceError, InvalidInput, NoCapacity
from headrace.job_description import JobDescription, LogLine, description_of
from headrace.job_file import JobFile
from headrace.planning import LaunchPlan, plan
from headrace.rules import RuleViolations
from headrace_local.process import Running

from tests.conftest import DeployedPlatform
from tests.test_training import S3_PLATFORM

START = datetime(2026, 1, 1, tzinfo=UTC)
LACKS = "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance."


class FakeAws:
    """The deeds of a launch, recorded. ``endings``: for each job in turn, an error of its creation, or how it ends."""

    def __init__(self, *endings: Exception | tuple[str, str | None]) -> None:
        self.deeds: list[tuple[Any, ...]] = []
        self._endings = list(endings) or [("Completed", None)]
        self._ended: dict[str, tuple[str, str | None]] = {}
        self.s3 = self.training_jobs = self.job_logs = self

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        self.deeds.append(("put", bucket, key, bool(body)))

    def delete_object(self, bucket: str, key: str) -> None:
        self.deeds.append(("delete", bucket, key))

    def create(self, request: dict[str, Any]) -> str:
        ending = self._endings.pop(0)
        if isinstance(ending, Exception):
            raise ending
        name = request["TrainingJobName"]
        self.deeds.append(("create", name))
        self._ended[name] = ending
        return "arn"

    def describe(self, name: str) -> JobDescription:
        status, reason = self._ended[name]
        return description_of(
            {
                "TrainingJobName": name,
                "TrainingJobArn": f"arn:{name}",
                "TrainingJobStatus": status,
                "SecondaryStatus": status,
                "CreationTime": START,
                "LastModifiedTime": START + timedelta(seconds=9),
                "ResourceConfig": {"InstanceCount": 1},
                "SecondaryStatusTransitions": [{"Status": "Starting", "StartTime": START}],
            }
            | ({"FailureReason": reason} if reason else {})
        )

    def lines(self, _name: str, _seen: dict[str, str]) -> list[LogLine]:
        return []


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for the last lines of a log that the fake has not."""
    monkeypatch.setattr(launch, "_LAST_LINES_SECONDS", 0)


@pytest.fixture
def job(tmp_path: Path) -> JobFile:
    """A job with code."""
    (tmp_path / "train.py").write_text("print(1)")
    return JobFile(
        job_name="headrace-dev-x",
        image="x:1",
        instance_type="ml.m5.large",
        channels={"train": {"s3": "data/x/"}},
        source_dir=tmp_path,
        entry_point="train.py",
    )


KEY = "code/headrace-dev-x/source.tar.gz"


def test_code_is_uploaded_before_the_job_is_created(job: JobFile) -> None:
    """The job begins at once, so its code has to lie there."""
    aws: Any = FakeAws()
    launch.submit(plan(job, S3_PLATFORM), aws)
    assert aws.deeds == [("put", "lake", KEY, True), ("create", "headrace-dev-x")]


def test_a_job_that_cannot_be_created_leaves_no_code_behind(job: JobFile) -> None:
    """Nothing half-made stays."""
    aws: Any = FakeAws(NoCapacity("CreateTrainingJob: ResourceLimitExceeded: quota"))
    with pytest.raises(HeadraceError, match="quota"):
        launch.submit(plan(job, S3_PLATFORM), aws)
    assert aws.deeds == [("put", "lake", KEY, True), ("delete", "lake", KEY)]


def _retrying(job: JobFile, *types: str) -> LaunchPlan:
    return plan(JobFile.model_validate(job.model_dump() | {"capacity_retry": {"instance_types": types}}), S3_PLATFORM)


def _ends(launched: LaunchPlan, aws: Any) -> list[tuple[str, str]]:
    """Each attempt's end, as the events of the run tell it; the jobs of the fake have ended when they are looked at."""
    return [(each.name, each.status) for each in launch.run(launched, aws) if isinstance(each, JobDescription)]


PUT = ("put", "lake", KEY, True)
FIRST, SECOND, THIRD = "headrace-dev-x", "headrace-dev-x-2", "headrace-dev-x-3"


@pytest.mark.usefixtures("quick")
def test_a_job_that_gets_instances_is_the_only_attempt(job: JobFile) -> None:
    """Whatever else could have been tried."""
    aws: Any = FakeAws()
    assert _ends(_retrying(job, "ml.m5.xlarge"), aws) == [(FIRST, "Completed")]
    assert aws.deeds == [PUT, ("create", FIRST)]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "reason", [LACKS, "InsufficientInstanceCapacity: none of ml.m5.large", "ClientError: CapacityError: none"]
)
def test_a_job_that_found_no_capacity_is_tried_again_elsewhere(job: JobFile, reason: str) -> None:
    """The next attempt is another job with another type; the code is uploaded once."""
    aws: Any = FakeAws(("Failed", reason), ("Completed", None))
    assert _ends(_retrying(job, "ml.m5.xlarge", "ml.c5.xlarge"), aws) == [(FIRST, "Failed"), (SECOND, "Completed")]
    assert aws.deeds == [PUT, ("create", FIRST), ("create", SECOND)]


@pytest.mark.usefixtures("quick")
def test_where_nothing_has_capacity_the_last_attempt_is_the_end(job: JobFile) -> None:
    """Its description is the result; the code stays, since jobs were created that name it."""
    aws: Any = FakeAws(*[("Failed", LACKS)] * 3)
    ends = _ends(_retrying(job, "ml.m5.xlarge", "ml.c5.xlarge"), aws)
    assert ends == [(FIRST, "Failed"), (SECOND, "Failed"), (THIRD, "Failed")]
    assert "delete" not in {deed[0] for deed in aws.deeds}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "ending", [("Failed", "AlgorithmError: exit code 1"), ("Stopped", None), ("Stopped", LACKS), ("Failed", None)]
)
def test_what_failed_for_another_reason_is_not_tried_again(job: JobFile, ending: tuple[str, str | None]) -> None:
    """A script that fails would fail again, and a job that somebody stopped is to be stopped."""
    aws: Any = FakeAws(ending, ("Completed", None))
    assert _ends(_retrying(job, "ml.m5.xlarge"), aws) == [(FIRST, ending[0])]


@pytest.mark.usefixtures("quick")
def test_a_quota_that_leaves_no_room_is_want_of_capacity(job: JobFile) -> None:
    """ResourceLimitExceeded refuses the creation itself; another type has a quota of its own."""
    aws: Any = FakeAws(NoCapacity("CreateTrainingJob: ResourceLimitExceeded: quota"), ("Completed", None))
    assert _ends(_retrying(job, "ml.m5.xlarge"), aws) == [(SECOND, "Completed")]
    assert aws.deeds == [PUT, ("create", SECOND)]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("refused", [NoCapacity("quota"), InvalidInput("CreateTrainingJob: ValidationException: x")])
def test_code_is_taken_back_when_no_job_was_created(job: JobFile, refused: HeadraceError) -> None:
    """Nothing half-made stays; the error is the last one."""
    aws: Any = FakeAws(NoCapacity("quota of the first"), refused)
    with pytest.raises(type(refused), match=str(refused)):
        list(launch.run(_retrying(job, "ml.m5.xlarge"), aws))
    assert aws.deeds == [PUT, ("delete", "lake", KEY)]


@pytest.mark.usefixtures("quick")
def test_code_stays_when_a_job_was_created_before_the_refusal(job: JobFile) -> None:
    """The first job's record names it, and SageMaker may repeat a job after an error of its own."""
    aws: Any = FakeAws(("Failed", LACKS), NoCapacity("quota of the second"))
    events = launch.run(_retrying(job, "ml.m5.xlarge"), aws)
    with pytest.raises(NoCapacity, match="quota of the second"):
        list(events)
    assert aws.deeds == [PUT, ("create", FIRST)]


def test_zones_are_tried_on_the_embedded_aws_until_one_has_instances(
    deployed: DeployedPlatform, embedded_aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real facade and a real job: no capacity in the first zone, instances in the second."""
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)
    aws, foundation = Aws(), deployed.foundation
    aws.s3.put_object(foundation.bucket, "data/capacity/a", b"x")
    first, second = (subnet.az_id for subnet in foundation.subnets)
    wanted = JobFile.model_validate(
        {
            "base_job_name": "capacity",
            "image": "x:1",
            "instance_type": "ml.m5.large",
            "command": ["sh", "-c", "test -f /opt/ml/input/data/train/a"],
            "channels": {"train": {"s3": "data/capacity/"}},
            "capacity_retry": {"availability_zone_ids": [first, second]},
        }
    )
    lacking = embedded_aws.log_path.parent / "no-capacity"
    lacking.write_text(f"ml.m5.large@{first}")
    try:
        launched = plan(wanted, deployed.platform)
        ends = [each for each in launch.run(launched, aws) if isinstance(each, JobDescription)]
    finally:
        lacking.unlink()
    assert [(each.name, each.status) for each in ends] == [
        (launched.job.name, "Failed"),
        (f"{launched.job.name}-2", "Completed"),
    ]
    assert "CapacityError" in (ends[0].failure_reason or "")


def test_a_plan_reports_all_that_is_wrong_without_an_account(job: JobFile) -> None:
    """Before the first call: name out of scope, location not readable, instance type unknown."""
    wrong = job.model_copy(
        update={
            "job_name": "x",
            "instance_type": "ml.nix",
            "channels": {"train": job.channels["train"].model_copy(update={"s3": "s3://other/x/"})},
        }
    )
    with pytest.raises(RuleViolations) as caught:
        plan(wrong, S3_PLATFORM)
    assert {each.rule_id for each in caught.value.findings} == {"V59", "V81", "V85"}
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("name", ["../x", "a b", "a/b", "x" * 65, "*"])
def test_a_platforms_name_is_one_step_of_a_path(name: str) -> None:
    """Before any call: it becomes part of a parameter's path."""
    aws: Any = FakeAws()
    with pytest.raises(InvalidInput, match="platform is"):
        launch.read_platform(aws, name)


@pytest.mark.parametrize(
    ("location", "is_readable"),
    [
        ("data/x/", True),
        ("data/", True),
        ("dat", False),
        ("database/", False),
        ("code/", False),
        ("s3://other/data/", False),
        ("s3://lake", False),
    ],
)
def test_only_what_lies_below_a_data_location_is_readable(job: JobFile, location: str, is_readable: bool) -> None:
    """As the role's statements have it, letter by letter."""
    wrong = job.model_copy(update={"channels": {"train": job.channels["train"].model_copy(update={"s3": location})}})
    if is_readable:
        assert plan(wrong, S3_PLATFORM).request["InputDataConfig"]
    else:
        with pytest.raises(RuleViolations, match="V81"):
            plan(wrong, S3_PLATFORM)
