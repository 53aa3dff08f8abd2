"""The life cycle of a resource that takes time to come and to go.

It has no thread: what state a resource is in follows from when it was made or its deletion was asked for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Life:
    """CREATING, then AVAILABLE, then DELETING, then gone. Durations in seconds."""

    creating_seconds: float
    deleting_seconds: float
    created_at: float = field(default_factory=time.time)
    deleted_at: float | None = None

    @property
    def lifecycle(self) -> str:
        """The service's word for where it stands."""
        if self.deleted_at is not None:
            return "DELETING"
        return "CREATING" if time.time() < self.created_at + self.creating_seconds else "AVAILABLE"

    @property
    def is_gone(self) -> bool:
        """Whether the service no longer knows it."""
        return self.deleted_at is not None and time.time() >= self.deleted_at + self.deleting_seconds

    def end(self) -> None:
        """Deletion is asked for; asking again changes nothing."""
        if self.deleted_at is None:
            self.deleted_at = time.time()
