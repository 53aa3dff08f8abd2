"""An augmented manifest from a table of labels: a CSV row becomes a line, its columns become attributes."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TextIO

from headrace.errors import InvalidInput
from headrace.manifests.augmented import REFERENCE_SUFFIX
from headrace.manifests.keys import S3_SCHEME, split_uri
from headrace.manifests.problems import Problems
from headrace.rules.values import shown

DEFAULT_REFERENCE: Final = "source-ref"

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_WHOLE_NUMBER: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOptions:
    """``reference_column``: which column names the objects. ``number_columns``: whose values are numbers, not text.

    ``base_uri``: what references that are no URIs themselves are joined to.
    """

    reference_column: str = DEFAULT_REFERENCE
    number_columns: Sequence[str] = ()
    base_uri: str | None = None

    @property
    def reference_name(self) -> str:
        """The attribute that the references get: the column's name if it ends in ``-ref``, else ``source-ref``."""
        name = self.reference_column
        return name if name.endswith(REFERENCE_SUFFIX) else DEFAULT_REFERENCE


def augmented_lines(table: TextIO, options: LabelOptions) -> Iterator[str]:
    """JSON Lines of the rows, without line ends.

    Raises InvalidInput for columns that do not fit at once, and for rows that do not when all are read.
    """
    reader = csv.reader(table, strict=True)
    problems = Problems()
    any_row = False
    try:
        columns = next(reader, [])
        if columns:
            _check_columns(columns, options)
        for row in filter(None, reader):
            any_row = True
            if _fits(row, columns, reader.line_num, problems):
                cells = dict(zip(columns, row, strict=True))
                yield _ENCODER.encode(_record(cells, reader.line_num, options, problems))
    except csv.Error as error:
        raise InvalidInput(f"labels, line {reader.line_num}: {error}; fix: write CSV with quoted values") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"labels after line {reader.line_num} are no UTF-8 ({error.reason}); fix: save them as UTF-8"
        ) from None
    problems.raise_all()
    if not any_row:
        raise InvalidInput("labels have no rows; allowed: a line of names, and one for each object; fix: add rows")


def _fits(row: Sequence[str], columns: Sequence[str], line: int, problems: Problems) -> bool:
    if len(row) == len(columns):
        return True
    allowed = f"{len(columns)}, as the first line has"
    problems.add(f"line {line} has {len(row)} columns; allowed: {allowed}; fix: quote values with commas")
    return False


def _check_columns(columns: Sequence[str], options: LabelOptions) -> None:
    problems = Problems()
    names = [options.reference_name if each == options.reference_column else each for each in columns]
    for name in (options.reference_column, *options.number_columns):
        if name not in columns:
            problems.add(f"column is {name!r}; allowed: {', '.join(map(repr, columns))}; fix: name one of these")
    if len(set(names)) < len(names) or "" in names:
        problems.add(
            f"columns are {', '.join(map(repr, names))}; allowed: names that differ and are not empty; fix: name them"
        )
    problems.raise_all()


def _record(row: Mapping[str, str], line: int, options: LabelOptions, problems: Problems) -> dict[str, object]:
    record: dict[str, object] = {}
    for column, text in row.items():
        if column == options.reference_column:
            record[options.reference_name] = _reference(text, line, options, problems)
        elif column.endswith(REFERENCE_SUFFIX):
            record[column] = _reference(text, line, options, problems)
        elif column in options.number_columns:
            record[column] = _number(text, line, column, problems)
        else:
            record[column] = text
    return record


def _reference(text: str, line: int, options: LabelOptions, problems: Problems) -> str:
    uri = text if text.startswith(S3_SCHEME) else (options.base_uri or "") + text
    place = split_uri(uri)
    if place is None or not place[1]:
        problems.add(f"line {line} refers to {shown(uri)}; allowed: s3://bucket/key; fix: correct it, or give --prefix")
        return uri
    problems.add_of_key("reference on line", line, place[1], uri)
    return uri


def _number(text: str, line: int, column: str, problems: Problems) -> int | float | None:
    if _WHOLE_NUMBER.fullmatch(text.strip()):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        problems.add(
            f"line {line}, {column}, is {shown(text)}; allowed: a number; fix: correct it, or leave it out of --numbers"
        )
        return None
    return number
