"""The services' own models, with the names that Step Functions gives to what is in them.

Step Functions calls services by the Java SDK v2: the service as that spells it (``sfn``), the operation in camelCase,
members as the SDK names its accessors, with a capital first letter (``ResourceARN`` stays, ``DNSName`` is
``DnsName``), and errors as its exception classes (``FSx.FileSystemNotFoundException``).
Sources: Step Functions Developer Guide, "Learning to use AWS service SDK integrations" (names, prefixes, EqualsValue);
aws-sdk-java-v2, codegen: Utils.unCapitalize, DefaultNamingStrategy.getExceptionName.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.session import get_session
from headrace.service_model import Model, installed
from headrace_local.moto_extension.stepfunctions.sdk_names import java_name

# as Step Functions spells a service -> as botocore does, and the prefix of the errors
SERVICES: Mapping[str, tuple[str, str]] = {
    "cloudwatch": ("cloudwatch", "CloudWatch"),
    "fsx": ("fsx", "FSx"),
    "sagemaker": ("sagemaker", "SageMaker"),
    "sfn": ("stepfunctions", "Sfn"),
    "sns": ("sns", "Sns"),
}
# what can come of any call
COMMON_ERRORS = frozenset({"States.ALL", "States.Timeout", "States.TaskFailed", "States.Permissions"})
_RESOURCE = re.compile(r"arn:aws:states:::aws-sdk:(\w+):(\w+)")
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+")


@dataclass(frozen=True)
class Operation:
    """An operation that a Task calls."""

    service: str
    prefix: str
    name: str
    model: Model
    input: str | None
    output: str | None
    errors: frozenset[str]


@cache
def _plain(service: str) -> dict[str, Any]:
    plain: dict[str, Any] = get_session().get_component("data_loader").load_service_model(service, "service-2")
    return plain


@cache
def operation(resource: str) -> Operation | None:
    """The operation that a Task's Resource names; None where there is no such service or operation."""
    found = _RESOURCE.fullmatch(resource)
    if found is None or found[1] not in SERVICES:
        return None
    service, prefix = SERVICES[found[1]]
    plain = _plain(service)
    name = found[2][:1].upper() + found[2][1:]
    if name not in plain["operations"] or found[2][:1].isupper():
        return None
    described = plain["operations"][name]
    errors = {exception_name(each["shape"]) for each in described.get("errors", ())}
    # the SDK's own: an error that the model does not know, and one that has not reached the service
    errors |= {f"{prefix}Exception", "SdkClientException"}
    return Operation(
        service=service,
        prefix=prefix,
        name=name,
        model=installed(service),
        input=described.get("input", {}).get("shape"),
        output=described.get("output", {}).get("shape"),
        errors=frozenset(f"{prefix}.{each}" for each in errors) | COMMON_ERRORS,
    )


def member_name(name: str) -> str:
    """A member of a shape as Step Functions spells it."""
    spelt = java_name(name)
    return "EqualsValue" if spelt == "Equals" else spelt


def exception_name(shape: str) -> str:
    """The name of an error without the service's prefix."""
    bare = shape.removesuffix("Fault") if shape.endswith("Fault") else shape.removesuffix("Exception")
    return "".join(word.capitalize() for word in _WORD.findall(bare)) + "Exception"


@cache
def members(service: str, shape: str) -> Mapping[str, str]:
    """The members of a structure as Step Functions spells them, and their shapes."""
    described = installed(service).shapes[shape]
    return {member_name(name): each["shape"] for name, each in described.get("members", {}).items()}


def required(model: Model, shape: str) -> list[str]:
    """The members that a structure must have, as Step Functions spells them; tokens that the SDK fills in are not."""
    described = model.shapes[shape]
    return [
        member_name(name)
        for name in described.get("required", ())
        if not described["members"][name].get("idempotencyToken")
    ]
