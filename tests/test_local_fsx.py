"""FSx for Lustre in the embedded AWS: life cycle, names, links and the service's errors."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from headrace_local.moto_extension.fsx import api
from headrace_local.moto_extension.fsx.errors import BadRequest
from headrace_local.moto_extension.fsx.file_systems import LEGAL_CAPACITY, FileSystem
from headrace_local.moto_extension.fsx.life import Life
from headrace_local.moto_extension.fsx.store import Store
from headrace_local.settings import Settings


@pytest.fixture
def fsx(aws_session: boto3.Session) -> Any:
    """The FSx client."""
    return aws_session.client("fsx")


@pytest.fixture
def request_of(aws_session: boto3.Session) -> Callable[..., dict[str, Any]]:
    """A CreateFileSystem request in the default VPC; members are replaced by keyword."""
    subnets = aws_session.client("ec2").describe_subnets()["Subnets"]

    def make(deployment_type: str = "SCRATCH_2", **members: Any) -> dict[str, Any]:
        return {
            "FileSystemType": "LUSTRE",
            "FileSystemTypeVersion": "2.15",
            "StorageCapacity": 1200,
            "SubnetIds": [subnets[0]["SubnetId"]],
            "LustreConfiguration": {"DeploymentType": deployment_type},
            **members,
        }

    return make


def _wait_until_available(fsx: Any, file_system_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while True:
        found: dict[str, Any] = fsx.describe_file_systems(FileSystemIds=[file_system_id])["FileSystems"][0]
        if found["Lifecycle"] == "AVAILABLE" or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def _wait_until_gone(describe: Callable[[], Any]) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            describe()
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        time.sleep(0.05)
    return "still there"


def test_a_file_system_lives_from_creating_to_not_found(fsx: Any, request_of: Callable[..., dict[str, Any]]) -> None:
    """moto's has no life cycle and no mount name, and an id that is too short."""
    made = fsx.create_file_system(**request_of(Tags=[{"Key": "owner", "Value": "me"}]))["FileSystem"]
    file_system_id = made["FileSystemId"]
    assert made["Lifecycle"] == "CREATING"
    assert re.fullmatch(r"fs-[0-9a-f]{17}", file_system_id)
    assert re.fullmatch(r"[a-z0-9]{8}", made["LustreConfiguration"]["MountName"])
    found = _wait_until_available(fsx, file_system_id)
    assert found["Lifecycle"] == "AVAILABLE"
    assert found["Tags"] == [{"Key": "owner", "Value": "me"}]
    assert fsx.delete_file_system(FileSystemId=file_system_id)["Lifecycle"] == "DELETING"
    gone = _wait_until_gone(lambda: fsx.describe_file_systems(FileSystemIds=[file_system_id]))
    assert gone == "FileSystemNotFound"
    assert file_system_id not in [each["FileSystemId"] for each in fsx.describe_file_systems()["FileSystems"]]


def test_scratch_1_is_mounted_as_fsx(fsx: Any, request_of: Callable[..., dict[str, Any]]) -> None:
    """The one deployment type whose mount name is not drawn by lot."""
    made = fsx.create_file_system(**request_of("SCRATCH_1"))["FileSystem"]
    assert made["LustreConfiguration"]["MountName"] == "fsx"


@pytest.mark.parametrize(
    ("deployment_type", "legal", "illegal"),
    [
        ("SCRATCH_1", [1200, 2400, 3600, 7200], [0, 600, 4800]),
        ("SCRATCH_2", [1200, 2400, 4800], [0, 1201, 3600, -2400]),
        ("PERSISTENT_2", [1200, 2400, 7200], [1800, 3600]),
    ],
)
def test_which_capacities_are_legal(deployment_type: str, legal: list[int], illegal: list[int]) -> None:
    """The table is the service's."""
    is_legal, _ = LEGAL_CAPACITY[deployment_type]
    assert [is_legal(each) for each in legal] == [True] * len(legal)
    assert [is_legal(each) for each in illegal] == [False] * len(illegal)


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        (
            {"StorageCapacity": 3600},
            "BadRequest",
            "Invalid Lustre FS storage capacity: 3600. Must be 1200 or a multiple of 2400.",
        ),
        ({"SubnetIds": ["subnet-00000000000000000"]}, "BadRequest", "The subnet ID 'subnet-00000000000000000'"),
        ({"SubnetIds": []}, "BadRequest", "Exactly 1 subnet"),
        ({"SecurityGroupIds": ["sg-00000000000000000"]}, "BadRequest", "sg-00000000000000000"),
        ({"FileSystemType": "OPENZFS"}, "BadRequest", "OPENZFS"),
    ],
)
def test_what_the_service_refuses(
    fsx: Any, request_of: Callable[..., dict[str, Any]], members: Mapping[str, Any], code: str, message: str
) -> None:
    """moto accepts all of these."""
    with pytest.raises(ClientError) as refused:
        fsx.create_file_system(**request_of(**members))
    assert refused.value.response["Error"]["Code"] == code
    assert message in refused.value.response["Error"]["Message"]


