"""Tasks that call a service: ``arn:aws:states:::aws-sdk:<service>:<action>``.

moto passes arguments on by whatever names they have, leaves instants in the answer that nobody can describe then, and
knows the names of few services' errors. The machine's role is not assumed: the embedded AWS enforces no rights.
"""

from __future__ import annotations

from typing import Any, Final

from botocore import xform_name
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_aws_sdk
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment

from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.stepfunctions.sdk_names import UnknownField, from_service, to_service

ERROR_NAMES: Final = {"cloudwatch": "CloudWatch", "fsx": "FSx", "sagemaker": "SageMaker", "sfn": "Sfn", "sns": "Sns"}
"""Service in a machine -> how its errors begin."""


def call(
    task: StateTaskServiceAwsSdk,
    env: Environment,
    resource_runtime_part: Any,
    normalised_parameters: dict[str, Any],
    **_: Any,
) -> None:
    """Call the service and put its answer on the interpreter's stack."""
    # what is missing or has a wrong value is the service's to refuse, by an error that a Catch sees
    service = client(task._get_boto_service_name(), resource_runtime_part.region, is_checked=False)
    operation = _operation(service, task.resource.api_action)
    try:
        request = to_service(normalised_parameters, operation.input_shape)
    except UnknownField as why:
        raise _runtime_error(task, env, str(why)) from None
    answer = getattr(service, xform_name(operation.name))(**request)
    answer.pop("ResponseMetadata", None)
    env.stack.append(from_service(answer, operation.output_shape))


def _operation(service: Any, action: str) -> Any:
    model = service.meta.service_model
    name = next(each for each in model.operation_names if each.lower() == action.lower())
    return model.operation_model(name)


def _runtime_error(task: StateTaskServiceAwsSdk, env: Environment, cause: str) -> FailureEventException:
    return FailureEventException(task._get_task_failure_event(env=env, error="States.Runtime", cause=cause))


def install() -> None:
    """Put these in the place of moto's."""
    state_task_service_aws_sdk._SERVICE_ERROR_NAMES.update(ERROR_NAMES)
    StateTaskServiceAwsSdk._eval_service_task = call
