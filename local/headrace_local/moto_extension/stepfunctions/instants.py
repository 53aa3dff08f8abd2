"""How Step Functions writes an instant: in UTC, with Z, in milliseconds.

Source: AWS Step Functions Developer Guide, "Accessing execution data from the Context object" (StartTime, EnteredTime).
"""

from __future__ import annotations

from datetime import UTC, datetime


def iso_text(instant: datetime) -> str:
    """As ``2026-11-26T10:15:00.123Z``."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
