"""Lustre and EFS channels in the embedded AWS: what a job reads and writes, when content is loaded, what fails."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from headrace_local import process
from headrace_local.process import Running
from headrace_local.runner import command, file_systems, first_open, layout
from headrace_local.runner.instance import Instance
from headrace_local.runner.job import TrainingJob
from headrace_local.runner.network import Side, closed_ports
from headrace_local.runner.workspace import Workspace

from tests.conftest import DeployedPlatform

StartJob = Callable[..., str]

OBJECTS = {
    "data/a.txt": b"a" * 10,
    "data/sub/b.bin": bytes(range(256)) * 300,
    "data/sub/deep/c d.txt": "ünïcode".encode(),
    "data/empty": b"",
}
"""Key -> content of the linked objects."""

HASHES = """
import hashlib, json, os, pathlib, sys
data = pathlib.Path("/opt/ml/input/data/train")
found = {str(each.relative_to(data)): hashlib.sha256(each.read_bytes()).hexdigest()
         for each in sorted(data.rglob("*")) if each.is_file()}
pathlib.Path("/opt/ml/output/data", os.environ["SM_CURRENT_HOST"] + ".json").write_text(json.dumps(found))
"""


_EMPTY: dict[str, tuple[str, str]] = {}
"""Endpoint -> id and mount name of a Lustre file system."""


class Aws:
    """The clients and resources that these tests share."""

    def __init__(self, session: boto3.Session, start_job: StartJob) -> None:
        self.session = session
        self.start_job = start_job
        self.ec2, self.fsx, self.efs, self.s3, self.sagemaker = (
            session.client(each) for each in ("ec2", "fsx", "efs", "s3", "sagemaker")
        )
        vpc = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
        self.vpc_id = vpc["VpcId"]
        own = [{"Name": "vpc-id", "Values": [self.vpc_id]}, {"Name": "default-for-az", "Values": ["true"]}]
        found = self.ec2.describe_subnets(Filters=own)["Subnets"]
        self.subnets = [each["SubnetId"] for each in sorted(found, key=lambda each: each["AvailabilityZoneId"])]
        self.zones = [each["AvailabilityZoneId"] for each in sorted(found, key=lambda each: each["AvailabilityZoneId"])]

    def group(self, *ports: tuple[int, int]) -> str:
        """A security group that lets these TCP ports in from anywhere in the VPC, and everything out."""
        made: str = self.ec2.create_security_group(GroupName=uuid4().hex, Description="-", VpcId=self.vpc_id)["GroupId"]
        for first, last in ports:
            peers = [{"CidrIp": "172.31.0.0/16"}]
            rule = {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, "IpRanges": peers}
            self.ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[rule])
        return made

    def bucket(self, objects: Mapping[str, bytes]) -> str:
        """A bucket with objects."""
        name = f"linked-{uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=name)
        for key, content in objects.items():
            self.s3.put_object(Bucket=name, Key=key, Body=content)
        return name

    def lustre(self, group: str | None = None) -> tuple[str, str]:
        """Id and mount name of a file system in the first subnet, AVAILABLE."""
        made = self.fsx.create_file_system(
            FileSystemType="LUSTRE",
            StorageCapacity=1200,
            SubnetIds=self.subnets[:1],
            SecurityGroupIds=[group or self.group(*LUSTRE_PORTS)],
            LustreConfiguration={"DeploymentType": "SCRATCH_2"},
        )["FileSystem"]
        wanted = made["FileSystemId"]
        _until(
            lambda: self.fsx.describe_file_systems(FileSystemIds=[wanted])["FileSystems"][0]["Lifecycle"], "AVAILABLE"
        )
        return wanted, made["LustreConfiguration"]["MountName"]

    def empty_lustre(self) -> tuple[str, str]:
        """One with a link to an empty bucket, that all tests share which write nothing to it."""
        endpoint = self.fsx.meta.endpoint_url
        if endpoint not in _EMPTY:
            _EMPTY[endpoint] = self.lustre()
            self.link(_EMPTY[endpoint][0], "/data", f"s3://{self.bucket({})}/")
        return _EMPTY[endpoint]

    def link(self, file_system_id: str, path: str, repository: str, **members: Any) -> str:
        """A link with the metadata imported, unless told otherwise."""
        made = self.fsx.create_data_repository_association(
            FileSystemId=file_system_id,
            FileSystemPath=path,
            DataRepositoryPath=repository,
            **({"BatchImportMetaDataOnCreate": True} | members),
        )
        return str(made["Association"]["AssociationId"])

    def elastic(self, subnets: Sequence[str], group: str | None = None) -> str:
        """An EFS with mount targets in the subnets."""
        made: str = self.efs.create_file_system(CreationToken=uuid4().hex)["FileSystemId"]
        for each in subnets:
            groups = [group or self.group((2049, 2049))]
            self.efs.create_mount_target(FileSystemId=made, SubnetId=each, SecurityGroups=groups)
        return made

    def run(self, script: str, source: Mapping[str, str], **members: Any) -> tuple[str, dict[str, Any]]:
        """A job with one channel, ``train``, to its end: its name and description."""
        channel = {"ChannelName": "train", "DataSource": {"FileSystemDataSource": dict(source)}}
        count = members.pop("instances", 1)
        defaults = {
            "InputDataConfig": [channel],
            "VpcConfig": {"Subnets": self.subnets[:1], "SecurityGroupIds": [self.group(*LUSTRE_PORTS)]},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1},
        }
        # a variable holds 512 characters
        pieces = {f"SCRIPT_{start // 500}": script[start : start + 500] for start in range(0, len(script), 500)}
        environment = pieces | members.pop("Environment", {})
        line = 'printf %s "$SCRIPT_0" "$SCRIPT_1" >/opt/ml/code/train.py; python3 /opt/ml/code/train.py'
        given = defaults | members | {"Environment": environment}
        name = self.start_job(self.session, ["sh", "-c", line], **given)
        ended = ("Completed", "Failed", "Stopped")
        _until(lambda: self.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"], *ended)
        return name, self.sagemaker.describe_training_job(TrainingJobName=name)

    def output(self, name: str) -> dict[str, Any]:
        """File name -> JSON content of a job's output data."""
        body = self.s3.get_object(Bucket=name, Key=f"output/{name}/output/output.tar.gz")["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            files = {each.name: tar.extractfile(each) for each in tar.getmembers()}
            return {file_name: json.load(file) for file_name, file in files.items() if file is not None}


LUSTRE_PORTS = ((988, 988), (1018, 1023))


def _until(read: Callable[[], str], *wanted: str) -> None:
    deadline = time.monotonic() + 40
    while read() not in wanted and time.monotonic() < deadline:
        time.sleep(0.05)


def lustre_source(file_system_id: str, path: str, mode: str = "ro") -> dict[str, str]:
    """A FileSystemDataSource of Lustre."""
    return _source(file_system_id, path, mode, "FSxLustre")


def efs_source(file_system_id: str, path: str, mode: str = "ro") -> dict[str, str]:
    """A FileSystemDataSource of EFS."""
    return _source(file_system_id, path, mode, "EFS")


def _source(file_system_id: str, path: str, mode: str, kind: str) -> dict[str, str]:
    return {
        "FileSystemId": file_system_id,
        "FileSystemAccessMode": mode,
        "FileSystemType": kind,
        "DirectoryPath": path,
    }


def hashes(objects: Mapping[str, bytes], prefix: str) -> dict[str, str]:
    """Path below a prefix -> SHA-256 of the content."""
    return {
        key.removeprefix(prefix): hashlib.sha256(content).hexdigest()
        for key, content in objects.items()
        if key.startswith(prefix)
    }


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
needs_namespace = pytest.mark.skipif(command.mount_prefix() is None, reason="this system allows no mount namespace")


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

    _until(lambda: str(described()["Lifecycle"]), "SUCCEEDED")
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


SAVE = """
import os, pathlib
host = os.environ["SM_CURRENT_HOST"]
pathlib.Path("/opt/ml/input/data/train", host).write_text("written by " + host)
"""


@pytest.mark.parametrize("instances", [1, 3])
def test_what_jobs_write_to_efs_outlives_them(aws: Aws, instances: int) -> None:
    """All instances share it; a later job reads it, read-only, and from a directory of it."""
    file_system_id = aws.elastic(aws.subnets[:2])
    vpc = {"VpcConfig": {"Subnets": aws.subnets[:2], "SecurityGroupIds": [aws.group()]}}
    _, job = aws.run(
        "import os; os.mkdir('/opt/ml/input/data/train/sub')", efs_source(file_system_id, "/", "rw"), **vpc
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    _, job = aws.run(SAVE, efs_source(file_system_id, "/sub", "rw"), instances=instances, **vpc)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    texts = {f"algo-{each}": f"written by algo-{each}".encode() for each in range(1, instances + 1)}
    for directory, prefix in (("/", "sub/"), ("/sub", "")):
        name, job = aws.run(HASHES, efs_source(file_system_id, directory), instances=instances, **vpc)
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        expected = {prefix + path: digest for path, digest in hashes(texts, "").items()}
        assert aws.output(name) == {f"algo-{number}.json": expected for number in range(1, instances + 1)}


TOUCH = """
import errno, json, pathlib
def attempt(path):
    try:
        pathlib.Path("/opt/ml/input/data/train", path).write_text("x")
    except OSError as error:
        return errno.errorcode[error.errno]
    return "written"
pathlib.Path("/opt/ml/output/data/found.json").write_text(json.dumps([attempt("new"), attempt("linked")]))
"""


@needs_namespace
@pytest.mark.parametrize(("mode", "outcome"), [("ro", ["EROFS", "EROFS"]), ("rw", ["written", "written"])])
def test_a_read_only_channel_cannot_be_written(aws: Aws, mode: str, outcome: list[str]) -> None:
    """Neither on EFS nor on Lustre, whatever the user that the job runs as."""
    file_system_id, mount_name = aws.lustre()
    aws.link(file_system_id, "/", f"s3://{aws.bucket({'linked': b'1'})}/")
    name, _ = aws.run(TOUCH, lustre_source(file_system_id, f"/{mount_name}", mode))
    assert aws.output(name)["found.json"] == outcome
    vpc = {"VpcConfig": {"Subnets": aws.subnets[:1], "SecurityGroupIds": [aws.group()]}}
    name, _ = aws.run(TOUCH, efs_source(aws.elastic(aws.subnets[:1]), "/", mode), **vpc)
    assert aws.output(name)["found.json"] == outcome


Source = Callable[[Aws], Mapping[str, str]]
Members = Callable[[Aws], dict[str, Any]]


def _new_lustre(path: str, group: Callable[[Aws], str] | None = None) -> Source:
    def make(aws: Aws) -> Mapping[str, str]:
        file_system_id, mount_name = aws.lustre(group(aws)) if group else aws.empty_lustre()
        return lustre_source(file_system_id, path.format(mount=mount_name))

    return make


def _new_efs(path: str = "/", group: Callable[[Aws], str] | None = None) -> Source:
    return lambda aws: efs_source(aws.elastic(aws.subnets[:1], group(aws) if group else None), path)


def _as_given(_aws: Aws) -> dict[str, Any]:
    return {}


def _in_subnets(start: int, end: int) -> Members:
    def members(aws: Aws) -> dict[str, Any]:
        return {"VpcConfig": {"Subnets": aws.subnets[start:end], "SecurityGroupIds": [aws.group(*LUSTRE_PORTS)]}}

    return members


def _without_ports_in(aws: Aws) -> dict[str, Any]:
    return {"VpcConfig": {"Subnets": aws.subnets[:1], "SecurityGroupIds": [aws.group()]}}


def _without_ports_out(aws: Aws) -> dict[str, Any]:
    group = aws.group(*LUSTRE_PORTS)
    default = aws.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
    aws.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=default)
    return {"VpcConfig": {"Subnets": aws.subnets[:1], "SecurityGroupIds": [group]}}


MISSING = "fs-0123456789abcdef0"
FAILURES: list[tuple[Source, Members, str]] = [
    (lambda _: lustre_source(MISSING, "/abcdefgh"), _as_given, f"File system '{MISSING}' does not exist."),
    (_new_lustre("/fsx"), _as_given, "No such file or directory. Is the MGS specification correct? DirectoryPath must"),
    (_new_lustre("/"), _as_given, "Is the MGS specification correct?"),
    (_new_lustre("/{mount}x"), _as_given, "Is the MGS specification correct?"),
    (_new_lustre("/{mount}/none"), _as_given, "/none: No such file or directory"),
    (_new_lustre("/{mount}"), _in_subnets(1, 2), "Connection timed out: it is in Availability Zone use1-az1, subnet"),
    (_new_lustre("/{mount}"), _in_subnets(0, 2), "Connection timed out: it is in Availability Zone use1-az1, subnet"),
    (_new_lustre("/{mount}", lambda aws: aws.group((988, 988))), _as_given, "TCP 1018, 1019, 1020, 1021, 1022, 1023"),
    (_new_lustre("/{mount}", lambda aws: aws.group()), _as_given, "TCP 988, 1018"),
    (_new_lustre("/{mount}"), _without_ports_in, "TCP 988, 1018"),
    (_new_lustre("/{mount}"), _without_ports_out, "TCP 988, 1018"),
    (lambda _: efs_source(MISSING, "/"), _as_given, f"File system '{MISSING}' does not exist."),
    (_new_efs(), _in_subnets(1, 2), "no mount target in Availability Zone use1-az2"),
    (_new_efs(), _in_subnets(0, 2), "no mount target in Availability Zone use1-az2"),
    (_new_efs("/none"), _as_given, "mounting /none failed, reason given by server: No such file"),
    (_new_efs(group=lambda aws: aws.group((988, 988))), _as_given, "do not let TCP 2049 through"),
    (_new_efs(), _without_ports_out, "do not let TCP 2049 through"),
]


@pytest.mark.parametrize(("source", "members", "reason"), FAILURES)
def test_a_file_system_that_cannot_be_mounted_fails_the_job(
    aws: Aws, source: Source, members: Members, reason: str
) -> None:
    """After it has started, as on AWS, with the reason that a mount would give."""
    _, job = aws.run("raise SystemExit", source(aws), **members(aws))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Unable to mount file system fs-")
    assert reason in job["FailureReason"]


@pytest.mark.parametrize(
    ("path", "members", "message"),
    [
        ("/abcdefgh", {"VpcConfig": None}, "channel train: a file system is reached inside its VPC only: VpcConfig"),
        ("/abcdefgh/../x", {}, "channel train: DirectoryPath '/abcdefgh/../x' must be an absolute path without '..'"),
        ("abcdefgh", {}, "must be an absolute path"),
        ("/abc\tdefgh", {}, "must be an absolute path"),
    ],
)
def test_a_channel_that_can_never_be_mounted_is_refused(
    aws: Aws, path: str, members: Mapping[str, Any], message: str
) -> None:
    """When the job is created."""
    defaults = {"VpcConfig": {"Subnets": aws.subnets[:1], "SecurityGroupIds": [aws.group()]}}
    given = {name: value for name, value in (defaults | members).items() if value is not None}
    channel = {"ChannelName": "train", "DataSource": {"FileSystemDataSource": lustre_source(MISSING, path)}}
    with pytest.raises(ClientError) as refused:
        aws.start_job(aws.session, ["true"], InputDataConfig=[channel], **given)
    assert message in refused.value.response["Error"]["Message"]


def test_a_symbolic_link_leads_nowhere_out_of_a_file_system(aws: Aws) -> None:
    """A job may make one on EFS; it names nothing of this machine to the next job."""
    file_system_id = aws.elastic(aws.subnets[:1])
    _, job = aws.run(
        "import os; os.symlink('/etc', '/opt/ml/input/data/train/out')", efs_source(file_system_id, "/", "rw")
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    _, job = aws.run("raise SystemExit", efs_source(file_system_id, "/out"))
    assert "mounting /out failed" in job["FailureReason"]


@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_without_a_mount_namespace_the_channel_is_a_link_and_says_what_it_cannot_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """The script reads the same files; that a read-only channel can be written stands in the log."""
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "file").write_text("content")
    monkeypatch.setattr(command, "mount_prefix", lambda: None)
    monkeypatch.setitem(file_systems.MOUNTS, "EFS", lambda _request: (shown, None))
    workspace = Workspace(directory=tmp_path / "job")
    instance = Instance(number=0, hosts=("algo-1",), workspace=workspace)
    request = {"TrainingJobName": "job", "VpcConfig": {}, "ResourceConfig": {"InstanceType": "ml.m5.large"}}
    layout.prepare(instance, request)
    job = TrainingJob(request=request, arn="arn:job", region="us-east-1")
    channel = {"ChannelName": "train", "DataSource": {"FileSystemDataSource": efs_source("fs-1", "/", mode)}}
    supply = file_systems.bring(job, channel, instance)
    assert (workspace.channel("train") / "file").read_text() == "content"
    assert ("can be written" in (supply.notice or "")) is (mode == "ro")


def _rule(first: int, last: int, *, group: str | None = None, cidr: str | None = None, protocol: str = "tcp") -> Any:
    ports = {} if protocol == "-1" else {"FromPort": first, "ToPort": last}
    return {
        "IpProtocol": protocol,
        **ports,
        "UserIdGroupPairs": [{"GroupId": group}] if group else [],
        "IpRanges": [{"CidrIp": cidr}] if cidr else [],
    }


def _side(group: str, network: str, ingress: Sequence[Any] = (), egress: Sequence[Any] = ()) -> Side:
    described = {"GroupId": group, "IpPermissions": list(ingress), "IpPermissionsEgress": list(egress)}
    return Side(groups=(described,), networks=(IPv4Network(network),))


OPEN = _rule(0, 0, cidr="0.0.0.0/0", protocol="-1")


@pytest.mark.parametrize(
    ("egress", "ingress", "closed"),
    [
        ([OPEN], [OPEN], []),
        ([_rule(20, 21, group="sg-server")], [_rule(20, 21, group="sg-client")], []),
        ([_rule(20, 20, group="sg-server"), _rule(21, 21, cidr="10.0.1.0/24")], [OPEN], []),
        ([OPEN], [_rule(20, 20, cidr="10.0.0.0/16"), _rule(21, 21, group="sg-other")], [21]),
        ([OPEN], [_rule(20, 21, cidr="10.0.0.0/25")], [20, 21]),
        ([OPEN], [_rule(20, 21, cidr="10.0.0.0/16", protocol="udp")], [20, 21]),
        ([], [OPEN], [20, 21]),
        ([OPEN], [], [20, 21]),
        ([_rule(21, 30, group="sg-server")], [OPEN], [20]),
    ],
)
def test_which_ports_the_security_groups_let_through(
    egress: Sequence[Any], ingress: Sequence[Any], closed: list[int]
) -> None:
    """Out of the one and into the other, by group or by the whole network, each port by any rule."""
    client = _side("sg-client", "10.0.0.0/24", egress=egress)
    server = _side("sg-server", "10.0.1.5/32", ingress=ingress)
    assert closed_ports(client, server, [20, 21]) == closed
