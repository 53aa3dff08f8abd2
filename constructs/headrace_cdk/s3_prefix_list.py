"""Where jobs reach S3: the prefix list of the Region's gateway endpoint, from a dated table."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


@cache
def s3_prefix_list_ids() -> dict[str, str]:
    """Region -> id of the AWS-managed prefix list of S3; source and date stand in the file."""
    text = files("headrace_cdk").joinpath("data/s3_prefix_lists.json").read_text(encoding="utf-8")
    ids: dict[str, str] = json.loads(text)["prefix_list_ids"]
    return ids


def s3_prefix_list_id(region: str) -> str | None:
    """The id for ``region``; None for a Region that is not in the table, or a Token."""
    return s3_prefix_list_ids().get(region)
