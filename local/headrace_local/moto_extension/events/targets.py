"""Rules that start a state machine. The rule's role is not assumed: the embedded AWS enforces no rights.

What could not be started goes to the target's dead-letter queue at once, where EventBridge would try for a day before.
Source: Amazon EventBridge User Guide, "Using dead-letter queues to process undelivered events".
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from moto.events.models import Rule

from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.events.target_input import input_of

_send_to_targets = Rule.send_to_targets


def send_to_targets(rule: Rule, original_event: Mapping[str, Any], transform_input: bool = True) -> None:
    """Deliver an event to a rule's targets, where the rule is on and has a pattern that the event matches."""
    pattern = rule.event_pattern
    if rule.state != "ENABLED" or pattern.dump() is None or not pattern.matches_event(original_event):
        return
    others = copy.copy(rule)
    others.targets = [each for each in rule.targets if not _is_machine(each)]
    for each in filter(_is_machine, rule.targets):
        _start(rule, each, original_event)
    if others.targets:
        _send_to_targets(others, original_event, transform_input)


def _is_machine(target: Mapping[str, Any]) -> bool:
    return ":stateMachine:" in str(target["Arn"])


def _start(rule: Rule, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    try:
        client("stepfunctions", rule.region_name).start_execution(
            stateMachineArn=target["Arn"], name=f"{event['id']}_{uuid4()}", input=input_of(target, event)
        )
    except Exception as error:  # the service tells nobody either: it counts failed invocations
        print(f"rule {rule.name} could not start {target['Arn']}: {error}", file=sys.stderr)  # noqa: T201
        _keep(rule, target, event, error)


def _keep(rule: Rule, target: Mapping[str, Any], event: Mapping[str, Any], error: Exception) -> None:
    queue_arn = target.get("DeadLetterConfig", {}).get("Arn")
    if queue_arn is None:
        return
    sqs = client("sqs", rule.region_name)
    said = {"RULE_ARN": rule.arn, "TARGET_ARN": target["Arn"], "ERROR_MESSAGE": str(error)}
    sqs.send_message(
        QueueUrl=sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"],
        MessageBody=json.dumps(event),
        MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in said.items()},
    )


def install() -> None:
    """Put this in the place of moto's."""
    Rule.send_to_targets = send_to_targets
