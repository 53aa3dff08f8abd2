"""Rules of a job's numbers, paths and names that the API takes and the service, or the container, does not.

They look at a :class:`~headrace.rules.job.JobSpec`, so they hold for a job file and for a job made in Python alike.
Sources: Amazon SageMaker API Reference, StoppingCondition ("The maximum value is 28 days") and ResourceConfig;
Developer Guide, "SageMaker AI environment variables and the default paths for training storage locations"; the
service's own messages on images of another Region ("Cross region ECR image pulls are not allowed").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from headrace.rules.finding import Finding, Level, Rule, rule
from headrace.rules.job import MAX_SECONDS, JobSpec
from headrace.rules.values import finding

LINEAGE_HYPERPARAMETERS: Final = ("headrace_dataset", "headrace_dataset_version")
"""What own ingestion sets: the data set, and its version."""
_OTHERS_FOLDERS: Final = ("/opt/ml/input", "/opt/ml/model", "/opt/ml/output", "/opt/ml/code")
_ECR_REGION: Final = re.compile(r"\d{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.")
_KEY_REGION: Final = re.compile(r"arn:[a-z-]+:kms:(?P<region>[a-z0-9-]+):")


@rule("V141")
def counts_are_positive(spec: JobSpec) -> Iterator[Finding]:
    """There is at least one instance, and at least one in each group; the API's model takes none, too."""
    counts = [("instance_count", spec.instance_count)]
    counts += [(f"instance_groups.{each.name}.instance_count", each.instance_count) for each in spec.groups]
    for where, count in counts:
        if count < 1:
            yield finding("V141", where, count, "at least 1", f"{where.rpartition('.')[2]}: 1")


@rule("V142")
def times_are_short_enough(spec: JobSpec) -> Iterator[Finding]:
    """A job runs for at most 28 days; Spot waits and runs for as long together."""
    for where, seconds in (
        ("max_runtime_seconds", spec.max_runtime_seconds),
        ("spot.max_wait_seconds", spec.max_wait_seconds),
    ):
        if seconds is not None and seconds > MAX_SECONDS:
            allowed = f"at most {MAX_SECONDS}, 28 days"
            fix = f"{where.rpartition('.')[2]}: {MAX_SECONDS}, and checkpoints from which another job goes on"
            yield finding("V142", where, seconds, allowed, fix)


@rule("V143")
def checkpoints_have_a_folder(spec: JobSpec) -> Iterator[Finding]:
    """Checkpoints are kept in a folder of their own: an absolute path, outside those with another purpose."""
    if spec.checkpoint_path is None:
        return
    path = PurePosixPath(spec.checkpoint_path)
    is_plain = path.is_absolute() and len(path.parts) > 1 and ".." not in path.parts
    others = [PurePosixPath(each) for each in _OTHERS_FOLDERS]
    if not is_plain or any(path.is_relative_to(each) or each.is_relative_to(path) for each in others):
        allowed = f"an absolute path, neither above nor below {', '.join(_OTHERS_FOLDERS)}"
        fix = "leave it out for /opt/ml/checkpoints"
        yield finding("V143", "checkpoints.local_path", spec.checkpoint_path, allowed, fix)


@rule("V144")
def image_and_keys_are_in_region(spec: JobSpec) -> Iterator[Finding]:
    """The image, and the keys that are given as ARNs, are in the job's Region: SageMaker uses no others."""
    named = [("image", spec.image, _ECR_REGION.match(spec.image))]
    named += [(where, key, _KEY_REGION.match(key)) for where, key in spec.keys]
    for where, value, parts in named:
        if parts is not None and spec.region is not None and parts["region"] != spec.region:
            what = "an image" if where == "image" else "a key"
            fix = "push the image there, too" if where == "image" else "give a key of that Region"
            yield finding("V144", where, value, f"{what} in the job's Region, {spec.region}", fix)


@rule("V145")
def lineage_is_not_overwritten(spec: JobSpec) -> Iterator[Finding]:
    """The hyperparameters that own ingestion sets are not given as well."""
    for name in LINEAGE_HYPERPARAMETERS if spec.has_own_ingestion else ():
        if name in spec.hyperparameters:
            allowed = "a name of your own; own_ingestion.dataset and version set this one"
            yield finding("V145", f"hyperparameters.{name}", "given", allowed, "leave it out")


@rule("V146")
def ingestion_role_is_used(spec: JobSpec) -> Iterator[Finding]:
    """With a role of the job's own, the platform's role for own ingestion is not used."""
    if spec.has_own_role and spec.ingestion_role is not None:
        allowed = "the role of own_ingestion, or role_arn, which takes its place here"
        fix = "leave role_arn out for the platform's role"
        yield finding("V146", "own_ingestion.role", spec.ingestion_role, allowed, fix, Level.INFO)


LIMIT_RULES: tuple[Rule[Any], ...] = (
    counts_are_positive,
    times_are_short_enough,
    checkpoints_have_a_folder,
    image_and_keys_are_in_region,
    lineage_is_not_overwritten,
    ingestion_role_is_used,
)
"""Further rules of one :class:`JobSpec`."""
