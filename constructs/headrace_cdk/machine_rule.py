"""An EventBridge rule that starts a state machine, with a role that may start this machine and nothing else."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from headrace_cdk import machine_policies
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.managed_policy import place_of


class MachineRule(Construct):
    """``rule``, which starts the machine for events of a pattern, or by a schedule."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: str,
        kind: str,
        machine: sfn.IStateMachine,
        naming: IamNaming,
        event_pattern: events.EventPattern | None = None,
        schedule: events.Schedule | None = None,
        given: events.RuleTargetInput | None = None,
    ) -> None:
        """``kind``: of the machine. ``given``: the input of the execution."""
        super().__init__(scope, construct_id)
        rule_name = machine_policies.machine_name(platform, kind)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com", conditions=machine_policies.rule_trust(place_of(self), rule_name)
            ),
            description=f"headrace {platform}: EventBridge starts the machine {kind}",
            role_name=naming.name(platform, Stack.of(self).region, f"{kind}-rule"),
            path=naming.path,
            permissions_boundary=naming.boundary(self, "Boundary"),
        )
        self.rule = events.Rule(
            self,
            "Rule",
            rule_name=rule_name,
            description=f"headrace {platform}: starts the machine {kind}",
            event_pattern=event_pattern,
            schedule=schedule,
            targets=[targets.SfnStateMachine(machine, role=role, input=given)],
        )
