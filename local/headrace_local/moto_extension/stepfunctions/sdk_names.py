"""The names that Step Functions gives to what it calls: those of the AWS SDK for Java 2, with a capital.

A member ``DNSName`` of a service is ``dnsName`` in Java, hence ``DnsName`` in a machine; ``executionArn`` is
``ExecutionArn``. What a request may not contain is an error, and instants come back as ISO text.
Sources: AWS Step Functions Developer Guide, "Learning to use AWS service SDK integrations" (PascalCase, exceptions);
aws-sdk-java-v2, ``Utils.unCapitalize``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from headrace_local.moto_extension.stepfunctions.instants import iso_text


class UnknownField(Exception):
    """A field that the operation does not have."""


def java_name(member: str) -> str:
    """The name in a machine of a member of a service's request or answer."""
    end = 1
    while end < len(member) and member[end].isupper() and not member[end + 1 : end + 2].islower():
        end += 1
    name = member[:end].lower() + member[end:]
    return name[:1].upper() + name[1:]


def to_service(value: Any, shape: Any) -> Any:
    """A machine's arguments by the service's names. Raises UnknownField."""
    kind = getattr(shape, "type_name", None)
    if kind == "structure" and isinstance(value, Mapping):
        members = {java_name(name): name for name in shape.members}
        for given in value:
            if given not in members:
                raise UnknownField(f"The field '{given}' is not supported by Step Functions")
        return {members[given]: to_service(each, shape.members[members[given]]) for given, each in value.items()}
    if kind == "list" and isinstance(value, list):
        return [to_service(each, shape.member) for each in value]
    if kind == "map" and isinstance(value, Mapping):
        return {name: to_service(each, shape.value) for name, each in value.items()}
    return value


def from_service(value: Any, shape: Any) -> Any:
    """A service's answer by a machine's names, as JSON has it."""
    kind = getattr(shape, "type_name", None)
    if isinstance(value, datetime):
        return iso_text(value)
    if kind == "structure" and isinstance(value, Mapping):
        return {java_name(name): from_service(each, shape.members.get(name)) for name, each in value.items()}
    if kind == "map" and isinstance(value, Mapping):
        return {name: from_service(each, shape.value) for name, each in value.items()}
    if isinstance(value, list):
        return [from_service(each, getattr(shape, "member", None)) for each in value]
    return value
