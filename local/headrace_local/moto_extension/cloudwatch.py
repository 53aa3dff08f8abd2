"""Alarms in CloudFormation, which moto lacks.

An alarm is kept and shown; nobody looks at its metric, and it stays in INSUFFICIENT_DATA.
Source: AWS CloudFormation Template Reference, AWS::CloudWatch::Alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.cloudformation.resource_types import AddedType, Created, Properties, add

_TYPES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "EvaluationPeriods": int,
    "DatapointsToAlarm": int,
    "Period": int,
    "Threshold": float,
    "ActionsEnabled": lambda value: str(value).lower() == "true",
}
"""Property -> its type: templates may carry numbers and booleans as text."""


def _create(region: str, properties: Properties) -> Created:
    cloudwatch, name = client("cloudwatch", region), properties["AlarmName"]
    cloudwatch.put_metric_alarm(**{key: _TYPES.get(key, lambda same: same)(each) for key, each in properties.items()})
    made = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    return Created(physical_id=name, attributes={"Arn": made["AlarmArn"]})


def _update(region: str, alarm: Created, properties: Properties) -> Created:
    return _create(region, {"AlarmName": alarm.physical_id, **properties})


def _delete(region: str, alarm: Created) -> None:
    client("cloudwatch", region).delete_alarms(AlarmNames=[alarm.physical_id])


def install() -> None:
    """Add alarms."""
    add(
        AddedType(
            type_name="AWS::CloudWatch::Alarm",
            create=_create,
            delete=_delete,
            update=_update,
            attributes=frozenset({"Arn"}),
            name_property="AlarmName",
        )
    )
