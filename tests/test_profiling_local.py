"""Folders of this machine, first bytes, and what the guide says of the JSON."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import struct
import tarfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
from headrace.cli.profile_progress import progress_line
from headrace.cli.profile_view import bar_text, bytes_text
from headrace.dataset.contents import Content, agreed, content_of
from headrace.dataset.profile import Profile, Where
from headrace.errors import InvalidInput
from headrace.profiling.local import walk
from headrace.profiling.taking import profile_folder
from hypothesis import given
from hypothesis import strategies as st

from tests.command_line import runner
from tests.dataset_reference import Made, truth

GUIDE = Path(__file__).parent.parent / "docs" / "profile.md"
FILES = {
    "a.jpg": b"\xff\xd8\xff\xe0....",
    "b/c.PNG": b"\x89PNG\r\n\x1a\n....",
    "b/d/e.tar.gz": b"\x1f\x8b....",
    "b/d/f": b"",
    "b/d/g.csv": b"1,2\n" * 300,
    ".hidden": b"x",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files."""
    for name, body in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(body)
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_a_folder_is_counted_like_a_bucket(folder: Path) -> None:
    """The same figures as of the same names in S3."""
    (folder / "up").symlink_to(folder)
    (folder / "dangling").symlink_to(folder / "nowhere")
    (folder / "b" / "link.jpg").symlink_to(folder / "a.jpg")
    os.mkfifo(folder / "pipe")
    counts, folders, notes = walk(folder)
    made = [Made(name, len(body)) for name, body in {**FILES, "b/link.jpg": FILES["a.jpg"]}.items()]
    wanted = truth(made)
    assert (counts.files, counts.size_bytes) == (wanted.files, wanted.size_bytes)
    assert counts.suffixes == wanted.suffixes
    assert (folders.folders, folders.most_files) == (wanted.folders, wanted.most_files)
    assert (counts.depth_sum, counts.depth_most) == (wanted.depth_sum, wanted.depth_most)
    assert len(notes) == 1
    assert notes[0].startswith("2 link(s)")


def test_the_command_shows_a_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its path or as file://; an EFS is told by --where."""
    run = runner(monkeypatch, capsys, "profile")
    plain = json.loads(run(f"file://{folder}", "--where", "efs", "--json").out)
    assert (plain["where"], plain["files"]) == ("efs", len(FILES))
    contents = {each["suffix"]: (each["content"], each["is_container"]) for each in plain["formats"]}
    assert contents[".png"] == ("PNG", False)
    assert contents[".csv"] == (None, True)
    assert contents[".tar.gz"] == ("gzip", True)
    assert "6 files" in run(str(folder)).out


@pytest.mark.parametrize(
    ("path", "message"), [("none", "no such folder"), ("a.jpg", "it is a file"), ("empty", "no file lies below it")]
)
def test_what_is_no_folder_with_files_is_said_so(folder: Path, path: str, message: str) -> None:
    """One line, exit code 2."""
    with pytest.raises(InvalidInput, match=message):
        profile_folder(folder / path, Where.LOCAL, lambda *_: None)


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "run as somebody who may read it"),
        (OSError(errno.EIO, "Input/output error"), "see to the disk or the mount"),
    ],
)
def test_what_cannot_be_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, fix: str) -> None:
    """A profile that lacks a part in silence would be worse than none."""
    original = os.scandir

    def scandir(path: bytes) -> Any:
        if path.endswith(b"/b/"):
            raise error
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InvalidInput, match=f"/b/' cannot be read: {error.strerror}; fix: {fix}"):
        walk(folder)


def test_a_link_to_itself_leads_to_nothing(folder: Path) -> None:
    """It is counted with those that dangle."""
    (folder / "self").symlink_to(folder / "self")
    counts, _, notes = walk(folder)
    assert counts.files == len(FILES)
    assert notes[0].startswith("1 link(s)")


