"""What the history of an execution says of its flow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from headrace.ephemeral.cost import cost_of
from headrace.ephemeral.stages import MARKS, WAIT_FOR_CAPACITY, Progress, Stage
from headrace.execution_history import event_of, execution_arn, machine_arn_of
from headrace_cdk.definition import load

from tests.flow_records import COURSE, NAME, START, asked_for, events


def test_a_whole_course_is_told_in_stages() -> None:
    """Each begins with its first state, and several links are one stage."""
    progress = Progress(job_name=NAME).after(COURSE)
    assert [(each.stage.value, each.detail) for each in progress.stages] == [
        ("checking", ""),
        ("creating", ""),
        ("linking", ""),
        ("importing", ""),
        ("preloading", f"{NAME}-preload"),
        ("training", NAME),
        ("training", "waiting for capacity"),
        ("training", f"{NAME}-2"),
        ("tearing down", ""),
    ]
    assert progress.jobs == (f"{NAME}-preload", NAME, f"{NAME}-2")
    assert (progress.file_system_id, progress.imported_files, progress.last_event_id) == ("fs-1", 7, len(COURSE))
    assert progress.billed_from == START + timedelta(minutes=3)
    assert all(one.ended == other.started for one, other in zip(progress.stages, progress.stages[1:], strict=False))
    assert progress.stages[-1].ended is None


@pytest.mark.parametrize("cut", range(len(COURSE)))
def test_reading_in_pieces_is_reading_at_once(cut: int) -> None:
    """Who follows a flow reads what is new."""
    whole = Progress(job_name=NAME).after(COURSE)
    assert Progress(job_name=NAME).after(COURSE[:cut]).after(COURSE[cut:]) == whole


def test_a_job_that_is_asked_for_is_there_when_the_machine_says_so() -> None:
    """Also when the answer to its creation was lost, and the machine looks for it."""
    asked = Progress(job_name=NAME).after(events("Begin", asked_for(NAME)))
    assert asked.jobs == ()
    assert asked.after(events("DescribeJob")).jobs == (NAME,)


def test_a_flow_that_has_ended_ended_its_last_stage() -> None:
    """Its clock does not run on."""
    end = START + timedelta(hours=1)
    progress = Progress(job_name=NAME).after(COURSE).closed(end)
    assert progress.stages[-1].ended == end
    assert progress.closed(end + timedelta(hours=1)) == progress
    assert Progress(job_name=NAME).closed(end).stages == ()


def test_the_states_that_mark_a_stage_are_states_of_the_machine() -> None:
    """Otherwise a stage would never be seen to begin."""
    text = load("ephemeral").text
    for name in (*MARKS, WAIT_FOR_CAPACITY, "DescribeJob"):
        assert f'"{name}":{{' in text
    assert {*MARKS.values(), Stage.PRELOADING, Stage.TRAINING} == set(Stage)
    for call in ("createTrainingJob", "createFileSystem", "describeDataRepositoryTasks"):
        assert f":{call}" in text


def test_events_of_the_service_are_read_as_they_are() -> None:
    """What was cut, or is no object, is nothing."""
    raw: dict[str, Any] = {"id": 4, "type": "TaskSucceeded", "timestamp": START, "previousEventId": 3}
    details = {"resourceType": "aws-sdk:fsx", "resource": "createFileSystem"}
    whole = event_of({**raw, "taskSucceededEventDetails": {**details, "output": '{"FileSystem": {}}'}})
    assert (whole.event_id, whole.call, whole.answer) == (4, "createFileSystem", {"FileSystem": {}})
    for text in ('{"FileSystem": {"Fi', "[]", None):
        cut = event_of({**raw, "taskSucceededEventDetails": details | ({"output": text} if text else {})})
        assert cut.answer == {}
    entered = event_of(
        {**raw, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Begin", "input": "{}"}}
    )
    assert (entered.state, entered.call) == ("Begin", None)


def test_an_execution_is_found_by_its_machine_and_its_name() -> None:
    """And its machine by its ARN."""
    machine = "arn:aws:states:eu-west-1:111111111111:stateMachine:headrace-dev-ephemeral"
    arn = execution_arn(machine, NAME)
    assert arn == f"arn:aws:states:eu-west-1:111111111111:execution:headrace-dev-ephemeral:{NAME}"
    assert machine_arn_of(arn) == machine


def test_what_a_file_system_costs_is_told_with_the_price_where_it_is_known() -> None:
    """1,200 GiB for a month are 168 dollars."""
    month = cost_of(1200, 730 * 3600, "us-east-1")
    assert (month.gib_hours, month.usd) == (876_000, pytest.approx(168))
    assert str(month) == "876,000.0 GiB-hours, about $168.00"
    assert str(cost_of(1200, 60, "us-east-1")) == "20.0 GiB-hours, under $0.01"
    elsewhere = cost_of(1200, 3600, "eu-west-1")
    assert (elsewhere.usd, str(elsewhere)) == (None, "1,200.0 GiB-hours, price unknown here")
