"""The facade over boto3: what the service answers, and what is made of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber
from headrace.aws import Aws, AwsError
from headrace.errors import InvalidInput
from headrace.job_description import LogLine

REGION = "eu-west-1"
ACCOUNT = "111111111111"
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A facade whose clients are stubbed; no call leaves."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return Aws(REGION)


def _stub(aws: Aws, service: str) -> Stubber:
    stubber = Stubber(aws._client(service))
    stubber.activate()
    return stubber


def test_without_a_region_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not botocore's NoRegionError."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    for region in (None, ""):
        with pytest.raises(InvalidInput, match="set AWS_REGION"):
            Aws(region)


@pytest.mark.parametrize("endpoint", ["foo", "http://"])
def test_an_endpoint_that_is_no_url_says_so(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """botocore raises a bare ValueError for it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(InvalidInput, match="correct AWS_ENDPOINT_URL"):
        Aws(REGION).parameters_below("/headrace/dev/")


def test_parameters_are_read_over_all_pages(aws: Aws) -> None:
    """A second page is not lost."""
    stub = _stub(aws, "ssm")
    for number, token in ((1, "more"), (2, None)):
        answer: dict[str, Any] = {"Parameters": [{"Name": f"/headrace/dev/{number}", "Value": str(number)}]}
        stub.add_response("get_parameters_by_path", answer | ({"NextToken": token} if token else {}))
    assert aws.parameters_below("/headrace/dev/") == {"/headrace/dev/1": "1", "/headrace/dev/2": "2"}


@pytest.mark.parametrize(
    ("code", "headers", "expected"),
    [
        ("404", {}, None),
        ("301", {"x-amz-bucket-region": "us-west-2"}, "us-west-2"),
        ("403", {"x-amz-bucket-region": REGION}, REGION),
    ],
)
def test_the_region_of_a_bucket_needs_no_rights_on_it(
    aws: Aws, code: str, headers: dict[str, str], expected: str | None
) -> None:
    """People who launch may list below the data prefixes only, and HeadBucket names no prefix."""
    _stub(aws, "s3").add_client_error(
        "head_bucket", code, http_status_code=int(code), response_meta={"HTTPHeaders": headers}
    )
    assert aws.bucket_region("lake") == expected


def test_a_bucket_without_an_answer_is_an_error(aws: Aws) -> None:
    """S3 in trouble is not a bucket that is missing."""
    _stub(aws, "s3").add_client_error("head_bucket", "503", http_status_code=503, response_meta={"HTTPHeaders": {}})
    with pytest.raises(AwsError, match="HeadBucket: 503"):
        aws.bucket_region("lake")


@pytest.mark.parametrize(
    ("keys", "expected"), [([], False), (["data/"], False), (["data/", "data/1"], True), (["data/1"], True)]
)
def test_a_folder_marker_is_no_object(aws: Aws, keys: list[str], expected: bool) -> None:
    """The console makes an empty object for a folder; a job would find nothing in it."""
    _stub(aws, "s3").add_response("list_objects_v2", {"Contents": [{"Key": key} for key in keys]})
    assert aws.has_objects("lake", "data/", REGION) is expected


@pytest.mark.parametrize(
    ("image", "image_id"),
    [
        ("team/ab:1", {"imageTag": "1"}),
        ("ab", {"imageTag": "latest"}),
        ("ab@sha256:" + "0" * 64, {"imageDigest": "sha256:" + "0" * 64}),
    ],
)
def test_an_image_is_looked_up_in_its_own_account(aws: Aws, image: str, image_id: dict[str, str]) -> None:
    """Deep Learning Containers lie in an account of AWS."""
    repository = image.split(":")[0].split("@")[0]
    _stub(aws, "ecr").add_response(
        "batch_get_image",
        {"images": [{"repositoryName": repository}]},
        {"registryId": "763104351884", "repositoryName": repository, "imageIds": [image_id]},
    )
    assert aws.image_exists(f"763104351884.dkr.ecr.{REGION}.amazonaws.com/{image}")


