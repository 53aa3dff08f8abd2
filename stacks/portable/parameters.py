"""Parameters of a self-contained template: what each may be, and how the console shows it.

A value that only the deployment knows skips the rules of :mod:`headrace.rules`, so a Parameter carries the same limits
itself: CloudFormation refuses what breaks them before it makes anything, with ``constraint`` as the reason.
Source: AWS CloudFormation User Guide, "Parameters", "AWS::CloudFormation::Interface".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import (
    CfnCondition,
    CfnParameter,
    CfnResource,
    CfnRule,
    CfnRuleAssertion,
    Fn,
    ICfnConditionExpression,
    ICfnRuleConditionExpression,
    Stack,
)
from constructs import Construct

INTERFACE = "AWS::CloudFormation::Interface"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateParameter:
    """One Parameter. ``label``: a few words for the console. ``default``: None makes the Parameter required.

    ``constraint``: what is allowed, as CloudFormation says it when a value is refused.
    """

    name: str
    label: str
    description: str
    constraint: str | None = None
    type: str = "String"
    default: str | int | None = None
    allowed_values: Sequence[str | int] = ()
    allowed_pattern: str | None = None
    min_value: int | None = None
    max_value: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterGroup:
    """Parameters that the console shows under one heading."""

    label: str
    parameters: tuple[TemplateParameter, ...]


def add_parameters(stack: Stack, groups: Sequence[ParameterGroup]) -> dict[str, CfnParameter]:
    """Declare the Parameters in ``stack``, with the console's headings and labels; Parameter by name."""
    stack.template_options.metadata = {INTERFACE: _interface(groups)}
    return {each.name: _add(stack, each) for group in groups for each in group.parameters}


def whole(pattern: str) -> str:
    """A rule's pattern as an AllowedPattern: for the whole value, and without Python's names of groups."""
    return f"^({pattern.replace('?P<region>', '?:')})$"


def _add(stack: Stack, parameter: TemplateParameter) -> CfnParameter:
    return CfnParameter(
        stack,
        parameter.name,
        type=parameter.type,
        description=parameter.description,
        default=None if parameter.default is None else str(parameter.default),
        allowed_values=[str(each) for each in parameter.allowed_values] or None,
        allowed_pattern=parameter.allowed_pattern,
        constraint_description=parameter.constraint,
        min_value=parameter.min_value,
        max_value=parameter.max_value,
    )


def _interface(groups: Sequence[ParameterGroup]) -> Mapping[str, object]:
    parameters = [each for group in groups for each in group.parameters]
    return {
        "ParameterGroups": [
            {"Label": {"default": group.label}, "Parameters": [each.name for each in group.parameters]}
            for group in groups
        ],
        "ParameterLabels": {each.name: {"default": each.label} for each in parameters},
    }


def require(
    stack: Stack,
    rule_id: str,
    assertion: ICfnRuleConditionExpression,
    description: str,
    *,
    when: ICfnRuleConditionExpression | None = None,
) -> None:
    """Refuse a deployment whose Parameters break ``assertion``, with ``description`` as the reason.

    ``when``: a condition under which the assertion has to hold; None is always.
    """
    CfnRule(
        stack,
        rule_id,
        rule_condition=when,
        assertions=[CfnRuleAssertion(assert_=assertion, assert_description=description)],
    )


def parameter_is(name: str, value: str) -> ICfnRuleConditionExpression:
    """Whether a Parameter has this value, as rules and conditions ask it."""
    return Fn.condition_equals(Fn.ref(name), value)


def condition(stack: Stack, condition_id: str, expression: ICfnConditionExpression) -> CfnCondition:
    """A condition of the template, by which resources and values are chosen."""
    return CfnCondition(stack, condition_id, expression=expression)


def resource_of(scope: Construct, construct_id: str) -> CfnResource:
    """A resource of a construct, to write what only CloudFormation can decide (Fn::If) into its properties."""
    child = scope.node.find_child(construct_id)
    if not isinstance(child, CfnResource):
        raise TypeError(f"{child.node.path} is no resource")
    return child
