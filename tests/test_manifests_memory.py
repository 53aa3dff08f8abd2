"""Five times as many entries take no more memory: neither to create a manifest, nor to check it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# As objects of Python, 120,000 keys of this length are 12 MB and more.
FEW, MANY, MAX_GROWTH_MB = 30_000, 150_000, 6

PROGRAM = """
import io, resource, sys
from pathlib import Path
from headrace.manifests import AugmentedManifest, PlainManifest, check_manifest
from headrace.manifests.entries import entries_of_list
from headrace.manifests.key_list import KeyList
from headrace.manifests.labels import LabelOptions, augmented_lines
from headrace.manifests.problems import Problems
from headrace.manifests.writing import write_entries, write_lines

form, directory = sys.argv[1], Path(sys.argv[2])

def key(number):
    return f"s3://lake/images/class-{number % 1000:03d}/{number:08d}.jpg"

def run(count):
    source, manifest = directory / f"{form}.source", directory / f"{form}.manifest"
    with source.open("w") as listed:
        if form == "augmented":
            listed.write("source-ref,label\\n")
        listed.writelines(key(number) + (",7\\n" if form == "augmented" else "\\n") for number in range(count))
    with source.open("rb") as listed, manifest.open("wb") as target:
        if form == "augmented":
            lines = augmented_lines(io.TextIOWrapper(listed), LabelOptions(number_columns=("label",)))
            write_lines(target, lines, lambda *_: None)
        else:
            with entries_of_list(KeyList(listed), Problems()) as entries:
                write_entries(target, entries, lambda *_: None)
    report = check_manifest(manifest, AugmentedManifest() if form == "augmented" else PlainManifest(), name="m")
    assert (report.reference_count, report.findings) == (count, ())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

print(*(run(int(count)) for count in sys.argv[3:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no getrusage")
@pytest.mark.parametrize("form", ["plain", "augmented"])
def test_memory_does_not_grow_with_the_manifest(form: str, tmp_path: Path) -> None:
    """In a process of its own: the peak after many entries against the peak after few."""
    command = [sys.executable, "-c", PROGRAM, form, str(tmp_path), str(FEW), str(MANY)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    few, many = (int(peak) * unit_bytes / 1e6 for peak in done.stdout.split())
    assert many - few < MAX_GROWTH_MB, f"{few:.0f} MB for {FEW:,} entries, {many:.0f} MB for {MANY:,}"
