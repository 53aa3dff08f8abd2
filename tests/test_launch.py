"""The deeds of a launch: upload, create, watch, and go on where AWS has no capacity."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from headrace import launch
from headrace.aws import Aws, AwsError
from headrace.aws.training_jobs import TrainingJobs
from headrace.cli import train
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
    """The deeds of a launch, recorded. ``endings``: for each job in turn, an error of its creation, or how it ends.

    ``taken``: keys of objects that are there already. ``existing``: names of jobs that are there, whoever made them.
    """

    taken: frozenset[str] = frozenset()
    existing: frozenset[str] = frozenset()

    def __init__(self, *endings: BaseException | tuple[str, str | None]) -> None:
        self.deeds: list[tuple[Any, ...]] = []
        self._endings = list(endings) or [("Completed", None)]
        self._ended: dict[str, tuple[str, str | None]] = {}
        self.s3 = self.training_jobs = self.job_logs = self

    def create_object(self, bucket: str, key: str, body: bytes) -> bool:
        if key in self.taken:
            return False
        self.deeds.append(("put", bucket, key, bool(body)))
        return True

    def exists(self, name: str) -> bool:
        return name in self._ended or name in self.existing

    def delete_object(self, bucket: str, key: str) -> None:
        self.deeds.append(("delete", bucket, key))

    def create(self, request: dict[str, Any]) -> str:
        ending = self._endings.pop(0)
        if isinstance(ending, BaseException):
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
PUT = ("put", "lake", KEY, True)


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


LOST_ANSWERS = [InvalidInput("CreateTrainingJob: ResourceInUse: x"), AwsError("read timeout"), KeyboardInterrupt()]


@pytest.mark.parametrize("error", LOST_ANSWERS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("do", [launch.submit, lambda *given: list(launch.run(*given))], ids=["submit", "run"])
def test_code_of_a_job_whose_answer_was_lost_stays(job: JobFile, do: Callable[..., Any], error: BaseException) -> None:
    """The job is there and reads its code when it has instances, whatever its creator was told."""
    aws: Any = FakeAws(error)
    aws.existing = {"headrace-dev-x"}
    with pytest.raises(type(error)):
        do(plan(job, S3_PLATFORM), aws)
    assert aws.deeds == [PUT]


def test_code_stays_where_nobody_knows_whether_there_is_a_job(job: JobFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first error is told, and not that of asking."""
    aws: Any = FakeAws(AwsError("read timeout"))

    def fail(_name: str) -> bool:
        raise AwsError("still no network")

    monkeypatch.setattr(aws, "exists", fail)
    with pytest.raises(AwsError, match="read timeout"):
        launch.submit(plan(job, S3_PLATFORM), aws)
    assert aws.deeds == [PUT]


