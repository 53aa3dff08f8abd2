"""Starts the job's command, with the job's folder at ``/opt/ml`` where the system allows.

Scripts and arguments name ``/opt/ml/…`` literally. Where root or user namespaces allow, the command runs in a mount
namespace in which that is true; elsewhere the name is replaced in the command and the environment, which the job's
log says, since a path that a script itself spells out is then not found.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from headrace_local.runner.workspace import Workspace
from headrace_local.state import lock_to_hand_over

_OPT_ML = "/opt/ml"
_SCRIPT = Path(__file__).with_name("opt_ml.sh")
_NAMESPACES = (("unshare", "--mount"), ("unshare", "--map-root-user", "--mount"))
_PROBE_SECONDS = 10

NOTICE = (
    "headrace: this system allows no mount namespace; /opt/ml stands for {folder} in the command and the environment, "
    "and nowhere else: read paths from the SM_ variables; host names like algo-1 resolve to nothing"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A running command, and what the job's log should say first, if anything."""

    process: subprocess.Popen[bytes]
    notice: str | None


@cache
def mount_prefix() -> tuple[str, ...] | None:
    """The command that makes a mount namespace here, or None where nothing does. Tried once."""
    with tempfile.TemporaryDirectory() as name:
        job, stage = Path(name, "ml"), Path(name, "opt")
        (job / "code").mkdir(parents=True)
        stage.mkdir()
        for prefix in _NAMESPACES:
            if _works([*prefix, "sh", str(_SCRIPT), str(job), str(stage), "0", "true"]):
                return prefix
    return None


def _works(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=_PROBE_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def start(command: Sequence[str], environment: Mapping[str, str], workspace: Workspace) -> Started:
    """Start the command in a process group of its own; its output and errors come out of one pipe.

    Raises OSError when there is no such program.
    """
    prefix = mount_prefix()
    folder = str(workspace.opt_ml)
    if prefix is None:
        command = [each.replace(_OPT_ML, folder) for each in command]
        environment = {name: value.replace(_OPT_ML, folder) for name, value in environment.items()}
    else:
        binds = [
            part
            for each in workspace.binds
            for part in ("ro" if each.read_only else "rw", str(each.source), str(each.target))
        ]
        stage = str(workspace.mount_stage)
        command = [*prefix, "sh", str(_SCRIPT), folder, stage, str(len(workspace.binds)), *binds, *command]
    with lock_to_hand_over(workspace.lock) as lock:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=workspace.opt_ml / "code",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock,),
        )
        workspace.group_file.write_text(str(process.pid))
    return Started(process=process, notice=None if prefix else NOTICE.format(folder=folder))


def signal_group(process: subprocess.Popen[bytes], signal_number: int) -> None:
    """Send a signal to the command and all its children; nothing happens when none is left."""
    try:
        os.killpg(process.pid, signal_number)
    except ProcessLookupError:
        return
