"""A CreateTrainingJob request in the words of ``ModelTrainer``: where each member goes, and how it is spelt there.

The request stays the one source of truth: whatever it says is carried over by the table below, and what cannot be
carried over is an error, never left out: a member that the table does not know, and a value that the SDK drops. The
SDK's shapes refuse names that they do not know, too.
Source: ``sagemaker.train.ModelTrainer`` and ``sagemaker.core.shapes``, SageMaker Python SDK 3.27.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from headrace.errors import InvalidInput

_WORD_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MAPS_OF_THE_USER = frozenset({"Environment", "HyperParameters"})

# member of the request -> field of the trainer, and the name in that field where a field gathers several members
_FIELDS: Mapping[str, tuple[str, str | None]] = {
    "TrainingJobName": ("job_name", None),
    "RoleArn": ("role", None),
    "InputDataConfig": ("input_data_config", None),
    "OutputDataConfig": ("output_data_config", None),
    "CheckpointConfig": ("checkpoint_config", None),
    "StoppingCondition": ("stopping_condition", None),
    "RetryStrategy": ("retry_strategy", None),
    "HyperParameters": ("hyperparameters", None),
    "Environment": ("environment", None),
    "Tags": ("tags", None),
    "ResourceConfig": ("compute", None),
    "EnableManagedSpotTraining": ("compute", "enable_managed_spot_training"),
    "VpcConfig": ("networking", None),
    "EnableNetworkIsolation": ("networking", "enable_network_isolation"),
    "EnableInterContainerTrafficEncryption": ("networking", "enable_inter_container_traffic_encryption"),
}
_FIELDS_OF_THE_ALGORITHM: Mapping[str, tuple[str, str | None]] = {
    "TrainingImage": ("training_image", None),
    "TrainingImageConfig": ("training_image_config", None),
    "TrainingInputMode": ("training_input_mode", None),
    "ContainerEntrypoint": ("container_entrypoint", None),
    "ContainerArguments": ("container_arguments", None),
    "MetricDefinitions": ("metric_definitions", None),
}
_PLACES = {**_FIELDS, **_FIELDS_OF_THE_ALGORITHM}


def to_trainer_fields(request: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the trainer as plain values, the names in them in the SDK's snake case.

    Raises InvalidInput with everything that would not reach the service.
    """
    algorithm = request["AlgorithmSpecification"]
    members = {**{name: value for name, value in request.items() if name != "AlgorithmSpecification"}, **algorithm}
    if problems := [*_without_a_place(members), *_dropped(members)]:
        raise InvalidInput(*problems)
    fields: dict[str, Any] = {}
    for name, value in members.items():
        field, part = _PLACES[name]
        spelt = dict(value) if name in _MAPS_OF_THE_USER else in_snake_case(value)
        if part is None and not isinstance(spelt, dict):
            fields[field] = spelt
        else:
            fields.setdefault(field, {}).update(spelt if part is None else {part: spelt})
    return fields


def _without_a_place(members: Mapping[str, Any]) -> Iterator[str]:
    for name in members:
        if name not in _PLACES:
            yield (
                f"member {name} of the job's request has no place in a ModelTrainer; allowed: "
                f"{', '.join(sorted(_PLACES))}; fix: launch the job with headrace train"
            )


def _dropped(members: Mapping[str, Any]) -> Iterator[str]:
    """Members of structures that are 0, false or empty: ``_serialize_shape`` of the SDK leaves them out."""
    for name, value in members.items():
        if name not in _MAPS_OF_THE_USER:
            for path, found in _leaves_of_structures(value, name):
                if not found:
                    yield (
                        f"{path} is {found!r}; allowed: values that the SageMaker SDK sends, which drops 0, false and "
                        "the empty text; fix: give another, leave it out, or launch the job with headrace train"
                    )


def _leaves_of_structures(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    children: list[tuple[str, Any]] = []
    if isinstance(value, Mapping):
        children = [(f"{path}.{name}", item) for name, item in value.items()]
    elif isinstance(value, list):
        children = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    for child_path, child in children:
        if isinstance(child, Mapping | list):
            yield from _leaves_of_structures(child, child_path)
        elif isinstance(value, Mapping):
            yield child_path, child


def in_snake_case(value: Any) -> Any:
    """Structures, however deep, with the names of their members as the SDK spells them: ``S3Uri`` is ``s3_uri``."""
    if isinstance(value, Mapping):
        return {_WORD_BOUNDARY.sub("_", name).lower(): in_snake_case(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [in_snake_case(item) for item in value]
    return value