def test_the_same_token_makes_one_file_system(fsx: Any, request_of: Callable[..., dict[str, Any]]) -> None:
    """A repeated request gives the same file system; another one under the same token is refused."""
    token = uuid4().hex
    ids = [
        fsx.create_file_system(**request_of(ClientRequestToken=token))["FileSystem"]["FileSystemId"] for _ in range(2)
    ]
    assert ids[0] == ids[1]
    with pytest.raises(fsx.exceptions.IncompatibleParameterError):
        fsx.create_file_system(**request_of(ClientRequestToken=token, StorageCapacity=2400))


@pytest.mark.parametrize(
    "call",
    [
        lambda fsx: fsx.describe_file_systems(FileSystemIds=["fs-00000000000000000"]),
        lambda fsx: fsx.delete_file_system(FileSystemId="fs-00000000000000000"),
        lambda fsx: fsx.create_data_repository_association(
            FileSystemId="fs-00000000000000000", FileSystemPath="/data", DataRepositoryPath="s3://bucket/data/"
        ),
    ],
    ids=["describe", "delete", "link"],
)
def test_an_unknown_file_system_is_not_found(fsx: Any, call: Callable[[Any], Any]) -> None:
    """moto describes nothing, and says nothing."""
    with pytest.raises(fsx.exceptions.FileSystemNotFound):
        call(fsx)


def test_links_come_and_go_and_may_not_overlap(
    fsx: Any, request_of: Callable[..., dict[str, Any]], aws_session: boto3.Session
) -> None:
    """moto has no data repository associations."""
    bucket = f"link-{uuid4().hex[:12]}"
    aws_session.client("s3").create_bucket(Bucket=bucket)
    file_system_id = fsx.create_file_system(**request_of())["FileSystem"]["FileSystemId"]
    _wait_until_available(fsx, file_system_id)

    def link(path: str, repository: str) -> Any:
        return fsx.create_data_repository_association(
            FileSystemId=file_system_id, FileSystemPath=path, DataRepositoryPath=repository
        )["Association"]

    made = link("/data", f"s3://{bucket}/data/")
    assert re.fullmatch(r"dra-[0-9a-f]{17}", made["AssociationId"])
    assert made["Lifecycle"] == "CREATING"
    for path, repository in (("/data/deep", f"s3://{bucket}/other/"), ("/other", f"s3://{bucket}/data/deep/")):
        with pytest.raises(ClientError, match="overlaps"):
            link(path, repository)
    with pytest.raises(ClientError, match="unable to validate access to the S3 bucket no-such-bucket"):
        link("/other", "s3://no-such-bucket/")
    own = [{"Name": "file-system-id", "Values": [file_system_id]}]
    listed = fsx.describe_data_repository_associations(Filters=own)["Associations"]
    assert [each["AssociationId"] for each in listed] == [made["AssociationId"]]
    ended = fsx.delete_data_repository_association(AssociationId=made["AssociationId"], DeleteDataInFileSystem=False)
    assert ended["Lifecycle"] == "DELETING"
    gone = _wait_until_gone(lambda: fsx.describe_data_repository_associations(AssociationIds=[made["AssociationId"]]))
    assert gone == "DataRepositoryAssociationNotFound"


def test_a_file_system_that_is_being_created_cannot_be_deleted() -> None:
    """The service answers 400 until it is AVAILABLE."""
    life = Life(creating_seconds=1000, deleting_seconds=1000)
    creating = FileSystem(request={}, account="1", region="r", vpc_id="vpc", mount_name="m", life=life)
    backend = SimpleNamespace(headrace_store=Store(file_systems={creating.file_system_id: creating}))
    body = json.dumps({"FileSystemId": creating.file_system_id})
    with pytest.raises(BadRequest, match="while it is CREATING"):
        api._delete_file_system(SimpleNamespace(body=body, fsx_backend=backend))
    assert life.lifecycle == "CREATING"


def test_durations_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that wants to see a state asks for a longer one."""
    monkeypatch.setenv("HEADRACE_LOCAL_FSX_CREATING_SECONDS", "90")
    assert Settings.from_environment() == Settings(fsx_creating_seconds=90)


def test_a_life_goes_one_way() -> None:
    """CREATING, AVAILABLE, DELETING, gone; asking for the end twice does not prolong it."""
    now = time.time()
    assert Life(creating_seconds=1000, deleting_seconds=0, created_at=now).lifecycle == "CREATING"
    life = Life(creating_seconds=1, deleting_seconds=1000, created_at=now - 10)
    assert life.lifecycle == "AVAILABLE"
    life.end()
    asked = life.deleted_at
    life.end()
    assert (life.lifecycle, life.is_gone, life.deleted_at) == ("DELETING", False, asked)
    assert Life(creating_seconds=0, deleting_seconds=1, created_at=now - 9, deleted_at=now - 5).is_gone
