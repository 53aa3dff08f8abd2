"""Flows found, looked at and followed, against a Step Functions made of records."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from headrace import launch
from headrace.ephemeral import flows
from headrace.ephemeral.flows import Flow, FlowFailed
from headrace.ephemeral.stages import Stage, StageSpan
from headrace.errors import InvalidInput
from headrace.job_description import JobDescription
from headrace.platform import Platform

from tests.flow_records import (
    ARN,
    COURSE,
    CREATED,
    EPHEMERAL_PLATFORM,
    MADE,
    NAME,
    PART,
    START,
    FakeAws,
    a_job,
    a_lustre,
    asked_for,
    events,
    execution,
)

pytestmark = pytest.mark.usefixtures("nobody_waits")


def test_a_flow_is_followed_through_its_stages_and_its_jobs() -> None:
    """Stages in their order, each job when it is there, and the flow at the end."""
    aws: Any = FakeAws(execution(), execution(), execution("SUCCEEDED"), history=COURSE)
    aws.jobs = {each: a_job(each) for each in (f"{NAME}-preload", NAME, f"{NAME}-2")}
    told = list(flows.follow(aws, ARN))
    assert [each.stage for each in told if isinstance(each, StageSpan)][-1] is Stage.TEARING_DOWN
    assert [each.name for each in told if isinstance(each, JobDescription)] == list(aws.jobs)
    flow = told[-1]
    assert isinstance(flow, Flow)
    assert flow.job is not None
    assert (flow.name, flow.job.name, flow.lustre) == (NAME, f"{NAME}-2", None)
    assert flow.expires == START + timedelta(hours=2)
    cost = flow.cost("us-east-1", START + timedelta(days=9))
    assert cost is not None
    assert cost.gib_hours == pytest.approx(1200 * 57 / 60)  # made in minute 3, gone in minute 60


def test_the_cost_of_a_file_system_that_is_there_runs_on() -> None:
    """Whatever has become of its flow."""
    flow = Flow(execution=execution("ABORTED"), progress=_progress(), lustre=a_lustre())
    cost = flow.cost("us-east-1", START + timedelta(hours=3))
    assert cost is not None
    assert cost.gib_hours == pytest.approx(1200 * 2.95)
    assert replace(flow, progress=replace(_progress(), billed_from=None)).cost("us-east-1", START) is None


def _progress() -> Any:
    from headrace.ephemeral.stages import Progress

    return Progress(job_name=NAME).after(COURSE[:4])


def test_a_plain_job_is_no_flows_and_costs_no_question() -> None:
    """It reads no Lustre; one that does is asked for its tag."""
    aws: Any = FakeAws()
    on_s3 = replace(a_job("x"), channels=())
    assert flows.find(aws, "x", on_s3) is None
    assert flows.find(aws, "x", a_job("x")) is None
    aws.job_tags = {"headrace:owner": ARN}
    found = flows.find(aws, NAME, a_job(NAME))
    assert found is not None
    assert (found.execution.arn, found.part) == (ARN, PART)


def test_a_flow_without_a_job_is_found_by_its_name() -> None:
    """The record names the machine."""
    aws: Any = FakeAws()
    found = flows.find(aws, NAME, None)
    assert found is not None
    assert found.execution.name == NAME
    assert flows.find(aws, "other", None) is None


@pytest.mark.parametrize("suffix", ["", "-2", "-preload", "-preload-2"])
def test_each_job_of_a_flow_leads_to_it(suffix: str) -> None:
    """By the names that the machine gives them."""
    aws: Any = FakeAws()
    aws.job_tags = {"headrace:owner": ARN, "headrace:platform": "dev"}
    found = flows.find(aws, f"{NAME}{suffix}", a_job(f"{NAME}{suffix}"))
    assert found is not None
    assert found.execution.arn == ARN


@pytest.mark.parametrize(
    ("job_name", "owner"),
    [
        (NAME, ARN.replace("-ephemeral:", "-other:")),
        (NAME, ARN.replace(":111111111111:", ":222222222222:")),
        (NAME, "an apple"),
        ("mine", ARN),
        (f"{NAME}s", ARN),
    ],
)
def test_what_a_jobs_tag_claims_is_not_believed(job_name: str, owner: str) -> None:
    """Only an execution of the platform's machine whose name the job bears; no other is even described."""
    aws: Any = FakeAws()
    aws.others = {owner: execution(arn=owner)}
    aws.job_tags = {"headrace:owner": owner}
    with pytest.raises(InvalidInput, match="headrace:owner of"):
        flows.find(aws, job_name, a_job(job_name))


def test_the_platform_of_a_job_is_the_one_that_it_is_tagged_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever the command names."""
    asked: list[str | None] = []

    def read(_aws: Any, platform: str | None = None) -> Platform:
        asked.append(platform)
        return EPHEMERAL_PLATFORM

    monkeypatch.setattr(launch, "read_platform", read)
    aws: Any = FakeAws()
    aws.job_tags = {"headrace:owner": ARN, "headrace:platform": "birds"}
    assert flows.find(aws, NAME, a_job(NAME), "dev") is not None
    del aws.job_tags["headrace:platform"]
    assert flows.find(aws, NAME, a_job(NAME), "dev") is not None
    assert asked == ["birds", "dev"]


def test_a_file_system_whose_tag_was_taken_away_is_still_there() -> None:
    """Its id is in the history; without an id only the tag tells."""
    aws: Any = FakeAws(history=COURSE[:4])
    aws.lists = [[a_lustre(tags={})]]
    flow = flows.look(aws, execution("FAILED"))
    assert flow.lustre is not None
    assert flow.lustre.file_system_id == "fs-1"
    aws.history = []
    assert flows.look(aws, execution("FAILED")).lustre is None


def test_a_job_that_was_deleted_is_left_out() -> None:
    """The history names it for 90 days."""
    aws: Any = FakeAws(execution("SUCCEEDED"), history=COURSE)
    aws.jobs = {NAME: a_job(NAME)}
    assert [each.name for each in flows.look(aws, execution("SUCCEEDED")).jobs] == [NAME]


def test_the_error_of_a_flow_is_one_line_and_names_what_is_left() -> None:
    """The cause may be of many lines."""
    ended = execution("FAILED", error="Ephemeral.TrainingFailed", cause="a\nb")
    flow = Flow(execution=ended, progress=_progress(), lustre=a_lustre())
    assert str(flows.failure(flow)) == (f"{NAME}: FAILED: Ephemeral.TrainingFailed: a b; file system fs-1 is AVAILABLE")


def test_waiting_for_a_stage_ends_there_or_with_the_flows_error() -> None:
    """The stage, and then the flow as it stands."""
    aws: Any = FakeAws(history=events("Begin", "CreateFileSystem", CREATED, asked_for(NAME), MADE))
    aws.jobs = {NAME: a_job(NAME)}
    assert isinstance(list(flows.wait_for(aws, ARN, Stage.CREATING))[-1], Flow)
    aws = FakeAws(execution("TIMED_OUT"), history=events("Begin"))
    with pytest.raises(FlowFailed, match="TIMED_OUT: no reason given"):
        list(flows.wait_for(aws, ARN, Stage.HOLDING))
