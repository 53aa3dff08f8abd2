"""File systems and links in CloudFormation: made through the API, and waited for as CloudFormation waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.cloudformation.resource_types import AddedType, Created, Properties, Unsupported, add

_POLL_SECONDS = 0.1
_NUMBERS = ("StorageCapacity", "PerUnitStorageThroughput", "ImportedFileChunkSize")
_SWITCHES = ("CopyTagsToBackups", "BatchImportMetaDataOnCreate")


class CreationFailed(Unsupported):
    """What was made is not AVAILABLE."""


def _create_file_system(region: str, properties: Properties) -> Created:
    fsx = client("fsx", region)
    file_system_id = fsx.create_file_system(**_typed(properties))["FileSystem"]["FileSystemId"]

    def describe() -> Mapping[str, Any]:
        found: Mapping[str, Any] = fsx.describe_file_systems(FileSystemIds=[file_system_id])["FileSystems"][0]
        return found

    file_system = _available(describe)
    return Created(
        physical_id=file_system_id,
        attributes={
            "DNSName": file_system["DNSName"],
            "LustreMountName": file_system["LustreConfiguration"]["MountName"],
            "ResourceARN": file_system["ResourceARN"],
        },
    )


def _delete_file_system(region: str, file_system: Created) -> None:
    fsx, wanted = client("fsx", region), [file_system.physical_id]
    try:
        fsx.delete_file_system(FileSystemId=file_system.physical_id)
        _wait_while(lambda: fsx.describe_file_systems(FileSystemIds=wanted)["FileSystems"][0], "DELETING")
    except fsx.exceptions.FileSystemNotFound:
        return


def _create_association(region: str, properties: Properties) -> Created:
    fsx = client("fsx", region)
    made = fsx.create_data_repository_association(**_typed(properties))["Association"]

    def describe() -> Mapping[str, Any]:
        found: Mapping[str, Any] = fsx.describe_data_repository_associations(AssociationIds=[made["AssociationId"]])[
            "Associations"
        ][0]
        return found

    _available(describe)
    attributes = {"AssociationId": made["AssociationId"], "ResourceARN": made["ResourceARN"]}
    return Created(physical_id=made["AssociationId"], attributes=attributes)


def _delete_association(region: str, association: Created) -> None:
    fsx, wanted = client("fsx", region), [association.physical_id]
    try:
        fsx.delete_data_repository_association(AssociationId=association.physical_id)
        _wait_while(
            lambda: fsx.describe_data_repository_associations(AssociationIds=wanted)["Associations"][0],
            "DELETING",
        )
    except fsx.exceptions.DataRepositoryAssociationNotFound:
        return


def _available(describe: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    found = _wait_while(describe, "CREATING")
    if found["Lifecycle"] != "AVAILABLE":
        raise CreationFailed(f"{found['ResourceARN']} is {found['Lifecycle']}: {found['FailureDetails']['Message']}")
    return found


def _wait_while(describe: Callable[[], Mapping[str, Any]], lifecycle: str) -> Mapping[str, Any]:
    while (found := describe())["Lifecycle"] == lifecycle:
        time.sleep(_POLL_SECONDS)
    return found


def _typed(properties: Any) -> Any:
    # templates may carry numbers and booleans as text; CloudFormation converts them by its schema
    if not isinstance(properties, Mapping):
        return properties
    typed = {name: _typed(value) for name, value in properties.items()}
    for name in _NUMBERS:
        if name in typed:
            typed[name] = int(typed[name])
    for name in _SWITCHES:
        if name in typed:
            typed[name] = str(typed[name]).lower() == "true"
    return typed


def install() -> None:
    """Add both types."""
    add(
        AddedType(
            type_name="AWS::FSx::FileSystem",
            create=_create_file_system,
            delete=_delete_file_system,
            attributes=frozenset({"DNSName", "LustreMountName", "ResourceARN"}),
        )
    )
    add(
        AddedType(
            type_name="AWS::FSx::DataRepositoryAssociation",
            create=_create_association,
            delete=_delete_association,
            attributes=frozenset({"AssociationId", "ResourceARN"}),
        )
    )
