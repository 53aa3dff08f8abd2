"""What lives as long as the platform: network, bucket, EFS, roles, and the record of where all this is.

Bucket, EFS and key are kept when the stack is destroyed; the settings ``bucket.adopt``, ``efs.adopt`` and ``kms_key``
let the next deployment take them up again.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import Stack, Token
from constructs import Construct
from headrace.platform import DataLocation, Efs, FoundationPart, Subnet
from headrace_cdk.dataset_bucket import DatasetBucket
from headrace_cdk.platform_part import PlatformPart
from headrace_cdk.roles import TrainingRoles
from headrace_cdk.user_policy import UserPolicy

from stacks.from_settings import (
    check_data_locations,
    ingestion_of,
    make_efs,
    make_key,
    make_network,
    naming_of,
    suppressions_of,
)
from stacks.settings import EnvironmentSettings


class Foundation(Stack):
    """``network``, ``bucket``, ``data_locations`` (the bucket's own first), ``kms_key``, ``efs``, ``roles``.

    ``part``: its record.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, platform: str, settings: EnvironmentSettings, **stack: Any
    ) -> None:
        """``platform``: the name that jobs know it by. ``stack``: what :class:`aws_cdk.Stack` takes."""
        super().__init__(scope, construct_id, **stack)
        self._platform = platform
        self.suppressions = suppressions_of(settings)
        check_data_locations(self, settings.data_locations, self.suppressions)
        self.kms_key = make_key(self, platform, settings.kms_key, self.suppressions)
        self.network = make_network(self, platform, settings, self.suppressions)
        self.bucket = DatasetBucket(
            self,
            "DatasetBucket",
            existing_bucket_name=settings.bucket.adopt,
            kms_key=self.kms_key,
            intelligent_tiering=settings.bucket.intelligent_tiering,
            noncurrent_version_days=settings.bucket.noncurrent_version_days,
        )
        self.bucket_name = self.bucket.bucket.bucket_name
        self.data_locations = (
            self.bucket.data_location,
            *(DataLocation(bucket=each.bucket, prefix=each.prefix) for each in settings.data_locations),
        )
        self.efs = make_efs(self, settings.efs, self.network, self.kms_key, self.suppressions)
        self.job_name_prefix = f"{platform}-" if settings.job_name_prefix is None else settings.job_name_prefix
        self._require_vpc = settings.iam.require_vpc
        self.roles, self.user_policy = self._grant(settings)
        self.part = self._part()
        PlatformPart(self, "PlatformPart", part=self.part, outputs=self._outputs())
        self._exports: dict[str, str] = {}
        if settings.lustre.enabled or settings.ephemeral.enabled:
            self._export_for_lustre()
            self._export_for_jobs(settings.ephemeral.enabled)

    def exported(self, value: str) -> str:
        """A value of this stack as another stack imports it; what is known at synth is as it is."""
        return self._exports.get(value, value)

    def _export_for_lustre(self) -> None:
        """Export all that the stacks of Lustre may import, whatever they import today.

        CDK exports what is imported, no more. Where another zone or type imports something else, the foundation,
        which is updated first, would take an export away that a deployed stack still uses: CloudFormation refuses that.
        """
        group_id = self.network.lustre_security_group_id
        values = [
            *(value for subnet in self.network.subnets for value in (subnet.subnet_id, subnet.az_id)),
            self.bucket_name,
            *([group_id] if group_id else []),
            *([self.kms_key.key_arn] if self.kms_key else []),
        ]
        for value in values:
            self._export(value)

    def _export_for_jobs(self, of_the_flow: bool) -> None:
        # The shared Lustre is loaded by jobs that mount file systems; the flow runs any. Short names: the template has
        # room for few more.
        self._export(self.network.security_groups.jobs.security_group_id, "JobGroup")
        for role in self.roles.in_network:
            if not of_the_flow and role is not self.roles.file_systems:
                continue
            self._export(role.role_arn, f"{role.node.id}RoleArn")

    def _export(self, value: str, name: str | None = None) -> None:
        if Token.is_unresolved(value):
            self._exports[value] = self.export_value(value, name=name and f"{self.stack_name}-{name}")

    def _grant(self, settings: EnvironmentSettings) -> tuple[TrainingRoles, UserPolicy]:
        shared: dict[str, Any] = {
            "platform": self._platform,
            "network": self.network,
            "bucket_name": self.bucket_name,
            "data_locations": self.data_locations,
            "job_name_prefix": self.job_name_prefix,
            "image_repository_arns": settings.iam.image_repository_arns,
            "require_vpc": settings.iam.require_vpc,
            "kms_key_arns": [self.kms_key.key_arn] if self.kms_key else [],
            "data_kms_key_arns": [each.kms_key_arn for each in settings.data_locations if each.kms_key_arn],
            "naming": naming_of(settings.iam),
        }
        roles = TrainingRoles(
            self,
            "TrainingRoles",
            file_systems=settings.efs.enabled or settings.lustre.enabled or settings.ephemeral.enabled,
            ingestion=ingestion_of(settings.own_ingestion),
            suppressions=self.suppressions,
            **shared,
        )
        return roles, UserPolicy(self, "UserPolicy", roles=roles, **shared)

    def _part(self) -> FoundationPart:
        subnets = (Subnet(subnet_id=each.subnet_id, az_id=each.az_id) for each in self.network.subnets)
        return FoundationPart(
            platform=self._platform,
            region=self.region,
            account=self.account,
            vpc_id=self.network.vpc.vpc_id,
            subnets=tuple(subnets),
            job_security_group_id=self.network.security_groups.jobs.security_group_id,
            bucket=self.bucket_name,
            data_locations=self.data_locations,
            roles=self.roles.record,
            job_name_prefix=self.job_name_prefix,
            kms_key_arn=self.kms_key.key_arn if self.kms_key else None,
            require_vpc=self._require_vpc,
            ingestion_roles={name: role.role_arn for name, role in self.roles.ingestion.items()},
            efs=Efs(file_system_id=self.efs.file_system_id, az_ids=self.efs.az_ids) if self.efs else None,
        )

    def _outputs(self) -> dict[str, str]:
        outputs = {
            "BucketName": self.bucket_name,
            "VpcId": self.network.vpc.vpc_id,
            "S3RoleArn": self.roles.s3.role_arn,
            "UserPolicyArn": self.user_policy.policy.managed_policy_arn,
            "UserDataPolicyArn": self.user_policy.data_policy.managed_policy_arn,
        }
        return outputs if self.efs is None else {**outputs, "EfsId": self.efs.file_system_id}
