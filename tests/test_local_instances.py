"""Jobs of several instances in the embedded AWS, and what the job API says of jobs: pages, capacity, warm pools."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from headrace_local.moto_extension.sagemaker import listing
from headrace_local.process import Running
from headrace_local.runner import capacity, command, fleet
from headrace_local.runner.job import JobFailed, TrainingJob
from headrace_local.runner.supply import Supply

StartJob = Callable[..., str]
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
FINAL = ("Completed", "Failed", "Stopped")


@pytest.fixture
def sagemaker(aws_session: boto3.Session) -> Any:
    """The SageMaker client."""
    return aws_session.client("sagemaker")


def _resources(count: int, **members: Any) -> dict[str, Any]:
    return {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1, **members}


def _end(sagemaker: Any, name: str) -> dict[str, Any]:
    return _wait(sagemaker, name, lambda job: job["TrainingJobStatus"] in FINAL)


def _wait(sagemaker: Any, name: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 40
    while True:
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        if condition(job) or time.monotonic() > deadline:
            return job
        time.sleep(0.05)


def _logs(session: boto3.Session, name: str) -> dict[str, list[str]]:
    """Host -> lines of its log."""
    logs, prefix = session.client("logs"), f"{name}/"
    try:
        streams = logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=prefix)["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return {}
    return {
        each["logStreamName"].removeprefix(prefix).rpartition("-")[0]: [
            event["message"]
            for event in logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=each["logStreamName"])["events"]
        ]
        for each in streams
    }


def _archive(session: boto3.Session, name: str, archive: str) -> dict[str, bytes]:
    """File name -> content of what a job has left."""
    body = session.client("s3").get_object(Bucket=name, Key=f"output/{name}/output/{archive}")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        files = {each.name: tar.extractfile(each) for each in tar.getmembers()}
        return {each: file.read() for each, file in files.items() if file is not None}


def _shell(script: str) -> list[str]:
    return ["sh", "-c", script]


GO = """
import boto3, os
waiter = boto3.client("s3").get_waiter("object_exists")
waiter.wait(Bucket=os.environ["TRAINING_JOB_NAME"], Key="go", WaiterConfig={"Delay": 0.1, "MaxAttempts": 400})
"""
"""Python that waits until the test says so; the name of a job's own bucket is the job's."""


def _go(session: boto3.Session, name: str) -> None:
    session.client("s3").put_object(Bucket=name, Key="go", Body=b"")


TELL = """
echo "$SM_CURRENT_HOST $SM_CURRENT_HOST_RANK of $SM_HOST_COUNT $SM_HOSTS $SM_MASTER_ADDR:$SM_MASTER_PORT"
cp /opt/ml/input/config/resourceconfig.json /opt/ml/output/data/$SM_CURRENT_HOST.json
echo $SM_CURRENT_HOST >/opt/ml/model/who
mkdir -p /opt/ml/model/shards; echo $SM_CURRENT_HOST >/opt/ml/model/shards/$SM_CURRENT_HOST
"""


@pytest.mark.parametrize("count", [1, 3])
def test_every_instance_runs_with_its_own_name_folder_and_log(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob, count: int
) -> None:
    """All hosts and the current one are told; models of all become one archive, in which the first one's name wins."""
    name = start_job(aws_session, _shell('eval "$TELL"'), ResourceConfig=_resources(count), Environment={"TELL": TELL})
    job = _end(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    hosts = [f"algo-{number}" for number in range(1, count + 1)]
    assert _logs(aws_session, name) == {
        host: [f"{host} {rank} of {count} {json.dumps(hosts)} algo-1:7777"] for rank, host in enumerate(hosts)
    }
    configurations = _archive(aws_session, name, "output.tar.gz")
    assert {each: json.loads(content) for each, content in configurations.items()} == {
        f"{host}.json": {
            "current_host": host,
            "current_instance_type": "ml.m5.large",
            "current_group_name": "homogeneousCluster",
            "hosts": hosts,
            "instance_groups": [
                {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": hosts}
            ],
            "network_interface_name": "lo",
        }
        for host in hosts
    }
    model = _archive(aws_session, name, "model.tar.gz")
    assert model == {"who": b"algo-1\n"} | {f"shards/{host}": f"{host}\n".encode() for host in hosts}


MEET = """
import json, os, socket
hosts, host = json.loads(os.environ["SM_HOSTS"]), os.environ["SM_CURRENT_HOST"]
with socket.create_server((host, 23456)) as server:
    if host == hosts[0]:
        names = []
        for _ in hosts[1:]:
            with server.accept()[0] as peer:
                names.append(peer.recv(100).decode())
        print("met", *sorted(names))
    else:
        while True:
            try:
                with socket.create_connection((hosts[0], 23456)) as master:
                    master.sendall(host.encode())
                    break
            except ConnectionRefusedError:
                pass
"""


@pytest.mark.skipif(command.mount_prefix() is None, reason="this system allows no mount namespace")
def test_instances_find_each_other_by_name(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """Each name has an address of its own, so that all can listen on the same port, as on SageMaker."""
    pieces = {f"P{start // 500}": MEET[start : start + 500] for start in range(0, len(MEET), 500)}
    script = 'printf %s "$P0" "$P1" "$P2" >/opt/ml/code/meet.py; exec python3 /opt/ml/code/meet.py'
    name = start_job(aws_session, _shell(script), ResourceConfig=_resources(3), Environment=pieces)
    job = _end(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), _logs(aws_session, name))
    assert _logs(aws_session, name)["algo-1"] == ["met algo-2 algo-3"]


def test_one_failing_instance_fails_the_job_and_ends_the_others(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """The others are told by SIGTERM; the reason is the failing one's."""
    # the folders of the instances lie side by side
    script = """
    if [ $SM_CURRENT_HOST != algo-2 ]; then
        trap "echo told; exit 0" TERM; touch $HOME/ready; while :; do sleep 0.05; done
    fi
    until [ -e $HOME/../algo-1/ready ] && [ -e $HOME/../algo-3/ready ]; do sleep 0.05; done
    echo broken >/opt/ml/output/failure; exit 7
    """
    environment = {"SCRIPT": script}
    name = start_job(aws_session, _shell('eval "$SCRIPT"'), ResourceConfig=_resources(3), Environment=environment)
    job = _end(sagemaker, name)
    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", "AlgorithmError: broken, exit code: 7")
    logs = _logs(aws_session, name)
    assert (logs["algo-1"][-1], logs["algo-3"][-1]) == ("told", "told")


@pytest.mark.parametrize("outcome", ["Completed", JobFailed("AlgorithmError: , exit code: 1")])
def test_a_channel_that_broke_fails_the_job_whatever_the_command_says(
    monkeypatch: pytest.MonkeyPatch, outcome: str | JobFailed
) -> None:
    """What the command has read is then not what was asked for, and the channel's reason explains the command's."""

    def run(*_arguments: Any) -> str:
        if isinstance(outcome, JobFailed):
            raise outcome
        return outcome

    monkeypatch.setattr(fleet, "_run", run)
    broken = Supply(failure=lambda: "ClientError: the object has gone")
    with pytest.raises(JobFailed, match="the object has gone"):
        fleet.run(_job("a"), [], [Supply(), broken])


def test_a_job_waits_for_its_last_instance(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """One that is done early neither ends the job nor the others."""
    script = "[ $SM_CURRENT_HOST = algo-1 ] || { sleep 1; echo late >/opt/ml/model/$SM_CURRENT_HOST; }"
    job = _end(sagemaker, name := start_job(aws_session, _shell(script), ResourceConfig=_resources(2)))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert _archive(aws_session, name, "model.tar.gz") == {"algo-2": b"late\n"}
    # what is billed is this times the count: the seconds themselves are not multiplied
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"]


def test_stop_reaches_every_instance(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """What each then saves is kept."""
    script = "trap 'echo saved >/opt/ml/model/$SM_CURRENT_HOST; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    name = start_job(aws_session, _shell(script), ResourceConfig=_resources(3))
    deadline = time.monotonic() + 40
    while len(_logs(aws_session, name)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    sagemaker.stop_training_job(TrainingJobName=name)
    assert _end(sagemaker, name)["TrainingJobStatus"] == "Stopped"
    assert _archive(aws_session, name, "model.tar.gz") == {f"algo-{each}": b"saved\n" for each in (1, 2, 3)}


def test_a_job_leaves_no_folder_behind(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob, embedded_aws: Running
) -> None:
    """Whatever it wrote, on all of its instances."""
    script = 'mkdir -p /opt/ml/model/a/b; exec python3 -c "$GO"'
    name = start_job(aws_session, _shell(script), ResourceConfig=_resources(2), Environment={"GO": GO})
    folder = embedded_aws.log_path.parent / "jobs" / name
    _wait(sagemaker, name, lambda job: job["SecondaryStatus"] == "Training")
    assert sorted(each.name for each in folder.iterdir()) == ["algo-1", "algo-2"]
    _go(aws_session, name)
    _end(sagemaker, name)
    assert not folder.exists()


GROUPS = [{"InstanceGroupName": "a", "InstanceType": "ml.m5.large", "InstanceCount": 1}]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"ResourceConfig": _resources(9)}, "InstanceCount 9: the embedded AWS runs at most 8 instances of a job"),
    (
        {"ResourceConfig": {"InstanceGroups": GROUPS, "VolumeSizeInGB": 1}},
        "InstanceGroups: the embedded AWS runs no heterogeneous cluster, since all instances would be this machine",
    ),
    ({"ResourceConfig": {"VolumeSizeInGB": 1}}, "ResourceConfig needs InstanceType, and InstanceCount"),
    (
        {"CheckpointConfig": {"S3Uri": "s3://bucket/x", "LocalPath": "/home/x"}},
        "LocalPath '/home/x': the embedded AWS keeps checkpoints below /opt/ml only",
    ),
    ({"CheckpointConfig": {"S3Uri": "s3://bucket/x", "LocalPath": "/opt/ml/../x"}}, "below /opt/ml only"),
]


@pytest.mark.parametrize(("members", "message"), REFUSED)
def test_what_cannot_run_here_is_refused_with_the_reason(
    aws_session: boto3.Session, start_job: StartJob, members: Mapping[str, Any], message: str
) -> None:
    """When the job is created."""
    with pytest.raises(ClientError) as refused:
        start_job(aws_session, ["true"], **members)
    assert message in refused.value.response["Error"]["Message"]


def _checkpoints(uri: str, **members: str) -> dict[str, Any]:
    return {"CheckpointConfig": {"S3Uri": uri, **members}}


@pytest.mark.parametrize("path", ["/opt/ml/checkpoints", "/opt/ml/own/place/"])
def test_a_job_resumes_from_the_checkpoints_of_another(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob, path: str
) -> None:
    """They are restored to every instance, and a job saves to the same place."""
    s3, bucket = aws_session.client("s3"), f"checkpoints-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    given = {} if path == "/opt/ml/checkpoints" else {"LocalPath": path}
    uri = f"s3://{bucket}/run"
    save = _shell(f"mkdir -p {path}/epoch; echo 1 >{path}/epoch/weights")
    assert _end(sagemaker, start_job(aws_session, save, **_checkpoints(uri, **given)))["TrainingJobStatus"] == FINAL[0]
    s3.put_object(Bucket=bucket, Key="run/../../escaped", Body=b"")
    s3.put_object(Bucket=bucket, Key="running/other", Body=b"")
    resume = _shell(f"cd {path}; find . -type f; cat epoch/weights; echo 2 >{path}/$SM_CURRENT_HOST")
    name = start_job(aws_session, resume, ResourceConfig=_resources(2), **_checkpoints(uri, **given))
    job = _end(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert _logs(aws_session, name) == {host: ["./epoch/weights", "1"] for host in ("algo-1", "algo-2")}
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="run/")["Contents"]]
    assert keys == ["run/../../escaped", "run/algo-1", "run/algo-2", "run/epoch/weights"]


def test_what_a_failing_job_has_saved_is_brought_back(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """It uploads before it fails, as SageMaker does: the next attempt goes on from its last checkpoint."""
    s3, bucket = aws_session.client("s3"), f"checkpoints-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    script = "cd /opt/ml; echo 1 >checkpoints/last; echo 2 >output/data/trace; echo 3 >model/half; exit 3"
    job = _end(sagemaker, name := start_job(aws_session, _shell(script), **_checkpoints(f"s3://{bucket}/run/")))
    assert job["FailureReason"] == "AlgorithmError: , exit code: 3"
    assert [each["Status"] for each in job["SecondaryStatusTransitions"]][-2:] == ["Uploading", "Failed"]
    assert s3.get_object(Bucket=bucket, Key="run/last")["Body"].read() == b"1\n"
    assert _archive(aws_session, name, "output.tar.gz") == {"trace": b"2\n"}
    assert _archive(aws_session, name, "model.tar.gz") == {"half": b"3\n"}


def test_the_reason_of_the_script_wins_over_that_of_the_upload(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """What comes first explains the rest; alone, the upload's failure is the job's."""
    nowhere = {"OutputDataConfig": {"S3OutputPath": f"s3://nowhere-{uuid4().hex[:12]}/output"}}
    failed = _end(sagemaker, start_job(aws_session, _shell("exit 3"), **nowhere))
    assert failed["FailureReason"] == "AlgorithmError: , exit code: 3"
    done = _end(sagemaker, start_job(aws_session, ["true"], **nowhere))
    assert done["FailureReason"].startswith("ClientError: Artifact upload failed:")


def test_checkpoints_are_saved_while_the_script_runs(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """A job that is killed loses little: what it saved is in S3 before it ends."""
    s3, bucket = aws_session.client("s3"), f"checkpoints-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    script = "echo 1 >/opt/ml/checkpoints/first; while :; do sleep 0.05; done"
    name = start_job(aws_session, _shell(script), **_checkpoints(f"s3://{bucket}/run/"))
    deadline = time.monotonic() + 40
    while not s3.list_objects_v2(Bucket=bucket).get("KeyCount") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert s3.get_object(Bucket=bucket, Key="run/first")["Body"].read() == b"1\n"
    assert sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress"
    sagemaker.stop_training_job(TrainingJobName=name)


@pytest.fixture
def no_capacity(embedded_aws: Running) -> Iterator[Callable[[str], None]]:
    """Says of what the server has none, until the test ends."""
    file = embedded_aws.log_path.parent / capacity.NO_CAPACITY_FILE
    yield lambda text: file.write_text(text) and None
    file.unlink(missing_ok=True)


def _default_subnets(session: boto3.Session) -> dict[str, str]:
    """AZ id -> subnet of the default VPC."""
    own = [{"Name": "default-for-az", "Values": ["true"]}]
    found = session.client("ec2").describe_subnets(Filters=own)["Subnets"]
    return {each["AvailabilityZoneId"]: each["SubnetId"] for each in found}


@pytest.mark.parametrize(
    ("lacking", "zones", "status"),
    [
        ("ml.m5.large", [], "Failed"),
        ("ml.p3.2xlarge, ml.m5.large\n", ["use1-az1"], "Failed"),
        ("ml.p3.2xlarge", [], "Completed"),
        ("ml.m5.large@use1-az1", ["use1-az1"], "Failed"),
        ("ml.m5.large@use1-az1", ["use1-az2"], "Completed"),
        ("ml.m5.large@use1-az1", ["use1-az1", "use1-az2"], "Completed"),
        ("ml.m5.large@use1-az1\nml.m5.large@use1-az2", ["use1-az1", "use1-az2"], "Failed"),
        ("ml.m5.large@use1-az1", [], "Completed"),
    ],
)
def test_instances_that_are_not_to_be_had_fail_the_job(
    aws_session: boto3.Session,
    sagemaker: Any,
    start_job: StartJob,
    no_capacity: Callable[[str], None],
    lacking: str,
    zones: list[str],
    status: str,
) -> None:
    """In SageMaker's words and before anything is downloaded; a job with subnets elsewhere starts."""
    no_capacity(lacking)
    subnets, ec2 = _default_subnets(aws_session), aws_session.client("ec2")
    vpc_id = ec2.describe_subnets(SubnetIds=[subnets["use1-az1"]])["Subnets"][0]["VpcId"]
    group = ec2.create_security_group(GroupName=uuid4().hex, Description="-", VpcId=vpc_id)["GroupId"]
    vpc = {"VpcConfig": {"Subnets": [subnets[each] for each in zones], "SecurityGroupIds": [group]}} if zones else {}
    job = _end(sagemaker, start_job(aws_session, ["true"], **vpc))
    assert job["TrainingJobStatus"] == status
    if status == "Failed":
        assert job["FailureReason"] == (
            "CapacityError: Unable to provision requested ML compute capacity. "
            "Please retry using a different ML instance type."
        )
        assert [each["Status"] for each in job["SecondaryStatusTransitions"]] == ["Starting", "Failed"]
        assert "BillableTimeInSeconds" not in job


def test_capacity_is_named_by_variable_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable of the server's environment and its file add up."""
    monkeypatch.setenv("HEADRACE_LOCAL_JOBS", str(tmp_path / "jobs"))
    monkeypatch.setenv("HEADRACE_LOCAL_NO_CAPACITY", "ml.p3.2xlarge,ml.m5.large")
    (tmp_path / "no-capacity").write_text("ml.g5.xlarge\n")
    for instance_type in ("ml.p3.2xlarge", "ml.m5.large", "ml.g5.xlarge"):
        with pytest.raises(JobFailed, match="CapacityError"):
            capacity.provision(_job("a", resources={"InstanceType": instance_type}))
    capacity.provision(_job("a", resources={"InstanceType": "ml.m5.xlarge"}))


def test_a_warm_pool_is_kept_after_a_job(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """In use, then available for the time that was asked for; a job without one has no such status."""
    resources = _resources(1, KeepAlivePeriodInSeconds=600)
    name = start_job(aws_session, _shell('exec python3 -c "$GO"'), ResourceConfig=resources, Environment={"GO": GO})
    assert sagemaker.describe_training_job(TrainingJobName=name)["WarmPoolStatus"] == {"Status": "InUse"}
    _go(aws_session, name)
    pool = _end(sagemaker, name)["WarmPoolStatus"]
    assert (pool["Status"], pool["ResourceRetainedBillableTimeInSeconds"] < 600) == ("Available", True)
    plain = start_job(aws_session, ["true"])
    assert "WarmPoolStatus" not in _end(sagemaker, plain)
    pages = sagemaker.get_paginator("list_training_jobs").paginate(WarmPoolStatusEquals="Available")
    listed = [each["TrainingJobName"] for page in pages for each in page["TrainingJobSummaries"]]
    assert (name in listed, plain in listed) == (True, False)


def test_a_warm_pool_ends_when_its_time_is_over() -> None:
    """And at once where the job did not complete."""
    for end, billed_seconds in (("Completed", 60), ("Failed", 0)):
        job = _job("a", resources=_resources(1, KeepAlivePeriodInSeconds=60))
        job.enter(end)
        job.transitions[-1].started -= timedelta(seconds=61)
        expected = {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": billed_seconds}
        assert job.describe()["WarmPoolStatus"] == expected


def test_spot_is_told_as_asked(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """Nothing interrupts a job here, and nothing is saved."""
    stopping = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90}
    job = _end(sagemaker, start_job(aws_session, ["true"], EnableManagedSpotTraining=True, StoppingCondition=stopping))
    assert (job["EnableManagedSpotTraining"], job["StoppingCondition"]) == (True, stopping)
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"]


def _job(name: str, status: str = "Starting", age_seconds: int = 0, resources: Any = None) -> TrainingJob:
    created = datetime.now(UTC) - timedelta(seconds=age_seconds)
    request = {"TrainingJobName": name, "ResourceConfig": resources or _resources(1)}
    job = TrainingJob(request=request, arn=f"arn:{name}", region="us-east-1", created=created)
    if status != "Starting":
        job.enter(status)
    return job


JOBS = [_job(f"job-{number:03}", ("Starting", "Completed")[number % 2], age_seconds=number) for number in range(250)]


def _pages(request: Mapping[str, Any]) -> list[list[str]]:
    pages, token = [], {}
    while True:
        page = listing.page({**request, **token}, JOBS)
        pages.append([each["TrainingJobName"] for each in page["TrainingJobSummaries"]])
        if "NextToken" not in page:
            return pages
        token = {"NextToken": page["NextToken"]}


NAMES = [job.name for job in JOBS]
LISTS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, NAMES[::-1]),
    ({"SortOrder": "Descending"}, NAMES),
    ({"SortBy": "Name"}, NAMES),
    ({"SortBy": "Name", "SortOrder": "Descending"}, NAMES[::-1]),
    ({"SortBy": "Status"}, NAMES[1::2] + NAMES[::2]),
    ({"StatusEquals": "InProgress", "SortBy": "Name"}, NAMES[::2]),
    ({"NameContains": "-24", "SortBy": "Name"}, NAMES[240:]),
    ({"CreationTimeAfter": time.time() - 100.5, "SortBy": "Name"}, NAMES[:101]),
    ({"CreationTimeBefore": time.time() - 100.5, "SortBy": "Name"}, NAMES[101:]),
    ({"LastModifiedTimeBefore": 0}, []),
]


@pytest.mark.parametrize(("request_members", "names"), LISTS)
@pytest.mark.parametrize("size", [None, 1, 7, 100])
def test_jobs_are_listed_in_order_and_in_full_pages(
    request_members: Mapping[str, Any], names: list[str], size: int | None
) -> None:
    """moto filters a page after taking it, knows no order, and has no pages unless asked."""
    pages = _pages({**request_members, **({"MaxResults": size} if size else {})})
    assert [name for page in pages for name in page] == names
    if "StatusEquals" not in request_members:
        assert {len(page) for page in pages[:-1]} <= {size or 10}


def test_a_page_may_have_nothing_of_a_status_and_more_to_come() -> None:
    """As the API Reference warns: MaxResults jobs are taken first, and then those of another status dropped."""
    jobs = [_job("old", "Completed", age_seconds=3), _job("new", age_seconds=1)]
    first = listing.page({"StatusEquals": "InProgress", "MaxResults": 1}, jobs)
    assert (first["TrainingJobSummaries"], first["NextToken"]) == ([], "old")
    rest = listing.page({"StatusEquals": "InProgress", "MaxResults": 1, "NextToken": "old"}, jobs)
    assert [each["TrainingJobName"] for each in rest["TrainingJobSummaries"]] == ["new"]
    assert "NextToken" not in rest


def test_a_page_is_not_shifted_by_jobs_that_come_meanwhile() -> None:
    """Newest first, the next page begins where the last one ended."""
    jobs = [_job("b", age_seconds=2), _job("a", age_seconds=1)]
    first = listing.page({"SortOrder": "Descending", "MaxResults": 1}, jobs)
    rest = listing.page({"SortOrder": "Descending", "NextToken": first["NextToken"]}, [*jobs, _job("new")])
    assert [each["TrainingJobName"] for each in rest["TrainingJobSummaries"]] == ["b"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"NextToken": "never-made"}, "pagination token is invalid"),
        ({"MaxResults": 101}, "MaxResults is 101"),
        ({"SortBy": "Age"}, "SortBy is 'Age'"),
    ],
)
def test_what_cannot_be_listed_is_refused(sagemaker: Any, members: Mapping[str, Any], message: str) -> None:
    """As the service does."""
    with pytest.raises(ClientError) as refused:
        sagemaker.list_training_jobs(**members)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert message in refused.value.response["Error"]["Message"]


def test_real_jobs_are_listed(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """By name, with their status and times as Describe gives them."""
    name = start_job(aws_session, ["true"])
    job = _end(sagemaker, name)
    (summary,) = sagemaker.list_training_jobs(NameContains=name, StatusEquals="Completed")["TrainingJobSummaries"]
    assert not sagemaker.list_training_jobs(NameContains=name, StatusEquals="Failed")["TrainingJobSummaries"]
    told = ("TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime", "SecondaryStatus")
    assert {each: summary[each] for each in told} == {each: job[each] for each in told}
    started = datetime.now(UTC) - timedelta(minutes=10)
    assert sagemaker.list_training_jobs(NameContains=name, CreationTimeAfter=started)["TrainingJobSummaries"]
    assert not sagemaker.list_training_jobs(NameContains=name, CreationTimeBefore=started)["TrainingJobSummaries"]
