"""The shared Lustre file system: disposable. Nothing imports from this stack, so that it can be destroyed alone."""

from __future__ import annotations

from typing import Any

from aws_cdk import Stack
from constructs import Construct
from headrace.platform import LustrePart
from headrace_cdk.lustre import Lustre
from headrace_cdk.lustre_link import S3Link
from headrace_cdk.platform_part import PlatformPart

from stacks.foundation import Foundation
from stacks.settings import EnvironmentSettings, LinkSettings
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
        self._foundation = foundation
        chosen = settings.lustre
        zones = None if chosen.zone is None else [chosen.zone]
        persistent = chosen.deployment_type.startswith("PERSISTENT")
        self.lustre = Lustre(
            self,
            "Lustre",
            network=foundation.network,
            subnet=subnets_in(foundation.network.subnets, zones, "lustre.zone")[0],
            links=[self._link(each, settings) for each in chosen.links],
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
        PlatformPart(self, "PlatformPart", part=self._part(platform), outputs=self._outputs())

    def _link(self, link: LinkSettings, settings: EnvironmentSettings) -> S3Link:
        declared = next((each for each in settings.data_locations if each.bucket == link.bucket), None)
        given_key = settings.kms_key if settings.kms_key.startswith("arn:") else None
        return S3Link(
            name=link.name,
            path=link.path,
            bucket=link.bucket or self._foundation.bucket_name,
            prefix=link.prefix,
            auto_import_events=link.auto_import_events,
            export=link.export,
            auto_export_events=link.auto_export_events,
            bucket_region=declared.region if declared else None,
            bucket_account=declared.account if declared else None,
            bucket_kms_key_arn=given_key if link.bucket is None else declared.kms_key_arn if declared else None,
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
        return {"FileSystemId": self.lustre.file_system_id, "MountName": self.lustre.mount_name, **directories}
