"""Keys in CloudFormation.

moto fails on a key with tags, keeps the policy in a form that breaks DescribeKey, and deletes no key. Here a key goes
through the service's API, and deletion schedules it as CloudFormation does.
Source: AWS CloudFormation Template Reference, AWS::KMS::Key.
"""

from __future__ import annotations

import json
from typing import Final

from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.cloudformation.resource_types import (
    AddedType,
    Created,
    Properties,
    add,
    refuse_unknown_properties,
)

_DEFAULT_PENDING_DAYS: Final = 30
_APPLIED: Final = frozenset({"Description", "KeyPolicy", "Tags", "EnableKeyRotation", "PendingWindowInDays"})


def _create(region: str, properties: Properties) -> Created:
    refuse_unknown_properties("AWS::KMS::Key", properties, _APPLIED)
    kms = client("kms", region)
    policy = {"Policy": json.dumps(properties["KeyPolicy"])} if "KeyPolicy" in properties else {}
    tags = [{"TagKey": each["Key"], "TagValue": each["Value"]} for each in properties.get("Tags", [])]
    made = kms.create_key(Description=properties.get("Description", ""), Tags=tags, **policy)["KeyMetadata"]
    if str(properties.get("EnableKeyRotation", False)).lower() == "true":
        kms.enable_key_rotation(KeyId=made["KeyId"])
    days = int(properties.get("PendingWindowInDays", _DEFAULT_PENDING_DAYS))
    attributes = {"Arn": made["Arn"], "KeyId": made["KeyId"], "pending_days": days}
    return Created(physical_id=made["KeyId"], attributes=attributes)


def _delete(region: str, key: Created) -> None:
    client("kms", region).schedule_key_deletion(
        KeyId=key.physical_id, PendingWindowInDays=key.attributes["pending_days"]
    )


def install() -> None:
    """Put this type in the place of moto's."""
    attributes = frozenset({"Arn", "KeyId"})
    add(AddedType(type_name="AWS::KMS::Key", create=_create, delete=_delete, attributes=attributes))
