"""The bucket that the platform owns: training data, code, outputs and checkpoints, each below its own prefix.

Private, TLS only, encrypted, versioned, with access logs. It never carries a notification configuration: FSx for
Lustre registers its own on the bucket for auto-import, and CloudFormation would overwrite it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct
from headrace.errors import InvalidInput
from headrace.platform import DataLocation

from headrace_cdk.lint_exceptions import LintException, accept

DATA_PREFIX = "data/"
ABORT_UPLOADS_AFTER_DAYS = 7
KEEP_ACCESS_LOGS_DAYS = 365
KEEP_OLD_VERSIONS_DAYS = 30
ACCESS_LOGS_BY_POLICY = "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy"


class DatasetBucket(Construct):
    """The platform's bucket, new or adopted. ``bucket``, ``data_location`` (its ``data/``) and ``kms_key``.

    Bucket, policy and access logs stay when the stack is destroyed, and a later deploy adopts them by name
    (``existing_bucket_name``): everything that makes the bucket safe is stored with it, the policy included.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        existing_bucket_name: str | None = None,
        kms_key: kms.IKey | None = None,
        intelligent_tiering: bool | None = None,
        noncurrent_version_days: int | None = None,
    ) -> None:
        """``kms_key``: encrypt with it instead of S3's own key (of an adopted bucket: the key that it has).

        ``intelligent_tiering``: objects below ``data/`` move there at once. ``noncurrent_version_days``: how long
        overwritten and deleted objects are kept; default 30, 0 keeps them for ever. Raises InvalidInput where either
        is given beside ``existing_bucket_name``.
        """
        super().__init__(scope, construct_id)
        # Without this flag of newer apps, CDK lets access logs in by ACL, which bucket-owner-enforced refuses.
        self.node.set_context(ACCESS_LOGS_BY_POLICY, True)
        self.kms_key = kms_key
        if existing_bucket_name is None:
            rules = _lifecycle(intelligent_tiering=intelligent_tiering, noncurrent_version_days=noncurrent_version_days)
            self.bucket: s3.IBucket = self._new_bucket(rules)
        else:
            _refuse(intelligent_tiering=intelligent_tiering, noncurrent_version_days=noncurrent_version_days)
            self.bucket = s3.Bucket.from_bucket_name(self, "Bucket", existing_bucket_name)
        self.data_location = DataLocation(bucket=self.bucket.bucket_name, prefix=DATA_PREFIX)

    def _new_bucket(self, lifecycle_rules: Sequence[s3.LifecycleRule]) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            encryption=s3.BucketEncryption.KMS if self.kms_key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self.kms_key,
            bucket_key_enabled=True if self.kms_key else None,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            server_access_logs_bucket=self._access_logs(),
            server_access_logs_prefix="bucket/",
            lifecycle_rules=lifecycle_rules,
            removal_policy=RemovalPolicy.RETAIN,
        )
        _retain_policy(bucket)
        return bucket

    def _access_logs(self) -> s3.Bucket:
        logs = s3.Bucket(
            self,
            "AccessLogs",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            # S3 delivers access logs to buckets with its own key only.
            encryption=s3.BucketEncryption.S3_MANAGED,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="ExpireAccessLogs",
                    expiration=Duration.days(KEEP_ACCESS_LOGS_DAYS),
                    noncurrent_version_expiration=Duration.days(1),
                    abort_incomplete_multipart_upload_after=Duration.days(ABORT_UPLOADS_AFTER_DAYS),
                )
            ],
            removal_policy=RemovalPolicy.RETAIN,
        )
        _retain_policy(logs)
        accept(
            logs,
            LintException(
                checkov=["CKV_AWS_18"],
                cdk_nag=["AwsSolutions-S1"],
                reason="This bucket holds the access logs; logging it into itself would never end",
            ),
        )
        return logs


def _refuse(**settings: bool | int | None) -> None:
    """An adopted bucket stays as it is: what it was not asked for is refused, not ignored."""
    problems = [
        f"bucket.{name} is {value!r}; allowed: nothing beside adopt, since an adopted bucket keeps what it has; "
        f"fix: leave bucket.{name} out"
        for name, value in settings.items()
        if value is not None
    ]
    if problems:
        raise InvalidInput(*problems)


def _lifecycle(*, intelligent_tiering: bool | None, noncurrent_version_days: int | None) -> list[s3.LifecycleRule]:
    rules = [
        s3.LifecycleRule(
            id="AbortIncompleteUploads",
            abort_incomplete_multipart_upload_after=Duration.days(ABORT_UPLOADS_AFTER_DAYS),
        )
    ]
    keep_days = KEEP_OLD_VERSIONS_DAYS if noncurrent_version_days is None else noncurrent_version_days
    if keep_days:
        expiration = Duration.days(keep_days)
        rules.append(s3.LifecycleRule(id="ExpireOldVersions", noncurrent_version_expiration=expiration))
    if intelligent_tiering:
        at_once = s3.Transition(storage_class=s3.StorageClass.INTELLIGENT_TIERING, transition_after=Duration.days(0))
        rules.append(s3.LifecycleRule(id="TierTheData", prefix=DATA_PREFIX, transitions=[at_once]))
    return rules


def _retain_policy(bucket: s3.Bucket) -> None:
    """A bucket that outlives its stack must stay TLS only: its policy stays as well."""
    cast(s3.BucketPolicy, bucket.policy).apply_removal_policy(RemovalPolicy.RETAIN)
