"""The life cycle of a resource that takes time to come and to go.

It has no thread: what state a resource is in follows from when it was made or its deletion was asked for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Life:
    """CREATING, then AVAILABLE or FAILED, then DELETING, then gone. Durations in seconds."""

    creating_seconds: float
    deleting_seconds: float
    created_at: float = field(default_factory=time.time)
    deleted_at: float | None = None
    failure: str | None = None
    """Why it is FAILED when it would be AVAILABLE."""

    @property
    def made_at(self) -> float:
        """When it is, or was, no longer CREATING."""
        return self.created_at + self.creating_seconds

    @property
    def failure_details(self) -> dict[str, Any]:
        """The member FailureDetails of a description, where there is any."""
        return {"FailureDetails": {"Message": self.failure}} if self.lifecycle == "FAILED" else {}

    @property
    def lifecycle(self) -> str:
        """The service's word for where it stands."""
        if self.deleted_at is not None:
            return "DELETING"
        if time.time() < self.made_at:
            return "CREATING"
        return "AVAILABLE" if self.failure is None else "FAILED"

    @property
    def is_gone(self) -> bool:
        """Whether the service no longer knows it."""
        return self.deleted_at is not None and time.time() >= self.deleted_at + self.deleting_seconds

    def end(self) -> None:
        """Deletion is asked for; asking again changes nothing."""
        if self.deleted_at is None:
            self.deleted_at = time.time()
