"""A shared EFS file system for jobs, new or adopted, with a mount target in each chosen zone.

SageMaker mounts EFS without TLS, without IAM and without an access point: a training job's channel has no field for
them. A file-system policy that asks for any of the three makes every job fail, so the policy allows anonymous mounts,
but through mount targets only, and the guard is the security group: NFS from the jobs' group and from nowhere else.
Sources: SageMaker API Reference, FileSystemDataSource; EFS User Guide, "Using IAM to control file system data access".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_efs as efs
from aws_cdk import aws_kms as kms
from constructs import Construct
from headrace.errors import InvalidInput
from headrace.rules import Suppression, Unknown
from headrace.rules.efs import EFS_RULES, EfsSpec

from headrace_cdk.isolated_vpc import JobSubnet, one_per_zone
from headrace_cdk.network import Network
from headrace_cdk.rule_check import check, known

MOUNT_ANONYMOUSLY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "AnonymousThroughMountTargets",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                "elasticfilesystem:ClientMount",
                "elasticfilesystem:ClientRootAccess",
                "elasticfilesystem:ClientWrite",
            ],
            "Resource": "*",
            "Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}},
        }
    ],
}


class SharedEfs(Construct):
    """The file system and its mount targets. Attributes: ``file_system_id``, ``subnets``, ``az_ids``.

    A new file system stays when its stack is destroyed and is adopted by the next deploy
    (``existing_file_system_id``); its mount targets belong to the network and are made anew.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: Network,
        subnets: Sequence[JobSubnet] | None = None,
        existing_file_system_id: str | None = None,
        performance_mode: str | None = None,
        throughput_mode: str | None = None,
        provisioned_throughput_mibps: float | None = None,
        one_zone: bool = False,
        lifecycle_days: int | None = None,
        encrypted: bool | None = None,
        kms_key: kms.IKey | None = None,
        backup: bool | None = None,
        suppressions: Sequence[Suppression] = (),
    ) -> None:
        """``subnets``: where mount targets stand, one in a zone; default: every zone of the network.

        Not given: generalPurpose, elastic throughput, encrypted with AWS's key, no lifecycle, no backup.
        ``one_zone`` needs exactly one subnet. ``lifecycle_days``: to Infrequent Access after so many days without
        access. An adopted file system takes none of these. Raises RuleViolations (V11, V39-V44, V86, V87).
        """
        super().__init__(scope, construct_id)
        group = network.security_groups.efs
        if group is None:
            raise InvalidInput("SharedEfs: the network has no EFS security group; make it with Network(efs=True)")
        self.subnets = tuple(one_per_zone(subnets or network.subnets))
        self.az_ids = tuple(subnet.az_id for subnet in self.subnets)
        if existing_file_system_id is None:
            performance_mode = performance_mode or "generalPurpose"
            throughput_mode = throughput_mode or "elastic"
            encrypted = True if encrypted is None else encrypted
        spec = EfsSpec(
            performance_mode=known(performance_mode),
            throughput_mode=known(throughput_mode),
            provisioned_throughput_mibps=known(provisioned_throughput_mibps),
            one_zone_az=self._one_zone_az(one_zone),
            az_count=len(self.subnets),
            encrypted=known(encrypted),
            kms_key_given=kms_key is not None,
            lifecycle_days=known(lifecycle_days),
            backup=known(backup),
            existing_file_system_id=known(existing_file_system_id),
        )
        check(self, EFS_RULES, spec, suppressions)
        self.file_system_id = existing_file_system_id or self._new_file_system(
            availability_zone_name=self.subnets[0].az_name if one_zone else None,
            backup_policy=efs.CfnFileSystem.BackupPolicyProperty(status="ENABLED" if backup else "DISABLED"),
            encrypted=encrypted,
            file_system_policy=MOUNT_ANONYMOUSLY,
            kms_key_id=kms_key.key_arn if kms_key else None,
            lifecycle_policies=_lifecycle(lifecycle_days),
            performance_mode=performance_mode,
            provisioned_throughput_in_mibps=provisioned_throughput_mibps,
            throughput_mode=throughput_mode,
        )
        for subnet in self.subnets:
            efs.CfnMountTarget(
                self,
                f"MountTarget-{subnet.key}",
                file_system_id=self.file_system_id,
                subnet_id=subnet.subnet_id,
                security_groups=[group.security_group_id],
            )

    def _one_zone_az(self, one_zone: bool) -> str | Unknown | None:
        if not one_zone:
            return None
        name = self.subnets[0].az_name
        if name is None:
            raise InvalidInput("SharedEfs: one_zone needs the zone's name; give az_name with the existing subnet")
        return known(name)

    def _new_file_system(self, **properties: Any) -> str:
        file_system = efs.CfnFileSystem(self, "FileSystem", **properties)
        file_system.apply_removal_policy(RemovalPolicy.RETAIN)
        return file_system.ref


def _lifecycle(days: int | None) -> list[efs.CfnFileSystem.LifecyclePolicyProperty] | None:
    if days is None:
        return None
    after = f"AFTER_{days}_DAY" if days == 1 else f"AFTER_{days}_DAYS"
    return [efs.CfnFileSystem.LifecyclePolicyProperty(transition_to_ia=after)]
