"""Parameters in CloudFormation: their tags are a map there, and moto reads a list."""

from __future__ import annotations

from headrace_local.moto_extension.cloudformation.resource_types import PREPARATIONS, Properties


def tags_as_list(_region: str, properties: Properties) -> Properties:
    """moto hands the tags of a parameter to PutParameter as they are, which takes a list."""
    tags = properties.get("Tags")
    if not isinstance(tags, dict):
        return properties
    return {**properties, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def install() -> None:
    """Prepare parameters for moto."""
    PREPARATIONS["AWS::SSM::Parameter"] = tags_as_list
