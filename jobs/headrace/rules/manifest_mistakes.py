"""Every kind of mistake of a manifest: the rule that it breaks, how bad it is, what is allowed and what to do.

The one table that the check, its rules and the documentation share. A kind without a documented source is a decision
of ours and says so by its level: what SageMaker is known or documented to refuse is an ERROR.

Sources (read 2026-11): Amazon SageMaker API Reference, S3DataSource (form, prefix, Region); SageMaker Developer
Guide, "Augmented Manifest Files for Training Jobs" (JSON Lines, ``-ref``, AttributeNames) and "Input manifest files"
of Ground Truth (UTF-8, 100,000 characters a line, 20,000 an attribute, no ``$``); Amazon S3 User Guide, "Naming
Amazon S3 objects" (1,024 bytes of UTF-8); RFC 8259 (no byte order mark); POSIX.1-2017, 3.170 Filename.
No limit on the number of entries of a training manifest is documented, so none is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from headrace.rules.finding import Level
from headrace.rules.s3_names import MAX_FILE_NAME_BYTES, MAX_KEY_BYTES

MAX_LINE_CHARACTERS: Final = 100_000
MAX_ATTRIBUTE_CHARACTERS: Final = 20_000
MAX_READ_CHARACTERS: Final = 1 << 20
"""An element or line beyond this is not read: what is meant as one key or one record is never a mebibyte long."""


class Mistake(StrEnum):
    """What can be wrong with a manifest; the value is its name in machine output."""

    BYTE_ORDER_MARK = "byte-order-mark"
    OTHER_ENCODING = "other-encoding"
    NOT_UTF_8 = "not-utf-8"
    MALFORMED = "malformed"
    NOT_AN_ARRAY = "not-an-array"
    NO_PREFIX = "no-prefix"
    FURTHER_MEMBERS = "further-members"
    NOT_TEXT = "not-text"
    NO_ENTRIES = "no-entries"
    NOT_AN_OBJECT = "not-an-object"
    PREFIX_IS_NO_URI = "prefix-is-no-uri"
    PREFIX_RUNS_ON = "prefix-runs-on"
    PREFIX_WITHOUT_SLASH = "prefix-without-slash"
    EMPTY_ENTRY = "empty-entry"
    ENTRY_IS_URI = "entry-is-uri"
    EMPTY_FOLDER = "empty-folder"
    DOT_FOLDER = "dot-folder"
    FOLDER = "folder"
    KEY_TOO_LONG = "key-too-long"
    NAME_TOO_LONG = "name-too-long"
    NOT_UNICODE = "not-unicode"
    NUL = "nul"
    CONTROL_CHARACTER = "control-character"
    REPEATED_ENTRY = "repeated-entry"
    REPEATED_REFERENCE = "repeated-reference"
    MISSING_OBJECT = "missing-object"
    MISSING_BUCKET = "missing-bucket"
    NOT_LOOKED_UP = "not-looked-up"
    OTHER_REGION = "other-region"
    MISSING_ATTRIBUTE = "missing-attribute"
    REFERENCE_IS_NO_URI = "reference-is-no-uri"
    TOO_LONG_TO_READ = "too-long-to-read"
    LONG_LINE = "long-line"
    LONG_ATTRIBUTE = "long-attribute"


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table. ``what`` goes on from the value that was found: ``'a//b', an empty folder name``."""

    rule_id: str
    level: Level
    what: str
    allowed: str
    fix: str


_ERROR, _WARNING, _INFO = Level.ERROR, Level.WARNING, Level.INFO
_ARRAY: Final = 'a JSON array: [{"prefix": "s3://bucket/folder/"}, "key", …]'
_CREATE: Final = "write it with headrace manifest create"
_RENAME: Final = "copy the object to another key, or leave it out"
_URI: Final = "an S3 URI such as s3://bucket/folder/"
_GROUND_TRUTH: Final = "the limit of Ground Truth (training names none, and a refused job has cost its start)"

