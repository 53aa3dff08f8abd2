"""The server process: moto with our extension, on a socket that the starter has bound.

Run as a module by :mod:`headrace_local.process`. It ends on SIGTERM, and takes the jobs that it runs with it.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from headrace_local import orphans
from headrace_local.environment import client_environment, leads_elsewhere
from headrace_local.process import HOST, READY_PATH
from headrace_local.runner.workspace import end_all_jobs
from headrace_local.settings import JOBS_VARIABLE
from headrace_local.state import ACCOUNT, Layout, ServerState, write_state

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM. The listener and the lock are open descriptors that the starter passes on."""
    given = _parse(arguments)
    layout = Layout(directory=given.directory)
    _become_client_of_itself(port=_port_of(given.listener), region=given.region)
    os.environ[JOBS_VARIABLE] = str(layout.jobs)
    server = _make_server(given.listener)
    for descriptor in (given.listener, given.lock):
        os.set_inheritable(descriptor, False)
    state = ServerState(pid=os.getpid(), port=server.port, account=ACCOUNT, region=given.region)
    write_state(layout, state)
    signal.signal(signal.SIGTERM, _ender(layout, orphans.watch(layout, state.pid)))
    server.serve_forever()


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="headrace_local.server")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--listener", type=int, required=True)
    parser.add_argument("--lock", type=int, required=True)
    return parser.parse_args(arguments)


def _port_of(descriptor: int) -> int:
    import socket

    with socket.socket(fileno=os.dup(descriptor)) as listener:
        return int(listener.getsockname()[1])


def _become_client_of_itself(*, port: int, region: str) -> None:
    # before moto is imported: it reads the account from the environment, and the job runner's clients the endpoint
    for name in filter(leads_elsewhere, list(os.environ)):
        del os.environ[name]
    os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT
    os.environ["MOTO_PORT"] = str(port)
    endpoint_url = f"http://{HOST}:{port}"
    os.environ |= client_environment(endpoint_url=endpoint_url, account=ACCOUNT, region=region)


def _make_server(listener: int) -> Any:
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    from headrace_local import moto_extension

    class OnlyFailuresInLog(MotoRequestHandler):  # type: ignore[misc]
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            if not str(code).startswith("2"):
                super().log_request(code, size)

    moto_extension.install()
    dispatcher = DomainDispatcherApplication(create_backend_app)
    # moto reads its own directory anew for each request: half of the time of a small one
    dispatcher.get_backend_for_host = cache(dispatcher.get_backend_for_host)
    app = _with_ready_path(dispatcher)
    return make_server(HOST, 0, app, threaded=True, request_handler=OnlyFailuresInLog, fd=listener)


def _with_ready_path(app: WsgiApp) -> WsgiApp:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == READY_PATH:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"ready\n"]
        return app(environ, start_response)

    return answer


def _ender(layout: Layout, watcher: subprocess.Popen[bytes]) -> Callable[[int, FrameType | None], None]:
    def end(_signal: int, _frame: FrameType | None) -> None:
        end_all_jobs(layout.jobs)
        watcher.kill()
        # not sys.exit: the job threads would be waited for
        sys.stderr.flush()
        os._exit(0)

    return end


if __name__ == "__main__":
    main()
