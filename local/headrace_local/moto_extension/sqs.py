"""Policies of queues in CloudFormation, which moto lacks.

Source: AWS CloudFormation Template Reference, AWS::SQS::QueuePolicy.
"""

from __future__ import annotations

import json
import secrets

from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.cloudformation.resource_types import AddedType, Created, Properties, add


def _create_policy(region: str, properties: Properties) -> Created:
    for url in properties["Queues"]:
        client("sqs", region).set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(properties["PolicyDocument"])}
        )
    physical_id = f"queue-policy-{secrets.token_hex(6)}"
    return Created(physical_id=physical_id, attributes={"Id": physical_id})


def _keep_policy(_region: str, _policy: Created) -> None:
    # no policy of ours outlives its queue
    return


def install() -> None:
    """Add policies of queues."""
    add(
        AddedType(
            type_name="AWS::SQS::QueuePolicy",
            create=_create_policy,
            delete=_keep_policy,
            attributes=frozenset({"Id"}),
        )
    )
