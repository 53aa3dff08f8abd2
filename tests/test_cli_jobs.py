"""status, logs, list, stop and timeline, against jobs that really run on the embedded AWS."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from headrace.cli.job_view import follow, summary_text
from headrace.cli.logs import start_time
from headrace.durations import duration_text
from headrace.errors import InvalidInput
from headrace.job_description import ChannelDescription, Instances, JobDescription, LogLine, Transition
from headrace.platform import FoundationPart, Roles, parameter_name, to_plain
from headrace.roads import EFS

from tests.command_line import Run, runner

StartJob = Callable[..., str]
DEADLINE_SECONDS = 60


@pytest.fixture
def run(aws_session: boto3.Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process, on the embedded AWS."""
    return runner(monkeypatch, capsys)


@pytest.fixture
def job(aws_session: boto3.Session, start_job: StartJob) -> Callable[..., str]:
    """Starts a job that runs a line of shell, and waits until it has ended or is in a certain status."""

    def start(script: str, until: str = "", **members: Any) -> str:
        name = start_job(aws_session, ["sh", "-c", script], **members)
        _wait(aws_session, name, until)
        return name

    return start


def _wait(session: boto3.Session, name: str, until: str = "") -> None:
    sagemaker = session.client("sagemaker")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        described = sagemaker.describe_training_job(TrainingJobName=name)
        is_over = described["TrainingJobStatus"] not in ("InProgress", "Stopping")
        if is_over or described["SecondaryStatus"] == until:
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} is still {described['SecondaryStatus']}")


def _wait_for_log(session: boto3.Session, name: str, text: str) -> None:
    logs = session.client("logs")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        found = logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs")["events"]
        if any(each["logStreamName"].startswith(name) and text in each["message"] for each in found):
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} has not printed {text!r}")


def _metric(name: str) -> dict[str, str]:
    return {"Name": name, "Regex": f"{name}=([0-9.]+)"}


def _algorithm(script: str, *metrics: str) -> dict[str, Any]:
    return {
        "TrainingInputMode": "File",
        "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/training:1",
        "ContainerEntrypoint": ["sh", "-c", script],
        "MetricDefinitions": [_metric(each) for each in metrics],
    }


@pytest.fixture
def channel(aws_session: boto3.Session) -> dict[str, Any]:
    """A channel that copies one object."""
    bucket = f"data-{uuid4().hex[:12]}"
    s3 = aws_session.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="data/a.txt", Body=b"a")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/data/", "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": "train", "DataSource": {"S3DataSource": source}}


def test_status_is_one_screen_about_the_job(run: Run, job: Callable[..., str], channel: dict[str, Any]) -> None:
    """What became of it, its phases, its data and the road of it, its metrics, its bill and its model."""
    script = "echo loss=2.5; echo w >/opt/ml/model/weights"
    name = job(script, AlgorithmSpecification=_algorithm(script, "loss"), InputDataConfig=[channel])
    outcome = run("status", name)
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[0].strip() == f"{name}: Completed"
    facts = [line.strip("│ ").replace("│", " ").split() for line in outcome.out.splitlines()]
    found = {words[0]: " ".join(words[1:]) for words in facts if words}
    assert found["instances"] == "1 x ml.m5.large"
    assert found["channel"].startswith("train: S3 File, s3://data-")
    assert found["metric"] == "loss = 2.5"
    assert found["model"].startswith(f"s3://{name}/output/")
    assert {"took", "training", "billed", "downloading"} <= set(found)


def test_status_as_json_holds_the_same_facts(run: Run, job: Callable[..., str], channel: dict[str, Any]) -> None:
    """Numbers are numbers, and a job that has failed is no failure of the command."""
    name = job("echo why >/opt/ml/output/failure; exit 3", InputDataConfig=[channel])
    outcome = run("status", name, "--json")
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    assert (told["status"], told["failure_reason"]) == ("Failed", "AlgorithmError: why, exit code: 3")
    assert told["instances"] == [{"instance_type": "ml.m5.large", "count": 1}]
    assert [(each["name"], each["road"]) for each in told["channels"]] == [("train", "S3 File")]
    assert told["billed_instance_seconds"] == told["billable_seconds"] * told["instance_count"]
    assert told["phase_seconds"]["training"] > 0
    assert datetime.fromisoformat(told["created"]) <= datetime.fromisoformat(told["ended"])


