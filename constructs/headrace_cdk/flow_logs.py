"""Who talked to whom in a VPC, kept in CloudWatch Logs."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.lint_exceptions import LintException, accept

NO_DATA_INSIDE = LintException(
    checkov=["CKV_AWS_158"],
    reason="Flow logs hold addresses and ports, no data; CloudWatch Logs encrypts them with its own key",
)


def log_flows(
    scope: Construct, vpc: ec2.IVpc, *, platform: str, naming: IamNaming, retention: logs.RetentionDays
) -> None:
    """Log all flows of ``vpc``. ``platform`` and ``naming``: of the role that writes the log."""
    log_group = logs.LogGroup(scope, "FlowLogGroup", retention=retention, removal_policy=RemovalPolicy.DESTROY)
    accept(log_group, NO_DATA_INSIDE)
    role = iam.Role(
        scope,
        "FlowLogRole",
        assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com"),
        description=f"headrace {platform}: writes the flow logs of the network",
        role_name=naming.name(platform, Stack.of(scope).region, "flow-logs"),
        path=naming.path,
        permissions_boundary=naming.boundary(scope, "FlowLogRoleBoundary"),
    )
    ec2.FlowLog(
        scope,
        "FlowLog",
        resource_type=ec2.FlowLogResourceType.from_vpc(vpc),
        destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group, role),
    )
