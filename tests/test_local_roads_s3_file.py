"""File mode in the embedded AWS: where an object lies, and keys that can lie nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import boto3
import pytest
from headrace_local.runner.job import JobFailed
from headrace_local.runner.s3_file import plan, refuse_clashes
from headrace_local.runner.s3_objects import S3Object

from tests.training_jobs import StartJob, end, new_bucket, s3_channel, statuses


@pytest.mark.parametrize("prefix", ["missing/", "dat/", "data/nothing"])
def test_a_prefix_without_objects_fails_the_job(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob, prefix: str
) -> None:
    """In SageMaker's words, which say what to look at."""
    bucket = new_bucket(aws_session)
    aws_session.client("s3").put_object(Bucket=bucket, Key="data/a", Body=b"")
    uri = f"s3://{bucket}/{prefix}"
    name = start_job(aws_session, ["true"], InputDataConfig=[s3_channel("train", uri)])
    job = end(sagemaker, name)
    assert job["FailureReason"].startswith(
        f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input data source.'
    )
    assert statuses(job) == ["Starting", "Downloading", "Failed"]


@pytest.mark.parametrize(
    ("key", "illegal"),
    [
        ("data/../../escaped", ".."),
        ("data//etc/passwd", "//"),
        ("data/a//b", "//"),
        ("data/./a", "."),
        ("data/..", ".."),
    ],
)
def test_a_hostile_key_never_leaves_its_folder(key: str, illegal: str) -> None:
    """A key is whatever somebody once wrote; those that are no path end the job before anything is written."""
    with pytest.raises(JobFailed, match="Data download failed") as failed:
        list(plan([S3Object("data/good", 1), S3Object(key, 1)], "data/"))
    assert f"illegal char sub-sequence '{illegal}'" in str(failed.value)


def test_a_job_with_a_hostile_key_fails_whole(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """Through the real listing and download."""
    bucket = new_bucket(aws_session)
    s3 = aws_session.client("s3")
    for key in ("data/good", "data/a//b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    name = start_job(aws_session, ["true"], InputDataConfig=[s3_channel("train", f"s3://{bucket}/data/")])
    assert "illegal char sub-sequence '//'" in end(sagemaker, name)["FailureReason"]


def test_an_object_that_is_also_a_folder_fails_the_job() -> None:
    """A file system holds one of the two."""
    with pytest.raises(JobFailed, match="'a' is an object and also the folder of 'a/b'"):
        refuse_clashes([PurePosixPath("a"), PurePosixPath("a/b")])
    refuse_clashes([PurePosixPath("a"), PurePosixPath("ab/a")])


@pytest.mark.parametrize(
    ("prefix", "paths"),
    [
        ("data/", {"data/a": "a", "data/deep/b": "deep/b"}),
        ("data", {"data/a": "a", "data/deep/b": "deep/b", "database/c": "database/c"}),
        ("data/de", {"data/deep/b": "deep/b"}),
        ("data/a", {"data/a": "a"}),
        ("", {"data/a": "data/a", "top": "top"}),
    ],
)
def test_where_an_object_lies_in_its_channel(prefix: str, paths: Mapping[str, str]) -> None:
    """The key without the folder that the prefix names, or in which it begins; markers of folders are no files."""
    objects = [S3Object("data/", 0), *(S3Object(key, 1) for key in paths)]
    assert {key: str(path) for key, path in plan(objects, prefix)} == paths
