"""Holding a file system for a block of code, against a Step Functions made of records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from headrace import ephemeral
from headrace.aws import AwsError
from headrace.ephemeral import notebook, survey
from headrace.ephemeral.flows import FlowFailed
from headrace.errors import InvalidInput
from headrace.future_lustre import EphemeralLustre
from headrace.rules import RuleViolations

from tests.flow_records import (
    ARN,
    CREATED,
    NAME,
    PART,
    START,
    FakeAws,
    a_lustre,
    a_teardown,
    events,
    execution,
    store_of,
)

pytestmark = pytest.mark.usefixtures("nobody_waits")


def _hold(monkeypatch: pytest.MonkeyPatch, aws: FakeAws, objects: int = 3) -> Callable[..., Any]:
    monkeypatch.setattr(survey, "Objects", store_of(objects))
    monkeypatch.setattr(notebook, "Aws", lambda _region: aws)
    # the name has the time in it; here it is the flow's
    monkeypatch.setattr(notebook, "_name", lambda *_given: NAME)
    told: list[str] = []

    def hold(**given: Any) -> Any:
        return ephemeral.lustre(**({"links": {"data": "digits"}, "hours": 2, "told": told.append} | given))

    return hold


HELD = events("Begin", "CreateFileSystem", CREATED, "CreateLink", "StartImport", "Hold")


def test_a_held_file_system_is_a_platform_to_launch_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """And goes at the end of the block."""
    aws = FakeAws(history=HELD)
    aws.lists = [[], [a_lustre()], []]
    ended = a_teardown(1, "SUCCEEDED")
    aws.others[ended.arn] = ended
    with _hold(monkeypatch, aws)() as held:
        lustre = held.platform.lustre
        assert lustre is not None
        assert (held.file_system_id, held.mount_name) == (lustre.file_system_id, "abcd1234")
        assert lustre.links == PART.links
        assert held.expires == START + timedelta(hours=2)
        assert aws.deeds == [("start", "ephemeral", "job")]
    assert aws.deeds[1:] == [("stop", "Ephemeral.Stopped")]


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt()])
def test_a_held_file_system_goes_whatever_happens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    """The error that happened is the one that is told; where the end fails as well, that is told beside it."""
    aws = FakeAws(history=HELD)
    aws.lists = [[a_lustre()]]
    hold = _hold(monkeypatch, aws)

    def no_list(*_given: object) -> list[str]:
        raise AwsError("no network")

    monkeypatch.setattr(aws, "newest", no_list)
    with pytest.raises(type(error)) as caught, hold() as held:
        raise error
    assert aws.deeds[-1] == ("stop", "Ephemeral.Stopped")
    line = f"{held.name} goes on: no network; headrace stop {held.name} --platform dev"
    assert capsys.readouterr().err == f"{line}\n"
    assert caught.value.__notes__ == [line]
    assert isinstance(caught.value.__context__, AwsError)


def test_a_hold_that_cannot_be_stopped_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The credentials have expired meanwhile: the file system goes on costing until its hours are over."""
    aws = FakeAws(history=HELD)
    aws.lists = [[a_lustre()]]
    hold = _hold(monkeypatch, aws)

    def expired(*_given: object) -> None:
        raise AwsError("StopExecution: ExpiredTokenException: x")

    monkeypatch.setattr(aws, "stop", expired)
    with pytest.raises(AwsError, match="ExpiredToken"), hold() as held:
        pass
    assert f"headrace stop {held.name} --platform dev" in capsys.readouterr().err


