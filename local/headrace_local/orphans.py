"""Ends the jobs of a server that has been killed.

A job that outlives its server must not go on: nobody loads what it opens on Lustre, so that it would read zeros and not
know it. A small process beside the server waits for its end, however that comes, and ends what is left: the jobs'
processes and their mounts. The folders stay for the next ``up`` or ``down``.

The two are joined by a pipe that the server never writes to: the system closes it with the server.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from headrace_local.runner.workspace import end_all_jobs
from headrace_local.state import Layout, recorded


def watch(layout: Layout, server_pid: int) -> subprocess.Popen[bytes]:
    """Start the process; it waits for the end of this one, whose ``server_pid`` stands in the record."""
    command = [sys.executable, "-m", __name__, "--directory", str(layout.directory), "--server", str(server_pid)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def main() -> None:
    """Wait for the end of standard input, then end the jobs, unless another server has them by now."""
    parser = argparse.ArgumentParser(prog="headrace_local.orphans")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--server", type=int, required=True)
    given = parser.parse_args()
    layout = Layout(directory=given.directory)
    sys.stdin.read()
    server = recorded(layout)
    if server is None or server.pid == given.server:
        end_all_jobs(layout.jobs)


if __name__ == "__main__":
    main()
