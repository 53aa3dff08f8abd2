"""Fixtures for tests that talk to the embedded AWS: the real server in its own process, real boto3 clients."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber
from headrace import launch
from headrace.aws import Aws
from headrace.ephemeral import flows, reaper, starting
from headrace.platform import FoundationPart, Platform, parameter_path, parse_platform
from headrace_local import process
from headrace_local.environment import leads_elsewhere
from headrace_local.guard import closed_environment
from headrace_local.process import Running

from tests.flow_records import EPHEMERAL_PLATFORM

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT_NAME = "dev"
STUBBED_REGION = "eu-west-1"


@pytest.fixture(scope="session")
def embedded_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One embedded AWS for all tests of the session; nothing of it is left afterwards."""
    directory: Path = tmp_path_factory.mktemp("embedded-aws")
    with process.running(directory) as server:
        yield server


@pytest.fixture(scope="session")
def _one_session() -> boto3.Session:
    """A session that has read the service models once: making clients from it is quick."""
    return boto3.Session()


@pytest.fixture
def aws_session(embedded_aws: Running, _one_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """A boto3 session on the embedded AWS; the test's environment leads every other client there too."""
    for name in filter(leads_elsewhere, list(os.environ)):
        monkeypatch.delenv(name)
    for name, value in embedded_aws.environment().items():
        monkeypatch.setenv(name, value)
    return _one_session


@pytest.fixture
def sagemaker(aws_session: boto3.Session) -> Any:
    """The SageMaker client of the embedded AWS."""
    return aws_session.client("sagemaker")


@pytest.fixture(scope="session")
def _stubbed_session() -> boto3.Session:
    return boto3.Session("x", "x", region_name=STUBBED_REGION)


@pytest.fixture
def aws(_stubbed_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A facade whose clients are stubbed, by ``stubbed``; no call leaves. Some modules have another of their own."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(boto3, "Session", lambda **_: _stubbed_session)
    return Aws(STUBBED_REGION)


def stubbed(aws: Aws, service: str) -> Stubber:
    """What a service answers to :func:`aws`."""
    stubber = Stubber(aws.connection.client(service))
    stubber.activate()
    return stubber


@pytest.fixture
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flows of records are followed without a pause, on a platform with machines."""
    for module, name in (
        (flows, "FIRST_POLL_SECONDS"),
        (flows, "_SLOWEST_POLL_SECONDS"),
        (launch, "_LAST_LINES_SECONDS"),
        (reaper, "_PAUSE_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 0)
    monkeypatch.setattr(starting, "PAUSES_SECONDS", (0.0, 0.0, 0.0, 0.0))
    monkeypatch.setattr(launch, "read_platform", lambda _aws, _platform=None: EPHEMERAL_PLATFORM)


TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def start_job() -> Callable[..., str]:
    """Starts a training job that runs a command, in a bucket and with a role of its own; gives the job's name.

    Further members of the request, or others in place of its own, are keyword arguments.
    """

    def start(session: boto3.Session, command: Sequence[str], **members: Any) -> str:
        name = f"job-{uuid4().hex[:12]}"
        session.client("s3").create_bucket(Bucket=name)
        role = session.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        request = {
            "TrainingJobName": name,
            "RoleArn": role["Role"]["Arn"],
            "AlgorithmSpecification": {
                "TrainingInputMode": "File",
                "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/training:1",
                "ContainerEntrypoint": list(command),
            },
            "OutputDataConfig": {"S3OutputPath": f"s3://{name}/output"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }
        session.client("sagemaker").create_training_job(**(request | members))
        return str((request | members)["TrainingJobName"])

    return start


@dataclass(frozen=True)
class DeployedPlatform:
    """The stacks of the environment ``dev``, deployed into the embedded AWS, and how to talk to it."""

    environment: Mapping[str, str]
    platform: Platform

    @property
    def foundation(self) -> FoundationPart:
        """What lives as long as the platform."""
        return self.platform.foundation

    def client(self, service: str) -> Any:
        """A boto3 client of the embedded AWS."""
        return _client(self.environment, service)

    def push_image(self, image: str) -> None:
        """Put an image without layers into ECR, ``repository:tag``; the repository must not be there yet."""
        repository, tag = image.split(":")
        media_type = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = json.dumps({"schemaVersion": 2, "mediaType": media_type, "layers": []})
        self.client("ecr").create_repository(repositoryName=repository)
        self.client("ecr").put_image(repositoryName=repository, imageTag=tag, imageManifest=manifest)


def _client(environment: Mapping[str, str], service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture(scope="session")
def deployed(embedded_aws: Running, tmp_path_factory: pytest.TempPathFactory) -> DeployedPlatform:
    """The platform, deployed once by the real CDK CLI as ``make deploy`` does."""
    environment = closed_environment(embedded_aws.environment())
    command = [str(ROOT / "node_modules" / ".bin" / "cdk"), "deploy", "--all", "-c", f"env={ENVIRONMENT_NAME}"]
    options = ["--require-approval", "never", "--no-notices", "--output", str(tmp_path_factory.mktemp("cdk.out"))]
    done = subprocess.run([*command, *options], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    ssm = _client(environment, "ssm")
    found = ssm.get_parameters_by_path(Path=parameter_path(ENVIRONMENT_NAME))["Parameters"]
    parameters = {each["Name"]: each["Value"] for each in found}
    return DeployedPlatform(environment=environment, platform=parse_platform(ENVIRONMENT_NAME, parameters))
