"""A definition in Amazon States Language, compiled once: its expressions, its transitions, and what it may not say.

Only JSONata, only the states and fields that the interpreter runs: whatever else a definition says is refused here, so
that no field is silently without effect. As Step Functions does when a machine is created, a definition is refused
whose inner scope assigns a variable of an outer one (Developer Guide, "Passing data between states with variables").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.simulation.jsonata import Functions, States, expression, is_expression


class Bindings(NamedTuple):
    """What an expression sees."""

    variables: Mapping[str, Any]
    states: States
    functions: Functions


Template = Callable[[Bindings], Any]

COMMON = {"Type", "Comment", "QueryLanguage"}
FLOW = {"Next", "End", "Output", "Assign"}
ANSWERS = {"Retry", "Catch"}
FIELDS = {
    "Task": COMMON | FLOW | ANSWERS | {"Resource", "Arguments", "TimeoutSeconds"},
    "Parallel": COMMON | FLOW | ANSWERS | {"Branches", "Arguments"},
    "Map": COMMON | FLOW | ANSWERS | {"Items", "ItemSelector", "ItemProcessor", "MaxConcurrency"},
    "Pass": COMMON | FLOW,
    "Wait": COMMON | FLOW | {"Seconds", "Timestamp"},
    "Choice": COMMON | {"Choices", "Default", "Output", "Assign"},
    "Succeed": COMMON | {"Output"},
    "Fail": COMMON | {"Error", "Cause"},
}
TOP_LEVEL = {"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"}
RULE = {"Condition", "Next", "Output", "Assign", "Comment"}
RETRIER = {
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}
CATCHER = {"ErrorEquals", "Next", "Output", "Assign", "Comment"}


class DefinitionError(Exception):
    """What Step Functions would refuse to create, or this interpreter does not run."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """How a state is left: what it says to the next, what it keeps, and where it goes (None: the end)."""

    output: Template | None
    assign: Template | None
    next: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    condition: Template
    leaving: Leaving


@dataclass(frozen=True, slots=True)
class Retrier:
    errors: tuple[str, ...]
    interval_seconds: float
    max_attempts: int
    backoff_rate: float
    max_delay_seconds: float
    jitter: bool

    def delay(self, attempt: int, chance: Callable[[], float]) -> float:
        """Seconds before this attempt, the first being 0."""
        seconds = min(self.interval_seconds * self.backoff_rate**attempt, self.max_delay_seconds)
        return seconds * chance() if self.jitter else seconds


@dataclass(frozen=True, slots=True)
class Catcher:
    errors: tuple[str, ...]
    leaving: Leaving


@dataclass(frozen=True, slots=True)
class State:
    name: str
    kind: str
    leaving: Leaving
    resource: str
    fields: Mapping[str, Template]  # Arguments, TimeoutSeconds, Seconds, Timestamp, Error, Cause, Items, ItemSelector
    rules: tuple[Rule, ...]
    retriers: tuple[Retrier, ...]
    catchers: tuple[Catcher, ...]
    groups: tuple[Group, ...]  # the branches of a Parallel, the one processor of a Map
    max_concurrency: int


@dataclass(frozen=True, slots=True)
class Group:
    """States that run in one scope: the machine itself, a branch, an item's processor."""

    start: str
    states: Mapping[str, State]


@dataclass(frozen=True, slots=True)
class Machine:
    name: str
    group: Group
    timeout_seconds: int | None
    state_names: tuple[str, ...]

    @classmethod
    def compiled(cls, name: str, definition: Mapping[str, Any]) -> Machine:
        _only(definition, TOP_LEVEL, name)
        if definition.get("QueryLanguage") != "JSONata":
            raise DefinitionError(f"{name}: QueryLanguage {definition.get('QueryLanguage')!r}; only JSONata runs here")
        group = _group(name, definition, frozenset())
        return cls(name, group, definition.get("TimeoutSeconds"), tuple(_names(group)))


def template(value: Any) -> Template:
    """A payload template: expressions anywhere in it are replaced by their values."""
    if is_expression(value):
        compiled = expression(value[2:-2].strip())
        return lambda bound: compiled.evaluate(bound.variables, bound.states, bound.functions)
    if not _has_expression(value):
        return lambda _: value
    if isinstance(value, dict):
        members = [(key, template(each)) for key, each in value.items()]
        return lambda bound: {key: each(bound) for key, each in members}
    items = [template(each) for each in value]
    return lambda bound: [each(bound) for each in items]


