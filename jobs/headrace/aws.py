"""The only module that calls AWS: one thin, typed facade over boto3.

Each method is one question or one deed; what it means is decided elsewhere. botocore's exceptions are turned into
one line a person can act on, and boto3 is imported with the first call, since it takes half a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from headrace.errors import HeadraceError, InvalidInput
from headrace.job_description import JobDescription, LogLine, description_of

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/"
    r"(?P<repository>[a-z0-9._/-]{2,256})(@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[\w.-]{1,128}))?"
)
_MISSING = frozenset({"404", "NoSuchBucket", "NoSuchEntity", "NotFound"})


class AwsError(HeadraceError):
    """A call to AWS failed for a reason that is not the user's input: rights, network, throttling."""


Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@contextmanager
def _one_line_errors() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

    try:
        yield
    except NoCredentialsError:
        raise AwsError("no AWS credentials; log in (aws sso login), or set AWS_PROFILE") from None
    except EndpointConnectionError as error:
        raise AwsError(f"{error}; check the network, AWS_ENDPOINT_URL and the Region") from None
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        hint = "; ask for the platform's user policy" if "AccessDenied" in code else ""
        raise AwsError(f"{error.operation_name}: {code}: {' '.join(message.split())}{hint}") from None
    except BotoCoreError as error:
        raise AwsError(" ".join(str(error).split())) from None


