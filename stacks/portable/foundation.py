"""The foundation as a self-contained template: what :class:`stacks.foundation.Foundation` makes, with Parameters.

One template makes its VPC, the other takes an existing one; all else is the same. What another template needs is
exported as ``<stack name>-<what>``.
"""

from __future__ import annotations

from typing import Any, Literal

from aws_cdk import Aws, CfnOutput, Fn, Stack, Tags, Token
from constructs import Construct
from headrace.platform import PLATFORM_TAG, Efs, FoundationPart, Subnet
from headrace_cdk.dataset_bucket import DatasetBucket
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.machine_policies import PART_TAG
from headrace_cdk.platform_part import PlatformPart
from headrace_cdk.roles import TrainingRoles
from headrace_cdk.user_policy import UserPolicy

from stacks.portable.efs import shared_efs
from stacks.portable.foundation_parameters import EXISTING_NETWORK, IAM, NEW_NETWORK, PLATFORM, SHARED_EFS
from stacks.portable.network import existing_network, new_network
from stacks.portable.parameters import add_parameters, condition, parameter_is
from stacks.portable.rules import require_fitting_efs_modes, require_two_zones

NetworkKind = Literal["new", "existing"]


class PortableFoundation(Stack):
    """Network, bucket, EFS, roles and their record. ``parameters``: Parameter by name."""

    def __init__(self, scope: Construct, construct_id: str, *, network: NetworkKind, **stack: Any) -> None:
        """``network``: whether the template makes its VPC. ``stack``: what :class:`aws_cdk.Stack` takes."""
        super().__init__(scope, construct_id, **stack)
        network_group = NEW_NETWORK if network == "new" else EXISTING_NETWORK
        self.parameters = add_parameters(self, [PLATFORM, network_group, SHARED_EFS, IAM])
        require_two_zones(self)
        require_fitting_efs_modes(self)
        self._platform = Fn.ref("PlatformName")
        naming = self._naming()
        self.network = (
            new_network(self, self._platform, naming) if network == "new" else existing_network(self, self.parameters)
        )
        self.bucket = DatasetBucket(self, "DatasetBucket")
        self.efs = shared_efs(self, self.network)
        self.roles, self.user_policy = self._grant(naming)
        PlatformPart(self, "PlatformPart", part=self._part(), outputs={})
        for name, (value, description) in self._outputs().items():
            self._export(name, value, description)
        Tags.of(self).add(PLATFORM_TAG, self._platform)
        Tags.of(self).add(PART_TAG, FoundationPart.part)

    def _naming(self) -> IamNaming:
        is_given = Fn.condition_not(parameter_is("PermissionsBoundaryArn", ""))
        given = condition(self, "PermissionsBoundaryArnIsGiven", is_given).logical_id
        boundary = Fn.condition_if(given, Fn.ref("PermissionsBoundaryArn"), Aws.NO_VALUE)
        return IamNaming(path=Fn.ref("IamPath"), permissions_boundary_arn=Token.as_string(boundary))

    def _grant(self, naming: IamNaming) -> tuple[TrainingRoles, UserPolicy]:
        shared: dict[str, Any] = {
            "platform": self._platform,
            "network": self.network,
            "bucket_name": self.bucket.bucket.bucket_name,
            "data_locations": [self.bucket.data_location],
            "job_name_prefix": f"{self._platform}-",
            "naming": naming,
        }
        roles = TrainingRoles(self, "TrainingRoles", **shared)
        return roles, UserPolicy(self, "UserPolicy", roles=roles, **shared)

    def _part(self) -> FoundationPart:
        return FoundationPart(
            platform=self._platform,
            region=self.region,
            account=self.account,
            vpc_id=self.network.vpc.vpc_id,
            subnets=tuple(Subnet(subnet_id=each.subnet_id, az_id=each.az_id) for each in self.network.subnets),
            job_security_group_id=self.network.security_groups.jobs.security_group_id,
            bucket=self.bucket.bucket.bucket_name,
            data_locations=(self.bucket.data_location,),
            roles=self.roles.record,
            job_name_prefix=f"{self._platform}-",
            efs=Efs(file_system_id=self.efs.file_system_id, az_ids=self.efs.az_ids),
        )

    def _export(self, name: str, value: str, description: str) -> None:
        # A Parameter may have the same name, in the template but not in CDK's tree.
        output = CfnOutput(
            self, f"Output{name}", value=value, description=description, export_name=f"{Aws.STACK_NAME}-{name}"
        )
        output.override_logical_id(name)

    def _outputs(self) -> dict[str, tuple[str, str]]:
        """Output name -> value and description."""
        zones: dict[str, tuple[str, str]] = {}
        for number, subnet in enumerate(self.network.subnets, start=1):
            zones[f"SubnetId{number}"] = (subnet.subnet_id, f"Subnet in zone {number}")
            zones[f"ZoneId{number}"] = (subnet.az_id, f"Zone {number}")
        return {
            "PlatformName": (self._platform, "For headrace train --platform"),
            "BucketName": (self.bucket.bucket.bucket_name, "Training data goes below data/"),
            "VpcId": (self.network.vpc.vpc_id, "VPC of the jobs"),
            **zones,
            "LustreSecurityGroupId": (str(self.network.lustre_security_group_id), "Group of Lustre file systems"),
            "EfsId": (self.efs.file_system_id, "Shared EFS"),
            "S3RoleArn": (self.roles.s3.role_arn, "Role of jobs that read from S3"),
            "UserPolicyArn": (self.user_policy.policy.managed_policy_arn, "For the people who launch jobs"),
            "UserDataPolicyArn": (self.user_policy.data_policy.managed_policy_arn, "For the same people"),
        }
