"""File systems of FSx and EFS as they are, with what a job needs to know to mount them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from headrace.aws.connection import Connection, calls_aws, client_error, code_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LustreDescription:
    """A Lustre file system as FSx describes it."""

    file_system_id: str
    lifecycle: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    mount_name: str
    interface_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LustreListing:
    """A Lustre file system in a list, with its tags. ``created`` is UTC."""

    file_system_id: str
    lifecycle: str
    created: datetime
    storage_capacity_gib: int
    subnet_ids: tuple[str, ...] = ()
    mount_name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MountTarget:
    """A mount target of EFS. ``state`` is its LifeCycleState, such as ``available``."""

    az_id: str
    vpc_id: str
    state: str
    interface_id: str


@dataclass(frozen=True, slots=True)
class FileSystems:
    """Questions to FSx and EFS."""

    connection: Connection

    @calls_aws
    def lustre(self, file_system_id: str) -> LustreDescription | None:
        """The file system; None when there is none of this id."""
        try:
            answer = self.connection.client("fsx").describe_file_systems(FileSystemIds=[file_system_id])
        except client_error() as error:
            if code_of(error) == "FileSystemNotFound":
                return None
            raise
        described: Mapping[str, Any] = answer["FileSystems"][0]
        return LustreDescription(
            file_system_id=file_system_id,
            lifecycle=described["Lifecycle"],
            vpc_id=described["VpcId"],
            subnet_ids=tuple(described["SubnetIds"]),
            mount_name=described.get("LustreConfiguration", {}).get("MountName", ""),
            interface_ids=tuple(described.get("NetworkInterfaceIds", ())),
        )

    @calls_aws
    def lustres(self, tags: Mapping[str, str], file_system_id: str | None = None) -> list[LustreListing]:
        """All Lustre file systems that carry these tags (an empty value: any); or the one of this id, if it does."""
        pages = self.connection.client("fsx").get_paginator("describe_file_systems")
        request = {} if file_system_id is None else {"FileSystemIds": [file_system_id]}
        try:
            described = [each for page in pages.paginate(**request) for each in page["FileSystems"]]
        except client_error() as error:
            if code_of(error) == "FileSystemNotFound":
                return []
            raise
        found = [_listing(each) for each in described if each["FileSystemType"] == "LUSTRE"]
        return [
            each
            for each in found
            if all(key in each.tags and value in ("", each.tags[key]) for key, value in tags.items())
        ]

    @calls_aws
    def client_connections(self, file_system_id: str, now: datetime, minutes: int) -> float:
        """The most clients that a Lustre file system had in the last minutes; 0 where CloudWatch has no data.

        Source: FSx for Lustre User Guide, "Amazon FSx for Lustre metrics and dimensions" (ClientConnections).
        """
        answer = self.connection.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/FSx",
            MetricName="ClientConnections",
            Dimensions=[{"Name": "FileSystemId", "Value": file_system_id}],
            StartTime=now - timedelta(minutes=minutes),
            EndTime=now,
            Period=300,
            Statistics=["Maximum"],
        )
        return max((float(each["Maximum"]) for each in answer["Datapoints"]), default=0.0)

    @calls_aws
    def links(self, file_system_id: str) -> dict[tuple[str, str], str]:
        """Its data repository associations: (path, S3 URI), both without a slash at the end -> lifecycle."""
        fsx, found = self.connection.client("fsx"), dict[tuple[str, str], str]()
        request: dict[str, Any] = {"Filters": [{"Name": "file-system-id", "Values": [file_system_id]}]}
        # botocore has no paginator for this operation; a file system has up to eight links
        while True:
            page = fsx.describe_data_repository_associations(**request)
            for each in page["Associations"]:
                place = each["FileSystemPath"].rstrip("/"), each["DataRepositoryPath"].rstrip("/")
                found[place] = each["Lifecycle"]
            if "NextToken" not in page:
                return found
            request["NextToken"] = page["NextToken"]

    @calls_aws
    def efs_state(self, file_system_id: str) -> str | None:
        """LifeCycleState of an EFS, such as ``available``; None when there is none of this id."""
        try:
            answer = self.connection.client("efs").describe_file_systems(FileSystemId=file_system_id)
        except client_error() as error:
            if code_of(error) == "FileSystemNotFound":
                return None
            raise
        return str(answer["FileSystems"][0]["LifeCycleState"])

    @calls_aws
    def mount_targets(self, file_system_id: str) -> list[MountTarget]:
        """The mount targets of an EFS."""
        pages = self.connection.client("efs").get_paginator("describe_mount_targets")
        return [
            MountTarget(
                az_id=each["AvailabilityZoneId"],
                vpc_id=each["VpcId"],
                state=each["LifeCycleState"],
                interface_id=each["NetworkInterfaceId"],
            )
            for page in pages.paginate(FileSystemId=file_system_id)
            for each in page["MountTargets"]
        ]

    @calls_aws
    def efs_policy(self, file_system_id: str) -> dict[str, Any] | None:
        """The file-system policy of an EFS; None where the default one is in effect."""
        try:
            answer = self.connection.client("efs").describe_file_system_policy(FileSystemId=file_system_id)
        except client_error() as error:
            if code_of(error) in ("PolicyNotFound", "FileSystemNotFound"):
                return None
            raise
        policy: dict[str, Any] = json.loads(answer["Policy"])
        return policy


def _listing(described: Mapping[str, Any]) -> LustreListing:
    return LustreListing(
        file_system_id=described["FileSystemId"],
        lifecycle=described["Lifecycle"],
        created=described["CreationTime"],
        storage_capacity_gib=described["StorageCapacity"],
        subnet_ids=tuple(described.get("SubnetIds", ())),
        mount_name=described.get("LustreConfiguration", {}).get("MountName", ""),
        tags={each["Key"]: each["Value"] for each in described.get("Tags", ())},
    )
