"""What only the machine may do that loads the shared Lustre after a deployment."""

from __future__ import annotations

from headrace_cdk.machine_policies import Conditions, machine_arn
from headrace_cdk.policies import Place, Statement, allow

PRELOADED_TAGS = "headrace:preloaded:"
"""What the keys begin with by which a shared file system remembers which links are loaded."""


def remember_links(place: Place, file_system_id: str) -> list[Statement]:
    """Write on one file system which of its links are loaded, and no other tag."""
    only_these: Conditions = {
        "ForAllValues:StringLike": {"aws:TagKeys": [f"{PRELOADED_TAGS}*"]},
        "Null": {"aws:TagKeys": "false"},
    }
    file_system = place.arn("fsx", f"file-system/{file_system_id}")
    return [allow("RememberLinks", ["fsx:TagResource"], [file_system], only_these)]


def see_own_executions(place: Place, name: str) -> list[Statement]:
    """Find out which executions of a machine run."""
    return [allow("SeeOwnExecutions", ["states:ListExecutions"], [machine_arn(place, name)])]
