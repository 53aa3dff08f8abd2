"""Change sets, so that ``cdk deploy`` works as it does by default.

moto looks a change set up by its name in the whole Region (the CDK gives all of its change sets one name), makes the
resources of a new stack as if it were an update, and loses its outputs and exports.
"""

from __future__ import annotations

from typing import Any

from moto.cloudformation.exceptions import CloudFormationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult

from headrace_local.moto_extension.cloudformation import stacks
from headrace_local.moto_extension.cloudformation.parameters import refuse_wrong_parameters

_create_change_set = CloudFormationBackend.create_change_set


class ChangeSetNotFound(CloudFormationError):  # type: ignore[misc]
    """The service's error for a name that no change set of this stack has."""

    code = "ChangeSetNotFound"


def create_change_set(backend: CloudFormationBackend, *, template: str, **rest: Any) -> tuple[str, str]:
    """Refuses resource types that are not known; reuses a stack that is still under review."""
    definition = Stack.parse_template(template)
    stacks.refuse_unknown_types(definition)
    refuse_wrong_parameters(definition, rest["parameters"], backend.region_name)
    for stack in list(backend.stacks.values()):
        if stack.name == rest["stack_name"] and stack.status == "REVIEW_IN_PROGRESS":
            del backend.stacks[stack.stack_id]
    identifiers: tuple[str, str] = _create_change_set(backend, template=template, **rest)
    return identifiers


def execute_change_set(backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
    """Create or update the stack as CreateStack and UpdateStack do."""
    change_set = find(backend, change_set_name, stack_name)
    stack = backend.stacks[change_set.stack_id]
    change_set.execution_status = "EXECUTE_COMPLETE"
    if change_set.change_set_type == "UPDATE":
        stacks.update(stack, change_set.template, None, change_set.parameters, change_set.tags)
        return
    stack.template, stack.parameters = change_set.template, change_set.parameters
    stack._parse_template()
    stack.cross_stack_resources = backend.exports
    stack.resource_map = stack._create_resource_map()
    stack.output_map = stack._create_output_map()
    stacks.fill(backend, stack)


def find(backend: CloudFormationBackend, name_or_id: str, stack: str | None) -> ChangeSet:
    """The change set by its ARN, or the youngest of this name in this stack. Raises ChangeSetNotFound."""
    by_id: ChangeSet | None = backend.change_sets.get(name_or_id)
    if by_id is not None:
        return by_id
    for each in reversed(backend.change_sets.values()):
        if each.change_set_name == name_or_id and stack in (None, each.stack_name, each.stack_id):
            return each
    raise ChangeSetNotFound(f"ChangeSet [{name_or_id}] does not exist")


def _find_for(response: CloudFormationResponse) -> ChangeSet:
    backend = response.cloudformation_backend
    return find(backend, response._get_param("ChangeSetName"), response._get_param("StackName"))


def _describe(response: CloudFormationResponse) -> ActionResult:
    return ActionResult(_find_for(response))


def _delete(response: CloudFormationResponse) -> ActionResult:
    try:
        change_set = _find_for(response)
    except ChangeSetNotFound:
        return EmptyResult()
    del response.cloudformation_backend.change_sets[change_set.change_set_id]
    return EmptyResult()


def install() -> None:
    """Put these in the place of moto's."""
    CloudFormationBackend.create_change_set = create_change_set
    CloudFormationBackend.execute_change_set = execute_change_set
    CloudFormationResponse.describe_change_set = _describe
    CloudFormationResponse.delete_change_set = _delete
