"""The S3 roads of the embedded AWS: what a job sees of its channels is what their definition says, byte for byte."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from headrace_local.environment import client_environment
from headrace_local.moto_extension import clients
from headrace_local.runner import channels
from headrace_local.runner.instance import Instance
from headrace_local.runner.job import JobFailed, TrainingJob
from headrace_local.runner.workspace import Workspace
from headrace_local.state import ACCOUNT
from moto.server import ThreadedMotoServer

REGION = "us-east-1"
BUCKET = "roads"
MAGIC = bytes.fromhex("0a23d7ce")
CONTENTS = {
    "b/[x]*?{y}.bin": MAGIC * 3,
    "b/deep/ sp\u00e4ce ": b"\x00" + MAGIC + b"\x01\x02",
    "c\\d": b"",
    "e.bin": bytes(range(256)) * 700,
    "f#;+ - g": b"1234" + MAGIC + b"5",
    "z": b"z" * 3,
}
"""Names below a prefix -> bytes: glob and filter signs, odd spaces, RecordIO's magic number, nothing, more than a pipe
holds."""
LABELS: Mapping[str, Any] = {"text": "caf\u00e9 \u2028", "number": 1.5, "object": {"k": [1, None]}}
SEED = 7


@contextmanager
def s3_in_this_process() -> Iterator[Any]:
    """The runner reads objects out of the server's own process; here that is this one. Gives a client of a full S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in client_environment(
            endpoint_url=f"http://{host}:{port}", account=ACCOUNT, region=REGION
        ).items():
            patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        clients._make.cache_clear()
        yield _filled(boto3.client("s3", region_name=REGION))
        clients._make.cache_clear()
    server.stop()


def _filled(s3: Any) -> Any:
    s3.create_bucket(Bucket=BUCKET)
    for name, content in CONTENTS.items():
        s3.put_object(Bucket=BUCKET, Key=f"plain/{name}", Body=content)
        s3.put_object(Bucket=BUCKET, Key=f"packed/{name}", Body=gzip.compress(content[:5]) + gzip.compress(content[5:]))
    s3.put_object(Bucket=BUCKET, Key="plain/", Body=b"")
    for folder in ("plain", "packed"):
        manifest = [{"prefix": f"s3://{BUCKET}/{folder}/"}, *reversed(CONTENTS)]
        s3.put_object(Bucket=BUCKET, Key=f"{folder}.manifest", Body=json.dumps(manifest).encode())
        lines = [
            json.dumps({"x-ref": f"s3://{BUCKET}/{folder}/{name}", "unused": 1, **LABELS})
            for name in reversed(CONTENTS)
        ]
        s3.put_object(Bucket=BUCKET, Key=f"{folder}.augmented", Body="\n".join([*lines, ""]).encode())
    return s3


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """An S3 in this process."""
    with s3_in_this_process() as client:
        yield client


URIS = {"S3Prefix": "{folder}/", "ManifestFile": "{folder}.manifest", "AugmentedManifestFile": "{folder}.augmented"}


def a_channel(mode: str, kind: str, distribution: str, folder: str = "plain", **members: Any) -> dict[str, Any]:
    uri = f"s3://{BUCKET}/{URIS[kind].format(folder=folder)}"
    source: dict[str, Any] = {"S3DataType": kind, "S3Uri": uri, "S3DataDistributionType": distribution}
    if kind == "AugmentedManifestFile":
        source["AttributeNames"] = ["x-ref", *LABELS]
    return {"ChannelName": "train", "InputMode": mode, "DataSource": {"S3DataSource": source}, **members}


