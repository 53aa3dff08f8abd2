"""Checkpoints, and what else a job brings back, in the embedded AWS: restored, saved meanwhile, kept when it fails."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import pytest
from headrace_local.runner.checkpoints import Checkpoints
from headrace_local.runner.workspace import Workspace

from tests.training_jobs import FINAL, StartJob, archive, end, logs_by_host, new_bucket, resources, shell


def _checkpoints(uri: str, **members: str) -> dict[str, Any]:
    return {"CheckpointConfig": {"S3Uri": uri, **members}}


@pytest.mark.parametrize("path", ["/opt/ml/checkpoints", "/opt/ml/own/place/"])
def test_a_job_resumes_from_the_checkpoints_of_another(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob, path: str
) -> None:
    """They are restored to every instance, and a job saves to the same place."""
    s3, bucket = aws_session.client("s3"), new_bucket(aws_session)
    given = {} if path == "/opt/ml/checkpoints" else {"LocalPath": path}
    uri = f"s3://{bucket}/run"
    save = shell(f"mkdir -p {path}/epoch; echo 1 >{path}/epoch/weights")
    assert end(sagemaker, start_job(aws_session, save, **_checkpoints(uri, **given)))["TrainingJobStatus"] == FINAL[0]
    s3.put_object(Bucket=bucket, Key="run/../../escaped", Body=b"")
    s3.put_object(Bucket=bucket, Key="running/other", Body=b"")
    resume = shell(f"cd {path}; find . -type f; cat epoch/weights; echo 2 >{path}/$SM_CURRENT_HOST")
    name = start_job(aws_session, resume, ResourceConfig=resources(2), **_checkpoints(uri, **given))
    job = end(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert logs_by_host(aws_session, name) == {host: ["./epoch/weights", "1"] for host in ("algo-1", "algo-2")}
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="run/")["Contents"]]
    assert keys == ["run/../../escaped", "run/algo-1", "run/algo-2", "run/epoch/weights"]


def test_what_a_failing_job_has_saved_is_brought_back(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """It uploads before it fails, as SageMaker does: the next attempt goes on from its last checkpoint."""
    s3, bucket = aws_session.client("s3"), new_bucket(aws_session)
    script = "cd /opt/ml; echo 1 >checkpoints/last; echo 2 >output/data/trace; echo 3 >model/half; exit 3"
    job = end(sagemaker, name := start_job(aws_session, shell(script), **_checkpoints(f"s3://{bucket}/run/")))
    assert job["FailureReason"] == "AlgorithmError: , exit code: 3"
    assert [each["Status"] for each in job["SecondaryStatusTransitions"]][-2:] == ["Uploading", "Failed"]
    assert s3.get_object(Bucket=bucket, Key="run/last")["Body"].read() == b"1\n"
    assert archive(aws_session, name, "output.tar.gz") == {"trace": b"2\n"}
    assert archive(aws_session, name, "model.tar.gz") == {"half": b"3\n"}


def test_the_reason_of_the_script_wins_over_that_of_the_upload(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """What comes first explains the rest; alone, the upload's failure is the job's."""
    nowhere = {"OutputDataConfig": {"S3OutputPath": f"s3://nowhere-{uuid4().hex[:12]}/output"}}
    failed = end(sagemaker, start_job(aws_session, shell("exit 3"), **nowhere))
    assert failed["FailureReason"] == "AlgorithmError: , exit code: 3"
    done = end(sagemaker, start_job(aws_session, ["true"], **nowhere))
    assert done["FailureReason"].startswith("ClientError: Artifact upload failed:")


def test_checkpoints_are_saved_while_the_script_runs(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """A job that is killed loses little: what it saved is in S3 before it ends."""
    s3, bucket = aws_session.client("s3"), new_bucket(aws_session)
    script = "echo 1 >/opt/ml/checkpoints/first; while :; do sleep 0.05; done"
    name = start_job(aws_session, shell(script), **_checkpoints(f"s3://{bucket}/run/"))
    deadline = time.monotonic() + 40
    while not s3.list_objects_v2(Bucket=bucket).get("KeyCount") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert s3.get_object(Bucket=bucket, Key="run/first")["Body"].read() == b"1\n"
    assert sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress"
    sagemaker.stop_training_job(TrainingJobName=name)


def test_only_what_has_changed_is_saved_again(tmp_path: Path) -> None:
    """What is saved every second is not all that there is."""
    uploaded: list[str] = []
    s3 = SimpleNamespace(upload_file=lambda _path, _bucket, key: uploaded.append(key))
    workspace = Workspace(directory=tmp_path)
    checkpoints = Checkpoints(s3, _checkpoints("s3://bucket/run"), [workspace])
    folder = workspace.opt_ml / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "a").write_text("1")
    (folder / "b").write_text("1")
    checkpoints.save()
    checkpoints.save()
    (folder / "b").write_text("22")
    checkpoints.save()
    assert uploaded == ["run/a", "run/b", "run/b"]
