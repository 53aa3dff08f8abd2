"""What the tests of file systems in the embedded AWS share: making them, and jobs that read and write them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import boto3
import pytest
from headrace_local.runner import command

from tests.training_jobs import StartJob, archive, end, until

OBJECTS = {
    "data/a.txt": b"a" * 10,
    "data/sub/b.bin": bytes(range(256)) * 300,
    "data/sub/deep/c d.txt": "ünïcode".encode(),
    "data/empty": b"",
}
"""Key -> content of the linked objects."""

HASHES = """
import hashlib, json, os, pathlib, sys
data = pathlib.Path("/opt/ml/input/data/train")
found = {str(each.relative_to(data)): hashlib.sha256(each.read_bytes()).hexdigest()
         for each in sorted(data.rglob("*")) if each.is_file()}
pathlib.Path("/opt/ml/output/data", os.environ["SM_CURRENT_HOST"] + ".json").write_text(json.dumps(found))
"""
"""Python that tells the SHA-256 of every file of the channel ``train``."""


_EMPTY: dict[str, tuple[str, str]] = {}
"""Endpoint -> id and mount name of a Lustre file system."""


class Aws:
    """The clients and resources that these tests share."""

    def __init__(self, session: boto3.Session, start_job: StartJob) -> None:
        self.session = session
        self.start_job = start_job
        self.ec2, self.fsx, self.efs, self.s3, self.sagemaker = (
            session.client(each) for each in ("ec2", "fsx", "efs", "s3", "sagemaker")
        )
        vpc = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
        self.vpc_id = vpc["VpcId"]
        own = [{"Name": "vpc-id", "Values": [self.vpc_id]}, {"Name": "default-for-az", "Values": ["true"]}]
        found = self.ec2.describe_subnets(Filters=own)["Subnets"]
        self.subnets = [each["SubnetId"] for each in sorted(found, key=lambda each: each["AvailabilityZoneId"])]
        self.zones = [each["AvailabilityZoneId"] for each in sorted(found, key=lambda each: each["AvailabilityZoneId"])]

    def group(self, *ports: tuple[int, int]) -> str:
        """A security group that lets these TCP ports in from anywhere in the VPC, and everything out."""
        made: str = self.ec2.create_security_group(GroupName=uuid4().hex, Description="-", VpcId=self.vpc_id)["GroupId"]
        for first, last in ports:
            peers = [{"CidrIp": "172.31.0.0/16"}]
            rule = {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, "IpRanges": peers}
            self.ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[rule])
        return made

    def bucket(self, objects: Mapping[str, bytes]) -> str:
        """A bucket with objects."""
        name = f"linked-{uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=name)
        for key, content in objects.items():
            self.s3.put_object(Bucket=name, Key=key, Body=content)
        return name

    def lustre(self, group: str | None = None) -> tuple[str, str]:
        """Id and mount name of a file system in the first subnet, AVAILABLE."""
        made = self.fsx.create_file_system(
            FileSystemType="LUSTRE",
            StorageCapacity=1200,
            SubnetIds=self.subnets[:1],
            SecurityGroupIds=[group or self.group(*LUSTRE_PORTS)],
            LustreConfiguration={"DeploymentType": "SCRATCH_2"},
        )["FileSystem"]
        wanted = made["FileSystemId"]
        until(lambda: self._lifecycle(wanted) == "AVAILABLE")
        return wanted, made["LustreConfiguration"]["MountName"]

    def _lifecycle(self, file_system_id: str) -> str:
        return str(self.fsx.describe_file_systems(FileSystemIds=[file_system_id])["FileSystems"][0]["Lifecycle"])

    def empty_lustre(self) -> tuple[str, str]:
        """One with a link to an empty bucket, that all tests share which write nothing to it."""
        endpoint = self.fsx.meta.endpoint_url
        if endpoint not in _EMPTY:
            _EMPTY[endpoint] = self.lustre()
            self.link(_EMPTY[endpoint][0], "/data", f"s3://{self.bucket({})}/")
        return _EMPTY[endpoint]

    def link(self, file_system_id: str, path: str, repository: str, **members: Any) -> str:
        """A link with the metadata imported, unless told otherwise."""
        made = self.fsx.create_data_repository_association(
            FileSystemId=file_system_id,
            FileSystemPath=path,
            DataRepositoryPath=repository,
            **({"BatchImportMetaDataOnCreate": True} | members),
        )
        return str(made["Association"]["AssociationId"])

    def elastic(self, subnets: Sequence[str], group: str | None = None) -> str:
        """An EFS with mount targets in the subnets."""
        made: str = self.efs.create_file_system(CreationToken=uuid4().hex)["FileSystemId"]
        for each in subnets:
            groups = [group or self.group((2049, 2049))]
            self.efs.create_mount_target(FileSystemId=made, SubnetId=each, SecurityGroups=groups)
        return made

    def run(self, script: str, source: Mapping[str, str], **members: Any) -> tuple[str, dict[str, Any]]:
        """A job with one channel, ``train``, to its end: its name and description."""
        channel = {"ChannelName": "train", "DataSource": {"FileSystemDataSource": dict(source)}}
        count = members.pop("instances", 1)
        defaults = {
            "InputDataConfig": [channel],
            "VpcConfig": {"Subnets": self.subnets[:1], "SecurityGroupIds": [self.group(*LUSTRE_PORTS)]},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1},
        }
        # a variable holds 512 characters
        pieces = {f"SCRIPT_{start // 500}": script[start : start + 500] for start in range(0, len(script), 500)}
        environment = pieces | members.pop("Environment", {})
        line = 'printf %s "$SCRIPT_0" "$SCRIPT_1" >/opt/ml/code/train.py; python3 /opt/ml/code/train.py'
        given = defaults | members | {"Environment": environment}
        name = self.start_job(self.session, ["sh", "-c", line], **given)
        return name, end(self.sagemaker, name)

    def output(self, name: str) -> dict[str, Any]:
        """File name -> JSON content of a job's output data."""
        return {each: json.loads(text) for each, text in archive(self.session, name, "output.tar.gz").items()}


LUSTRE_PORTS = ((988, 988), (1018, 1023))


def lustre_source(file_system_id: str, path: str, mode: str = "ro") -> dict[str, str]:
    """A FileSystemDataSource of Lustre."""
    return _source(file_system_id, path, mode, "FSxLustre")


def efs_source(file_system_id: str, path: str, mode: str = "ro") -> dict[str, str]:
    """A FileSystemDataSource of EFS."""
    return _source(file_system_id, path, mode, "EFS")


def _source(file_system_id: str, path: str, mode: str, kind: str) -> dict[str, str]:
    return {
        "FileSystemId": file_system_id,
        "FileSystemAccessMode": mode,
        "FileSystemType": kind,
        "DirectoryPath": path,
    }


def hashes(objects: Mapping[str, bytes], prefix: str) -> dict[str, str]:
    """Path below a prefix -> SHA-256 of the content."""
    return {
        key.removeprefix(prefix): hashlib.sha256(content).hexdigest()
        for key, content in objects.items()
        if key.startswith(prefix)
    }


needs_namespace = pytest.mark.skipif(command.mount_prefix() is None, reason="this system allows no mount namespace")
