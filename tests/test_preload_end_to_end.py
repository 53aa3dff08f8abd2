"""Real preloads: the command on the deployed platform, and the request for a file system that was not there before."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from headrace import preload
from headrace.future_lustre import PLACEHOLDER_ID
from headrace.job_description import JobDescription, description_of
from headrace.platform import LustreLink
from headrace.preload.counters import check_counts
from headrace.rules.lustre_sizing import SMALLEST_GIB
from headrace_local.process import Running
from headrace_local.runner import first_open

from tests.command_line import Run, runner
from tests.conftest import DeployedPlatform
from tests.file_systems import Aws
from tests.training_jobs import StartJob, end, until

IMAGE = "preloader:1"
FILES = {
    "a.txt": b"a",
    "empty": b"",
    "sub/deep/b c.bin": bytes(range(256)) * 5000,
    "sub/ünïcode.txt": "ä".encode(),
    "-rf": b"an option to nobody",
    "loaded_files=99": b"a number to nobody",
}
SIZE_BYTES = sum(map(len, FILES.values()))


def _is_lazy() -> bool:
    try:
        first_open.first_opens()
    except first_open.CannotWatch:
        return False
    return True


IS_LAZY = _is_lazy()
"""Whether files get their content when they are opened; elsewhere all are loaded before the job."""


def _loaded(root: Path) -> dict[str, bool]:
    """Path -> whether there is content, of files that have a size."""
    files = [each for each in root.rglob("*") if each.is_file() and each.stat().st_size]
    return {str(each.relative_to(root)): each.stat().st_blocks > 0 for each in files}


def _put(client: Any, bucket: str, folder: str, files: Mapping[str, bytes]) -> None:
    for name, body in files.items():
        client.put_object(Bucket=bucket, Key=folder + name, Body=body)


class Shared:
    """The shared Lustre of the deployed platform, and a folder below its link that only one test uses."""

    def __init__(self, deployed: DeployedPlatform, directory: Path) -> None:
        lustre = deployed.platform.lustre
        assert lustre is not None
        self.deployed = deployed
        self.file_system_id = lustre.file_system_id
        self.folder = uuid4().hex[:12]
        self.prefix = f"data/{self.folder}/"
        self.root = directory / "file-systems" / self.file_system_id / "data" / self.folder
        self.put({**FILES, "sub/": b""})

    def put(self, files: Mapping[str, bytes]) -> None:
        """Put objects into the folder."""
        _put(self.deployed.client("s3"), self.deployed.foundation.bucket, self.prefix, files)

    def jobs(self) -> set[str]:
        """The names of all training jobs."""
        pages = self.deployed.client("sagemaker").get_paginator("list_training_jobs").paginate()
        return {job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]}


@pytest.fixture(scope="module")
def _with_image(deployed: DeployedPlatform) -> DeployedPlatform:
    deployed.push_image(IMAGE)
    return deployed


@pytest.fixture
def shared(_with_image: DeployedPlatform, embedded_aws: Running, monkeypatch: pytest.MonkeyPatch) -> Shared:
    """The shared Lustre, with clients of this process leading there."""
    for name, value in _with_image.environment.items():
        monkeypatch.setenv(name, value)
    return Shared(_with_image, embedded_aws.log_path.parent)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""
    return runner(monkeypatch, capsys, "preload")


def test_a_preload_loads_every_file_and_a_later_one_what_is_new(run: Run, shared: Shared) -> None:
    """Content is there that nobody has read but the preload; then only what came since is read."""
    outcome = run("data", "--path", shared.folder, "--image", IMAGE, "--json")
    assert outcome.code == 0, outcome.err
    first = json.loads(outcome.out)
    assert (first["loaded_files"], first["loaded_bytes"]) == (len(FILES), SIZE_BYTES)
    assert (first["file_system_id"], first["links"]) == (shared.file_system_id, ["data"])
    loaded = _loaded(shared.root)
    assert len(loaded) == len(FILES) - 1
    assert all(loaded.values())
    if IS_LAZY:
        assert first["found_files"] == 1  # nothing has to be loaded for the empty one

    shared.put({"new": b"new", "a.txt": b"b"})
    again = json.loads(run("data", "--path", shared.folder, "--image", IMAGE, "--json").out)
    assert (again["loaded_files"], again["loaded_bytes"]) == (len(FILES) + 1, SIZE_BYTES + 3)
    if IS_LAZY:
        assert again["found_files"] == len(FILES) - 1
    assert all(_loaded(shared.root).values())


def test_the_result_is_on_stdout_and_progress_on_stderr(run: Run, shared: Shared) -> None:
    """What will be loaded, and how long that takes, before; what was loaded after."""
    outcome = run("data", "--path", shared.folder, "--image", IMAGE)
    assert outcome.code == 0, outcome.err
    where = f"{shared.file_system_id}:/data/{shared.folder}"
    assert outcome.out.startswith(f"{len(FILES)} files, {SIZE_BYTES:,} bytes loaded in {where}")
    assert f"loading {len(FILES)} files, {SIZE_BYTES:,} bytes, into {where}" in outcome.err
    assert "about 1 s with 16 readers on ml.m5.xlarge: " in outcome.err
    assert "Training" in outcome.err
    assert "loaded_files=" not in outcome.err


@pytest.mark.skipif(not IS_LAZY, reason="this system loads everything before the job")
def test_what_is_released_is_listed_and_loaded_anew(
    run: Run, shared: Shared, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its room is free, its size is still shown, and the next preload reads it again."""
    arguments = ("data", "--path", shared.folder, "--image", IMAGE, "--json")
    assert run(*arguments).code == 0
    outcome = runner(monkeypatch, capsys, "lustre", "release")(f"/data/{shared.folder}", "--json")
    assert outcome.code == 0, outcome.err
    released = json.loads(outcome.out)
    assert (released["path"], released["file_system_id"]) == (f"/data/{shared.folder}", shared.file_system_id)
    assert (released["released_files"], released["kept_files"]) == (len(FILES) - 1, 1)  # the empty one
    assert set(_loaded(shared.root).values()) == {False}
    again = json.loads(run(*arguments).out)
    assert (again["loaded_files"], again["found_files"]) == (len(FILES), 1)
    assert all(_loaded(shared.root).values())


