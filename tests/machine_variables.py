"""The variables and functions of a machine's expressions: assigned on every way, used somewhere, never hidden.

A scope reads what the scopes around it had assigned when its Parallel or Map was entered, and assigns names of its own
only. All values of one Assign are computed from what was there before the state ended.
Source: Step Functions Developer Guide, "Passing data between states with variables".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from headrace.service_model import installed

from tests.machine_definitions import Definition, Place, Scope, edges, expressions, places, scopes, values
from tests.machine_types import BOOLEAN, Either, Literal, Many, Shape, Type
from tests.machine_typing import Typing

# of JSONata 2.0.6, without $eval, which Step Functions does not have
JSONATA = frozenset(
    (
        *("sum", "count", "max", "min", "average"),
        *(
            "string",
            "substring",
            "substringBefore",
            "substringAfter",
            "lowercase",
            "uppercase",
            "length",
            "trim",
            "pad",
        ),
        *("match", "contains", "replace", "split", "join", "formatNumber", "formatBase", "formatInteger"),
        *("parseInteger", "number", "floor", "ceil", "round", "abs", "sqrt", "power", "random", "boolean", "not"),
        *("map", "zip", "filter", "single", "reduce", "sift", "keys", "lookup", "append", "exists", "spread", "merge"),
        *("reverse", "each", "error", "assert", "type", "sort", "shuffle", "distinct"),
        *("base64encode", "base64decode", "encodeUrlComponent", "encodeUrl", "decodeUrlComponent", "decodeUrl"),
        *("toMillis", "fromMillis", "clone", "now", "millis"),
    )
)
ADDED_BY_STEP_FUNCTIONS = frozenset({"partition", "range", "hash", "random", "uuid", "parse"})
_FUNCTIONS = JSONATA | ADDED_BY_STEP_FUNCTIONS


def findings(typing: Typing) -> list[str]:
    """What is wrong with the variables, functions and conditions of a machine."""
    definition, syntax = typing.definition, typing.trees
    found = [each for scope in scopes(definition) for each in _of_scope(scope, definition, syntax)]
    known = _assigned_before(definition)
    for at in places(definition):
        for field, value in values(at):
            where = f"{at.path}.{field}"
            found.extend(f"{where}: {each}" for each in _of_value(value, known[at.path], definition, syntax))
            if ".Condition" in field and not _is_condition(typing.of(at, value)):
                found.append(f"{where}: is not known to be true or false")
    return found


def _of_scope(scope: Scope, definition: Definition, syntax: Mapping[str, Any]) -> Iterator[str]:
    where = "/".join(scope.path) or "the machine"
    used = _used_within(scope, definition, syntax)
    outer = scope.outer
    around: set[str] = set()
    while outer is not None:
        around |= _assigned(outer)
        outer = outer.outer
    for name in sorted(_assigned(scope)):
        if name in _FUNCTIONS:
            yield f"{where}: ${name} is a function of JSONata, too, and would be read for it where it is not assigned"
        if name in around:
            yield f"{where}: ${name} is assigned in a scope around it, too"
        if name not in used:
            yield f"{where}: ${name} is assigned and never used"


def _assigned(scope: Scope) -> set[str]:
    return {
        name for at, state in scope.states.items() for edge in edges(Place(at, state, scope)) for name in edge.assign
    }


def _used_within(scope: Scope, definition: Definition, syntax: Mapping[str, Any]) -> set[str]:
    depth = len(scope.path)
    return {
        name
        for at in places(definition)
        if at.scope.path[:depth] == scope.path
        for _, value in values(at)
        for text in expressions(value)
        for name, _ in _read(syntax[text], frozenset())
    }


def _assigned_before(definition: Definition) -> dict[str, set[str]]:
    """For each state, the variables that have a value on every way that leads to it."""
    known: dict[str, set[str]] = {}
    for scope in scopes(definition):
        around = known["/".join(scope.path)] if scope.path else set()
        reached: dict[str, set[str]] = {scope.start: set(around)}
        wanted = [scope.start]
        while wanted:
            name = wanted.pop()
            for edge in edges(Place(name, scope.states[name], scope)):
                if edge.target is None or edge.target not in scope.states:
                    continue
                arriving = reached[name] | edge.assign.keys()
                before = reached.get(edge.target)
                reached[edge.target] = arriving if before is None else before & arriving
                if reached[edge.target] != before:
                    wanted.append(edge.target)
        known.update({"/".join((*scope.path, name)): names for name, names in reached.items()})
        for name in scope.states:
            known.setdefault("/".join((*scope.path, name)), set())
    return known


def _of_value(value: Any, known: set[str], definition: Definition, syntax: Mapping[str, Any]) -> Iterator[str]:
    if value == "":
        yield 'is ""; allowed: null, since an empty text is a value that looks like none'
    workflow = {name for scope in scopes(definition) for name in _assigned(scope)}
    for text in expressions(value):
        if "\n" in text:
            yield "stands on several lines"
        for name, is_call in _read(syntax[text], frozenset()):
            if name == "":
                yield "reads a bare $"
            elif is_call and name not in _FUNCTIONS:
                yield f"calls ${name}, which Step Functions does not have"
            elif not is_call and name not in known | _FUNCTIONS | {"states"}:
                yield f"reads ${name}, which is not assigned on every way here"
        for name in sorted(_bound(syntax[text]) & (workflow | {"states"} | _FUNCTIONS)):
            yield f"binds ${name}, which hides what has that name already"


def _read(tree: Any, local: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """The variables that a tree reads and does not bind itself, and whether they are called."""
    if isinstance(tree, list):
        for each in tree:
            yield from _read(each, local)
        return
    if not isinstance(tree, dict):
        return
    kind = tree.get("type")
    if kind == "variable" and tree["value"] not in local:
        yield tree["value"], False
    if kind == "lambda":
        local |= {each["value"] for each in tree["arguments"]}
        yield from _read(tree["body"], local)
        return
    if kind == "block":
        for each in tree["expressions"]:
            yield from _read(each["rhs"] if each["type"] == "bind" else each, local)
            local |= {each["lhs"]["value"]} if each["type"] == "bind" else set()
        yield from _read([each for key, each in tree.items() if key != "expressions"], local)
        return
    called = tree.get("procedure", {}) if kind in ("function", "partial") else {}
    if called.get("type") == "variable":
        if called["value"] not in local:
            yield called["value"], True
        yield from _read([each for key, each in tree.items() if key != "procedure"], local)
        return
    yield from _read(list(tree.values()), local)


def _bound(tree: Any) -> set[str]:
    if isinstance(tree, list):
        return {name for each in tree for name in _bound(each)}
    if not isinstance(tree, dict):
        return set()
    names = {name for each in tree.values() for name in _bound(each)}
    if tree.get("type") == "bind":
        names.add(tree["lhs"]["value"])
    if tree.get("type") == "lambda":
        names |= {each["value"] for each in tree["arguments"]}
    return names


def _is_condition(found: Type) -> bool:
    if isinstance(found, Either):
        return bool(found.options) and all(_is_condition(each) for each in found.options)
    if isinstance(found, Many):
        return False
    if isinstance(found, Shape):
        return bool(installed(found.service).shapes[found.name]["type"] == "boolean")
    return found == BOOLEAN or (isinstance(found, Literal) and isinstance(found.value, bool))
