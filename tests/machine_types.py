"""What the expressions of a machine yield: shapes of the services' models, followed through outputs and variables.

A type is what can be said of a value before anything runs. Where nothing can be said it is ``UNKNOWN``, of which
anything may be read. JSONata yields nothing, one value or a list, depending on how many there are: that is ``Many``,
and only ``[...]`` makes ``Items`` of it, which is a list whatever happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.service_model import Model, installed

from tests.machine_definitions import (
    NOTHING,
    Definition,
    Edge,
    Place,
    edges,
    inside,
    is_expression,
    places,
    scopes,
    trees,
    values,
)
from tests.machine_services import SERVICES, members, operation


@dataclass(frozen=True)
class Type:
    """What is known of a value."""


@dataclass(frozen=True)
class Scalar(Type):
    """A string, number, boolean or null."""

    kind: str


@dataclass(frozen=True)
class Literal(Type):
    """A string, number or boolean that stands in the definition."""

    value: str | float | bool


@dataclass(frozen=True)
class Shape(Type):
    """A value that a service gives, or takes."""

    service: str
    name: str


@dataclass(frozen=True)
class Record(Type):
    """An object; ``is_open``: it may have other members, too."""

    members: tuple[tuple[str, Type], ...]
    is_open: bool = False


@dataclass(frozen=True)
class Items(Type):
    """A list, whatever its length."""

    element: Type


@dataclass(frozen=True)
class Many(Type):
    """What a path yields: nothing, one value, or a list."""

    element: Type


@dataclass(frozen=True)
class Either(Type):
    """One of several."""

    options: frozenset[Type]


@dataclass(frozen=True)
class Function(Type):
    """A function of the expression's own."""

    parameters: tuple[str, ...]
    body: int


UNKNOWN = Type()
NEVER = Either(frozenset())
OUTSIDE = Scalar("nothing")
"""What a name without ``$`` is read of where no path leads to it."""
STRING, NUMBER, BOOLEAN, NULL = (Scalar(kind) for kind in ("string", "number", "boolean", "null"))

Models = Mapping[str, Model]


def record(**members_: Type) -> Record:
    """An object with these members and no others."""
    return Record(tuple(members_.items()))


def either(types: Iterable[Type]) -> Type:
    """One of ``types``."""
    options: set[Type] = set()
    for each in types:
        options |= each.options if isinstance(each, Either) else {each}
    if UNKNOWN in options:
        return UNKNOWN
    return options.pop() if len(options) == 1 else Either(frozenset(options))


_REQUEST = Shape("sagemaker", "CreateTrainingJobRequest")
INPUTS: Mapping[str, Type] = {
    "ephemeral": record(
        Schema=NUMBER,
        JobName=STRING,
        Lustre=record(
            StorageCapacity=NUMBER,
            SubnetId=STRING,
            DataCompressionType=STRING,
            Links=Items(record(FileSystemPath=STRING, DataRepositoryPath=STRING)),
            ReadySeconds=NUMBER,
            LifetimeSeconds=NUMBER,
        ),
        Preload=either([NULL, record(Request=_REQUEST)]),
        Training=either([NULL, record(Request=_REQUEST, CapacityAttempts=NUMBER)]),
    ),
    "teardown": record(Owner=STRING, FromOwner=BOOLEAN, FileSystemId=STRING, Settled=BOOLEAN, StopJobs=BOOLEAN),
    "reaper": record(),
    "preload": record(FileSystemId=STRING, Links=Items(STRING), JobName=STRING, Request=_REQUEST),
}
"""What the machines are started with."""
ERROR = record(Error=STRING, Cause=STRING)


def _context(input_: Type) -> Type:
    """Source: Step Functions Developer Guide, "Accessing execution data from the Context object"."""
    return record(
        Execution=record(Id=STRING, Input=input_, Name=STRING, RoleArn=STRING, StartTime=STRING, RedriveCount=NUMBER),
        State=record(EnteredTime=STRING, Name=STRING, RetryCount=NUMBER),
        StateMachine=record(Id=STRING, Name=STRING),
    )


