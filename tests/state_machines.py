"""What the tests of Step Functions in the embedded AWS share: making a machine, running it to its end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import boto3

from tests.training_jobs import until

States = Mapping[str, Mapping[str, Any]]
ROLE = "arn:aws:iam::123456789012:role/machine"


class Machines:
    """Makes machines with names of their own, and runs them."""

    def __init__(self, session: boto3.Session) -> None:
        self.client = session.client("stepfunctions")

    def make(self, states: States, **members: Any) -> str:
        """A machine of these JSONata states that starts with the first; gives its ARN."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **members}
        name = f"machine-{uuid4().hex[:12]}"
        made = self.client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
        return str(made["stateMachineArn"])

    def start(self, machine: str, given: Any = None, name: str | None = None) -> str:
        """Start an execution; gives its ARN."""
        named = {} if name is None else {"name": name}
        started = self.client.start_execution(stateMachineArn=machine, input=json.dumps(given or {}), **named)
        return str(started["executionArn"])

    def end(self, execution: str, seconds: float = 40) -> dict[str, Any]:
        """The execution's description when it has ended, or when the time is over."""
        described: dict[str, Any] = {}

        def is_over() -> bool:
            described.update(self.client.describe_execution(executionArn=execution))
            return bool(described["status"] != "RUNNING")

        until(is_over, seconds)
        return described

    def run(self, states: States, given: Any = None, **members: Any) -> dict[str, Any]:
        """Make a machine, run it once, and describe how it ended."""
        return self.end(self.start(self.make(states, **members), given))

    def output(self, states: States, given: Any = None, **members: Any) -> Any:
        """The output of a run that succeeds."""
        ended = self.run(states, given, **members)
        assert ended["status"] == "SUCCEEDED", ended
        return json.loads(ended["output"])


def output_of(expression: Any) -> dict[str, Any]:
    """A state that ends with an output."""
    return {"Type": "Pass", "Output": expression, "End": True}
