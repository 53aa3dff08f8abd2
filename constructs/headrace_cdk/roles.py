"""Execution roles of training jobs, one for each reach: S3, file systems, both; and those of own ingestion by name.

A job that reads its data from a mounted file system needs no right on the data in S3, and its role has none: the file
system's security group is the guard there. All of them may read the job's code, write its output, and read and write
its checkpoints. Roles use the platform's KMS key; for volumes and output under another key, a job names a role of its
own.

The rights are managed policies: one that every role has, one for the data in S3, one for the network that file systems
are reached through. Copies of the same statements in each role would take a third of the 50 KiB of a template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from headrace.platform import DataLocation, Roles
from headrace.rules import Suppression

from headrace_cdk import policies
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.ingestion import IngestionStatement, check_ingestion, ingest_itself
from headrace_cdk.lint_exceptions import LintException
from headrace_cdk.managed_policy import managed_policy, place_of
from headrace_cdk.network import Network

INTERFACE_PERMISSION = LintException(
    checkov=["CKV_AWS_109"],
    reason="CreateNetworkInterfacePermission is how a job's interface is handed to SageMaker; it grants no IAM right",
)


class TrainingRoles(Construct):
    """The roles that the switched-on roads need: ``s3``; ``file_systems`` and ``both`` are None without such a road.

    ``ingestion``: role by the name that it was declared with.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: str,
        network: Network,
        bucket_name: str,
        data_locations: Sequence[DataLocation],
        job_name_prefix: str,
        file_systems: bool = True,
        kms_key_arns: Sequence[str] = (),
        data_kms_key_arns: Sequence[str] = (),
        image_repository_arns: Sequence[str] | None = None,
        require_vpc: bool = False,
        ingestion: Mapping[str, Sequence[IngestionStatement]] | None = None,
        naming: IamNaming | None = None,
        suppressions: Sequence[Suppression] = (),
    ) -> None:
        """``data_locations``: what S3 jobs may read. ``job_name_prefix``: only jobs named so may use the roles.

        ``kms_key_arns``: of the platform's bucket. ``data_kms_key_arns``: of data locations, to decrypt with.
        ``image_repository_arns``: default is every repository that lets this account in, since AWS's own images lie
        in AWS's accounts. ``require_vpc``: jobs on S3 name the network too. ``ingestion``: name -> what a job of this
        role may do beside what ``both`` may. Raises RuleViolations for statements that hand the account over, and
        InvalidInput where a policy would be larger than IAM takes.
        """
        super().__init__(scope, construct_id)
        check_ingestion(self, ingestion or {}, suppressions)
        place = place_of(self)
        self._platform = platform
        self._naming = naming or IamNaming()
        self._trusted = iam.ServicePrincipal("sagemaker.amazonaws.com").with_conditions(
            policies.training_trust(place, job_name_prefix)
        )
        basics = self._policy(
            "Basics",
            *policies.job_basics(place, image_repository_arns or policies.any_repository(place)),
            *policies.own_objects(place, bucket_name),
            *policies.use_keys(place, kms_key_arns),
            *policies.encrypt_volumes(kms_key_arns),
        )
        data = self._policy(
            "Data",
            *policies.read_data(place, data_locations),
            *policies.decrypt_data(place, data_kms_key_arns),
        )
        self.file_systems: iam.Role | None = None
        self.both: iam.Role | None = None
        attachment = self._network_policy(place, network) if file_systems or require_vpc or ingestion else None
        self.s3 = self._role("S3", "s3", [basics, data], attachment if require_vpc else None)
        if file_systems:
            self.file_systems = self._role("FileSystems", "file-systems", [basics], attachment)
            self.both = self._role("Both", "both", [basics, data], attachment)
        self.ingestion = {
            name: self._ingestion_role(name, statements, [basics, data], attachment)
            for name, statements in (ingestion or {}).items()
        }

    @property
    def all(self) -> list[iam.Role]:
        """The roles that exist."""
        reaches = (self.s3, self.file_systems, self.both)
        return [*(role for role in reaches if role is not None), *self.ingestion.values()]

    @property
    def in_network(self) -> list[iam.Role]:
        """The roles of jobs that mount file systems."""
        mounting = (self.file_systems, self.both)
        return [*(role for role in mounting if role is not None), *self.ingestion.values()]

    @property
    def record(self) -> Roles:
        """What jobs need to know of them."""
        return Roles(
            s3=self.s3.role_arn,
            file_systems=self.file_systems.role_arn if self.file_systems else None,
            both=self.both.role_arn if self.both else None,
        )

    def _ingestion_role(
        self,
        name: str,
        statements: Sequence[IngestionStatement],
        rights: Sequence[iam.IManagedPolicy],
        attachment: iam.IManagedPolicy | None,
    ) -> iam.Role:
        # The id ends in the name, so that declaring another role replaces none that is there.
        own = self._policy(f"Ingest-{name}", *ingest_itself(statements))
        return self._role(f"Ingestion-{name}", f"ingest-{name}", [*rights, own], attachment)

    def _policy(
        self, policy_id: str, *statements: policies.Statement, exceptions: Sequence[LintException] = ()
    ) -> iam.ManagedPolicy:
        return managed_policy(
            self,
            policy_id,
            platform=self._platform,
            purpose=f"training-{policy_id.lower()}",
            statements=statements,
            naming=self._naming,
            exceptions=exceptions,
        )

    def _network_policy(self, place: policies.Place, network: Network) -> iam.ManagedPolicy:
        subnet_ids = [subnet.subnet_id for subnet in network.subnets]
        group_ids = [network.security_groups.jobs.security_group_id]
        statements = policies.attach_to_network(place, subnet_ids, group_ids)
        return self._policy("Network", *statements, exceptions=[INTERFACE_PERMISSION])

    def _role(
        self, role_id: str, reach: str, rights: Sequence[iam.IManagedPolicy], attachment: iam.IManagedPolicy | None
    ) -> iam.Role:
        return iam.Role(
            self,
            role_id,
            assumed_by=self._trusted,
            description=f"headrace {self._platform}: training jobs, {reach.replace('-', ' ')}",
            role_name=self._naming.name(self._platform, Stack.of(self).region, reach),
            path=self._naming.path,
            permissions_boundary=self._naming.boundary(self, f"{role_id}Boundary"),
            managed_policies=[*rights, *([attachment] if attachment else [])],
        )
