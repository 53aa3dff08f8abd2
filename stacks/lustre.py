"""The shared Lustre file system: disposable. Nothing imports from this stack, so that it can be destroyed alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_sns as sns
from constructs import Construct
from headrace.platform import FoundationPart, LustrePart
from headrace_cdk.alarm_topic import AlarmTopic
from headrace_cdk.idle_alarm import IdleAlarm
from headrace_cdk.lustre import Lustre
from headrace_cdk.lustre_user_policy import LustreUserPolicy
from headrace_cdk.platform_part import PlatformPart
from headrace_cdk.shared_preload import SharedPreload

from stacks.foundation import Foundation
from stacks.from_settings import link_of, naming_of
from stacks.settings import AlarmSettings, EnvironmentSettings, LustreSettings, PreloadSettings
from stacks.zones import subnets_in


class SharedLustre(Stack):
    """``lustre``: the file system; its record says where jobs find it. ``preload``: None where it is switched off."""

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
        """``foundation``: network and data. ``stack``: what :class:`aws_cdk.Stack` takes."""
        super().__init__(scope, construct_id, **stack)
        chosen = settings.lustre
        zones = None if chosen.zone is None else [chosen.zone]
        persistent = chosen.deployment_type.startswith("PERSISTENT")
        self.lustre = Lustre(
            self,
            "Lustre",
            network=foundation.network,
            subnet=subnets_in(foundation.network.subnets, zones, "lustre.zone")[0],
            links=[link_of(each, foundation.bucket_name, settings) for each in chosen.links],
            data_locations=foundation.data_locations,
            deployment_type=chosen.deployment_type,
            storage_capacity_gib=chosen.storage_capacity_gib,
            dataset_gib=chosen.dataset_gib,
            per_unit_storage_throughput_mbps_per_tib=chosen.per_unit_storage_throughput_mbps_per_tib,
            data_compression_type=chosen.data_compression_type,
            # Scratch file systems take no key of the customer's.
            kms_key=foundation.kms_key if persistent else None,
            weekly_maintenance_start_time=chosen.weekly_maintenance_start_time,
            suppressions=foundation.suppressions,
        )
        self.user_policy = LustreUserPolicy(
            self,
            "UserPolicy",
            platform=platform,
            file_system_id=self.lustre.file_system_id,
            naming=naming_of(settings.iam),
        )
        topic = None
        if chosen.idle_alarm_hours is not None or chosen.preload is not None:
            topic = self._topic(platform, settings.alarms)
        if chosen.idle_alarm_hours is not None:
            IdleAlarm(
                self,
                "IdleAlarm",
                file_system_id=self.lustre.file_system_id,
                hours=chosen.idle_alarm_hours,
                topic=topic,
                suppressions=foundation.suppressions,
            )
        part = self._part(platform, chosen)
        self.preload: SharedPreload | None = None
        if chosen.preload is not None:
            self.preload = SharedPreload(
                self,
                "Preload",
                platform=platform,
                file_system_id=self.lustre.file_system_id,
                request=_preload_request(foundation, part, chosen.preload),
                topic=topic,
                naming=naming_of(settings.iam),
            )
        PlatformPart(self, "PlatformPart", part=part, outputs=self._outputs())

    def _topic(self, platform: str, alarms: AlarmSettings) -> sns.ITopic | None:
        # A topic of this stack's own: it takes from the foundation only, and is destroyed alone.
        if alarms.topic_arn is None and not alarms.emails:
            return None
        return AlarmTopic(
            self, "AlarmTopic", platform=platform, existing_topic_arn=alarms.topic_arn, emails=alarms.emails
        ).topic

    def _part(self, platform: str, chosen: LustreSettings) -> LustrePart:
        return LustrePart(
            platform=platform,
            file_system_id=self.lustre.file_system_id,
            mount_name=self.lustre.mount_name,
            subnet_id=self.lustre.subnet.subnet_id,
            az_id=self.lustre.az_id,
            storage_capacity_gib=self.lustre.storage_capacity_gib,
            links=tuple(link.record for link in self.lustre.links),
            per_unit_storage_throughput_mbps_per_tib=chosen.per_unit_storage_throughput_mbps_per_tib,
        )

    def _outputs(self) -> dict[str, str]:
        directories = {
            f"Directory{index}": self.lustre.directory_path(link) for index, link in enumerate(self.lustre.links)
        }
        machine = self.preload.machine.state_machine.state_machine_arn if self.preload else None
        return {
            "FileSystemId": self.lustre.file_system_id,
            "MountName": self.lustre.mount_name,
            "UserPolicyArn": self.user_policy.policy.managed_policy_arn,
            **({} if machine is None else {"PreloadMachineArn": machine}),
            **directories,
        }


def _preload_request(foundation: Foundation, part: LustrePart, chosen: PreloadSettings) -> dict[str, Any]:
    # takes longer to import than the stacks themselves, and most have it switched off
    from stacks.preload_request import preload_request

    lustre = replace(part, subnet_id=foundation.exported(part.subnet_id))
    return preload_request(_as_imported(foundation), lustre, chosen)


def _as_imported(foundation: Foundation) -> FoundationPart:
    """The foundation's record with the names of its exports, as far as jobs on the file system need it."""
    part, imported = foundation.part, foundation.exported
    file_systems = part.roles.file_systems
    return replace(
        part,
        bucket=imported(part.bucket),
        job_security_group_id=imported(part.job_security_group_id),
        kms_key_arn=part.kms_key_arn and imported(part.kms_key_arn),
        roles=replace(part.roles, file_systems=file_systems and imported(file_systems)),
    )
