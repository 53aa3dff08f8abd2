"""What CreateTrainingJob refuses, in the service's words where they are known.

The request is held against the botocore service model in full first; then against what exists in the account; then
against what the embedded AWS can run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headrace.service_model import violations

from headrace_local.moto_extension.clients import client
from headrace_local.runner import channels, checkpoints
from headrace_local.runner.layout import input_mode

Request = Mapping[str, Any]
MAX_INSTANCES: Final = 8
"""Each instance is a process of this machine, with a copy of its data in File mode."""


def refusals(request: Request, region: str) -> list[str]:
    """Everything against the request, most basic first; later checks run only on a request of the right form."""
    wrong = violations("sagemaker", "CreateTrainingJob", request)
    if wrong:
        return [str(each) for each in wrong]
    return [
        *_role(request, region),
        *_network(request, region),
        *_channels(request),
        *_metrics(request["AlgorithmSpecification"]),
        *_stopping(request),
        *_what_can_run(request),
    ]


def _role(request: Request, region: str) -> Iterator[str]:
    arn, iam = request["RoleArn"], client("iam", region)
    try:
        role = iam.get_role(RoleName=arn.rsplit("/", 1)[-1])["Role"]
    except iam.exceptions.NoSuchEntityException:
        role = {}
    if role.get("Arn") != arn or "sagemaker.amazonaws.com" not in str(role["AssumeRolePolicyDocument"]):
        yield (
            f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
            "'sagemaker.amazonaws.com' to assume the role."
        )


def _network(request: Request, region: str) -> Iterator[str]:
    vpc, ec2 = request.get("VpcConfig"), client("ec2", region)
    if vpc is None:
        return
    try:
        ec2.describe_subnets(SubnetIds=list(vpc["Subnets"]))
        ec2.describe_security_groups(GroupIds=list(vpc["SecurityGroupIds"]))
    except ec2.exceptions.ClientError as error:
        yield error.response["Error"]["Message"]


def _channels(request: Request) -> Iterator[str]:
    given = request.get("InputDataConfig", ())
    names = Counter(each["ChannelName"] for each in given)
    for name, times in names.items():
        if times > 1:
            yield f"channel {name} is given {times} times; channel names must be unique"
        if name in (".", ".."):
            yield f"channel {name}: its name cannot be that of a folder"
    for each in given:
        fifo = re.compile(rf"{re.escape(each['ChannelName'])}_\d+")
        for name in filter(fifo.fullmatch, names if input_mode(each, request) == "Pipe" else ()):
            yield f"channel {name} has the name of a FIFO of channel {each['ChannelName']}, which is in Pipe mode"
        yield from channels.refusals(each, request)


def _metrics(algorithm: Mapping[str, Any]) -> Iterator[str]:
    for each in algorithm.get("MetricDefinitions", ()):
        try:
            re.compile(each["Regex"])
        except re.error as error:
            yield f"MetricDefinitions: Regex {each['Regex']!r} of {each['Name']} is no regular expression: {error}"


def _stopping(request: Request) -> Iterator[str]:
    stopping, is_spot = request["StoppingCondition"], request.get("EnableManagedSpotTraining", False)
    wait, runtime = stopping.get("MaxWaitTimeInSeconds"), stopping.get("MaxRuntimeInSeconds", 86_400)
    if is_spot and wait is None:
        yield "MaxWaitTimeInSeconds is required when EnableManagedSpotTraining is true"
    if wait is not None and not is_spot:
        yield "MaxWaitTimeInSeconds is supported only when EnableManagedSpotTraining is true"
    if wait is not None and wait < runtime:
        yield f"MaxWaitTimeInSeconds {wait} must be at least MaxRuntimeInSeconds {runtime}"


def _what_can_run(request: Request) -> Iterator[str]:
    if not request["AlgorithmSpecification"].get("ContainerEntrypoint"):
        yield (
            "the embedded AWS runs no container image: AlgorithmSpecification.ContainerEntrypoint must name the "
            "command of the job"
        )
    yield from _instances(request["ResourceConfig"])
    yield from checkpoints.refusals(request)
    if request["OutputDataConfig"].get("CompressionType", "GZIP") != "GZIP":
        yield "the embedded AWS uploads models as model.tar.gz: OutputDataConfig.CompressionType must be GZIP"


def _instances(resources: Mapping[str, Any]) -> Iterator[str]:
    count = resources.get("InstanceCount")
    if resources.get("InstanceGroups"):
        yield (
            "ResourceConfig.InstanceGroups: the embedded AWS runs no heterogeneous cluster, since all instances would "
            "be this machine; give InstanceType and InstanceCount"
        )
    elif "InstanceType" not in resources or not count:
        yield "ResourceConfig needs InstanceType, and InstanceCount of at least 1"
    elif count > MAX_INSTANCES:
        yield (
            f"ResourceConfig.InstanceCount {count}: the embedded AWS runs at most {MAX_INSTANCES} instances of a job, "
            "since all are processes of this machine"
        )
