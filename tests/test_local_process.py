"""The embedded AWS as a process: it starts, it ends with everything it runs, and touches no process but its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from headrace.errors import HeadraceError, InvalidInput
from headrace_local import orphans, process
from headrace_local.cli import app
from headrace_local.runner.workspace import Workspace
from headrace_local.state import Layout, ServerState, lock_to_hand_over, write_state
from typer.testing import CliRunner

runner = CliRunner()


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A directory whose embedded AWS, if one is started, is ended again."""
    yield tmp_path / "local"
    process.stop(tmp_path / "local")


def _wait_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of ours."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as foreign:
        yield foreign
        foreign.kill()


@pytest.fixture
def job_process(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a job, with its lock and its group, and no server."""
    workspace = Workspace(directory=directory / "jobs" / "job" / "algo-1")
    program = [sys.executable, "-c", "import time; time.sleep(60)"]
    with lock_to_hand_over(workspace.lock) as lock:
        running = subprocess.Popen(program, start_new_session=True, pass_fds=(lock,))
    workspace.group_file.write_text(str(running.pid))
    with running:
        yield running
        running.kill()


def test_up_status_reset_env_and_down_of_the_command_line(directory: Path) -> None:
    """One life: up prints the endpoint, reset empties it, env leads clients there, down ends it, twice."""
    where = ["--directory", str(directory)]
    up = runner.invoke(app, ["up", "--port", "0", "--json", *where])
    assert up.exit_code == 0, up.output
    started = json.loads(up.stdout)
    assert started["running"]
    boto3.client("s3", endpoint_url=started["endpoint_url"], **_CREDENTIALS).create_bucket(Bucket="before-reset")

    reset = runner.invoke(app, ["reset", *where])
    assert reset.stdout.strip() == started["endpoint_url"]
    assert json.loads(runner.invoke(app, ["status", "--json", *where]).stdout)["pid"] != started["pid"]
    assert not boto3.client("s3", endpoint_url=started["endpoint_url"], **_CREDENTIALS).list_buckets()["Buckets"]

    exports = runner.invoke(app, ["env", *where]).stdout
    shell = f'AWS_PROFILE=mine\n{exports}\necho "$AWS_ENDPOINT_URL|$AWS_CONFIG_FILE|$CDK_DEFAULT_ACCOUNT|$AWS_PROFILE"'
    said = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"{started['endpoint_url']}|/dev/null|123456789012|"

    assert runner.invoke(app, ["down", *where]).exit_code == 0
    assert runner.invoke(app, ["down", *where]).exit_code == 0
    assert runner.invoke(app, ["status", *where]).exit_code == 1


_CREDENTIALS = {"region_name": "us-east-1", "aws_access_key_id": "key", "aws_secret_access_key": "none"}


def test_a_port_in_use_is_refused_in_one_line(directory: Path) -> None:
    """Nothing starts on a port where something listens; the message names the port and the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidInput, match=rf"--port {port}: cannot listen.*another --port") as refused:
            process.start(directory, port)
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)
    assert process.status(directory) is None


def test_a_directory_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """A file, or a place below one."""
    (tmp_path / "file").touch()
    for directory in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InvalidInput, match="allowed: a folder that can be written"):
            process.start(directory)


def test_without_moto_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is there after a plain installation, too."""
    monkeypatch.setattr(process, "find_spec", lambda _: None)
    with pytest.raises(HeadraceError, match=r"pip install 'headrace\[local\]'"):
        process.start(tmp_path)


def test_another_region_than_the_running_ones_is_refused(directory: Path) -> None:
    """Nobody gets us-east-1 who asked for eu-west-1."""
    with process.running(directory):
        outcome = CliRunner().invoke(app, ["up", "--directory", str(directory), "--port", "0", "--region", "eu-west-1"])
        assert isinstance(outcome.exception, InvalidInput)
        assert "in us-east-1; use that one" in str(outcome.exception)


def test_a_second_start_in_the_same_directory_is_refused(directory: Path) -> None:
    """The lock that the first server holds keeps a second from taking over its record."""
    directory.mkdir()
    with lock_to_hand_over(Layout(directory=directory).lock), pytest.raises(InvalidInput, match="runs here already"):
        process.start(directory)


def test_a_stale_pid_is_recognised_and_its_process_left_alone(
    directory: Path, bystander: subprocess.Popen[bytes]
) -> None:
    """A record whose lock nobody holds is of a server that died; its pid may be anybody's by now."""
    directory.mkdir()
    layout = Layout(directory=directory)
    write_state(layout, ServerState(pid=bystander.pid, port=1, account="1", region="us-east-1"))
    layout.lock.touch()
    assert process.status(directory) is None
    write_state(layout, ServerState(pid=bystander.pid, port=1, account="1", region="us-east-1"))
    assert process.stop(directory) is False
    assert bystander.poll() is None
    assert not layout.state.exists()


def test_a_stale_job_group_is_left_alone(directory: Path, bystander: subprocess.Popen[bytes]) -> None:
    """The group of a job that has ended is killed by nobody, whoever has its number now."""
    job = directory / "jobs" / "ended" / "algo-1"
    job.mkdir(parents=True)
    (job / "process.lock").touch()
    (job / "process.group").write_text(str(os.getpgid(bystander.pid)))
    process.stop(directory)
    assert bystander.poll() is None


@pytest.mark.parametrize("is_killed", [False, True], ids=["down", "killed"])
def test_no_job_outlives_its_server(
    directory: Path, is_killed: bool, start_job: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the command nor its children: without the server they would read zeros from Lustre, and not know it."""
    server = process.start(directory)
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    session = boto3.Session()
    name = start_job(session, ["sh", "-c", "sleep 300 & echo pids $$ $!; wait"])
    logged = re.compile(r"pids (\d+) (\d+)")
    assert _wait_for(lambda: bool(logged.search(_log(session, name))))
    found = logged.search(_log(session, name))
    assert found is not None
    pids = [server.pid, int(found[1]), int(found[2])]
    if is_killed:
        os.kill(server.pid, signal.SIGKILL)
        os.waitpid(server.pid, 0)
        assert _wait_for(lambda: not any(_is_alive(pid) for pid in pids))
    process.stop(directory)
    assert _wait_for(lambda: not any(_is_alive(pid) for pid in pids))
    assert not (directory / "jobs").exists()


def test_down_ends_the_jobs_of_a_killed_server_that_nobody_watched(
    directory: Path, job_process: subprocess.Popen[bytes]
) -> None:
    """The watcher may have been killed with the server."""
    process.stop(directory)
    assert job_process.wait(10) == -signal.SIGKILL
    assert not (directory / "jobs").exists()


@pytest.mark.parametrize(("recorded_pid", "is_ended"), [(None, True), (1, True), (2, False)])
def test_the_watcher_ends_jobs_of_its_own_server_only(
    directory: Path, job_process: subprocess.Popen[bytes], recorded_pid: int | None, is_ended: bool
) -> None:
    """Another one may have started in the same directory before it wakes."""
    layout = Layout(directory=directory)
    if recorded_pid is not None:
        write_state(layout, ServerState(pid=recorded_pid, port=1, account="1", region="us-east-1"))
    watcher = orphans.watch(layout, server_pid=1)
    assert watcher.stdin is not None
    watcher.stdin.close()
    assert watcher.wait(20) == 0
    if is_ended:
        assert job_process.wait(10) == -signal.SIGKILL
    else:
        assert job_process.poll() is None


def _log(session: boto3.Session, name: str) -> str:
    logs = session.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    try:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return ""
    events = [
        event
        for stream in streams
        for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    ]
    return "\n".join(event["message"] for event in events)
