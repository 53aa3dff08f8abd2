"""An execution, started, and certainty whether it was: the answer may be what is lost.

StartExecution of the same name with the same input is the same execution while it runs, so it may be asked for again.
DescribeExecution may know it a little later, so one that is not seen at once may be there all the same.
Source: AWS Step Functions API Reference, StartExecution and DescribeExecution ("eventually consistent").
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from headrace.aws import Aws, AwsError
from headrace.aws.connection import AccessDenied
from headrace.errors import InvalidInput
from headrace.execution_history import Execution, execution_arn

# 15 s in all
PAUSES_SECONDS: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
REFUSALS = (InvalidInput, AccessDenied)
"""What says that nothing was started."""


def start(aws: Aws, machine_arn: str, name: str, given: Mapping[str, Any]) -> str:
    """Start an execution, more than once where the answer is lost; its ARN.

    Raises InvalidInput or AccessDenied when it is refused, AwsError when there is none as far as can be known.
    """
    arn = execution_arn(machine_arn, name)
    lost: AwsError | None = None
    for pause_seconds in (0.0, *PAUSES_SECONDS):
        time.sleep(pause_seconds)
        try:
            return aws.executions.start(machine_arn, name, given)
        except REFUSALS:
            # one that was started by a call whose answer was lost, and has ended already, is refused a second time
            if _was_started(aws, arn, given):
                return arn
            raise
        except AwsError as error:
            lost = lost or error
    assert lost is not None
    if awaited(aws, arn) is None:
        raise lost
    return arn


def start_by_hand(aws: Aws, machine_arn: str, given: Mapping[str, Any]) -> str:
    """Start an execution that is named after the time; its ARN. Raises InvalidInput or AwsError."""
    return aws.executions.start(machine_arn, f"by-hand-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}", given)


def awaited(aws: Aws, arn: str) -> Execution | None:
    """The execution, as soon as Step Functions knows it; None when it does not for a while. Raises AwsError."""
    for pause_seconds in (0.0, *PAUSES_SECONDS):
        time.sleep(pause_seconds)
        if (execution := aws.executions.describe(arn)) is not None:
            return execution
    return None


def _was_started(aws: Aws, arn: str, given: Mapping[str, Any]) -> bool:
    with suppress(AwsError):
        execution = aws.executions.describe(arn)
        return execution is not None and execution.input == json.loads(json.dumps(given))
    return False
