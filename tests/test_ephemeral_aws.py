"""The facade of executions and of ephemeral file systems: what is asked, and what is made of the answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import ANY
from headrace.aws import Aws, AwsError
from headrace.errors import InvalidInput

from tests.conftest import STUBBED_REGION, stubbed

START = datetime(2026, 1, 1, tzinfo=UTC)
MACHINE = f"arn:aws:states:{STUBBED_REGION}:111111111111:stateMachine:m"
ARN = f"arn:aws:states:{STUBBED_REGION}:111111111111:execution:m:n"


def test_an_execution_is_started_with_its_input(aws: Aws) -> None:
    """As JSON."""
    expected = {"stateMachineArn": MACHINE, "name": "n", "input": '{"a": 1}'}
    stubbed(aws, "stepfunctions").add_response("start_execution", {"executionArn": ARN, "startDate": START}, expected)
    assert aws.executions.start(MACHINE, "n", {"a": 1}) == ARN


@pytest.mark.parametrize("code", ["ExecutionAlreadyExists", "InvalidName", "StateMachineDoesNotExist"])
def test_what_cannot_be_started_is_the_users_to_mend(aws: Aws, code: str) -> None:
    """One line, with the service's words."""
    stubbed(aws, "stepfunctions").add_client_error("start_execution", code, "no\nway")
    with pytest.raises(InvalidInput, match=f"StartExecution: {code}: no way"):
        aws.executions.start(MACHINE, "n", {})


def _described(**members: Any) -> dict[str, Any]:
    described = {"executionArn": ARN, "stateMachineArn": MACHINE, "name": "n", "status": "RUNNING", "startDate": START}
    return described | members


def test_an_execution_is_described_with_what_went_in_and_came_out(aws: Aws) -> None:
    """Input and output are JSON; one that runs has no end."""
    stub = stubbed(aws, "stepfunctions")
    stub.add_response("describe_execution", _described(input='{"a": 1}'), {"executionArn": ARN})
    end = {"status": "FAILED", "stopDate": START, "error": "E", "cause": "c"}
    stub.add_response("describe_execution", _described(**end))
    running, failed = aws.executions.describe(ARN), aws.executions.describe(ARN)
    assert running is not None
    assert failed is not None
    assert (running.input, running.is_over, running.ended) == ({"a": 1}, False, None)
    assert (failed.is_over, failed.ended, failed.error, failed.cause) == (True, START, "E", "c")


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "InvalidArn"])
def test_an_execution_that_does_not_exist_is_none(aws: Aws, code: str) -> None:
    """Nor does one whose name is none."""
    stubbed(aws, "stepfunctions").add_client_error("describe_execution", code)
    assert aws.executions.describe(ARN) is None


def test_other_errors_of_a_description_are_told(aws: Aws) -> None:
    """Throttling is not absence."""
    stubbed(aws, "stepfunctions").add_client_error("describe_execution", "ThrottlingException", "slow down")
    with pytest.raises(AwsError, match="ThrottlingException"):
        aws.executions.describe(ARN)


def test_an_execution_is_stopped_with_a_reason(aws: Aws) -> None:
    """It stands in its description."""
    expected = {"executionArn": ARN, "error": "E", "cause": "c"}
    stubbed(aws, "stepfunctions").add_response("stop_execution", {"stopDate": START}, expected)
    aws.executions.stop(ARN, "E", "c")


def _events(*ids: int) -> list[dict[str, Any]]:
    return [{"id": each, "type": "PassStateEntered", "timestamp": START, "previousEventId": each - 1} for each in ids]


def _asked(most: int) -> dict[str, Any]:
    return {"executionArn": ARN, "reverseOrder": True, "includeExecutionData": True, "maxResults": most}


def test_a_history_is_read_from_its_end(aws: Aws) -> None:
    """All of it in large pages; what is new in a small one, and no further than it is new."""
    stub = stubbed(aws, "stepfunctions")
    stub.add_response("get_execution_history", {"events": _events(4, 3), "nextToken": "x"}, _asked(1000))
    stub.add_response("get_execution_history", {"events": _events(2, 1)}, _asked(1000) | {"nextToken": "x"})
    stub.add_response("get_execution_history", {"events": _events(6, 5, 4), "nextToken": "y"}, _asked(50))
    assert [each.event_id for each in aws.executions.events_after(ARN)] == [1, 2, 3, 4]
    assert [each.event_id for each in aws.executions.events_after(ARN, 4)] == [5, 6]
    stub.assert_no_pending_responses()


def test_executions_are_listed_newest_first(aws: Aws) -> None:
    """So many of them; of a machine that is not there, there are none."""
    stub = stubbed(aws, "stepfunctions")
    entry = {"executionArn": ARN, "stateMachineArn": MACHINE, "name": "n", "status": "RUNNING", "startDate": START}
    expected = {"stateMachineArn": MACHINE, "maxResults": 100}
    stub.add_response("list_executions", {"executions": [entry]}, expected)
    stub.add_client_error("list_executions", "StateMachineDoesNotExist")
    assert aws.executions.newest(MACHINE) == [ARN]
    assert aws.executions.newest(MACHINE) == []


