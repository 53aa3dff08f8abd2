"""One instance of a job: its number among the hosts, and the folder that is its ``/opt/ml``."""

from __future__ import annotations

from dataclasses import dataclass

from headrace_local.runner.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """``number`` counts from 0; ``hosts`` are the names of all instances of the job ("algo-1", …)."""

    number: int
    hosts: tuple[str, ...]
    workspace: Workspace

    @property
    def host(self) -> str:
        """The name of this instance."""
        return self.hosts[self.number]
