"""State machines in CloudFormation: made through the API, where executions find them.

moto makes them in a table that its interpreter does not read, and knows neither Definition nor substitutions.
Source: AWS CloudFormation Template Reference, AWS::StepFunctions::StateMachine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.cloudformation.resource_types import (
    AddedType,
    Created,
    Properties,
    Unsupported,
    add,
    refuse_unknown_properties,
)

TYPE: Final = "AWS::StepFunctions::StateMachine"
_APPLIED: Final = frozenset(
    {
        *("StateMachineName", "StateMachineType", "RoleArn", "Tags", "LoggingConfiguration", "TracingConfiguration"),
        *("DefinitionString", "Definition", "DefinitionSubstitutions"),
    }
)


def _create(region: str, properties: Properties) -> Created:
    refuse_unknown_properties(TYPE, properties, _APPLIED)
    name = properties["StateMachineName"]
    made = client("stepfunctions", region).create_state_machine(
        name=name,
        definition=definition_of(properties),
        roleArn=properties["RoleArn"],
        type=properties.get("StateMachineType", "STANDARD"),
        tags=[{"key": each["Key"], "value": each["Value"]} for each in properties.get("Tags", [])],
        loggingConfiguration=_api_form(properties.get("LoggingConfiguration", {"Level": "OFF"})),
        tracingConfiguration=_api_form(properties.get("TracingConfiguration", {"Enabled": False})),
    )
    arn = made["stateMachineArn"]
    return Created(physical_id=arn, attributes={"Arn": arn, "Name": name})


def _update(region: str, machine: Created, properties: Properties) -> Created:
    """Executions that run go on as they began, as on AWS."""
    refuse_unknown_properties(TYPE, properties, _APPLIED)
    if properties.get("StateMachineName", machine.attributes["Name"]) != machine.attributes["Name"]:
        raise Unsupported(f"{TYPE}: the embedded AWS cannot give a machine another name; make a new one")
    client("stepfunctions", region).update_state_machine(
        stateMachineArn=machine.physical_id, definition=definition_of(properties), roleArn=properties["RoleArn"]
    )
    return machine


def definition_of(properties: Properties) -> str:
    """The machine's definition with its substitutions made."""
    if ("DefinitionString" in properties) == ("Definition" in properties):
        raise Unsupported(f"{TYPE}: the embedded AWS wants either DefinitionString or Definition")
    text = str(properties.get("DefinitionString") or json.dumps(properties["Definition"]))
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{name}}}", value if isinstance(value, str) else json.dumps(value))
    return text


def _api_form(value: Any) -> Any:
    """CloudFormation's names begin with capitals, the API's do not; templates may carry booleans as text."""
    if isinstance(value, Mapping):
        return {name[:1].lower() + name[1:]: _api_form(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_api_form(each) for each in value]
    return value == "true" if value in ("true", "false") else value


def _delete(region: str, machine: Created) -> None:
    client("stepfunctions", region).delete_state_machine(stateMachineArn=machine.physical_id)


def install() -> None:
    """Put this type in the place of moto's."""
    add(
        AddedType(
            type_name=TYPE,
            create=_create,
            delete=_delete,
            update=_update,
            attributes=frozenset({"Arn", "Name"}),
            name_property="StateMachineName",
        )
    )
