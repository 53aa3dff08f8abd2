"""The resources of one stack: made in order, with events, and deleted in the reverse order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.models import Event, Stack, cloudformation_backends

from headrace_local.moto_extension.cloudformation.resource_types import (
    COMPLETIONS,
    DELETIONS,
    PREPARATIONS,
    Unsupported,
    is_known,
)

__all__ = ["delete_all", "install", "is_known", "reason_of"]

_create_one = parsing.parse_and_create_resource
_update_one = parsing.parse_and_update_resource


def reason_of(error: Exception) -> str:
    """One line that says why a resource failed; a service's own message as it is."""
    text = " ".join(str(error).split())
    return text if text and _explains_itself(error) else f"{type(error).__name__}: {text}"


def _explains_itself(error: Exception) -> bool:
    is_of_a_service = hasattr(error, "response") or hasattr(error, "code")
    return is_of_a_service or isinstance(error, Unsupported) or type(error).__module__.startswith("moto.")


def create_one(
    logical_id: str, definition: dict[str, Any], resource_map: Any, account_id: str, region_name: str
) -> Any:
    """Create a resource after those that it depends on, and apply what moto drops."""
    if not _is_wanted(definition, resource_map):
        return None
    _create_dependencies(definition, resource_map)
    stack = _stack_of(resource_map, account_id, region_name)
    _event(stack, logical_id, definition["Type"], "CREATE_IN_PROGRESS")
    try:
        prepared = _prepared(definition, resource_map, region_name)
        resource = _create_one(logical_id, prepared, resource_map, account_id, region_name)
        if resource is not None and definition["Type"] in COMPLETIONS:
            properties = _properties(definition, resource_map)
            COMPLETIONS[definition["Type"]](region_name, resource.physical_resource_id, properties)
    except Exception as error:
        if stack is not None and not getattr(error, "has_event", False):
            _event(stack, logical_id, definition["Type"], "CREATE_FAILED", reason=reason_of(error))
            error.has_event = True  # type: ignore[attr-defined]  # those that refer to it fail with it
        raise
    physical_id = getattr(resource, "physical_resource_id", "")
    _event(stack, logical_id, definition["Type"], "CREATE_COMPLETE", physical_id=physical_id)
    return resource


def update_one(
    logical_id: str, definition: dict[str, Any], resource_map: Any, account_id: str, region_name: str
) -> Any:
    """Update a resource. moto forgets one that it cannot update; here it is an error that says what to do."""
    model = parsing.resource_class_from_type(definition["Type"])
    if model is not None and hasattr(model.update_from_cloudformation_json, "__isabstractmethod__"):
        raise Unsupported(
            f"{logical_id} ({definition['Type']}): the embedded AWS cannot change it in place; "
            "start anew with: headrace local reset"
        )
    prepared = _prepared(definition, resource_map, region_name)
    return _update_one(logical_id, prepared, resource_map, account_id, region_name)


def delete_all(stack: Stack, *, rolling_back: bool) -> list[str]:
    """Delete what the stack has made, the youngest first, and keep what is to be retained; a line for each failure."""
    definitions, made = stack.resource_map._resource_json_map, stack.resource_map._parsed_resources
    failures: list[str] = []
    for logical_id in [each for each in reversed(made) if each in definitions]:
        resource, definition = made[logical_id], definitions[logical_id]
        if resource is None:
            continue
        physical_id = getattr(resource, "physical_resource_id", "")
        if _is_retained(definition, rolling_back=rolling_back):
            _event(stack, logical_id, definition["Type"], "DELETE_SKIPPED", physical_id=physical_id)
            continue
        try:
            _delete_one(stack, resource, definition)
        except Exception as error:
            failures.append(f"{logical_id} ({reason_of(error)})")
            _event(stack, logical_id, definition["Type"], "DELETE_FAILED", physical_id, reason_of(error))
        else:
            del made[logical_id]
            _event(stack, logical_id, definition["Type"], "DELETE_COMPLETE", physical_id=physical_id)
    _forget_deleted(stack)
    return failures


def made_by(stack: Stack) -> list[Any]:
    """What the stack has made and still has. moto's own list makes what is missing when it is read."""
    made = stack.resource_map._parsed_resources
    return [made[each] for each in stack.resource_map._resource_json_map if made.get(each) is not None]


def _forget_deleted(stack: Stack) -> None:
    resource_map = stack.resource_map
    resource_map._resource_json_map = {
        name: each for name, each in resource_map._resource_json_map.items() if name in resource_map._parsed_resources
    }


def _delete_one(stack: Stack, resource: Any, definition: dict[str, Any]) -> None:
    deletion = DELETIONS.get(definition["Type"])
    if deletion is None:
        stack.resource_map._delete_resource(resource, definition)
        return
    deletion(stack.region_name, resource.physical_resource_id, _properties(definition, stack.resource_map))


def _is_retained(definition: Mapping[str, Any], *, rolling_back: bool) -> bool:
    policy = definition.get("DeletionPolicy", "Delete")
    return policy == "Retain" or (policy == "RetainExceptOnCreate" and not rolling_back)


def _is_wanted(definition: Mapping[str, Any], resource_map: Any) -> bool:
    condition = definition.get("Condition")
    return not condition or bool(resource_map.lazy_condition_map[condition])


def _create_dependencies(definition: Mapping[str, Any], resource_map: Any) -> None:
    # moto follows DependsOn only where no other resource refers to this one first
    depends_on = definition.get("DependsOn", [])
    for each in [depends_on] if isinstance(depends_on, str) else depends_on:
        resource_map[each]


def _prepared(definition: dict[str, Any], resource_map: Any, region_name: str) -> dict[str, Any]:
    preparation = PREPARATIONS.get(definition["Type"])
    if preparation is None:
        return definition
    return {**definition, "Properties": preparation(region_name, _properties(definition, resource_map))}


def _properties(definition: Mapping[str, Any], resource_map: Any) -> Mapping[str, Any]:
    properties = parsing.clean_json(definition.get("Properties", {}), resource_map)
    return properties if isinstance(properties, dict) else {}


def _stack_of(resource_map: Any, account_id: str, region_name: str) -> Stack | None:
    return cloudformation_backends[account_id][region_name].stacks.get(resource_map.stack_id)


def _event(
    stack: Stack | None,
    logical_id: str,
    type_name: str,
    status: str,
    physical_id: str = "",
    reason: str | None = None,
) -> None:
    if stack is not None:
        stack.events.append(Event(stack.stack_id, stack.name, logical_id, physical_id, type_name, status, reason, None))


def install() -> None:
    """Put these in the place of moto's."""
    parsing.parse_and_create_resource = create_one
    parsing.parse_and_update_resource = update_one
    Stack.stack_resources = property(made_by)
