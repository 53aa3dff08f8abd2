"""The script that fills the EFS, run as a job runs it: a process with folders, hostile names and mistakes included."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from headrace.aws.objects import StoredObject
from headrace.efs_load.counters import METRICS
from headrace.efs_load.job import ENTRY_POINT, SCRIPT_FOLDER
from headrace.efs_load.listing import write_listing
from headrace.sources import S3Location
from headrace.tally import numbers_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MODIFIED = datetime(2026, 3, 4, 5, 6, 7, 891_000, UTC)
FILES = {
    "a.txt": b"a",
    "sub/deep/b c.bin": bytes(range(256)) * 300,
    "sub/ünïcode 🚰.txt": "ä".encode(),
    "empty": b"",
    "-rf": b"an option to nobody",
    " loaded_files=99 loaded_bytes=99 ": b"a number to nobody",
    "$(id);'\"\\": b"a command to nobody",
    f"{'n' * 255}": b"as long as a name may be",
}


@dataclass(frozen=True)
class Outcome:
    """How the script ended, and what it said."""

    code: int
    lines: list[str]

    @property
    def numbers(self) -> Mapping[str, int]:
        """The counters as they ended."""
        numbers = numbers_of(self.lines[-1])
        assert numbers is not None, self.lines
        return numbers


@dataclass(frozen=True)
class Place:
    """The folders of one load."""

    source: Path
    root: Path
    listing: Path
    failure: Path

    @property
    def target(self) -> Path:
        """The directory that is filled."""
        return self.root / "data/set"

    def command(self, *options: str) -> list[str]:
        """The command line of the script."""
        folders = ["--source", str(self.source), "--target", str(self.root), "--directory", "/data/set"]
        files = ["--listing", str(self.listing), "--failure-file", str(self.failure), "--workers", "4"]
        return [sys.executable, "-I", str(SCRIPT_FOLDER / ENTRY_POINT), *folders, *files, *options]

    def list(self, files: Mapping[str, bytes], modified: datetime = MODIFIED) -> None:
        """Write the listing of these files."""
        objects = [StoredObject(key=f"p/{key}", size_bytes=len(body), modified=modified) for key, body in files.items()]
        write_listing(self.listing, S3Location(bucket="lake", prefix="p/"), objects)

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write these files into the source, and their listing."""
        for name, body in files.items():
            path = self.source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        self.list(files)

    def load(self, *options: str) -> Outcome:
        """Run the script."""
        # an image without a locale
        environment = {"LC_ALL": "C", "PYTHONUTF8": "0"}
        done = subprocess.run(self.command(*options), env=environment, capture_output=True, timeout=60)
        assert not done.stderr, done.stderr.decode()
        return Outcome(done.returncode, done.stdout.decode().splitlines())

    def found(self) -> dict[str, bytes]:
        """Path -> content of all files of the file system, below the directory or not."""
        paths = [each for each in self.root.rglob("*") if each.is_symlink() or not each.is_dir()]
        return {os.path.relpath(each, self.target): each.read_bytes() for each in paths}


def _place(folder: Path) -> Place:
    place = Place(folder / "source", folder / "efs", folder / "listing.jsonl.gz", folder / "failure")
    place.source.mkdir()
    place.root.mkdir()
    return place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Folders with nothing in them."""
    return _place(tmp_path)


def test_every_byte_arrives_whatever_its_file_is_called(place: Place) -> None:
    """The directory has exactly the listed files, with the times of their objects, and the counters say so."""
    place.put(FILES)
    outcome = place.load()
    assert outcome.code == 0
    assert place.found() == FILES
    assert {each.stat().st_mtime_ns // 1_000_000 for each in place.target.rglob("*") if each.is_file()} == {
        round(MODIFIED.timestamp() * 1000)
    }
    size_bytes = sum(map(len, FILES.values()))
    assert outcome.numbers == {
        "loaded_files": len(FILES),
        "loaded_bytes": size_bytes,
        "copied_files": len(FILES),
        "copied_bytes": size_bytes,
        "read_bytes": size_bytes,
        "removed_files": 0,
        "failed_files": 0,
        "total_files": len(FILES),
        "total_bytes": size_bytes,
    }
    assert {each.name for each in METRICS} <= set(outcome.numbers)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), max_size=40), min_size=1, max_size=3)
        .filter(lambda names: not {"", ".", ".."} & set(names))
        .map(lambda names: "/".join(["d", *names]) if len(names) > 1 else names[0] + "~"),
        st.binary(max_size=50),
        max_size=6,
    )
)
def test_any_names_and_contents_arrive(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever Unicode the keys are made of, the files are the same, and a second run copies none."""
    names = set(files)
    files = {name: body for name, body in files.items() if not any(other.startswith(f"{name}/") for other in names)}
    place = _place(tmp_path_factory.mktemp("load"))
    place.put(files)
    assert place.load().code == 0
    assert (place.found() if place.target.is_dir() else {}) == files
    assert place.load().numbers["copied_files"] == 0


