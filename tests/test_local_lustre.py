"""Lustre channels in the embedded AWS: what a job reads and writes, and when content is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from headrace_local import process
from headrace_local.process import Running
from headrace_local.runner import first_open

from tests.conftest import DeployedPlatform
from tests.file_systems import HASHES, OBJECTS, Aws, efs_source, hashes, lustre_source
from tests.training_jobs import StartJob, until


@pytest.fixture
def aws(aws_session: boto3.Session, start_job: StartJob) -> Aws:
    """What these tests share."""
    return Aws(aws_session, start_job)


@pytest.mark.parametrize(
    ("link_path", "repository", "directory", "prefix", "mode", "instances"),
    [
        ("/", "", "", "", "ro", 1),
        ("/", "data/", "", "data/", "rw", 3),
        ("/data", "data/", "/data", "data/", "ro", 3),
        ("/data", "data", "/data/sub/", "data/sub/", "ro", 1),
        ("/deep/er", "data/sub/", "/deep", "data/sub/", "rw", 1),
    ],
)
def test_a_job_reads_the_linked_objects_from_lustre(
    aws: Aws, link_path: str, repository: str, directory: str, prefix: str, mode: str, instances: int
) -> None:
    """Byte for byte, on every instance, below the link's path."""
    bucket = aws.bucket(OBJECTS)
    file_system_id, mount_name = aws.lustre()
    aws.link(file_system_id, link_path, f"s3://{bucket}/{repository}")
    source = lustre_source(file_system_id, f"/{mount_name}{directory}", mode)
    name, job = aws.run(HASHES, source, instances=instances)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    expected = hashes(OBJECTS, prefix)
    if directory == "/deep":
        expected = {f"er/{path}": digest for path, digest in expected.items()}
    assert aws.output(name) == {f"algo-{number}.json": expected for number in range(1, instances + 1)}


READ = """
import json, os, pathlib
data = pathlib.Path("/opt/ml/input/data/train")
def read(path):
    try:
        return path.read_text()
    except OSError as error:
        return type(error).__name__
wanted = os.environ.get("ONLY")
found = {str(each.relative_to(data)): read(each) for each in sorted(data.rglob("*"))
         if each.is_file() and wanted in (None, each.name)}
sizes = {str(each.relative_to(data)): each.stat().st_size for each in data.rglob("*") if each.is_file()}
pathlib.Path("/opt/ml/output/data/found.json").write_text(json.dumps([found, sizes]))
"""


def _read(aws: Aws, source: Mapping[str, str], only: str | None = None) -> tuple[dict[str, str], dict[str, int]]:
    """What a job finds: path -> text, or the name of the error; and path -> size."""
    name, job = aws.run(READ, source, Environment={"ONLY": only} if only else {})
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    found, sizes = aws.output(name)["found.json"]
    return found, sizes


def test_the_platforms_own_network_lets_its_jobs_mount_its_file_systems(deployed: DeployedPlatform, aws: Aws) -> None:
    """Its subnets, zones and security groups pass every check that the runner makes, for both roads at once."""
    foundation, platform_lustre = deployed.foundation, deployed.platform.lustre
    assert foundation.efs is not None
    assert platform_lustre is not None
    elastic = efs_source(foundation.efs.file_system_id, "/", "rw")
    channels = [
        {"ChannelName": "train", "DataSource": {"FileSystemDataSource": source}}
        for source in (lustre_source(platform_lustre.file_system_id, f"/{platform_lustre.mount_name}"), elastic)
    ]
    vpc = {"Subnets": [platform_lustre.subnet_id], "SecurityGroupIds": [foundation.job_security_group_id]}
    channels[1]["ChannelName"] = "elastic"
    _, job = aws.run("print()", {}, InputDataConfig=channels, VpcConfig=vpc)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def _has_first_opens() -> bool:
    try:
        first_open.first_opens()
    except first_open.CannotWatch:
        return False
    return True


needs_first_opens = pytest.mark.skipif(not _has_first_opens(), reason="this system tells of no opens")


