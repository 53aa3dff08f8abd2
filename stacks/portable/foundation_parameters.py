"""Parameters of the foundation as a self-contained template: platform, network, shared EFS, roles."""

from __future__ import annotations

from headrace.rules.efs import LARGEST_PROVISIONED_MIBPS, LIFECYCLE_DAYS, THROUGHPUT_MODES
from headrace.rules.network_addresses import LARGEST_BLOCK_PREFIX_LENGTH
from headrace.rules.places import ZONE_ID

from stacks.names import allowed, pattern
from stacks.portable.parameters import ParameterGroup, TemplateParameter, whole

NO_TRANSITION = "NONE"
SMALLEST_VPC_PREFIX_LENGTH = 20
_HEX_ID = "([0-9a-f]{8}|[0-9a-f]{17})"
_OCTET = r"(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])"


def _zone(number: int) -> TemplateParameter:
    return TemplateParameter(
        name=f"ZoneId{number}",
        label=f"Zone {number}",
        description="Availability Zone by its id, the same place in every account: use1-az1, not us-east-1a",
        constraint="a zone's id such as use1-az1; aws ec2 describe-availability-zones tells it",
        allowed_pattern=whole(ZONE_ID.pattern),
    )


def _subnet(number: int) -> TemplateParameter:
    return TemplateParameter(
        name=f"SubnetId{number}",
        label=f"Subnet {number}",
        description=f"Subnet for jobs and file systems, in zone {number}",
        type="AWS::EC2::Subnet::Id",
    )


def _cidr_pattern() -> str:
    """Blocks by their first address: the third number is a multiple of what the prefix length leaves."""
    lengths = range(LARGEST_BLOCK_PREFIX_LENGTH, SMALLEST_VPC_PREFIX_LENGTH + 1)
    blocks = (f"({'|'.join(map(str, range(0, 256, 2 ** (24 - length))))})\\.0/{length}" for length in lengths)
    return rf"^{_OCTET}\.{_OCTET}\.({'|'.join(blocks)})$"


PLATFORM = ParameterGroup(
    label="Platform",
    parameters=(
        TemplateParameter(
            name="PlatformName",
            label="Name",
            description="Name that jobs know the platform by (headrace train --platform); names of its jobs begin so",
            constraint=allowed("platform"),
            allowed_pattern=whole(pattern("platform")),
        ),
    ),
)
S3_PREFIX_LIST = TemplateParameter(
    name="S3PrefixListId",
    label="Prefix list of S3",
    description=(
        "Managed prefix list com.amazonaws.REGION.s3 that jobs may reach; empty: HTTPS to any address, of which "
        "isolated subnets can reach S3 only"
    ),
    constraint="the id of a prefix list, pl-..., or nothing",
    default="",
    allowed_pattern=f"^(pl-{_HEX_ID})?$",
)
NEW_NETWORK = ParameterGroup(
    label="Network",
    parameters=(
        TemplateParameter(
            name="VpcCidr",
            label="Addresses",
            description="IPv4 block of the new VPC, /16 to /20, by its first address",
            constraint="an IPv4 block of /16 to /20, such as 10.64.0.0/20",
            default="10.64.0.0/20",
            allowed_pattern=_cidr_pattern(),
        ),
        TemplateParameter(
            name="SubnetHostBits",
            label="Size of a subnet",
            description="Each subnet has 2 to the power of this many addresses: 10 is a /22; four must fit in the VPC",
            constraint="8 (256 addresses) to 30 minus the prefix length of the VPC: 10 for /20, 14 for /16",
            type="Number",
            default=10,
            min_value=8,
            max_value=14,
        ),
        _zone(1),
        _zone(2),
        S3_PREFIX_LIST,
    ),
)
EXISTING_NETWORK = ParameterGroup(
    label="Network",
    parameters=(
        TemplateParameter(
            name="VpcId",
            label="VPC",
            description="VPC with DNS support and DNS host names",
            type="AWS::EC2::VPC::Id",
        ),
        _subnet(1),
        _zone(1),
        _subnet(2),
        _zone(2),
        TemplateParameter(
            name="RouteTableIds",
            label="Route tables",
            description="All route tables of the two subnets: a job saves its result through the S3 endpoint on them",
            constraint="ids of route tables, rtb-..., with commas between them",
            type="CommaDelimitedList",
            allowed_pattern=f"^rtb-{_HEX_ID}$",
        ),
        TemplateParameter(
            name="CreateS3GatewayEndpoint",
            label="Create the S3 gateway endpoint",
            description="no: the route tables have one already",
            default="yes",
            allowed_values=("yes", "no"),
        ),
        S3_PREFIX_LIST,
    ),
)
SHARED_EFS = ParameterGroup(
    label="Shared EFS",
    parameters=(
        TemplateParameter(
            name="EfsPerformanceMode",
            label="Performance mode",
            description="Cannot be changed later; maxIO does not go with elastic throughput",
            default="generalPurpose",
            allowed_values=("generalPurpose", "maxIO"),
        ),
        TemplateParameter(
            name="EfsThroughputMode",
            label="Throughput mode",
            description="elastic is paid by what is read and written, provisioned by what is reserved",
            default="elastic",
            allowed_values=THROUGHPUT_MODES,
        ),
        TemplateParameter(
            name="EfsProvisionedMibps",
            label="Provisioned throughput",
            description="MiB/s with throughput mode provisioned; left at 1 with the other modes",
            constraint=f"2 to {LARGEST_PROVISIONED_MIBPS} with throughput mode provisioned, otherwise 1",
            type="Number",
            # No value at all is nothing that a Number can be, and the linters ask that a default be a legal value.
            default=1,
            min_value=1,
            max_value=LARGEST_PROVISIONED_MIBPS,
        ),
        TemplateParameter(
            name="EfsTransitionToIa",
            label="Move to Infrequent Access",
            description="After so many days without access; NONE moves nothing",
            default=NO_TRANSITION,
            allowed_values=(
                NO_TRANSITION,
                *(f"AFTER_{days}_DAY{'' if days == 1 else 'S'}" for days in LIFECYCLE_DAYS),
            ),
        ),
        TemplateParameter(
            name="EfsBackup",
            label="Automatic backup",
            description="Daily, by AWS Backup",
            default="DISABLED",
            allowed_values=("DISABLED", "ENABLED"),
        ),
    ),
)
IAM = ParameterGroup(
    label="Roles and policies",
    parameters=(
        TemplateParameter(
            name="IamPath",
            label="Path",
            description="IAM path of roles and policies",
            constraint=allowed("iam.path"),
            default="/",
            allowed_pattern=whole(pattern("iam.path")),
        ),
        TemplateParameter(
            name="PermissionsBoundaryArn",
            label="Permissions boundary",
            description="Managed policy that bounds every role; empty: none",
            constraint=f"{allowed('iam.permissions_boundary_arn')}, or nothing",
            default="",
            allowed_pattern=whole(f"|{pattern('iam.permissions_boundary_arn')}"),
        ),
    ),
)