def test_an_image_that_is_nowhere_is_no_error(aws: Aws) -> None:
    """Wrong tag, wrong repository, and a name that is no ECR image."""
    stub = _stub(aws, "ecr")
    stub.add_response("batch_get_image", {"images": [], "failures": [{"failureCode": "ImageNotFound"}]})
    stub.add_client_error("batch_get_image", "RepositoryNotFoundException")
    assert not aws.image_exists(f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ab:2")
    assert not aws.image_exists(f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/cd:1")
    assert not aws.image_exists(f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/x:1")
    assert not aws.image_exists("docker.io/library/python:3.12")


def test_a_role_is_looked_up_by_its_name_without_the_path(aws: Aws) -> None:
    """GetRole takes names."""
    stub = _stub(aws, "iam")
    stub.add_client_error("get_role", "NoSuchEntity", expected_params={"RoleName": "r"})
    assert not aws.role_exists(f"arn:aws:iam::{ACCOUNT}:role/team/a/r")


def test_a_name_is_free_when_the_service_knows_no_such_job(aws: Aws) -> None:
    """The service has no error code of its own for it."""
    stub = _stub(aws, "sagemaker")
    stub.add_client_error("describe_training_job", "ValidationException", "Requested resource not found.")
    assert not aws.training_job_exists("x")


def test_an_error_is_one_line_with_operation_code_and_whom_to_ask(aws: Aws) -> None:
    """What a person needs of a ClientError."""
    _stub(aws, "sagemaker").add_client_error("describe_training_job", "AccessDeniedException", "not\nauthorized")
    with pytest.raises(AwsError) as caught:
        aws.training_job_exists("x")
    assert str(caught.value) == (
        "DescribeTrainingJob: AccessDeniedException: not authorized; ask for the platform's user policy"
    )


@pytest.mark.parametrize("code", ["ValidationException", "ResourceInUse", "ResourceLimitExceeded"])
def test_a_request_that_the_service_refuses_is_the_users_to_mend(aws: Aws, code: str) -> None:
    """Exit code 2: nothing was created."""
    _stub(aws, "sagemaker").add_client_error("create_training_job", code, "why")
    request = {
        "TrainingJobName": "x",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
        "OutputDataConfig": {"S3OutputPath": "s3://x"},
    }
    with pytest.raises(InvalidInput, match=f"CreateTrainingJob: {code}: why"):
        aws.create_training_job(request)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NoCredentialsError(), "no AWS credentials; log in"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "check the network, AWS_ENDPOINT_URL"),
    ],
)
def test_no_credentials_and_no_network_say_what_to_do(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, error: Exception, expected: str
) -> None:
    """The two that everybody meets first."""

    def fail(**_: Any) -> None:
        raise error

    monkeypatch.setattr(aws._client("s3"), "put_object", fail)
    with pytest.raises(AwsError) as caught:
        aws.put_object("lake", "k", b"")
    assert expected in str(caught.value)


def test_a_description_has_the_seconds_of_each_phase(aws: Aws) -> None:
    """From the secondary status transitions; the phase that still runs has none."""
    seconds = timedelta(seconds=1)
    _stub(aws, "sagemaker").add_response(
        "describe_training_job",
        {
            "TrainingJobName": "x",
            "TrainingJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/x",
            "ModelArtifacts": {"S3ModelArtifacts": ""},
            "TrainingJobStatus": "InProgress",
            "SecondaryStatus": "Training",
            "AlgorithmSpecification": {"TrainingInputMode": "File"},
            "ResourceConfig": {"VolumeSizeInGB": 1, "InstanceCount": 2},
            "StoppingCondition": {},
            "CreationTime": START,
            "SecondaryStatusTransitions": [
                {"Status": "Downloading", "StartTime": START, "EndTime": START + 7 * seconds, "StatusMessage": "m"},
                {"Status": "Training", "StartTime": START + 7 * seconds},
            ],
        },
    )
    job = aws.describe_training_job("x")
    assert [(each.status, each.seconds) for each in job.transitions] == [("Downloading", 7.0), ("Training", None)]
    assert (job.is_over, job.instance_count, job.billable_seconds) == (False, 2, None)


def test_log_lines_are_told_once_over_pages_and_calls(aws: Aws) -> None:
    """The token of the last page is where the next call goes on."""
    stub = _stub(aws, "logs")
    streams = {"logStreams": [{"logStreamName": "x/algo-1-1"}]}

    def page(text: str | None, token: str, after: str | None) -> None:
        expected = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamName": "x/algo-1-1", "startFromHead": True}
        stub.add_response(
            "get_log_events",
            {"events": [{"message": text}] if text else [], "nextForwardToken": token},
            expected | ({"nextToken": after} if after else {}),
        )

    stub.add_response("describe_log_streams", streams)
    page("one", "t1", None)
    page("two", "t2", "t1")
    page(None, "t2", "t2")
    stub.add_response("describe_log_streams", streams)
    page("three", "t3", "t2")
    page(None, "t3", "t3")
    seen: dict[str, str] = {}
    assert aws.log_lines("x", seen) == [LogLine(stream="x/algo-1-1", text=text) for text in ("one", "two")]
    assert aws.log_lines("x", seen) == [LogLine(stream="x/algo-1-1", text="three")]
    stub.assert_no_pending_responses()


def test_before_the_first_line_of_an_account_there_is_no_log_group(aws: Aws) -> None:
    """Not an error: the first job makes it."""
    _stub(aws, "logs").add_client_error("describe_log_streams", "ResourceNotFoundException")
    assert list(aws.log_lines("x", {})) == []
