"""The profile of a data set: its buckets, and what is said of a file that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from headrace.dataset import Profile, read_profile, to_plain
from headrace.dataset.profile import Where, bucket_bounds, profile_of_sizes
from headrace.errors import InvalidInput
from hypothesis import given
from hypothesis import strategies as st

SIZES = st.dictionaries(st.integers(0, 1 << 45), st.integers(1, 1 << 20), max_size=8)


@given(st.integers(0, 1 << 60))
def test_a_size_lies_in_its_bucket(size_bytes: int) -> None:
    """Buckets are powers of two, and nothing but the empty file is in the first."""
    low, high = bucket_bounds(size_bytes)
    assert low <= size_bytes < high
    assert (low, high) == (0, 1) or high == 2 * low


@given(SIZES)
def test_a_profile_survives_json(sizes: dict[int, int]) -> None:
    """What is written is read again, the same in every member."""
    profile = profile_of_sizes("s3://lake/data/", Where.S3, sizes)
    assert sum(each.files for each in profile.sizes) == profile.files == sum(sizes.values())
    assert _read(json.loads(json.dumps(to_plain(profile)))) == profile


def test_quantiles_are_sizes_of_files() -> None:
    """The share of files up to a quantile is at least what it says."""
    profile = profile_of_sizes("x", Where.LOCAL, {1: 10, 100: 80, 1000: 9, 5000: 1})
    found = profile.quantiles
    assert found is not None
    assert (found.smallest_bytes, found.p10_bytes, found.p50_bytes) == (1, 1, 100)
    assert (found.p90_bytes, found.p99_bytes, found.largest_bytes) == (100, 1000, 5000)


def _read(plain: Any) -> Profile:
    from headrace.dataset.profile_file import from_plain

    return from_plain(plain, "profile.json")


WRONG = [
    ({"files": "many"}, "profile.json.files is 'many'; allowed: a whole number"),
    ({"format_version": 7}, "profile.json: format_version is 7; allowed: 1"),
    ({"files": 4}, "files is 4, which is not the sum"),
    ({"size_bytes": 4}, "size_bytes is 4, which is not the sum"),
    ({"where": "moon"}, "profile.json.where is 'moon'; allowed: s3, efs, local"),
    (
        {"sizes": [{"from_bytes": 4, "to_bytes": 8, "files": 3, "size_bytes": 30}], "size_bytes": 30},
        "sizes.0 holds files and bytes that cannot be between its bounds",
    ),
]


@pytest.mark.parametrize(("changed", "line"), WRONG, ids=[next(iter(each)) for each, _ in WRONG])
def test_a_wrong_profile_is_told_line_by_line(changed: dict[str, Any], line: str) -> None:
    """What contradicts itself would make advice that nobody can check."""
    plain = to_plain(profile_of_sizes("x", Where.S3, {5: 3})) | changed
    with pytest.raises(InvalidInput) as raised:
        _read(json.loads(json.dumps(plain)))
    assert line in str(raised.value)
    assert all("fix: make it with: headrace profile" in each for each in raised.value.problems)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"format_version": 1}'])
def test_a_file_that_is_no_profile(tmp_path: Path, text: str) -> None:
    """Whatever the file holds, the answer is a line with the command that makes a right one."""
    path = tmp_path / "profile.json"
    path.write_text(text)
    with pytest.raises(InvalidInput, match="headrace profile s3://bucket/prefix/ --json"):
        read_profile(path)
    with pytest.raises(InvalidInput, match="no such file"):
        read_profile(tmp_path / "other.json")
