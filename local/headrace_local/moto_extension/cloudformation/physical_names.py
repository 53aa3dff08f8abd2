"""Names that CloudFormation makes up: moto forgets how long they may be, and a role's that is longer is none.

Source: AWS CloudFormation User Guide, "Name type" (names are cut so that they fit); IAM API Reference, CreateRole.
"""

from __future__ import annotations

from moto.cloudformation import parsing

_MAX_CHARACTERS = {"AWS::IAM::Role": 64, "AWS::StepFunctions::StateMachine": 80}

_generate = parsing.generate_resource_name


def _fitting_name(resource_type: str, stack_name: str, logical_id: str) -> str:
    name: str = _generate(resource_type, stack_name, logical_id)
    most = _MAX_CHARACTERS.get(resource_type, len(name))
    if len(name) <= most:
        return name
    # the end is what makes it unique
    start, _, suffix = name.rpartition("-")
    return f"{start[: most - len(suffix) - 1].rstrip('-')}-{suffix}"


def install() -> None:
    """Cut the names that are too long."""
    parsing.generate_resource_name = _fitting_name