def _has_expression(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_expression(each) for each in value.values())
    if isinstance(value, list):
        return any(_has_expression(each) for each in value)
    return is_expression(value)


def _group(where: str, source: Mapping[str, Any], outer: frozenset[str]) -> Group:
    own = _assigned(source)
    if clash := own & outer:
        raise DefinitionError(f"{where}: assigns {', '.join(sorted(clash))}, which an outer scope assigns")
    states = {name: _state(f"{where}/{name}", name, each, own | outer) for name, each in source["States"].items()}
    group = Group(source["StartAt"], states)
    for target in {group.start, *(target for state in states.values() for target in _targets(state))}:
        if target not in states:
            raise DefinitionError(f"{where}: there is no state {target!r} to go to")
    return group


def _state(where: str, name: str, source: Mapping[str, Any], outer: frozenset[str]) -> State:
    kind = source["Type"]
    if kind not in FIELDS:
        raise DefinitionError(f"{where}: a state of type {kind!r} does not run here")
    _only(source, FIELDS[kind], where)
    if ("Next" in source) == (source.get("End") is True) and kind not in ("Choice", "Succeed", "Fail"):
        raise DefinitionError(f"{where}: wants either Next or End")
    values = ("Arguments", "TimeoutSeconds", "Seconds", "Timestamp", "Error", "Cause", "Items", "ItemSelector")
    groups = source.get("Branches", [])
    if kind == "Map":
        processor = dict(source["ItemProcessor"])
        if processor.pop("ProcessorConfig", {"Mode": "INLINE"}) != {"Mode": "INLINE"}:
            raise DefinitionError(f"{where}: only a Map of mode INLINE runs here")
        groups = [processor]
    for each in groups:
        _only(each, {"Comment", "StartAt", "States", "QueryLanguage"}, where)
    return State(
        name=name,
        kind=kind,
        leaving=_leaving({**source, "Next": source.get("Default", source.get("Next"))}),
        resource=source.get("Resource", ""),
        fields={field: template(source[field]) for field in values if field in source},
        rules=tuple(_rule(where, each) for each in source.get("Choices", [])),
        retriers=tuple(_retrier(where, each) for each in source.get("Retry", [])),
        catchers=tuple(_catcher(where, each) for each in source.get("Catch", [])),
        groups=tuple(_group(f"{where}[{index}]", each, outer) for index, each in enumerate(groups)),
        max_concurrency=source.get("MaxConcurrency", 0),
    )


def _leaving(source: Mapping[str, Any]) -> Leaving:
    output = template(source["Output"]) if "Output" in source else None
    assign = template(source["Assign"]) if source.get("Assign") else None
    return Leaving(output, assign, source.get("Next"))


def _rule(where: str, source: Mapping[str, Any]) -> Rule:
    _only(source, RULE, where)
    return Rule(template(source["Condition"]), _leaving(source))


def _retrier(where: str, source: Mapping[str, Any]) -> Retrier:
    _only(source, RETRIER, where)
    return Retrier(
        errors=tuple(source["ErrorEquals"]),
        interval_seconds=source.get("IntervalSeconds", 1),
        max_attempts=source.get("MaxAttempts", 3),
        backoff_rate=source.get("BackoffRate", 2.0),
        max_delay_seconds=source.get("MaxDelaySeconds", float("inf")),
        jitter=source.get("JitterStrategy", "NONE") == "FULL",
    )


def _catcher(where: str, source: Mapping[str, Any]) -> Catcher:
    _only(source, CATCHER, where)
    return Catcher(tuple(source["ErrorEquals"]), _leaving(source))


def _targets(state: State) -> list[str]:
    ways = [state.leaving, *(each.leaving for each in state.rules), *(each.leaving for each in state.catchers)]
    return [way.next for way in ways if way.next is not None]


def _assigned(source: Mapping[str, Any]) -> frozenset[str]:
    """The variables that the states of a scope assign, without those of the scopes inside."""
    names: set[str] = set()
    for state in source["States"].values():
        for way in (state, *state.get("Choices", []), *state.get("Catch", [])):
            names.update(way.get("Assign", {}))
    return frozenset(names)


def _names(group: Group) -> list[str]:
    return [
        each for name, state in group.states.items() for each in (name, *(n for g in state.groups for n in _names(g)))
    ]


def _only(source: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := set(source) - known:
        raise DefinitionError(f"{where}: {', '.join(sorted(unknown))} does not run here; known are {sorted(known)}")
