"""Parameters that a template does not allow are refused before anything is made; moto takes whatever it gets.

First each Parameter by itself (AllowedValues, AllowedPattern, MinValue, MaxValue), then the template's Rules.
Sources: AWS CloudFormation User Guide, "Parameters", "Rules"; the words are CloudFormation's, those of a Rule are ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from moto.cloudformation.exceptions import ValidationError

from headrace_local.moto_extension.clients import client

Definition = Mapping[str, Any]


def refuse_wrong_parameters(template: Definition, given: Mapping[str, Any], region: str) -> None:
    """Raise the service's ValidationError with the reason that the template gives."""
    definitions: Mapping[str, Definition] = template.get("Parameters", {})
    values = {name: given.get(name, each.get("Default")) for name, each in definitions.items()}
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise ValidationError(message=f"Parameters: [{', '.join(missing)}] must have values")
    for name, definition in definitions.items():
        for broken in _broken_constraints(definition, str(values[name])):
            reason = definition.get("ConstraintDescription", broken)
            raise ValidationError(message=f"Parameter {name} failed to satisfy constraint: {reason}")
    context = _Context(definitions=definitions, values=values, region=region)
    for name, rule in template.get("Rules", {}).items():
        if "RuleCondition" not in rule or _holds(rule["RuleCondition"], context):
            for assertion in rule["Assertions"]:
                if not _holds(assertion["Assert"], context):
                    raise ValidationError(message=f"Rule {name}: {assertion['AssertDescription']}")


def _broken_constraints(definition: Definition, text: str) -> Iterator[str]:
    for value in text.split(",") if definition["Type"] == "CommaDelimitedList" else [text]:
        if "AllowedValues" in definition and value not in map(str, definition["AllowedValues"]):
            yield f"must be one of {definition['AllowedValues']}"
        if "AllowedPattern" in definition and not re.fullmatch(definition["AllowedPattern"], value):
            yield f"must match pattern {definition['AllowedPattern']}"
        if "MinValue" in definition and float(value) < float(definition["MinValue"]):
            yield f"must be {definition['MinValue']} or more"
        if "MaxValue" in definition and float(value) > float(definition["MaxValue"]):
            yield f"must be {definition['MaxValue']} or less"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """What the functions of Rules look at."""

    definitions: Mapping[str, Definition]
    values: Mapping[str, Any]
    region: str

    def of_type(self, type_name: str) -> list[str]:
        return [str(self.values[name]) for name, each in self.definitions.items() if each["Type"] == type_name]


def _holds(expression: Mapping[str, Any], context: _Context) -> bool:
    return bool(_value(expression, context))


def _value(part: Any, context: _Context) -> Any:
    if not isinstance(part, dict):
        return part
    ((function, argument),) = part.items()
    if function not in _FUNCTIONS:
        raise ValidationError(message=f"The embedded AWS does not know the rule function {function}")
    return _FUNCTIONS[function](argument, context)


def _equals(argument: Any, context: _Context) -> bool:
    first, second = (str(_value(each, context)) for each in argument)
    return first == second


def _each_member_in(argument: Any, context: _Context) -> bool:
    checked, allowed = (_value(each, context) for each in argument)
    return set(checked) <= set(allowed)


def _value_of_all(argument: Any, context: _Context) -> list[str]:
    type_name, attribute = argument
    if (type_name, attribute) != ("AWS::EC2::Subnet::Id", "VpcId"):
        raise ValidationError(message=f"The embedded AWS does not know {attribute} of {type_name} in a rule")
    found = client("ec2", context.region).describe_subnets(SubnetIds=context.of_type(type_name))
    return [each["VpcId"] for each in found["Subnets"]]


_FUNCTIONS: Final[Mapping[str, Callable[[Any, _Context], Any]]] = {
    "Ref": lambda name, context: context.values[name],
    "Fn::Equals": _equals,
    "Fn::Not": lambda argument, context: not _holds(argument[0], context),
    "Fn::EachMemberIn": _each_member_in,
    "Fn::RefAll": lambda type_name, context: context.of_type(type_name),
    "Fn::ValueOfAll": _value_of_all,
}
