"""FSx for Lustre in the embedded AWS: data repository tasks, tags, pages, queues, and creations that fail."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from headrace_local.moto_extension.fsx.associations import Association, _queued
from headrace_local.moto_extension.fsx.errors import DataRepositoryTaskEnded
from headrace_local.moto_extension.fsx.failures import FSX_FAILS_FILE, failure_of
from headrace_local.moto_extension.fsx.life import Life
from headrace_local.moto_extension.fsx.tasks import RELEASE_DATA, Task
from headrace_local.process import Running
from headrace_local.runner.lustre import Counts

from tests.file_systems import LUSTRE_PORTS, Aws, lustre_source
from tests.test_local_lustre import needs_first_opens
from tests.training_jobs import GO, StartJob, go, shell, until

IMPORT = {"Type": "IMPORT_METADATA_FROM_REPOSITORY", "Report": {"Enabled": False}}
RELEASE = {"Type": RELEASE_DATA, "Report": {"Enabled": False}}


@pytest.fixture
def aws(aws_session: boto3.Session, start_job: StartJob) -> Aws:
    """The clients and resources that these tests share."""
    return Aws(aws_session, start_job)


@pytest.fixture
def fails(embedded_aws: Running) -> Iterator[Path]:
    """The file that says what fails; it is gone afterwards."""
    file = embedded_aws.log_path.parent / FSX_FAILS_FILE
    yield file
    file.unlink(missing_ok=True)


def _end(aws: Aws, task_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def is_over() -> bool:
        found.update(aws.fsx.describe_data_repository_tasks(TaskIds=[task_id])["DataRepositoryTasks"][0])
        return found["Lifecycle"] not in ("PENDING", "EXECUTING", "CANCELING")

    until(is_over)
    return found


def _make(aws: Aws, file_system_id: str, **members: Any) -> str:
    made = aws.fsx.create_data_repository_task(FileSystemId=file_system_id, **members)
    return str(made["DataRepositoryTask"]["TaskId"])


def _task(executing_seconds: float, age_seconds: float = 0, failure: str | None = None) -> Task:
    return Task(
        request={"FileSystemId": "fs-1", **IMPORT},
        account="1",
        region="r",
        result=Counts(3, 2),
        executing_seconds=executing_seconds,
        failure=failure,
        created_at=time.time() - age_seconds,
    )


def test_a_task_is_canceled_while_it_executes() -> None:
    """CANCELING, then CANCELED, with nothing done; asking twice changes nothing, and what is over has ended."""
    task = _task(1000)
    task.cancel()
    asked = task.canceled_at
    task.cancel()
    assert (task.lifecycle, task.canceled_at) == ("CANCELING", asked)
    assert task.describe([])["Status"].keys() == {"TotalCount", "LastUpdatedTime"}
    task.executing_seconds = 0
    assert (task.lifecycle, task.describe([])["Status"]["SucceededCount"]) == ("CANCELED", 0)
    for ended in (task, _task(1, age_seconds=2), _task(1, age_seconds=2, failure="told to")):
        with pytest.raises(DataRepositoryTaskEnded, match="has ended"):
            ended.cancel()


def test_what_a_task_counts() -> None:
    """Only one that has succeeded has done anything."""
    done, failed = _task(1, age_seconds=2).describe([]), _task(1, age_seconds=2, failure="told to").describe([])
    assert (done["Status"]["SucceededCount"], done["Status"]["FailedCount"]) == (2, 1)
    assert (failed["Status"]["SucceededCount"], failed["FailureDetails"]) == (0, {"Message": "told to"})


def test_one_task_at_a_time_and_cancel_by_the_api(aws: Aws) -> None:
    """A second one is refused while the first executes; a file system on which one runs is not deleted."""
    file_system_id, _ = aws.lustre()
    aws.link(file_system_id, "/data", f"s3://{aws.bucket({'a': b'1'})}/")
    task_id = _make(aws, file_system_id, **IMPORT)
    with pytest.raises(aws.fsx.exceptions.DataRepositoryTaskExecuting):
        _make(aws, file_system_id, **IMPORT)
    with pytest.raises(aws.fsx.exceptions.BadRequest, match="data repository task is EXECUTING"):
        aws.fsx.delete_file_system(FileSystemId=file_system_id)
    canceled = aws.fsx.cancel_data_repository_task(TaskId=task_id)
    assert (canceled["TaskId"], canceled["Lifecycle"]) == (task_id, "CANCELING")
    assert _end(aws, task_id)["Lifecycle"] == "CANCELED"
    with pytest.raises(aws.fsx.exceptions.DataRepositoryTaskEnded):
        aws.fsx.cancel_data_repository_task(TaskId=task_id)
    with pytest.raises(aws.fsx.exceptions.DataRepositoryTaskNotFound):
        aws.fsx.cancel_data_repository_task(TaskId="task-00000000000000000")
    assert _end(aws, _make(aws, file_system_id, **IMPORT))["Lifecycle"] == "SUCCEEDED"


def test_tasks_by_filters_and_pages(aws: Aws) -> None:
    """By file system and life cycle."""
    ids = [aws.lustre()[0] for _ in range(2)]
    made: dict[str, list[str]] = {each: [] for each in ids}
    for each in ids:
        aws.link(each, "/data", f"s3://{aws.bucket({'a': b'1'})}/", BatchImportMetaDataOnCreate=False)
        for _ in range(2):
            made[each].append(_make(aws, each, **IMPORT))
            _end(aws, made[each][-1])
    own = {"Name": "file-system-id", "Values": [ids[0]]}
    for lifecycles, expected in ((["SUCCEEDED", "FAILED"], made[ids[0]]), (["EXECUTING", "CANCELING"], [])):
        found, token = [], {}
        while True:
            filters = [own, {"Name": "task-lifecycle", "Values": lifecycles}]
            page = aws.fsx.describe_data_repository_tasks(Filters=filters, MaxResults=1, **token)
            found += [each["TaskId"] for each in page["DataRepositoryTasks"]]
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        assert sorted(found) == sorted(expected)


def test_the_import_of_a_new_link_is_a_task(aws: Aws) -> None:
    """It runs after the link has been made, and counts what it has brought."""
    file_system_id, _ = aws.lustre()
    repository = f"s3://{aws.bucket({'a': b'1', 'b/': b'', 'b/c': b'2'})}/"
    aws.link(file_system_id, "/data", repository)
    filters = [{"Name": "file-system-id", "Values": [file_system_id]}]

    def task() -> dict[str, Any]:
        (found,) = aws.fsx.describe_data_repository_tasks(Filters=filters)["DataRepositoryTasks"]
        return dict(found)

    assert (task()["Lifecycle"], task()["Type"], task()["Paths"]) == ("EXECUTING", IMPORT["Type"], [repository])
    assert _end(aws, task()["TaskId"])["Status"]["SucceededCount"] == 2


def test_file_systems_by_pages_with_their_times(aws: Aws) -> None:
    """Each one once, and none that is gone."""
    made = {aws.lustre()[0] for _ in range(3)}
    found, token = [], {}
    while True:
        page = aws.fsx.describe_file_systems(MaxResults=2, **token)
        assert len(page["FileSystems"]) <= 2
        found += [each["FileSystemId"] for each in page["FileSystems"] if each["FileSystemId"] in made]
        assert all(abs(each["CreationTime"] - datetime.now(UTC)) < timedelta(days=1) for each in page["FileSystems"])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert sorted(found) == sorted(made)


def test_tags_are_added_replaced_and_taken_away(aws: Aws) -> None:
    """And what does not exist has none; moto tags whatever it is told."""
    file_system_id, _ = aws.lustre()
    arn = aws.fsx.describe_file_systems(FileSystemIds=[file_system_id])["FileSystems"][0]["ResourceARN"]
    for value in ("1", "2"):
        aws.fsx.tag_resource(
            ResourceARN=arn, Tags=[{"Key": "headrace:marked", "Value": value}, {"Key": "a", "Value": "b"}]
        )
    aws.fsx.untag_resource(ResourceARN=arn, TagKeys=["a", "never"])
    tags = [{"Key": "headrace:marked", "Value": "2"}]
    assert aws.fsx.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
    assert aws.fsx.describe_file_systems(FileSystemIds=[file_system_id])["FileSystems"][0]["Tags"] == tags
    for call in (
        lambda: aws.fsx.tag_resource(ResourceARN=f"{arn}0", Tags=tags),
        lambda: aws.fsx.untag_resource(ResourceARN=f"{arn}0", TagKeys=["a"]),
        lambda: aws.fsx.list_tags_for_resource(ResourceARN=f"{arn}0"),
    ):
        with pytest.raises(aws.fsx.exceptions.ResourceNotFound):
            call()


def test_links_are_made_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next is CREATING until those before it are there, and as long again."""
    monkeypatch.setenv("HEADRACE_LOCAL_JOBS", str(tmp_path / "jobs"))
    now = time.time()
    first = Association(
        request={}, account="1", region="r", life=Life(creating_seconds=100, deleting_seconds=1, created_at=now)
    )
    life = _queued([first])
    assert abs(life.made_at - (now + 100.5)) < 1
    assert life.lifecycle == "CREATING"
    assert abs(_queued([]).creating_seconds - 0.5) < 0.01


