"""Who may talk to whom: security groups of jobs, Lustre, EFS and interface endpoints.

Every rule is a resource of its own, so that groups can name each other without a cycle and a file system can depend
on the rules: FSx checks at creation that its group lets Lustre's traffic through. Ports: FSx for Lustre User Guide,
"File system access control with Amazon VPC" (TCP 988 and 1018-1023, file system <-> itself and <-> clients, both
ways); EFS User Guide, "Using VPC security groups" (TCP 2049).
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, DependencyGroup, IDependable

from headrace_cdk.s3_prefix_list import s3_prefix_list_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """A range of TCP ports and what it is for."""

    first: int
    last: int
    name: str


LUSTRE_PORTS = (Ports(first=988, last=988, name="Lustre"), Ports(first=1018, last=1023, name="LustreData"))
NFS = Ports(first=2049, last=2049, name="Nfs")
HTTPS = Ports(first=443, last=443, name="Https")


class SecurityGroups(Construct):
    """A group for each side; nothing is open to anybody who is not named here.

    ``jobs`` is for training jobs; ``lustre``, ``efs`` and ``endpoints`` are None where that side is not wanted.
    ``lustre_rules`` is what a Lustre file system must depend on.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        lustre: bool = True,
        efs: bool = True,
        endpoints: bool = False,
    ) -> None:
        """``vpc``: the network of all groups; the switches say which sides there are."""
        super().__init__(scope, construct_id)
        self._vpc = vpc
        self.jobs = self._group("Jobs", "Training jobs")
        self.lustre = self._group("Lustre", "FSx for Lustre file systems") if lustre else None
        self.efs = self._group("Efs", "Mount targets of EFS") if efs else None
        self.endpoints = self._group("Endpoints", "Interface endpoints") if endpoints else None
        self.lustre_rules: IDependable = DependencyGroup(*self._lustre_rules())
        _all_traffic_within(self, self.jobs)
        _https_to_s3(self, self.jobs)
        if self.efs is not None:
            self._allow("JobsToEfs", self.jobs, self.efs, NFS)
        if self.endpoints is not None:
            self._allow("JobsToEndpoints", self.jobs, self.endpoints, HTTPS)

    def _group(self, name: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self, name, vpc=self._vpc, description=f"headrace: {description}", allow_all_outbound=False
        )

    def _allow(
        self, rule_id: str, source: ec2.SecurityGroup, destination: ec2.SecurityGroup, ports: Ports
    ) -> list[Construct]:
        """Let ``source`` open connections to ``destination``: out of the one, into the other."""
        words = f"{ports.name} from {source.node.id} to {destination.node.id}"
        outward = ec2.CfnSecurityGroupEgress(
            self,
            f"{rule_id}{ports.name}Out",
            group_id=source.security_group_id,
            destination_security_group_id=destination.security_group_id,
            ip_protocol="tcp",
            from_port=ports.first,
            to_port=ports.last,
            description=words,
        )
        inward = ec2.CfnSecurityGroupIngress(
            self,
            f"{rule_id}{ports.name}In",
            group_id=destination.security_group_id,
            source_security_group_id=source.security_group_id,
            ip_protocol="tcp",
            from_port=ports.first,
            to_port=ports.last,
            description=words,
        )
        return [outward, inward]

    def _lustre_rules(self) -> list[Construct]:
        if self.lustre is None:
            return []
        return [
            rule
            for ports in LUSTRE_PORTS
            for rule in (
                *self._allow("LustreToItself", self.lustre, self.lustre, ports),
                *self._allow("JobsToLustre", self.jobs, self.lustre, ports),
                *self._allow("LustreToJobs", self.lustre, self.jobs, ports),
            )
        ]


def _all_traffic_within(scope: Construct, group: ec2.SecurityGroup) -> None:
    words = "Everything among the instances of jobs (distributed training)"
    group_id = group.security_group_id
    ec2.CfnSecurityGroupIngress(
        scope,
        "JobsToJobsIn",
        group_id=group_id,
        source_security_group_id=group_id,
        ip_protocol="-1",
        description=words,
    )
    ec2.CfnSecurityGroupEgress(
        scope,
        "JobsToJobsOut",
        group_id=group_id,
        destination_security_group_id=group_id,
        ip_protocol="-1",
        description=words,
    )


def _https_to_s3(scope: Construct, group: ec2.SecurityGroup) -> None:
    prefix_list_id = s3_prefix_list_id(Stack.of(scope).region)
    if prefix_list_id:
        words = "HTTPS to S3 by the prefix list of the gateway endpoint"
    else:
        words = "HTTPS to any address: no S3 prefix list on record here; isolated subnets route to S3 only"
    ec2.CfnSecurityGroupEgress(
        scope,
        "JobsToS3",
        group_id=group.security_group_id,
        destination_prefix_list_id=prefix_list_id,
        cidr_ip=None if prefix_list_id else "0.0.0.0/0",
        ip_protocol="tcp",
        from_port=HTTPS.first,
        to_port=HTTPS.last,
        description=words,
    )
