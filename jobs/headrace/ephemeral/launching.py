"""A prepared flow, started: its code is uploaded, then the machine has the job."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from headrace import code_shipping, job_file, launch
from headrace.aws import Aws
from headrace.ephemeral import flows, starting
from headrace.ephemeral.flows import Flow
from headrace.ephemeral.preparing import PreparedFlow, prepare
from headrace.errors import HeadraceError
from headrace.future_lustre import EphemeralLustre
from headrace.platform import Platform
from headrace.rules import Suppression
from headrace.training import TrainingJob


def start(prepared: PreparedFlow, aws: Aws) -> str:
    """Upload the code and start the flow; the execution's ARN.

    When no execution came of it, the upload is taken back. Raises InvalidInput or AwsError.
    """
    bucket = prepared.plan.foundation.bucket
    code_shipping.upload(prepared.plan.job, bucket, aws)
    try:
        return starting.start(aws, prepared.part.machine_arn, prepared.name, prepared.given)
    except BaseException as error:  # Ctrl-C, too
        # the error that led here is the one to be told; where it cannot be known, the code stays
        with suppress(HeadraceError):
            if not _has_begun(prepared, aws, error):
                code_shipping.take_back(prepared.plan.job, bucket, aws)
        raise


def _has_begun(prepared: PreparedFlow, aws: Aws, error: BaseException) -> bool:
    is_refused = isinstance(error, starting.REFUSALS)
    found = aws.executions.describe(prepared.arn) if is_refused else starting.awaited(aws, prepared.arn)
    return found is not None


def train(
    job: str | Path | TrainingJob,
    *,
    wishes: EphemeralLustre | None = None,
    platform: str | Platform | None = None,
    region: str | None = None,
    wait: bool = True,
    suppressions: Sequence[Suppression] = (),
) -> Flow:
    """Launch a job on a Lustre file system of its own, and wait until both have ended unless told otherwise.

    ``wishes``: of the file system; default is what the job file says under ``ephemeral``. Raises InvalidInput
    (nothing was created) with every mistake at once, AwsError when a call fails. A flow that fails is no exception: see
    ``execution.status`` and ``job`` of the result.
    """
    aws = Aws(region)
    wanted = job if isinstance(job, TrainingJob) else job_file.load(Path(job))
    deployed = launch.read_platform(aws, platform)
    prepared = prepare(wanted, aws, deployed, wishes=wishes, suppressions=suppressions)
    arn = start(prepared, aws)
    flow: Flow | None = None
    if wait:
        for event in flows.follow(aws, arn):
            flow = event if isinstance(event, Flow) else flow
    return flow or flows.look(aws, flows.described(aws, arn))