@pytest.mark.parametrize("command", ["status", "logs", "stop", "timeline"])
@pytest.mark.parametrize("name", ["no-such-job", "no_such_job", ""])
def test_a_job_that_does_not_exist_is_the_users_to_mend(run: Run, command: str, name: str) -> None:
    """One line, exit code 2, nothing on stdout; also for what can be no job's name."""
    outcome = run(command, name)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"error: no training job {name!r} in us-east-1; check the name and the Region\n"


@pytest.mark.parametrize("command", ["stop", "timeline"])
def test_several_unknown_jobs_are_named_together(run: Run, job: Callable[..., str], command: str) -> None:
    """And nothing is done to the one that exists."""
    name = job("sleep 60", until="Training")
    outcome = run(command, "nobody", name, "nothing")
    assert outcome.code == 2
    assert [line.split("'")[1] for line in outcome.err.splitlines()] == ["nobody", "nothing"]
    assert json.loads(run("status", name, "--json").out)["status"] == "InProgress"
    assert run("stop", name).code == 0


def test_stop_waits_for_the_end_and_may_be_said_again(run: Run, job: Callable[..., str]) -> None:
    """The second time it says that the job is over, and that is no error."""
    name = job("sleep 60", until="Training")
    first = run("stop", name, "--wait", "--json")
    assert first.code == 0, first.err
    assert json.loads(first.out) == [{"name": name, "status": "Stopped", "was_asked": True}]
    assert first.err.splitlines()[-1] == f"{name}: Stopped"
    second = run("stop", name, name)
    assert (second.code, second.out) == (0, f"{name}: Stopped already\n")


def test_logs_are_the_lines_that_the_script_printed(run: Run, job: Callable[..., str]) -> None:
    """In their order, on stdout, without what a terminal would obey."""
    name = job("echo one; printf '\\033]0;title\\007two\\n'; echo three")
    outcome = run("logs", name)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == ["one", "]0;titletwo", "three"]


def test_logs_begin_with_the_last_lines_or_at_a_time(run: Run, job: Callable[..., str]) -> None:
    """--tail counts from the end, --since from a time on."""
    name = job("for i in 1 2 3 4 5; do echo line $i; done")
    assert run("logs", name, "--tail", "2").out.splitlines() == ["line 4", "line 5"]
    assert len(run("logs", name, "--tail", "99").out.splitlines()) == 5
    assert len(run("logs", name, "--since", "1h").out.splitlines()) == 5
    later = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    nothing = run("logs", name, "--since", later)
    assert (nothing.code, nothing.out) == (0, "")
    assert "has printed nothing" in nothing.err


def test_logs_as_json_are_one_object_a_line(run: Run, job: Callable[..., str]) -> None:
    """With the instance and the time of each line."""
    name = job("echo one; echo two")
    lines = [json.loads(line) for line in run("logs", name, "--json").out.splitlines()]
    assert [(each["instance"], each["text"]) for each in lines] == [("algo-1", "one"), ("algo-1", "two")]
    assert datetime.fromisoformat(lines[0]["written"]) <= datetime.fromisoformat(lines[1]["written"])


def test_lines_of_several_instances_say_whose_they_are(run: Run, job: Callable[..., str]) -> None:
    """Unless only one was asked for."""
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    name = job('echo "I am $SM_CURRENT_HOST"', ResourceConfig=resources)
    both = run("logs", name)
    assert sorted(both.out.splitlines()) == ["algo-1 | I am algo-1", "algo-2 | I am algo-2"]
    assert run("logs", name, "--instance", "algo-2").out == "I am algo-2\n"
    wrong = run("logs", name, "--instance", "algo-3")
    assert wrong.code == 2
    assert "allowed: algo-1 to algo-2" in wrong.err


