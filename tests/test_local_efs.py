"""EFS channels in the embedded AWS: what outlives jobs, and what cannot be written."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from headrace_local.runner import command, file_systems, layout
from headrace_local.runner.instance import Instance
from headrace_local.runner.job import TrainingJob
from headrace_local.runner.workspace import Workspace

from tests.file_systems import HASHES, Aws, efs_source, hashes, lustre_source, needs_namespace
from tests.training_jobs import StartJob


@pytest.fixture
def aws(aws_session: boto3.Session, start_job: StartJob) -> Aws:
    """What these tests share."""
    return Aws(aws_session, start_job)


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
