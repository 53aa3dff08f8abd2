"""What the machines need at the worst, beside what Step Functions, FSx and SageMaker allow; computed each time."""

from __future__ import annotations

import re
from operator import methodcaller
from typing import Any

import pytest
from headrace.service_model import violations
from headrace_cdk.definition import MACHINES, load

from tests.machine_definitions import ACCOUNT, Definition, Scope, changed, machine, node, place, places, scopes
from tests.machine_rules import EVENTS, reachable, rounds

# AWS Step Functions Developer Guide, "Step Functions service quotas"; CloudFormation, DefinitionString
MAX_EVENTS = 25_000
MAX_DEFINITION_BYTES = 1_048_576
MAX_TASK_BYTES = 256 * 1024
EXECUTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")

DAY_SECONDS = 86_400
LONGEST_LIFETIME_SECONDS = 7 * DAY_SECONDS
LOOKS = 1680
"""How many looks the flow's interval leaves in a lifetime."""
GIVE_UP_SECONDS = 7200
"""How long the teardown tries to delete one file system."""
THROTTLED = 0.3
"""The share of calls that are refused and made again: that is a bad week."""
# scheduled, started, failed; started, succeeded
RETRY_EVENTS, ITERATION_EVENTS = 3, 2


@pytest.mark.parametrize("name", MACHINES)
def test_a_definition_is_far_from_too_long(name: str) -> None:
    """With the longest values of the substitutions it would still be."""
    longest = dict.fromkeys(load(name).substitutions, "x" * 400)
    assert len(str(load(name).substituted(longest)).encode()) < MAX_DEFINITION_BYTES / 10


def _events(scope: Scope, names: set[str]) -> int:
    return sum(EVENTS[scope.states[name]["Type"]] for name in names)


def _longest_history(flow: Definition) -> float:
    """The events of a flow whose file system lives as long as one may, and whose teardown takes as long as it may."""
    top, work = scopes(flow)
    # the shortest way round is taken again and again; the longer ones make something, which is counted below
    polls = {each: min(rounds(work, each)) for each in work.states if _polls(work.states[each])}
    assert set(polls) == {"WaitForFileSystem", "WaitForLink", "WaitForImport", "WaitForJob"}
    # the looks of a teardown that needs all of its time
    interval = top.states["WaitForTeardown"]["Seconds"]
    awaited = machine("teardown")["TimeoutSeconds"] / interval * max(rounds(top, "WaitForTeardown"))
    once = _events(top, set(top.states)) + _events(work, set(work.states))
    pages = 100 * _events(top, {"CountLive", "IsBelowCap"})
    links = 8 * _events(work, {"CreateLink", "WaitForLink", "DescribeLink", "IsLinkReady"})
    # attempt k waits 120 k seconds, so that not more than these find a place in the longest lifetime
    attempts = int((2 * LONGEST_LIFETIME_SECONDS / 120) ** 0.5) + 1
    capacity = attempts * _events(work, {"CreateJob", "DescribeJob", "JudgeJob", "MayTryAgain", "WaitForCapacity"})
    calls = LOOKS + awaited / max(rounds(top, "WaitForTeardown"))
    retries = calls * THROTTLED / (1 - THROTTLED) * RETRY_EVENTS
    return float(LOOKS * max(polls.values()) + awaited + once + pages + links + capacity + retries)


def test_the_history_of_the_flow_is_never_too_long() -> None:
    """An execution ends at its 25,000th event, and no Catch sees it."""
    flow = machine("ephemeral")
    assert _longest_history(flow) < MAX_EVENTS
    often = changed(flow, "WaitForTeardown", methodcaller("update", {"Seconds": 20}))
    assert _longest_history(often) > MAX_EVENTS


def _polls(state: dict[str, Any]) -> bool:
    return bool(state["Type"] == "Wait" and state.get("Seconds") == "{% $pollSeconds %}")


