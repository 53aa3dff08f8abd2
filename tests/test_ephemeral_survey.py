"""A listing, judged while it is read: the counts are exact, and what is wrong is found wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from headrace.aws.objects import StoredObject
from headrace.ephemeral import survey as room
from headrace.ephemeral.associations import Association
from headrace.ephemeral.survey import Survey, looked_through
from headrace.preload import contents
from headrace.preload.contents import Contents
from hypothesis import given
from hypothesis import strategies as st

WHEN = datetime(2026, 11, 26, tzinfo=UTC)
WHERE = Association(path="/data", bucket="lake", prefix="data/", field="channels.train.lustre")


def _judged(*keys: str, cold: str | None = None) -> Survey:
    objects = [
        StoredObject(
            key=key,
            size_bytes=0 if key.endswith("/") else 5,
            storage_class="GLACIER" if key == cold else "STANDARD",
            modified=WHEN,
        )
        for key in sorted(keys)
    ]
    return looked_through(WHERE, objects, "eu-west-1")


def _rules(survey: Survey) -> set[str]:
    return {each.rule_id for each in survey.findings}


def test_what_there_is_is_counted() -> None:
    """An object that marks a folder is one for the import, and no file."""
    found = _judged("data/", "data/a", "data/b/c")
    assert found == Survey(contents=Contents(objects=3, files=2, size_bytes=10, largest_bytes=5, newest=WHEN))


@pytest.mark.parametrize("keys", [(), ("data/",), ("data/", "data/x/")])
def test_a_prefix_without_files_is_an_error(keys: tuple[str, ...]) -> None:
    """The file system would be paid for, and empty."""
    assert _rules(_judged(*keys)) == {"V48"}


@pytest.mark.parametrize(
    ("keys", "rule_id"),
    [
        (("data/a", "data/b//c"), "V53"),
        (("data/a", "data/a/b"), "V130"),
        (("data/a", "data/a-b", "data/a.b", "data/a/b"), "V130"),
    ],
)
def test_keys_that_cannot_be_files_are_found(keys: tuple[str, ...], rule_id: str) -> None:
    """Also where other keys stand between."""
    assert _rules(_judged(*keys)) == {rule_id}


def test_archived_objects_are_found() -> None:
    """The first read would fail."""
    assert _rules(_judged("data/a", "data/b", cold="data/b")) == {"V27"}


def test_one_example_of_each_is_enough_however_many_batches_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a mistake in the last batch is found as one in the first."""
    monkeypatch.setattr(contents, "TOLD_OBJECTS", 2)
    found = _judged(*(f"data/{number:03d}" for number in range(9)), "data/1//a", "data/1//b", "data/z", "data/z/y")
    assert found.contents.objects == 13
    assert sorted(each.rule_id for each in found.findings) == ["V130", "V53"]


@pytest.mark.parametrize(
    ("keys", "got"),
    [
        ([f"data/{number}//a" for number in range(2)], "'data/0//a', 'data/1//a'"),
        (
            [f"data/{number}//a" for number in range(5)],
            "'data/0//a', 'data/1//a', 'data/2//a' and 2 more",
        ),
        (
            ["data/a", "data/a/b", "data/a/b/c", "data/a/b/c/d", "data/a/b/c/d/e"],
            "'data/a', 'data/a/b', 'data/a/b/c' and 1 more",
        ),
        (
            [f"data/{number}{end}" for number in range(9) for end in ("", "/x")],
            "'data/0', 'data/1', 'data/2' and 6 more",
        ),
    ],
)
def test_a_finding_says_how_many_there_are(keys: list[str], got: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody lists a hundred million objects again for the next of them."""
    monkeypatch.setattr(contents, "TOLD_OBJECTS", 3)
    (found,) = _judged(*keys).findings
    assert found.got == got


NAMES = st.lists(st.sampled_from(["a", "a-", "a.", "ab", "b"]), min_size=1, max_size=3).map("/".join)


@given(st.lists(NAMES, min_size=1, max_size=12, unique=True))
def test_an_object_that_is_also_a_folder_is_found_while_reading(names: list[str]) -> None:
    """As it is found by who keeps all keys."""
    keys = {f"data/{name}" for name in names}
    clashes = any(other.startswith(f"{key}/") for key in keys for other in keys)
    assert ("V130" in _rules(_judged(*keys))) is clashes


def test_progress_is_told_over_all_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """One count, that only grows; and a listing may be broken off."""

    class Store:
        def __init__(self, _connection: object) -> None: ...

        def bucket_region(self, bucket: str) -> str | None:
            return None if bucket == "gone" else "eu-west-1"

        def list_objects(self, _bucket: str, prefix: str, _region: str) -> Iterator[StoredObject]:
            return iter([StoredObject(key=f"{prefix}{number}", size_bytes=1, modified=WHEN) for number in range(3)])

    class Aws:
        connection = None
        region = "eu-west-1"

    monkeypatch.setattr(room, "Objects", Store)
    monkeypatch.setattr(contents, "TOLD_OBJECTS", 2)
    places = [Association(path=f"/{name}", bucket=name, prefix=f"{name}/") for name in ("one", "gone", "two")]
    told: list[int] = []
    whole = room.survey(places, Aws(), lambda _what, count: told.append(count))  # type: ignore[arg-type]
    assert (whole.contents.objects, whole.is_whole, told) == (6, True, [2, 3, 5, 6])
    part = room.survey(places, Aws(), lambda _what, _count: None, most=2)  # type: ignore[arg-type]
    assert (part.contents.objects, part.is_whole) == (4, False)
