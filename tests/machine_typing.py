"""What the expressions of a machine yield: shapes of the services' models, followed through outputs and variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headrace.service_model import installed

from tests.machine_definitions import (
    NOTHING,
    Definition,
    Edge,
    Place,
    edges,
    entry_values,
    inside,
    is_expression,
    places,
    scopes,
    trees,
)
from tests.machine_services import members, operation
from tests.machine_types import (
    BOOLEAN,
    NEVER,
    NULL,
    NUMBER,
    OUTSIDE,
    STRING,
    UNKNOWN,
    Either,
    Function,
    Items,
    Literal,
    Many,
    Record,
    Shape,
    Type,
    either,
    element_of,
    is_listlike,
    is_number,
    members_of,
    record,
)

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
        Preload=either([NULL, record(Request=_REQUEST, FolderMarkers=NUMBER)]),
        Training=either([NULL, record(Request=_REQUEST, CapacityAttempts=NUMBER)]),
    ),
    "teardown": record(Owner=STRING, FromOwner=BOOLEAN, FileSystemId=STRING, Settled=BOOLEAN, StopJobs=BOOLEAN),
    "reaper": record(),
    "preload": record(),
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
            on_entry = self._environment(at, None)
            for name, value in entry_values(at):
                self._value(value, on_entry, self._reporter(at, name))
            for edge in edges(at):
                environment = self._environment(at, edge.result)
                for name, value in edge.assign.items():
                    report = self._reporter(at, f"{edge.prefix}Assign.{name}")
                    assigned.setdefault(name, []).append(self._value(value, environment, report))
                output = self._output(edge, environment, self._reporter(at, f"{edge.prefix}Output"))
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
        return element_of(items)

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

    def _output(self, edge: Edge, environment: dict[str, Type], report: Report) -> Type:
        if edge.output is not NOTHING:
            return self._value(edge.output, environment, report)
        states = dict(members_of(environment["states"]))
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
            element = element_of(found)
            index = self._tree(stage["expr"], element, environment, report)
            found = element if is_number(index) else Many(element)
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
                is_many = is_many or is_listlike(current)
                inner = element_of(current) if step["type"] != "name" else current
            current = self._tree(step, inner, environment, report)
        return Many(element_of(current)) if is_many else current

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
                elements.append(element if is_nested else element_of(element))
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
            return Many(self._call(given[1], [element_of(given[0])], context, environment, report))
        if name == "append":
            element = either(element_of(each) for each in given)
            return Items(element) if any(isinstance(each, Items) for each in given) else Many(element)
        if name == "distinct":
            return given[0]
        if name == "filter":
            return Many(element_of(given[0]))
        if name == "merge":
            return _merged(element_of(given[0]), tree["arguments"][0])
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
            return Many(element_of(self._member(owner.element, name, report)))
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
        described = installed(owner.service).shapes[owner.name]
        if described["type"] == "list":
            element = Shape(owner.service, described["member"]["shape"])
            return Many(element_of(self._member(element, name, report)))
        if described["type"] == "map":
            return Shape(owner.service, described["value"]["shape"])
        known = members(owner.service, owner.name)
        if name not in known:
            report(f"{owner.name} has no {name}")
            return UNKNOWN
        return Shape(owner.service, known[name])


def _ignore(text: str) -> None:
    """Nothing is said of what another place reports."""


def _merged(parts: Type, tree: Any) -> Type:
    """What ``$merge`` makes of its parts. A member that only one branch of a condition gives is left out."""
    options = parts.options if isinstance(parts, Either) else {parts}
    found: dict[str, list[Type]] = {}
    is_open = tree["type"] != "unary"
    for each in options:
        is_open = is_open or not isinstance(each, Record) or each.is_open
        for name, type_ in members_of(each):
            found.setdefault(name, []).append(type_)
    return Record(tuple((name, either(types)) for name, types in found.items()), is_open)