def test_the_history_of_the_preload_is_never_too_long() -> None:
    """All of its time may pass in one of its waits."""
    preload = machine("preload")
    (top,) = scopes(preload)
    for wait in ("WaitForImports", "WaitForJob", "WaitForOthers"):
        looks = preload["TimeoutSeconds"] / top.states[wait]["Seconds"]
        assert looks * min(rounds(top, wait)) + 5 * _events(top, set(top.states)) < MAX_EVENTS


def test_the_history_of_the_reaper_is_never_too_long() -> None:
    """250 file systems that have all expired, and as many training jobs as would make it a strange account."""
    file_systems, jobs = 250, 1000
    top, *_ = scopes(machine("reaper"))

    def each(scope: str) -> int:
        within = [at for at in places(machine("reaper")) if at.scope.path == (scope,)]
        return ITERATION_EVENTS + sum(EVENTS[at.state["Type"]] for at in within)

    of_file_systems = file_systems * (each("Judge") + each("Mark")) + file_systems / 10 * EVENTS["Task"]
    once = _events(top, set(top.states))
    assert of_file_systems + jobs * each("DescribeJobs") + once * (1 + jobs / 100) < MAX_EVENTS


@pytest.mark.parametrize("seconds", [1805, DAY_SECONDS, LONGEST_LIFETIME_SECONDS])
def test_the_flow_looks_so_often_at_the_most(seconds: int) -> None:
    """However long the file system may live, and not more often than twice a minute."""
    begin = place(machine("ephemeral"), "Begin").state["Assign"]["pollSeconds"]
    states = {"input": {"Lustre": {"LifetimeSeconds": seconds}}}
    (interval,) = _evaluated((begin, {"states": states}))
    assert interval >= 30
    assert seconds / interval <= LOOKS


def test_the_flow_outlives_the_longest_lifetime_and_its_teardown() -> None:
    """A machine that times out skips every Catch."""
    teardown = machine("teardown")["TimeoutSeconds"]
    assert machine("ephemeral")["TimeoutSeconds"] >= LONGEST_LIFETIME_SECONDS + teardown


