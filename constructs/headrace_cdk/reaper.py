"""The reaper: looks every few minutes for what nobody has taken down, and has the teardown machine do it.

It may mark and not delete; what it may have deleted, the teardown machine's own rights say. It publishes to the topic
when it had to act, since then something else did not. And a reaper that does not work is told of: by an alarm on its
successes, which also acts when there is nothing to count any more, and for one that never had any, by alarms on each
execution that did not end well, or could not be started.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from constructs import Construct

from headrace_cdk import machine_policies, reaper_policies
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.machine import Machine
from headrace_cdk.machine_alarms import tell_of_failures, tell_when_not_started
from headrace_cdk.machine_policies import machine_arn, machine_name
from headrace_cdk.machine_rule import MachineRule
from headrace_cdk.managed_policy import place_of
from headrace_cdk.teardown import FLOW, TEARDOWN

REAPER = "reaper"
EVERY_MINUTES = 15


class Reaper(Construct):
    """``machine``, run every quarter of an hour."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: str,
        topic: sns.ITopic,
        max_hours: int,
        max_deletes_per_run: int = 5,
        naming: IamNaming | None = None,
    ) -> None:
        """``max_hours``: after which a file system without a legible expiry has expired.

        ``max_deletes_per_run``: where more is due at once, something else may be wrong.
        """
        super().__init__(scope, construct_id)
        place, naming = place_of(self), naming or IamNaming()
        flow, teardown = machine_name(platform, FLOW), machine_name(platform, TEARDOWN)
        self.machine = Machine(
            self,
            "Machine",
            platform=platform,
            kind=REAPER,
            values={
                "Platform": platform,
                "MaxHours": str(max_hours),
                "MaxDeletesPerRun": str(max_deletes_per_run),
                "TeardownMachineArn": machine_arn(place, teardown),
                "TopicArn": topic.topic_arn,
            },
            naming=naming,
            statements=[
                *machine_policies.look_at_ours(),
                *machine_policies.find_who_mounts(place),
                *machine_policies.count_clients(),
                *machine_policies.look_at_executions(place, flow, "LookAtOwners"),
                *reaper_policies.mark(place, platform, flow),
                *machine_policies.start_machine(place, teardown, "StartTeardown"),
                *reaper_policies.tell(topic.topic_arn),
            ],
        )
        often = MachineRule(
            self,
            "Often",
            platform=platform,
            kind=REAPER,
            machine=self.machine.state_machine,
            naming=naming,
            schedule=events.Schedule.rate(Duration.minutes(EVERY_MINUTES)),
        )
        failed = "The reaper of ephemeral Lustre did not end well: nobody looks for leaks"
        tell_of_failures(self, self.machine.state_machine, topic=topic, description=failed)
        not_started = "The reaper of ephemeral Lustre could not be started: nobody looks for leaks"
        tell_when_not_started(self, often.rule, topic=topic, description=not_started)
        self._tell_when_it_stops(topic)

    def _tell_when_it_stops(self, topic: sns.ITopic) -> None:
        # Missing data is not treated as a breach: a new alarm, which has no data yet, would go off at once. It has that
        # state from the start, and acts when it comes back to it: after a first success, and not before.
        alarm = cloudwatch.Alarm(
            self,
            "Stopped",
            metric=self.machine.state_machine.metric_succeeded(period=Duration.hours(1), statistic="Sum"),
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.MISSING,
            alarm_description="The reaper of ephemeral Lustre has not succeeded for an hour: nobody looks for leaks",
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_insufficient_data_action(actions.SnsAction(topic))