@pytest.mark.parametrize(
    ("change", "copied"),
    [
        pytest.param(lambda _: None, 0, id="nothing"),
        pytest.param(lambda place: (place.target / "a.txt").unlink(), 1, id="a file is gone"),
        pytest.param(lambda place: (place.target / "a.txt").write_bytes(b"ab"), 1, id="a file has another size"),
        pytest.param(lambda place: os.utime(place.target / "a.txt", (1, 1)), 1, id="a file has another time"),
        pytest.param(lambda place: place.list(FILES, datetime(2026, 5, 5, tzinfo=UTC)), len(FILES), id="new objects"),
    ],
)
def test_a_second_run_copies_what_is_missing(place: Place, change: Callable[[Place], object], copied: int) -> None:
    """What is there with the object's size and time is kept; all else is copied, and all counts as loaded."""
    place.put(FILES)
    place.load()
    change(place)
    outcome = place.load()
    assert (outcome.code, outcome.numbers["copied_files"]) == (0, copied)
    assert outcome.numbers["loaded_files"] == len(FILES)
    assert place.found() == FILES


def test_what_a_killed_job_left_is_overwritten(place: Place) -> None:
    """A half-written part of an earlier run is in nobody's way, even as a link."""
    place.put({"a.txt": b"a"})
    place.load()
    (place.target / "a.txt").unlink()
    # the part's name depends on nothing but the file's
    part = place.target / f".headrace-part-{hashlib.sha256(b'a.txt').hexdigest()[:32]}"
    part.symlink_to(place.source / "a.txt")
    assert place.load().code == 0
    assert place.found() == {"a.txt": b"a"}


def test_without_prune_nothing_is_removed(place: Place) -> None:
    """Other files of the directory stay."""
    place.put(FILES)
    place.target.mkdir(parents=True)
    (place.target / "mine").write_text("mine")
    assert place.load().numbers["removed_files"] == 0
    assert place.found() == {**FILES, "mine": b"mine"}


def test_prune_removes_what_s3_does_not_have_and_follows_no_link(place: Place) -> None:
    """Files, links and emptied directories go; what a link leads to, and other directories of the EFS, stay."""
    place.put(FILES)
    neighbour = place.root / "data/other"
    (place.target / "old/older").mkdir(parents=True)
    neighbour.mkdir()
    (neighbour / "keep").write_text("keep")
    (place.target / "old/older/x").write_text("x")
    (place.target / "link").symlink_to(neighbour)
    (place.target / "sub").write_text("a file where a directory shall be")
    (place.target / "a.txt").mkdir()
    outcome = place.load("--prune")
    assert (outcome.code, outcome.numbers["removed_files"]) == (0, 3), outcome.lines
    assert place.found() == {**FILES, "../other/keep": b"keep"}
    assert sorted(each.name for each in place.target.iterdir() if each.is_dir()) == ["sub"]


def test_one_bad_file_does_not_stop_the_others(place: Place) -> None:
    """Each failure is named once, in the log and in the reason of the job; the rest is loaded; the exit code is 1."""
    place.put(FILES)
    (place.source / "a.txt").unlink()
    (place.source / "empty").write_bytes(b"longer by now")
    outcome = place.load()
    assert outcome.code == 1
    assert outcome.numbers["loaded_files"] == len(FILES) - 2
    assert outcome.numbers["failed_files"] == 2
    rest = {name: body for name, body in FILES.items() if name not in ("a.txt", "empty")}
    assert outcome.numbers["loaded_bytes"] == sum(map(len, rest.values()))
    assert place.found() == rest
    reason = place.failure.read_text()
    assert reason.startswith("2 file(s) failed: ")
    assert "'a.txt': No such file or directory" in reason
    assert "'empty': has 13 bytes, 0 were listed" in reason


@pytest.mark.parametrize("path", ["../out", "/etc/out", "a/../../out", "a//b", ".", "", "a/", "a\0b"])
def test_no_path_leads_out_of_the_directory(place: Place, path: str) -> None:
    """A listing that names another place is refused, file by file, with the name quoted."""
    place.put({"good": b"good"})
    place.list({path: b"bad", "good": b"good"})
    outcome = place.load()
    assert outcome.code == 1
    assert f"error: {path!r}: not a path below the folder" in outcome.lines
    assert place.found() == {"good": b"good"}


