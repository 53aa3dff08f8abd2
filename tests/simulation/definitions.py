"""The definitions under test: those of the synthesised templates, with values in the places of their substitutions.

The one place that says where they come from. The settings are the committed ones of `dev`, with a cap that leaves room
for the others of a schedule; what only a deployment knows (other stacks' exports, the account) gets a value of ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.simulation.data_repositories import ACCOUNT, REGION
from tests.simulation.machine import Machine
from tests.simulation.simulated_step_functions import MACHINE_PREFIX

ROOT = Path(__file__).parent.parent.parent
PLATFORM = "dev"
SUBNETS = ("subnet-00000000000000001", "subnet-00000000000000002")
MACHINES = ("ephemeral", "teardown", "reaper")
MAX_FILE_SYSTEMS, MAX_GIB, MAX_HOURS = 10, 48_000, 30
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:headrace-dev-alarms"
GROUP = "sg-00000000000000001"
BUCKET = "bucket"

Definitions = Mapping[str, Mapping[str, Any]]
Resources = Mapping[str, Mapping[str, Any]]


@cache
def resources() -> Resources:
    """The resources of all stacks of the environment, by logical id."""
    from aws_cdk import App
    from aws_cdk.assertions import Template

    from stacks.composition import Target, compose
    from stacks.settings import settings_of

    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    settings = settings_of(context["headrace"], PLATFORM)
    capped = replace(settings.ephemeral, max_file_systems=MAX_FILE_SYSTEMS, max_gib=MAX_GIB, max_hours=MAX_HOURS)
    stacks = compose(App(context=context), Target(environment=PLATFORM), replace(settings, ephemeral=capped))
    found: dict[str, Mapping[str, Any]] = {}
    for stack in stacks:
        found |= Template.from_stack(stack).to_json()["Resources"]
    return found


def of_type(kind: str) -> list[Mapping[str, Any]]:
    """The properties of the resources of a type."""
    return [each["Properties"] for each in resources().values() if each["Type"] == kind]


@cache
def definitions() -> Definitions:
    """Each machine's definition by its name."""
    found = {}
    for properties in of_type("AWS::StepFunctions::StateMachine"):
        name = properties["StateMachineName"].removeprefix(MACHINE_PREFIX)
        if name in MACHINES:
            values = {key: resolved(value) for key, value in properties.get("DefinitionSubstitutions", {}).items()}
            text = properties["DefinitionString"]
            for key, value in values.items():
                text = text.replace("${" + key + "}", value)
            assert "${" not in text
            found[name] = json.loads(text)
    assert found.keys() == set(MACHINES)
    return found


def resolved(value: Any) -> str:
    """A value of a template as a deployment would make it."""
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(resolved(part) for part in parts)
        case {"Fn::ImportValue": name}:
            return _exported(name)
        case {"Ref": "AWS::AccountId"}:
            return ACCOUNT
        case {"Ref": "AWS::Region"}:
            return REGION
        case {"Ref": logical_id}:
            return TOPIC if resources()[logical_id]["Type"] == "AWS::SNS::Topic" else f"{MACHINE_PREFIX}{logical_id}"
    raise ValueError(f"{value!r} is nothing that this simulation can resolve")


def _exported(name: str) -> str:
    """Of the foundation: the bucket, a subnet, whose name ends with its zone's number, or a security group."""
    if "Bucket" in name:
        return BUCKET
    zone = re.search(r"Subnet\w*?az(\d)", name)
    return GROUP if zone is None else SUBNETS[int(zone[1]) - 1]


@cache
def machines() -> Mapping[str, Machine]:
    """The machines as they are, compiled."""
    return compiled(definitions())


def compiled(given: Definitions) -> dict[str, Machine]:
    return {name: Machine.compiled(name, definition) for name, definition in given.items()}