_RESULTS: Mapping[str, Type] = {
    **dict.fromkeys(("count", "sum", "max", "min", "ceil", "floor", "length", "toMillis", "number", "abs"), NUMBER),
    **dict.fromkeys(("string", "substring", "substringAfter", "fromMillis", "replace", "join", "hash"), STRING),
    **dict.fromkeys(("not", "exists", "contains", "boolean"), BOOLEAN),
    "split": Items(STRING),
}
_LOGIC = frozenset({"and", "or", "=", "!=", "<", "<=", ">", ">=", "in"})

Report = Callable[[str], None]


class Typing:
    """The types of everything in a machine, and what is read that is not there."""

    def __init__(self, name: str, definition: Definition) -> None:
        self.name = name
        self.definition = definition
        self.input = INPUTS[name]
        self.models: Models = {service: installed(service) for service, _ in SERVICES.values()}
        self.findings: list[str] = []
        self.trees = trees(definition)
        self._bodies: dict[int, Any] = {}
        assigned = {key for at in places(definition) for edge in edges(at) for key in edge.assign}
        self._variables: dict[str, Type] = dict.fromkeys(assigned, NEVER)
        self._inputs: dict[str, Type] = {}
        self._ends: dict[tuple[str, ...], Type] = {}
        # variables and outputs depend on each other: what a pass finds is what the next one starts from
        before: object = None
        while before != (self._variables, self._inputs, self._ends):
            before = (self._variables, self._inputs, self._ends)
            self.findings = []
            self._pass()

    def arguments(self, at: Place) -> Type:
        """What a Task calls its operation with."""
        return self._value(at.state.get("Arguments", {}), self._environment(at, None), _ignore)

    def of(self, at: Place, value: Any, result: str | None = None) -> Type:
        """The type of a value of a state."""
        return self._value(value, self._environment(at, result), _ignore)

    def _pass(self) -> None:
        assigned: dict[str, list[Type]] = {}
        entering: dict[str, list[Type]] = {}
        ends: dict[tuple[str, ...], list[Type]] = {}
        for scope in scopes(self.definition):
            start = "/".join((*scope.path, scope.start))
            entering.setdefault(start, []).append(self._start(scope.path))
        for at in places(self.definition):
            for name, value, result in values(at):
                self._value(value, self._environment(at, result), self._reporter(at, name))
            for edge in edges(at):
                environment = self._environment(at, edge.result)
                for name, value in edge.assign.items():
                    assigned.setdefault(name, []).append(self._value(value, environment, _ignore))
                output = self._output(edge, environment)
                if edge.target is None:
                    ends.setdefault(at.scope.path, []).append(output)
                else:
                    entering.setdefault("/".join((*at.scope.path, edge.target)), []).append(output)
        self._variables = {name: either(types) for name, types in assigned.items()}
        self._inputs = {path: either(types) for path, types in entering.items()}
        self._ends = {path: either(types) for path, types in ends.items()}

    def _reporter(self, at: Place, name: str) -> Report:
        return lambda text: self.findings.append(f"{at.path}.{name}: {text}")

    def _start(self, path: tuple[str, ...]) -> Type:
        if not path:
            return self.input
        holder = next(each for each in places(self.definition) if each.path == "/".join(path))
        if holder.state["Type"] == "Parallel":
            return self._inputs.get(holder.path, NEVER)
        items = self._value(holder.state["Items"], self._environment(holder, None), _ignore)
        return _element(items, self.models)

    def _environment(self, at: Place, result: str | None) -> dict[str, Type]:
        states: dict[str, Type] = {"input": self._inputs.get(at.path, NEVER), "context": _context(self.input)}
        if result == "errorOutput":
            states["errorOutput"] = ERROR
        elif result == "result":
            states["result"] = self._result(at)
        return {**self._variables, "states": record(**states)}

    def _result(self, at: Place) -> Type:
        if at.state["Type"] in ("Parallel", "Map"):
            return Items(self._ends.get((*at.scope.path, at.name), NEVER))
        called = operation(at.state["Resource"])
        return UNKNOWN if called is None or called.output is None else Shape(called.service, called.output)

    def _output(self, edge: Edge, environment: dict[str, Type]) -> Type:
        if edge.output is not NOTHING:
            return self._value(edge.output, environment, _ignore)
        states = dict(_members(environment["states"], self.models))
        return states[edge.result] if edge.result is not None else states["input"]

    # values and expressions

    def _value(self, value: Any, environment: Mapping[str, Type], report: Report) -> Type:
        if is_expression(value):
            return self._tree(self.trees[inside(value)], OUTSIDE, dict(environment), report)
        if isinstance(value, dict):
            return Record(tuple((key, self._value(each, environment, report)) for key, each in value.items()))
        if isinstance(value, list):
            return Items(either(self._value(each, environment, report) for each in value))
        return NULL if value is None else Literal(value)

    def _tree(self, tree: Any, context: Type, environment: dict[str, Type], report: Report) -> Type:
        found = self._bare(tree, context, environment, report)
        for stage in (*tree.get("stages", ()), *tree.get("predicate", ())):
            element = _element(found, self.models)
            index = self._tree(stage["expr"], element, environment, report)
            found = element if _is_number(index) else Many(element)
        return found

    def _bare(self, tree: Any, context: Type, environment: dict[str, Type], report: Report) -> Type:
        kind = tree["type"]
        if kind in ("string", "number"):
            return Literal(tree["value"])
        if kind == "value":
            return NULL if tree["value"] is None else Literal(tree["value"])
        if kind == "variable":
            return environment.get(tree["value"], UNKNOWN)
        if kind == "name":
            return self._member(context, tree["value"], report)
        handler = getattr(self, f"_{kind}", None)
        return UNKNOWN if handler is None else handler(tree, context, environment, report)

    def _path(self, tree: Any, context: Type, environment: dict[str, Type], report: Report) -> Type:
        current, is_many = context, False
        for index, step in enumerate(tree["steps"]):
            inner = current
            if index:
                is_many = is_many or _is_listlike(current, self.models)
                inner = _element(current, self.models) if step["type"] != "name" else current
            current = self._tree(step, inner, environment, report)
        return Many(_element(current, self.models)) if is_many else current

    def _block(self, tree: Any, context: Type, environment: dict[str, Type], report: Report) -> Type:
        inner, last = dict(environment), UNKNOWN
        for each in tree["expressions"]:
            last = self._tree(each, context, inner, report)
            if each["type"] == "bind":
                inner[each["lhs"]["value"]] = last
        return last

    def _bind(self, tree: Any, context: Type, environment: dict[str, Type], report: Report) -> Type:
        return self._tree(tree["rhs"], context, environment, report)

    def _condition(self, tree: Any, context: Type, environment: dict[str, Type], report: Report) -> Type:
        self._tree(tree["condition"], context, environment, report)
        branches = [tree[each] for each in ("then", "else") if each in tree]
        return either(self._tree(each, context, environment, report) for each in branches)

    def _binary(self, tree: Any, context: Type, environment: dict[str, Type], report: Report) -> Type:
        for side in ("lhs", "rhs"):
            self._tree(tree[side], context, environment, report)
        if tree["value"] in _LOGIC:
            return BOOLEAN
        return {"&": STRING, "..": Items(NUMBER)}.get(tree["value"], NUMBER)

    def _unary(self, tree: Any, context: Type, environment: dict[str, Type], report: Report) -> Type:
        if tree["value"] == "{":
            found = [(key["value"], self._tree(value, context, environment, report)) for key, value in tree["lhs"]]
            return Record(tuple(found))
        if tree["value"] == "[":
            elements = []
            for each in tree["expressions"]:
                element = self._tree(each, context, environment, report)
                is_nested = each["type"] == "unary" and each["value"] == "["
                elements.append(element if is_nested else _element(element, self.models))
            return Items(either(elements))
        self._tree(tree["expression"], context, environment, report)
        return NUMBER

    def _lambda(self, tree: Any, context: Type, environment: dict[str, Type], report: Report) -> Type:
        if tree.get("thunk"):  # a call in the last place of a function, which JSONata puts off
            return self._tree(tree["body"], context, environment, report)
        self._bodies[id(tree)] = tree["body"]
        return Function(tuple(each["value"] for each in tree["arguments"]), id(tree))

    def _function(self, tree: Any, context: Type, environment: dict[str, Type], report: Report) -> Type:
        given = [self._tree(each, context, environment, report) for each in tree["arguments"]]
        name = tree["procedure"].get("value", "")
        called = environment.get(name)
        if isinstance(called, Function):
            return self._call(called, given, context, environment, report)
        if name == "map" and isinstance(given[1], Function):
            return Many(self._call(given[1], [_element(given[0], self.models)], context, environment, report))
        if name == "append":
            element = either(_element(each, self.models) for each in given)
            return Items(element) if any(isinstance(each, Items) for each in given) else Many(element)
        if name == "distinct":
            return given[0]
        if name == "merge":
            return _merged(_element(given[0], self.models), tree["arguments"][0], self.models)
        return _RESULTS.get(name, UNKNOWN)

    def _call(
        self, called: Function, given: list[Type], context: Type, environment: dict[str, Type], report: Report
    ) -> Type:
        inner = {**environment, **dict(zip(called.parameters, given, strict=False))}
        return self._tree(self._bodies[called.body], context, inner, report)

    def _member(self, owner: Type, name: str, report: Report) -> Type:
        if isinstance(owner, Either):
            known = [each for each in owner.options if each != NULL]
            return either(self._member(each, name, report) for each in known) if known else NEVER
        if isinstance(owner, Items | Many):
            return Many(_element(self._member(owner.element, name, report), self.models))
        if isinstance(owner, Shape):
            return self._shape_member(owner, name, report)
        if isinstance(owner, Record):
            found = dict(owner.members).get(name)
            if found is not None or owner.is_open:
                return UNKNOWN if found is None else found
            report(f"there is no {name} beside {', '.join(key for key, _ in owner.members)}")
            return UNKNOWN
        if owner != UNKNOWN:
            report(f"{name} is read of what has no members")
        return UNKNOWN

    def _shape_member(self, owner: Shape, name: str, report: Report) -> Type:
        described = self.models[owner.service].shapes[owner.name]
        if described["type"] == "list":
            element = Shape(owner.service, described["member"]["shape"])
            return Many(_element(self._member(element, name, report), self.models))
        if described["type"] == "map":
            return Shape(owner.service, described["value"]["shape"])
        known = members(owner.service, owner.name)
        if name not in known:
            report(f"{owner.name} has no {name}")
            return UNKNOWN
        return Shape(owner.service, known[name])


