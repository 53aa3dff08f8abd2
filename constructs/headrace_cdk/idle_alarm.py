"""An alarm on a Lustre file system that costs and has no clients.

Source: FSx for Lustre User Guide, "Amazon FSx for Lustre metrics and dimensions": AWS/FSx, ClientConnections, by
FileSystemId, a value each minute.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct
from headrace.rules import Suppression
from headrace.rules.idle_alarm import IDLE_ALARM_RULES, IdleAlarmSpec

from headrace_cdk.rule_check import check, known


class IdleAlarm(Construct):
    """``alarm``: no client for so many hours."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        file_system_id: str,
        hours: int,
        topic: sns.ITopic | None = None,
        suppressions: Sequence[Suppression] = (),
    ) -> None:
        """``topic``: who is told; None shows it in CloudWatch only. Raises RuleViolations (V173)."""
        super().__init__(scope, construct_id)
        check(self, IDLE_ALARM_RULES, IdleAlarmSpec(idle_alarm_hours=known(hours)), suppressions)
        self.alarm = cloudwatch.Alarm(
            self,
            "Alarm",
            metric=cloudwatch.Metric(
                namespace="AWS/FSx",
                metric_name="ClientConnections",
                dimensions_map={"FileSystemId": file_system_id},
                # of an hour in which one client was there for a minute: not idle
                statistic="Maximum",
                period=Duration.hours(1),
            ),
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=hours,
            # No value means no client. So a new file system is told of until its first client comes, which is true,
            # too; the other way round, a file system that is never mounted would cost in silence.
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
            alarm_description="The shared Lustre costs, and had no client for so many hours, or none since it was made",
        )
        if topic is not None:
            self.alarm.add_alarm_action(actions.SnsAction(topic))
