"""Stopping flows and taking them down, against a Step Functions made of records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from headrace.ephemeral import teardown
from headrace.ephemeral.flows import FlowFailed, PlatformFlow
from headrace.ephemeral.stages import Stage

from tests.flow_records import (
    ARN,
    COURSE,
    PART,
    START,
    FakeAws,
    a_lustre,
    a_teardown,
    execution,
)

pytestmark = pytest.mark.usefixtures("nobody_waits")


def test_stopping_is_asked_for_once() -> None:
    """What has ended stays as it is."""
    aws: Any = FakeAws()
    assert teardown.stop(aws, execution())
    assert not teardown.stop(aws, execution("SUCCEEDED"))
    assert aws.deeds == [("stop", "Ephemeral.Stopped")]


def test_a_flow_that_takes_its_file_system_down_is_left_to_it() -> None:
    """Its job may have ended well, and an abort would hide that."""
    running = execution()
    aws: Any = FakeAws(running, running, execution("SUCCEEDED"), history=COURSE)
    assert not teardown.stop(aws, running)
    assert list(teardown.until_gone(aws, PART.teardown_machine_arn, ARN)) == ["the flow takes its file system down"]
    assert aws.deeds == []


def test_what_a_flow_that_failed_has_left_is_taken_down_from_outside() -> None:
    """Its own teardown has failed; EventBridge starts another."""
    aws: Any = FakeAws(execution("FAILED", error="Ephemeral.NotDeleted"))
    aws.lists = [[a_lustre()], [a_lustre(lifecycle="DELETING")], []]
    ended = a_teardown(1, "SUCCEEDED")
    aws.others[ended.arn] = ended
    assert list(teardown.until_gone(aws, PART.teardown_machine_arn, ARN)) == [
        "waiting for the teardown; fs-1 is DELETING"
    ]


def _torn_down(aws: Any) -> list[str]:
    return list(teardown.take_down(aws, PART.teardown_machine_arn, ARN))


def test_the_teardown_that_eventbridge_starts_is_awaited() -> None:
    """Others' teardowns, and old ones of ours, are passed over."""
    aws: Any = FakeAws(execution("ABORTED"))
    for each in (
        a_teardown(1, "SUCCEEDED", minutes=1),
        a_teardown(2, "SUCCEEDED", owner="arn:aws:states:other"),
        a_teardown(3, "SUCCEEDED"),
    ):
        aws.others[each.arn] = each
    aws.lists = [[a_lustre(lifecycle="DELETING")], []]
    assert _torn_down(aws) == ["waiting for the teardown; fs-1 is DELETING"]
    assert aws.deeds == []


def test_a_teardown_that_nobody_starts_is_started_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute; it does no harm twice."""
    monkeypatch.setattr(teardown, "_TEARDOWN_SECONDS", -1)
    aws: Any = FakeAws(execution("ABORTED"))
    _torn_down(aws)
    assert aws.deeds == [("start", "teardown", ARN)]


def test_a_teardown_that_failed_is_tried_once_more_and_then_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says where to look."""
    aws: Any = FakeAws(execution("ABORTED"))
    failed = a_teardown(1, "FAILED")
    aws.others[failed.arn] = failed
    start = aws.start

    def start_and_fail(machine_arn: str, name: str, given: Mapping[str, Any]) -> str:
        arn = start(machine_arn, name, given)
        aws.others[arn] = replace(aws.others[arn], status="FAILED", error="Teardown.NotDeleted", cause="used by x")
        return str(arn)

    monkeypatch.setattr(aws, "start", start_and_fail)
    with pytest.raises(FlowFailed, match=r"FAILED: Teardown.NotDeleted: used by x; see headrace reap --dry-run"):
        _torn_down(aws)
    assert len(aws.deeds) == 1


def test_a_teardown_that_came_too_early_is_followed_by_another() -> None:
    """The file system was seen after it had ended."""
    aws: Any = FakeAws(execution("ABORTED"), history=COURSE[:4])
    early = a_teardown(1, "SUCCEEDED")
    aws.others[early.arn] = early
    aws.lists = [[a_lustre()], [a_lustre()], [a_lustre()], []]
    list(teardown.until_gone(aws, PART.teardown_machine_arn, ARN))
    assert aws.deeds == [("start", "teardown", ARN)]


def test_a_file_system_that_no_teardown_finds_is_told() -> None:
    """It finds them by their tags, which somebody may have taken away."""
    aws: Any = FakeAws(execution("ABORTED"), history=COURSE[:4])
    aws.lists = [[a_lustre(tags={})]]
    ended = a_teardown(1, "SUCCEEDED")
    aws.others[ended.arn] = ended
    with pytest.raises(FlowFailed, match="file system fs-1 is AVAILABLE, and was not taken down"):
        list(teardown.until_gone(aws, PART.teardown_machine_arn, ARN))


def test_a_file_system_costs_until_its_teardown_has_ended() -> None:
    """The flow was aborted before; its end is not that of the bill."""
    aws: Any = FakeAws(execution("ABORTED"), history=COURSE[:4])
    first, second = a_teardown(1, "SUCCEEDED"), replace(a_teardown(2, "SUCCEEDED"), ended=START + timedelta(minutes=93))
    aws.others = {each.arn: each for each in (first, second)}
    ended = PlatformFlow(execution=execution("ABORTED"), part=PART)
    flow = teardown.look(aws, ended)
    cost = flow.cost("us-east-1", START + timedelta(days=9))
    assert cost is not None
    assert cost.gib_hours == pytest.approx(1200 * 90 / 60)
    assert flow.progress.stage is not None
    assert (flow.progress.stage.stage, flow.progress.stage.seconds(START)) == (Stage.TEARING_DOWN, 32 * 60)
    aws.others[second.arn] = replace(second, status="RUNNING", ended=None)
    aws.lists = [[a_lustre()]]
    flow = teardown.look(aws, ended)
    assert flow.progress.stage is not None
    assert flow.progress.stage.ended is None
