"""Whether a managed policy fits: IAM refuses a larger one, but only when it is deployed.

What the deployment fills in is counted by its usual length, so the count is an estimate where a policy names resources
of its own template.
Source: IAM User Guide, "IAM and AWS STS quotas": 6,144 characters in a managed policy, white space not counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from headrace.errors import InvalidInput

MAX_MANAGED_POLICY_CHARACTERS = 6144
ASSUMED_CHARACTERS = {"AWS::Partition": 3, "AWS::Region": 9, "AWS::AccountId": 12, "Arn": 90}
ASSUMED_ID_CHARACTERS = 24


def require_size(purpose: str, document: Mapping[str, Any]) -> None:
    """Refuse a resolved policy document that is larger than IAM takes.

    Raises InvalidInput with the size, the limit and what to do.
    """
    size_characters = policy_characters(document)
    if size_characters > MAX_MANAGED_POLICY_CHARACTERS:
        raise InvalidInput(
            f"IAM policy {purpose} is {size_characters} characters; allowed: {MAX_MANAGED_POLICY_CHARACTERS} in a "
            "managed policy; fix: fewer or wider data_locations, iam.image_repository_arns and own_ingestion, such as "
            "one prefix that holds several"
        )


def policy_characters(document: Mapping[str, Any]) -> int:
    """How many characters IAM will count in a resolved policy document."""
    text = json.dumps(_filled_in(document), separators=(",", ":"), ensure_ascii=False)
    return len("".join(text.split()))


def _filled_in(value: Any) -> Any:
    if isinstance(value, list):
        # CDK writes a list of one as its only member.
        return _filled_in(value[0]) if len(value) == 1 else [_filled_in(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if "Fn::Join" in value:
        return "".join(map(str, map(_filled_in, value["Fn::Join"][1])))
    if "Ref" in value or any(key.startswith("Fn::") for key in value):
        return "x" * _assumed_characters(value)
    return {key: _filled_in(each) for key, each in value.items()}


def _assumed_characters(reference: Mapping[str, Any]) -> int:
    ((function, argument),) = reference.items()
    name = argument[-1] if isinstance(argument, list) else argument
    if function == "Fn::ImportValue" and "Arn" in str(argument):
        return ASSUMED_CHARACTERS["Arn"]
    return ASSUMED_CHARACTERS.get(name, ASSUMED_ID_CHARACTERS) if isinstance(name, str) else ASSUMED_ID_CHARACTERS
