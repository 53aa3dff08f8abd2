"""The shared Lustre file system as a self-contained template: it imports from a foundation stack, and exports nothing.

So it can be deleted alone, and the foundation cannot be deleted before it.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws, CfnMapping, CfnOutput, Fn, Stack, Tags, Token
from constructs import Construct
from headrace.platform import PLATFORM_TAG, DataLocation, LustrePart
from headrace.rules.lustre import PERSISTENT_2
from headrace_cdk.dataset_bucket import DATA_PREFIX
from headrace_cdk.idle_alarm import IdleAlarm
from headrace_cdk.isolated_vpc import JobSubnet
from headrace_cdk.lustre import Lustre
from headrace_cdk.lustre_link import S3Link
from headrace_cdk.machine_policies import PART_TAG
from headrace_cdk.network import DeployedNetwork
from headrace_cdk.platform_part import PlatformPart

from stacks.portable.lustre_parameters import AUTO_IMPORT_EVENTS, IDLE_ALARM, LINK, NO_AUTO_IMPORT, PLACE, SIZE
from stacks.portable.parameters import add_parameters, condition, parameter_is, resource_of
from stacks.portable.rules import require_fitting_lustre_throughput

LINK_NAME = "data"


class PortableLustre(Stack):
    """The file system, its link and its record. ``parameters``: Parameter by name."""

    def __init__(self, scope: Construct, construct_id: str, **stack: Any) -> None:
        """``stack``: what :class:`aws_cdk.Stack` takes."""
        super().__init__(scope, construct_id, **stack)
        self.parameters = add_parameters(self, [PLACE, SIZE, LINK, IDLE_ALARM])
        require_fitting_lustre_throughput(self)
        self._bucket = self._imported("BucketName")
        self.link = S3Link(name=LINK_NAME, path=Fn.ref("LinkPath"), bucket=self._bucket, prefix=Fn.ref("DataPrefix"))
        self.lustre = self._lustre()
        self._follow_the_bucket()
        self._tell_when_idle()
        part = self._part()
        PlatformPart(self, "PlatformPart", part=part, outputs={})
        for name, (value, description) in self._outputs().items():
            CfnOutput(self, name, value=value, description=description)
        Tags.of(self).add(PLATFORM_TAG, part.platform)
        Tags.of(self).add(PART_TAG, part.part)

    def _imported(self, what: str) -> str:
        return Fn.import_value(f"{Fn.ref('FoundationStackName')}-{what}")

    def _lustre(self) -> Lustre:
        zone = Fn.ref("ZoneNumber")
        persistent = condition(self, "IsPersistent", parameter_is("DeploymentType", PERSISTENT_2))
        throughput = Fn.condition_if(persistent.logical_id, Fn.ref("PerUnitStorageThroughput"), Aws.NO_VALUE)
        # CDK hides a value of the deployment in a number, which is no whole one.
        capacity: Any = self.parameters["StorageCapacityGib"].value_as_number
        mbps_per_tib: Any = Token.as_number(throughput)
        return Lustre(
            self,
            "Lustre",
            network=DeployedNetwork(lustre_security_group_id=self._imported("LustreSecurityGroupId")),
            subnet=JobSubnet(
                key="Zone", subnet_id=self._imported(f"SubnetId{zone}"), az_id=self._imported(f"ZoneId{zone}")
            ),
            links=[self.link],
            data_locations=[DataLocation(bucket=self._bucket, prefix=DATA_PREFIX)],
            deployment_type=Fn.ref("DeploymentType"),
            storage_capacity_gib=capacity,
            per_unit_storage_throughput_mbps_per_tib=mbps_per_tib,
            data_compression_type=Fn.ref("DataCompressionType"),
        )

    def _follow_the_bucket(self) -> None:
        wanted = Fn.condition_not(parameter_is("AutoImport", NO_AUTO_IMPORT))
        following = condition(self, "FollowsTheBucket", wanted).logical_id
        events = CfnMapping(
            self,
            "AutoImportEvents",
            mapping={name: {"Events": list(events)} for name, events in AUTO_IMPORT_EVENTS.items()},
        )
        chosen = {"Fn::FindInMap": [events.logical_id, Fn.ref("AutoImport"), "Events"]}
        policy = {"AutoImportPolicy": {"Events": chosen}}
        link = resource_of(self.lustre, f"Link-{LINK_NAME}")
        link.add_property_override("S3", Fn.condition_if(following, policy, Aws.NO_VALUE))

    def _tell_when_idle(self) -> None:
        hours: Any = self.parameters["IdleAlarmHours"].value_as_number
        idle = IdleAlarm(self, "IdleAlarm", file_system_id=self.lustre.file_system_id, hours=hours)
        is_given = Fn.condition_not(parameter_is("AlarmTopicArn", ""))
        given = condition(self, "AlarmTopicArnIsGiven", is_given).logical_id
        actions = Fn.condition_if(given, [Fn.ref("AlarmTopicArn")], Aws.NO_VALUE)
        resource_of(idle.alarm, "Resource").add_property_override("AlarmActions", actions)

    def _part(self) -> LustrePart:
        # 0 with SCRATCH_2, by a rule of the template
        mbps_per_tib: Any = Token.as_number(Fn.ref("PerUnitStorageThroughput"))
        return LustrePart(
            platform=self._imported("PlatformName"),
            file_system_id=self.lustre.file_system_id,
            mount_name=self.lustre.mount_name,
            subnet_id=self.lustre.subnet.subnet_id,
            az_id=self.lustre.az_id,
            storage_capacity_gib=self.lustre.storage_capacity_gib,
            links=(self.link.record,),
            per_unit_storage_throughput_mbps_per_tib=mbps_per_tib,
        )

    def _outputs(self) -> dict[str, tuple[str, str]]:
        """Output name -> value and description."""
        directory = f"/{self.lustre.mount_name}{self.link.path}"
        return {
            "FileSystemId": (self.lustre.file_system_id, "FSx for Lustre file system"),
            "MountName": (self.lustre.mount_name, "Its mount name"),
            "Directory": (directory, "DirectoryPath of a job's channel that reads the linked data"),
        }
