"""Real jobs on the S3 roads of the embedded AWS: what their script reads at /opt/ml, and what is left afterwards."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from headrace_local import process
from headrace_local.runner.recordio import framed

StartJob = Callable[..., str]

SCRIPT = """
import hashlib, json, os, pathlib, stat, subprocess
data, seen = pathlib.Path("/opt/ml/input/data"), {}
for channel in sorted(json.loads(os.environ["SM_CHANNELS"])):
    folder = data / channel
    if folder.is_dir():
        seen[channel] = {str(each.relative_to(folder)): hashlib.sha256(each.read_bytes()).hexdigest()
                         for each in sorted(folder.rglob("*")) if each.is_file()}
    else:
        seen[channel] = [hashlib.sha256(pathlib.Path(f"{folder}_{epoch}").read_bytes()).hexdigest()
                         for epoch in range(3)]
(pathlib.Path("/opt/ml/output/data") / (os.environ["SM_CURRENT_HOST"] + ".json")).write_text(json.dumps(seen))
"""


OBJECTS = {f"n{number}": bytes([number]) * (number * 30_000) for number in range(5)}
SHARDED = {"S3DataDistributionType": "ShardedByS3Key"}


@pytest.fixture
def bucket(aws_session: boto3.Session) -> str:
    """A bucket with the objects, a manifest of two of them, an augmented manifest of all, and the script."""
    s3, name = aws_session.client("s3"), f"roads-{os.urandom(6).hex()}"
    s3.create_bucket(Bucket=name)
    for key, content in OBJECTS.items():
        s3.put_object(Bucket=name, Key=f"data/{key}", Body=content)
    manifest = json.dumps([{"prefix": f"s3://{name}/data/"}, "n3", "n1"])
    lines = [json.dumps({"image-ref": f"s3://{name}/data/{key}", "label": key}) for key in OBJECTS]
    for key, text in (("code/look.py", SCRIPT), ("manifest", manifest), ("augmented", "\n".join(lines))):
        s3.put_object(Bucket=name, Key=key, Body=text.encode())
    return name


def _channel(name: str, mode: str, uri: str, kind: str = "S3Prefix", **more: Any) -> dict[str, Any]:
    source = {"S3DataType": kind, "S3Uri": f"s3://{uri}", **more}
    return {"ChannelName": name, "InputMode": mode, "DataSource": {"S3DataSource": source}}


def test_a_job_of_two_instances_on_all_roads(aws_session: boto3.Session, bucket: str, start_job: StartJob) -> None:
    """Through CreateTrainingJob and the real mount namespace: what the script reads at /opt/ml, byte for byte."""
    attributes = {"AttributeNames": ["image-ref", "label"]}
    pipe = _channel("pipe", "Pipe", f"{bucket}/augmented", "AugmentedManifestFile", **attributes, **SHARDED)
    name = start_job(
        aws_session,
        ["python3", "/opt/ml/input/data/code/look.py"],
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
        InputDataConfig=[
            _channel("code", "File", f"{bucket}/code/"),
            _channel("fast", "FastFile", f"{bucket}/data/", **SHARDED),
            _channel("file", "File", f"{bucket}/manifest", "ManifestFile"),
            {**pipe, "RecordWrapperType": "RecordIO"},
        ],
    )
    job = _end(aws_session.client("sagemaker"), name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    seen = _output(aws_session.client("s3"), name)
    assert seen == {"algo-1": _what_is_to_be_seen(0), "algo-2": _what_is_to_be_seen(1)}


def _what_is_to_be_seen(instance: int) -> dict[str, Any]:
    mine = list(OBJECTS)[instance::2]
    stream = b"".join(framed(part) for each in mine for part in (OBJECTS[each], f'"{each}"'.encode()))
    return {
        "code": {"look.py": _hash(SCRIPT.encode())},
        "fast": {each: _hash(OBJECTS[each]) for each in mine},
        "file": {each: _hash(OBJECTS[each]) for each in ("n1", "n3")},
        "pipe": [_hash(stream)] * 3,
    }


@pytest.mark.parametrize("then", ["true", "exec sleep 300"])
def test_a_pipe_that_breaks_fails_the_job(
    aws_session: boto3.Session, bucket: str, start_job: StartJob, then: str
) -> None:
    """Whatever the script makes of data that ends too early, and as soon as it does."""
    channel = {**_channel("train", "Pipe", f"{bucket}/data/"), "CompressionType": "Gzip"}
    script = f"cat /opt/ml/input/data/train_0; {then}"
    name = start_job(
        aws_session,
        ["sh", "-c", script],
        InputDataConfig=[channel],
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )
    job = _end(aws_session.client("sagemaker"), name)
    assert job["TrainingJobStatus"] == "Failed"
    assert f"s3://{bucket}/data/n1: CompressionType is Gzip, and the object is none" in job["FailureReason"]


def test_no_mount_outlives_a_killed_server(
    tmp_path: Path, start_job: StartJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever watches the server takes them away, and the folders go with the next start or stop."""
    server = process.start(tmp_path)
    try:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        session = boto3.Session()
        s3, sagemaker = session.client("s3"), session.client("sagemaker")
        s3.create_bucket(Bucket="data")
        s3.put_object(Bucket="data", Key="a", Body=b"a")
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data"}}
        channel = {"ChannelName": "train", "InputMode": "FastFile", "DataSource": source}
        name = start_job(session, ["sleep", "300"], InputDataConfig=[channel])
        while sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] != "Training":
            time.sleep(0.05)
        if not (found := _mounts_below(tmp_path)):
            pytest.skip("this machine cannot mount FUSE")
        assert found == [f"{tmp_path}/jobs/{name}/algo-1/ml/input/data/train"]
        os.kill(server.pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while _mounts_below(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _mounts_below(tmp_path) == []
    finally:
        process.stop(tmp_path)
    assert not (tmp_path / "jobs").exists()


def _mounts_below(folder: Path) -> list[str]:
    places = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [place for place in places if place.startswith(f"{folder}/")]


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _end(sagemaker: Any, name: str) -> Mapping[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] not in ("InProgress", "Stopping") or time.monotonic() > deadline:
            return job
        time.sleep(0.05)


def _output(s3: Any, name: str) -> dict[str, Any]:
    body = s3.get_object(Bucket=name, Key=f"output/{name}/output/output.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        found = {each.name: tar.extractfile(each) for each in tar.getmembers()}
        return {Path(path).stem: json.load(file) for path, file in found.items() if file is not None}
