"""The facade over boto3: what the service answers, and what is made of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber
from headrace.aws import Aws, AwsError
from headrace.errors import InvalidInput, NoCapacity
from headrace.job_description import JobDescription, LogLine
from headrace.job_status import JobStatus

from tests.conftest import STUBBED_REGION, stubbed

ACCOUNT = "111111111111"
START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_without_a_region_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not botocore's NoRegionError."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    for region in (None, ""):
        with pytest.raises(InvalidInput, match="set AWS_REGION"):
            Aws(region)


def test_the_region_is_the_one_that_was_given_or_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument before AWS_REGION before AWS_DEFAULT_REGION, as the AWS CLI has it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert Aws().region == "eu-north-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    assert (Aws().region, Aws("eu-west-3").region) == ("eu-west-2", "eu-west-3")


@pytest.mark.parametrize("endpoint", ["foo", "http://"])
def test_an_endpoint_that_is_no_url_says_so(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """botocore raises a bare ValueError for it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(InvalidInput, match="correct AWS_ENDPOINT_URL"):
        Aws(STUBBED_REGION).account.parameters_below("/headrace/dev/")


def test_parameters_are_read_over_all_pages(aws: Aws) -> None:
    """A second page is not lost."""
    stub = stubbed(aws, "ssm")
    for number, token in ((1, "more"), (2, None)):
        answer: dict[str, Any] = {"Parameters": [{"Name": f"/headrace/dev/{number}", "Value": str(number)}]}
        stub.add_response("get_parameters_by_path", answer | ({"NextToken": token} if token else {}))
    assert aws.account.parameters_below("/headrace/dev/") == {"/headrace/dev/1": "1", "/headrace/dev/2": "2"}


@pytest.mark.parametrize(
    ("code", "headers", "expected"),
    [
        ("404", {}, None),
        ("301", {"x-amz-bucket-region": "us-west-2"}, "us-west-2"),
        ("403", {"x-amz-bucket-region": STUBBED_REGION}, STUBBED_REGION),
    ],
)
def test_the_region_of_a_bucket_needs_no_rights_on_it(
    aws: Aws, code: str, headers: dict[str, str], expected: str | None
) -> None:
    """People who launch may list below the data prefixes only, and HeadBucket names no prefix."""
    stubbed(aws, "s3").add_client_error(
        "head_bucket", code, http_status_code=int(code), response_meta={"HTTPHeaders": headers}
    )
    assert aws.s3.bucket_region("lake") == expected


def test_a_bucket_without_an_answer_is_an_error(aws: Aws) -> None:
    """S3 in trouble is not a bucket that is missing."""
    stubbed(aws, "s3").add_client_error("head_bucket", "503", http_status_code=503, response_meta={"HTTPHeaders": {}})
    with pytest.raises(AwsError, match="HeadBucket: 503"):
        aws.s3.bucket_region("lake")


@pytest.mark.parametrize("is_truncated", [True, False])
def test_the_first_objects_say_whether_they_are_all(aws: Aws, is_truncated: bool) -> None:
    """Asked in the bucket's Region, and no more than needed; without a storage class it is STANDARD."""
    stubber = Stubber(aws.connection.client("s3", "us-west-2"))
    stubber.activate()
    contents = [{"Key": "data/1", "Size": 5}, {"Key": "data/2", "Size": 7, "StorageClass": "GLACIER"}]
    expected = {"Bucket": "lake", "Prefix": "data/", "MaxKeys": 2}
    stubber.add_response("list_objects_v2", {"Contents": contents, "IsTruncated": is_truncated}, expected)
    objects, are_all = aws.s3.first_objects("lake", "data/", "us-west-2", 2)
    assert [(each.key, each.size_bytes, each.storage_class) for each in objects] == [
        ("data/1", 5, "STANDARD"),
        ("data/2", 7, "GLACIER"),
    ]
    assert are_all is not is_truncated