def test_the_function_does_the_same(shared: Shared) -> None:
    """``preload`` gives the tally."""
    result = preload.preload("data", path=shared.folder, image=IMAGE, readers=2)
    assert result.loaded == preload.Tally(files=len(FILES), size_bytes=SIZE_BYTES)
    assert all(_loaded(shared.root).values())


def test_a_dry_run_prints_the_request_and_creates_nothing(run: Run, shared: Shared) -> None:
    """The exact request on stdout, the estimate on stderr."""
    before = shared.jobs()
    outcome = run("data", "--path", shared.folder, "--image", IMAGE, "--dry-run", "--readers", "3")
    assert outcome.code == 0, outcome.err
    request = json.loads(outcome.out)
    assert request["Environment"]["PRELOAD_READERS"] == "3"
    assert f"would load {len(FILES)} files" in outcome.err
    assert shared.jobs() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["dta", "--image", IMAGE], "error: Lustre link is 'dta'; allowed: data"),
        (["data"], "error: image is missing"),
        (["--path", "x", "--image", IMAGE], "error: path is 'x'; allowed: a directory below one link"),
        (["data", "--path", "mistyped", "--image", IMAGE], "error: V48 ERROR"),
        (["data", "--image", "no-such:1"], "error: V"),
    ],
)
def test_mistakes_cost_nothing(run: Run, shared: Shared, arguments: list[str], told: str) -> None:
    """One line each, exit code 2, and no job."""
    before = shared.jobs()
    outcome = run(*arguments)
    assert outcome.code == 2
    assert told in outcome.err
    assert shared.jobs() == before


