"""``headrace local``: the embedded AWS on this machine, to try everything without an account."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from headrace_local.process import Running

app = typer.Typer(
    name="local",
    no_args_is_help=True,
    help="An AWS on this machine, for trying things without an account: 127.0.0.1 only, state gone when it stops.\n\n"
    "Exit codes: 0 done, 1 it failed or (status) none runs, 2 something given is wrong.",
)

Directory = Annotated[Path, typer.Option("--directory", help="Where its record, log and jobs' folders lie.")]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON object.")]
DEFAULT_PORT = 5566
DEFAULT_DIRECTORY = Path(".headrace/local")


@app.command()
def up(
    directory: Directory = DEFAULT_DIRECTORY,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = DEFAULT_PORT,
    region: Annotated[str, typer.Option(help="The Region that it plays.")] = "us-east-1",
    as_json: Json = False,
) -> None:
    """Start it, wait until it answers, and print its endpoint. Exit code 2 when the port is in use."""
    from headrace_local import process

    server = process.status(directory)
    if server is None:
        typer.echo("starting the embedded AWS …", err=True)
        server = process.start(directory, port, region)
    elif (port != 0 and not server.endpoint_url.endswith(f":{port}")) or server.region != region:
        from headrace.errors import InvalidInput

        raise InvalidInput(
            f"--port {port} --region {region}: an embedded AWS runs in {directory} already, at {server.endpoint_url} "
            f"in {server.region}; use that one, or end it first with: headrace local down"
        )
    else:
        typer.echo("it runs already", err=True)
    _show(server, as_json)
    where = "" if directory == DEFAULT_DIRECTORY else f" --directory {shlex.quote(str(directory))}"
    typer.echo(f'clients find it after: eval "$(headrace local env{where})"', err=True)


@app.command()
def status(directory: Directory = DEFAULT_DIRECTORY, as_json: Json = False) -> None:
    """Print the endpoint of the one that runs. Exit code 1 when none does."""
    from headrace_local import process

    server = process.status(directory)
    if server is not None:
        _show(server, as_json)
        return
    if as_json:
        typer.echo(json.dumps({"running": False}))
    typer.echo("no embedded AWS runs here; start it with: headrace local up", err=True)
    raise typer.Exit(1)


@app.command()
def reset(directory: Directory = DEFAULT_DIRECTORY) -> None:
    """Discard everything, jobs and their folders too, and start again, empty, at the same endpoint."""
    from headrace_local import process

    server = _running(directory)
    process.stop(directory)
    port = int(server.endpoint_url.rsplit(":", 1)[1])
    typer.echo(process.start(directory, port, server.region).endpoint_url)


@app.command()
def down(directory: Directory = DEFAULT_DIRECTORY) -> None:
    """End it and every job that it runs. Does nothing when none runs."""
    from headrace_local import process

    ended = process.stop(directory)
    typer.echo("ended; its state is gone" if ended else "no embedded AWS runs here", err=True)


@app.command()
def env(directory: Directory = DEFAULT_DIRECTORY) -> None:
    """Print shell lines that lead every AWS client here: eval "$(headrace local env)"."""
    from headrace_local.environment import shell_exports

    typer.echo(shell_exports(_running(directory).environment(), os.environ))


def _running(directory: Path) -> Running:
    from headrace.errors import InvalidInput

    from headrace_local import process

    server = process.status(directory)
    if server is None:
        raise InvalidInput(f"--directory {directory}: no embedded AWS runs here; start it with: headrace local up")
    return server


def _show(server: Running, as_json: bool) -> None:
    if as_json:
        plain = {
            "running": True,
            "endpoint_url": server.endpoint_url,
            "pid": server.pid,
            "account": server.account,
            "region": server.region,
            "log": str(server.log_path),
        }
        typer.echo(json.dumps(plain))
    else:
        typer.echo(server.endpoint_url)
