"""Key policies that the roads need beside the roles' own rights."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from headrace_cdk.lint_exceptions import LintException, accept

LINKS_COME_LATER = LintException(
    checkov=["CKV_AWS_33"],
    reason="Only FSx's service-linked roles of this account, through S3: they are made later, so conditions name them",
)


def allow_lustre_links(key: kms.Key) -> None:
    """Let FSx read and write through its links to buckets that ``key`` encrypts.

    FSx comes as a service-linked role whose name ends in the file system's id. Its rights do not include KMS and cannot
    be added to, so the account's root as principal, which hands the decision to IAM, would let nobody in. The role is
    made with its link, later than the key, and a principal has no wildcards: so everybody, narrowed by conditions.
    Source: FSx for Lustre User Guide, "Working with server-side encrypted Amazon S3 buckets".
    """
    stack = Stack.of(key)
    service_role = (
        f"arn:{stack.partition}:iam::{stack.account}:role/aws-service-role/"
        "s3.data-source.lustre.fsx.amazonaws.com/AWSServiceRoleForFSxS3Access_fs-*"
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="LustreLinks",
            principals=[iam.AnyPrincipal()],
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            resources=["*"],
            conditions={
                "ArnLike": {"aws:PrincipalArn": service_role},
                "StringEquals": {
                    "kms:CallerAccount": stack.account,
                    "kms:ViaService": f"s3.{stack.region}.amazonaws.com",
                },
            },
        )
    )
    accept(key, LINKS_COME_LATER)
