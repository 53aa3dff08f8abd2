"""Training jobs in the embedded AWS: what becomes of a job that really runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from headrace_local.runner import command, layout
from headrace_local.runner.instance import Instance
from headrace_local.runner.workspace import Workspace

from tests.training_jobs import StartJob, archive, end, logs_by_host, new_bucket, s3_channel, statuses, until, wait

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
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """moto says Completed at once and runs nothing; here the script sees /opt/ml as in SageMaker's containers."""
    bucket = new_bucket(aws_session)
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
        InputDataConfig=[s3_channel("train", f"s3://{bucket}/data/"), s3_channel("code", f"s3://{bucket}/code")],
        HyperParameters={"epochs": "3"},
        Environment={"OWN": "value"},
        CheckpointConfig={"S3Uri": f"s3://{bucket}/checkpoints"},
    )
    job = end(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), logs_by_host(aws_session, name))
    assert logs_by_host(aws_session, name)["algo-1"] == [
        "read ['a.txt', 'deep/b.txt']",
        "config {'epochs': '3'} 3",
        "host algo-1",
        "secret None own value in /opt/ml/code argument",
        "loss=3.5 loss=2.5",
    ]
    assert statuses(job) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    ends = [each["EndTime"] for each in job["SecondaryStatusTransitions"]]
    starts = [each["StartTime"] for each in job["SecondaryStatusTransitions"]]
    assert ends[:-1] == starts[1:]
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"] == job["LastModifiedTime"]
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] >= 1
    assert [(each["MetricName"], each["Value"]) for each in job["FinalMetricDataList"]] == [("loss", 2.5)]
    uri = f"s3://{name}/output/{name}/output/model.tar.gz"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == uri
    assert archive(aws_session, name, "model.tar.gz") == {"weights": b"w"}
    assert archive(aws_session, name, "output.tar.gz") == {"plot": b"p"}
    assert s3.get_object(Bucket=bucket, Key="checkpoints/last")["Body"].read() == b"c"
    assert name in [
        each["TrainingJobName"] for each in sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    ]


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
    job = end(sagemaker, start_job(aws_session, ["sh", "-c", script]))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == reason


def test_a_script_may_remove_the_folders_of_its_results(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """Many a script removes a folder before it saves, and saves nothing."""
    name = start_job(aws_session, ["sh", "-c", "rm -r /opt/ml/model /opt/ml/output/data"])
    job = end(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def test_a_script_that_prints_faster_than_lines_are_stored_waits_and_can_be_stopped(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """The queue is bounded: an endless script neither fills the memory nor outlives its stop."""
    name = start_job(aws_session, ["sh", "-c", "yes line"])
    wait(sagemaker, name, lambda job: job["SecondaryStatus"] == "Training")
    sagemaker.stop_training_job(TrainingJobName=name)
    assert end(sagemaker, name)["TrainingJobStatus"] == "Stopped"


def test_stop_gives_the_script_time_to_save(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """moto has no StopTrainingJob; here SIGTERM comes first, and what the script then saves is uploaded."""
    script = "trap 'echo saved >/opt/ml/model/state; exit 0' TERM; echo ready; while :; do sleep 0.1; done"
    name = start_job(aws_session, ["sh", "-c", script])
    wait(sagemaker, name, lambda job: job["SecondaryStatus"] == "Training")
    until(lambda: logs_by_host(aws_session, name) == {"algo-1": ["ready"]})
    sagemaker.stop_training_job(TrainingJobName=name)
    job = end(sagemaker, name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert statuses(job)[-4:] == ["Training", "Stopping", "Uploading", "Stopped"]
    assert archive(aws_session, name, "model.tar.gz") == {"state": b"saved\n"}
    with pytest.raises(ClientError, match="Stopped"):
        sagemaker.stop_training_job(TrainingJobName=name)


def test_a_job_that_runs_too_long_is_stopped(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """MaxRuntimeInSeconds ends a job as Stopped, with the secondary status that says why."""
    name = start_job(aws_session, ["sleep", "300"], StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = end(sagemaker, name)
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