@needs_first_opens
def test_content_is_loaded_at_the_first_open_and_stays(aws: Aws, embedded_aws: Running) -> None:
    """What has been read survives its object; what has not cannot be read once the object has changed or gone."""
    bucket = aws.bucket({"read": b"first", "gone": b"unread", "changed": b"unread", "same": b"same"})
    file_system_id, mount_name = aws.lustre()
    aws.link(file_system_id, "/data", f"s3://{bucket}/")
    source = lustre_source(file_system_id, f"/{mount_name}/data")
    root = embedded_aws.log_path.parent / "file-systems" / file_system_id / "data"
    found, sizes = _read(aws, source, only="read")
    assert (found, sizes) == ({"read": "first"}, {"read": 5, "gone": 6, "changed": 6, "same": 4})
    loaded = {each.name: each.stat().st_blocks > 0 for each in root.iterdir()}
    assert loaded == {"read": True, "gone": False, "changed": False, "same": False}
    modified = aws.s3.head_object(Bucket=bucket, Key="read")["LastModified"].timestamp()
    assert {each.stat().st_mtime for each in root.iterdir() if each.name == "read"} == {modified}
    for key in ("read", "gone"):
        aws.s3.delete_object(Bucket=bucket, Key=key)
    aws.s3.put_object(Bucket=bucket, Key="changed", Body=b"other!")
    found, _ = _read(aws, source)
    assert (found["read"], found["same"]) == ("first", "same")
    # PermissionError before Linux 6.14, which knows no other error here
    assert {found["gone"], found["changed"]} <= {"OSError", "PermissionError"}


def test_nothing_is_shown_before_an_import_and_changes_appear_by_policy(aws: Aws) -> None:
    """A link without import shows nothing; with an AutoImportPolicy each next job sees what the policy names."""
    bucket = aws.bucket({"none/a": b"1", "all/a": b"1", "all/b": b"1", "new/a": b"1"})
    file_system_id, mount_name = aws.lustre()
    for path, events in (("none", []), ("all", ["NEW", "CHANGED", "DELETED"]), ("new", ["NEW"])):
        policy = {"S3": {"AutoImportPolicy": {"Events": events}}} if events else {}
        is_imported = path == "all"
        repository = f"s3://{bucket}/{path}/"
        aws.link(file_system_id, f"/{path}", repository, BatchImportMetaDataOnCreate=is_imported, **policy)
    source = lustre_source(file_system_id, f"/{mount_name}")
    assert _read(aws, source)[0] == {"all/a": "1", "all/b": "1", "new/a": "1"}
    for key, text in (("all/a", b"22"), ("all/c", b"3"), ("new/a", b"22"), ("new/b", b"3"), ("none/b", b"3")):
        aws.s3.put_object(Bucket=bucket, Key=key, Body=text)
    for key in ("all/b", "new/a"):
        aws.s3.delete_object(Bucket=bucket, Key=key)
    assert _read(aws, source)[0] == {"all/a": "22", "all/c": "3", "new/a": "1", "new/b": "3"}


def _import(aws: Aws, file_system_id: str, **members: Any) -> dict[str, Any]:
    """A data repository task, when it is over."""
    request = {"FileSystemId": file_system_id, "Type": "IMPORT_METADATA_FROM_REPOSITORY", "Report": {"Enabled": False}}
    task_id = aws.fsx.create_data_repository_task(**(request | members))["DataRepositoryTask"]["TaskId"]

    def described() -> dict[str, Any]:
        found: dict[str, Any] = aws.fsx.describe_data_repository_tasks(TaskIds=[task_id])["DataRepositoryTasks"][0]
        return found

    until(lambda: described()["Lifecycle"] == "SUCCEEDED")
    return described()


