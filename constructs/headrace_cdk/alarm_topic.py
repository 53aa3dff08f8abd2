"""Where alarms go: an SNS topic of the platform's, or one that is there.

The topic's messages hold ids of file systems and names of alarms, no data. It is not encrypted with a KMS key: alarms
of CloudWatch cannot publish to a topic under ``alias/aws/sns``, whose policy nobody can change, and a key of one's own
costs a dollar a month for ids. Who needs one gives a topic that has it, whose key lets cloudwatch.amazonaws.com in.
Source: Amazon SNS Developer Guide, "Enable compatibility between event sources from AWS services and encrypted topics"
(the key's policy); Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms".
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from headrace_cdk.lint_exceptions import LintException, accept

NOT_ENCRYPTED = LintException(
    checkov=["CKV_AWS_26"],
    reason="Ids and names of alarms, no data; alarms cannot publish to a topic under AWS's own key",
)


class AlarmTopic(Construct):
    """``topic``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        existing_topic_arn: str | None = None,
        emails: Sequence[str] = (),
        platform: str,
    ) -> None:
        """``emails``: who gets its messages after confirming the first; an existing topic has its own subscribers."""
        super().__init__(scope, construct_id)
        if existing_topic_arn is not None:
            self.topic: sns.ITopic = sns.Topic.from_topic_arn(self, "Existing", existing_topic_arn)
            return
        topic = sns.Topic(self, "Topic", display_name=f"headrace {platform}", enforce_ssl=True)
        # A policy of one's own takes the place of the default one, by which alarms may publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        accept(topic, NOT_ENCRYPTED)
        for index, email in enumerate(emails):
            sns.Subscription(
                self, f"Email{index}", topic=topic, protocol=sns.SubscriptionProtocol.EMAIL, endpoint=email
            )
        self.topic = topic
