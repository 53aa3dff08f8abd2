"""The script that reads a Lustre, run as a job runs it: on directories with hostile names, in every shell there is.

A file with a size and no blocks stands for one that is not loaded: Lustre shows a released file so, too.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from headrace.preload.counters import COUNTERS, METRICS, arrived_bytes, exact
from headrace.preload.job import ENTRYPOINT, PIECE_CHARACTERS, SCRIPT, pieces, squeezed
from headrace.tally import numbers_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

TEXT = SCRIPT.read_text(encoding="ascii")
SHELLS = [each for each in ("dash", "busybox sh", "bash --posix") if shutil.which(each.split()[0])] or ["sh"]
TOOLS = ("cat", "dd", "mkdir", "mkfifo", "rm", "sh", "sleep", "stat", "tr", "wc")
"""All that the script needs, and stat, which it can do without."""
NOBODY = 65534
MIB = 1 << 20
HOSTILE = [
    b"plain",
    b"-rf",
    b" loaded_files=99 failed_files=7 ",
    b"new\nline",
    b"\nat the beginning",
    b"at the end\n\n",
    b"tab\tand\rreturn",
    b"$(id);'\"\\`",
    b"\\n\\",
    b"*?[a]",
    b"...",
    b".hidden",
    b"\x80\x81\x88\xff\xfe",
    b"\x1b[31m",
    "ünïcode 🚰".encode(),
    b"n" * 255,
]


@dataclass(frozen=True)
class Outcome:
    """How the script ended, and what it said."""

    code: int
    lines: list[str]
    failure: str | None

    @property
    def numbers(self) -> Mapping[str, int]:
        """The counters as they ended."""
        numbers = numbers_of(self.lines[-1])
        assert numbers is not None, self.lines
        return numbers


@dataclass(frozen=True)
class Place:
    """A directory that is read, and what the script runs with."""

    folder: Path
    shell: str = "dash" if shutil.which("dash") else "sh"
    path: str = os.environ["PATH"]
    options: Mapping[str, str] = field(default_factory=dict)
    script: str = TEXT

    @property
    def data(self) -> Path:
        """The directory."""
        return self.folder / "data"

    @property
    def failure(self) -> Path:
        """Where the reason of a failure goes."""
        return self.folder / "failure"

    @property
    def tools(self) -> Path:
        """Programs that stand in for others."""
        return self.folder / "tools"

    def put(self, names: Sequence[bytes], size_bytes: int = 10, *, loaded: bool = False) -> None:
        """Make files of this size; those that are not loaded have nothing in them."""
        for name in names:
            path = os.path.join(os.fsencode(self.data), name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(b"x" * size_bytes if loaded else b"")
                file.truncate(size_bytes)

    def with_tools(self, **scripts: str) -> Place:
        """Let shell scripts stand in for programs."""
        self.tools.mkdir(exist_ok=True)
        for name, text in scripts.items():
            tool = self.tools / name
            tool.write_text(f"#!/bin/sh\n{text}\n")
            tool.chmod(0o755)
        return replace(self, path=f"{self.tools}:{self.path}")

    def with_only(self, *tools: str) -> Place:
        """Leave all other programs away."""
        bare = self.folder / "bare"
        bare.mkdir()
        for name in {*tools, self.shell.split()[0]}:
            found = shutil.which(name)
            assert found is not None, name
            (bare / name).symlink_to(found)
        return replace(self, path=str(bare))

    def with_log(self) -> Place:
        """Note the name of each file that cat or dd reads."""
        log, cat, dd = self.folder / "log", shutil.which("cat"), shutil.which("dd")
        return self.with_tools(
            cat=f'for each do printf "%s\\0" "$each" >>{log}; done; exec {cat} "$@"',
            dd=f'readlink -z /proc/self/fd/0 >>{log}; exec {dd} "$@"',
        )

    def read(self) -> list[bytes]:
        """The names that were noted, from the data's directory on."""
        log = self.folder / "log"
        names = log.read_bytes().split(b"\0")[:-1] if log.exists() else []
        return [os.path.relpath(name, os.fsencode(self.data)) for name in names]

    def environment(self) -> dict[str, str]:
        """The script's environment."""
        return {
            "PATH": self.path,
            "PRELOAD_DIRECTORIES": str(self.data),
            "PRELOAD_READERS": "4",
            "PRELOAD_STALL_SECONDS": "60",
            "PRELOAD_TICK_SECONDS": "1",
            "PRELOAD_FAILURE_FILE": str(self.failure),
            **pieces(self.script),
            **self.options,
        }

    def command(self) -> list[str]:
        """The job's command line, in this shell."""
        return [*self.shell.split(), *ENTRYPOINT[1:-1], ENTRYPOINT[-1].replace("exec sh", f"exec {self.shell}")]

    def run(self, user: int | None = None) -> Outcome:
        """Run the script to its end."""
        done = subprocess.run(
            self.command(), env=self.environment(), cwd=self.folder, capture_output=True, timeout=60, user=user
        )
        assert not done.stderr, done.stderr.decode()
        return self.outcome(done.returncode, done.stdout)

    def outcome(self, code: int, output: bytes) -> Outcome:
        """What a process that has ended has left."""
        failure = self.failure.read_text(encoding="ascii") if self.failure.exists() else None
        return Outcome(code, output.decode("ascii").splitlines(), failure)


