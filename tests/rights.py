"""What a synthesised policy allows, as tests compare it: Sid -> actions, resources, condition."""

from __future__ import annotations

from typing import Any

from aws_cdk.assertions import Template

Rights = dict[str, tuple[list[str], list[str], dict[str, Any] | None]]


def rights_of(template: Template, policy: str) -> Rights:
    """The statements of the managed policy with this logical id: Sid -> actions, resources, condition."""
    (found,) = (each for key, each in template.find_resources("AWS::IAM::ManagedPolicy").items() if key[:-8] == policy)
    statements = found["Properties"]["PolicyDocument"]["Statement"]
    assert {each["Effect"] for each in statements} == {"Allow"}
    return {
        each["Sid"]: (
            as_list(each["Action"]),
            [as_text(one) for one in as_list(each["Resource"])],
            each.get("Condition"),
        )
        for each in statements
    }


def as_list(value: Any) -> list[Any]:
    """A list of one as CloudFormation wants it, which CDK writes as its only member."""
    return value if isinstance(value, list) else [value]


def as_text(resource: Any) -> str:
    """An ARN as text, references by the logical id that they name."""
    if isinstance(resource, str):
        return resource
    if "Fn::Join" in resource:
        return "".join(as_text(piece) for piece in resource["Fn::Join"][1])
    (target,) = resource.values()
    name = target if isinstance(target, str) else target[0]
    if name == "AWS::Partition":
        return "aws"
    return f"<{name.rstrip('0123456789ABCDEF')}>"
