"""Manifests for any keys at all: what is created is what was meant, passes its check, and no bytes break the check."""

from __future__ import annotations

import io
import json
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from headrace.errors import InvalidInput
from headrace.manifests import AugmentedManifest, ManifestReport, PlainManifest, check_manifest, text
from headrace.manifests.entries import entries_below, entries_of_list
from headrace.manifests.key_list import KeyList
from headrace.manifests.keys import mistakes_of_key
from headrace.manifests.problems import Problems
from headrace.manifests.writing import write_entries
from headrace.rules import Level
from headrace.rules.manifest_mistakes import KINDS, Mistake
from hypothesis import given, settings
from hypothesis import strategies as st

_CHARACTERS = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
_NAMES = st.text(_CHARACTERS.filter(lambda each: each != "/"), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..")
)
_KEYS = st.lists(_NAMES, min_size=1, max_size=4).map("/".join)
_KEY_SETS = st.lists(_KEYS, min_size=1, max_size=30, unique=True)


def checked(content: bytes, form: PlainManifest | AugmentedManifest) -> ManifestReport:
    """What a check without S3 says of the content."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "some.manifest"
        path.write_bytes(content)
        return check_manifest(path, form, name="some.manifest")


def created(keys: list[str]) -> bytes:
    """The manifest of a NUL-separated list of URIs."""
    listed = io.BytesIO("".join(f"s3://lake/{key}\0" for key in keys).encode())
    target = io.BytesIO()
    problems = Problems()
    with entries_of_list(KeyList(listed, separator=b"\0"), problems) as entries:
        assert write_entries(target, entries, lambda *_: None) == len(keys)
    return target.getvalue()


@given(_KEY_SETS)
def test_what_is_created_means_the_keys_and_passes_the_check(keys: list[str]) -> None:
    """Quotes, line breaks, any letter: json.loads gives the keys back, and only control characters are remarked on."""
    content = created(keys)
    first, *entries = json.loads(content)
    assert [first["prefix"] + entry for entry in entries] == [f"s3://lake/{key}" for key in keys]
    assert first["prefix"].endswith("/")
    report = checked(content, PlainManifest())
    assert report.reference_count == len(keys)
    assert {tally.mistake for _, tally in report.findings} <= {Mistake.CONTROL_CHARACTER}


@given(st.lists(st.text(max_size=30), max_size=20), st.text(max_size=10))
def test_create_refuses_exactly_what_check_would(keys: list[str], prefix: str) -> None:
    """Any text as a key below any prefix: a manifest without ERRORs, or a refusal."""
    target = io.BytesIO()
    numbered = [(number, prefix + key) for number, key in enumerate(keys)]
    usable = keys and not any(
        KINDS[mistake].level is Level.ERROR for _, key in numbered for mistake in mistakes_of_key(key)
    )
    try:
        write_entries(target, entries_below("lake", prefix, numbered, Problems()), lambda *_: None)
    except InvalidInput:
        assert not usable
        return
    assert usable
    assert not checked(target.getvalue(), PlainManifest()).has_errors


_ELEMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(_ELEMENTS, max_size=20), st.integers(1, 40), st.booleans(), st.sampled_from([None, 2]))
def test_an_array_is_read_as_json_reads_it(
    elements: list[object], piece_size: int, ascii_only: bool, indent: int | None
) -> None:
    """However it is cut into pieces."""
    from headrace.manifests.json_array import batches

    whole = json.dumps(elements, ensure_ascii=ascii_only, indent=indent)
    pieces = (whole[at : at + piece_size] for at in range(0, len(whole), piece_size))
    assert [value for batch in batches(pieces) for value in batch] == elements


_WRONG_ENTRIES: list[tuple[object, Mistake]] = [
    ("", Mistake.EMPTY_ENTRY),
    (7, Mistake.NOT_TEXT),
    ([["a"]], Mistake.NOT_TEXT),
    ({"prefix": "s3://lake/"}, Mistake.NOT_TEXT),
    ("s3://lake/a", Mistake.ENTRY_IS_URI),
    ("a//b", Mistake.EMPTY_FOLDER),
    ("a/../b", Mistake.DOT_FOLDER),
    ("a/", Mistake.FOLDER),
    ("x" * 256, Mistake.NAME_TOO_LONG),
    ("\ud800", Mistake.NOT_UNICODE),
    ("a\0", Mistake.NUL),
    ("a\tb", Mistake.CONTROL_CHARACTER),
    ("1.jpg", Mistake.REPEATED_ENTRY),
]


@settings(max_examples=60)
@given(st.sampled_from(_WRONG_ENTRIES), st.integers(2, 60), st.integers(1, 300))
def test_a_wrong_entry_is_found_wherever_it_stands(
    wrong: tuple[object, Mistake], number: int, piece_bytes: int
) -> None:
    """One mistake among entries that are right: its kind, its element, and nothing else."""
    elements: list[object] = [{"prefix": "s3://lake/"}, *(f"{each}.jpg" for each in range(1, 60))]
    elements.insert(number, wrong[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "PIECE_BYTES", piece_bytes)
        report = checked(json.dumps(elements).encode(), PlainManifest())
    assert [(tally.mistake, [place.number for place in tally.places]) for _, tally in report.findings] == [
        (wrong[1], [number])
    ]


_SNIPPETS = st.sampled_from(
    [b"[", b"]", b"{", b"}", b",", b'"', b"\\", b"\\ud800", b"\n", b"\xff", b"\xef\xbb\xbf", b'{"prefix":"s3://lake/"}']
)
_BYTES = st.binary(max_size=60) | st.lists(_SNIPPETS | st.binary(max_size=3), max_size=30).map(b"".join)


@given(_BYTES, st.integers(1, 20))
@settings(max_examples=150)
def test_no_bytes_break_the_check(content: bytes, piece_bytes: int) -> None:
    """Whatever is in the file, and wherever it is cut: a report, which names an ERROR where json would fail."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "PIECE_BYTES", piece_bytes)
        report = checked(content, PlainManifest())
        checked(content, AugmentedManifest())
        checked(content, AugmentedManifest(("a-ref", "b")))
    try:
        is_array = isinstance(json.loads(content.decode("utf-8")), list)
    except (ValueError, RecursionError):
        is_array = False
    assert is_array or report.has_errors


@given(st.binary(max_size=200), st.integers(1, 20))
def test_no_list_breaks_create(content: bytes, piece_bytes: int) -> None:
    """A list of anything gives a manifest or a refusal."""
    from headrace.manifests import key_list

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_list, "_PIECE_BYTES", piece_bytes)
        problems = Problems()
        with suppress(InvalidInput), entries_of_list(KeyList(io.BytesIO(content)), problems) as entries:
            target = io.BytesIO()
            write_entries(target, entries, lambda *_: None)
            assert not checked(target.getvalue(), PlainManifest()).has_errors
