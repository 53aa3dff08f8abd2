"""What a channel asks of a file system, and the refusal to mount it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath


class CannotMount(Exception):
    """Why a file system cannot be mounted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MountRequest:
    """A directory of a file system, and the network from which a job wants it."""

    region: str
    file_system_id: str
    directory: PurePosixPath
    vpc_config: Mapping[str, Sequence[str]]
