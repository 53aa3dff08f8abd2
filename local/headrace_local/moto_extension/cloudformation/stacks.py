"""Stacks that fail as stacks do.

moto skips a resource type that it does not know, and leaves a stack in CREATE_IN_PROGRESS for ever when a resource
fails. Here an unknown type is refused before anything is made, in CloudFormation's words; a resource that fails
writes CREATE_FAILED with its reason, what was made is deleted again, and the stack ends in ROLLBACK_COMPLETE.
Source: AWS CloudFormation User Guide, "Stack failure options", "DeletionPolicy attribute", "Exports".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.cloudformation import models, parsing
from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack, cloudformation_backends
from moto.cloudformation.parsing import OutputMap

from headrace_local.moto_extension.cloudformation import resources
from headrace_local.moto_extension.cloudformation.parameters import refuse_wrong_parameters
from headrace_local.moto_extension.events import bus


def refuse_unknown_types(template: Mapping[str, Any]) -> None:
    """Raise the service's ValidationError that names every type which the embedded AWS cannot make."""
    types = {each["Type"] for each in template.get("Resources", {}).values()}
    unknown = sorted(each for each in types if not resources.is_known(each))
    if unknown:
        raise ValidationError(message=f"Template format error: Unrecognized resource types: {unknown}")


def create_stack(
    backend: CloudFormationBackend, name: str, template: str, parameters: dict[str, Any], **rest: Any
) -> Stack:
    """CreateStack: refused as a whole, or a stack that ends in CREATE_COMPLETE or ROLLBACK_COMPLETE."""
    if any(stack.name == name for stack in backend.stacks.values()):
        raise AlreadyExistsException(f"Stack [{name}] already exists")
    definition = Stack.parse_template(template)
    refuse_unknown_types(definition)
    refuse_wrong_parameters(definition, parameters, backend.region_name)
    stack = Stack(
        stack_id=models.generate_stack_id(name, backend.region_name, backend.account_id),
        name=name,
        template=template,
        parameters=parameters,
        account_id=backend.account_id,
        region_name=backend.region_name,
        **rest,
    )
    backend.stacks[stack.stack_id] = stack
    fill(backend, stack)
    return stack


def fill(backend: CloudFormationBackend, stack: Stack) -> None:
    """Create everything in a new stack, or roll it back."""
    # moto gives a stack a dictionary of its own when nothing has been exported yet
    stack.cross_stack_resources = stack.resource_map.cross_stack_resources = backend.exports
    # moto makes what an output refers to when the output is read: nobody reads any before all is made
    stack.output_map = OutputMap(stack.resource_map, {}, stack.stack_id)
    set_status(stack, "CREATE_IN_PROGRESS", "User Initiated")
    try:
        stack.resource_map.create(stack.template_dict)
        stack.output_map = stack._create_output_map()
        _publish_exports(backend, stack)
    except Exception as error:
        reason = resources.reason_of(error)
        stack.output_map = OutputMap(stack.resource_map, {}, stack.stack_id)
        set_status(stack, "ROLLBACK_IN_PROGRESS", f"The following resource(s) failed to create: {reason}")
        _finish(stack, "ROLLBACK", resources.delete_all(stack, rolling_back=True))
        return
    stack.description = stack.template_dict.get("Description")
    set_status(stack, "CREATE_COMPLETE")


def update(stack: Stack, template: str, role_arn: str | None, parameters: Any, tags: Any) -> None:
    """UpdateStack. What moto cannot change in place is an error with a reason; nothing is rolled back."""
    backend = cloudformation_backends[stack.account_id][stack.region_name]
    refuse_unknown_types(Stack.parse_template(template))
    set_status(stack, "UPDATE_IN_PROGRESS", "User Initiated")
    stack.template = template
    stack._parse_template()
    for definition in stack.template_dict["Resources"].values():
        # moto writes this into the old template as it reads it, and then takes the resource for changed
        definition.setdefault("Properties", {})
    try:
        stack.resource_map.update(stack.template_dict, parameters)
        stack.output_map = stack._create_output_map()
        _publish_exports(backend, stack)
    except Exception as error:
        set_status(stack, "UPDATE_ROLLBACK_FAILED", resources.reason_of(error))
        return
    stack.role_arn = role_arn or stack.role_arn
    stack.parameters = parameters or stack.parameters
    stack.tags = stack.tags if tags is None else tags
    set_status(stack, "UPDATE_COMPLETE")