@pytest.mark.parametrize("kind", ["file-system", "association", "task"])
def test_what_is_told_to_fail_fails(aws: Aws, fails: Path, kind: str) -> None:
    """FAILED, with a message; a stack that makes it fails with that."""
    file_system_id, _ = aws.lustre()
    bucket = aws.bucket({"a": b"1"})
    if kind == "task":
        aws.link(file_system_id, "/data", f"s3://{bucket}/")
    fails.write_text(f"{kind}\n")
    if kind == "file-system":
        made = aws.fsx.create_file_system(
            FileSystemType="LUSTRE",
            StorageCapacity=1200,
            SubnetIds=aws.subnets[:1],
            LustreConfiguration={"DeploymentType": "SCRATCH_2"},
        )["FileSystem"]["FileSystemId"]
        until(lambda: aws._lifecycle(made) != "CREATING")
        found = aws.fsx.describe_file_systems(FileSystemIds=[made])["FileSystems"][0]
    elif kind == "association":
        link = aws.link(file_system_id, "/data", f"s3://{bucket}/")
        describe = aws.fsx.describe_data_repository_associations
        until(lambda: describe(AssociationIds=[link])["Associations"][0]["Lifecycle"] != "CREATING")
        found = describe(AssociationIds=[link])["Associations"][0]
    else:
        found = _end(aws, _make(aws, file_system_id, **IMPORT))
    assert found["Lifecycle"] == "FAILED"
    assert f"every {kind} fails" in found["FailureDetails"]["Message"]