def test_an_empty_prefix_is_an_empty_answer(aws: Aws) -> None:
    """Not an error."""
    stubbed(aws, "s3").add_response("list_objects_v2", {})
    assert aws.s3.first_objects("lake", "data/", STUBBED_REGION, 2) == ((), True)


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
    stubbed(aws, "ecr").add_response(
        "batch_get_image",
        {"images": [{"repositoryName": repository}]},
        {"registryId": "763104351884", "repositoryName": repository, "imageIds": [image_id]},
    )
    assert aws.account.image_exists(f"763104351884.dkr.ecr.{STUBBED_REGION}.amazonaws.com/{image}")


def test_an_image_that_is_nowhere_is_no_error(aws: Aws) -> None:
    """Wrong tag, wrong repository, and a name that is no ECR image."""
    stub = stubbed(aws, "ecr")
    stub.add_response("batch_get_image", {"images": [], "failures": [{"failureCode": "ImageNotFound"}]})
    stub.add_client_error("batch_get_image", "RepositoryNotFoundException")
    assert not aws.account.image_exists(f"{ACCOUNT}.dkr.ecr.{STUBBED_REGION}.amazonaws.com/ab:2")
    assert not aws.account.image_exists(f"{ACCOUNT}.dkr.ecr.{STUBBED_REGION}.amazonaws.com/cd:1")
    assert not aws.account.image_exists(f"{ACCOUNT}.dkr.ecr.{STUBBED_REGION}.amazonaws.com/x:1")
    assert not aws.account.image_exists("docker.io/library/python:3.12")


def test_a_role_is_looked_up_by_its_name_without_the_path(aws: Aws) -> None:
    """GetRole takes names."""
    stub = stubbed(aws, "iam")
    stub.add_client_error("get_role", "NoSuchEntity", expected_params={"RoleName": "r"})
    assert not aws.account.role_exists(f"arn:aws:iam::{ACCOUNT}:role/team/a/r")


@pytest.mark.parametrize(
    ("asked", "exists"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/team/a/r", True),
        ("arn:aws:iam::999999999999:role/team/a/r", False),
        (f"arn:aws:iam::{ACCOUNT}:role/team/b/r", False),
    ],
)
def test_a_role_of_the_same_name_elsewhere_is_another_role(aws: Aws, asked: str, exists: bool) -> None:
    """GetRole answers for the caller's account only, whatever account and path the ARN names."""
    role = {
        "Path": "/team/a/",
        "RoleName": "r",
        "RoleId": "AROA0123456789ABCDEF",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/team/a/r",
        "CreateDate": START,
    }
    stubbed(aws, "iam").add_response("get_role", {"Role": role}, {"RoleName": "r"})
    assert aws.account.role_exists(asked) is exists


@pytest.mark.parametrize("role_arn", ["", f"arn:aws:iam::{ACCOUNT}:role/", f"arn:aws:iam::{ACCOUNT}:role/x y"])
def test_what_names_no_role_is_no_role(aws: Aws, role_arn: str) -> None:
    """The form of the ARN is for the rules to judge; an error of the call would hide what they say."""
    stubbed(aws, "iam").add_client_error("get_role", "ValidationError", "The specified value for roleName is invalid")
    assert not aws.account.role_exists(role_arn)


@pytest.mark.parametrize("name", ["", "a b", "-a", "a" * 64])
def test_what_is_no_name_of_a_job_is_not_asked_for(aws: Aws, name: str) -> None:
    """SageMaker would answer with an error about the name's form; the rules have a better one."""
    stubbed(aws, "sagemaker")
    assert not aws.training_jobs.exists(name)


def test_a_name_is_free_when_the_service_knows_no_such_job(aws: Aws) -> None:
    """The service has no error code of its own for it."""
    stub = stubbed(aws, "sagemaker")
    stub.add_client_error("describe_training_job", "ValidationException", "Requested resource not found.")
    assert not aws.training_jobs.exists("x")


