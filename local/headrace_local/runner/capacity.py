"""Instances that AWS has not got: a way to see how a client takes it.

What is not to be had stands in the variable HEADRACE_LOCAL_NO_CAPACITY of the server's environment, or in the file
``no-capacity`` of its directory, which may change while it runs: instance types, separated by commas or lines, each
for all zones or, as ``ml.m5.large@use1-az1``, for one.
"""

from __future__ import annotations

from typing import Final

from headrace_local.moto_extension.clients import client
from headrace_local.runner.job import JobFailed, TrainingJob
from headrace_local.settings import NO_CAPACITY_VARIABLE, words_of

NO_CAPACITY_FILE: Final = "no-capacity"
MESSAGE: Final = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)


def provision(job: TrainingJob) -> None:
    """Raises JobFailed, in SageMaker's words, where the job's instances are said not to be had."""
    instance_type = job.request["ResourceConfig"]["InstanceType"]
    lacking = words_of(NO_CAPACITY_VARIABLE, NO_CAPACITY_FILE)
    if instance_type in lacking:
        raise JobFailed(MESSAGE)
    zones = {zone for kind, _, zone in (each.partition("@") for each in lacking) if kind == instance_type}
    if zones and (own := _zones(job)) and own <= zones:
        raise JobFailed(MESSAGE)


def _zones(job: TrainingJob) -> set[str]:
    """The AZ ids of the job's subnets; none without a VPC, where SageMaker takes any zone."""
    subnets = job.request.get("VpcConfig", {}).get("Subnets", [])
    if not subnets:
        return set()
    found = client("ec2", job.region).describe_subnets(SubnetIds=subnets)["Subnets"]
    return {str(each["AvailabilityZoneId"]) for each in found}
