"""Training jobs in the embedded AWS: what is refused, and what becomes of a job that really runs."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from headrace_local.runner import command, layout
from headrace_local.runner.instance import Instance
from headrace_local.runner.job import JobFailed
from headrace_local.runner.job_environment import toolkit_variables
from headrace_local.runner.s3_file import S3Object, plan, refuse_clashes
from headrace_local.runner.workspace import Workspace

StartJob = Callable[..., str]
LOG_GROUP = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def sagemaker(aws_session: boto3.Session) -> Any:
    """The SageMaker client."""
    return aws_session.client("sagemaker")


@pytest.fixture
def bucket(aws_session: boto3.Session) -> str:
    """A bucket with nothing in it."""
    name = f"data-{uuid4().hex[:12]}"
    aws_session.client("s3").create_bucket(Bucket=name)
    return name


def _channel(name: str, uri: str, mode: str = "File", kind: str = "S3Prefix") -> dict[str, Any]:
    source = {"S3DataType": kind, "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "InputMode": mode, "DataSource": {"S3DataSource": source}}


def _end(sagemaker: Any, name: str) -> dict[str, Any]:
    return _wait(sagemaker, name, lambda job: job["TrainingJobStatus"] not in ("InProgress", "Stopping"))


def _wait(sagemaker: Any, name: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 40
    while True:
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        if condition(job) or time.monotonic() > deadline:
            return job
        time.sleep(0.05)


def _statuses(job: Mapping[str, Any]) -> list[str]:
    return [each["Status"] for each in job["SecondaryStatusTransitions"]]


def _log(session: boto3.Session, name: str) -> list[str]:
    logs = session.client("logs")
    streams = logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
    return [
        event["message"]
        for each in streams
        for event in logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=each["logStreamName"])["events"]
    ]


SCRIPT = """
import json, os, pathlib, sys
ml = pathlib.Path("/opt/ml")
data = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"])
print("read", sorted(str(each.relative_to(data)) for each in data.rglob("*") if each.is_file()))
print("config", json.loads((ml / "input/config/hyperparameters.json").read_text()), os.environ["SM_HP_EPOCHS"])
print("host", json.loads((ml / "input/config/resourceconfig.json").read_text())["current_host"])
print("secret", os.environ.get("SECRET_OF_THE_HOST"), "own", os.environ["OWN"], "in", os.getcwd(), sys.argv[1])
print("loss=3.5 loss=2.5", file=sys.stderr)
(ml / "model/weights").write_text("w")
(ml / "output/data/plot").write_text("p")
(ml / "checkpoints/last").write_text("c")
"""


def test_a_job_runs_its_command_and_brings_everything_back(
    aws_session: boto3.Session, sagemaker: Any, bucket: str, start_job: StartJob
) -> None:
    """moto says Completed at once and runs nothing; here the script sees /opt/ml as in SageMaker's containers."""
    s3 = aws_session.client("s3")
    for key, text in (("code/train.py", SCRIPT), ("data/a.txt", "a"), ("data/deep/b.txt", "b"), ("data/", "")):
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
    name = start_job(
        aws_session,
        [],
        AlgorithmSpecification={
            "TrainingInputMode": "File",
            "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/training:1",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/train.py"],
            "ContainerArguments": ["argument"],
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
        InputDataConfig=[_channel("train", f"s3://{bucket}/data/"), _channel("code", f"s3://{bucket}/code")],
        HyperParameters={"epochs": "3"},
        Environment={"OWN": "value"},
        CheckpointConfig={"S3Uri": f"s3://{bucket}/checkpoints"},
    )
    job = _end(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), _log(aws_session, name))
    assert _log(aws_session, name) == [
        "read ['a.txt', 'deep/b.txt']",
        "config {'epochs': '3'} 3",
        "host algo-1",
        "secret None own value in /opt/ml/code argument",
        "loss=3.5 loss=2.5",
    ]
    assert _statuses(job) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    ends = [each["EndTime"] for each in job["SecondaryStatusTransitions"]]
    starts = [each["StartTime"] for each in job["SecondaryStatusTransitions"]]
    assert ends[:-1] == starts[1:]
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"] == job["LastModifiedTime"]
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] >= 1
    assert [(each["MetricName"], each["Value"]) for each in job["FinalMetricDataList"]] == [("loss", 2.5)]
    uri = f"s3://{name}/output/{name}/output/model.tar.gz"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == uri
    assert _archive(s3, name, f"output/{name}/output/model.tar.gz") == {"weights": b"w"}
    assert _archive(s3, name, f"output/{name}/output/output.tar.gz") == {"plot": b"p"}
    assert s3.get_object(Bucket=bucket, Key="checkpoints/last")["Body"].read() == b"c"
    assert name in [
        each["TrainingJobName"] for each in sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    ]


