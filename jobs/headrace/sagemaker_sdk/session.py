"""What a ``ModelTrainer`` takes from its surroundings, settled by the platform instead of by guesses of the SDK.

Left alone, the SDK makes a bucket ``sagemaker-<region>-<account>`` for uploads, fills what a job does not say from
its configuration file, and judges the execution role by rights on ``*`` that a narrow role rightly lacks.
Source: ``sagemaker.core.helper.session_helper`` and ``iam_role_resolver``, SageMaker Python SDK 3.27.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from sagemaker.core.config.config import load_sagemaker_config
from sagemaker.core.config.config_manager import SageMakerConfig
from sagemaker.core.config.config_schema import TELEMETRY_OPT_OUT_PATH
from sagemaker.core.helper.session_helper import Session

from headrace.platform import FoundationPart

ROLE_VALIDATION_VARIABLE = "SAGEMAKER_VALIDATE_ROLE"
CODE_PREFIX = "code"
_SCHEMA_VERSION = "1.0"


def platform_session(foundation: FoundationPart) -> Session:
    """A session in the platform's Region that uploads to the platform's bucket, below ``code/``.

    Of the SDK's configuration file it takes the choice on telemetry and no defaults for jobs: what was checked is
    what is sent.
    """
    session = Session(
        boto_session=boto3.Session(region_name=foundation.region),
        default_bucket=foundation.bucket,
        default_bucket_prefix=CODE_PREFIX,
        # an empty configuration would make the session read the file itself
        sagemaker_config={"SchemaVersion": _SCHEMA_VERSION},
    )
    # with an empty one here, the SDK does not hold it against its schema ten times for each job, which takes seconds
    session.sagemaker_config = telemetry_choice(load_sagemaker_config())
    return session


def telemetry_choice(configuration: dict[str, Any]) -> dict[str, Any]:
    """The part of the SDK's configuration that says whether telemetry is sent; empty where nothing is said."""
    opted_out = SageMakerConfig.get_config_value(TELEMETRY_OPT_OUT_PATH, configuration)
    if opted_out is None:
        return {}
    kept: dict[str, Any] = {"SchemaVersion": _SCHEMA_VERSION}
    SageMakerConfig.set_nested_value(kept, TELEMETRY_OPT_OUT_PATH.split("."), opted_out)
    return kept


@contextmanager
def role_judged_by_headrace() -> Iterator[None]:
    """The SDK does not judge the role in this block, unless the user has set the SDK's variable for it.

    The variable belongs to the process: do not make trainers in one thread while another relies on it.
    """
    if ROLE_VALIDATION_VARIABLE in os.environ:
        yield
        return
    os.environ[ROLE_VALIDATION_VARIABLE] = "false"
    try:
        yield
    finally:
        del os.environ[ROLE_VALIDATION_VARIABLE]
