"""The files of a Lustre file system: which objects become files, and what a job that may write cannot lead them to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from threading import Barrier, BrokenBarrierError

import pytest
from headrace_local.runner import first_open, lustre, shared_folders
from headrace_local.runner.lustre import Link, LustreFiles
from headrace_local.runner.s3_storage import StoredObject

HOSTILE = ["../out", "a//b", "/a", "./a", "a/..", "long" * 64, "good", "good/below", "sub/x"]
EVERYTHING = frozenset({"NEW", "CHANGED", "DELETED"})


class Bucket(dict[str, str]):
    """Key -> text, in the place of S3Storage; the text is its own ETag."""

    is_there = True

    def listing(self, _bucket: str, prefix: str) -> list[StoredObject] | None:
        """As S3Storage gives it."""
        modified = datetime(2024, 1, 1, tzinfo=UTC)
        found = [StoredObject(key, len(text), text, modified) for key, text in self.items() if key.startswith(prefix)]
        return found if self.is_there else None

    def read_unchanged(self, _bucket: str, key: str, etag: str) -> bytes | None:
        """As S3Storage gives it."""
        return etag.encode() if self.is_there and self.get(key) == etag else None


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, on a system that tells of no opens: everything is loaded at once."""

    def cannot() -> None:
        raise first_open.CannotWatch("fanotify: no such thing")

    made = Bucket()
    monkeypatch.setattr(lustre, "first_opens", cannot)
    monkeypatch.setattr(lustre, "S3Storage", lambda _region: made)
    return made


@pytest.fixture
def files(tmp_path: Path, bucket: Bucket) -> LustreFiles:
    """A file system with a link of everything in the bucket to /data."""
    made = LustreFiles(root=tmp_path / "root")
    link = Link(
        association_id="dra-1",
        region="us-east-1",
        bucket="b",
        prefix="",
        path=PurePosixPath("/data"),
        auto_import=EVERYTHING,
    )
    made.link(link, is_imported=False)
    return made


def _texts(folder: Path) -> dict[str, str]:
    return {str(each.relative_to(folder)): each.read_text() for each in folder.rglob("*") if each.is_file()}


def _follow(files: LustreFiles) -> None:
    files.follow()
    assert files.load_unwatched() == "fanotify: no such thing"


def test_only_keys_that_can_be_files_are_imported(tmp_path: Path, bucket: Bucket, files: LustreFiles) -> None:
    """A key is whatever somebody once wrote."""
    bucket.update({key: key for key in HOSTILE})
    _follow(files)
    assert _texts(tmp_path) == {"root/data/good": "good", "root/data/sub/x": "sub/x"}


@pytest.mark.parametrize("then", [{"sub/x": "changed"}, {}, {"sub/x": "first", "sub/y": "new"}])
@pytest.mark.parametrize("target", ["outside", "../../outside"])
def test_a_link_that_a_job_made_leads_no_import_out_of_the_file_system(
    tmp_path: Path, bucket: Bucket, files: LustreFiles, then: dict[str, str], target: str
) -> None:
    """Nothing outside is made, changed or removed, whatever comes from S3."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("mine!")
    bucket["sub/x"] = "first"
    _follow(files)
    folder = tmp_path / "root" / "data" / "sub"
    (folder / "x").unlink()
    folder.rmdir()
    folder.symlink_to(outside if target == "outside" else target)
    bucket.clear()
    bucket.update(then)
    _follow(files)
    assert _texts(outside) == {"x": "mine!"}


def test_a_file_that_a_job_made_a_link_is_not_loaded_through_it(
    tmp_path: Path, bucket: Bucket, files: LustreFiles
) -> None:
    """What is at the other end is not the file system's."""
    (tmp_path / "outside").write_text("mine!")
    bucket["x"] = "first"
    files.follow()
    file = tmp_path / "root" / "data" / "x"
    file.unlink()
    file.symlink_to(tmp_path / "outside")
    files.load_unwatched()
    assert (tmp_path / "outside").read_text() == "mine!"


def test_a_folder_that_a_job_put_in_the_place_of_a_file_stays(
    tmp_path: Path, bucket: Bucket, files: LustreFiles
) -> None:
    """The object's end is no reason to take it away, nor to fail the next job."""
    bucket["x"] = "first"
    _follow(files)
    file = tmp_path / "root" / "data" / "x"
    file.unlink()
    file.mkdir()
    bucket.clear()
    _follow(files)
    assert file.is_dir()


def test_files_stay_when_their_bucket_has_gone(tmp_path: Path, bucket: Bucket, files: LustreFiles) -> None:
    """Nobody tells of its objects any more; what is loaded can be read, and the file system mounted."""
    bucket["x"] = "first"
    _follow(files)
    bucket.is_there = False
    _follow(files)
    assert _texts(tmp_path / "root") == {"data/x": "first"}


def test_all_who_ask_at_once_get_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a link that one of them makes would be unknown to the others."""
    both = Barrier(2)

    def folder_of(file_system_id: str) -> Path:
        with suppress(BrokenBarrierError):  # only one comes here
            both.wait(0.5)
        return tmp_path / file_system_id

    monkeypatch.setattr(shared_folders, "folder_of", folder_of)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lustre.files_of, ["fs-00000000000000001"] * 2)
    assert first is second