def _place(folder: Path) -> Place:
    place = Place(folder)
    place.data.mkdir()
    return place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A directory with nothing in it."""
    return _place(tmp_path)


@pytest.mark.parametrize("tools", [(), TOOLS, tuple(set(TOOLS) - {"stat"})], ids=["all", "no find", "no find, no stat"])
@pytest.mark.parametrize("shell", SHELLS)
def test_every_file_is_read_whatever_it_is_called(place: Place, shell: str, tools: tuple[str, ...]) -> None:
    """In directories of such names, too; the counters say so, to the last byte."""
    place = replace(place, shell=shell)
    names = [*HOSTILE, *(b"deep/" + name + b"/" + name for name in HOSTILE)]
    place.put(names)
    place.put([b"large"], 3 * MIB)
    outcome = (place.with_only(*tools) if tools else place).run()
    assert (outcome.code, outcome.failure) == (0, None)
    assert outcome.numbers["loaded_files"] == len(names) + 1
    assert outcome.numbers["loaded_bytes"] == 10 * len(names) + (3 * MIB)
    assert outcome.numbers["failed_files"] == outcome.numbers["found_files"] == 0
    assert set(COUNTERS) <= set(outcome.numbers)


NAMES = st.lists(
    st.binary(min_size=1, max_size=30).map(lambda name: re.sub(rb"[\0/]", b"\x81", name)), min_size=1, max_size=3
).map(lambda names: b"/".join(name + b"~" if name in (b".", b"..") else name for name in names))


@pytest.mark.parametrize("has_find", [True, False])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(NAMES, max_size=12), shell=st.sampled_from(SHELLS))
@example(names=set(HOSTILE), shell=SHELLS[0])
def test_any_names_are_read_once_each(
    has_find: bool, names: set[bytes], shell: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever bytes they are made of, the very files are opened, and none twice."""
    names = {name for name in names if not any(other.startswith(name + b"/") for other in names)}
    place = replace(_place(tmp_path_factory.mktemp("preload")), shell=shell)
    place.put(sorted(names))
    if not has_find:
        place = place.with_only(*TOOLS, "readlink")
    outcome = place.with_log().run()
    assert outcome.code == 0
    assert sorted(place.read()) == sorted(names)
    assert outcome.numbers["loaded_files"] == len(names)


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_loaded_is_left_when_it_is_run_again(place: Place, shell: str) -> None:
    """It counts as loaded and is not read; nor is an empty file, which has nothing to load."""
    place.put([b"new\nline", b"sub/a", b"large"], 5000, loaded=True)
    place.put([b"empty"], 0)
    place.put([b"sub/b", b"c"], 20)
    outcome = replace(place, shell=shell).with_log().run()
    assert outcome.code == 0
    assert outcome.numbers["found_files"] == 4
    assert outcome.numbers["loaded_files"] == 6
    assert outcome.numbers["loaded_bytes"] == 15040
    assert sorted(place.read()) == [b"c", b"sub/b"]


