"""What a dry run shows is what the reaper does: the machine's expressions beside the function, on the same facts."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from headrace.ephemeral.reaping import Action, FileSystemFacts, Owner, decide
from headrace_cdk.definition import load
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.jsonata import Functions, expression
from tests.test_ephemeral_reaping import DUE, FACTS, MAX_HOURS, NOW, tag

VALUES = {
    "Platform": "dev",
    "MaxHours": str(MAX_HOURS),
    "MaxDeletesPerRun": "5",
    "TeardownMachineArn": "arn:teardown",
    "TopicArn": "arn:topic",
}
REAPER = load("reaper").substituted(VALUES)["States"]
JUDGE = REAPER["Judge"]["ItemProcessor"]["States"]
FUNCTIONS = Functions(lambda: 0.0, random.Random(0))  # noqa: S311  (no secret)


class _States:
    """``$states`` with a result or an input."""

    def __init__(self, **parts: Any) -> None:
        self._parts = parts

    def part(self, name: str) -> Any:
        return self._parts[name]

    def context(self, group: str, member: str) -> Any:
        raise KeyError(group, member)


def _evaluate(text: str, variables: dict[str, Any], **parts: Any) -> Any:
    return expression(text.removeprefix("{%").removesuffix("%}").strip()).evaluate(
        variables, _States(**parts), FUNCTIONS
    )


def _milliseconds(when: datetime) -> int:
    return round(when.timestamp() * 1000)


def _described(facts: FileSystemFacts) -> dict[str, Any]:
    tags = {
        "headrace:platform": "dev" if facts.has_platform_tag else "other",
        "headrace:owner": facts.owner_arn,
        "headrace:expires": facts.expires_tag,
        "headrace:marked": facts.marked_tag,
        "headrace:file-system": facts.itself_tag,
    }
    return {
        "FileSystemId": facts.file_system_id,
        "FileSystemType": "LUSTRE",
        "ResourceARN": "arn:fs",
        "Lifecycle": facts.lifecycle,
        "CreationTime": tag(facts.created),
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items() if value is not None],
    }


def _owner_ended(owner: Owner, candidate: dict[str, Any]) -> bool:
    """As the state's Catch and Assign have it."""
    catch = JUDGE["DescribeOwner"]["Catch"]
    if not owner.is_known:
        return bool(catch[1]["Assign"]["ownerEnded"])
    if owner.started is None and not owner.is_running:
        return bool(catch[0]["Assign"]["ownerEnded"])
    result: dict[str, Any] = {"Status": "RUNNING" if owner.is_running else "FAILED"}
    result |= {"StartDate": tag(owner.started)} if owner.started else {}
    result |= {"StopDate": tag(owner.ended)} if owner.ended else {}
    return bool(_evaluate(JUDGE["DescribeOwner"]["Assign"]["ownerEnded"], {}, result=result, input=candidate))


def _machine(facts: FileSystemFacts) -> str:
    """What the machine decides; KEEP for what it does not look at."""
    variables: dict[str, Any] = {"startMillis": _milliseconds(NOW), "candidates": []}
    found = REAPER["FindFileSystems"]["Assign"]["candidates"]
    candidates = _evaluate(found, variables, result={"FileSystems": [_described(facts)]})
    if not candidates:
        return "KEEP"
    (candidate,) = candidates
    seen = {
        "startMillis": _milliseconds(NOW),
        "unknownJobs": facts.unknown_jobs,
        "mounted": [facts.file_system_id] if facts.mounted_by else [],
        "ownerEnded": _owner_ended(facts.owner, candidate),
        "clients": -1 if facts.clients is None else facts.clients,
    }
    return str(_evaluate(JUDGE["IsDue"]["Output"], seen, input=candidate)["Decision"])


def _as_aws_tells(facts: FileSystemFacts) -> FileSystemFacts:
    """Times in milliseconds; what has ended has both its times, and what runs has no end."""

    def cut(when: datetime | None) -> datetime | None:
        return None if when is None else when.replace(microsecond=when.microsecond // 1000 * 1000)

    owner = facts.owner
    started, ended = cut(owner.started or owner.ended), cut(owner.ended or owner.started)
    if not owner.is_known:
        owner = Owner(is_known=False)
    elif owner.is_running:
        owner = Owner(is_running=True, started=started or facts.created)
    else:
        owner = Owner(started=started, ended=ended)
    created = cut(facts.created)
    assert created is not None
    return replace(facts, owner=owner, created=created)


# most facts drawn freely are not due; these are but for one or two things
NEARLY_DUE = st.builds(
    lambda drawn, names: replace(DUE, **{name: getattr(drawn, name) for name in names}),
    FACTS,
    st.sets(st.sampled_from([each.name for each in fields(FileSystemFacts)][1:]), max_size=3),
)


@settings(deadline=None, max_examples=400)
@given(FACTS | NEARLY_DUE)
def test_the_machine_decides_as_the_dry_run_shows(facts: FileSystemFacts) -> None:
    """Whatever stands in the tags, whoever owns it."""
    told = _as_aws_tells(facts)
    assert _machine(told) == decide(told, NOW, MAX_HOURS).action.value


def test_the_machine_has_all_decisions() -> None:
    """The property above is not about KEEP alone."""
    due = _as_aws_tells(DUE)
    marks = {"MARK": None, "DELETE": "2026-01-02T11:45:00.000Z", "WAIT": "2026-01-02T11:45:00.001Z"}
    assert {_machine(replace(due, marked_tag=mark)) for mark in marks.values()} == set(marks)
    assert _machine(replace(due, marked_tag="x", mounted_by=("job",))) == Action.UNMARK.value
    assert _machine(replace(due, mounted_by=("job",))) == Action.KEEP.value
