"""A ``ModelTrainer`` that sends the platform's request.

``ModelTrainer`` has no field for a container's entry point, and its own way to ship code needs bash and pip in the
image, a second channel, and rights that the platform gives to nobody. So the trainer here is a ModelTrainer with three
more fields; it ships the code as ``headrace train`` does, with every job anew, and takes it back when no job came of
it. A ``source_code`` that the user sets goes the SDK's way, and nothing here is added to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

from pydantic import PrivateAttr
from sagemaker.core.training.configs import Channel, InputData, MetricDefinition, RetryStrategy
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.train import ModelTrainer

from headrace import code_shipping
from headrace.aws import Aws
from headrace.channels import to_request
from headrace.errors import HeadraceError, InvalidInput
from headrace.platform import Platform
from headrace.sagemaker_sdk.translation import in_snake_case
from headrace.training import TrainingJob, all_channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A job's code, and the way by which it travels: a channel of the job."""

    job: TrainingJob
    platform: Platform
    aws: Aws

    def channel(self, job_name: str) -> Channel:
        """The channel in which the job of this name finds it."""
        *_, code = all_channels(replace(self.job, name=job_name), self.platform.foundation.bucket)
        return Channel(**in_snake_case(to_request(code, self.platform)))

    def upload(self, job_name: str) -> None:
        """Upload the code as the folder holds it now; errors are those of :func:`headrace.code_shipping.upload`."""
        code_shipping.upload(replace(self.job, name=job_name), self.platform.foundation.bucket, self.aws)

    def take_back(self, job_name: str) -> None:
        """Delete what was uploaded for a job that was not created; where that is not certain, leave it."""
        code_shipping.take_back(replace(self.job, name=job_name), self.platform.foundation.bucket, self.aws)


class HeadraceTrainer(ModelTrainer):  # type: ignore[misc]
    """A ModelTrainer whose jobs are those of ``headrace train``.

    ``job_name``: the exact name of the next job; None lets the SDK add the time to ``base_job_name``.
    ``container_entrypoint``, ``container_arguments``: as in CreateTrainingJob; None leaves the image its own.
    """

    job_name: str | None = None
    container_entrypoint: list[str] | None = None
    container_arguments: list[str] | None = None

    _code: Code | None = PrivateAttr(default=None)
    _uploaded_for: str | None = PrivateAttr(default=None)
    _is_dry_run: bool = PrivateAttr(default=False)

    def train(
        self,
        input_data_config: list[Channel | InputData] | None = None,
        wait: bool | None = True,
        logs: bool | None = True,
        dry_run: bool = False,
    ) -> None:
        """Start a job, and wait for its end unless told otherwise; arguments and errors are ModelTrainer's.

        Raises InvalidInput when ``job_name`` has been used, or the code cannot be shipped; AwsError when it could not
        be uploaded.
        """
        self._is_dry_run, self._uploaded_for = dry_run, None
        try:
            super().train(input_data_config=input_data_config, wait=wait, logs=logs, dry_run=dry_run)
        except BaseException:
            if self._code is not None and self._uploaded_for is not None:
                self._code.take_back(self._uploaded_for)
            raise

    def _create_training_job_args(
        self, input_data_config: list[Channel | InputData] | None = None, boto3: bool = False
    ) -> dict[str, Any]:
        if boto3 or isinstance(self.sagemaker_session, PipelineSession):
            raise InvalidInput(
                "sagemaker_session is one of SageMaker Pipelines, or the job is for an AWS Batch queue; allowed: a "
                "Session that starts jobs; fix: put the request that `headrace plan` prints into the pipeline"
            )
        request: dict[str, Any] = super()._create_training_job_args(input_data_config=input_data_config)
        name = request["training_job_name"] = self.job_name or request["training_job_name"]
        if self.source_code is None:
            algorithm = request["algorithm_specification"]
            algorithm.container_entrypoint = self.container_entrypoint
            algorithm.container_arguments = self.container_arguments
            if self._code is not None:
                request["input_data_config"] = [*(request["input_data_config"] or ()), self._code.channel(name)]
                self._ship(name)
        return request

    def _ship(self, name: str) -> None:
        if self._code is None or self._is_dry_run:
            return
        # another job's code must not be overwritten while it starts
        if self.job_name is not None and self._code.aws.training_jobs.exists(name):
            raise InvalidInput(
                f"job_name is {name!r}; allowed: a name that no job has or had; fix: give trainer.job_name another "
                "one, or None for trainer.base_job_name with the time"
            )
        self._code.upload(name)
        self._uploaded_for = name


def require_known_sdk() -> None:
    """Raise HeadraceError when the SDK no longer asks the one method that the trainer overrides.

    Without it a job would run the image's own entry point, in silence.
    """
    if not hasattr(ModelTrainer, "_create_training_job_args"):
        raise HeadraceError(
            f"sagemaker {version('sagemaker')} makes its requests in a way that headrace does not know; "
            "allowed: 3.27; fix: pip install 'sagemaker==3.27.*', or launch the job with headrace train"
        )


def with_private_parts(trainer: HeadraceTrainer, fields: dict[str, Any], code: Code | None) -> HeadraceTrainer:
    """The trainer with what its constructor does not take."""
    if metrics := fields.get("metric_definitions"):
        trainer.with_metric_definitions([MetricDefinition(**each) for each in metrics])
    if retry := fields.get("retry_strategy"):
        trainer.with_retry_strategy(RetryStrategy(**retry))
    trainer._code = code
    return trainer
