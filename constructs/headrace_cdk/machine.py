"""A state machine with its role and its log: what the machines have in common.

The log has every event and no input or output: a job's request may hold secrets among its hyperparameters. Who may read
an execution's history sees them there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from headrace_cdk import machine_policies
from headrace_cdk.definition import load
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.lint_exceptions import LintException, accept
from headrace_cdk.managed_policy import managed_policy, place_of
from headrace_cdk.policies import Statement

NOTHING_SECRET_INSIDE = LintException(
    checkov=["CKV_AWS_158"],
    reason="Names of states and errors, no input or output; CloudWatch Logs encrypts them with its own key",
)
TEXTS_OF_ITS_OWN = LintException(
    cfn_lint=["E1029"],
    reason="A ${name} in what the machine is given is a shell's; without substitutions CloudFormation leaves it alone",
)


class Machine(Construct):
    """``state_machine`` and ``role``; the definition is ``machines/<kind>.asl.yaml``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: str,
        kind: str,
        values: Mapping[str, str],
        statements: Sequence[Statement],
        naming: IamNaming,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        """``values``: of the definition's substitutions, exactly. ``statements``: beside those for log and traces.

        ``given``: what the machine works on, where its definition has a place for it.

        Raises InvalidInput for statements that do not fit into a managed policy.
        """
        super().__init__(scope, construct_id)
        place = place_of(self)
        name = machine_policies.machine_name(platform, kind)
        definition = load(kind)
        if values.keys() != definition.substitutions:
            raise AssertionError(f"machine {kind}: values {sorted(values)}, wanted {sorted(definition.substitutions)}")
        policy = managed_policy(
            self,
            "Policy",
            platform=platform,
            purpose=f"{kind}-machine",
            statements=[*machine_policies.keep_a_log(), *statements],
            naming=naming,
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com", conditions=machine_policies.machine_trust(place, name)
            ),
            description=f"headrace {platform}: state machine {kind}",
            role_name=naming.name(platform, Stack.of(self).region, f"{kind}-machine"),
            path=naming.path,
            permissions_boundary=naming.boundary(self, "Boundary"),
            managed_policies=[policy],
        )
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_string(
                definition.text if given is None else definition.text_with_given(given)
            ),
            definition_substitutions=dict(values) or None,
            # as it stands: CDK would add rights on logs and traces that its policy has already
            role=iam.Role.from_role_arn(self, "RoleAsItIs", self.role.role_arn, mutable=False),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=_log_group(self, name), level=sfn.LogLevel.ALL, include_execution_data=False
            ),
        )
        if given is not None:
            accept(self.state_machine, TEXTS_OF_ITS_OWN)


def _log_group(scope: Construct, machine_name: str) -> logs.LogGroup:
    # Names below /aws/vendedlogs/ need no entry in the account's resource policy of logs, whose size is limited.
    # As long as Step Functions keeps the history of an execution.
    log_group = logs.LogGroup(
        scope,
        "Log",
        log_group_name=f"/aws/vendedlogs/states/{machine_name}",
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=RemovalPolicy.DESTROY,
    )
    accept(log_group, NOTHING_SECRET_INSIDE)
    return log_group
