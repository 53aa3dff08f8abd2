"""How long things take in the embedded AWS: short by default, longer by environment variable.

AWS takes minutes where these take a moment; a test that wants to see a state passes a longer time.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from pathlib import Path

JOBS_VARIABLE = "HEADRACE_LOCAL_JOBS"
"""The environment variable in which the server leaves word of where the jobs' folders lie."""
NO_CAPACITY_VARIABLE = "HEADRACE_LOCAL_NO_CAPACITY"
"""The environment variable that names instance types which are not to be had; see :mod:`.runner.capacity`."""
FSX_FAILS_VARIABLE = "HEADRACE_LOCAL_FSX_FAILS"
"""The environment variable that names what fails to be created; see :mod:`.moto_extension.fsx.failures`."""
_PREFIX = "HEADRACE_LOCAL_"


def words_of(variable: str, file_name: str) -> set[str]:
    """What stands in an environment variable and in a file of the server's directory, which may change at any time."""
    file = Path(os.environ[JOBS_VARIABLE]).parent / file_name
    given = [os.environ.get(variable, ""), file.read_text() if file.is_file() else ""]
    return set(re.split(r"[,\s]+", " ".join(given))) - {""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Durations in seconds; ``fsx_creating_seconds`` is set by ``HEADRACE_LOCAL_FSX_CREATING_SECONDS``, and so on."""

    fsx_creating_seconds: float = 0.5
    """How long a file system is CREATING."""
    fsx_deleting_seconds: float = 0.5
    """How long a file system or a data repository association is DELETING."""
    dra_creating_seconds: float = 0.5
    """How long a data repository association is CREATING."""
    fsx_task_seconds: float = 0.2
    """How long a data repository task is EXECUTING."""
    wait_seconds: float = 0.2
    """The longest wait of a state machine: a Wait state's seconds, the delay of a retry. Not a Wait's timestamp."""
    stop_grace_seconds: float = 120.0
    """From SIGTERM to SIGKILL when a training job is stopped; SageMaker gives 120 seconds."""

    @classmethod
    def from_environment(cls) -> Settings:
        """Raises ValueError when a variable is no number."""
        given = {each.name: os.environ.get(_PREFIX + each.name.upper()) for each in fields(cls)}
        return cls(**{name: float(value) for name, value in given.items() if value is not None})
