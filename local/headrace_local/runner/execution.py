"""Walks one job through its phases, in a thread of its own."""

from __future__ import annotations

import shutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

from headrace_local.moto_extension.clients import client
from headrace_local.runner import artifacts, capacity, channels, fleet, layout
from headrace_local.runner.checkpoints import Checkpoints
from headrace_local.runner.instance import Instance
from headrace_local.runner.job import JobFailed, TrainingJob
from headrace_local.runner.supply import Supply


def run_in_background(job: TrainingJob, jobs: Path) -> None:
    """Start the job's thread; its folder lies below ``jobs`` while it runs."""
    Thread(target=run, args=(job, jobs / job.name), name=job.name, daemon=True).start()


def run(job: TrainingJob, folder: Path) -> None:
    """Run the job to its end, whatever happens; when it says that it has ended, no folder of it is left."""
    outcome = _outcome(job, folder)
    shutil.rmtree(folder, ignore_errors=True)
    if isinstance(outcome, JobFailed):
        job.fail(str(outcome)[: fleet.MAX_FAILURE_CHARACTERS])
    else:
        job.enter(outcome)


def _outcome(job: TrainingJob, folder: Path) -> str | JobFailed:
    """The secondary status in which the job ends well or stopped, or why it failed."""
    try:
        return _phases(job, folder)
    except JobFailed as failure:
        return failure
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        return JobFailed(f"InternalServerError: the embedded AWS failed: {type(error).__name__}: {error}")


def _phases(job: TrainingJob, folder: Path) -> str:
    """The secondary status in which the job ends well or stopped. Raises JobFailed."""
    job.enter("Starting")
    capacity.provision(job)
    instances = layout.instances_of(job.request, folder)
    for each in instances:
        layout.prepare(each, job.request)
    if job.stop_asked.is_set():
        return "Stopped"
    checkpoints = Checkpoints(client("s3", job.region), job.request, [each.workspace for each in instances])
    job.enter("Downloading")
    checkpoints.restore()
    with _brought(job, instances) as supplies:
        if job.stop_asked.is_set():
            return "Stopped"
        job.enter("Training")
        trained = _train(job, instances, supplies, checkpoints)
    job.enter("Uploading")
    return _upload(job, instances, checkpoints, trained)


def _train(
    job: TrainingJob, instances: Sequence[Instance], supplies: Sequence[Supply], checkpoints: Checkpoints
) -> str | JobFailed:
    try:
        with checkpoints.saved_meanwhile():
            return fleet.run(job, instances, supplies)
    except JobFailed as failure:
        return failure


def _upload(job: TrainingJob, instances: Sequence[Instance], checkpoints: Checkpoints, trained: str | JobFailed) -> str:
    """Bring back what there is, of a job that failed, too, as SageMaker does. Raises JobFailed."""
    workspaces = [each.workspace for each in instances]
    try:
        job.model_artifact_uri = artifacts.upload(client("s3", job.region), job.request, workspaces, checkpoints)
    except JobFailed:
        if isinstance(trained, str):
            raise
    if isinstance(trained, JobFailed):
        raise trained
    return trained


@contextmanager
def _brought(job: TrainingJob, instances: Sequence[Instance]) -> Iterator[list[Supply]]:
    """Every channel's data at every instance, for the time of the block, or until the job is asked to stop."""
    supplies: list[Supply] = []
    with ExitStack() as stack:
        for instance in instances:
            for channel in job.request.get("InputDataConfig", ()):
                if not job.stop_asked.is_set():
                    supplies.append(channels.bring(job, channel, instance))
                    stack.callback(supplies[-1].close)
        yield supplies
