"""Buckets in CloudFormation: bucket policies, and the properties that moto drops.

moto makes the bucket with its encryption and tags and forgets the rest; the rest is applied here through S3's API.
Source: AWS CloudFormation Template Reference, AWS::S3::Bucket; Amazon S3 API Reference.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from moto.s3.models import s3_backends

from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.cloudformation.resource_types import (
    COMPLETIONS,
    DELETIONS,
    AddedType,
    Created,
    Properties,
    add,
    refuse_unknown_properties,
)


def _versioning(s3: Any, bucket: str, value: Any) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=value)


def _public_access_block(s3: Any, bucket: str, value: Any) -> None:
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_typed(value))


def _ownership(s3: Any, bucket: str, value: Any) -> None:
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=value)


def _logging(s3: Any, bucket: str, value: Any) -> None:
    # not through the API: moto's wants the target's policy first, which CloudFormation writes afterwards
    target = value.get("DestinationBucketName", bucket)
    s3.head_bucket(Bucket=target)
    _moto_bucket(bucket).logging = {"TargetBucket": target, "TargetPrefix": value.get("LogFilePrefix", "")}


def _moto_bucket(name: str) -> Any:
    partition, account = s3_backends.bucket_accounts[name]
    return s3_backends[account][partition].get_bucket(name)


def _lifecycle(s3: Any, bucket: str, value: Any) -> None:
    rules = [_lifecycle_rule(each) for each in value["Rules"]]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The API's form of a rule; CloudFormation writes days and prefixes flat."""
    answer: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        answer["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        answer["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    if "ExpiredObjectDeleteMarker" in rule:
        answer["Expiration"] = {"ExpiredObjectDeleteMarker": _typed(rule["ExpiredObjectDeleteMarker"])}
    if "AbortIncompleteMultipartUpload" in rule:
        answer["AbortIncompleteMultipartUpload"] = _typed(rule["AbortIncompleteMultipartUpload"])
    if "NoncurrentVersionExpiration" in rule:
        answer["NoncurrentVersionExpiration"] = _typed(rule["NoncurrentVersionExpiration"])
    if "NoncurrentVersionExpirationInDays" in rule:
        answer["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(rule["NoncurrentVersionExpirationInDays"])}
    if "Transitions" in rule:
        answer["Transitions"] = [
            {"Days": int(each["TransitionInDays"]), "StorageClass": each["StorageClass"]}
            for each in rule["Transitions"]
        ]
    return answer


def _typed(value: Any) -> Any:
    # templates may carry numbers and booleans as text
    if isinstance(value, Mapping):
        return {key: _typed(each) for key, each in value.items()}
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    if isinstance(value, str) and value.isdigit():
        return int(value)
    return value


_APPLY: Final[Mapping[str, Callable[[Any, str, Any], None]]] = {
    "VersioningConfiguration": _versioning,
    "PublicAccessBlockConfiguration": _public_access_block,
    "OwnershipControls": _ownership,
    "LoggingConfiguration": _logging,
    "LifecycleConfiguration": _lifecycle,
}
_BY_MOTO: Final = frozenset({"BucketName", "BucketEncryption", "Tags"})


def complete_bucket(region: str, bucket: str, properties: Properties) -> None:
    """Apply what moto drops. Raises Unsupported for a property that nobody here applies."""
    refuse_unknown_properties("AWS::S3::Bucket", properties, {*_APPLY, *_BY_MOTO})
    for name, apply in _APPLY.items():
        if name in properties:
            apply(client("s3", region), bucket, properties[name])


def _delete_bucket(region: str, bucket: str, _properties: Properties) -> None:
    # moto's deletion leaves a bucket that is not empty, and says nothing
    client("s3", region).delete_bucket(Bucket=bucket)


def _create_policy(region: str, properties: Properties) -> Created:
    bucket = properties["Bucket"]
    client("s3", region).put_bucket_policy(Bucket=bucket, Policy=json.dumps(properties["PolicyDocument"]))
    return Created(physical_id=bucket)


def _delete_policy(region: str, policy: Created) -> None:
    client("s3", region).delete_bucket_policy(Bucket=policy.physical_id)


def install() -> None:
    """Add bucket policies, complete and delete buckets."""
    add(AddedType(type_name="AWS::S3::BucketPolicy", create=_create_policy, delete=_delete_policy))
    COMPLETIONS["AWS::S3::Bucket"] = complete_bucket
    DELETIONS["AWS::S3::Bucket"] = _delete_bucket
