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
    """Run the job to its end, whatever happens, and leave no folder behind."""
    longest = fleet.MAX_FAILURE_CHARACTERS
    try:
        job.enter(_phases(job, folder))
    except JobFailed as failure:
        job.fail(str(failure)[:longest])
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        job.fail(f"InternalServerError: the embedded AWS failed: {type(error).__name__}: {error}"[:longest])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _phases(job: TrainingJob, folder: Path) -> str:
    """The secondary status in which the job ends well or stopped. Raises JobFailed."""
    job.enter("Starting")
    capacity.provision(job)
    instances = layout.instances_of(job.request, folder)
    for each in instances:
        layout.prepare(each, job.request)
    if job.stop_asked.is_set():
        return "Stopped"
    workspaces = [each.workspace for each in instances]
    s3 = client("s3", job.region)
    checkpoints = Checkpoints(s3, job.request, workspaces)
    job.enter("Downloading")
    checkpoints.restore()
    with _brought(job, instances) as supplies:
        if job.stop_asked.is_set():
            return "Stopped"
        job.enter("Training")
        with checkpoints.saved_meanwhile():
            end = _train(job, instances, supplies)
    job.enter("Uploading")
    job.model_artifact_uri = artifacts.upload(s3, job.request, workspaces, checkpoints)
    return end


def _train(job: TrainingJob, instances: Sequence[Instance], supplies: Sequence[Supply]) -> str:
    """The secondary status in which the commands end. Raises JobFailed."""
    try:
        end = fleet.run(job, instances, _notices(supplies))
    except JobFailed:
        _require_whole(supplies)  # a channel that broke is the better reason
        raise
    _require_whole(supplies)
    return end


def _require_whole(supplies: Sequence[Supply]) -> None:
    """Raises JobFailed where a channel broke while it was read."""
    for each in supplies:
        if each.failure is not None:
            raise JobFailed(each.failure)


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


def _notices(supplies: Sequence[Supply]) -> list[str]:
    """What the channels have to say, each thing once."""
    return list(dict.fromkeys(each.notice for each in supplies if each.notice is not None))
