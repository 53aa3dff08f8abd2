"""A FSx for Lustre file system that shows S3 data: SCRATCH_2, or PERSISTENT_2 on SSD for a long-lived shared one.

A training source is a copy of what lies in S3, so the file system goes away with its stack. Type and version are
stated because FSx's own defaults are SCRATCH_1 and Lustre 2.10, which take no links of this kind.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Annotations, RemovalPolicy, Stack, Tags, Token
from aws_cdk import aws_fsx as fsx
from aws_cdk import aws_kms as kms
from constructs import Construct
from headrace.errors import InvalidInput
from headrace.platform import DataLocation, LustrePart
from headrace.rules import Suppression
from headrace.rules.lustre import LUSTRE_RULES, LustreSpec, legal_capacity_gib

from headrace_cdk.isolated_vpc import JobSubnet
from headrace_cdk.lint_exceptions import LintException, accept
from headrace_cdk.lustre_link import S3Link, associate, link_checks
from headrace_cdk.machine_policies import PART_TAG
from headrace_cdk.network import DeployedNetwork, Network
from headrace_cdk.rule_check import check_all, known

LUSTRE_VERSION = "2.15"


class Lustre(Construct):
    """The file system and its links.

    Attributes: ``file_system``, ``file_system_id``, ``mount_name``, ``storage_capacity_gib``, ``subnet``, ``links``.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: Network | DeployedNetwork,
        subnet: JobSubnet,
        links: Sequence[S3Link],
        data_locations: Sequence[DataLocation],
        deployment_type: str = "SCRATCH_2",
        storage_capacity_gib: int | None = None,
        dataset_gib: float | None = None,
        per_unit_storage_throughput_mbps_per_tib: int | None = None,
        data_compression_type: str | None = None,
        kms_key: kms.IKey | None = None,
        weekly_maintenance_start_time: str | None = None,
        suppressions: Sequence[Suppression] = (),
    ) -> None:
        """Give the capacity in GiB, or the data set's size, from which a legal capacity follows.

        ``links`` stay below one of ``data_locations``. ``data_compression_type``: LZ4. ``kms_key`` and the
        throughput in MB/s per TiB are for PERSISTENT_2. Raises RuleViolations (V1-V30) and InvalidInput.
        """
        super().__init__(scope, construct_id)
        group_id = network.lustre_security_group_id
        if group_id is None:
            raise InvalidInput("Lustre: the network has no Lustre security group; make it with Network(lustre=True)")
        spec = LustreSpec(
            deployment_type=known(deployment_type),
            file_system_type_version=LUSTRE_VERSION,
            storage_capacity_gib=known(storage_capacity_gib),
            dataset_gib=known(dataset_gib),
            per_unit_storage_throughput_mbps_per_tib=known(per_unit_storage_throughput_mbps_per_tib),
            data_compression_type=known(data_compression_type),
            kms_key_given=kms_key is not None,
            subnet_count=1,
            security_group_count=1,
            weekly_maintenance_start_time=known(weekly_maintenance_start_time),
        )
        checks = link_checks(links, data_locations, deployment_type, Stack.of(self))
        check_all(self, [(LUSTRE_RULES, spec), *checks], suppressions)
        self.subnet = subnet
        self.links = tuple(links)
        self.storage_capacity_gib = _capacity(self, storage_capacity_gib, dataset_gib)
        self.file_system = fsx.CfnFileSystem(
            self,
            "FileSystem",
            file_system_type="LUSTRE",
            file_system_type_version=LUSTRE_VERSION,
            storage_capacity=self.storage_capacity_gib,
            storage_type="SSD",
            subnet_ids=[subnet.subnet_id],
            security_group_ids=[group_id],
            kms_key_id=kms_key.key_arn if kms_key else None,
            lustre_configuration=fsx.CfnFileSystem.LustreConfigurationProperty(
                deployment_type=deployment_type,
                data_compression_type=data_compression_type,
                per_unit_storage_throughput=per_unit_storage_throughput_mbps_per_tib,
                weekly_maintenance_start_time=weekly_maintenance_start_time,
            ),
        )
        self.file_system.apply_removal_policy(RemovalPolicy.DESTROY)
        # also where no stack tags it: by that the flow of ephemeral Lustre may not make it its own
        Tags.of(self.file_system).add(PART_TAG, LustrePart.part)
        if network.lustre_rules is not None:
            self.file_system.node.add_dependency(network.lustre_rules)
        if kms_key is None:
            _accept_own_key(self.file_system)
        self.file_system_id = self.file_system.ref
        self.mount_name = self.file_system.attr_lustre_mount_name
        for link in links:
            associate(self, self.file_system_id, link)

    @property
    def az_id(self) -> str:
        """The zone, by id, in which jobs must run to mount the file system."""
        return self.subnet.az_id

    def directory_path(self, link: S3Link, sub: str = "") -> str:
        """The DirectoryPath of a job's channel for what lies at ``sub`` below ``link``."""
        path = "/".join(part.strip("/") for part in (link.path, sub) if part.strip("/"))
        return f"/{self.mount_name}/{path}" if path else f"/{self.mount_name}"


def _capacity(scope: Construct, storage_capacity_gib: int | None, dataset_gib: float | None) -> int:
    if storage_capacity_gib is not None:
        return storage_capacity_gib
    if dataset_gib is None or Token.is_unresolved(dataset_gib):
        raise InvalidInput("Lustre: dataset_gib is known at deploy time only; give storage_capacity_gib instead")
    sizing = legal_capacity_gib(dataset_gib)
    Annotations.of(scope).add_info(f"Lustre capacity: {sizing.arithmetic}")
    return sizing.storage_capacity_gib


def _accept_own_key(file_system: fsx.CfnFileSystem) -> None:
    accept(
        file_system,
        LintException(
            checkov=["CKV_AWS_190"],
            reason="FSx encrypts with AWS's key; scratch file systems take no other, and else it is a choice",
        ),
    )
