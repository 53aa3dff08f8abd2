"""How durations are told to people."""

from __future__ import annotations

_MINUTE_SECONDS, _HOUR_SECONDS = 60, 3600


def duration_text(seconds: float) -> str:
    """A duration as people say it: ``12.3 s``, ``2 min 3 s``, ``1 h 5 min``."""
    if seconds < _MINUTE_SECONDS:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR_SECONDS:
        return f"{whole // _MINUTE_SECONDS} min {whole % _MINUTE_SECONDS} s"
    return f"{whole // _HOUR_SECONDS} h {whole % _HOUR_SECONDS // _MINUTE_SECONDS} min"
