"""Topics in CloudFormation: moto lacks their policies and subscriptions, drops tags, and knows no TopicArn.

Source: AWS CloudFormation Template Reference, AWS::SNS::Topic, AWS::SNS::TopicPolicy, AWS::SNS::Subscription.
"""

from __future__ import annotations

import json
import secrets
from typing import Any, Final

from moto.sns.models import Topic

from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.cloudformation.resource_types import (
    COMPLETIONS,
    AddedType,
    Created,
    Properties,
    add,
    refuse_unknown_properties,
)

_TOPIC: Final = "AWS::SNS::Topic"
_BY_MOTO: Final = frozenset({"DisplayName", "KmsMasterKeyId", "TopicName", "Subscription"})
_OF_SUBSCRIPTION: Final = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "DeliveryPolicy")
_get_cfn_attribute = Topic.get_cfn_attribute


def complete_topic(region: str, arn: str, properties: Properties) -> None:
    """The tags, which moto drops. Raises Unsupported for a property that nobody here applies."""
    refuse_unknown_properties(_TOPIC, properties, _BY_MOTO | {"Tags"})
    if properties.get("Tags"):
        client("sns", region).tag_resource(ResourceArn=arn, Tags=properties["Tags"])


def topic_attribute(topic: Topic, name: str) -> Any:
    """Fn::GetAtt."""
    return topic.arn if name == "TopicArn" else _get_cfn_attribute(topic, name)


def _create_policy(region: str, properties: Properties) -> Created:
    for arn in properties["Topics"]:
        client("sns", region).set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
        )
    physical_id = f"topic-policy-{secrets.token_hex(6)}"
    return Created(physical_id=physical_id, attributes={"Id": physical_id})


def _keep_policy(_region: str, _policy: Created) -> None:
    # CloudFormation leaves the topic with some policy; no one of ours outlives its topic
    return


def _create_subscription(region: str, properties: Properties) -> Created:
    type_name = "AWS::SNS::Subscription"
    refuse_unknown_properties(type_name, properties, {*_OF_SUBSCRIPTION, "TopicArn", "Protocol", "Endpoint"})
    attributes = {name: _text(properties[name]) for name in _OF_SUBSCRIPTION if name in properties}
    made = client("sns", region).subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties["Endpoint"],
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )
    arn = made["SubscriptionArn"]
    return Created(physical_id=arn, attributes={"Arn": arn})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _delete_subscription(region: str, subscription: Created) -> None:
    client("sns", region).unsubscribe(SubscriptionArn=subscription.physical_id)


def install() -> None:
    """Complete topics, add their policies and subscriptions."""
    Topic.has_cfn_attr = classmethod(lambda _topic, name: name in ("TopicName", "TopicArn"))
    Topic.get_cfn_attribute = topic_attribute
    COMPLETIONS[_TOPIC] = complete_topic
    policy_attributes, subscription_attributes = frozenset({"Id"}), frozenset({"Arn"})
    add(
        AddedType(
            type_name="AWS::SNS::TopicPolicy",
            create=_create_policy,
            delete=_keep_policy,
            attributes=policy_attributes,
        )
    )
    add(
        AddedType(
            type_name="AWS::SNS::Subscription",
            create=_create_subscription,
            delete=_delete_subscription,
            attributes=subscription_attributes,
        )
    )