@pytest.mark.parametrize("options", [(), ("--tail", "1")])
def test_following_a_log_tells_each_line_once_until_the_end(
    job: Callable[..., str], aws_session: boto3.Session, options: tuple[str, ...]
) -> None:
    """A line is there as soon as it is printed, what the script says when it is stopped comes last."""
    name = job("trap 'echo last; exit 0' TERM; echo first; sleep 60 & wait", until="Training")
    _wait_for_log(aws_session, name, "first")
    command = [sys.executable, "-m", "headrace.cli", "logs", name, "--follow", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        first = following.stdout.readline()
        aws_session.client("sagemaker").stop_training_job(TrainingJobName=name)
        rest = following.stdout.read()
    assert (first, rest, following.returncode) == ("first\n", "last\n", 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", "2026-01-31T11:59:30+00:00"),
        ("10m", "2026-01-31T11:50:00+00:00"),
        ("2h", "2026-01-31T10:00:00+00:00"),
        ("1d", "2026-01-30T12:00:00+00:00"),
        ("2026-01-02", "2026-01-02T00:00:00+00:00"),
        ("2026-01-02T03:04Z", "2026-01-02T03:04:00+00:00"),
        ("2026-01-02T03:04+02:00", "2026-01-02T03:04:00+02:00"),
    ],
)
def test_since_is_a_duration_or_a_time(text: str, expected: str) -> None:
    """Durations count back from now; times are UTC unless they say otherwise."""
    assert start_time(text, datetime(2026, 1, 31, 12, tzinfo=UTC)).isoformat() == expected


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "1w", "yesterday", "2026-13-01", "999999d"])
def test_since_says_what_is_allowed(text: str) -> None:
    """Anything else, also a duration from before there were years."""
    with pytest.raises(InvalidInput, match="allowed: a number with s, m, h or d"):
        start_time(text, datetime(2026, 1, 31, 12, tzinfo=UTC))


@pytest.fixture
def platform(aws_session: boto3.Session) -> Iterator[FoundationPart]:
    """The record of a platform that has nothing but a name and a prefix for jobs."""
    name = f"p{uuid4().hex[:8]}"
    part = FoundationPart(
        platform=name,
        region="us-east-1",
        account="123456789012",
        vpc_id="vpc-1",
        subnets=(),
        job_security_group_id="sg-1",
        bucket="b",
        data_locations=(),
        roles=Roles(s3="arn:aws:iam::123456789012:role/r"),
        job_name_prefix=f"{name}-",
    )
    ssm = aws_session.client("ssm")
    ssm.put_parameter(Name=parameter_name(part), Value=json.dumps(to_plain(part)), Type="String")
    yield part
    ssm.delete_parameter(Name=parameter_name(part))


def test_list_shows_the_platforms_jobs_newest_first(
    run: Run, job: Callable[..., str], platform: FoundationPart
) -> None:
    """Neither another platform's nor one that only holds the prefix somewhere in its name."""
    prefix = platform.job_name_prefix
    names = [job(script, TrainingJobName=f"{prefix}{word}") for script, word in (("true", "old"), ("exit 1", "new"))]
    job("true", TrainingJobName=f"x-{prefix}other")
    listed = json.loads(run("list", "--platform", platform.platform, "--json").out)
    assert [(each["name"], each["status"]) for each in listed] == [(names[1], "Failed"), (names[0], "Completed")]
    assert all(each["seconds"] > 0 and each["created"] < each["ended"] for each in listed)
    newest = run("list", "--platform", platform.platform, "--limit", "1")
    assert names[1] in newest.out
    assert names[0] not in newest.out
    assert "--limit shows more" in newest.err
    done = run("list", "--platform", platform.platform, "--status", "completed")
    assert names[0] in done.out
    assert names[1] not in done.out


def test_a_platform_without_jobs_lists_none(run: Run, platform: FoundationPart) -> None:
    """Said on stderr; stdout stays empty, or an empty list."""
    outcome = run("list", "--platform", platform.platform)
    assert (outcome.code, outcome.out) == (0, "")
    assert f"begins with {platform.job_name_prefix}" in outcome.err
    assert json.loads(run("list", "--platform", platform.platform, "--json").out) == []


def test_timeline_adds_what_the_script_says_that_it_waited(
    run: Run, job: Callable[..., str], channel: dict[str, Any]
) -> None:
    """A real job with the metric data_wait_seconds, as JSON."""
    script = "sleep 1; echo data_wait_seconds=0.5"
    name = job(script, AlgorithmSpecification=_algorithm(script, "data_wait_seconds"), InputDataConfig=[channel])
    (told,) = json.loads(run("timeline", name, "--json").out)
    assert (told["name"], told["status"], told["data_wait_seconds"]) == (name, "Completed", 0.5)
    assert told["phase_seconds"]["training"] >= 1
    assert told["waiting_seconds"] == pytest.approx(0.5 + told["phase_seconds"]["downloading"])
    assert told["waiting_share"] == pytest.approx(told["waiting_seconds"] / told["held_seconds"])
    assert told["billed_instance_seconds"] == told["billable_seconds"] >= 1