def test_an_error_is_one_line_with_operation_code_and_whom_to_ask(aws: Aws) -> None:
    """What a person needs of a ClientError."""
    stubbed(aws, "sagemaker").add_client_error("describe_training_job", "AccessDeniedException", "not\nauthorized")
    with pytest.raises(AwsError) as caught:
        aws.training_jobs.exists("x")
    assert str(caught.value) == (
        "DescribeTrainingJob: AccessDeniedException: not authorized; ask for the platform's user policy"
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [("ValidationException", InvalidInput), ("ResourceInUse", InvalidInput), ("ResourceLimitExceeded", NoCapacity)],
)
def test_a_request_that_the_service_refuses_is_the_users_to_mend(
    aws: Aws, code: str, expected: type[InvalidInput]
) -> None:
    """Exit code 2: nothing was created. A quota leaves room for another instance type."""
    stubbed(aws, "sagemaker").add_client_error("create_training_job", code, "why")
    request = {
        "TrainingJobName": "x",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
        "OutputDataConfig": {"S3OutputPath": "s3://x"},
    }
    with pytest.raises(InvalidInput, match=f"CreateTrainingJob: {code}: why") as caught:
        aws.training_jobs.create(request)
    assert type(caught.value) is expected


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

    monkeypatch.setattr(aws.connection.client("s3"), "put_object", fail)
    with pytest.raises(AwsError) as caught:
        aws.s3.put_object("lake", "k", b"")
    assert expected in str(caught.value)


def _answer(**members: Any) -> dict[str, Any]:
    """DescribeTrainingJob's answer for a job that runs, with these members besides, or in place of its own."""
    answer: dict[str, Any] = {
        "TrainingJobName": "x",
        "TrainingJobArn": f"arn:aws:sagemaker:{STUBBED_REGION}:{ACCOUNT}:training-job/x",
        "ModelArtifacts": {"S3ModelArtifacts": ""},
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Training",
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "ResourceConfig": {"VolumeSizeInGB": 1, "InstanceType": "ml.m5.large", "InstanceCount": 2},
        "StoppingCondition": {},
        "CreationTime": START,
    }
    return answer | members


def _described(aws: Aws, **members: Any) -> JobDescription:
    stubbed(aws, "sagemaker").add_response("describe_training_job", _answer(**members), {"TrainingJobName": "x"})
    return aws.training_jobs.describe("x")


def test_a_description_has_the_seconds_of_each_phase(aws: Aws) -> None:
    """From the secondary status transitions; the phase that still runs has none."""
    transitions = [
        {"Status": "Downloading", "StartTime": START, "EndTime": START + 7 * SECOND, "StatusMessage": "m"},
        {"Status": "Training", "StartTime": START + 7 * SECOND},
    ]
    job = _described(aws, SecondaryStatusTransitions=transitions)
    assert [(each.status, each.seconds) for each in job.transitions] == [("Downloading", 7.0), ("Training", None)]
    assert (job.is_over, job.ended, job.instance_count, job.billable_seconds) == (False, None, 2, None)


def _group(name: str, instance_type: str, count: int) -> dict[str, Any]:
    return {"InstanceGroupName": name, "InstanceType": instance_type, "InstanceCount": count}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"InstanceType": "ml.m5.large", "InstanceCount": 2}, [("ml.m5.large", 2)]),
        (
            {"InstanceGroups": [_group("a", "ml.g5.xlarge", 3), _group("b", "ml.c5.xlarge", 1)]},
            [("ml.g5.xlarge", 3), ("ml.c5.xlarge", 1)],
        ),
        ({"SelectedInstanceType": "ml.g5.xlarge", "SelectedInstanceCount": 4}, [("ml.g5.xlarge", 4)]),
        ({}, []),
    ],
)
def test_a_description_counts_the_instances_of_all_groups(
    aws: Aws, resources: dict[str, Any], expected: list[tuple[str, int]]
) -> None:
    """One group, a heterogeneous cluster, one of several preferred types, and a job without instances of its own."""
    job = _described(aws, ResourceConfig={"VolumeSizeInGB": 1} | resources)
    assert [(each.instance_type, each.count) for each in job.instances] == expected
    assert job.instance_count == sum(count for _, count in expected)


def _file_system(kind: str) -> dict[str, Any]:
    source = {"FileSystemId": "fs-0123456789a", "FileSystemAccessMode": "ro", "DirectoryPath": "/d"}
    return {"FileSystemDataSource": source | {"FileSystemType": kind}}


_S3 = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://lake/data/"}}


