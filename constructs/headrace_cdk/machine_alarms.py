"""Alarms on a state machine whose executions nobody watches: those that did not end well, and those that never began.

Sources: AWS Step Functions Developer Guide, "Monitoring Step Functions metrics"; Amazon EventBridge User Guide,
"Monitoring Amazon EventBridge" (FailedInvocations by RuleName, which is sent only where it is not zero) and "Using
dead-letter queues to process undelivered events"; Amazon SQS Developer Guide, "Available CloudWatch metrics".
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

_PERIOD = Duration.minutes(5)


def tell_of_failures(
    scope: Construct, machine: sfn.StateMachine, *, topic: sns.ITopic | None, description: str, aborted: bool = False
) -> None:
    """Alarms on each execution that fails, or takes too long; ``topic``: None shows them in CloudWatch only.

    ``aborted``: also on those that somebody stopped.
    """
    metrics = {"Failed": machine.metric_failed, "TimedOut": machine.metric_timed_out}
    if aborted:
        metrics["Aborted"] = machine.metric_aborted
    for what, metric in metrics.items():
        _tell_of_one(scope, what, metric(period=_PERIOD, statistic="Sum"), topic, description)


def tell_when_not_started(scope: Construct, rule: events.Rule, *, topic: sns.ITopic, description: str) -> None:
    """An alarm on each time that a rule could not start its machine."""
    metric = cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name="FailedInvocations",
        dimensions_map={"RuleName": rule.rule_name},
        period=_PERIOD,
        statistic="Sum",
    )
    _tell_of_one(scope, "NotStarted", metric, topic, description)


def tell_of_dead_letters(scope: Construct, queue: sqs.Queue, *, topic: sns.ITopic, description: str) -> None:
    """An alarm while events lie in a dead-letter queue."""
    metric = queue.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="Maximum")
    _tell_of_one(scope, "DeadLetters", metric, topic, description)


def _tell_of_one(
    scope: Construct, what: str, metric: cloudwatch.Metric, topic: sns.ITopic | None, description: str
) -> None:
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