def test_half_a_file_is_not_loaded(place: Place) -> None:
    """Blocks that do not hold all of its bytes prove nothing: it may be compressed, or half there."""
    place.put([b"half"], 100_000, loaded=True)
    os.truncate(place.data / "half", 200_000)
    outcome = place.with_log().run()
    assert (outcome.numbers["found_files"], outcome.numbers["loaded_bytes"]) == (0, 200_000)
    assert place.read() == [b"half"]


RELEASED = [(size, blocks) for size in (1, 100, 512, 513, 2 * MIB) for blocks in (0, 1)]


@pytest.mark.parametrize("shell", SHELLS)
def test_one_block_proves_nothing(place: Place, shell: str) -> None:
    """Lustre shows a released file with none, or one, so that nobody takes it for sparse; such a file is read.

    What is loaded has more (the smallest extent is a page, eight blocks), and what is empty has nothing to load.
    """
    for size, blocks in RELEASED:
        place.put([b"released-%d-%d" % (size, blocks)], size)
    place.put([b"loaded-1-8", b"loaded-1-2"], 1)
    place.put([b"empty-0-0", b"empty-0-1"], 0)
    as_lustre = 'shift 2; for each do echo "${each##*-}:$(wc -c <"$each")"; done'
    outcome = replace(place, shell=shell).with_log().with_tools(stat=as_lustre).run()
    assert sorted(place.read()) == sorted(b"released-%d-%d" % each for each in RELEASED)
    assert (outcome.code, outcome.numbers["found_files"]) == (0, 4)
    assert outcome.numbers["loaded_files"] == len(RELEASED) + 4
    assert outcome.numbers["loaded_bytes"] == sum(size for size, _ in RELEASED) + 2


@pytest.mark.parametrize(
    "stat", ["exit 1", "echo File: $2", 'shift 2; for each do [ "$each" != "${each%a}" ] || echo 8:1; done; exit 1']
)
def test_without_a_stat_that_can_do_it_everything_is_read(place: Place, stat: str) -> None:
    """Another stat, or one that fails for a file, tells nothing of any."""
    place.put([b"a", b"b", b"c"], 1, loaded=True)
    outcome = place.with_tools(stat=stat).run()
    assert (outcome.code, outcome.numbers["loaded_files"], outcome.numbers["found_files"]) == (0, 3, 0)


def test_only_plain_files_of_the_directory_are_read(place: Place, tmp_path: Path) -> None:
    """No FIFO, which would never end, and nothing that a link leads to."""
    place.put([b"a"])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/x").write_text("x")
    os.mkfifo(place.data / "fifo")
    for name, target in (("file", tmp_path / "elsewhere/x"), ("folder", tmp_path / "elsewhere"), ("loop", place.data)):
        (place.data / name).symlink_to(target)
    for each in (place, place.with_only(*TOOLS)):
        assert each.run().numbers["loaded_files"] == 1


def test_several_directories_are_read_even_behind_a_link(place: Place, tmp_path: Path) -> None:
    """Each channel is one; some system may show it as a link."""
    place.put([b"a/x", b"b/x", b"b/y"])
    (tmp_path / "link").symlink_to(place.data / "b")
    options = {"PRELOAD_DIRECTORIES": f"{place.data}/a {tmp_path}/link"}
    assert replace(place, options=options).run().numbers["loaded_files"] == 3


