"""The closed network in which jobs meet their data: a new VPC, or subnets of an existing one.

Jobs have no way to the internet. S3 is reached by the gateway endpoint, which has to stand on every route table of
the job's subnets: without it a job trains and then fails at the upload of its result. Interface endpoints are for
what the *script* of a job calls (sts, logs, sagemaker.api ...) and cost money by the hour, so each has its own switch;
SageMaker pulls the image and ships the log by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aws_cdk import Stack, Token
from aws_cdk import aws_ec2 as ec2
from constructs import Construct
from headrace.rules import UNKNOWN, Suppression, Unknown
from headrace.rules.network import NETWORK_RULES, NetworkSpec

from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.isolated_vpc import TOKEN_SUBNET_HOST_BITS, IsolatedVpc, JobSubnet, imported_vpc, one_per_zone
from headrace_cdk.rule_check import check, known
from headrace_cdk.security_groups import SecurityGroups


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingNetwork:
    """Subnets of a VPC that is there already. Which zone a subnet lies in is given by the zone's id.

    ``s3_gateway_endpoint``: False where the route tables have the S3 gateway endpoint already.
    """

    vpc_id: str
    subnets: tuple[JobSubnet, ...]
    route_table_ids: tuple[str, ...]
    s3_gateway_endpoint: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedNetwork:
    """What a Lustre file system needs of a network of another template, which is deployed with its rules before."""

    lustre_security_group_id: str
    lustre_rules: None = None


class Network(Construct):
    """VPC, subnets with their zone ids, endpoints and security groups.

    Attributes: ``vpc``, ``subnets`` (:class:`JobSubnet`), ``security_groups`` and ``lustre_rules``.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cidr: str | None = None,
        availability_zones: Sequence[str] | None = None,
        availability_zone_ids: Sequence[str] | None = None,
        token_host_bits: str = str(TOKEN_SUBNET_HOST_BITS),
        existing: ExistingNetwork | None = None,
        interface_endpoints: Sequence[str] = (),
        flow_logs: bool = True,
        lustre: bool = True,
        efs: bool = True,
        platform: str = "headrace",
        naming: IamNaming | None = None,
        suppressions: Sequence[Suppression] = (),
    ) -> None:
        """A new VPC takes ``cidr`` and zones, by name or (better: the same in every account) by id; or ``existing``.

        ``token_host_bits``: the size of a subnet where ``cidr`` is a Token, as the number of its address bits.
        ``interface_endpoints``: AWS's short service names, such as ``sts``. ``flow_logs``: of a new VPC. ``lustre``,
        ``efs``: whether there are security groups for them. ``platform``, ``naming``: of the role that writes the flow
        logs. Raises RuleViolations (V11, V29, V36, V50 and others).
        """
        super().__init__(scope, construct_id)
        spec = replace(
            _existing_spec(existing),
            region=known(Stack.of(self).region),
            cidr=known(cidr),
            availability_zones=_known_list(availability_zones),
            availability_zone_ids=_known_list(availability_zone_ids),
            interface_endpoints=tuple(interface_endpoints),
        )
        check(self, NETWORK_RULES, spec, suppressions)
        if existing is None:
            new = IsolatedVpc(
                self,
                "IsolatedVpc",
                cidr=str(cidr),
                availability_zones=availability_zones or (),
                availability_zone_ids=availability_zone_ids or (),
                token_host_bits=token_host_bits,
                flow_logs=flow_logs,
                platform=platform,
                naming=naming,
            )
            self.vpc, self.subnets = new.vpc, new.subnets
            self._add_s3_gateway(new.route_table_ids)
        else:
            self.subnets = existing.subnets
            self.vpc = imported_vpc(self, "ImportedVpc", existing.vpc_id, existing.subnets)
            if existing.s3_gateway_endpoint:
                self._add_s3_gateway(existing.route_table_ids)
        self.security_groups = SecurityGroups(
            self, "SecurityGroups", vpc=self.vpc, lustre=lustre, efs=efs, endpoints=bool(interface_endpoints)
        )
        self.lustre_rules = self.security_groups.lustre_rules
        for service in interface_endpoints:
            self._add_interface_endpoint(service)

    @property
    def lustre_security_group_id(self) -> str | None:
        """The group of Lustre file systems, where there is one."""
        group = self.security_groups.lustre
        return None if group is None else group.security_group_id

    def _add_s3_gateway(self, route_table_ids: Sequence[str]) -> None:
        ec2.CfnVPCEndpoint(
            self,
            "S3Gateway",
            vpc_id=self.vpc.vpc_id,
            service_name=f"com.amazonaws.{Stack.of(self).region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=list(route_table_ids),
        )

    def _add_interface_endpoint(self, service: str) -> None:
        group = self.security_groups.endpoints
        if group is None:
            raise AssertionError("interface endpoints have a group whenever there is one of them")
        ec2.CfnVPCEndpoint(
            self,
            f"Endpoint-{service}",
            vpc_id=self.vpc.vpc_id,
            service_name=f"com.amazonaws.{Stack.of(self).region}.{service}",
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            subnet_ids=[subnet.subnet_id for subnet in one_per_zone(self.subnets)],
            security_group_ids=[group.security_group_id],
        )


def _existing_spec(existing: ExistingNetwork | None) -> NetworkSpec:
    if existing is None:
        return NetworkSpec()
    return NetworkSpec(
        existing_vpc_id=known(existing.vpc_id),
        existing_subnets=tuple((known(each.subnet_id), known(each.az_id)) for each in existing.subnets),
        existing_route_table_ids=_known_list(existing.route_table_ids),
    )


def _known_list(values: Sequence[str] | None) -> tuple[str | Unknown, ...] | Unknown | None:
    if values is None:
        return None
    # A list that only the deployment knows looks like a list of one.
    return UNKNOWN if Token.is_unresolved(list(values)) else tuple(map(known, values))
