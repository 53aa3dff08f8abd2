"""What the tests of training jobs in the embedded AWS share: waiting for a job, and reading what it left."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
from headrace_local.runner.job import TrainingJob

StartJob = Callable[..., str]
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
FINAL = ("Completed", "Failed", "Stopped")

GO = """
import boto3, os
waiter = boto3.client("s3").get_waiter("object_exists")
waiter.wait(Bucket=os.environ["TRAINING_JOB_NAME"], Key="go", WaiterConfig={"Delay": 0.1, "MaxAttempts": 400})
"""
"""Python that waits until the test says so; the name of a job's own bucket is the job's."""


def go(session: boto3.Session, name: str) -> None:
    """Let a job that waits by GO go on."""
    session.client("s3").put_object(Bucket=name, Key="go", Body=b"")


def shell(script: str) -> list[str]:
    """The command that runs a shell script."""
    return ["sh", "-c", script]


def resources(count: int, **members: Any) -> dict[str, Any]:
    """A ResourceConfig."""
    return {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1, **members}


def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    """Wait for a condition, or for the time to be over; the test says what must be then."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def wait(sagemaker: Any, name: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The job's description when a condition is true of it, or when the time is over."""
    described: dict[str, Any] = {}

    def is_so() -> bool:
        described.update(sagemaker.describe_training_job(TrainingJobName=name))
        return condition(described)

    until(is_so)
    return described


def end(sagemaker: Any, name: str) -> dict[str, Any]:
    """The job's description when it has ended."""
    return wait(sagemaker, name, lambda job: job["TrainingJobStatus"] in FINAL)


def statuses(job: Mapping[str, Any]) -> list[str]:
    """The secondary statuses that the job went through."""
    return [each["Status"] for each in job["SecondaryStatusTransitions"]]


def logs_by_host(session: boto3.Session, name: str) -> dict[str, list[str]]:
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


def archive(session: boto3.Session, name: str, file_name: str) -> dict[str, bytes]:
    """File name -> content of an archive that a job has left in its own bucket."""
    body = session.client("s3").get_object(Bucket=name, Key=f"output/{name}/output/{file_name}")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        files = {each.name: tar.extractfile(each) for each in tar.getmembers()}
        return {each: file.read() for each, file in files.items() if file is not None}


def new_bucket(session: boto3.Session) -> str:
    """A bucket with nothing in it."""
    name = f"data-{uuid4().hex[:12]}"
    session.client("s3").create_bucket(Bucket=name)
    return name


def s3_channel(name: str, uri: str, mode: str = "File", kind: str = "S3Prefix") -> dict[str, Any]:
    """A channel from S3."""
    source = {"S3DataType": kind, "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "InputMode": mode, "DataSource": {"S3DataSource": source}}


def a_job(name: str, status: str = "Starting", age_seconds: int = 0, config: Any = None) -> TrainingJob:
    """A job that nobody runs."""
    created = datetime.now(UTC) - timedelta(seconds=age_seconds)
    request = {"TrainingJobName": name, "ResourceConfig": config or resources(1)}
    job = TrainingJob(request=request, arn=f"arn:{name}", region="us-east-1", created=created)
    if status != "Starting":
        job.enter(status)
    return job
