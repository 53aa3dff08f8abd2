"""Starts and stops the server process; for the CLI, the tests and the demo.

The caller binds the port and takes the lock, then hands both to the server as open descriptors: a port in use is
known before anything starts, two callers cannot start two servers, and no client is refused while the server wakes.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from headrace.errors import HeadraceError, InvalidInput

from headrace_local.environment import client_environment
from headrace_local.state import Layout, is_locked, lock_to_hand_over, read_state

HOST = "127.0.0.1"
DEFAULT_REGION = "us-east-1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
READY_PATH = "/moto-api/headrace-ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that runs and answers."""

    endpoint_url: str
    pid: int
    account: str
    region: str
    log_path: Path

    def environment(self) -> dict[str, str]:
        """The variables that lead clients here; see :mod:`headrace_local.environment`."""
        return client_environment(endpoint_url=self.endpoint_url, account=self.account, region=self.region)


def status(directory: Path) -> Running | None:
    """The server of this directory, or None when none runs. A stale record is removed."""
    layout = Layout(directory=directory.absolute())
    state = read_state(layout)
    if state is None:
        if not is_locked(layout.lock):
            layout.state.unlink(missing_ok=True)
        return None
    return Running(
        endpoint_url=f"http://{HOST}:{state.port}",
        pid=state.pid,
        account=state.account,
        region=state.region,
        log_path=layout.log,
    )


def start(directory: Path, port: int = 0, region: str = DEFAULT_REGION) -> Running:
    """Start a server with empty state and wait until it answers. ``port`` 0 takes a free one.

    Raises InvalidInput when one runs in this directory already or the port is in use, HeadraceError when the server
    does not come up.
    """
    if find_spec("moto") is None:
        raise HeadraceError("the embedded AWS is not installed; install it: pip install 'headrace[local]'")
    layout = Layout(directory=directory.absolute())
    try:
        with _listening(port) as listener, lock_to_hand_over(layout.lock) as lock:
            _end_jobs(layout)
            server = _launch(layout, listener=listener, lock=lock, region=region)
    except BlockingIOError:
        raise InvalidInput(
            f"--directory {directory}: an embedded AWS runs here already; use it, or end it with: headrace local down"
        ) from None
    except OSError as error:
        raise InvalidInput(
            f"--directory {directory}: {error.strerror}; allowed: a folder that can be written; fix: give another"
        ) from None
    try:
        return _wait_until_ready(layout, server)
    except BaseException:
        server.kill()
        server.wait()
        raise


def stop(directory: Path) -> bool:
    """End the server and every job that it runs, and discard all folders. True when one was running."""
    layout = Layout(directory=directory.absolute())
    state = read_state(layout)
    if state is not None:
        with suppress(ProcessLookupError):
            os.kill(state.pid, signal.SIGTERM)
            if not _wait_for(lambda: not is_locked(layout.lock), STOP_SECONDS):
                os.kill(state.pid, signal.SIGKILL)
                _wait_for(lambda: not is_locked(layout.lock), STOP_SECONDS)
        _reap(state.pid)
    _end_jobs(layout)
    layout.state.unlink(missing_ok=True)
    return state is not None


@contextmanager
def running(directory: Path, port: int = 0, region: str = DEFAULT_REGION) -> Iterator[Running]:
    """A server for the time of a ``with`` block."""
    server = start(directory, port, region)
    try:
        yield server
    finally:
        stop(directory)


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # a connection of an earlier server that still lingers is no reason to refuse
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OverflowError:
            raise InvalidInput(f"--port {port}: no such port; allowed: 0 (any free one) to 65535") from None
        except OSError as error:
            raise InvalidInput(
                f"--port {port}: cannot listen on {HOST}: {error.strerror}; end what listens there, "
                "or give another --port"
            ) from None
        listener.listen(128)
        yield listener


def _launch(layout: Layout, *, listener: socket.socket, lock: int, region: str) -> subprocess.Popen[bytes]:
    command = [
        *(sys.executable, "-m", "headrace_local.server"),
        *("--directory", str(layout.directory), "--region", region),
        *("--listener", str(listener.fileno()), "--lock", str(lock)),
    ]
    with layout.log.open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(listener.fileno(), lock),
            start_new_session=True,
        )


def _wait_until_ready(layout: Layout, server: subprocess.Popen[bytes]) -> Running:
    def is_ready() -> bool:
        return server.poll() is not None or _answers(layout.directory)

    if not _wait_for(is_ready, START_SECONDS) or server.poll() is not None:
        raise HeadraceError(f"the embedded AWS did not start; its log says why: {layout.log}")
    answer = status(layout.directory)
    if answer is None:
        raise HeadraceError(f"the embedded AWS ended as soon as it had started; its log says why: {layout.log}")
    return answer


def _answers(directory: Path) -> bool:
    server = status(directory)
    if server is None:
        return False
    direct = build_opener(ProxyHandler({}))
    try:
        with direct.open(server.endpoint_url + READY_PATH, timeout=START_SECONDS) as answer:
            return bool(answer.status == 200)
    except (URLError, ConnectionError, TimeoutError):
        return False


def _wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _reap(pid: int) -> None:
    # when this process is the server's parent, an ended server stays as a zombie until asked for
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _end_jobs(layout: Layout) -> None:
    from headrace_local.runner.workspace import end_all_jobs

    end_all_jobs(layout.jobs)
    for folder in (layout.jobs, layout.file_systems):
        shutil.rmtree(folder, ignore_errors=True)
