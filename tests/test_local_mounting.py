"""What keeps a job from mounting a file system of the embedded AWS, as it would on AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.file_systems import LUSTRE_PORTS, Aws, efs_source, lustre_source
from tests.training_jobs import StartJob


@pytest.fixture
def aws(aws_session: boto3.Session, start_job: StartJob) -> Aws:
    """What these tests share."""
    return Aws(aws_session, start_job)


Source = Callable[[Aws], Mapping[str, str]]
Members = Callable[[Aws], dict[str, Any]]


def _new_lustre(path: str, group: Callable[[Aws], str] | None = None) -> Source:
    def make(aws: Aws) -> Mapping[str, str]:
        file_system_id, mount_name = aws.lustre(group(aws)) if group else aws.empty_lustre()
        return lustre_source(file_system_id, path.format(mount=mount_name))

    return make


def _new_efs(path: str = "/", group: Callable[[Aws], str] | None = None) -> Source:
    return lambda aws: efs_source(aws.elastic(aws.subnets[:1], group(aws) if group else None), path)


def _as_given(_aws: Aws) -> dict[str, Any]:
    return {}


def _in_subnets(start: int, end: int) -> Members:
    def members(aws: Aws) -> dict[str, Any]:
        return {"VpcConfig": {"Subnets": aws.subnets[start:end], "SecurityGroupIds": [aws.group(*LUSTRE_PORTS)]}}

    return members


def _without_ports_in(aws: Aws) -> dict[str, Any]:
    return {"VpcConfig": {"Subnets": aws.subnets[:1], "SecurityGroupIds": [aws.group()]}}


def _without_ports_out(aws: Aws) -> dict[str, Any]:
    group = aws.group(*LUSTRE_PORTS)
    default = aws.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
    aws.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=default)
    return {"VpcConfig": {"Subnets": aws.subnets[:1], "SecurityGroupIds": [group]}}


MISSING = "fs-0123456789abcdef0"
FAILURES: list[tuple[Source, Members, str]] = [
    (lambda _: lustre_source(MISSING, "/abcdefgh"), _as_given, f"File system '{MISSING}' does not exist."),
    (_new_lustre("/fsx"), _as_given, "No such file or directory. Is the MGS specification correct? DirectoryPath must"),
    (_new_lustre("/"), _as_given, "Is the MGS specification correct?"),
    (_new_lustre("/{mount}x"), _as_given, "Is the MGS specification correct?"),
    (_new_lustre("/{mount}/none"), _as_given, "/none: No such file or directory"),
    (_new_lustre("/{mount}"), _in_subnets(1, 2), "Connection timed out: it is in Availability Zone use1-az1, subnet"),
    (_new_lustre("/{mount}"), _in_subnets(0, 2), "Connection timed out: it is in Availability Zone use1-az1, subnet"),
    (_new_lustre("/{mount}", lambda aws: aws.group((988, 988))), _as_given, "TCP 1018, 1019, 1020, 1021, 1022, 1023"),
    (_new_lustre("/{mount}", lambda aws: aws.group()), _as_given, "TCP 988, 1018"),
    (_new_lustre("/{mount}"), _without_ports_in, "TCP 988, 1018"),
    (_new_lustre("/{mount}"), _without_ports_out, "TCP 988, 1018"),
    (lambda _: efs_source(MISSING, "/"), _as_given, f"File system '{MISSING}' does not exist."),
    (_new_efs(), _in_subnets(1, 2), "no mount target in Availability Zone use1-az2"),
    (_new_efs(), _in_subnets(0, 2), "no mount target in Availability Zone use1-az2"),
    (_new_efs("/none"), _as_given, "mounting /none failed, reason given by server: No such file"),
    (_new_efs(group=lambda aws: aws.group((988, 988))), _as_given, "do not let TCP 2049 through"),
    (_new_efs(), _without_ports_out, "do not let TCP 2049 through"),
]


@pytest.mark.parametrize(("source", "members", "reason"), FAILURES)
def test_a_file_system_that_cannot_be_mounted_fails_the_job(
    aws: Aws, source: Source, members: Members, reason: str
) -> None:
    """After it has started, as on AWS, with the reason that a mount would give."""
    _, job = aws.run("raise SystemExit", source(aws), **members(aws))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Unable to mount file system fs-")
    assert reason in job["FailureReason"]


@pytest.mark.parametrize(
    ("path", "members", "message"),
    [
        ("/abcdefgh", {"VpcConfig": None}, "channel train: a file system is reached inside its VPC only: VpcConfig"),
        ("/abcdefgh/../x", {}, "channel train: DirectoryPath '/abcdefgh/../x' must be an absolute path without '..'"),
        ("abcdefgh", {}, "must be an absolute path"),
        ("/abc\tdefgh", {}, "must be an absolute path"),
    ],
)
def test_a_channel_that_can_never_be_mounted_is_refused(
    aws: Aws, path: str, members: Mapping[str, Any], message: str
) -> None:
    """When the job is created."""
    defaults = {"VpcConfig": {"Subnets": aws.subnets[:1], "SecurityGroupIds": [aws.group()]}}
    given = {name: value for name, value in (defaults | members).items() if value is not None}
    channel = {"ChannelName": "train", "DataSource": {"FileSystemDataSource": lustre_source(MISSING, path)}}
    with pytest.raises(ClientError) as refused:
        aws.start_job(aws.session, ["true"], InputDataConfig=[channel], **given)
    assert message in refused.value.response["Error"]["Message"]
