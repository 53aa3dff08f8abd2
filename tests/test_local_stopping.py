"""Training jobs that are stopping, as the teardown machine looks at them."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.training_jobs import GO, StartJob, end, go, logs_by_host, shell, until

ENDS_WHEN_TOLD = shell("trap 'exec python3 -c \"$GO\"' TERM; echo begun; while :; do sleep 0.1; done")


def _named(sagemaker: Any, name: str, status: str) -> list[str]:
    pages = sagemaker.get_paginator("list_training_jobs").paginate(StatusEquals=status, NameContains=name)
    return [each["TrainingJobName"] for page in pages for each in page["TrainingJobSummaries"]]


def test_a_job_that_is_stopping_is_listed_so_until_it_has_ended(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """And is not stopped twice: the service refuses it, as it refuses one that has ended."""
    name = start_job(aws_session, ENDS_WHEN_TOLD, Environment={"GO": GO})
    until(lambda: ["begun"] in logs_by_host(aws_session, name).values())
    sagemaker.stop_training_job(TrainingJobName=name)
    assert (_named(sagemaker, name, "Stopping"), _named(sagemaker, name, "InProgress")) == ([name], [])
    with pytest.raises(ClientError, match="training job is in status Stopping") as refused:
        sagemaker.stop_training_job(TrainingJobName=name)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    go(aws_session, name)
    assert end(sagemaker, name)["TrainingJobStatus"] == "Stopped"
    assert _named(sagemaker, name, "Stopping") == []
    with pytest.raises(ClientError, match="training job is in status Stopped") as ended:
        sagemaker.stop_training_job(TrainingJobName=name)
    assert ended.value.response["Error"]["Code"] == "ValidationException"
