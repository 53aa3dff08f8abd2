"""The reaper's facts, looked up; and the reaper, started by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from headrace.ephemeral import flows, reaper
from headrace.ephemeral.flows import FlowFailed
from headrace.ephemeral.reaping import Action
from headrace.execution_history import ExecutionStatus

from tests.flow_records import (
    ARN,
    PART,
    START,
    FakeAws,
    a_job,
    a_lustre,
    execution,
)

pytestmark = pytest.mark.usefixtures("nobody_waits")


def test_the_reapers_facts_are_looked_up_for_each_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that may not be looked at may mount anything."""
    from headrace.aws.connection import AccessDenied

    aws: Any = FakeAws(execution("FAILED"))
    aws.lists = [[a_lustre(), a_lustre(owner=f"{ARN}:more", file_system_id="fs-2")]]
    now = START + timedelta(hours=9)
    first, second = reaper.decisions(aws, PART, now)
    assert (first.action, second.action) == (Action.MARK, Action.KEEP)
    aws.jobs = {"x": a_job("x", "InProgress")}
    assert reaper.decisions(aws, PART, now)[0].facts.mounted_by == ("x",)

    def denied(name: str) -> Any:
        if name.startswith("arn:"):
            return execution("FAILED")
        raise AccessDenied("no", "sagemaker:DescribeTrainingJob")

    monkeypatch.setattr(aws, "describe", denied)
    (first, _) = reaper.decisions(aws, PART, now)
    assert (first.action, first.facts.unknown_jobs) == (Action.KEEP, 1)


def test_the_reaper_is_started_by_hand_and_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its decisions are its output."""
    aws: Any = FakeAws()
    begun, ended = reaper.run(aws, PART)
    assert (begun.status, ended.status) == (ExecutionStatus.SUCCEEDED, ExecutionStatus.SUCCEEDED)
    monkeypatch.setattr(flows, "described", lambda _aws, _arn: execution("FAILED", error="E", cause="c"))
    monkeypatch.setattr(reaper, "described", lambda _aws, _arn: execution("FAILED", error="E", cause="c"))
    with pytest.raises(FlowFailed, match="FAILED: E: c"):
        list(reaper.run(aws, PART))