def test_more_than_fits_is_refused(run: Run, shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that is nine tenths full fails the job half way."""
    monkeypatch.setattr("headrace.preload.contents._BYTES_PER_GIB", SIZE_BYTES / SMALLEST_GIB)
    before = shared.jobs()
    outcome = run("data", "--path", shared.folder, "--image", IMAGE)
    assert outcome.code == 2
    assert "error: V26 ERROR: storage_capacity_gib is 1200; allowed: at most nine tenths" in outcome.err
    assert shared.jobs() == before


def _made_for_the_job(aws: Aws, request: Mapping[str, Any], file_system_id: str, mount_name: str) -> dict[str, Any]:
    """The request as whoever made the file system completes it."""
    channels = [json.loads(json.dumps(each)) for each in request["InputDataConfig"]]
    for each in channels:
        source = each["DataSource"]["FileSystemDataSource"]
        assert source["FileSystemId"] == PLACEHOLDER_ID
        source["FileSystemId"] = file_system_id
        source["DirectoryPath"] = f"/{mount_name}{source['DirectoryPath'].rstrip('/')}"
    group = aws.group((988, 988), (1018, 1023))
    network = {"Subnets": aws.subnets[:1], "SecurityGroupIds": [group]}
    return {**request, "InputDataConfig": channels, "VpcConfig": network}


@pytest.fixture
def aws(aws_session: boto3.Session, start_job: StartJob) -> Aws:
    """The embedded AWS without the platform's Lustre."""
    return Aws(aws_session, start_job)


def _imported(aws: Aws, file_system_id: str) -> dict[str, Any]:
    """The status of a task that imports everything, at its end."""
    made = aws.fsx.create_data_repository_task(
        FileSystemId=file_system_id, Type="IMPORT_METADATA_FROM_REPOSITORY", Report={"Enabled": False}
    )
    asked = [made["DataRepositoryTask"]["TaskId"]]

    def task() -> dict[str, Any]:
        found: dict[str, Any] = aws.fsx.describe_data_repository_tasks(TaskIds=asked)["DataRepositoryTasks"][0]
        return found

    until(lambda: task()["Lifecycle"] == "SUCCEEDED")
    status: dict[str, Any] = task()["Status"]
    return status


def _preloaded(
    aws: Aws, deployed: DeployedPlatform, objects: Mapping[str, bytes], gone: Sequence[str] = ()
) -> tuple[JobDescription, str, int]:
    """A preload of a file system of its own: the job at its end, the file system, and how many files were imported.

    ``gone``: objects that are deleted when they have been imported.
    """
    bucket = aws.bucket(objects)
    links = [
        LustreLink(name=name, path=f"/{name}", bucket=bucket, prefix=f"{name}/")
        for name in sorted({key.partition("/")[0] for key in objects})
    ]
    file_system_id, mount_name = aws.lustre()
    for each in links:
        repository = f"s3://{each.bucket}/{each.prefix}"
        aws.link(file_system_id, each.path, repository, BatchImportMetaDataOnCreate=False)
    imported = _imported(aws, file_system_id)["SucceededCount"]
    for key in gone:
        aws.s3.delete_object(Bucket=bucket, Key=key)
    request = preload.preload_request(
        name=f"{deployed.foundation.job_name_prefix}own-{uuid4().hex[:12]}-preload",
        platform=deployed.platform,
        links=links,
        storage_capacity_gib=SMALLEST_GIB,
        contents=preload.Contents(files=len(objects), size_bytes=SIZE_BYTES, largest_bytes=SIZE_BYTES),
        image=IMAGE,
    )
    aws.sagemaker.create_training_job(**_made_for_the_job(aws, request, file_system_id, mount_name))
    return description_of(end(aws.sagemaker, request["TrainingJobName"])), file_system_id, imported


def test_a_file_system_of_a_job_s_own_is_loaded(aws: Aws, deployed: DeployedPlatform, embedded_aws: Running) -> None:
    """All its links, by the request for a file system yet to be made; the counts are those of the import task."""
    objects = {f"{link}/{name}": body for link in ("one", "two") for name, body in FILES.items()}
    job, file_system_id, imported = _preloaded(aws, deployed, objects)
    assert job.status == "Completed", job.failure_reason
    listed = preload.Tally(files=2 * len(FILES), size_bytes=2 * SIZE_BYTES)
    assert check_counts("x", listed, job.metrics, imported) == listed
    assert job.metrics["failed_files"] == 0
    loaded = _loaded(embedded_aws.log_path.parent / "file-systems" / file_system_id)
    assert len(loaded) == 2 * (len(FILES) - 1)
    assert all(loaded.values())


@pytest.mark.skipif(not IS_LAZY, reason="this system loads everything before the job")
def test_objects_that_cannot_be_fetched_fail_the_preload_by_name(aws: Aws, deployed: DeployedPlatform) -> None:
    """The link still shows them; the others are loaded, and the numbers say so."""
    objects = {f"one/{name}": body for name, body in FILES.items()}
    job, _, imported = _preloaded(aws, deployed, objects, gone=["one/a.txt", "one/sub/ünïcode.txt"])
    assert (job.status, imported) == ("Failed", len(FILES))
    assert job.failure_reason is not None
    assert "2 file(s) cannot be read: " in job.failure_reason
    # an error of its own takes Linux 6.14
    assert re.search(r"/one/a\.txt: (Input/output error|Operation not permitted)", job.failure_reason)
    assert "/one/sub/??n??code.txt: " in job.failure_reason
    assert (job.metrics["loaded_files"], job.metrics["failed_files"]) == (len(FILES) - 2, 2)
    with pytest.raises(preload.CountsDiffer, match=f"has {len(FILES) - 2} files"):
        check_counts("x", preload.Tally(files=len(FILES), size_bytes=SIZE_BYTES), job.metrics, imported)