@pytest.mark.parametrize("do", [launch.submit, lambda *given: list(launch.run(*given))], ids=["submit", "run"])
def test_an_interruption_before_the_job_takes_the_code_back(job: JobFile, do: Callable[..., Any]) -> None:
    """Ctrl-C between the upload and the creation leaves nothing."""
    aws: Any = FakeAws(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        do(plan(job, S3_PLATFORM), aws)
    assert aws.deeds == [PUT, ("delete", "lake", KEY)]


def test_a_run_that_is_left_keeps_the_code_of_its_job(job: JobFile) -> None:
    """Who stops watching does not stop the job."""
    aws: Any = FakeAws()
    events = launch.run(plan(job, S3_PLATFORM), aws)
    next(events)
    events.close()
    assert aws.deeds == [PUT, ("create", "headrace-dev-x")]


@pytest.mark.parametrize("do", [launch.submit, lambda *given: list(launch.run(*given))], ids=["submit", "run"])
def test_code_of_another_launch_is_neither_replaced_nor_deleted(job: JobFile, do: Callable[..., Any]) -> None:
    """Two people launch one name at once: the second is refused, and the first one's job finds its code."""
    aws: Any = FakeAws()
    aws.taken = {KEY}
    with pytest.raises(InvalidInput, match=r"job_name is 'headrace-dev-x'; allowed: .*; fix: choose another name"):
        do(plan(job, S3_PLATFORM), aws)
    assert aws.deeds == []


def test_of_two_uploads_one_gets_through(
    deployed: DeployedPlatform, job: JobFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the embedded AWS, as S3 decides it; the object is the first one's."""
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)
    aws, bucket = Aws(), deployed.foundation.bucket
    assert aws.s3.create_object(bucket, "code/race/source.tar.gz", b"first")
    assert not aws.s3.create_object(bucket, "code/race/source.tar.gz", b"second")
    body = deployed.client("s3").get_object(Bucket=bucket, Key="code/race/source.tar.gz")["Body"].read()
    assert body == b"first"


def test_a_job_that_really_began_keeps_its_code(
    deployed: DeployedPlatform, job: JobFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to CreateTrainingJob is lost on its way; the job runs to its end."""
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)
    aws = Aws()
    aws.s3.put_object(deployed.foundation.bucket, "data/x/a", b"x")
    name = f"{deployed.foundation.job_name_prefix}lost-answer"
    planned = plan(job.model_copy(update={"job_name": name}), deployed.platform)
    create = TrainingJobs.create

    def lose(jobs: TrainingJobs, request: dict[str, Any]) -> str:
        create(jobs, request)
        raise AwsError("CreateTrainingJob: read timeout")

    monkeypatch.setattr(TrainingJobs, "create", lose)
    with pytest.raises(AwsError, match="read timeout"):
        launch.submit(planned, aws)
    *_, ended = launch.watch(aws, name)
    assert isinstance(ended, JobDescription)
    assert (ended.status, ended.failure_reason) == ("Completed", None)


def _retrying(job: JobFile, *types: str) -> LaunchPlan:
    return plan(JobFile.model_validate(job.model_dump() | {"capacity_retry": {"instance_types": types}}), S3_PLATFORM)


def _ends(launched: LaunchPlan, aws: Any) -> list[tuple[str, str]]:
    """Each attempt's end, as the events of the run tell it; the jobs of the fake have ended when they are looked at."""
    return [(each.name, each.status) for each in launch.run(launched, aws) if isinstance(each, JobDescription)]


FIRST, SECOND, THIRD = "headrace-dev-x", "headrace-dev-x-2", "headrace-dev-x-3"


@pytest.mark.usefixtures("quick")
def test_a_job_that_gets_instances_is_the_only_attempt(job: JobFile) -> None:
    """Whatever else could have been tried."""
    aws: Any = FakeAws()
    assert _ends(_retrying(job, "ml.m5.xlarge"), aws) == [(FIRST, "Completed")]
    assert aws.deeds == [PUT, ("create", FIRST)]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("reason", [LACKS, "InsufficientInstanceCapacity: none of ml.m5.large"])
def test_a_job_that_found_no_capacity_is_tried_again_elsewhere(job: JobFile, reason: str) -> None:
    """The next attempt is another job with another type; the code is uploaded once."""
    aws: Any = FakeAws(("Failed", reason), ("Completed", None))
    assert _ends(_retrying(job, "ml.m5.xlarge", "ml.c5.xlarge"), aws) == [(FIRST, "Failed"), (SECOND, "Completed")]
    assert aws.deeds == [PUT, ("create", FIRST), ("create", SECOND)]


@pytest.mark.usefixtures("quick")
def test_the_name_of_each_job_is_told_when_it_begins(job: JobFile) -> None:
    """Who interrupts the second attempt wants its name."""
    aws: Any = FakeAws(NoCapacity("quota"), ("Failed", LACKS), ("Completed", None))
    told: list[str] = []
    list(launch.run(_retrying(job, "ml.m5.xlarge", "ml.c5.xlarge"), aws, told.append))
    assert told == [SECOND, THIRD]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("endings", "expected"), [(1, [SECOND]), (0, [])])
def test_an_interruption_names_the_job_that_goes_on(
    job: JobFile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], endings: int, expected: list[str]
) -> None:
    """That of the second attempt, not of the first, which has ended; none where none was created."""
    aws: Any = FakeAws(("Failed", LACKS), ("Completed", None)) if endings else FakeAws(KeyboardInterrupt())
    describe = aws.describe

    def interrupt(name: str) -> JobDescription:
        if name == SECOND:
            raise KeyboardInterrupt
        return describe(name)

    monkeypatch.setattr(aws, "describe", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train._run_to_end(_retrying(job, "ml.m5.xlarge"), aws, as_json=False)
    told = [line.split()[-1] for line in capsys.readouterr().err.splitlines() if "the job goes on" in line]
    assert told == expected


@pytest.mark.usefixtures("quick")
def test_where_nothing_has_capacity_the_last_attempt_is_the_end(job: JobFile) -> None:
    """Its description is the result; the code stays, since jobs were created that name it."""
    aws: Any = FakeAws(*[("Failed", LACKS)] * 3)
    ends = _ends(_retrying(job, "ml.m5.xlarge", "ml.c5.xlarge"), aws)
    assert ends == [(FIRST, "Failed"), (SECOND, "Failed"), (THIRD, "Failed")]
    assert "delete" not in {deed[0] for deed in aws.deeds}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "ending",
    [
        ("Failed", "AlgorithmError: exit code 1"),
        ("Failed", "AlgorithmError: CapacityError in my own queue, exit code: 1"),
        ("Stopped", None),
        ("Stopped", LACKS),
        ("Failed", None),
    ],
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
