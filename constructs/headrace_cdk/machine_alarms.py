"""Alarms on a state machine whose executions nobody watches."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct


def tell_of_failures(
    scope: Construct, machine: sfn.StateMachine, *, topic: sns.ITopic | None, description: str
) -> None:
    """Alarms on each execution that fails, or takes too long; ``topic``: None shows them in CloudWatch only."""
    minutes = Duration.minutes(5)
    metrics = {
        "Failed": machine.metric_failed(period=minutes, statistic="Sum"),
        "TimedOut": machine.metric_timed_out(period=minutes, statistic="Sum"),
    }
    for what, metric in metrics.items():
        # Nothing is counted where nothing runs, which is well.
        alarm = cloudwatch.Alarm(
            scope,
            what,
            metric=metric,
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )
        if topic is not None:
            alarm.add_alarm_action(actions.SnsAction(topic))
