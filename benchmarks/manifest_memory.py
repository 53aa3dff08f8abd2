"""Peak memory and speed of making and checking manifests of five million lines; the target is less than 200 MB.

Run: ``python benchmarks/manifest_memory.py [LINES]``. Each row is a process of its own, whose peak the system tells.
The row with objects looks each of them up in a listing of as many keys, which stands in for that of S3.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headrace.manifests import Lookup, PlainManifest, check_manifest

LINES = 5_000_000
TARGET_MB = 200
CLI = (sys.executable, "-m", "headrace.cli", "manifest")
PREFIX = "images/"
BUCKET, REGION = "benchmark-lake", "us-east-1"


def key(number: int) -> str:
    """The key of an object, 36 characters long."""
    return f"{PREFIX}class-{number % 1000:03d}/object-{number:08d}.jpg"


@dataclass(frozen=True)
class MadeUpStore:
    """A bucket of ``count`` objects, one of which the manifest does not name, and lacks one that it names."""

    count: int

    def bucket_region(self, _bucket: str, /) -> str:
        """Every bucket is here."""
        return REGION

    def list_keys(self, _bucket: str, _prefix: str, _region: str, /) -> Iterator[str]:
        """Keys from the second one on, and one more."""
        return (key(number) for number in range(1, self.count + 1))

    def object_exists(self, _bucket: str, _key: str, _region: str, /) -> bool:
        """Not asked for: a full listing answers for all."""
        raise AssertionError


def write_sources(directory: Path, count: int) -> None:
    """The list of URIs and the table of labels that the manifests are made from."""
    with (directory / "list").open("w") as target:
        target.writelines(f"s3://{BUCKET}/{key(number)}\n" for number in range(count))
    with (directory / "labels.csv").open("w") as target:
        target.write("source-ref,label\n")
        target.writelines(f"s3://{BUCKET}/{key(number)},{number % 1000}\n" for number in range(count))


def look_up(manifest: Path, count: int) -> None:
    """Check with objects; exactly one is missing."""
    lookup = Lookup(store=MadeUpStore(count), region=REGION)
    report = check_manifest(manifest, PlainManifest(), name=manifest.name, lookup=lookup)
    ((_, tally),) = report.findings
    assert (tally.total, tally.places[0].value) == (1, f"s3://{BUCKET}/{key(0)}"), report.findings


def measured(name: str, command: tuple[str, ...], count: int) -> None:
    """Run the command and print its row."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if child.returncode != 0:
        raise SystemExit(f"{name} failed with {child.returncode}: {' '.join(command)}")
    peak_mb = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    cpu_seconds = usage.ru_utime + usage.ru_stime
    print(
        f"{name:26s} {peak_mb:5.0f} MB  {seconds:6.1f} s ({cpu_seconds:.1f} s CPU)  {count / seconds:9,.0f} lines/s",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--look-up"]:
        look_up(Path(sys.argv[2]), int(sys.argv[3]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_sources(directory, count)
        plain, augmented = str(directory / "plain.manifest"), str(directory / "augmented.manifest")
        labels = ("--labels", str(directory / "labels.csv"), "--numbers", "label")
        print(f"{count:,} lines; target: less than {TARGET_MB} MB")
        measured("create", (*CLI, "create", plain, "--from", str(directory / "list")), count)
        measured("check", (*CLI, "check", plain, "--no-objects"), count)
        measured("check with objects", (sys.executable, __file__, "--look-up", plain, str(count)), count)
        measured("create, augmented", (*CLI, "create", augmented, *labels), count)
        measured("check, augmented", (*CLI, "check", augmented, "--augmented", "--no-objects"), count)


if __name__ == "__main__":
    main()
