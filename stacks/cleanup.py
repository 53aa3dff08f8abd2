"""What sees to it that nothing of ephemeral Lustre is left: the teardown machine, the reaper, and who is told.

A stack of its own because of its lifetime: it is there before the first file system is made and is destroyed after the
flow, so that what the flow leaves behind is found. It imports nothing; machines are known by their names.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct
from headrace_cdk.alarm_topic import AlarmTopic
from headrace_cdk.reaper import Reaper
from headrace_cdk.teardown import Teardown

from stacks.from_settings import naming_of
from stacks.settings import EnvironmentSettings


class EphemeralCleanup(Stack):
    """``teardown``, ``reaper`` and ``topic``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: str,
        job_name_prefix: str,
        settings: EnvironmentSettings,
        **stack: Any,
    ) -> None:
        """``job_name_prefix``: of the platform's jobs. ``stack``: what :class:`aws_cdk.Stack` takes."""
        super().__init__(scope, construct_id, **stack)
        shared: dict[str, Any] = {"platform": platform, "naming": naming_of(settings.iam)}
        self.topic = AlarmTopic(
            self,
            "AlarmTopic",
            platform=platform,
            existing_topic_arn=settings.alarms.topic_arn,
            emails=settings.alarms.emails,
        ).topic
        self.teardown = Teardown(self, "Teardown", job_name_prefix=job_name_prefix, topic=self.topic, **shared)
        self.reaper = Reaper(self, "Reaper", topic=self.topic, max_hours=settings.ephemeral.max_hours, **shared)
        CfnOutput(self, "TopicArn", value=self.topic.topic_arn)
