"""What only the flow of ephemeral Lustre may do: make file systems, link them, and fill them.

Sources: Service Authorization Reference, "Amazon FSx"; FSx for Lustre User Guide, "Adding permissions to use data
repositories in Amazon S3" and "Using tags with Amazon FSx"; AWS CloudFormation Template Reference, "CloudFormation
resource tagging" (``aws:cloudformation:stack-id``).
"""

from __future__ import annotations

from collections.abc import Sequence

from headrace.platform import EXPIRES_TAG, LustreLink

from headrace_cdk.machine_policies import MADE_LATER, PART_TAG, Conditions, tagged
from headrace_cdk.policies import BELOW_A_PREFIX, Place, Statement, allow

STACK_TAG = "aws:cloudformation:stack-id"
"""What CloudFormation tags with, and nobody else can."""

FSX_LINK_ROLES = "s3.data-source.lustre.fsx.amazonaws.com"


def make_file_systems(place: Place, platform: str, flow: str) -> list[Statement]:
    """Create file systems, links and tasks that are tagged as this platform's and as an execution's of ``flow``.

    FSx asks for TagResource when something is created with tags. It is the same right that tags what exists, and no key
    tells the two apart. So it does not hold for what has a tag of CloudFormation or of the construct Lustre: no file
    system of a stack gets an owner.
    """
    made = [place.arn("fsx", f"{kind}/*") for kind in ("file-system", "association", "task")]
    file_systems = made[0]
    as_ours = tagged("aws:RequestTag", platform, flow)
    with_expiry = {**as_ours, "Null": {f"aws:RequestTag/{EXPIRES_TAG}": "false"}}
    of_no_stack: Conditions = {
        **as_ours,
        "Null": {f"aws:ResourceTag/{PART_TAG}": "true", f"aws:ResourceTag/{STACK_TAG}": "true"},
    }
    links_and_tasks = ["fsx:CreateDataRepositoryAssociation", "fsx:CreateDataRepositoryTask"]
    return [
        allow("CreateOurs", ["fsx:CreateFileSystem"], [file_systems], with_expiry, why_wildcard=MADE_LATER),
        allow("TagWhatIsMade", ["fsx:TagResource"], made, of_no_stack, why_wildcard=MADE_LATER),
        allow(
            "LinkAndFillOurs",
            links_and_tasks,
            [file_systems],
            tagged("aws:ResourceTag", platform, flow),
            why_wildcard=MADE_LATER,
        ),
        allow("MakeLinksAndTasks", links_and_tasks, made[1:], as_ours, why_wildcard=MADE_LATER),
    ]


def have_fsx_link(place: Place, links: Sequence[LustreLink]) -> list[Statement]:
    """What FSx asks of whoever links a file system: rights on the data, and on the role that FSx makes for each link.

    FSx demands PutObject for links that only import, too.
    """
    buckets = dict.fromkeys(place.s3_arn(link.bucket) for link in links)
    below = [place.s3_arn(f"{link.bucket}/{link.prefix}*") for link in links]
    link_roles = f"arn:{place.partition}:iam::{place.account}:role/aws-service-role/{FSX_LINK_ROLES}/*"
    fsx_role = f"arn:{place.partition}:iam::{place.account}:role/aws-service-role/fsx.amazonaws.com/*"
    return [
        allow(
            "ShowLinkedData",
            ["s3:Get*", "s3:List*"],
            [*buckets, *below],
            why_wildcard=f"FSx demands these actions by wildcard; {BELOW_A_PREFIX}",
        ),
        allow("LinkedDataMayBeWritten", ["s3:PutObject"], below, why_wildcard=BELOW_A_PREFIX),
        allow(
            "LetFsxReadTheData",
            ["iam:AttachRolePolicy", "iam:CreateServiceLinkedRole", "iam:PutRolePolicy"],
            [link_roles],
            why_wildcard="FSx makes a service-linked role for each link and names it after the file system",
        ),
        allow(
            "LetFsxIn",
            ["iam:CreateServiceLinkedRole"],
            [fsx_role],
            {"StringEquals": {"iam:AWSServiceName": "fsx.amazonaws.com"}},
            why_wildcard="the service-linked role of FSx itself, made once in an account",
        ),
    ]
