"""The S3 that FastFile mounts read from: it has the files of one channel, and nobody else's."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from headrace_local.runner.object_server import Shelf, object_server
from headrace_local.runner.s3_storage import S3Storage

from tests.test_local_roads_s3 import BUCKET, CONTENTS, REGION, s3_in_this_process

SHOWN = {"plain/z": PurePosixPath("z"), "plain/e.bin": PurePosixPath("deep/er/e & <b>")}


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """An S3 in this process."""
    with s3_in_this_process() as client:
        yield client


@pytest.fixture
def shelf(s3: Any) -> Iterator[str]:
    """The name of a bucket that holds two of the objects."""
    name = object_server().put_up(Shelf(S3Storage(REGION), BUCKET, SHOWN))
    yield name
    object_server().take_down(name)


def _get(path: str, **headers: str) -> tuple[int, bytes]:
    request = Request(f"{object_server().endpoint_url}/{path}", headers=headers)  # noqa: S310 our own, on 127.0.0.1
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=20) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, b""


def test_folders_are_listed_one_by_one(shelf: str) -> None:
    """Files and folders of a folder, as ListObjects says them."""
    listings = {}
    for prefix in ("", "deep/", "deep/er/", "no/such/"):
        root = ElementTree.fromstring(_get(f"{shelf}?delimiter=%2F&prefix={quote(prefix)}")[1])  # noqa: S314 our own
        files = {each.findtext("Key"): each.findtext("Size") for each in root.iter("Contents")}
        listings[prefix] = (files, [each.findtext("Prefix") for each in root.iter("CommonPrefixes")])
    assert listings == {
        "": ({"z": "3"}, ["deep/"]),
        "deep/": ({}, ["deep/er/"]),
        "deep/er/": ({"deep/er/e & <b>": str(len(CONTENTS["e.bin"]))}, []),
        "no/such/": ({}, []),
    }


RANGES = [("bytes=0-9", slice(0, 10)), ("bytes=100-", slice(100, None)), ("bytes=7-999999999", slice(7, None))]


@pytest.mark.parametrize(("asked", "given"), RANGES)
def test_a_range_is_a_part(shelf: str, asked: str, given: slice) -> None:
    """As scripts that seek want it."""
    status, content = _get(f"{shelf}/{quote('deep/er/e & <b>')}", Range=asked)
    assert (status, content) == (206, CONTENTS["e.bin"][given])


def test_a_whole_object(shelf: str) -> None:
    """Its bytes, of today."""
    assert _get(f"{shelf}/z") == (200, b"zzz")


def test_nothing_else_is_served(shelf: str) -> None:
    """Neither objects beside the channel, nor other buckets, nor the channel itself when its job has ended."""
    for path in (f"{shelf}/plain/z", f"{shelf}/e.bin", f"{shelf}/../z", f"{BUCKET}/plain/z", BUCKET, ""):
        assert _get(path) == (404, b"")
    object_server().take_down(shelf)
    assert _get(f"{shelf}/z") == (404, b"")
    assert _get(shelf) == (404, b"")