@pytest.mark.parametrize(
    ("source", "mode", "road", "location"),
    [
        (_S3, None, "S3 File", "s3://lake/data/"),
        (_S3, "FastFile", "S3 FastFile", "s3://lake/data/"),
        (_S3, "Pipe", "S3 Pipe", "s3://lake/data/"),
        (_file_system("EFS"), None, "EFS", "fs-0123456789a:/d"),
        (_file_system("FSxLustre"), "File", "FSx for Lustre", "fs-0123456789a:/d"),
        ({"DatasetSource": {"DatasetArn": "arn"}}, None, None, "DatasetSource"),
    ],
)
def test_a_description_names_the_road_of_each_channel(
    aws: Aws, source: dict[str, Any], mode: str | None, road: str | None, location: str
) -> None:
    """A channel without a mode has the job's; a kind of source that headrace does not offer is no error."""
    channel = {"ChannelName": "train", "DataSource": source} | ({"InputMode": mode} if mode else {})
    (found,) = _described(aws, InputDataConfig=[channel]).channels
    assert (found.name, found.road.name if found.road else None, found.location) == ("train", road, location)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"TrainingEndTime": START + 5 * SECOND, "LastModifiedTime": START + 9 * SECOND}, START + 5 * SECOND),
        ({"LastModifiedTime": START + 9 * SECOND}, START + 9 * SECOND),
    ],
)
def test_a_job_that_never_got_an_instance_has_an_end_too(
    aws: Aws, times: dict[str, datetime], expected: datetime
) -> None:
    """The service sets TrainingEndTime only where training began."""
    job = _described(aws, TrainingJobStatus="Failed", **times)
    assert (job.is_over, job.ended) == (True, expected)


@pytest.mark.parametrize(
    ("is_spot", "training", "billable", "savings"),
    [(True, 500, 100, 80.0), (True, None, None, None), (False, 500, 500, None)],
)
def test_what_is_billed_and_what_spot_saved(
    aws: Aws, is_spot: bool, training: int | None, billable: int | None, savings: float | None
) -> None:
    """The formula of the API reference; 500 s of which 100 s are billed save 80 %, on two instances."""
    times = {"TrainingTimeInSeconds": training, "BillableTimeInSeconds": billable}
    known = {name: value for name, value in times.items() if value is not None}
    job = _described(aws, EnableManagedSpotTraining=is_spot, **known)
    assert job.spot_savings_percent == savings
    assert job.billed_instance_seconds == (None if billable is None else 2 * billable)


REJECTED = "The request was rejected because the training job is in status Stopped."


def test_a_job_is_asked_to_stop(aws: Aws) -> None:
    """Once, by its name."""
    stub = stubbed(aws, "sagemaker")
    stub.add_response("stop_training_job", {}, {"TrainingJobName": "x"})
    assert aws.training_jobs.stop("x")
    stub.assert_no_pending_responses()


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped", "Stopping"])
def test_a_job_that_does_not_run_is_not_stopped_again(aws: Aws, status: str) -> None:
    """The service refuses with the code that it has for everything, so the job itself is asked."""
    stub = stubbed(aws, "sagemaker")
    stub.add_client_error("stop_training_job", "ValidationException", REJECTED)
    stub.add_response("describe_training_job", _answer(TrainingJobStatus=status))
    assert not aws.training_jobs.stop("x")


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("ResourceNotFound", "Requested resource not found.", InvalidInput),
        ("ValidationException", "something else", AwsError),
        ("AccessDeniedException", "no", AwsError),
    ],
)
def test_a_stop_that_fails_is_an_error(aws: Aws, code: str, message: str, expected: type[Exception]) -> None:
    """An unknown job is the user's to mend; a job that runs on is not called stopped."""
    stub = stubbed(aws, "sagemaker")
    stub.add_client_error("stop_training_job", code, message)
    if code == "ValidationException":
        stub.add_response("describe_training_job", _answer())
    with pytest.raises(expected):
        aws.training_jobs.stop("x")


