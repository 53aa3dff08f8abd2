"""Ephemeral Lustre: the machine that makes a file system for one job, who may start it, and the record that says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aws_cdk import Stack
from constructs import Construct
from headrace.platform import EphemeralPart
from headrace_cdk.ephemeral_lustre import EphemeralLustre
from headrace_cdk.ephemeral_user_policy import EphemeralUserPolicy
from headrace_cdk.machine_policies import machine_arn, machine_name
from headrace_cdk.managed_policy import place_of
from headrace_cdk.platform_part import PlatformPart
from headrace_cdk.reaper import REAPER
from headrace_cdk.teardown import TEARDOWN

from stacks.foundation import Foundation
from stacks.from_settings import link_of, naming_of
from stacks.settings import EnvironmentSettings, LinkSettings


class Ephemeral(Stack):
    """``lustre``: the flow. ``user_policy``: for people who start it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: str,
        foundation: Foundation,
        settings: EnvironmentSettings,
        **stack: Any,
    ) -> None:
        """``foundation``: network, data and roles. ``stack``: what :class:`aws_cdk.Stack` takes."""
        super().__init__(scope, construct_id, **stack)
        self.add_stack_dependency(foundation)
        chosen, network, naming = settings.ephemeral, foundation.network, naming_of(settings.iam)
        # Imports by name: the linters know the names, and not what becomes of a reference to another stack.
        imported = foundation.exported
        links = [
            LinkSettings(name=each.name, path=each.path, prefix=each.prefix, bucket=each.bucket)
            for each in chosen.links
        ]
        self.lustre = EphemeralLustre(
            self,
            "EphemeralLustre",
            platform=platform,
            subnet_ids=[imported(subnet.subnet_id) for subnet in network.subnets],
            lustre_security_group_id=imported(str(network.lustre_security_group_id)),
            job_security_group_id=imported(network.security_groups.jobs.security_group_id),
            role_arns=[imported(role.role_arn) for role in foundation.roles.in_network],
            links=[link_of(each, imported(foundation.bucket_name), settings) for each in links],
            data_locations=[replace(each, bucket=imported(each.bucket)) for each in foundation.data_locations],
            job_name_prefix=foundation.job_name_prefix,
            max_file_systems=chosen.max_file_systems,
            max_gib=chosen.max_gib,
            max_hours=chosen.max_hours,
            kms_key_arns=[imported(foundation.kms_key.key_arn)] if foundation.kms_key else [],
            data_kms_key_arns=[each.kms_key_arn for each in settings.data_locations if each.kms_key_arn],
            naming=naming,
            suppressions=foundation.suppressions,
        )
        self.user_policy = EphemeralUserPolicy(self, "UserPolicy", platform=platform, naming=naming)
        PlatformPart(self, "PlatformPart", part=self._part(platform, settings), outputs=self._outputs())

    def _part(self, platform: str, settings: EnvironmentSettings) -> EphemeralPart:
        place, chosen = place_of(self), settings.ephemeral
        return EphemeralPart(
            platform=platform,
            machine_arn=self.lustre.machine.state_machine.state_machine_arn,
            teardown_machine_arn=machine_arn(place, machine_name(platform, TEARDOWN)),
            reaper_machine_arn=machine_arn(place, machine_name(platform, REAPER)),
            links=tuple(link.record for link in self.lustre.links),
            max_file_systems=chosen.max_file_systems,
            max_gib=chosen.max_gib,
            max_hours=chosen.max_hours,
        )

    def _outputs(self) -> dict[str, str]:
        return {
            "MachineArn": self.lustre.machine.state_machine.state_machine_arn,
            "UserPolicyArn": self.user_policy.policy.managed_policy_arn,
        }