def test_names_that_are_no_utf_8_go_to_no_s3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are counted, and shown with their bytes as escapes; the folder may be such a name itself."""
    root = os.fsencode(tmp_path) + b"/f\xff"
    os.mkdir(root)
    for name in (b"fine.jpg", b"a\xc3", b"\xa9b", "é".encode()):
        Path(os.fsdecode(root + b"/" + name)).write_bytes(b"x")
    run = runner(monkeypatch, capsys, "profile")
    plain = json.loads(run(os.fsdecode(root), "--json").out)
    assert plain["files"] == 4
    (found,) = plain["unusable"]
    assert (found["rule_id"], found["files"], found["examples"]) == ("V53", 2, ["a\\xc3", "\\xa9b"])
    assert found["roads"] == ["S3 File", "S3 FastFile", "S3 Pipe", "FSx for Lustre"]
    assert "f\\xff" in run(os.fsdecode(root)).out


def _tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("000.jpg"))
    return target.getvalue()


def _npy(*, packed: bool) -> bytes:
    target = io.BytesIO()
    np.savez(target, a=np.zeros(2)) if packed else np.save(target, np.zeros(2))
    return target.getvalue()


def _parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), target)
    return target.getvalue()


def _arrow(*, stream: bool) -> bytes:
    import pyarrow as pa

    target, table = io.BytesIO(), pa.table({"a": [1]})
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(target, table.schema) as writer:
        writer.write_table(table)
    return target.getvalue()


@pytest.mark.parametrize(
    ("first", "name", "is_container"),
    [
        (_tar(), "tar", True),
        (_npy(packed=False), "NPY", None),
        (_npy(packed=True), "zip", None),
        (_parquet(), "Parquet", True),
        (_arrow(stream=False), "Arrow file", True),
        (_arrow(stream=True), "Arrow stream", True),
        (struct.pack("<II", 0xCED7230A, 5) + b"12345", "RecordIO", True),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "WAV", False),
        (b"\x00\x00\x00\x20ftypisom", "MP4", False),
        (b"Obj\x01", "Avro", True),
    ],
)
def test_first_bytes_tell_the_format(first: bytes, name: str, is_container: bool | None) -> None:
    """As the formats' own writers write them."""
    assert content_of(first[:512]) == Content(name, is_container)


def _crc_32c(data: bytes) -> int:
    # the table-driven form, to hold the other one against
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


@given(st.integers(0, 1 << 32))
def test_tfrecord_is_known_by_its_checksum(number: int) -> None:
    """And by nothing else: one bit off, and it is none. The check value of CRC-32C is E3069283 (RFC 3720, B.4)."""
    assert _crc_32c(b"123456789") == 0xE3069283
    length = number << 8 | 17  # begins with the mark of no other format
    head = struct.pack("<Q", length)
    crc = _crc_32c(head)
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert content_of(head + struct.pack("<I", masked) + b"data") == Content("TFRecord", True)
    assert content_of(head + struct.pack("<I", masked ^ 1) + b"data") is None


@given(st.binary(max_size=600))
def test_any_bytes_are_looked_at(first: bytes) -> None:
    """Files are others' text: nothing fails."""
    content_of(first)


def test_files_that_differ_are_told_together() -> None:
    """All names; whether they are containers only where they agree."""
    jpeg, png, tar = Content("JPEG", False), Content("PNG", False), Content("tar", True)
    assert agreed([jpeg, png, None]) == Content("JPEG, PNG", False)
    assert agreed([jpeg, tar]) == Content("JPEG, tar", None)
    assert agreed([None]) is None


def test_every_member_of_the_json_is_documented() -> None:
    """Of the profile and of all records in it."""
    section = GUIDE.read_text(encoding="utf-8").partition("## JSON")[2]
    documented = set(re.findall(r"`(\w+)`", section))
    assert {"format_version", *_members(Profile)} <= documented


def _members(record: Any) -> set[str]:
    hints = get_type_hints(record)
    found = {each.name for each in fields(record)}
    for hint in hints.values():
        for inner in (hint, *get_args(hint)):
            if is_dataclass(inner):
                found |= _members(inner)
    return found


def test_progress_tells_rate_and_rest() -> None:
    """A bar where about the whole is known, a count where it is not."""
    assert (
        progress_line(300, 100, 2)
        == "██████████████████░░░░░░ 300 files counted, 150 a second, about 75 %, 0.7 s to go"
    )
    assert progress_line(300, 0, 2) == "300 files counted, 150 a second"
    assert progress_line(0, 5, 0) == "0 files counted, 0 a second"


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (1 << 20, "1 MiB"), (1 << 62, "4 EiB")]
)
def test_bytes_are_told_as_people_say_them(size_bytes: int, text: str) -> None:
    """In units of 1024, as the buckets are."""
    assert bytes_text(size_bytes) == text


@given(st.floats(0, 1), st.integers(1, 60))
def test_a_bar_is_as_long_as_its_share(share: float, width: int) -> None:
    """Never longer than it may be, and seen where there is something."""
    bar = bar_text(share, width)
    assert len(bar) <= width
    assert bool(bar) == (share > 0)


def test_a_folder_of_an_efs_is_named_as_a_job_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies above the mount point is this machine's business."""
    folder = tmp_path / "mnt" / "efs" / "images"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"a")
    mounts = {str(tmp_path / "mnt" / "efs"), "/"}
    monkeypatch.setattr(os.path, "ismount", lambda path: str(path) in mounts)
    profile = profile_folder(folder, Where.EFS, lambda _files, _more: None)
    assert profile.location == "/images"
    assert any("/images within the EFS" in each for each in profile.notes)
    whole = profile_folder(tmp_path / "mnt" / "efs", Where.EFS, lambda _files, _more: None)
    assert whole.location == "/"
