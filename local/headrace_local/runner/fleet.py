"""The commands of all instances of a job: started together, waited for together, ended together.

The job is done when every instance is, and fails when one does, or when a channel breaks: all are then told to end.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from headrace_local.moto_extension.clients import client
from headrace_local.runner import command, metrics
from headrace_local.runner.instance import Instance
from headrace_local.runner.job import JobFailed, TrainingJob
from headrace_local.runner.job_environment import environment_of
from headrace_local.runner.log import JobLog
from headrace_local.runner.supply import Supply, broken, notices, require_whole
from headrace_local.settings import Settings

MAX_FAILURE_CHARACTERS = 1024
_DEFAULT_MAX_RUNTIME_SECONDS = 86_400
_POLL_SECONDS = 0.05
_LOG_SECONDS = 5.0
_NO_SUCH_PROGRAM = 127


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One instance's running command and its log."""

    instance: Instance
    process: subprocess.Popen[bytes]
    log: JobLog


def run(job: TrainingJob, instances: Sequence[Instance], supplies: Sequence[Supply]) -> str:
    """Run the command on every instance to its end: Completed, Stopped or MaxRuntimeExceeded. Raises JobFailed.

    What the channels have to say begins the first instance's log.
    """
    try:
        end = _run(job, instances, supplies)
    except JobFailed:
        require_whole(supplies)  # a channel that broke is the better reason
        raise
    require_whole(supplies)
    return end


def _run(job: TrainingJob, instances: Sequence[Instance], supplies: Sequence[Supply]) -> str:
    algorithm = job.request["AlgorithmSpecification"]
    line = [*algorithm["ContainerEntrypoint"], *algorithm.get("ContainerArguments", ())]
    on_line = metrics.reader(job, algorithm.get("MetricDefinitions", ()))
    with _members() as members:
        for instance in instances:
            log = JobLog(client("logs", job.region), f"{job.name}/{instance.host}", on_line)
            said = notices(supplies) if instance.number == 0 else []
            members.append(_start(job, instance, line, log, said))
        return _wait(job, members, supplies)


@contextmanager
def _members() -> Iterator[list[Member]]:
    members: list[Member] = []
    try:
        yield members
    finally:
        for each in members:
            command.signal_group(each.process, signal.SIGKILL)
        for each in members:
            with suppress(subprocess.TimeoutExpired):  # one that waits for a mount ends with the mount
                each.process.wait(_LOG_SECONDS)
            each.log.close(_LOG_SECONDS)


def _start(job: TrainingJob, instance: Instance, line: Sequence[str], log: JobLog, said: Sequence[str]) -> Member:
    try:
        started = command.start(line, environment_of(job, instance), instance.workspace)
    except OSError as error:
        log.write(f"{line[0]}: {error.strerror}")
        log.close(_LOG_SECONDS)
        raise JobFailed(_failure_reason(instance, _NO_SUCH_PROGRAM)) from None
    for notice in (*said, started.notice or ""):
        for each in notice.splitlines():
            log.write(each)
    if started.process.stdout is not None:
        log.follow(started.process.stdout)
    return Member(instance=instance, process=started.process, log=log)


def _wait(job: TrainingJob, members: Sequence[Member], supplies: Sequence[Supply]) -> str:
    """Wait until the commands end, or make them end; how the job has ended. Raises JobFailed."""
    stopping = job.request["StoppingCondition"]
    deadline = time.monotonic() + stopping.get("MaxRuntimeInSeconds", _DEFAULT_MAX_RUNTIME_SECONDS)
    while True:
        codes = [each.process.poll() for each in members]
        for member, code in zip(members, codes, strict=True):
            if code:
                _terminate(members)
                raise JobFailed(_failure_reason(member.instance, code))
        if None not in codes:
            return "Completed"
        if broken(supplies) is not None:
            _terminate(members)
            require_whole(supplies)
        if job.stop_asked.is_set():
            job.enter("Stopping")
            _terminate(members)
            return "Stopped"
        if time.monotonic() > deadline:
            _terminate(members)
            return "MaxRuntimeExceeded"
        time.sleep(_POLL_SECONDS)


def _terminate(members: Sequence[Member]) -> None:
    """SIGTERM to all, and SIGKILL after the grace that SageMaker gives."""
    _signal(members, signal.SIGTERM)
    deadline = time.monotonic() + Settings.from_environment().stop_grace_seconds
    for each in members:
        try:
            each.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            command.signal_group(each.process, signal.SIGKILL)
            each.process.wait()


def _signal(members: Sequence[Member], signal_number: int) -> None:
    for each in members:
        if each.process.poll() is None:
            command.signal_group(each.process, signal_number)


def _failure_reason(instance: Instance, exit_code: int) -> str:
    failure = instance.workspace.opt_ml / "output" / "failure"
    said = ""
    if failure.is_file():
        with failure.open(errors="replace") as file:
            said = file.read(MAX_FAILURE_CHARACTERS)
    # a container that a signal ends has this exit code
    shown = 128 - exit_code if exit_code < 0 else exit_code
    return f"AlgorithmError: {said.strip()}, exit code: {shown}"