def test_a_task_imports_what_is_new_or_changed(aws: Aws) -> None:
    """Of all links, or below a path only; it takes nothing away, and counts what are files now."""
    bucket = aws.bucket({"one/a": b"1", "one/sub/b": b"1", "two/a": b"1", "two/a//b": b"no file"})
    file_system_id, mount_name = aws.lustre()
    for each in ("one", "two"):
        aws.link(file_system_id, f"/{each}", f"s3://{bucket}/{each}/", BatchImportMetaDataOnCreate=False)
    source = lustre_source(file_system_id, f"/{mount_name}")
    task = _import(aws, file_system_id, Paths=[f"s3://{bucket}/one/sub"])
    counts = {name: task["Status"][name] for name in ("TotalCount", "SucceededCount", "FailedCount")}
    assert counts == {"TotalCount": 1, "SucceededCount": 1, "FailedCount": 0}
    assert _read(aws, source)[0] == {"one/sub/b": "1"}
    aws.s3.put_object(Bucket=bucket, Key="one/sub/b", Body=b"22")
    task = _import(aws, file_system_id)
    counts = {name: task["Status"][name] for name in ("TotalCount", "SucceededCount", "FailedCount")}
    assert counts == {"TotalCount": 4, "SucceededCount": 3, "FailedCount": 1}
    aws.s3.delete_object(Bucket=bucket, Key="one/sub/b")
    aws.s3.delete_object(Bucket=bucket, Key="two/a")
    assert _import(aws, file_system_id)["Status"]["TotalCount"] == 2
    own = [{"Name": "file-system-id", "Values": [file_system_id]}]
    assert len(aws.fsx.describe_data_repository_tasks(Filters=own)["DataRepositoryTasks"]) == 3
    found, sizes = _read(aws, source, only="a")
    assert (found["one/a"], sizes) == ("1", {"one/a": 1, "one/sub/b": 2, "two/a": 1})


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"Type": "EXPORT_TO_REPOSITORY"}, "UnsupportedOperation", "no tasks of type EXPORT_TO_REPOSITORY"),
        ({"Paths": ["s3://other/x"]}, "BadRequest", "s3://other/x is not below the data repository path"),
        ({"FileSystemId": "fs-0123456789abcdef0"}, "FileSystemNotFound", "does not exist"),
        ({"Report": {"Enabled": True}}, "UnsupportedOperation", "no completion reports"),
    ],
)
def test_which_tasks_are_refused(aws: Aws, members: Mapping[str, Any], code: str, message: str) -> None:
    """With the service's codes; and a file system without links has nothing to import."""
    linked, unlinked = aws.empty_lustre()[0], aws.lustre()[0]
    for file_system_id, given, expected in ((linked, members, (code, message)), (unlinked, {}, NOT_LINKED)):
        with pytest.raises(ClientError) as refused:
            _import(aws, **({"file_system_id": file_system_id} | given))
        error = refused.value.response["Error"]
        assert error["Code"] == expected[0]
        assert expected[1] in error["Message"]


NOT_LINKED = ("BadRequest", "is not linked to a data repository")

WRITE = """
import pathlib
data = pathlib.Path("/opt/ml/input/data/train")
(data / "linked").rename(data / "renamed")
(data / "renamed").write_text((data / "renamed").read_text() + " and more")
(data / "made").mkdir()
(data / "made/file").write_text("by a job")
"""


def test_what_a_job_writes_to_lustre_stays_there_and_never_goes_to_s3(aws: Aws) -> None:
    """The next job finds it; the bucket is as it was. A file that is renamed before its first open is still loaded."""
    bucket = aws.bucket({"linked": b"object"})
    file_system_id, mount_name = aws.lustre()
    aws.link(file_system_id, "/", f"s3://{bucket}/")
    _, job = aws.run(WRITE, lustre_source(file_system_id, f"/{mount_name}", "rw"))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    found, _ = _read(aws, lustre_source(file_system_id, f"/{mount_name}"))
    assert found == {"renamed": "object and more", "made/file": "by a job"}
    assert [each["Key"] for each in aws.s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["linked"]
    assert aws.s3.get_object(Bucket=bucket, Key="linked")["Body"].read() == b"object"


def test_files_go_with_their_link_or_their_file_system(aws: Aws, embedded_aws: Running) -> None:
    """DeleteDataInFileSystem removes a link's files; DeleteFileSystem leaves nothing on this machine."""
    bucket = aws.bucket({"kept/a": b"1", "taken/a": b"1"})
    file_system_id, _ = aws.lustre()
    root = embedded_aws.log_path.parent / "file-systems" / file_system_id
    kept, taken = (aws.link(file_system_id, f"/{each}", f"s3://{bucket}/{each}/") for each in ("kept", "taken"))
    assert sorted(each.name for each in root.rglob("a")) == ["a", "a"]
    aws.fsx.delete_data_repository_association(AssociationId=taken, DeleteDataInFileSystem=True)
    aws.fsx.delete_data_repository_association(AssociationId=kept, DeleteDataInFileSystem=False)
    assert [each.parent.name for each in root.rglob("a")] == ["kept"]
    aws.fsx.delete_file_system(FileSystemId=file_system_id)
    assert not root.exists()


def test_the_server_takes_the_file_systems_with_it(tmp_path: Path) -> None:
    """What a server that was killed has left is removed by the next one, and by `down`."""
    left = tmp_path / "file-systems" / "fs-0" / "file"
    left.parent.mkdir(parents=True)
    left.write_text("left")
    assert process.stop(tmp_path) is False
    assert not left.parent.parent.exists()
