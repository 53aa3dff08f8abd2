"""A job's code on its way to S3: uploaded before the job is created, and taken back where none came of it.

A job reads its code after it was created, by its name. So an upload never replaces another's: of two launches under
one name, one gets through. And what was uploaded is deleted only when no job can want it: that a creation failed does
not say so, since its answer may be what was lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from headrace import source_archive
from headrace.aws import Aws
from headrace.errors import HeadraceError, InvalidInput
from headrace.training import TrainingJob, source_archive_location


def upload(job: TrainingJob, bucket: str, aws: Aws) -> None:
    """Upload the job's code, if it brings any, as its folder holds it now.

    Raises InvalidInput for a folder that cannot be shipped, and where code of this job's name is there already;
    AwsError when a call fails.
    """
    if job.source_dir is None:
        return
    archive = source_archive.build(Path(job.source_dir), [Path(each) for each in job.dependencies])
    location = source_archive_location(job, bucket)
    if not aws.s3.create_object(location.bucket, location.prefix, archive):
        raise InvalidInput(
            f"job_name is {job.name!r}; allowed: a name whose code is not there yet, and {location.uri} is; "
            "fix: choose another name, or delete the object where no other launch is under way"
        )


def take_back(job: TrainingJob, bucket: str, aws: Aws, attempts: Sequence[str] = ()) -> None:
    """Delete the job's code where none of the attempts is a job; where that is not certain, leave it.

    ``attempts``: names of the jobs that would read it; by default the job's own.
    """
    if job.source_dir is None:
        return
    location = source_archive_location(job, bucket)
    # the error that led here is the one to be told
    with suppress(HeadraceError):
        if not any(aws.training_jobs.exists(name) for name in attempts or (job.name,)):
            aws.s3.delete_object(location.bucket, location.prefix)
