"""What a stack leaves for those who use it: one SSM parameter for jobs, CloudFormation outputs for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_ssm as ssm
from constructs import Construct
from headrace import platform
from headrace.errors import InvalidInput

TOKEN_BYTES = 64
"""What a value of the deployment is counted with: ids have at most 24 characters, bucket names 63."""
ARN_TOKEN_BYTES = 160
"""The same for an ARN: a role's name has 64 characters, and its path stands before it."""


class PlatformPart(Construct):
    """The parameter ``/headrace/<platform>/<part>`` that holds ``part`` as JSON. ``parameter_name``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        part: platform.PlatformPart,
        outputs: Mapping[str, str],
    ) -> None:
        """``outputs``: output name -> value, for people. Raises InvalidInput when ``part`` does not fit in 4 KB."""
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        plain = platform.to_plain(part)
        self.parameter_name = platform.parameter_name(part)
        size = largest_bytes(stack.resolve(plain))
        if size > platform.MAX_PARAMETER_BYTES:
            raise InvalidInput(
                f"platform record {self.parameter_name} takes up to {size} bytes; allowed: "
                f"{platform.MAX_PARAMETER_BYTES} (SSM standard parameter); fix: fewer subnets, data locations or links"
            )
        ssm.CfnParameter(
            self,
            "Parameter",
            name=self.parameter_name,
            type="String",
            description=f"headrace {part.platform}: {part.part}",
            value=stack.to_json_string(plain),
        )
        for name, value in outputs.items():
            CfnOutput(stack, name, value=value)


def largest_bytes(resolved: Any) -> int:
    """The most bytes that the JSON text of a resolved value can take once the deployment has filled it in."""
    if isinstance(resolved, dict) and len(resolved) == 1 and _is_intrinsic(next(iter(resolved))):
        return _intrinsic_bytes(*next(iter(resolved.items())))
    if isinstance(resolved, dict):
        return 2 + sum(largest_bytes(key) + largest_bytes(item) + 2 for key, item in resolved.items())
    if isinstance(resolved, list):
        return 2 + sum(largest_bytes(item) + 1 for item in resolved)
    return len(json.dumps(resolved, ensure_ascii=False).encode())


def _is_intrinsic(key: str) -> bool:
    return key == "Ref" or key.startswith("Fn::")


def _intrinsic_bytes(function: str, argument: Any) -> int:
    if function == "Fn::Join":
        return sum(largest_bytes(piece) for piece in argument[1])
    if function == "Fn::GetAtt" and str(argument[1]).endswith("Arn"):
        return ARN_TOKEN_BYTES
    if function == "Fn::ImportValue" and "Arn" in str(argument):
        return ARN_TOKEN_BYTES
    return TOKEN_BYTES