def _as_nobody(place: Place) -> int | None:
    """A user to whom the modes of files mean something."""
    if os.geteuid():
        return None
    for each in (place.folder, *place.folder.parents):
        if each.stat().st_uid == os.geteuid() and each != Path("/"):
            each.chmod(each.stat().st_mode | 0o055)
    place.folder.chmod(0o777)
    return NOBODY


@pytest.mark.parametrize("shell", SHELLS)
def test_what_cannot_be_read_fails_the_job_by_name(place: Place, shell: str) -> None:
    """All are counted and ten are named, without a control character; the rest is loaded."""
    bad = [b"bad\n\x1b[31m loaded_files=7", *(b"no/%d" % number for number in range(11))]
    place.put([*bad, b"good", b"no/good"])
    for name in bad:
        os.chmod(os.path.join(os.fsencode(place.data), name), 0)
    outcome = replace(place, shell=shell).run(user=_as_nobody(place))
    assert outcome.code == 4
    assert (outcome.numbers["failed_files"], outcome.numbers["loaded_files"]) == (12, 2)
    assert outcome.numbers["loaded_bytes"] == 20
    named = [line for line in outcome.lines if line.startswith("error: ")]
    assert len(named) == 10
    assert {line.rpartition(": ")[2] for line in named} == {"Permission denied"}
    assert outcome.failure is not None
    assert outcome.failure.startswith("12 file(s) cannot be read: /")
    assert len(outcome.failure) <= 1024
    assert outcome.failure.isprintable()
    # the last value of a metric is the one that counts, and no name is taken for one
    metric = re.compile(METRICS[0].regex)
    assert metric.findall("\n".join(named)) == []


@pytest.mark.parametrize("tools", [(), TOOLS], ids=["find", "no find"])
def test_a_directory_that_cannot_be_listed_fails_the_job(place: Place, tools: tuple[str, ...]) -> None:
    """What lies in it is not known to be loaded."""
    place.put([b"a", b"closed/b"])
    (place.data / "closed").chmod(0)
    outcome = (place.with_only(*tools) if tools else place).run(user=_as_nobody(place))
    (place.data / "closed").chmod(0o755)
    assert (outcome.code, outcome.numbers["loaded_files"], outcome.numbers["failed_files"]) == (4, 1, 1)
    assert outcome.failure is not None
    assert "closed" in outcome.failure


@pytest.mark.parametrize("shell", SHELLS)
def test_an_error_in_the_middle_of_a_file_is_told_with_its_reason(place: Place, shell: str) -> None:
    """Lustre gives ENODATA or EIO when S3 does not answer; bytes that were read of it are not loaded."""
    place.put([b"large"], 300 * MIB)
    broken = f"""
        [ -e {place.folder}/again ] || {{ : >{place.folder}/again; exec {shutil.which("dd")} "$@"; }}
        echo "dd: error reading 'standard input': No data available" >&2
        echo "0+0 records in" >&2
        exit 1"""
    outcome = replace(place, shell=shell).with_tools(dd=broken).run()
    assert outcome.code == 4
    assert outcome.failure is not None
    assert outcome.failure.endswith("/large: No data available")
    assert (outcome.numbers["loaded_bytes"], outcome.numbers["reading_bytes"]) == (0, 0)


def test_small_files_that_fail_together_are_told_apart(place: Place) -> None:
    """They are read with one cat; when that brings too little, each by itself."""
    place.put([b"a", b"b", b"c"])
    failing = 'case $(readlink /proc/self/fd/0) in */b) echo "dd: x: Input/output error" >&2; exit 1;; esac'
    place = place.with_tools(cat="exit 1", dd=f'{failing}; exec {shutil.which("dd")} "$@"')
    outcome = place.run()
    assert (outcome.code, outcome.numbers["loaded_files"], outcome.numbers["failed_files"]) == (4, 2, 1)
    assert outcome.failure is not None
    assert outcome.failure.endswith("/b: Input/output error")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_preload_that_stalls_says_so_and_ends(place: Place, shell: str) -> None:
    """No file finished and nothing read: exit code 3, a clear line, and what was loaded."""
    place.put([b"large", b"other"], 3 * MIB)
    stuck = "case $(readlink /proc/self/fd/0) in */large) exec sleep 20;; esac"
    place = replace(place, shell=shell, options={"PRELOAD_STALL_SECONDS": "2"})
    outcome = place.with_tools(dd=f'{stuck}; exec {shutil.which("dd")} "$@"').run()
    assert outcome.code == 3
    assert outcome.numbers["loaded_files"] == 1
    assert outcome.failure == "stalled: no file finished and nothing read for 2 s; run it again to load the rest"
    assert outcome.failure in outcome.lines


