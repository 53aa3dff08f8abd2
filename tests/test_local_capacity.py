"""What the job API of the embedded AWS says of instances: capacity that is lacking, warm pools, Spot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from headrace_local.process import Running
from headrace_local.runner import capacity
from headrace_local.runner.job import JobFailed

from tests.training_jobs import GO, StartJob, a_job, end, go, resources, shell


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
    job = end(sagemaker, start_job(aws_session, ["true"], **vpc))
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
            capacity.provision(a_job("a", config={"InstanceType": instance_type}))
    capacity.provision(a_job("a", config={"InstanceType": "ml.m5.xlarge"}))


def test_a_warm_pool_is_kept_after_a_job(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """In use, then available for the time that was asked for; a job without one has no such status."""
    kept = resources(1, KeepAlivePeriodInSeconds=600)
    name = start_job(aws_session, shell('exec python3 -c "$GO"'), ResourceConfig=kept, Environment={"GO": GO})
    assert sagemaker.describe_training_job(TrainingJobName=name)["WarmPoolStatus"] == {"Status": "InUse"}
    go(aws_session, name)
    pool = end(sagemaker, name)["WarmPoolStatus"]
    assert (pool["Status"], pool["ResourceRetainedBillableTimeInSeconds"] < 600) == ("Available", True)
    plain = start_job(aws_session, ["true"])
    assert "WarmPoolStatus" not in end(sagemaker, plain)
    pages = sagemaker.get_paginator("list_training_jobs").paginate(WarmPoolStatusEquals="Available")
    listed = [each["TrainingJobName"] for page in pages for each in page["TrainingJobSummaries"]]
    assert (name in listed, plain in listed) == (True, False)


def test_a_warm_pool_ends_when_its_time_is_over() -> None:
    """And at once where the job did not complete."""
    for status, billed_seconds in (("Completed", 60), ("Failed", 0)):
        job = a_job("a", config=resources(1, KeepAlivePeriodInSeconds=60))
        job.enter(status)
        job.transitions[-1].started -= timedelta(seconds=61)
        expected = {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": billed_seconds}
        assert job.describe()["WarmPoolStatus"] == expected


def test_spot_is_told_as_asked(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """Nothing interrupts a job here, and nothing is saved."""
    stopping = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90}
    job = end(sagemaker, start_job(aws_session, ["true"], EnableManagedSpotTraining=True, StoppingCondition=stopping))
    assert (job["EnableManagedSpotTraining"], job["StoppingCondition"]) == (True, stopping)
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"]