def is_list(found: Type) -> bool:
    """Whether a value is a list, whatever its length."""
    if isinstance(found, Either):
        return all(is_list(each) for each in found.options)
    return isinstance(found, Items)


def _ignore(text: str) -> None:
    """Nothing is said of what another place reports."""


def _element(found: Type, models: Models) -> Type:
    """What a step of a path, or a function, gets of a value: its elements where it is a list."""
    if isinstance(found, Items | Many):
        return found.element
    if isinstance(found, Either):
        return either(_element(each, models) for each in found.options)
    if isinstance(found, Shape):
        described = models[found.service].shapes[found.name]
        if described["type"] == "list":
            return Shape(found.service, described["member"]["shape"])
    return found


def _is_listlike(found: Type, models: Models) -> bool:
    return _element(found, models) != found


def _is_number(found: Type) -> bool:
    if isinstance(found, Literal):
        return isinstance(found.value, int | float) and not isinstance(found.value, bool)
    options = found.options if isinstance(found, Either) else frozenset()
    return found == NUMBER or (bool(options) and all(_is_number(each) for each in options))


def _members(found: Type, models: Models) -> Iterator[tuple[str, Type]]:
    if isinstance(found, Record):
        yield from found.members
    elif isinstance(found, Shape):
        for name, shape in members(found.service, found.name).items():
            yield name, Shape(found.service, shape)


def _merged(parts: Type, tree: Any, models: Models) -> Type:
    """What ``$merge`` makes of its parts. A member that only one branch of a condition gives is left out."""
    options = parts.options if isinstance(parts, Either) else {parts}
    found: dict[str, list[Type]] = {}
    is_open = tree["type"] != "unary"
    for each in options:
        is_open = is_open or not isinstance(each, Record) or each.is_open
        for name, type_ in _members(each, models):
            found.setdefault(name, []).append(type_)
    return Record(tuple((name, either(types)) for name, types in found.items()), is_open)
