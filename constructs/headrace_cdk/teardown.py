"""The teardown machine: the only one that may delete, started by whoever finds that a file system has to go.

The flow starts it when its work is over. What no Catch sees (an abort, a time-out, States.Runtime) ends the flow's
execution with a status that EventBridge reports, and the rule here starts the same machine with nothing but the
execution's ARN. Alarms say when it could not do its work, and when it was not started at all; the event is kept then.
The reaper tries again later.
"""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from constructs import Construct

from headrace_cdk import machine_policies, teardown_policies
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.machine import Machine
from headrace_cdk.machine_alarms import tell_of_dead_letters, tell_of_failures, tell_when_not_started
from headrace_cdk.machine_policies import machine_arn, machine_name
from headrace_cdk.machine_rule import MachineRule
from headrace_cdk.managed_policy import place_of

FLOW = "ephemeral"
TEARDOWN = "teardown"
ENDED_BADLY = ["ABORTED", "FAILED", "TIMED_OUT"]


class Teardown(Construct):
    """``machine``: takes down what a flow's execution, or a file system's id, names."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: str,
        job_name_prefix: str,
        topic: sns.ITopic,
        naming: IamNaming | None = None,
    ) -> None:
        """``job_name_prefix``: of the jobs that it may stop. ``topic``: told when it fails."""
        super().__init__(scope, construct_id)
        place, naming = place_of(self), naming or IamNaming()
        flow = machine_name(platform, FLOW)
        self.machine = Machine(
            self,
            "Machine",
            platform=platform,
            kind=TEARDOWN,
            values={"Platform": platform},
            naming=naming,
            statements=[
                *machine_policies.look_at_ours("fsx:DescribeDataRepositoryTasks"),
                *machine_policies.find_who_mounts(place),
                *teardown_policies.take_down(place, platform, flow, job_name_prefix),
                *machine_policies.look_at_executions(place, flow, "LookAtOwners"),
            ],
        )
        on_flow_ended = MachineRule(
            self,
            "OnFlowEnded",
            platform=platform,
            kind=TEARDOWN,
            machine=self.machine.state_machine,
            naming=naming,
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"stateMachineArn": [machine_arn(place, flow)], "status": ENDED_BADLY},
            ),
            given=events.RuleTargetInput.from_object({"Owner": events.EventField.from_path("$.detail.executionArn")}),
            keep_dead_letters=True,
        )
        assert on_flow_ended.dead_letters is not None
        tell_of_failures(
            self,
            self.machine.state_machine,
            topic=topic,
            description="A teardown of ephemeral Lustre did not end well: its file system may live and cost",
            aborted=True,
        )
        not_started = "A teardown of ephemeral Lustre was not started: its file system may live and cost"
        tell_when_not_started(self, on_flow_ended.rule, topic=topic, description=not_started)
        tell_of_dead_letters(self, on_flow_ended.dead_letters, topic=topic, description=not_started)
