"""Pages, counts and stretches: whatever the keys are and wherever they are split, they come to the plain count."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from headrace.dataset.counts import FINE_PER_DOUBLING, Counts, bit_lengths, fine_bounds
from headrace.dataset.pages import NoListing, Page, page_of, parse_page
from headrace.dataset.stretches import Stretch, joined
from hypothesis import given
from hypothesis import strategies as st

from tests.dataset_reference import OBJECTS, Bucket, Made, truth, xml_page


def _counted(pages: Sequence[Sequence[Page]], prefix: bytes = b"") -> tuple[Counts, Stretch]:
    """Each of the parts by itself, then together; the last part first."""
    whole, stretches = Counts(prefix), []
    for part in reversed(pages):
        counts, stretch = Counts(prefix), Stretch()
        for page in part:
            stretch.add(*counts.add(page))
        whole.join(counts)
        stretches.append(stretch)
    return whole, joined(stretches)


def check(objects: Sequence[Made], counts: Counts, stretch: Stretch, prefix: str = "") -> None:
    """Hold counts against the plain count."""
    wanted = truth(objects, prefix)
    assert (counts.files, counts.size_bytes, counts.folder_markers) == (wanted.files, wanted.size_bytes, wanted.markers)
    fine = counts.fine.reshape(-1, FINE_PER_DOUBLING).sum(axis=1).tolist()
    found = {
        at: (files, size)
        for at, (files, size) in enumerate(zip(fine, counts.bucket_bytes.tolist(), strict=True))
        if files
    }
    assert found == wanted.buckets
    assert counts.suffixes == wanted.suffixes
    assert counts.classes == wanted.classes
    assert (counts.depth_sum, counts.depth_most) == (wanted.depth_sum, wanted.depth_most)
    assert stretch.totals() == (wanted.folders, wanted.most_files)
    assert (stretch.clashes, stretch.examples) == (len(wanted.clashes), [each.encode() for each in wanted.clashes[:3]])
    assert {what: (each.files, each.examples) for what, each in counts.broken.items()} == {
        what: (len(keys), [key.encode() for key in keys[:3]]) for what, keys in wanted.broken.items()
    }


@given(OBJECTS, st.booleans())
def test_a_page_is_read_as_it_was_written(objects: list[Made], is_url_encoded: bool) -> None:
    """Keys with every escape, sizes and classes; URL-encoded and as XML."""
    if not is_url_encoded:  # XML cannot hold these
        objects = [each for each in objects if "\x01" not in each.key]
    listed = parse_page(xml_page(objects, "next&lt;&amp;", is_url_encoded=is_url_encoded, token="t<"))
    page = listed.page
    assert [page.key(each).decode() for each in range(len(page))] == [each.key for each in objects]
    assert page.sizes.tolist() == [each.size for each in objects]
    assert [page.class_names[each] for each in page.classes] == [each.storage_class for each in objects]
    assert listed.next_token == "next<&"
    assert parse_page(xml_page(objects)).next_token is None


@given(OBJECTS, st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=8))
def test_parts_come_to_the_whole(objects: list[Made], cuts: list[tuple[int, bool]]) -> None:
    """Pages and stretches that end anywhere, even where nothing is between."""
    ordered = sorted(objects, key=lambda each: each.key.encode())
    borders = [(0, True), *sorted((min(at, len(ordered)), is_new) for at, is_new in cuts), (len(ordered), True)]
    parts: list[list[Page]] = []
    for (start, is_new), (stop, _) in pairwise(borders):
        page = parse_page(xml_page(ordered[start:stop])).page
        if is_new or not parts:
            parts.append([])
        parts[-1].append(page)
    check(objects, *_counted(parts))


@pytest.mark.parametrize(
    "parts",
    [
        [["d/a"], ["d/b", "e/x"], ["e/y", "f"]],  # folders that go on at both ends
        [["d/a"], ["d/b", "d/c/d", "d/e", "e/x"]],
        [["a", "a-b"], ["a.c"], ["a/b"]],  # a clash over three parts, with others between
        [["a"], ["a-", "a-/x", "a0"], ["b"]],
        [["a"], ["a-b"], ["a0"], ["ab/c"]],  # none
    ],
)
def test_parts_are_joined(parts: list[list[str]]) -> None:
    """The cases that joining is made for."""
    pages = [[parse_page(xml_page([Made(key, 1) for key in part])).page] for part in parts]
    check([Made(key, 1) for part in parts for key in part], *_counted(pages))


@given(OBJECTS)
def test_a_page_of_lists_counts_alike(objects: list[Made]) -> None:
    """What others than S3's listing tell is counted by the same counters, with a prefix too."""
    below = sorted((Made("p/" + each.key, each.size) for each in objects), key=lambda each: each.key.encode())
    page = page_of([each.key.encode() for each in below], [each.size for each in below], class_names=["STANDARD"])
    check(below, *_counted([[page]], b"p/"), "p/")


@given(st.lists(st.integers(0, (1 << 63) - 1), min_size=1))
def test_a_size_is_in_its_fine_class(sizes: list[int]) -> None:
    """And the middle of the class is within 1 % of it."""
    assert bit_lengths(np.array(sizes)).tolist() == [each.bit_length() for each in sizes]
    for each in sizes:
        counts = Counts(b"")
        counts.add(page_of([b"k"], [each]))
        low, high = fine_bounds(int(counts.fine.argmax()))
        assert low <= each < high
        assert abs((low + high - 1) // 2 - each) <= each / 100


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>proxy</html>",
        xml_page([Made("a", 1)]).replace(b"<Size>1</Size>", b""),
        xml_page([Made("a", 1)]).replace(b"<Size>1", b"<Size>x"),
        xml_page([Made("a", 1)]).replace(b"<Size>1", b"<Size>"),
        xml_page([Made("a", 1)]).replace(b"<Key>a</Key>", b""),
        xml_page([Made("a", 1), Made("b", 1)])
        .replace(b"<Key>a</Key>", b"<Key>a</Key><Key>b</Key>")
        .replace(
            b"</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e"
            b"&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>",
            b"</Key></Contents></ListBucketResult>",
        ),
    ],
)
def test_what_is_no_listing_is_said_to_be_none(body: bytes) -> None:
    """An answer of a proxy is not counted as an empty bucket."""
    with pytest.raises(NoListing):
        parse_page(body)


def test_a_service_without_classes_stores_all_in_standard() -> None:
    """Some services that are like S3 leave the class out."""
    body = xml_page([Made("a", 1), Made("b", 2, "GLACIER")]).replace(b"<StorageClass>STANDARD</StorageClass>", b"")
    page = parse_page(body).page
    assert [page.class_names[each] for each in page.classes] == ["STANDARD", "GLACIER"]


def test_too_many_suffixes_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with names that are made up for each file."""
    monkeypatch.setattr("headrace.dataset.counts.MOST_SUFFIXES", 5)
    counts = Counts(b"")
    counts.add(page_of([f"x.a{number}".encode() for number in range(20)], [1] * 20))
    assert len(counts.suffixes) == 6
    assert counts.suffixes["*"] == (15, 15)


def test_the_made_up_bucket_pages_like_s3() -> None:
    """Pages follow each other by token, and begin after a key."""
    bucket = Bucket([Made(f"k{number}", 1) for number in range(5)], most=2)
    page = parse_page(bucket.page())
    assert [page.page.key(0), page.page.key(-1)] == [b"k0", b"k1"]
    assert parse_page(bucket.page(token=page.next_token)).page.key(0) == b"k2"
    assert len(parse_page(bucket.page(after="k3")).page) == 1
