"""The table of manifests that SageMaker would choke on: which mistake each has, and where."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from headrace.errors import InvalidInput
from headrace.manifests import AugmentedManifest, ManifestReport, PlainManifest, check_manifest
from headrace.manifests.notes import MAX_PLACES
from headrace.rules import Level
from headrace.rules.manifest_mistakes import KINDS, MAX_READ_CHARACTERS, Mistake

NEEDS_S3 = {Mistake.MISSING_OBJECT, Mistake.MISSING_BUCKET, Mistake.OTHER_REGION, Mistake.NOT_LOOKED_UP}
PREFIX = {"prefix": "s3://lake/data/"}
PLAIN = PlainManifest()
AUGMENTED = AugmentedManifest()
LABELLED = AugmentedManifest(("source-ref", "label"))
LINE = b'{"source-ref": "s3://lake/a.jpg", "label": 1}\n'

Expected = list[tuple[Mistake, int | None]]


def text(*elements: object) -> bytes:
    """A manifest of these elements."""
    return json.dumps(elements, ensure_ascii=False).encode("utf-8", errors="surrogatepass")


def report(content: bytes, form: PlainManifest | AugmentedManifest, directory: Path) -> ManifestReport:
    """What a check without S3 says of the content."""
    path = directory / "some.manifest"
    path.write_bytes(content)
    return check_manifest(path, form, name="some.manifest")


def seen(checked: ManifestReport) -> Expected:
    """Each mistake with the numbers of its places."""
    return [(tally.mistake, place.number) for _, tally in checked.findings for place in tally.places]


PLAIN_ROWS: Sequence[tuple[bytes, Expected]] = [
    (b"\xef\xbb\xbf" + text(PREFIX, "a"), [(Mistake.BYTE_ORDER_MARK, None)]),
    ('["a"]'.encode("utf-16"), [(Mistake.OTHER_ENCODING, None), (Mistake.NOT_AN_ARRAY, 0)]),
    (text(PREFIX, "a", "b").replace(b"b", b"\xe9b", 1), [(Mistake.NOT_UTF_8, None), (Mistake.NOT_UNICODE, 2)]),
    (b"", [(Mistake.NOT_AN_ARRAY, 0)]),
    (b" \n", [(Mistake.NOT_AN_ARRAY, 0)]),
    (b'"s3://lake/data/"', [(Mistake.NOT_AN_ARRAY, 0)]),
    (LINE, [(Mistake.NOT_AN_ARRAY, 0)]),
    (b"[]", [(Mistake.NO_PREFIX, 0), (Mistake.NO_ENTRIES, None)]),
    (text(PREFIX), [(Mistake.NO_ENTRIES, None)]),
    (text("a", "b"), [(Mistake.NO_PREFIX, 0)]),
    (text({"Prefix": "s3://lake/"}, "b"), [(Mistake.NO_PREFIX, 0)]),
    (text(PREFIX | {"x": 1}, "b"), [(Mistake.FURTHER_MEMBERS, 0)]),
    (text(PREFIX, "a", 3, "b", None, PREFIX), [(Mistake.NOT_TEXT, 2), (Mistake.NOT_TEXT, 4), (Mistake.NOT_TEXT, 5)]),
    (text(PREFIX, "a")[:-1], [(Mistake.MALFORMED, 1)]),
    (text(PREFIX, "a", "b")[:-2], [(Mistake.MALFORMED, 2)]),
    (text(PREFIX, "a").replace(b'"a"', b"'a'"), [(Mistake.MALFORMED, 1)]),
    (text(PREFIX, "a").replace(b"]", b",]"), [(Mistake.MALFORMED, 2)]),
    (text(PREFIX, "a") + b"[]", [(Mistake.MALFORMED, 2)]),
    (text(PREFIX, "a", "b").replace(b'a",', b'a"'), [(Mistake.MALFORMED, 1)]),
    (text(PREFIX, "a").replace(b'"a"', b'"a\n"'), [(Mistake.MALFORMED, 1)]),
    (text(PREFIX, "a").replace(b'"a"', b"NaN"), [(Mistake.MALFORMED, 1)]),
    (text(PREFIX, "a").replace(b'"a"', b"1" * 5000), [(Mistake.MALFORMED, 1)]),
    (text(PREFIX, "a").replace(b'"a"', b"[" * 100_000), [(Mistake.MALFORMED, 1)]),
    (text(PREFIX, "a").replace(b'"a"', b'"\\x"'), [(Mistake.MALFORMED, 1)]),
    (text(PREFIX, "x" * 2 * MAX_READ_CHARACTERS)[:-2], [(Mistake.TOO_LONG_TO_READ, 1)]),
    (text({"prefix": "lake/data/"}, "a"), [(Mistake.PREFIX_IS_NO_URI, 0)]),
    (text({"prefix": "https://lake.s3.amazonaws.com/"}, "a"), [(Mistake.PREFIX_IS_NO_URI, 0)]),
    (text({"prefix": "s3://My_Bucket/"}, "a"), [(Mistake.PREFIX_IS_NO_URI, 0)]),
    (text({"prefix": ["s3://lake/"]}, "a"), [(Mistake.PREFIX_IS_NO_URI, 0)]),
    (text({"prefix": "s3://lake"}, "a", "/b"), [(Mistake.PREFIX_RUNS_ON, 1)]),
    (text({"prefix": "s3://lake/data"}, "a"), [(Mistake.PREFIX_WITHOUT_SLASH, 0)]),
    (text({"prefix": "s3://lake/data-"}, "a", ""), [(Mistake.PREFIX_WITHOUT_SLASH, 0), (Mistake.EMPTY_ENTRY, 2)]),
    (text(PREFIX, "", "b"), [(Mistake.EMPTY_ENTRY, 1)]),
    (text(PREFIX, "a", "s3://lake/data/b"), [(Mistake.ENTRY_IS_URI, 2)]),
    (text(PREFIX, "a//b", "b", "/c"), [(Mistake.EMPTY_FOLDER, 1), (Mistake.EMPTY_FOLDER, 3)]),
    (text({"prefix": "s3://lake/"}, "/a"), [(Mistake.EMPTY_FOLDER, 1)]),
    (
        text(PREFIX, "../a", "b/./c", "..", "d..", ".e", "f/...", "./g"),
        [(Mistake.DOT_FOLDER, 1), (Mistake.DOT_FOLDER, 2), (Mistake.DOT_FOLDER, 3), (Mistake.DOT_FOLDER, 7)],
    ),
    (text(PREFIX, "a/", "b"), [(Mistake.FOLDER, 1)]),
    (text(PREFIX, "é/" * 340 + "x" * 10), [(Mistake.KEY_TOO_LONG, 1)]),
    (text(PREFIX, "x/" * 509 + "x"), []),
    (
        text(PREFIX, "x" * 256, "x" * 255, "漢" * 86, "漢" * 85),
        [(Mistake.NAME_TOO_LONG, 1), (Mistake.NAME_TOO_LONG, 3)],
    ),
    (b'[{"prefix":"s3://lake/"},"a","\\ud800\\u0041"]', [(Mistake.NOT_UNICODE, 2)]),
    (text(PREFIX, "a\0b"), [(Mistake.NUL, 1)]),
    (text(PREFIX, "a\nb", "c\u2028", "d\x85"), [(Mistake.CONTROL_CHARACTER, number) for number in (1, 2, 3)]),
    (text(PREFIX, "a", "b", "a", "a"), [(Mistake.REPEATED_ENTRY, 3), (Mistake.REPEATED_ENTRY, 4)]),
    (text(PREFIX, 'quo"te', "back\\slash", "emoji 😀", "日本語/写真.jpg", "a b", "%2F", "dot.d/x"), []),
    (b' [ {"prefix" : "s3:\\/\\/lake\\/data\\/"} ,\r\n\t"\\u0061" ] \n', []),
]


@pytest.mark.parametrize(("content", "expected"), PLAIN_ROWS, ids=range(len(PLAIN_ROWS)))
def test_a_manifest_has_the_mistakes_of_its_row(content: bytes, expected: Expected, tmp_path: Path) -> None:
    """Each with its place, and no other."""
    assert seen(report(content, PLAIN, tmp_path)) == expected


AUGMENTED_ROWS: Sequence[tuple[AugmentedManifest, bytes, Expected]] = [
    (AUGMENTED, b"", [(Mistake.NO_ENTRIES, None)]),
    (AUGMENTED, LINE, []),
    (LABELLED, LINE.replace(b"\n", b"\r\n"), []),
    (LABELLED, LINE.rstrip(), []),
    (AUGMENTED, b"\xef\xbb\xbf" + LINE, [(Mistake.BYTE_ORDER_MARK, None)]),
    (AUGMENTED, LINE.replace(b"label", b"l\xffbel"), [(Mistake.NOT_UTF_8, None)]),
    (
        AUGMENTED,
        b"\n".join([b"", b"[1]", b"{", b'{"a": NaN}', b"[" * 100_000, b"1" * 5000, b'{"x": 1} {}', b"{}"]),
        [(Mistake.NOT_AN_OBJECT, number) for number in range(1, 8)],
    ),
    (
        LABELLED,
        LINE + b'{"source-ref": "s3://lake/b"}\n{"Label": 2}',
        [(Mistake.MISSING_ATTRIBUTE, n) for n in (2, 3, 3)],
    ),
    (
        AUGMENTED,
        b'{"a-ref": "lake/a"}\n{"a-ref": 7}\n{"a-ref": "s3://lake/"}\n{"a-ref": "s3://lake"}\n{"a": "lake"}',
        [(Mistake.REFERENCE_IS_NO_URI, number) for number in (1, 2, 3, 4)],
    ),
    (LABELLED, LINE.replace(b"1}", b'1, "x-ref": 7}'), []),
    (
        AUGMENTED,
        b'{"a-ref": "s3://lake/x//y"}\n{"a-ref": "s3://lake/z/"}',
        [(Mistake.EMPTY_FOLDER, 1), (Mistake.FOLDER, 2)],
    ),
    (AUGMENTED, LINE + LINE, [(Mistake.REPEATED_REFERENCE, 2)]),
    (AUGMENTED, LINE + b'{"x": "' + b"x" * 20_001 + b'"}', [(Mistake.LONG_ATTRIBUTE, 2)]),
    (AUGMENTED, LINE + b'{"x": "' + b"x" * 20_000 + b'"}', []),
    (
        AUGMENTED,
        json.dumps({str(number): "x" * 10_000 for number in range(10)}).encode(),
        [(Mistake.LONG_LINE, 1)],
    ),
    (
        AUGMENTED,
        b"x" * 3 * MAX_READ_CHARACTERS + b"\n" + LINE + b"{",
        [(Mistake.NOT_AN_OBJECT, 3), (Mistake.TOO_LONG_TO_READ, 1)],
    ),
    (AUGMENTED, LINE + b"x" * 2 * MAX_READ_CHARACTERS, [(Mistake.TOO_LONG_TO_READ, 2)]),
]


@pytest.mark.parametrize(("form", "content", "expected"), AUGMENTED_ROWS, ids=range(len(AUGMENTED_ROWS)))
def test_an_augmented_manifest_has_the_mistakes_of_its_row(
    form: AugmentedManifest, content: bytes, expected: Expected, tmp_path: Path
) -> None:
    """One broken line hides none of the others."""
    assert seen(report(content, form, tmp_path)) == expected


def test_every_mistake_has_a_row() -> None:
    """What no row makes might be found nowhere; those that need S3 have tests of their own."""
    made = {mistake for _, expected in PLAIN_ROWS for mistake, _ in expected}
    made |= {mistake for _, _, expected in AUGMENTED_ROWS for mistake, _ in expected}
    assert made == set(Mistake) - NEEDS_S3
    assert set(KINDS) == set(Mistake)


@pytest.mark.parametrize(
    ("content", "byte"),
    [
        (b'["\xff"]', 2),
        (b'\xef\xbb\xbf["\xc3\xa9\xff"]', 7),
        (b'["' + b"a" * (1 << 18) + b"\xe2\x82" + b'"]', (1 << 18) + 2),
    ],
)
def test_the_byte_that_is_no_utf_8_is_named(content: bytes, byte: int, tmp_path: Path) -> None:
    """Counted in the file: byte order mark, longer characters and pieces that were read apart included."""
    tallies = [tally for _, tally in report(content, PLAIN, tmp_path).findings if tally.mistake is Mistake.NOT_UTF_8]
    assert [place.byte for tally in tallies for place in tally.places] == [byte]


def test_the_byte_where_the_json_breaks_is_named(tmp_path: Path) -> None:
    """Behind many pieces, with characters of several bytes before it."""
    content = text(PREFIX, *(f"é/{number}" for number in range(60_000)))
    at = content.index(b'"\xc3\xa9/59000"')
    (finding, tally) = report(content[:at] + b"?" + content[at:], PLAIN, tmp_path).findings[0]
    assert (tally.mistake, tally.places[0].number, tally.places[0].byte) == (Mistake.MALFORMED, 59_001, at)
    assert str(finding).startswith(f"V60 ERROR: some.manifest element 59,001, byte {at:,} is ")


def test_places_are_capped_and_mistakes_are_counted(tmp_path: Path) -> None:
    """The first twenty of each kind, and how many there are."""
    entries = [entry for number in range(50) for entry in (f"a//{number}", number, "same")]
    checked = report(text(PREFIX, *entries), PLAIN, tmp_path)
    by_mistake = {tally.mistake: tally for _, tally in checked.findings}
    assert {mistake: tally.total for mistake, tally in by_mistake.items()} == {
        Mistake.NOT_TEXT: 50,
        Mistake.EMPTY_FOLDER: 50,
        Mistake.REPEATED_ENTRY: 49,
    }
    assert all(len(tally.places) == MAX_PLACES for tally in by_mistake.values())
    assert [place.number for place in by_mistake[Mistake.REPEATED_ENTRY].places] == [
        6 + 3 * n for n in range(MAX_PLACES)
    ]
    assert {place.value for place in by_mistake[Mistake.REPEATED_ENTRY].places} == {"s3://lake/data/same"}
    assert "and 49 more such" in str(checked.findings[0][0])


def test_levels_decide_whether_it_would_be_refused(tmp_path: Path) -> None:
    """A repeated entry is a WARNING, an empty folder name an ERROR."""
    assert not report(text(PREFIX, "a", "a"), PLAIN, tmp_path).has_errors
    assert report(text(PREFIX, "a//b"), PLAIN, tmp_path).has_errors
    assert {kind.level for kind in KINDS.values()} == set(Level)


@pytest.mark.parametrize("names", [("a", "a"), ("",), tuple(map(str, range(17)))])
def test_attribute_names_that_no_job_takes_are_refused(names: tuple[str, ...]) -> None:
    """At most 16, each once."""
    with pytest.raises(InvalidInput, match="attribute names are"):
        AugmentedManifest(names)


def test_a_file_that_cannot_be_read_is_the_users_to_mend(tmp_path: Path) -> None:
    """One line, exit code 2."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InvalidInput, match="fix: give a file"):
            check_manifest(path, PLAIN, name=str(path))