def test_a_teardown_in_a_busy_account_ends_within_its_history() -> None:
    """Each round describes every training job that runs; with so many, two hours of rounds still have a place."""
    top, at_once = next(scopes(machine("teardown"))), 5
    seconds = top.states["WaitABit"]["Seconds"]
    waits = _evaluated(*((seconds, {"rounds": number}) for number in range(GIVE_UP_SECONDS // 30)))
    number_of_rounds = next(n for n in range(len(waits) + 1) if sum(waits[:n]) >= GIVE_UP_SECONDS)
    described = sum(
        EVENTS[at.state["Type"]] for at in places(machine("teardown")) if at.scope.path == ("DescribeJobs",)
    )
    for_jobs = at_once * (described + ITERATION_EVENTS)
    once = _events(top, reachable(top, top.start))
    assert number_of_rounds * (max(rounds(top, "WaitABit")) + for_jobs) + once < MAX_EVENTS


def test_a_page_of_descriptions_fits_into_a_task() -> None:
    """A Lustre file system with 50 tags and a full description is below 20 KB as JSON."""
    for name in MACHINES:
        for at in places(machine(name)):
            if at.state.get("Resource", "").endswith(":describeFileSystems") and at.name not in ONE_BY_ID:
                assert "'MaxResults': 10" in at.state["Arguments"], at.path
    assert MAX_TASK_BYTES > 10 * 20_000


ONE_BY_ID = frozenset({"DescribeFileSystem", "Look", "ConfirmItIsGone"})

JOB_NAME = "j" * 50
PLATFORM = "p" * 30
EXECUTION = f"arn:aws-us-gov:states:us-gov-west-1:{ACCOUNT}:execution:headrace-{PLATFORM}-ephemeral:{JOB_NAME}"
FLOW: dict[str, Any] = {
    "states": {
        "input": {"JobName": JOB_NAME, "Id": f"fs-{'0' * 17}"},
        "context": {"Execution": {"Id": EXECUTION, "Input": {"JobName": JOB_NAME}}},
    },
    "token": "0" * 40,
    "owner": EXECUTION,
    "linkIndex": 7,
    "attempt": 99,
}
# the preload adds twelve digits and the number of the attempt to its name, so that leaves 48 characters
PRELOAD: dict[str, Any] = {
    "states": {"context": {"Execution": {"Id": EXECUTION}}},
    "given": {"JobName": JOB_NAME[:48]},
}
# machine, state, where its value is, variables beside those of FLOW
NAMES: dict[str, list[tuple[str, str, tuple[str | int, ...], dict[str, Any]]]] = {
    "token": [
        ("ephemeral", "CreateFileSystem", ("Arguments", "ClientRequestToken"), {}),
        ("ephemeral", "Work/CreateLink", ("Arguments", "ClientRequestToken"), {}),
        ("ephemeral", "Work/StartImport", ("Arguments", "ClientRequestToken"), {}),
    ],
    "execution": [
        ("ephemeral", "StartTeardown", ("Arguments", "Name"), {}),
        ("reaper", "TakeDown/StartTeardown", ("Arguments", "Name"), {}),
    ],
    "job": [
        ("ephemeral", "Work/WhatIsNext", ("Choices", 0, "Assign", "jobName"), {}),
        ("ephemeral", "Work/WaitForCapacity", ("Assign", "jobName"), {"stage": "preload"}),
        ("ephemeral", "Work/WaitForCapacity", ("Assign", "jobName"), {"stage": "training"}),
        ("preload", "DescribeFileSystem", ("Assign", "jobName"), PRELOAD),
        ("preload", "WaitForCapacity", ("Assign", "jobName"), {**PRELOAD, "attempt": 4}),
    ],
    "tag": [("ephemeral", "CreateFileSystem", ("Arguments", "Tags", 1, "Value"), {})],
}


def _named(kind: str) -> list[str]:
    rows = []
    for name, path, steps, more in NAMES[kind]:
        value: Any = place(machine(name), path).state
        for step in steps:
            value = value[step]
        rows.append((value, {**FLOW, **more}))
    return _evaluated(*rows)


def _evaluated(*rows: tuple[Any, dict[str, Any]]) -> list[Any]:
    request = {"values": [{"value": value, "bindings": bindings} for value, bindings in rows]}
    return [each["value"] for each in node(request)["outcomes"]]


def test_the_token_is_the_hash_of_the_execution() -> None:
    """Each try of one execution has the same, and no other execution has it; FSx takes 63 characters."""
    begin = place(machine("ephemeral"), "Begin").state["Assign"]["token"]
    (token,) = _evaluated((begin, FLOW))
    assert re.fullmatch(r"[0-9a-f]{40}", token)


def test_fsx_takes_the_longest_tokens() -> None:
    """63 characters; the same token for every try."""
    request = {"FileSystemType": "LUSTRE", "SubnetIds": [f"subnet-{'0' * 17}"]}
    for token in _named("token"):
        assert violations("fsx", "CreateFileSystem", {**request, "ClientRequestToken": token}) == []
    assert violations("fsx", "CreateFileSystem", {**request, "ClientRequestToken": "x" * 64}) != []


def test_step_functions_takes_the_longest_names_of_executions() -> None:
    """80 characters."""
    for name in _named("execution"):
        assert EXECUTION_NAME.fullmatch(name)


def test_sagemaker_takes_the_longest_names_of_jobs() -> None:
    """63 characters; the hundredth attempt's, too."""
    for name in _named("job"):
        assert violations("sagemaker", "DescribeTrainingJob", {"TrainingJobName": name}) == []


def test_fsx_takes_the_longest_owner() -> None:
    """256 characters in a tag."""
    request = {"ResourceARN": f"arn:aws:fsx:us-east-1:{ACCOUNT}:file-system/fs-{'0' * 17}"}
    for value in _named("tag"):
        assert violations("fsx", "TagResource", {**request, "Tags": [{"Key": "headrace:owner", "Value": value}]}) == []


def test_sns_takes_the_longest_subject() -> None:
    """100 characters, which the service's model does not say."""
    subject = load("reaper").plain["States"]["Tell"]["Arguments"]["Subject"].replace("${Platform}", PLATFORM)
    assert len(subject) <= 100
    assert subject.isascii()
