"""From a job file, or a job made in Python, to a trainer: planned and checked as ``headrace train`` does."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.training.configs import Channel

from headrace import launch
from headrace.aws import Aws
from headrace.errors import InvalidInput
from headrace.job_file import JobFile, load
from headrace.planning import LaunchPlan, plan
from headrace.platform import FoundationPart
from headrace.rules import Suppression
from headrace.sagemaker_sdk.session import platform_session, role_judged_by_headrace
from headrace.sagemaker_sdk.trainer import Code, HeadraceTrainer, require_known_sdk, with_private_parts
from headrace.sagemaker_sdk.translation import to_trainer_fields
from headrace.training import CODE_CHANNEL, TrainingJob

_PRIVATE_PARTS = ("metric_definitions", "retry_strategy")
_log = logging.getLogger("headrace.sagemaker_sdk")


def model_trainer(
    job: str | Path | JobFile | TrainingJob,
    *,
    platform: str | None = None,
    region: str | None = None,
    session: Session | None = None,
    suppressions: Sequence[Suppression] = (),
) -> HeadraceTrainer:
    """A trainer for a job, given as the path of a job file, its record, or a TrainingJob; nothing is created yet.

    ``platform``: default is HEADRACE_PLATFORM, or ``dev``. ``session``: default is
    :func:`~headrace.sagemaker_sdk.session.platform_session`. Rules of level WARNING and INFO are logged. The trainer
    makes the first attempt of ``capacity_retry`` only. Raises InvalidInput with every mistake at once, AwsError when
    a call fails.
    """
    aws = Aws(region)
    wanted = job if isinstance(job, JobFile | TrainingJob) else load(Path(job))
    planned = plan(wanted, launch.read_platform(aws, platform), suppressions=suppressions)
    for finding in launch.check(planned, aws, suppressions):
        _log.warning("%s", finding)
    base_job_name = wanted.base_job_name if isinstance(wanted, JobFile) else None
    return trainer_of(planned, aws, base_job_name=base_job_name, session=session)


def trainer_of(
    planned: LaunchPlan, aws: Aws, *, base_job_name: str | None = None, session: Session | None = None
) -> HeadraceTrainer:
    """The trainer of a plan, which is not checked again.

    ``base_job_name``: without the platform's prefix; None gives every job the plan's exact name. Raises InvalidInput
    for a session in another Region, HeadraceError for an SDK that is not known.
    """
    require_known_sdk()
    fields = to_trainer_fields(planned.request)
    if base_job_name is not None:
        fields |= {"base_job_name": f"{planned.foundation.job_name_prefix}{base_job_name}", "job_name": None}
    else:
        fields["base_job_name"] = planned.job.name
    code = None if planned.upload_to is None else Code(job=planned.job, platform=planned.platform, aws=aws)
    public = {name: value for name, value in fields.items() if name not in _PRIVATE_PARTS}
    with role_judged_by_headrace():
        trainer = HeadraceTrainer(
            **public | {"input_data_config": _data_channels(fields, has_code=code is not None)},
            sagemaker_session=_in_the_platforms_region(session, planned.foundation),
        )
    return with_private_parts(trainer, fields, code)


def _data_channels(fields: dict[str, Any], *, has_code: bool) -> list[Channel]:
    # the code's channel is added anew with every job
    given = [each for each in fields.get("input_data_config", ()) if not (has_code and _is_code(each))]
    return [Channel(**each) for each in given]


def _is_code(channel: dict[str, Any]) -> bool:
    return bool(channel["channel_name"] == CODE_CHANNEL)


def _in_the_platforms_region(session: Session | None, foundation: FoundationPart) -> Session:
    if session is None:
        return platform_session(foundation)
    if session.boto_region_name != foundation.region:
        raise InvalidInput(
            f"session is in {session.boto_region_name}; allowed: the platform's Region, {foundation.region}; "
            f"fix: Session(boto_session=boto3.Session(region_name={foundation.region!r})), or leave it out"
        )
    return session