def test_a_stack_whose_file_system_fails_is_rolled_back(aws: Aws, fails: Path) -> None:
    """With the reason, and nothing left."""
    fails.write_text("file-system")
    cloudformation, name = aws.session.client("cloudformation"), f"stack-{uuid4().hex[:12]}"
    configuration = {"DeploymentType": "SCRATCH_2"}
    properties = {"FileSystemType": "LUSTRE", "StorageCapacity": 1200, "SubnetIds": aws.subnets[:1]}
    resource = {"Type": "AWS::FSx::FileSystem", "Properties": {**properties, "LustreConfiguration": configuration}}
    cloudformation.create_stack(StackName=name, TemplateBody=str({"Resources": {"F": resource}}).replace("'", '"'))
    assert cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE"
    events = str(cloudformation.describe_stack_events(StackName=name)["StackEvents"])
    assert "is FAILED: The embedded AWS was told that every file-system fails." in events


def test_failures_are_named_by_variable_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable of the server's environment and its file add up."""
    monkeypatch.setenv("HEADRACE_LOCAL_JOBS", str(tmp_path / "jobs"))
    assert failure_of("task") is None
    monkeypatch.setenv("HEADRACE_LOCAL_FSX_FAILS", "task")
    (tmp_path / FSX_FAILS_FILE).write_text("association")
    assert [failure_of(each) is None for each in ("file-system", "association", "task")] == [True, False, False]