def _calls_aws(
    method: Callable[Concatenate[Aws, Parameters], Result],
) -> Callable[Concatenate[Aws, Parameters], Result]:
    @wraps(method)
    def wrapped(self: Aws, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        with _one_line_errors():
            return method(self, *args, **kwargs)

    return wrapped


class Aws:
    """AWS in one Region, with the credentials that boto3 finds (environment, profile, SSO, instance role)."""

    def __init__(self, region: str | None = None) -> None:
        """``region``: default is AWS_REGION, AWS_DEFAULT_REGION or the profile's. Raises InvalidInput without any."""
        import boto3

        with _one_line_errors():
            self._session = boto3.Session(region_name=region)
        if not self._session.region_name:
            raise InvalidInput("no AWS Region; set AWS_REGION, or give --region")
        self._clients: dict[tuple[str, str], Any] = {}

    @property
    def region(self) -> str:
        """The Region in which calls are made, such as ``us-east-1``."""
        return str(self._session.region_name)

    def _client(self, service: str, region: str | None = None) -> Any:
        from botocore.config import Config

        key = (service, region or self.region)
        if key not in self._clients:
            config = Config(retries={"mode": "adaptive", "max_attempts": 8}, user_agent_extra="headrace")
            try:
                self._clients[key] = self._session.client(service, region_name=key[1], config=config)
            except ValueError as error:  # AWS_ENDPOINT_URL is no URL
                raise InvalidInput(f"{error}; correct AWS_ENDPOINT_URL and the Region, or unset them") from None
        return self._clients[key]

    @cached_property
    def _client_error(self) -> type[Exception]:
        from botocore.exceptions import ClientError

        error: type[Exception] = ClientError
        return error

    @_calls_aws
    def parameters_below(self, path: str) -> dict[str, str]:
        """SSM parameters directly below ``path``: full name -> value."""
        pages = self._client("ssm").get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=False)
        return {each["Name"]: each["Value"] for page in pages for each in page["Parameters"]}

    @_calls_aws
    def bucket_region(self, bucket: str) -> str | None:
        """The bucket's Region, or None when no such bucket exists.

        Needs no rights: S3 names the Region in a header also where it answers 301 (elsewhere) or 403 (not yours).
        Source: Amazon S3 API Reference, HeadBucket.
        """
        try:
            return str(self._client("s3").head_bucket(Bucket=bucket)["BucketRegion"])
        except self._client_error as error:
            if _code(error) in _MISSING:
                return None
            region = _headers(error).get("x-amz-bucket-region")
            if region is None:
                raise
            return region

    @_calls_aws
    def has_objects(self, bucket: str, prefix: str, region: str) -> bool:
        """Whether any object lies below the prefix; an empty object that only marks the folder is not counted."""
        page = self._client("s3", region).list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=2)
        return any(each["Key"] != prefix or not prefix.endswith("/") for each in page.get("Contents", []))

    @_calls_aws
    def role_exists(self, role_arn: str) -> bool:
        """Whether IAM knows the role."""
        try:
            self._client("iam").get_role(RoleName=role_arn.rsplit("/", 1)[-1])
        except self._client_error as error:
            if _code(error) in _MISSING:
                return False
            raise
        return True

    @_calls_aws
    def image_exists(self, image: str) -> bool:
        """Whether ECR holds the image; ``image`` is ``account.dkr.ecr.region.amazonaws.com/repository:tag``.

        Also works for the public Deep Learning Containers: BatchGetImage is what a pull calls.
        """
        parts = _ECR_IMAGE.fullmatch(image)
        if parts is None:
            return False
        image_id = {"imageDigest": parts["digest"]} if parts["digest"] else {"imageTag": parts["tag"] or "latest"}
        try:
            answer = self._client("ecr", parts["region"]).batch_get_image(
                registryId=parts["account"], repositoryName=parts["repository"], imageIds=[image_id]
            )
        except self._client_error as error:
            if _code(error) == "RepositoryNotFoundException":
                return False
            raise
        return bool(answer["images"])

    @_calls_aws
    def training_job_exists(self, name: str) -> bool:
        """Whether a training job of this name exists, or ever did: names are never free again."""
        try:
            self._client("sagemaker").describe_training_job(TrainingJobName=name)
        except self._client_error as error:
            if _is_unknown_job(error):
                return False
            raise
        return True

    @_calls_aws
    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Write one object."""
        self._client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    @_calls_aws
    def delete_object(self, bucket: str, key: str) -> None:
        """Delete one object (in a versioned bucket: hide it)."""
        self._client("s3").delete_object(Bucket=bucket, Key=key)

    @_calls_aws
    def create_training_job(self, request: Mapping[str, Any]) -> str:
        """Create the job; its ARN. Raises InvalidInput when the service refuses the request itself."""
        try:
            return str(self._client("sagemaker").create_training_job(**request)["TrainingJobArn"])
        except self._client_error as error:
            if _code(error) in ("ValidationException", "ResourceInUse", "ResourceLimitExceeded"):
                raise InvalidInput(f"CreateTrainingJob: {_code(error)}: {_message(error)}") from None
            raise

    @_calls_aws
    def describe_training_job(self, name: str) -> JobDescription:
        """The job as it stands. Raises InvalidInput when there is none of this name."""
        try:
            answer = self._client("sagemaker").describe_training_job(TrainingJobName=name)
        except self._client_error as error:
            if _is_unknown_job(error):
                raise InvalidInput(
                    f"no training job {name!r} in {self.region}; check the name and the Region"
                ) from None
            raise
        return description_of(answer)

    @_calls_aws
    def log_lines(self, name: str, seen: dict[str, str]) -> Sequence[LogLine]:
        """Log lines of the job since the last call; ``seen`` (stream -> token) remembers how far, and is updated."""
        logs = self._client("logs")
        try:
            streams = logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
        except self._client_error as error:
            if _code(error) == "ResourceNotFoundException":
                return ()  # the first job of an account makes the group
            raise
        lines: list[LogLine] = []
        for stream in (each["logStreamName"] for each in streams):
            lines.extend(self._stream_lines(logs, stream, seen))
        return lines

    def _stream_lines(self, logs: Any, stream: str, seen: dict[str, str]) -> Iterator[LogLine]:
        while True:
            token = {"nextToken": seen[stream]} if stream in seen else {}
            page = logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream, startFromHead=True, **token)
            yield from (LogLine(stream=stream, text=event["message"]) for event in page["events"])
            # the same token back means: no more for now
            if page["nextForwardToken"] == seen.get(stream) or not page["events"]:
                seen[stream] = page["nextForwardToken"]
                return
            seen[stream] = page["nextForwardToken"]


def _code(error: Any) -> str:
    return str(error.response["Error"]["Code"])


def _message(error: Any) -> str:
    return " ".join(str(error.response["Error"].get("Message", "")).split())


def _headers(error: Any) -> dict[str, str]:
    return dict(error.response["ResponseMetadata"].get("HTTPHeaders", {}))


def _is_unknown_job(error: Any) -> bool:
    # the service has no code of its own for it
    return _code(error) in ("ValidationException", "ResourceNotFound") and "not f" in _message(error).lower()
