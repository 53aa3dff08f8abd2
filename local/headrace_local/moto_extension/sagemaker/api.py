"""The requests on training jobs, in the place of moto's."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import ResourceInUseException, ResourceNotFound, ValidationError
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from headrace_local.moto_extension.sagemaker import listing
from headrace_local.moto_extension.sagemaker.validation import refusals
from headrace_local.runner.execution import run_in_background
from headrace_local.runner.job import FINAL, TrainingJob
from headrace_local.settings import JOBS_VARIABLE


class MotoTrainingJob:
    """A job in moto's table of training jobs, which it searches, lists and tags by these attributes."""

    def __init__(self, job: TrainingJob) -> None:
        self.job = job
        self.arn = job.arn
        self.training_job_name = job.name
        self.tags = list(job.request.get("Tags", ()))
        self.creation_time = job.created

    @property
    def training_job_status(self) -> str:
        """TrainingJobStatus."""
        return self.job.status

    @property
    def last_modified_time(self) -> Any:
        """LastModifiedTime."""
        return self.job.changed

    @property
    def training_end_time(self) -> Any:
        """TrainingEndTime; None while the job runs."""
        return self.job.changed if self.job.status in FINAL.values() else None

    @property
    def response_object(self) -> dict[str, Any]:
        """What DescribeTrainingJob answers."""
        described = {name: value for name, value in self.job.request.items() if name in _described_members()}
        return {**described, **self.job.describe()}


@cache
def _described_members() -> frozenset[str]:
    from botocore.session import get_session

    operation = get_session().get_service_model("sagemaker").operation_model("DescribeTrainingJob")
    return frozenset(operation.output_shape.members)


def _create(response: SageMakerResponse) -> ActionResult:
    request: Mapping[str, Any] = json.loads(response.body)
    backend, name = response.sagemaker_backend, str(request.get("TrainingJobName"))
    wrong = refusals(request, backend.region_name)
    if wrong:
        raise ValidationError(message="; ".join(wrong))
    arn = f"arn:aws:sagemaker:{backend.region_name}:{backend.account_id}:training-job/{name}"
    job = TrainingJob(request=request, arn=arn, region=backend.region_name)
    # one step: of two requests at once with the same name, one is refused
    if backend.training_jobs.setdefault(name, entry := MotoTrainingJob(job)) is not entry:
        raise ResourceInUseException(
            message="Training job names must be unique within an AWS account and region, and a training job with this "
            f"name already exists ({arn})"
        )
    run_in_background(job, Path(os.environ[JOBS_VARIABLE]))
    return ActionResult({"TrainingJobArn": arn})


def _stop(response: SageMakerResponse) -> ActionResult:
    name = str(json.loads(response.body)["TrainingJobName"])
    job = _find(response.sagemaker_backend, name)
    if job.status != "InProgress":
        raise ValidationError(message=f"The request was rejected because the training job is in status {job.status}.")
    job.stop_asked.set()
    return EmptyResult()


def _find(backend: SageMakerModelBackend, name: str) -> TrainingJob:
    if name not in backend.training_jobs:
        raise ResourceNotFound(message="Requested resource not found.")
    job: TrainingJob = backend.training_jobs[name].job
    return job


def _describe(response: SageMakerResponse) -> ActionResult:
    backend, name = response.sagemaker_backend, str(json.loads(response.body)["TrainingJobName"])
    if name not in backend.training_jobs:
        raise ValidationError(message="Requested resource not found.")
    return ActionResult(backend.training_jobs[name].response_object)


def _list(response: SageMakerResponse) -> ActionResult:
    jobs = [each.job for each in response.sagemaker_backend.training_jobs.values()]
    try:
        page = listing.page(json.loads(response.body or "{}"), jobs)
    except ValueError as error:
        raise ValidationError(message=str(error)) from None
    return ActionResult(page)


def install() -> None:
    """moto dispatches a request to the method of its response class with the operation's name."""
    SageMakerResponse.create_training_job = _create
    SageMakerResponse.describe_training_job = _describe
    SageMakerResponse.stop_training_job = _stop
    SageMakerResponse.list_training_jobs = _list
