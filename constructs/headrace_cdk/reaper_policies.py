"""What only the reaper may do: mark a file system, and tell of it."""

from __future__ import annotations

from headrace.platform import MARKED_TAG

from headrace_cdk.machine_policies import MADE_LATER, Conditions, tagged
from headrace_cdk.policies import Place, Statement, allow


def mark(place: Place, platform: str, flow: str) -> list[Statement]:
    """Put the reaper's mark on an ephemeral file system of this platform and take it away: this one tag."""
    only_the_mark: Conditions = {
        "ForAllValues:StringEquals": {"aws:TagKeys": [MARKED_TAG]},
        "Null": {"aws:TagKeys": "false"},
    }
    return [
        allow(
            "MarkOurs",
            ["fsx:TagResource", "fsx:UntagResource"],
            [place.arn("fsx", "file-system/*")],
            {**tagged("aws:ResourceTag", platform, flow), **only_the_mark},
            why_wildcard=MADE_LATER,
        )
    ]


def tell(topic_arn: str) -> list[Statement]:
    """Publish to a topic."""
    return [allow("Tell", ["sns:Publish"], [topic_arn])]
