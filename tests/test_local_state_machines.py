"""Step Functions in the embedded AWS: what a machine may rely on. Each test names a repair of moto or guards a rule."""

from __future__ import annotations

import boto3
import pytest

from tests.state_machines import Machines, output_of


@pytest.fixture
def machines(aws_session: boto3.Session) -> Machines:
    """Step Functions of the embedded AWS."""
    return Machines(aws_session)


def test_a(machines: Machines) -> None:
    print(machines.output({"A": output_of({"x": "{% $states.input.a & 'x' %}", "c": "{% $states.context %}"})}, {"a": 'b"q'}))
    print(machines.run({"A": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:fsx:describeFileSystems", "Arguments": {"FileSystemIds": ["fs-00000000000000000"]}, "End": True}}))
    print(machines.run({"A": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:fsx:describeFileSystems", "Arguments": {"X": 1}, "End": True}}))
    print(machines.run({"A": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:fsx:describeFileSystems", "Arguments": {}, "End": True}}))