def a_job(*given: Mapping[str, Any]) -> TrainingJob:
    request = {
        "TrainingJobName": "job",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "InputDataConfig": list(given),
    }
    return TrainingJob(request=request, arn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/job", region=REGION)


def instances(directory: Path, count: int) -> list[Instance]:
    hosts = tuple(f"algo-{number + 1}" for number in range(count))
    return [
        Instance(number=number, hosts=hosts, workspace=Workspace(directory=directory / host))
        for number, host in enumerate(hosts)
    ]


def bring(
    directory: Path, channel: Mapping[str, Any], count: int, look: Callable[[Path], Any], notice: str | None = None
) -> list[Any]:
    """What every instance sees of a channel."""
    job, seen = a_job(channel), []
    assert list(channels.refusals(channel, job.request)) == []
    for instance in instances(directory, count):
        supply = channels.bring(job, channel, instance)
        try:
            assert supply.notice == notice
            seen.append(look(instance.workspace.channel("train")))
            assert supply.failure is None
        finally:
            supply.close()
            supply.close()
    return seen


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(Path(parent, name).relative_to(folder)): Path(parent, name).read_bytes()
        for parent, _, names in os.walk(folder)
        for name in names
    }


def epochs(channel: Path) -> list[bytes]:
    return [channel.with_name(f"{channel.name}_{epoch}").read_bytes() for epoch in range(3)]


def dealt(items: Sequence[Any], distribution: str, count: int) -> list[list[Any]]:
    """By hand: one by one to each instance in turn, or everything to everyone."""
    hands: list[list[Any]] = [[] for _ in range(count)]
    for place, item in enumerate(items):
        for number in range(count):
            if distribution == "FullyReplicated" or place % count == number:
                hands[number].append(item)
    return hands


DISTRIBUTIONS = ("FullyReplicated", "ShardedByS3Key")
COUNTS = (1, 2, 3)
FILE_ROADS = [("File", "S3Prefix"), ("File", "ManifestFile"), ("FastFile", "S3Prefix")]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize(("mode", "kind"), FILE_ROADS)
def test_files(s3: Any, tmp_path: Path, mode: str, kind: str, distribution: str, count: int) -> None:
    """Every instance finds its share as files, each at its name below the prefix and with its bytes."""
    seen = bring(tmp_path, a_channel(mode, kind, distribution), count, files)
    names = sorted(CONTENTS, key=str.encode) if kind == "S3Prefix" else list(reversed(CONTENTS))
    hands = dealt(names, distribution, count)
    assert seen == [{name: CONTENTS[name] for name in hand} for hand in hands]


def test_more_instances_than_objects_leave_some_without(s3: Any, tmp_path: Path) -> None:
    """SageMaker starts the instance all the same: its folder is empty, its pipe ends at once."""
    s3.put_object(Bucket=BUCKET, Key="few/one", Body=b"1")
    for mode, look, nothing in (("File", files, {}), ("FastFile", files, {}), ("Pipe", epochs, [b"", b"", b""])):
        channel = a_channel(mode, "S3Prefix", "ShardedByS3Key", "few")
        assert bring(tmp_path / mode, channel, 2, look)[1] == nothing


BAD_MANIFESTS = [
    (b"", "whose first element is"),
    (b"[]", "whose first element is"),
    (b"{}", "whose first element is"),
    (b"[" * 100_000, "whose first element is"),
    (b'\xef\xbb\xbf[{"prefix": "s3://roads/plain/"}, "z"]', "whose first element is"),
    (b"\xff\xfe", "no UTF-8"),
    (b'[{"prefix": "plain/"}, "z"]', "must be an S3 URI"),
    (b'[{"prefix": "s3://roads/plain/"}]', "lists no objects"),
    (b'[{"prefix": "s3://roads/plain/"}, "z", {"prefix": "s3://other/"}]', "element 2"),
    (b'[{"prefix": "s3://roads/plain/"}, "z", "gone"]', "element 2"),
    (b'[{"prefix": "s3://roads/plain/"}, "../secret"]', "does not exist"),
    (b'[{"prefix": "s3://no-such-bucket/plain/"}, "z"]', "does not exist"),
]