def test_timeline_draws_several_jobs_on_one_scale(
    run: Run, job: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longest fills the terminal's width, the shorter one its share of it; the legend names the letters."""
    monkeypatch.setenv("COLUMNS", "60")
    names = [job("true"), job("sleep 2")]
    outcome = run("timeline", *names)
    assert outcome.code == 0, outcome.err
    told = json.loads(run("timeline", *names, "--json").out)
    longest_seconds = max(each["total_seconds"] for each in told)
    lines = outcome.out.splitlines()
    for each in told:
        drawn = lines[lines.index(f"{each['name']}  Completed") + 1]
        end_seconds = each["segments"][-1]["start_seconds"] + each["segments"][-1]["seconds"]
        assert len(drawn.rstrip()) == round(60 * end_seconds / longest_seconds)
        assert drawn.count("T") == pytest.approx(60 * each["phase_seconds"]["training"] / longest_seconds, abs=1)
    assert any("T training" in line for line in lines)
    assert sum("waiting for data 0.0 %" in line for line in lines) == 2


def test_timeline_of_a_running_job_marks_the_open_phase(run: Run, job: Callable[..., str]) -> None:
    """It counts so far, and the bill is not known."""
    name = job("sleep 60", until="Training")
    outcome = run("timeline", name)
    run("stop", name)
    assert "so far" in outcome.out
    assert "> goes on" in outcome.out
    assert "billed is known when the job has ended" in outcome.out


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0.0 s"),
        (12.34, "12.3 s"),
        (59.96, "60.0 s"),
        (60, "1 min 0 s"),
        (123.4, "2 min 3 s"),
        (3599.7, "1 h 0 min"),
        (7261, "2 h 1 min"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, expected: str) -> None:
    """Tenths only where they matter."""
    assert duration_text(seconds) == expected


def test_a_screen_shows_spot_several_instances_and_hostile_text_as_text() -> None:
    """Markup and escape sequences of others are letters."""
    created = datetime(2026, 1, 1, tzinfo=UTC)
    text = summary_text(
        JobDescription(
            name="job",
            arn="arn",
            status="Failed",
            secondary_status="Failed",
            created=created,
            ended=created + timedelta(hours=1),
            metrics={"[red]m": 1.0},
            failure_reason="[bold]no\x1b[2J",
            training_seconds=1000,
            billable_seconds=300,
            warm_pool_billable_seconds=60,
            instances=(
                Instances(instance_type="ml.g5.xlarge", count=2),
                Instances(instance_type="ml.m5.large", count=1),
            ),
            channels=(ChannelDescription(name="train", road=EFS, location="fs-1:/data"),),
            is_spot=True,
        )
    )
    assert "2 x ml.g5.xlarge on Spot" in text
    assert "300 s x 3 instances = 900 s; Spot saved 70 % of 1000 s; kept warm for 60 s x 3" in text
    assert "train: EFS, fs-1:/data" in text
    assert "[red]m = 1" in text
    assert "[bold]no[2J" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(("instances", "expected"), [(1, "  hello\n"), (2, "  algo-2 | hello\n")])
def test_a_followed_line_says_its_instance_where_there_are_several(
    instances: int, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines of all instances come mixed."""
    created = datetime(2026, 1, 1, tzinfo=UTC)
    line = LogLine(stream="job/algo-2-1", text="hello", written=created)
    job = JobDescription(
        name="job",
        arn="arn",
        status="Completed",
        secondary_status="Completed",
        created=created,
        ended=created,
        metrics={},
    )
    assert follow([line, job], instances) is job
    assert capsys.readouterr().err == expected


def test_a_phase_is_one_line_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """However long its message is: nobody asked for a width, and the next program reads lines."""
    created = datetime(2026, 1, 1, tzinfo=UTC)
    message = "ClientError: Unable to mount file system " + "fs-0123456789abcdef0 " * 20
    phase = Transition(status="Failed", message=message, started=created, ended=created)
    job = JobDescription(
        name="job", arn="arn", status="Failed", secondary_status="Failed", created=created, ended=created, metrics={}
    )
    assert follow([phase, job]) is job
    assert [line.split("] ", 1)[1] for line in capsys.readouterr().err.splitlines()] == [f"Failed: {message}"]


def test_spot_saves_nothing_where_nothing_ran() -> None:
    """A job that was stopped before it trained has no seconds to divide by."""
    created = datetime(2026, 1, 1, tzinfo=UTC)
    job = JobDescription(
        name="job",
        arn="arn",
        status="Stopped",
        secondary_status="Stopped",
        created=created,
        ended=created,
        metrics={},
        training_seconds=0,
        billable_seconds=0,
        is_spot=True,
    )
    assert job.spot_savings_percent is None
    assert "Stopped" in summary_text(job)
