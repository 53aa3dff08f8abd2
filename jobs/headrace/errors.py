"""What headrace raises. Every message is one line a person can act on; the CLI prints it and exits with the code."""

from __future__ import annotations


class HeadraceError(Exception):
    """Base of all errors that headrace raises on purpose. ``exit_code`` is what the CLI ends with."""

    exit_code = 1


class InvalidInput(HeadraceError):
    """Something the user gave is wrong; nothing was created. Carries one line per mistake."""

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        """``problems``: one line each: field, value, rule and fix."""
        self.problems = problems
        super().__init__("\n".join(problems))


class JobFailed(HeadraceError):
    """The training job ended as Failed or Stopped."""

    exit_code = 1


class NoCapacity(InvalidInput):
    """The service refused a job for want of instances or quota; another type or zone may do."""