def test_a_second_ctrl_c_breaks_off_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says what goes on."""
    aws = FakeAws(history=HELD)
    aws.lists = [[a_lustre()]]
    hold = _hold(monkeypatch, aws)

    def interrupted(*_given: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(aws, "newest", interrupted)
    with pytest.raises(KeyboardInterrupt), hold() as held:
        raise ValueError("mine")
    assert capsys.readouterr().err.startswith(f"{held.name} goes on: interrupted; ")


def test_the_end_of_a_hold_waits_though_its_execution_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have timed out, or somebody else may have stopped it: that does not say that nothing is left."""
    aws = FakeAws(history=HELD)
    aws.lists = [[a_lustre()]]
    failed = a_teardown(1, "FAILED")
    aws.others[failed.arn] = failed
    start = aws.start

    def start_and_fail(machine_arn: str, name: str, given: Mapping[str, Any]) -> str:
        arn = start(machine_arn, name, given)
        if machine_arn == PART.teardown_machine_arn:
            aws.others[arn] = replace(aws.others[arn], status="FAILED", error="Teardown.NotDeleted")
        return arn

    monkeypatch.setattr(aws, "start", start_and_fail)
    with pytest.raises(FlowFailed, match=r"Teardown.NotDeleted.*headrace reap"), _hold(monkeypatch, aws)():
        aws.steps = [execution("TIMED_OUT")]
    assert ("start", "teardown", ARN) in aws.deeds


def test_a_hold_that_is_refused_has_no_end(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was started."""
    aws = FakeAws()
    monkeypatch.setattr(aws, "describe", lambda _arn: None)
    aws.start_error = InvalidInput("StartExecution: StateMachineDoesNotExist: x")
    with pytest.raises(InvalidInput, match="StateMachineDoesNotExist"), _hold(monkeypatch, aws)():
        raise AssertionError("the block is not entered")
    assert (aws.deeds, capsys.readouterr().err) == ([], "")


def test_a_hold_that_fails_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has taken itself down."""
    failed = execution("FAILED", error="Ephemeral.CapReached", cause="4 file systems live")
    aws = FakeAws(failed, history=events("Begin"))
    with pytest.raises(FlowFailed, match=r"Ephemeral.CapReached: 4 file systems live"), _hold(monkeypatch, aws)():
        raise AssertionError("the block is not entered")
    assert aws.deeds == [("start", "ephemeral", "job")]


@pytest.mark.parametrize("hours", [float("inf"), float("nan"), 1e400, 1e300, 0, -1, True, "4"])
def test_a_lifetime_is_a_number_of_hours(monkeypatch: pytest.MonkeyPatch, hours: Any) -> None:
    """Told in one line, before anything is looked at."""
    for given in ({"lifetime_hours": hours}, {"lifetime_hours": hours, "capacity_attempts": 10**9}):
        with pytest.raises(InvalidInput) as caught:
            EphemeralLustre(**given)
        assert len(caught.value.problems) == len(given)
    with pytest.raises(InvalidInput, match=r"^hours is .*; allowed: hours, more than 0 and up to 168; fix: such as 4$"):
        _hold(monkeypatch, FakeAws())(hours=hours).__enter__()


@pytest.mark.parametrize(
    ("given", "objects", "rules"),
    [
        ({"links": {"nothing": ""}}, 3, {"V124"}),
        ({"hours": 99}, 3, {"V153"}),
        ({"hours": 0.1}, 3, {"V160"}),
        ({"storage_capacity_gib": 1300}, 3, {"V2"}),
        ({"availability_zone_id": "x"}, 3, {"V159"}),
        ({}, 0, {"V48"}),
        ({"links": {"data": ""}, "hours": 99, "storage_capacity_gib": 1}, 0, {"V2", "V48", "V153"}),
    ],
)
def test_what_cannot_be_held_is_refused_before_it_costs_anything(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], objects: int, rules: set[str]
) -> None:
    """With the arguments' names."""
    aws = FakeAws()
    with pytest.raises(RuleViolations) as caught, _hold(monkeypatch, aws, objects)(**given):
        raise AssertionError("the block is not entered")
    assert {each.rule_id for each in caught.value.findings} == rules
    assert not any(each.field.startswith(("ephemeral.", "channels.", "life")) for each in caught.value.findings)
    assert aws.deeds == []
