"""The definitions under test, with values in the places of their substitutions: the one place that says where from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from headrace_cdk.definition import MACHINES, load

from tests.simulation.machine import Machine
from tests.simulation.simulated_fsx import ACCOUNT, REGION
from tests.simulation.simulated_step_functions import machine_arn

PLATFORM = "dev"
SUBNETS = ("subnet-00000000000000001", "subnet-00000000000000002")
MAX_FILE_SYSTEMS, MAX_GIB, MAX_HOURS, MAX_DELETES_PER_RUN = 10, 48_000, 72, 5
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:headrace-dev-ephemeral"

VALUES: Mapping[str, str] = {
    "Platform": PLATFORM,
    "SubnetIds": ",".join(SUBNETS),
    "MaxFileSystems": str(MAX_FILE_SYSTEMS),
    "MaxGib": str(MAX_GIB),
    "MaxHours": str(MAX_HOURS),
    "MaxDeletesPerRun": str(MAX_DELETES_PER_RUN),
    "LustreSecurityGroupId": "sg-00000000000000001",
    "JobSecurityGroupId": "sg-00000000000000002",
    "TeardownMachineArn": machine_arn("teardown"),
    "TopicArn": TOPIC,
}

Definitions = Mapping[str, Mapping[str, Any]]


@cache
def definitions() -> Definitions:
    """Each machine's definition by its name."""
    found = {}
    for name in MACHINES:
        definition = load(name)
        found[name] = definition.substituted({each: VALUES[each] for each in definition.substitutions})
    return found


@cache
def machines() -> Mapping[str, Machine]:
    """The machines as they are, compiled."""
    return compiled(definitions())


def compiled(given: Definitions) -> dict[str, Machine]:
    return {name: Machine.compiled(name, definition) for name, definition in given.items()}
