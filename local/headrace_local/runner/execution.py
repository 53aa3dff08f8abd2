"""Walks one job through its phases, in a thread of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from threading import Thread

from headrace_local.moto_extension.clients import client
from headrace_local.runner import artifacts, channels, command, layout, metrics
from headrace_local.runner.job import JobFailed, TrainingJob
from headrace_local.runner.job_environment import environment_of
from headrace_local.runner.log import JobLog
from headrace_local.runner.workspace import Workspace
from headrace_local.settings import Settings

MAX_FAILURE_CHARACTERS = 1024
_DEFAULT_MAX_RUNTIME_SECONDS = 86_400
_POLL_SECONDS = 0.05
_LOG_SECONDS = 5.0
_NO_SUCH_PROGRAM = 127


def run_in_background(job: TrainingJob, jobs: Path) -> None:
    """Start the job's thread; its folder lies below ``jobs`` while it runs."""
    Thread(target=run, args=(job, Workspace(directory=jobs / job.name)), name=job.name, daemon=True).start()


def run(job: TrainingJob, workspace: Workspace) -> None:
    """Run the job to its end, whatever happens, and leave no folder behind."""
    try:
        job.enter(_phases(job, workspace))
    except JobFailed as failure:
        job.fail(str(failure)[:MAX_FAILURE_CHARACTERS])
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        job.fail(
            f"InternalServerError: the embedded AWS failed: {type(error).__name__}: {error}"[:MAX_FAILURE_CHARACTERS]
        )
    finally:
        shutil.rmtree(workspace.directory, ignore_errors=True)


def _phases(job: TrainingJob, workspace: Workspace) -> str:
    """The secondary status in which the job ends well or stopped. Raises JobFailed."""
    job.enter("Starting")
    layout.prepare(workspace, job.request)
    if job.stop_asked.is_set():
        return "Stopped"
    job.enter("Downloading")
    for channel in job.request.get("InputDataConfig", ()):
        channels.bring(job, channel, workspace.channel(channel["ChannelName"]))
        if job.stop_asked.is_set():
            return "Stopped"
    job.enter("Training")
    end = _train(job, workspace)
    job.enter("Uploading")
    job.model_artifact_uri = artifacts.upload(client("s3", job.region), job.request, workspace)
    return end


def _train(job: TrainingJob, workspace: Workspace) -> str:
    """Run the command to its end: Completed, Stopped or MaxRuntimeExceeded. Raises JobFailed."""
    algorithm = job.request["AlgorithmSpecification"]
    line = [*algorithm["ContainerEntrypoint"], *algorithm.get("ContainerArguments", ())]
    on_line = metrics.reader(job, algorithm.get("MetricDefinitions", ()))
    log = JobLog(client("logs", job.region), job.name, on_line)
    try:
        started = command.start(line, environment_of(job, workspace), workspace)
    except OSError as error:
        log.write(f"{line[0]}: {error.strerror}")
        log.close(_LOG_SECONDS)
        raise JobFailed(_failure_reason(workspace, _NO_SUCH_PROGRAM)) from None
    if started.notice is not None:
        log.write(started.notice)
    if started.process.stdout is not None:
        log.follow(started.process.stdout)
    interruption = _wait(job, started.process)
    command.signal_group(started.process, signal.SIGKILL)
    log.close(_LOG_SECONDS)
    if interruption is not None:
        return interruption
    if started.process.returncode != 0:
        raise JobFailed(_failure_reason(workspace, started.process.returncode))
    return "Completed"


def _wait(job: TrainingJob, process: subprocess.Popen[bytes]) -> str | None:
    """Wait until the command ends; the status that it ends with when it was made to end, else None."""
    stopping = job.request["StoppingCondition"]
    deadline = time.monotonic() + stopping.get("MaxRuntimeInSeconds", _DEFAULT_MAX_RUNTIME_SECONDS)
    while process.poll() is None:
        if job.stop_asked.is_set():
            job.enter("Stopping")
            _terminate(process)
            return "Stopped"
        if time.monotonic() > deadline:
            _terminate(process)
            return "MaxRuntimeExceeded"
        time.sleep(_POLL_SECONDS)
    return None


def _terminate(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL after the grace that SageMaker gives."""
    command.signal_group(process, signal.SIGTERM)
    try:
        process.wait(Settings.from_environment().stop_grace_seconds)
    except subprocess.TimeoutExpired:
        command.signal_group(process, signal.SIGKILL)
        process.wait()


def _failure_reason(workspace: Workspace, exit_code: int) -> str:
    failure = workspace.opt_ml / "output" / "failure"
    said = failure.read_text(errors="replace")[:MAX_FAILURE_CHARACTERS] if failure.is_file() else ""
    return f"AlgorithmError: {said.strip()}, exit code: {exit_code}"