def delete_stack(backend: CloudFormationBackend, name_or_stack_id: str) -> None:
    """DeleteStack: a stack whose exports are in use, or a resource that fails to go, ends it in DELETE_FAILED."""
    stacks = [each for each in backend.stacks.values() if name_or_stack_id in (each.name, each.stack_id)]
    for stack in stacks:
        in_use = next(_exports_in_use(backend, stack), None)
        if in_use is not None:
            set_status(stack, "DELETE_FAILED", in_use)
            continue
        set_status(stack, "DELETE_IN_PROGRESS", "User Initiated")
        stack.output_map = OutputMap(stack.resource_map, {}, stack.stack_id)
        if _finish(stack, "DELETE", resources.delete_all(stack, rolling_back=False)):
            _withdraw_exports(backend, stack)
            backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)


def set_status(stack: Stack, status: str, reason: str | None = None) -> None:
    """The stack's status, and the events that say so: the stack's own, and EventBridge's."""
    stack.status, stack.stack_status_reason = status, reason
    stack._add_stack_event(status, resource_status_reason=reason)
    bus.publish(
        region=stack.region_name,
        source="aws.cloudformation",
        detail_type="CloudFormation Stack Status Change",
        resources=[stack.stack_id],
        detail={
            "stack-id": stack.stack_id,
            "status-details": {"status": status, "status-reason": reason or ""},
            "client-request-token": "",
        },
    )


def _finish(stack: Stack, verb: str, failures: list[str]) -> bool:
    if failures:
        set_status(stack, f"{verb}_FAILED", f"The following resource(s) failed to delete: {'; '.join(failures)}")
    else:
        set_status(stack, f"{verb}_COMPLETE")
    return not failures


def _publish_exports(backend: CloudFormationBackend, stack: Stack) -> None:
    exports = {each.name: each for each in stack.exports}
    taken = [name for name in exports if _is_of_another(backend, stack, name)]
    if taken:
        raise ValidationError(message=f"Export with name {taken[0]} is already exported by another stack")
    _withdraw_exports(backend, stack)
    backend.exports.update(exports)


def _is_of_another(backend: CloudFormationBackend, stack: Stack, export_name: str) -> bool:
    export = backend.exports.get(export_name)
    return export is not None and export.exporting_stack_id != stack.stack_id


def _withdraw_exports(backend: CloudFormationBackend, stack: Stack) -> None:
    for name in [name for name, each in backend.exports.items() if each.exporting_stack_id == stack.stack_id]:
        del backend.exports[name]


def _exports_in_use(backend: CloudFormationBackend, stack: Stack) -> Iterator[str]:
    for other in backend.stacks.values():
        for name in _imports(other.template_dict, other):
            export = backend.exports.get(name)
            if other is not stack and export is not None and export.exporting_stack_id == stack.stack_id:
                yield f"Export {name} cannot be deleted as it is in use by {other.name}"


def _imports(part: Any, stack: Stack) -> Iterator[str]:
    if isinstance(part, dict):
        if "Fn::ImportValue" in part:
            yield parsing.clean_json(part["Fn::ImportValue"], stack.resource_map)
        for each in part.values():
            yield from _imports(each, stack)
    elif isinstance(part, list):
        for each in part:
            yield from _imports(each, stack)


def install() -> None:
    """Put these in the place of moto's."""
    CloudFormationBackend.create_stack = create_stack
    CloudFormationBackend.delete_stack = delete_stack
    Stack.update = update