@pytest.mark.parametrize(("content", "message"), BAD_MANIFESTS)
def test_a_manifest_that_is_none_fails_the_job(s3: Any, tmp_path: Path, content: bytes, message: str) -> None:
    """With the manifest's name and what is wrong with it."""
    s3.put_object(Bucket=BUCKET, Key="bad.manifest", Body=content)
    channel = a_channel("File", "ManifestFile", "FullyReplicated", "bad")
    with pytest.raises(JobFailed, match=r"ClientError: Data download failed:.*bad\.manifest") as failed:
        channels.bring(a_job(channel), channel, instances(tmp_path, 1)[0])
    assert message in str(failed.value)


BAD_LINES = [
    (b'{"x-ref": "s3://roads/plain/z"', "line 1 .* it is no JSON object"),
    (b"[1]", "line 1 .* it is no JSON object"),
    (b'{"x-ref": "s3://roads/plain/z", "number": 1, "object": 2}', "line 1 .* no attribute 'text'"),
    (b'{"x-ref": 3, "text": 1, "number": 1, "object": 2}', "line 1 .* must be an S3 URI"),
    (b'\n{"x-ref": "s3://roads/gone", "text": 1, "number": 1, "object": 2}', "line 2 .* does not exist"),
]


@pytest.mark.parametrize(("content", "message"), BAD_LINES)
def test_a_line_that_cannot_be_streamed_fails_the_job(s3: Any, tmp_path: Path, content: bytes, message: str) -> None:
    """Before anything is streamed, with the number of the line."""
    s3.put_object(Bucket=BUCKET, Key="bad.augmented", Body=content)
    channel = a_channel("Pipe", "AugmentedManifestFile", "FullyReplicated", "bad")
    with pytest.raises(JobFailed, match=message):
        channels.bring(a_job(channel), channel, instances(tmp_path, 1)[0])


REFUSED = [
    (a_channel("FastFile", "ManifestFile", "FullyReplicated"), "ManifestFile is supported in File or Pipe mode only"),
    (
        a_channel("FastFile", "AugmentedManifestFile", "FullyReplicated"),
        "AugmentedManifestFile is supported in Pipe mode",
    ),
    (a_channel("File", "AugmentedManifestFile", "FullyReplicated"), "AugmentedManifestFile is supported in Pipe mode"),
    (
        a_channel("File", "S3Prefix", "FullyReplicated", CompressionType="Gzip"),
        "CompressionType Gzip is supported in Pipe",
    ),
    (a_channel("FastFile", "S3Prefix", "FullyReplicated", CompressionType="Gzip"), "not in FastFile mode"),
    (a_channel("File", "S3Prefix", "FullyReplicated", RecordWrapperType="RecordIO"), "RecordWrapperType RecordIO is"),
]


@pytest.mark.parametrize(("channel", "message"), REFUSED)
def test_a_channel_that_cannot_be_is_refused(channel: Mapping[str, Any], message: str) -> None:
    """With what would be valid instead; the same channel in Pipe mode is."""
    refused = list(channels.refusals(channel, a_job(channel).request))
    assert len(refused) == 1
    assert message in refused[0]
    assert refused[0].startswith("channel train: ")
    assert list(channels.refusals({**channel, "InputMode": "Pipe"}, a_job(channel).request)) == []


def test_attribute_names_belong_to_augmented_manifests() -> None:
    """They are needed there, and allowed nowhere else."""
    without = a_channel("Pipe", "AugmentedManifestFile", "FullyReplicated")
    del without["DataSource"]["S3DataSource"]["AttributeNames"]
    elsewhere = a_channel("Pipe", "ManifestFile", "FullyReplicated")
    elsewhere["DataSource"]["S3DataSource"]["AttributeNames"] = ["x"]
    for channel, message in ((without, "needs AttributeNames"), (elsewhere, "not with ManifestFile")):
        (refused,) = channels.refusals(channel, a_job(channel).request)
        assert message in refused
