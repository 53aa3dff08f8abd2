"""Bucket policies with conditions.

moto takes a statement whose condition it cannot judge for one that denies: a policy that denies what comes without
TLS then refuses every write. Here a conditional statement counts only when all of its conditions can be judged and
hold. What can be judged is ``aws:SecureTransport``, which is always true: plain HTTP to 127.0.0.1 stands for TLS.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

_KNOWN_CONTEXT = {"aws:securetransport": "true"}


def applies(statement: Mapping[str, Any]) -> bool:
    """Whether every condition of the statement holds, as far as the embedded AWS can tell."""
    return all(
        operator == "Bool" and _KNOWN_CONTEXT.get(key.lower()) in _texts(wanted)
        for operator, block in statement.get("Condition", {}).items()
        for key, wanted in block.items()
    )


def get_permission(bucket: FakeBucket, action: str, resource: str) -> Any:
    """What the bucket's policy says of an action on a resource."""
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    document = json.loads(bucket.policy)
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    judged = [{**each, "Condition": {}} for each in statements if applies(each)]
    if not judged:
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps({**document, "Statement": judged})).is_action_permitted(action, resource)


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(each).lower() for each in values]


def install() -> None:
    """Put this in the place of moto's."""
    FakeBucket.get_permission = get_permission
