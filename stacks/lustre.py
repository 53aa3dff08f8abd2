"""The shared Lustre file system: disposable. Nothing imports from this stack, so that it can be destroyed alone."""

from __future__ import annotations

from typing import Any

from aws_cdk import Stack
from constructs import Construct
from headrace.platform import LustrePart
from headrace_cdk.alarm_topic import AlarmTopic
from headrace_cdk.idle_alarm import IdleAlarm
from headrace_cdk.lustre import Lustre
from headrace_cdk.lustre_user_policy import LustreUserPolicy
from headrace_cdk.platform_part import PlatformPart

from stacks.foundation import Foundation
from stacks.from_settings import link_of, naming_of
from stacks.settings import AlarmSettings, EnvironmentSettings
from stacks.zones import subnets_in


class SharedLustre(Stack):
    """``lustre``: the file system; its record says where jobs find it."""

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
        self._suppressions = foundation.suppressions
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
        if chosen.idle_alarm_hours is not None:
            self._tell_when_idle(platform, chosen.idle_alarm_hours, settings.alarms)
        PlatformPart(self, "PlatformPart", part=self._part(platform), outputs=self._outputs())

    def _tell_when_idle(self, platform: str, hours: int, alarms: AlarmSettings) -> None:
        # A topic of this stack's own: it takes from the foundation only, and is destroyed alone.
        topic = None
        if alarms.topic_arn is not None or alarms.emails:
            topic = AlarmTopic(
                self, "AlarmTopic", platform=platform, existing_topic_arn=alarms.topic_arn, emails=alarms.emails
            ).topic
        IdleAlarm(
            self,
            "IdleAlarm",
            file_system_id=self.lustre.file_system_id,
            hours=hours,
            topic=topic,
            suppressions=self._suppressions,
        )

    def _part(self, platform: str) -> LustrePart:
        return LustrePart(
            platform=platform,
            file_system_id=self.lustre.file_system_id,
            mount_name=self.lustre.mount_name,
            subnet_id=self.lustre.subnet.subnet_id,
            az_id=self.lustre.az_id,
            storage_capacity_gib=self.lustre.storage_capacity_gib,
            links=tuple(link.record for link in self.lustre.links),
        )

    def _outputs(self) -> dict[str, str]:
        directories = {
            f"Directory{index}": self.lustre.directory_path(link) for index, link in enumerate(self.lustre.links)
        }
        return {
            "FileSystemId": self.lustre.file_system_id,
            "MountName": self.lustre.mount_name,
            "UserPolicyArn": self.user_policy.policy.managed_policy_arn,
            **directories,
        }
