"""Rules of our own for the machines: every call bounded and caught, one machine that deletes, errors by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.machine_definitions import Definition, Place, Scope, edges, expressions, nodes, places, scopes
from tests.machine_typing import Typing

ERRORS: Mapping[str, frozenset[str]] = {
    "ephemeral": frozenset(
        f"Ephemeral.{name}"
        for name in (
            "CapReached",
            "CapacityError",
            "FileSystemNotReady",
            "ImportFailed",
            "InvalidRequest",
            "LifetimeExceeded",
            "LinkNotReady",
            "NotDeleted",
            "PreloadFailed",
            "PreloadIncomplete",
            "TrainingFailed",
            "TrainingStopped",
        )
    ),
    "teardown": frozenset({"Teardown.NotDeleted", "Teardown.OwnerRuns"}),
    "reaper": frozenset(),
    "preload": frozenset({"Preload.Failed", "Preload.ImportFailed", "Preload.Incomplete"}),
}
"""The errors that each machine raises under a name of its own."""
RAISED_AS_CAUGHT = frozenset({"Raise"})
"""States that hand on an error of somebody else, renamed where it begins with ``States.``."""
TAGS = frozenset(f"headrace:{name}" for name in ("platform", "owner", "job", "expires", "marked", "file-system"))
BEGINNINGS = frozenset({"Ephemeral.", "headrace:preloaded:"})
"""What a name of an error or a link is put behind."""

EVENTS: Mapping[str, int] = {
    # entered and exited
    **dict.fromkeys(("Pass", "Wait", "Choice", "Succeed", "Fail"), 2),
    # and scheduled, started, succeeded
    "Task": 5,
    # and started, succeeded
    "Parallel": 4,
    "Map": 4,
}
"""The events of a state that succeeds. Source: Step Functions API Reference, HistoryEvent."""


def findings(typing: Typing) -> list[str]:
    """Where a machine breaks the rules."""
    name, definition = typing.name, typing.definition
    found = [f"{at.path}: {text}" for at in places(definition) for text in _of_state(name, at)]
    found.extend(_of_transitions(definition))
    found.extend(_of_texts(typing))
    if name == "ephemeral":
        found.extend(_uncaught(definition))
    return found


def _of_state(name: str, at: Place) -> Iterator[str]:
    state = at.state
    if state["Type"] == "Fail":
        yield from _of_fail(name, at)
    if state["Type"] != "Task":
        return
    if not state["Resource"].startswith("arn:aws:states:::aws-sdk:"):
        yield f"{state['Resource']} is no plain call of the SDK"
    if state["Resource"].endswith(":deleteFileSystem") and name != "teardown":
        yield "only the teardown deletes"
    if not 0 < state.get("TimeoutSeconds", 0) <= 60:
        yield "a call has a TimeoutSeconds of at most 60"
    # before another delete there is another look at the jobs: one may have come
    if "States.ALL" not in _errors(state, "Retry") and not state["Resource"].endswith(":deleteFileSystem"):
        yield "a call is tried again after any error"


def _of_fail(name: str, at: Place) -> Iterator[str]:
    error = at.state["Error"]
    if error.startswith("States."):
        yield f"{error} is a name that Step Functions keeps for itself"
    elif error.startswith("{%"):
        if at.name not in RAISED_AS_CAUGHT:
            yield "an error that is computed is raised where it was caught"
    elif error not in ERRORS[name]:
        yield f"{error} is not documented; allowed: {', '.join(sorted(ERRORS[name]))}"


def _errors(state: Definition, field: str) -> set[str]:
    return {error for each in state.get(field, []) for error in each["ErrorEquals"]}


def _of_transitions(definition: Definition) -> Iterator[str]:
    for scope in scopes(definition):
        reached = reachable(scope, scope.start)
        for name, state in scope.states.items():
            at = Place(name, state, scope)
            if name not in reached:
                yield f"{at.path}: no way leads here"
            for edge in edges(at):
                if edge.target is not None and edge.target not in scope.states:
                    yield f"{at.path}.{edge.name}: there is no state {edge.target}"


def reachable(scope: Scope, start: str) -> set[str]:
    """The states of a scope that can follow ``start``, itself included."""
    found, wanted = set(), [start]
    while wanted:
        name = wanted.pop()
        if name in found or name not in scope.states:
            continue
        found.add(name)
        wanted.extend(edge.target for edge in edges(Place(name, scope.states[name], scope)) if edge.target)
    return found


def _of_texts(typing: Typing) -> Iterator[str]:
    """Tag keys and errors of ours that nobody knows: where they are compared, a wrong one is never equal."""
    known = TAGS | {error for errors in ERRORS.values() for error in errors}
    for text in sorted(_texts(typing)):
        if text.startswith(("headrace:", "Ephemeral.", "Teardown.", "Preload.")) and text not in known | BEGINNINGS:
            yield f"{text!r} is no tag and no error of ours"


def _texts(typing: Typing) -> set[str]:
    found = {each["value"] for tree in typing.trees.values() for each in nodes(tree) if each["type"] == "string"}
    return found | set(_plain_texts(typing.definition))


def _plain_texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _plain_texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _plain_texts(each)
    elif isinstance(value, str) and not list(expressions(value)):
        yield value


def _uncaught(definition: Definition) -> Iterator[str]:
    """Whatever fails once there may be a file system leads to the teardown, or to the end that tells of it."""
    top = next(scopes(definition))
    for name in sorted(reachable(top, "CreateFileSystem")):
        state = top.states[name]
        if state["Type"] in ("Task", "Parallel", "Map") and "States.ALL" not in _errors(state, "Catch"):
            yield f"{name}: there may be a file system, and an error is not caught"


def rounds(scope: Scope, wait: str) -> list[int]:
    """The events of each way from a Wait back to it, on which nothing else waits and no state comes twice."""
    found: list[int] = []
    wanted: list[tuple[str, tuple[str, ...]]] = [(wait, ())]
    while wanted:
        name, way = wanted.pop()
        way = (*way, name)
        for edge in edges(Place(name, scope.states[name], scope)):
            if edge.target == wait:
                found.append(sum(EVENTS[scope.states[each]["Type"]] for each in way))
            elif edge.target and edge.target not in way and scope.states[edge.target]["Type"] != "Wait":
                wanted.append((edge.target, way))
    return found