def test_a_directory_in_the_place_of_a_file_is_an_error(place: Place) -> None:
    """It is not removed unless asked for, and the bytes of the file do not count as loaded."""
    place.put({"a.txt": b"abc", "b": b"b"})
    (place.target / "a.txt/x").mkdir(parents=True)
    outcome = place.load()
    assert outcome.code == 1
    assert (outcome.numbers["loaded_bytes"], outcome.numbers["copied_bytes"]) == (1, 1)
    assert "error: 'a.txt': Is a directory" in outcome.lines
    assert sorted(each.name for each in place.target.iterdir()) == ["a.txt", "b"]


def test_no_link_is_followed_out_of_the_directory(place: Place, tmp_path: Path) -> None:
    """A link on the EFS in the place of a directory is an error, and what it leads to is not written."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place.put({"sub/x": b"x", "y": b"y"})
    place.target.mkdir(parents=True)
    (place.target / "sub").symlink_to(elsewhere)
    (place.target / "y").symlink_to(elsewhere / "y")
    outcome = place.load()
    assert outcome.code == 1
    assert any("sub' is no directory" in line for line in outcome.lines)
    assert list(elsewhere.iterdir()) == []
    assert (place.target / "y").read_bytes() == b"y"


def test_a_directory_that_cannot_be_made_is_one_line(place: Place) -> None:
    """Where the directory shall be there is a file: said in the reason, nothing is loaded."""
    place.put({"a.txt": b"a"})
    (place.root / "data").write_text("a file")
    outcome = place.load("--prune")
    assert outcome.code == 1
    assert "directory '/data/set' cannot be made:" in place.failure.read_text()
    assert (place.root / "data").read_text() == "a file"


def test_a_stopped_load_leaves_no_half_of_a_file(place: Place) -> None:
    """SIGTERM ends it between two pieces; the part is gone, and the reason says that it can go on."""
    place.list({"endless": b""})
    os.mkfifo(place.source / "endless")
    running = subprocess.Popen(place.command(), stdout=subprocess.PIPE)
    writer = _opened_by_its_reader(place.source / "endless", running)
    running.send_signal(signal.SIGTERM)
    with contextlib.suppress(BrokenPipeError), open(writer, "wb") as endless:
        while running.poll() is None:
            endless.write(b"x" * (1 << 20))
    running.communicate()
    assert running.returncode == 143
    assert place.failure.read_text() == "stopped; run it again to copy what is missing"
    assert not [name for name in place.found() if "part" in name or name == "endless"]


def _opened_by_its_reader(fifo: Path, reader: subprocess.Popen[bytes]) -> int:
    """A descriptor to write to the FIFO, once the process reads it."""
    while reader.poll() is None:
        with contextlib.suppress(OSError):  # nobody reads it yet
            descriptor = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            os.set_blocking(descriptor, True)
            return descriptor
        time.sleep(0.01)
    raise AssertionError(f"ended with {reader.returncode} before it read {fifo.name}")


def test_two_loads_of_one_directory_do_not_mix_their_files(place: Place) -> None:
    """Where another load has taken over the part of a file, it is not put into the file's place."""
    place.list({"a.txt": b"abc"})
    os.mkfifo(place.source / "a.txt")
    part = place.target / f".headrace-part-{hashlib.sha256(b'a.txt').hexdigest()[:32]}"
    running = subprocess.Popen(place.command(), stdout=subprocess.PIPE)
    with open(_opened_by_its_reader(place.source / "a.txt", running), "wb") as content:
        while not part.exists() and running.poll() is None:
            time.sleep(0.01)
        part.rename(part.with_name("kept, so that its number is not given again"))
        part.write_bytes(b"x")
        content.write(b"abc")
    running.communicate()
    assert running.returncode == 1
    assert "another load fills the same directory" in place.failure.read_text()
    assert not (place.target / "a.txt").exists()


def test_the_names_in_an_error_are_quoted(place: Place) -> None:
    """A line break in a name does not begin a line of its own, which could be read as a number."""
    place.list({"x\nloaded_files=7 total_files=7": b"x"})
    outcome = place.load()
    assert json.dumps("x\\nloaded_files=7 total_files=7")[1:-1].replace("\\\\", "\\") in " ".join(outcome.lines)
    assert not [line for line in outcome.lines if line.startswith("loaded_files=7")]
    assert outcome.numbers["loaded_files"] == 0