def _archive(s3: Any, bucket: str, key: str) -> dict[str, bytes]:
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        files = {each.name: tar.extractfile(each) for each in tar.getmembers()}
        return {name: file.read() for name, file in files.items() if file is not None}


FAILURES = [
    ("echo why >/opt/ml/output/failure; exit 3", "AlgorithmError: why, exit code: 3"),
    ("exit 4", "AlgorithmError: , exit code: 4"),
    ("kill -9 $$", "AlgorithmError: , exit code: 137"),
    ("no-such-program", "AlgorithmError: , exit code: 127"),
]


@pytest.mark.parametrize(("script", "reason"), FAILURES)
def test_a_job_whose_command_fails_says_why(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob, script: str, reason: str
) -> None:
    """The failure file's text is the reason, as SageMaker gives it."""
    job = _end(sagemaker, start_job(aws_session, ["sh", "-c", script]))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == reason


def test_a_script_may_remove_the_folders_of_its_results(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """Many a script removes a folder before it saves, and saves nothing."""
    name = start_job(aws_session, ["sh", "-c", "rm -r /opt/ml/model /opt/ml/output/data"])
    job = _end(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def test_a_script_that_prints_faster_than_lines_are_stored_waits_and_can_be_stopped(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """The queue is bounded: an endless script neither fills the memory nor outlives its stop."""
    name = start_job(aws_session, ["sh", "-c", "yes line"])
    _wait(sagemaker, name, lambda job: job["SecondaryStatus"] == "Training")
    sagemaker.stop_training_job(TrainingJobName=name)
    assert _end(sagemaker, name)["TrainingJobStatus"] == "Stopped"


@pytest.mark.parametrize("prefix", ["missing/", "dat/", "data/nothing"])
def test_a_prefix_without_objects_fails_the_job(
    aws_session: boto3.Session, sagemaker: Any, bucket: str, start_job: StartJob, prefix: str
) -> None:
    """In SageMaker's words, which say what to look at."""
    aws_session.client("s3").put_object(Bucket=bucket, Key="data/a", Body=b"")
    uri = f"s3://{bucket}/{prefix}"
    name = start_job(aws_session, ["true"], InputDataConfig=[_channel("train", uri)])
    job = _end(sagemaker, name)
    assert job["FailureReason"].startswith(
        f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input data source.'
    )
    assert _statuses(job) == ["Starting", "Downloading", "Failed"]


@pytest.mark.parametrize(
    ("key", "illegal"),
    [
        ("data/../../escaped", ".."),
        ("data//etc/passwd", "//"),
        ("data/a//b", "//"),
        ("data/./a", "."),
        ("data/..", ".."),
    ],
)
def test_a_hostile_key_never_leaves_its_folder(key: str, illegal: str) -> None:
    """A key is whatever somebody once wrote; those that are no path end the job before anything is written."""
    with pytest.raises(JobFailed, match="Data download failed") as failed:
        list(plan([S3Object("data/good", 1), S3Object(key, 1)], "data/"))
    assert f"illegal char sub-sequence '{illegal}'" in str(failed.value)


def test_a_job_with_a_hostile_key_fails_whole(
    aws_session: boto3.Session, sagemaker: Any, bucket: str, start_job: StartJob
) -> None:
    """Through the real listing and download."""
    s3 = aws_session.client("s3")
    for key in ("data/good", "data/a//b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    name = start_job(aws_session, ["true"], InputDataConfig=[_channel("train", f"s3://{bucket}/data/")])
    assert "illegal char sub-sequence '//'" in _end(sagemaker, name)["FailureReason"]


def test_an_object_that_is_also_a_folder_fails_the_job() -> None:
    """A file system holds one of the two."""
    with pytest.raises(JobFailed, match="'a' is an object and also the folder of 'a/b'"):
        refuse_clashes([PurePosixPath("a"), PurePosixPath("a/b")])
    refuse_clashes([PurePosixPath("a"), PurePosixPath("ab/a")])


@pytest.mark.parametrize(
    ("prefix", "paths"),
    [
        ("data/", {"data/a": "a", "data/deep/b": "deep/b"}),
        ("data", {"data/a": "a", "data/deep/b": "deep/b", "database/c": "database/c"}),
        ("data/de", {"data/deep/b": "deep/b"}),
        ("data/a", {"data/a": "a"}),
        ("", {"data/a": "data/a", "top": "top"}),
    ],
)
def test_where_an_object_lies_in_its_channel(prefix: str, paths: Mapping[str, str]) -> None:
    """The key without the folder that the prefix names, or in which it begins; markers of folders are no files."""
    objects = [S3Object("data/", 0), *(S3Object(key, 1) for key in paths)]
    assert {key: str(path) for key, path in plan(objects, prefix)} == paths


def test_stop_gives_the_script_time_to_save(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """moto has no StopTrainingJob; here SIGTERM comes first, and what the script then saves is uploaded."""
    script = "trap 'echo saved >/opt/ml/model/state; exit 0' TERM; echo ready; while :; do sleep 0.1; done"
    name = start_job(aws_session, ["sh", "-c", script])
    _wait(sagemaker, name, lambda job: job["SecondaryStatus"] == "Training")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not _has_log(aws_session, name, "ready"):
        time.sleep(0.05)
    sagemaker.stop_training_job(TrainingJobName=name)
    job = _end(sagemaker, name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert _statuses(job)[-4:] == ["Training", "Stopping", "Uploading", "Stopped"]
    assert _archive(aws_session.client("s3"), name, f"output/{name}/output/model.tar.gz") == {"state": b"saved\n"}
    with pytest.raises(ClientError, match="Stopped"):
        sagemaker.stop_training_job(TrainingJobName=name)


def _has_log(session: boto3.Session, name: str, line: str) -> bool:
    try:
        return line in _log(session, name)
    except session.client("logs").exceptions.ResourceNotFoundException:
        return False


def test_a_job_that_runs_too_long_is_stopped(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """MaxRuntimeInSeconds ends a job as Stopped, with the secondary status that says why."""
    name = start_job(aws_session, ["sleep", "300"], StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = _end(sagemaker, name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_name_is_used_once(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """In moto the second job takes the place of the first."""
    name = start_job(aws_session, ["true"])
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="already exists"):
        start_job(aws_session, ["true"], TrainingJobName=name)


def test_an_unknown_job_is_not_found(sagemaker: Any) -> None:
    """In the words that clients look for."""
    with pytest.raises(ClientError, match="Requested resource not found"):
        sagemaker.describe_training_job(TrainingJobName="never-made")


def _lustre_channel(mode: str) -> dict[str, Any]:
    source = {
        "FileSystemId": "fs-0123456789abcdef0",
        "FileSystemAccessMode": "ro",
        "FileSystemType": "FSxLustre",
        "DirectoryPath": "/abcdefgh",
    }
    return {"ChannelName": "a", "InputMode": mode, "DataSource": {"FileSystemDataSource": source}}


_ALGORITHM = {"TrainingInputMode": "File", "TrainingImage": "image"}
_VPC = {"SecurityGroupIds": ["sg-00000000000000000"], "Subnets": ["subnet-00000000000000000"]}
REFUSED = [
    ({"RoleArn": "arn:aws:iam::123456789012:role/none"}, "Could not assume role arn:aws:iam::123456789012:role/none"),
    ({"VpcConfig": _VPC}, "The subnet ID 'subnet-00000000000000000' does not exist"),
    ({"AlgorithmSpecification": _ALGORITHM}, "ContainerEntrypoint must name the command"),
    ({"ResourceConfig": {"InstanceType": "ml.p9.huge", "InstanceCount": 1, "VolumeSizeInGB": 1}}, "ml.p9.huge"),
    ({"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90}}, "EnableManagedSpotTraining"),
    ({"InputDataConfig": [_channel("a", "s3://b/c"), _channel("a", "s3://b/c")]}, "channel a is given 2 times"),
    ({"InputDataConfig": [_channel("a", "s3://b/c", "FastFile", "ManifestFile")]}, "supports S3DataType S3Prefix only"),
    ({"InputDataConfig": [_channel("a", "s3://b/c", kind="AugmentedManifestFile")]}, "Pipe mode only"),
    (
        {"InputDataConfig": [_lustre_channel("Pipe")]},
        "Pipe is not supported with a file system",
    ),
    ({"InputDataConfig": [_lustre_channel("File")]}, "VpcConfig is required"),
]


@pytest.mark.parametrize(("members", "message"), REFUSED)
def test_what_is_refused_before_anything_starts(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob, members: Mapping[str, Any], message: str
) -> None:
    """moto accepts all of these."""
    name = f"refused-{uuid4().hex[:12]}"
    with pytest.raises(ClientError) as refused:
        start_job(aws_session, ["true"], TrainingJobName=name, **members)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert message in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError, match="not found"):
        sagemaker.describe_training_job(TrainingJobName=name)


def test_the_toolkits_variables() -> None:
    """Hyperparameters are decoded where they are JSON; those of the SDK itself are left out."""
    variables = toolkit_variables(
        {
            "ResourceConfig": {"InstanceType": "ml.m5.large"},
            "AlgorithmSpecification": {"TrainingInputMode": "File"},
            "InputDataConfig": [_channel("train", "s3://b/c")],
            "HyperParameters": {"lr": "0.5", "name": "plain text", "layers": "[1, 2]", "sagemaker_program": "x.py"},
        },
        Instance(number=0, hosts=("algo-1",), workspace=Workspace(directory=Path("unused"))),
    )
    assert json.loads(variables["SM_HPS"]) == {"lr": 0.5, "name": "plain text", "layers": [1, 2]}
    assert (variables["SM_HP_LR"], variables["SM_HP_NAME"], variables["SM_HP_LAYERS"]) == (
        "0.5",
        "plain text",
        "[1, 2]",
    )
    assert json.loads(variables["SM_CHANNELS"]) == ["train"]
    assert variables["SM_CHANNEL_TRAIN"] == "/opt/ml/input/data/train"
    assert json.loads(variables["SM_INPUT_DATA_CONFIG"])["train"]["TrainingInputMode"] == "File"


def test_without_a_mount_namespace_the_folder_stands_for_opt_ml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system allows none, command and environment are rewritten, and the log says so."""
    monkeypatch.setattr(command, "mount_prefix", lambda: None)
    workspace = Workspace(directory=tmp_path / "job")
    instance = Instance(number=0, hosts=("algo-1",), workspace=workspace)
    layout.prepare(instance, {"ResourceConfig": {"InstanceType": "ml.m5.large"}})
    line = ["sh", "-c", 'echo hi >/opt/ml/model/a; echo "$WHERE"']
    started = command.start(line, {"WHERE": "/opt/ml/model", "PATH": "/usr/bin:/bin"}, workspace)
    output, _ = started.process.communicate()
    assert output.decode().strip() == str(workspace.opt_ml / "model")
    assert (workspace.opt_ml / "model" / "a").read_text() == "hi\n"
    assert started.notice is not None
    assert str(workspace.opt_ml) in started.notice


@pytest.mark.skipif(command.mount_prefix() is None, reason="this system allows no mount namespace")
def test_the_mount_leaves_nothing_behind_and_hides_nothing(tmp_path: Path) -> None:
    """The host's /opt is as it was, and what else lies there is visible to the job."""
    before = sorted(each.name for each in Path("/opt").iterdir())
    workspace = Workspace(directory=tmp_path / "job")
    instance = Instance(number=0, hosts=("algo-1",), workspace=workspace)
    layout.prepare(instance, {"ResourceConfig": {"InstanceType": "ml.m5.large"}})
    started = command.start(["ls", "-A", "/opt"], {"PATH": "/usr/bin:/bin"}, workspace)
    output, _ = started.process.communicate()
    assert set(output.decode().split()) == {*before, "ml"}
    assert sorted(each.name for each in Path("/opt").iterdir()) == before
    assert not list(workspace.mount_stage.iterdir())
