"""Questions to AWS that may be refused: the answer is then unknown, and it is noted which permission is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from headrace.aws.connection import AccessDenied
from headrace.rules.finding import UNKNOWN, Unknown
from headrace.rules.lookups import LookupSpec

Answer = TypeVar("Answer")


class Looking:
    """What was refused so far. Used by several threads at once."""

    def __init__(self) -> None:
        """Nothing was refused yet."""
        self._denied: list[tuple[str, str]] = []

    def up(self, subject: str, question: Callable[[], Answer]) -> Answer | Unknown:
        """The answer about a subject; UNKNOWN where it is refused. Raises AwsError for any other failure."""
        try:
            return question()
        except AccessDenied as error:
            self._denied.append((error.action, subject))
            return UNKNOWN

    @property
    def spec(self) -> LookupSpec:
        """What was refused, by permission."""
        subjects: dict[str, set[str]] = {}
        for action, subject in self._denied:
            subjects.setdefault(action, set()).add(subject)
        return LookupSpec(denied=tuple((action, tuple(sorted(subjects[action]))) for action in sorted(subjects)))