@pytest.mark.parametrize("shell", SHELLS)
def test_a_reader_that_dies_fails_the_job(place: Place, shell: str) -> None:
    """What it had taken is not loaded, and nobody waits for it."""
    place.put([b"a"])
    script = TEXT.replace('        load "$@"\n', "        exit 9\n")
    assert script != TEXT
    outcome = replace(place, shell=shell, script=script).run()
    assert outcome.code == 4
    assert outcome.failure == "1 file(s) cannot be read: a reader ended before its time"


def test_a_walk_that_stalls_is_noticed(place: Place) -> None:
    """A file system that answers nothing lists nothing, either."""
    place = replace(place, options={"PRELOAD_STALL_SECONDS": "2"})
    assert place.with_tools(find='[ "$2" = -prune ] || exec sleep 20').run().code == 3


def test_a_large_file_that_goes_on_is_no_stall(place: Place) -> None:
    """Each piece counts, though the file is not finished for longer than may pass without anything."""
    place.put([b"large"], 5 * MIB + 1)
    script = TEXT.replace("piece_blocks=256 ", "piece_blocks=1 ").replace("=268435456\n", f"={MIB}\n")
    place = replace(place, script=script, options={"PRELOAD_STALL_SECONDS": "4"})
    outcome = place.with_tools(dd=f'sleep 1; exec {shutil.which("dd")} "$@"').run()
    assert (outcome.code, outcome.numbers["loaded_bytes"]) == (0, 5 * MIB + 1)
    arrived = [arrived_bytes(numbers) for numbers in map(numbers_of, outcome.lines) if numbers is not None]
    assert arrived == sorted(arrived)
    assert set(arrived) <= {*(number * MIB for number in range(6)), 5 * MIB + 1}
    assert len(set(arrived)) > 2