@needs_first_opens
def test_content_that_is_released_is_loaded_anew(aws: Aws, embedded_aws: Running) -> None:
    """Below the paths that are named, and nothing that a job has changed."""
    bucket = aws.bucket({"in/read": b"first", "in/own": b"first", "out/read": b"first", "in/never": b"first"})
    file_system_id, mount_name = aws.lustre()
    aws.link(file_system_id, "/data", f"s3://{bucket}/")
    root = embedded_aws.log_path.parent / "file-systems" / file_system_id / "data"
    read = {name: root / name for name in ("in/read", "in/own", "out/read", "in/never")}
    subprocess.run(["cat", read["in/read"], read["in/own"], read["out/read"]], check=True, capture_output=True)
    with read["in/own"].open("r+b") as file:
        file.write(b"OTHER")
    with read["in/read"].open("rb") as kept:
        ended = _end(aws, _make(aws, file_system_id, Paths=["/data/in"], **RELEASE))
        assert kept.read() == b"first"
    counts = ended["Status"]
    assert (ended["Lifecycle"], counts["TotalCount"], counts["SucceededCount"]) == ("SUCCEEDED", 2, 1)
    assert {name: path.stat().st_blocks > 0 for name, path in read.items()} == {
        "in/read": False,
        "in/own": True,
        "out/read": True,
        "in/never": False,
    }
    assert [each.stat().st_size for each in read.values()] == [5] * 4
    source = lustre_source(file_system_id, f"/{mount_name}/data")
    script = "import pathlib, sys; sys.exit(pathlib.Path('/opt/ml/input/data/train/in/read').read_text() != 'first')"
    assert aws.run(script, source)[1]["TrainingJobStatus"] == "Completed"
    assert read["in/read"].stat().st_blocks > 0
    aws.s3.delete_object(Bucket=bucket, Key="in/read")
    _end(aws, _make(aws, file_system_id, Paths=["/"], **RELEASE))
    assert os.stat(read["in/read"]).st_size == 5
    assert aws.run(script, source)[1]["TrainingJobStatus"] == "Failed"


def test_release_asks_for_no_age(aws: Aws) -> None:
    """Nothing here is days old; other types are refused as well."""
    file_system_id, _ = aws.empty_lustre()
    with pytest.raises(ClientError, match="must be 0 DAYS"):
        _make(
            aws,
            file_system_id,
            ReleaseConfiguration={"DurationSinceLastAccess": {"Unit": "DAYS", "Value": 1}},
            **RELEASE,
        )
    with pytest.raises(ClientError, match="has no tasks of type EXPORT_TO_REPOSITORY"):
        _make(aws, file_system_id, Type="EXPORT_TO_REPOSITORY", Report={"Enabled": False})


def test_connections_are_counted_for_cloudwatch(aws: Aws) -> None:
    """The jobs that mount it now, as of the last whole minute; no data of what does not exist."""
    file_system_id, mount_name = aws.lustre()
    channel = {
        "ChannelName": "train",
        "DataSource": {"FileSystemDataSource": lustre_source(file_system_id, f"/{mount_name}")},
    }
    vpc = {"Subnets": aws.subnets[:1], "SecurityGroupIds": [aws.group(*LUSTRE_PORTS)]}
    name = aws.start_job(
        aws.session, shell('exec python3 -c "$GO"'), InputDataConfig=[channel], VpcConfig=vpc, Environment={"GO": GO}
    )
    assert (_clients(aws, "fs-00000000000000000"), _clients(aws, aws.lustre()[0])) == ([], [0.0])
    until(lambda: _clients(aws, file_system_id) == [1.0])
    assert _clients(aws, file_system_id) == [1.0]
    go(aws.session, name)
    until(lambda: _clients(aws, file_system_id) == [0.0])
    assert _clients(aws, file_system_id) == [0.0]


def _clients(aws: Aws, file_system_id: str) -> list[float]:
    now = datetime.now(UTC)
    found = aws.session.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/FSx",
        MetricName="ClientConnections",
        Dimensions=[{"Name": "FileSystemId", "Value": file_system_id}],
        StartTime=now - timedelta(minutes=15),
        EndTime=now,
        Period=300,
        Statistics=["Maximum"],
    )
    return [each["Maximum"] for each in found["Datapoints"]]