def test_all_executions_that_run_are_listed(aws: Aws) -> None:
    """However many pages they fill."""
    stub = stubbed(aws, "stepfunctions")
    entry = {"stateMachineArn": MACHINE, "name": "n", "status": "RUNNING", "startDate": START}
    expected = {"stateMachineArn": MACHINE, "statusFilter": "RUNNING"}
    first = {"executions": [entry | {"executionArn": ARN}], "nextToken": "x"}
    stub.add_response("list_executions", first, expected)
    second = {"executions": [entry | {"executionArn": f"{ARN}2"}]}
    stub.add_response("list_executions", second, expected | {"nextToken": "x"})
    stub.add_client_error("list_executions", "StateMachineDoesNotExist")
    assert aws.executions.running(MACHINE) == [ARN, f"{ARN}2"]
    assert aws.executions.running(MACHINE) == []


def test_the_account_is_that_of_the_credentials(aws: Aws) -> None:
    """As STS tells it."""
    stubbed(aws, "sts").add_response("get_caller_identity", {"Account": "111111111111"}, {})
    assert aws.account.number() == "111111111111"


def _lustre(name: str, tags: dict[str, str], kind: str = "LUSTRE") -> dict[str, Any]:
    return {
        "FileSystemId": name,
        "FileSystemType": kind,
        "Lifecycle": "AVAILABLE",
        "CreationTime": START,
        "StorageCapacity": 1200,
        "SubnetIds": ["subnet-11111111"],
        "LustreConfiguration": {"MountName": "abcd1234"},
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def test_file_systems_are_found_by_their_tags_over_all_pages(aws: Aws) -> None:
    """An empty value is any; what is no Lustre is none."""
    stub = stubbed(aws, "fsx")
    ours = {"headrace:platform": "dev", "headrace:owner": "arn"}
    first = [
        _lustre("fs-00000001", ours),
        _lustre("fs-00000002", {"headrace:platform": "dev"}),
        _lustre("fs-00000003", ours, "ONTAP"),
    ]
    stub.add_response("describe_file_systems", {"FileSystems": first, "NextToken": "x"}, {})
    second = [_lustre("fs-00000004", ours | {"headrace:platform": "prod"}), _lustre("fs-00000005", ours)]
    stub.add_response("describe_file_systems", {"FileSystems": second}, {"NextToken": "x"})
    found = aws.file_systems.lustres({"headrace:platform": "dev", "headrace:owner": ""})
    assert [each.file_system_id for each in found] == ["fs-00000001", "fs-00000005"]
    assert (found[0].mount_name, found[0].storage_capacity_gib, found[0].created) == ("abcd1234", 1200, START)


def test_a_file_system_that_is_gone_is_none(aws: Aws) -> None:
    """By its id."""
    stubbed(aws, "fsx").add_client_error("describe_file_systems", "FileSystemNotFound")
    assert aws.file_systems.lustres({"headrace:owner": "arn"}, "fs-00000001") == []


@pytest.mark.parametrize(("values", "most"), [([], 0.0), ([0.0, 3.0, 1.0], 3.0)])
def test_clients_are_counted_by_the_largest_number(aws: Aws, values: list[float], most: float) -> None:
    """Without data there are none."""
    expected = {
        "Namespace": "AWS/FSx",
        "MetricName": "ClientConnections",
        "Dimensions": [{"Name": "FileSystemId", "Value": "fs-00000001"}],
        "StartTime": START - timedelta(minutes=15),
        "EndTime": START,
        "Period": 300,
        "Statistics": ["Maximum"],
    }
    answer = {"Datapoints": [{"Maximum": each, "Timestamp": START} for each in values]}
    stubbed(aws, "cloudwatch").add_response("get_metric_statistics", answer, expected)
    assert aws.file_systems.client_connections("fs-00000001", START, 15) == most


def test_jobs_that_run_or_are_stopping_are_named_once(aws: Aws) -> None:
    """One may go from the one list to the other between the two."""
    stub = stubbed(aws, "sagemaker")
    for status, names in (("InProgress", ["a", "b"]), ("Stopping", ["b", "c"])):
        summaries = [
            {"TrainingJobName": name, "TrainingJobArn": f"arn:aws:sagemaker:::{name}", "CreationTime": START}
            | {"TrainingJobStatus": status}
            for name in names
        ]
        answer = {"TrainingJobSummaries": summaries}
        stub.add_response("list_training_jobs", answer, {"StatusEquals": status, "MaxResults": 100})
    assert aws.training_jobs.active_names() == ("a", "b", "c")
    for status in ("InProgress", "Stopping"):
        expected = {"StatusEquals": status, "MaxResults": 100, "CreationTimeAfter": START}
        stub.add_response("list_training_jobs", {"TrainingJobSummaries": []}, expected)
    assert aws.training_jobs.active_names(START) == ()


def test_tags_of_a_job_are_read(aws: Aws) -> None:
    """By which its flow is found."""
    answer = {"Tags": [{"Key": "headrace:owner", "Value": ARN}]}
    stubbed(aws, "sagemaker").add_response("list_tags", answer, {"ResourceArn": ANY})
    assert aws.training_jobs.tags("arn:aws:sagemaker:eu-west-1:111111111111:training-job/x") == {"headrace:owner": ARN}


def test_an_input_is_json_to_the_last_character() -> None:
    """What the machine is given is what was checked."""
    assert json.loads(json.dumps({"é": None})) == {"é": None}
