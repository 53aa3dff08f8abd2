"""The bucket is private, encrypted, TLS only and versioned; it outlives its stack and never carries notifications."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template
from headrace.errors import InvalidInput
from headrace_cdk.dataset_bucket import DatasetBucket
from headrace_cdk.kms_grants import allow_lustre_links

KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-0000-0000-000000000000"


def _template(**props: Any) -> Template:
    stack = Stack(App(), "Test")
    DatasetBucket(stack, "DatasetBucket", **props)
    return Template.from_stack(stack)


@cache
def _default() -> Template:
    return _template()


def test_bucket_is_private_encrypted_versioned_and_logged() -> None:
    """The data bucket has every guard that S3 offers, and writes access logs to the other bucket."""
    _default().has_resource_properties(
        "AWS::S3::Bucket",
        {
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
            "VersioningConfiguration": {"Status": "Enabled"},
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "LoggingConfiguration": {
                "DestinationBucketName": {"Ref": Match.string_like_regexp("AccessLogs")},
                "LogFilePrefix": "bucket/",
            },
        },
    )


def test_every_bucket_refuses_plain_http_and_keeps_doing_so() -> None:
    """Each bucket has a policy that denies requests without TLS, and buckets and policies are retained."""
    template = _default()
    buckets = template.find_resources("AWS::S3::Bucket")
    policies = template.find_resources("AWS::S3::BucketPolicy")
    assert {policy["Properties"]["Bucket"]["Ref"] for policy in policies.values()} == set(buckets)
    for policy in policies.values():
        deny = {"Effect": "Deny", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
        statements = policy["Properties"]["PolicyDocument"]["Statement"]
        assert any(deny.items() <= statement.items() for statement in statements)
    for resource in (*buckets.values(), *policies.values()):
        assert resource["DeletionPolicy"] == "Retain"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_no_bucket_has_a_notification_configuration() -> None:
    """FSx registers its own notifications; ours would overwrite them."""
    for bucket in _default().find_resources("AWS::S3::Bucket").values():
        assert "NotificationConfiguration" not in bucket["Properties"]


def test_incomplete_uploads_are_aborted_and_old_versions_expire() -> None:
    """Both rules hold for the whole bucket."""
    _default().has_resource_properties(
        "AWS::S3::Bucket",
        {
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "AbortIncompleteUploads",
                        "Status": "Enabled",
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                    },
                    {
                        "Id": "ExpireOldVersions",
                        "Status": "Enabled",
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                    },
                ]
            }
        },
    )


def test_old_versions_can_be_kept_for_ever() -> None:
    """0 as number of days leaves the rule out."""
    rules = [
        rule["Id"]
        for bucket in _template(noncurrent_version_days=0).find_resources("AWS::S3::Bucket").values()
        for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    ]
    assert "ExpireOldVersions" not in rules


@pytest.mark.parametrize("chosen", [True, False])
def test_intelligent_tiering_is_a_choice_for_the_data_alone(chosen: bool) -> None:
    """Only what lies below data/ is tiered, and only where that was chosen."""
    rules = [
        rule
        for bucket in _template(intelligent_tiering=chosen).find_resources("AWS::S3::Bucket").values()
        for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        if "Transitions" in rule
    ]
    tiered = [(rule["Prefix"], rule["Transitions"]) for rule in rules]
    expected = [("data/", [{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 0}])]
    assert tiered == (expected if chosen else [])


def test_given_key_encrypts_the_data() -> None:
    """A KMS key takes the place of S3's own, with a bucket key to spare requests."""
    stack = Stack(App(), "Test")
    DatasetBucket(stack, "DatasetBucket", kms_key=kms.Key.from_key_arn(stack, "Key", KEY_ARN))
    encryption = {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY_ARN},
    }
    Template.from_stack(stack).has_resource_properties(
        "AWS::S3::Bucket", {"BucketEncryption": {"ServerSideEncryptionConfiguration": [encryption]}}
    )


def test_adopted_bucket_is_used_as_it_is() -> None:
    """Adoption makes no bucket and no policy: the kept ones are still there."""
    stack = Stack(App(), "Test")
    bucket = DatasetBucket(stack, "DatasetBucket", existing_bucket_name="kept-bucket")
    template = Template.from_stack(stack)
    assert not template.find_resources("AWS::S3::Bucket")
    assert not template.find_resources("AWS::S3::BucketPolicy")
    assert (bucket.data_location.bucket, bucket.data_location.prefix) == ("kept-bucket", "data/")


def test_adopted_bucket_takes_no_settings() -> None:
    """What would be ignored is refused: one line for each, with what to leave out."""
    with pytest.raises(InvalidInput) as caught:
        _template(existing_bucket_name="kept-bucket", intelligent_tiering=True, noncurrent_version_days=90)
    assert [problem.split(" is ")[0] for problem in caught.value.problems] == [
        "bucket.intelligent_tiering",
        "bucket.noncurrent_version_days",
    ]
    assert all("fix: leave bucket." in problem for problem in caught.value.problems)


def test_key_lets_lustre_links_in_through_s3_only() -> None:
    """FSx's service-linked roles of this account may use the key, by way of S3 in this Region.

    The account's root as principal would leave it to their own rights, which do not include KMS.
    """
    stack = Stack(App(), "Test")
    allow_lustre_links(kms.Key(stack, "Key"))
    role = ":role/aws-service-role/s3.data-source.lustre.fsx.amazonaws.com/AWSServiceRoleForFSxS3Access_fs-*"
    statement = Match.object_like(
        {
            "Sid": "LustreLinks",
            "Principal": {"AWS": "*"},
            "Action": [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            "Condition": {
                "ArnLike": {"aws:PrincipalArn": {"Fn::Join": ["", Match.array_with([role])]}},
                "StringEquals": {
                    "kms:CallerAccount": {"Ref": "AWS::AccountId"},
                    "kms:ViaService": {"Fn::Join": ["", ["s3.", {"Ref": "AWS::Region"}, ".amazonaws.com"]]},
                },
            },
        }
    )
    Template.from_stack(stack).has_resource_properties(
        "AWS::KMS::Key", {"KeyPolicy": {"Statement": Match.array_with([statement])}}
    )
