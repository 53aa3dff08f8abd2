"""The flow of ephemeral Lustre: a state machine that makes a file system for one job and takes it down again.

The machine keeps the spending cap itself and makes nothing outside it, whoever starts it. It may not delete: that is
the teardown machine's, which it starts and awaits.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from constructs import Construct
from headrace.platform import DataLocation
from headrace.rules import Suppression
from headrace.rules.ephemeral_platform import EPHEMERAL_PLATFORM_RULES, EphemeralPlatformSpec

from headrace_cdk import flow_policies, machine_policies, policies
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.lustre_link import S3Link, link_checks
from headrace_cdk.machine import Machine
from headrace_cdk.machine_policies import machine_arn, machine_name
from headrace_cdk.managed_policy import place_of
from headrace_cdk.rule_check import check_all, known
from headrace_cdk.teardown import FLOW, TEARDOWN

DEPLOYMENT_TYPE = "SCRATCH_2"


class EphemeralLustre(Construct):
    """``machine``: the flow. ``links``: what its file systems may show."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: str,
        subnet_ids: Sequence[str],
        lustre_security_group_id: str,
        job_security_group_id: str,
        role_arns: Sequence[str],
        links: Sequence[S3Link],
        data_locations: Sequence[DataLocation],
        job_name_prefix: str,
        max_file_systems: int,
        max_gib: int,
        max_hours: int,
        kms_key_arns: Sequence[str] = (),
        data_kms_key_arns: Sequence[str] = (),
        naming: IamNaming | None = None,
        suppressions: Sequence[Suppression] = (),
    ) -> None:
        """``role_arns``: of the jobs that mount it. ``links``: below ``data_locations``.

        The cap: how many file systems of this platform may live at once, with how many GiB in all, each how many hours.
        The keys are those of buckets, as for TrainingRoles. Raises RuleViolations for links and caps that cannot be.
        """
        super().__init__(scope, construct_id)
        place, naming = place_of(self), naming or IamNaming()
        spec = EphemeralPlatformSpec(
            max_file_systems=known(max_file_systems),
            max_gib=known(max_gib),
            max_hours=known(max_hours),
            link_count=len(links),
        )
        checks = link_checks(links, data_locations, DEPLOYMENT_TYPE, Stack.of(self))
        check_all(self, [(EPHEMERAL_PLATFORM_RULES, spec), *checks], suppressions)
        self.links = tuple(links)
        flow, teardown = machine_name(platform, FLOW), machine_name(platform, TEARDOWN)
        self.machine = Machine(
            self,
            "Machine",
            platform=platform,
            kind=FLOW,
            values={
                "Platform": platform,
                "SubnetIds": ",".join(subnet_ids),
                "LinkedUris": "|".join(f"s3://{link.bucket}/{link.prefix}" for link in links),
                "LustreSecurityGroupId": lustre_security_group_id,
                "JobSecurityGroupId": job_security_group_id,
                "MaxFileSystems": str(max_file_systems),
                "MaxGib": str(max_gib),
                "MaxHours": str(max_hours),
                "TeardownMachineArn": machine_arn(place, teardown),
            },
            naming=naming,
            statements=[
                *flow_policies.make_file_systems(place, platform, flow),
                *flow_policies.have_fsx_link(place, [link.record for link in links]),
                *machine_policies.look_at_ours(
                    "fsx:DescribeDataRepositoryAssociations", "fsx:DescribeDataRepositoryTasks"
                ),
                *machine_policies.run_jobs(place, job_name_prefix, role_arns, subnet_ids, [job_security_group_id]),
                *machine_policies.start_machine(place, teardown, "StartTeardown"),
                *machine_policies.look_at_executions(place, teardown, "AwaitTeardown"),
                *policies.use_keys(place, kms_key_arns),
                *policies.decrypt_data(place, data_kms_key_arns),
            ],
        )