KINDS: Final[Mapping[Mistake, Kind]] = {
    Mistake.BYTE_ORDER_MARK: Kind("V92", _ERROR, "a byte order mark", "UTF-8 without one", "save it without BOM"),
    Mistake.OTHER_ENCODING: Kind("V92", _ERROR, "the mark of another encoding", "UTF-8", "save it as UTF-8"),
    Mistake.NOT_UTF_8: Kind("V92", _ERROR, "no UTF-8", "UTF-8 throughout", "save it as UTF-8, or " + _CREATE),
    Mistake.MALFORMED: Kind("V60", _ERROR, "where the JSON breaks", _ARRAY, _CREATE),
    Mistake.NOT_AN_ARRAY: Kind(
        "V60", _ERROR, "the start of something else", _ARRAY, "check JSON Lines with --augmented"
    ),
    Mistake.NO_PREFIX: Kind(
        "V60", _ERROR, "the first element", '{"prefix": "s3://bucket/folder/"} and nothing before it', _CREATE
    ),
    Mistake.FURTHER_MEMBERS: Kind(
        "V60", _INFO, "more than the prefix", "the one member that is documented: prefix", "take the others out"
    ),
    Mistake.NOT_TEXT: Kind("V60", _ERROR, "no text", "keys as text after the first element", "write one key each"),
    Mistake.NO_ENTRIES: Kind("V60", _ERROR, "no entries", "at least one entry", "a job without data fails: add keys"),
    Mistake.NOT_AN_OBJECT: Kind(
        "V60", _ERROR, "no JSON object on one line", "one whole JSON object a line, no empty lines", _CREATE
    ),
    Mistake.PREFIX_IS_NO_URI: Kind("V93", _ERROR, "no place in S3", _URI, "give bucket and folder with s3://"),
    Mistake.PREFIX_RUNS_ON: Kind(
        "V93",
        _ERROR,
        "joined to a bucket's name",
        "a '/' between bucket and key, since SageMaker only joins them",
        "end the prefix with '/'",
    ),
    Mistake.PREFIX_WITHOUT_SLASH: Kind(
        "V93",
        _INFO,
        "a prefix without '/' at its end",
        "prefix and entry that make a key when joined as they stand",
        "end it with '/' if it names a folder",
    ),
    Mistake.EMPTY_ENTRY: Kind("V94", _ERROR, "empty", "the rest of a key", "take the entry out"),
    Mistake.ENTRY_IS_URI: Kind(
        "V94", _ERROR, "a whole URI", "the rest of a key, which SageMaker joins to the prefix", _CREATE
    ),
    Mistake.EMPTY_FOLDER: Kind("V94", _ERROR, "an empty folder name", "no '//', where downloads fail", _RENAME),
    Mistake.DOT_FOLDER: Kind("V94", _ERROR, "a way out of the folder", "no name that is . or ..", _RENAME),
    Mistake.FOLDER: Kind("V94", _ERROR, "a folder", "keys of objects, which do not end in '/'", "name its objects"),
    Mistake.KEY_TOO_LONG: Kind(
        "V94", _ERROR, "too long for a key", f"prefix and entry of at most {MAX_KEY_BYTES} bytes of UTF-8", _RENAME
    ),
    Mistake.NAME_TOO_LONG: Kind(
        "V94", _ERROR, "too long for a file name", f"names of at most {MAX_FILE_NAME_BYTES} bytes between '/'", _RENAME
    ),
    Mistake.NOT_UNICODE: Kind(
        "V94", _ERROR, "no whole characters", "keys that UTF-8 can write", "correct the bytes or escape"
    ),
    Mistake.NUL: Kind("V94", _ERROR, "a NUL character", "keys that can be file names", _RENAME),
    Mistake.CONTROL_CHARACTER: Kind(
        "V94", _INFO, "control characters", "any key, though S3 advises against these", "rename it if a script trips"
    ),
    Mistake.REPEATED_ENTRY: Kind(
        "V95", _WARNING, "named before", "each object once: what is read twice is paid twice", "take the repeat out"
    ),
    Mistake.REPEATED_REFERENCE: Kind(
        "V95", _INFO, "referred to before", "an object on several lines, if each is an example", "take out what is not"
    ),
    Mistake.MISSING_OBJECT: Kind("V96", _ERROR, "no object", "keys of objects that exist", "upload it, or take it out"),
    Mistake.MISSING_BUCKET: Kind("V96", _ERROR, "no bucket", "a bucket that exists", "correct the name"),
    Mistake.NOT_LOOKED_UP: Kind(
        "V96", _INFO, "not looked up", "a few buckets a manifest: only the first ones are", "check it in parts"
    ),
    Mistake.OTHER_REGION: Kind(
        "V97", _ERROR, "in another Region", "buckets of the job's own Region", "replicate the data, or train there"
    ),
    Mistake.MISSING_ATTRIBUTE: Kind(
        "V98",
        _ERROR,
        "not on this line",
        "each name of AttributeNames on each line, in the same case",
        "add it, or leave the name out",
    ),
    Mistake.REFERENCE_IS_NO_URI: Kind(
        "V98", _ERROR, "no object's URI", "s3://bucket/key in attributes that end in -ref", "write the whole URI"
    ),
    Mistake.TOO_LONG_TO_READ: Kind(
        "V99",
        _ERROR,
        "too long to read",
        f"at most {MAX_READ_CHARACTERS:,} characters",
        "look for a missing quote or line break",
    ),
    Mistake.LONG_LINE: Kind(
        "V99",
        _WARNING,
        "characters on a line",
        f"at most {MAX_LINE_CHARACTERS:,}, {_GROUND_TRUTH}",
        "move what is long into an object, and refer to it",
    ),
    Mistake.LONG_ATTRIBUTE: Kind(
        "V99",
        _WARNING,
        "characters in an attribute",
        f"at most {MAX_ATTRIBUTE_CHARACTERS:,}, {_GROUND_TRUTH}",
        "move it into an object, and refer to it",
    ),
}
"""The table of mistakes, in the order in which they are reported."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mistake was seen.

    ``number``: the element of the array, its first being 0, or the line of an augmented manifest, its first being 1.
    ``byte``: the offset in the file, where no element could be read. ``value``: what stands there, or why it breaks.
    """

    number: int | None = None
    byte: int | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one kind of mistake was seen, and the first places of it."""

    mistake: Mistake
    total: int
    places: tuple[Place, ...]