@pytest.mark.parametrize("shell", SHELLS)
def test_it_ends_when_it_is_stopped(place: Place, shell: str) -> None:
    """SIGTERM: numbers, the reason, code 143, and no reader left behind."""
    place.put([b"large"], 3 * MIB)
    place = replace(place, shell=shell).with_tools(dd=f": >{place.folder}/begun; exec sleep 3")
    running = subprocess.Popen(place.command(), env=place.environment(), cwd=place.folder, stdout=subprocess.PIPE)
    while not (place.folder / "begun").exists() and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=20)
    outcome = place.outcome(running.returncode, output)
    assert (outcome.code, outcome.failure) == (143, "stopped; run it again to load the rest")
    assert outcome.numbers["loaded_files"] == 0
    deadline = time.monotonic() + 20
    while (left := _running_in(place)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def _running_in(place: Place) -> list[str]:
    """Shells of the script that are still there; what they wait for may last."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            is_ours = os.readlink(each / "cwd") == str(place.folder)
            command = (each / "cmdline").read_bytes()
            if is_ours and b"preload.sh" in command:
                found.append(f"{each.name} {(each / 'wchan').read_text()}")
    return found


def test_a_directory_that_is_not_there_is_one_line(place: Place) -> None:
    """The mount has failed, or the channel is another."""
    place.data.rmdir()
    outcome = place.run()
    assert (outcome.code, outcome.failure) == (2, f"{place.data} is no directory")


@pytest.mark.skipif(shutil.which("mksh") is None, reason="mksh is not installed")
def test_a_shell_that_counts_wrong_is_refused(place: Place) -> None:
    """Its numbers have 32 bits."""
    outcome = Place(place.folder, "mksh").run()
    assert outcome.code == 2
    assert outcome.failure == "this sh counts with 32 bits; use an image with another one"


def _single(number: int) -> float:
    value: float = struct.unpack("f", struct.pack("f", number))[0]
    return value


def _as_metrics(line: str) -> dict[str, float]:
    """The line as SageMaker keeps it: single-precision numbers."""
    found = {each.name: re.search(each.regex, line) for each in METRICS}
    return {name: _single(int(match[1])) for name, match in found.items() if match is not None}


@pytest.mark.parametrize("shell", SHELLS)
def test_bytes_are_exact_however_many_there_are(place: Place, shell: str) -> None:
    """Twelve files of 4 TiB and one byte: sixteen digits, where a metric holds seven."""
    place.put([b"%d" % number for number in range(12)])
    size_bytes = (4 << 40) + 1
    stat = f"shift 2; for each do echo $((({size_bytes} + 511) / 512)):{size_bytes}; done"
    outcome = replace(place, shell=shell).with_tools(stat=stat).run()
    metrics = _as_metrics(outcome.lines[-1])
    assert outcome.numbers["loaded_bytes"] == 12 * size_bytes
    assert exact(metrics, "loaded_bytes") == 12 * size_bytes
    assert metrics["loaded_bytes"] != 12 * size_bytes
    assert exact(metrics, "loaded_files") == 12


@settings(max_examples=40, deadline=None)
@given(files=st.integers(0, 10**11), size_bytes=st.integers(0, 10**17))
@example(files=16_777_217, size_bytes=16_777_217)
@example(files=1_000_000, size_bytes=10**12)
def test_numbers_survive_as_metrics(files: int, size_bytes: int) -> None:
    """Through the script's own arithmetic, the expressions and single precision to the same digits."""
    found = re.search(r"^say_numbers\(\) \{.*?^\}", TEXT, re.DOTALL | re.MULTILINE)
    assert found is not None
    given_ = f"loaded_files={files} loaded_bytes={size_bytes} found_files=0 reading_bytes=0 failed_files=0"
    command = f"{given_}\n{found[0]}\nsay_numbers"
    line = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout.strip()
    metrics = _as_metrics(line)
    assert set(metrics) == set(COUNTERS)
    assert (exact(metrics, "loaded_files"), exact(metrics, "loaded_bytes")) == (files, size_bytes)
    assert exact({name: each for name, each in metrics.items() if name != "loaded_files_e6"}, "loaded_files") is None


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_arrives_byte_for_byte(place: Place, shell: str) -> None:
    """The entry point puts the pieces together; another sh notes what it is given: all but comments and indentation."""
    place = replace(place, shell=shell).with_tools(**{shell.split()[0]: f'printf "%s" "$2" >{place.folder}/arrived'})
    command = [shutil.which(shell.split()[0]) or "", *shell.split()[1:], *ENTRYPOINT[1:]]
    place = place.with_tools(sh=f'printf "%s" "$2" >{place.folder}/arrived')
    subprocess.run(command, env=place.environment(), check=True)
    assert (place.folder / "arrived").read_text() == squeezed(TEXT)
    assert len(squeezed(TEXT)) < 0.7 * len(TEXT)


def test_the_pieces_are_what_sagemaker_takes() -> None:
    """A variable holds 512 characters, an element of the entry point 256 on one line."""
    assert all(len(each) == PIECE_CHARACTERS for each in list(pieces(TEXT).values())[:-1])
    assert len(pieces(TEXT)) < 60
    assert all(len(each) <= 256 and "\n" not in each for each in ENTRYPOINT)
    assert ENTRYPOINT[0] == "sh"


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing() -> None:
    """As POSIX sh."""
    done = subprocess.run(["shellcheck", "--shell=sh", str(SCRIPT)], capture_output=True, text=True)
    assert done.stdout == ""
