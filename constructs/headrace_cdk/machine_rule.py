"""An EventBridge rule that starts a state machine, with a role that may start this machine and nothing else.

EventBridge tries for a day to start it. What must not be lost then goes to a dead-letter queue, which keeps it for two
weeks: nothing takes it from there by itself, but somebody is told, and has the event.
"""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from headrace_cdk import machine_policies
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.lint_exceptions import LintException, accept
from headrace_cdk.managed_policy import place_of

LAST_RESORT = LintException(
    cdk_nag=["AwsSolutions-SQS3"], reason="It is a dead-letter queue itself, of a rule and not of another queue"
)
ENCRYPTED_BY_SQS = LintException(
    checkov=["CKV_AWS_27"], reason="SQS encrypts it with a key of its own; who may read it may read executions, too"
)


class MachineRule(Construct):
    """``rule``, which starts the machine for events of a pattern, or by a schedule.

    ``dead_letters``: the queue of what could not be delivered; None where nothing is kept.
    """

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
        keep_dead_letters: bool = False,
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
        self.dead_letters = _dead_letters(self) if keep_dead_letters else None
        target = targets.SfnStateMachine(machine, role=role, input=given, dead_letter_queue=self.dead_letters)
        self.rule = events.Rule(
            self,
            "Rule",
            rule_name=rule_name,
            description=f"headrace {platform}: starts the machine {kind}",
            event_pattern=event_pattern,
            schedule=schedule,
            targets=[target],
        )


def _dead_letters(scope: Construct) -> sqs.Queue:
    # The target adds to its policy that EventBridge may send for this rule.
    queue = sqs.Queue(
        scope,
        "DeadLetters",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
    accept(queue, LAST_RESORT, ENCRYPTED_BY_SQS)
    return queue
