"""The state machines as the checks see them: substituted as a deployment does it, each state with its place.

``Place`` is a state with the names that lead to it (``Work/CreateJob``); a *scope* is one States object: the machine's
own, a branch of a Parallel, the processor of a Map. Source: Amazon States Language specification.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from headrace_cdk.definition import MACHINES, load

ACCOUNT = "123456789012"
SUBSTITUTIONS: Mapping[str, str] = {
    "Platform": "dev",
    "SubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "LinkedUris": "s3://bucket/|s3://other/",
    "LustreSecurityGroupId": "sg-0123456789abcdef0",
    "JobSecurityGroupId": "sg-0123456789abcdef1",
    "MaxFileSystems": "4",
    "MaxGib": "9600",
    "MaxHours": "24",
    "MaxDeletesPerRun": "5",
    "TeardownMachineArn": f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:headrace-dev-teardown",
    "TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:headrace-dev-reaper",
}
SHARED_LUSTRE = "fs-0fffffffffffffff0"
GIVEN: Mapping[str, Mapping[str, Any]] = {
    "preload": {
        "FileSystemId": SHARED_LUSTRE,
        "Links": ["a", "b"],
        "JobName": "dev-preload",
        "Request": {
            "TrainingJobName": "dev-preload",
            "AlgorithmSpecification": {
                "TrainingImage": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/digits:1",
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["sh", "-c", "eval ${p}"],
            },
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/headrace-dev-file-systems",
            "InputDataConfig": [
                {
                    "ChannelName": link,
                    "DataSource": {
                        "FileSystemDataSource": {
                            "FileSystemId": SHARED_LUSTRE,
                            "FileSystemType": "FSxLustre",
                            "FileSystemAccessMode": "ro",
                            "DirectoryPath": f"/abcdefgh/{link}",
                        }
                    },
                }
                for link in ("a", "b")
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://lake/output"},
            "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
            "Environment": {
                "PRELOAD_DIRECTORIES": "/opt/ml/input/data/a /opt/ml/input/data/b",
                "PRELOAD_READERS": "16",
            },
        },
    }
}
"""What constructs give to machines beside substitutions, as small as the checks need it."""

Definition = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """One States object: where it begins, its states, and the scope and state that hold it."""

    start: str
    states: Mapping[str, Definition]
    path: tuple[str, ...] = ()
    outer: Scope | None = field(default=None, repr=False)

    @property
    def holder(self) -> Definition | None:
        """The Parallel or Map that this scope is a part of."""
        return None if self.outer is None else self.outer.states[self.path[-1]]


@dataclass(frozen=True)
class Place:
    """A state and where it stands."""

    name: str
    state: Definition
    scope: Scope

    @property
    def path(self) -> str:
        """The names that lead to the state."""
        return "/".join((*self.scope.path, self.name))


@dataclass(frozen=True)
class Edge:
    """A way from a state to another of its scope (None: the scope's end), and what is set and handed on it.

    ``result``: ``result`` when the state succeeded, ``errorOutput`` on the way of a catcher, None where neither is.
    """

    source: Place
    target: str | None
    name: str
    assign: Mapping[str, Any]
    output: Any
    result: str | None

    @property
    def prefix(self) -> str:
        """What is written before the names of its fields."""
        return "" if self.name in ("Next", "Default") else f"{self.name}."


NOTHING = object()
"""An Edge without an Output of its own."""


@cache
def _machine(name: str) -> str:
    definition = load(name)
    if name in GIVEN:
        return definition.text_with_given(GIVEN[name])
    return json.dumps(definition.substituted({key: SUBSTITUTIONS[key] for key in definition.substitutions}))


def machine(name: str) -> Definition:
    """A copy of a machine's definition with the values of ``SUBSTITUTIONS`` and of ``GIVEN``."""
    definition: Definition = json.loads(_machine(name))
    return definition


def all_machines() -> dict[str, Definition]:
    """The machines by name."""
    return {name: machine(name) for name in MACHINES}


def scopes(definition: Definition) -> Iterator[Scope]:
    """The scopes of a machine, outer ones first."""
    wanted = [Scope(definition["StartAt"], definition["States"])]
    while wanted:
        scope = wanted.pop(0)
        yield scope
        for name, state in scope.states.items():
            for inner in _inner(state):
                wanted.append(Scope(inner["StartAt"], inner["States"], (*scope.path, name), scope))


def places(definition: Definition) -> Iterator[Place]:
    """All states of a machine."""
    for scope in scopes(definition):
        for name, state in scope.states.items():
            yield Place(name, state, scope)


def place(definition: Definition, path: str) -> Place:
    """The state at a path such as ``Work/CreateJob``."""
    return next(each for each in places(definition) if each.path == path)


def _inner(state: Definition) -> list[Definition]:
    if state["Type"] == "Parallel":
        return list(state["Branches"])
    return [state["ItemProcessor"]] if state["Type"] == "Map" else []


def edges(at: Place) -> list[Edge]:
    """The ways out of a state, in the order in which they are tried."""
    state = at.state
    assign, output = state.get("Assign", {}), state.get("Output", NOTHING)
    result = "result" if state["Type"] in ("Task", "Parallel", "Map") else None
    found = [
        Edge(at, rule["Next"], f"Choices[{index}]", rule.get("Assign", {}), rule.get("Output", NOTHING), None)
        for index, rule in enumerate(state.get("Choices", []))
    ]
    if "Default" in state:
        found.append(Edge(at, state["Default"], "Default", assign, output, None))
    if state["Type"] not in ("Choice", "Fail"):
        found.append(Edge(at, state.get("Next"), "Next", assign, output, result))
    for index, catcher in enumerate(state.get("Catch", [])):
        caught, handed = catcher.get("Assign", {}), catcher.get("Output", NOTHING)
        found.append(Edge(at, catcher["Next"], f"Catch[{index}]", caught, handed, "errorOutput"))
    return found


# the fields of a state that are evaluated when it is entered, before anything of it has run
ON_ENTRY = ("Arguments", "Seconds", "Timestamp", "Items", "ItemSelector", "MaxConcurrency", "Error", "Cause")


def values(at: Place) -> Iterator[tuple[str, Any]]:
    """What a state has evaluated: the name of the field and its value."""
    yield from entry_values(at)
    for edge in edges(at):
        for name, value in edge.assign.items():
            yield f"{edge.prefix}Assign.{name}", value
        if edge.output is not NOTHING:
            yield f"{edge.prefix}Output", edge.output


def entry_values(at: Place) -> Iterator[tuple[str, Any]]:
    """What a state has evaluated before it does anything, and before it chooses."""
    for name in ON_ENTRY:
        if name in at.state:
            yield name, at.state[name]
    for index, rule in enumerate(at.state.get("Choices", [])):
        yield f"Choices[{index}].Condition", rule["Condition"]


def expressions(value: Any) -> Iterator[str]:
    """The texts of the expressions in a value, at any depth, without their brackets."""
    if isinstance(value, dict):
        for each in value.values():
            yield from expressions(each)
    elif isinstance(value, list):
        for each in value:
            yield from expressions(each)
    elif is_expression(value):
        yield inside(value)


def is_expression(value: Any) -> bool:
    """Whether Step Functions evaluates a text."""
    return isinstance(value, str) and value.startswith("{%")


def inside(text: str) -> str:
    """An expression without ``{%`` and ``%}``."""
    return text[2:-2]


def node(request: Mapping[str, Any]) -> dict[str, Any]:
    """Ask ``jsonata_batch.cjs``: npm's jsonata and asl-validator in one process."""
    script = Path(__file__).with_name("jsonata_batch.cjs")
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["node", script], input=json.dumps(request), capture_output=True, text=True, check=True, env=environment
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


_trees: dict[str, Any] = {}


def trees(*definitions: Definition) -> Mapping[str, Any]:
    """The syntax trees of all expressions of machines by their text, once. Raises AssertionError for one without."""
    states = [at for definition in definitions for at in places(definition)]
    texts = {text for at in states for _, value in values(at) for text in expressions(value)}
    unknown = sorted(texts - _trees.keys())
    if unknown:
        for text, answer in zip(unknown, node({"expressions": unknown})["trees"], strict=True):
            assert "tree" in answer, f"{text}: {answer}"
            _trees[text] = answer["tree"]
    return {text: _trees[text] for text in texts}


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All nodes of a syntax tree, from the top."""
    if isinstance(tree, dict):
        if "type" in tree:
            yield tree
        for each in tree.values():
            yield from nodes(each)
    elif isinstance(tree, list):
        for each in tree:
            yield from nodes(each)


def changed(definition: Definition, path: str, change: Any) -> Definition:
    """A copy in which ``change`` has been called with the state at ``path``."""
    other = copy.deepcopy(definition)
    change(place(other, path).state)
    return other
