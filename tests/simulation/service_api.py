"""What Step Functions asks of an `aws-sdk` call before it leaves: that API, action and arguments exist.

Names are those of the AWS SDK for Java 2: PascalCase, and a leading acronym is one word (`DNSName` is `DnsName`,
`ResourceARN` stays). An argument that the action does not know is States.Runtime, which no machine survives (Developer
Guide, "Learning to use AWS service SDK integrations"). The models are botocore's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.model import OperationModel, Shape, StructureShape
from botocore.session import get_session

from tests.simulation.state_errors import RUNTIME, StateError

RESOURCE = "arn:aws:states:::aws-sdk:"
BOTOCORE_NAMES = {"sfn": "stepfunctions"}
ERROR_PREFIXES = {"fsx": "FSx", "sagemaker": "SageMaker", "sfn": "Sfn", "cloudwatch": "CloudWatch", "sns": "Sns"}
PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (str,),
    "list": (list,),
    "structure": (dict,),
    "map": (dict,),
}


def java_name(name: str) -> str:
    leading = re.match(r"[A-Z]{2,}(?=[A-Z][a-z])", name)
    if leading:
        name = leading.group().capitalize() + name[leading.end() :]
    return name[:1].upper() + name[1:]


@dataclass(frozen=True)
class Action:
    """One action of one service, as a Task state names it."""

    service: str
    name: str
    model: OperationModel

    @property
    def error_prefix(self) -> str:
        return ERROR_PREFIXES[self.service]

    def check(self, arguments: Any) -> None:
        """States.Runtime when the arguments are not the action's."""
        for problem in misfits(arguments, self.model.input_shape, ""):
            cause = f"The Parameters could not be used to start the Task {self.service}:{self.name}: {problem}"
            raise StateError(RUNTIME, cause)

    def errors(self) -> set[str]:
        """Its documented errors as Step Functions names them, and those that every action may give."""
        named = {f"{self.error_prefix}.{_exception(each.name)}" for each in self.model.error_shapes}
        return named | {f"{self.error_prefix}.{self.error_prefix}Exception", f"{self.error_prefix}.SdkClientException"}


def _exception(name: str) -> str:
    name = name.removesuffix("Fault")
    return name if name.endswith("Exception") else f"{name}Exception"


@cache
def action(resource: str) -> Action:
    """The action of a Resource; StateError when there is none."""
    service, _, name = resource.removeprefix(RESOURCE).partition(":")
    if not resource.startswith(RESOURCE) or service not in ERROR_PREFIXES:
        raise StateError(RUNTIME, f"Resource {resource!r} is no integration that runs here")
    model = _service(BOTOCORE_NAMES.get(service, service))
    found = [each for each in model.operation_names if each[0].lower() + each[1:] == name]
    if not found:
        raise StateError(RUNTIME, f"Resource {resource!r}: the service has no action of this name")
    return Action(service, name, model.operation_model(found[0]))


@cache
def _service(name: str) -> Any:
    return get_session().get_service_model(name)


def misfits(value: Any, shape: Any, where: str) -> Iterator[str]:
    """What of a value does not fit the shape: unknown and missing members, wrong types."""
    kinds = PYTHON_TYPES.get(shape.type_name)
    if kinds is None:
        return
    fits = isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)
    if not fits:
        yield f"{where or 'the arguments'} is {value!r}, not a {shape.type_name}"
    elif shape.type_name == "structure":
        members, required = _members(shape)
        for name, each in value.items():
            if name not in members:
                yield f'The field "{where}{name}" is not supported by Step Functions'
            else:
                yield from misfits(each, members[name], f"{where}{name}.")
        for name in sorted(required - value.keys()):
            yield f'The field "{where}{name}" is required but was missing'
    elif shape.type_name == "list":
        for index, each in enumerate(value):
            yield from misfits(each, shape.member, f"{where[:-1]}[{index}].")
    elif shape.type_name == "map":
        for name, each in value.items():
            yield from misfits(each, shape.value, f"{where}{name}.")


@cache
def _members(shape: StructureShape) -> tuple[dict[str, Shape], frozenset[str]]:
    """The members of a structure by their Java names, and which of them are required."""
    members = {java_name(name): member for name, member in shape.members.items()}
    return members, frozenset(java_name(name) for name in shape.required_members)