def _summaries(*names: str, after: int = 0, token: str | None = None) -> dict[str, Any]:
    arn = f"arn:aws:sagemaker:{STUBBED_REGION}:{ACCOUNT}:training-job/"
    summaries = [
        {
            "TrainingJobName": name,
            "TrainingJobArn": arn + name,
            "TrainingJobStatus": "Completed",
            "CreationTime": START - (after + number) * SECOND,
            "LastModifiedTime": START,
        }
        for number, name in enumerate(names)
    ]
    return {"TrainingJobSummaries": summaries} | ({"NextToken": token} if token else {})


def test_the_newest_jobs_are_read_page_by_page_until_there_are_enough(aws: Aws) -> None:
    """NameContains finds the prefix anywhere, so pages may hold less than they show; the third is not read."""
    stub = stubbed(aws, "sagemaker")
    asked = {"NameContains": "p-", "SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 100}
    asked["StatusEquals"] = "Completed"
    stub.add_response("list_training_jobs", _summaries("p-3", "x-p-1", token="t1"), asked)
    stub.add_response("list_training_jobs", _summaries("p-2", "p-1", after=2, token="t2"), asked | {"NextToken": "t1"})
    jobs = aws.training_jobs.newest("p-", JobStatus.COMPLETED, 2)
    assert [each.name for each in jobs] == ["p-3", "p-2"]
    stub.assert_no_pending_responses()


def test_all_jobs_are_listed_when_there_are_fewer_than_asked_for(aws: Aws) -> None:
    """To the last page, newest first whatever the order of the page."""
    stub = stubbed(aws, "sagemaker")
    stub.add_response(
        "list_training_jobs", {"TrainingJobSummaries": _summaries("p-2", "p-1")["TrainingJobSummaries"][::-1]}
    )
    assert [each.name for each in aws.training_jobs.newest("p-", None, 100)] == ["p-2", "p-1"]


ONE, TWO = "x/algo-1-1", "x/algo-2-1"


def _streams(stub: Stubber, *names: str, prefix: str = "x/") -> None:
    expected = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": prefix}
    stub.add_response("describe_log_streams", {"logStreams": [{"logStreamName": name} for name in names]}, expected)


def _page(
    stub: Stubber,
    stream: str,
    *lines: tuple[int, str],
    forward: str = "f",
    backward: str = "b",
    after: str | None = None,
    **options: Any,
) -> None:
    """One answer of GetLogEvents; ``lines``: seconds after START and text."""
    expected = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamName": stream}
    expected |= {"startFromHead": True} | options | ({"nextToken": after} if after else {})
    events = [{"timestamp": _milliseconds(START + at * SECOND), "message": text} for at, text in lines]
    answer = {"events": events, "nextForwardToken": forward, "nextBackwardToken": backward}
    stub.add_response("get_log_events", answer, expected)


def _milliseconds(when: datetime) -> int:
    return round(when.timestamp() * 1000)


def test_log_lines_are_told_once_over_pages_and_calls(aws: Aws) -> None:
    """The token of the last page is where the next call goes on."""
    stub = stubbed(aws, "logs")
    _streams(stub, ONE)
    _page(stub, ONE, (0, "one"), forward="t1")
    _page(stub, ONE, (1, "two"), forward="t2", after="t1")
    _page(stub, ONE, forward="t2", after="t2")
    seen: dict[str, str] = {}
    assert list(aws.job_logs.lines("x", seen)) == [
        LogLine(stream=ONE, written=START + number * SECOND, text=text) for number, text in enumerate(("one", "two"))
    ]
    _streams(stub, ONE)
    _page(stub, ONE, (2, "three"), forward="t3", after="t2")
    _page(stub, ONE, forward="t3", after="t3")
    assert [each.text for each in aws.job_logs.lines("x", seen)] == ["three"]
    stub.assert_no_pending_responses()


def test_an_empty_page_is_not_the_end_of_a_log(aws: Aws) -> None:
    """The end is where the service gives back the token that it got."""
    stub = stubbed(aws, "logs")
    _streams(stub, ONE)
    _page(stub, ONE, forward="t1")
    _page(stub, ONE, (0, "one"), forward="t2", after="t1")
    _page(stub, ONE, forward="t2", after="t2")
    assert [each.text for each in aws.job_logs.lines("x", {})] == ["one"]


def test_lines_of_several_instances_come_in_the_order_of_their_times(aws: Aws) -> None:
    """Page by page: the second page of an instance is read when its turn comes."""
    stub = stubbed(aws, "logs")
    _streams(stub, ONE, TWO)
    _page(stub, ONE, (0, "a"), (3, "d"), forward="t1")
    _page(stub, TWO, (1, "b"), (2, "c"), forward="u1")
    _page(stub, TWO, forward="u1", after="u1")
    _page(stub, ONE, forward="t1", after="t1")
    lines = list(aws.job_logs.lines("x", {}))
    assert [(each.instance, each.text) for each in lines] == [
        ("algo-1", "a"),
        ("algo-2", "b"),
        ("algo-2", "c"),
        ("algo-1", "d"),
    ]
    stub.assert_no_pending_responses()


def test_one_instances_lines_since_a_time_are_asked_of_the_service(aws: Aws) -> None:
    """A long log is not read to throw it away; algo-1 is not algo-10."""
    stub = stubbed(aws, "logs")
    _streams(stub, ONE, prefix="x/algo-1-")
    since = START + SECOND
    _page(stub, ONE, (1, "b"), forward="t1", startTime=_milliseconds(since))
    _page(stub, ONE, forward="t1", after="t1", startTime=_milliseconds(since))
    assert [each.text for each in aws.job_logs.lines("x", {}, instance="algo-1", since=since)] == ["b"]
    stub.assert_no_pending_responses()


def test_the_last_lines_are_read_from_the_end(aws: Aws) -> None:
    """Backwards until there are enough, over instances; following goes on after what was the last line."""
    stub = stubbed(aws, "logs")
    backwards: dict[str, Any] = {"startFromHead": False}
    _streams(stub, ONE, TWO)
    _page(stub, ONE, (3, "d"), (5, "f"), forward="end", backward="b1", limit=3, **backwards)
    _page(stub, ONE, (1, "b"), forward="inner", backward="b2", after="b1", limit=1, **backwards)
    _page(stub, TWO, (4, "e"), forward="end2", backward="b1", limit=3, **backwards)
    _page(stub, TWO, backward="b1", after="b1", limit=2, **backwards)
    seen: dict[str, str] = {}
    assert [each.text for each in aws.job_logs.last_lines("x", seen, 3)] == ["d", "e", "f"]
    assert seen == {ONE: "end", TWO: "end2"}
    stub.assert_no_pending_responses()


def test_a_log_without_lines_has_no_last_ones(aws: Aws) -> None:
    """Where nothing was seen, following begins at the head."""
    stub = stubbed(aws, "logs")
    _streams(stub, ONE)
    _page(stub, ONE, backward="b1", limit=2, startFromHead=False)
    _page(stub, ONE, backward="b1", after="b1", limit=2, startFromHead=False)
    seen: dict[str, str] = {}
    assert aws.job_logs.last_lines("x", seen, 2) == []
    assert seen == {}


@pytest.mark.parametrize(
    ("stream", "expected"),
    [("x/algo-1-1700000000", "algo-1"), ("x/algo-12-17/data-log", "algo-12"), ("x/other", "other"), ("y", "y")],
)
def test_a_line_knows_its_instance(stream: str, expected: str) -> None:
    """From the name of its stream: job/algo-N-time."""
    assert LogLine(stream=stream, written=START, text="").instance == expected


def test_before_the_first_line_of_an_account_there_is_no_log_group(aws: Aws) -> None:
    """Not an error: the first job makes it."""
    stubbed(aws, "logs").add_client_error("describe_log_streams", "ResourceNotFoundException")
    assert list(aws.job_logs.lines("x", {})) == []


def test_a_page_that_cannot_be_read_is_an_error_of_one_line(aws: Aws) -> None:
    """Also in the middle of a log that is read while it is printed."""
    stub = stubbed(aws, "logs")
    _streams(stub, ONE)
    _page(stub, ONE, (0, "one"), forward="t1")
    stub.add_client_error("get_log_events", "AccessDeniedException", "no")
    lines = iter(aws.job_logs.lines("x", {}))
    assert next(lines).text == "one"
    with pytest.raises(AwsError, match="GetLogEvents: AccessDeniedException: no"):
        next(lines)
