"""From a plan to the platform's settings, the job file and the commands that make it so.

What lies below ``data/`` of the platform's bucket is shown by the links that every platform has; another prefix is
declared as a data location and linked by a name of its own. The bucket of the profile is taken for the platform's own
where its prefix begins with ``data/``; ``headrace check`` tells if it is not.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from headrace.advisor.helper_jobs import preload_instance
from headrace.advisor.plans import Plan
from headrace.advisor.question import Question
from headrace.advisor.variants import LustreState
from headrace.dataset.profile import Where
from headrace.errors import InvalidInput
from headrace.roads import EFS, LUSTRE, S3_FILE, InputMode
from headrace.rules.s3_location import location_rule_broken

CHANNEL: Final = "train"
_DATA: Final = "data/"
_LINK: Final = "data"
_ROOM: Final = 1.1
_GB: Final = 1 << 30
_SMALLEST_VOLUME_GB: Final = 30
_SPOT_WAIT: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """``settings``: to merge into an environment of cdk.json. ``job``: a job file. ``steps``: commands, in order."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    job: Mapping[str, Any]
    steps: tuple[str, ...]


_DECIDED: Final = (
    *("instance_type", "instance_count", "volume_size_gb", "max_runtime_seconds"),
    *("ephemeral", "spot", "checkpoints"),
)


def merged(job: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """An existing job file with the advised road: its channel, its instances, and what the road needs beside them.

    The channel that is replaced is the only one, or ``train``. Raises InvalidInput for instance groups, of which the
    advice knows nothing.
    """
    if "instance_groups" in like:
        raise InvalidInput(
            "--like has instance_groups; allowed: one instance type, which the advice is about; fix: name one"
        )
    channels = dict(like.get("channels", {}))
    name = next(iter(channels)) if len(channels) == 1 else CHANNEL
    kept = {key: value for key, value in like.items() if key not in _DECIDED}
    if "max_runtime_seconds" in like:
        kept["max_runtime_seconds"] = max(like["max_runtime_seconds"], job["max_runtime_seconds"])
    return {**job, **kept, "channels": {**channels, name: job["channels"][CHANNEL]}}


def wiring_of(plan: Plan, question: Question, image: str, job_path: str = "job.yaml") -> Wiring:
    """How the plan is made. ``image``: of the job. Raises InvalidInput for a data set that is not where a job reads."""
    bucket, prefix = _location(plan, question)
    if plan.variant.road is EFS:
        return _over_efs(plan, question, image, job_path, bucket, prefix)
    if plan.variant.road is LUSTRE:
        return _over_lustre(plan, question, image, job_path, bucket, prefix)
    mode = plan.variant.road.input_mode
    folder = prefix if not prefix or prefix.endswith("/") or mode is InputMode.FILE else f"{prefix}/"
    channel = {"s3": f"s3://{bucket}/{folder}"}
    if mode is not InputMode.FILE:
        channel["input_mode"] = mode.value
    if question.fleet.is_sharded:
        channel["distribution"] = "ShardedByS3Key"
    packing = (f"pack the small files of {question.profile.location} into shards below s3://{bucket}/{folder}",)
    return Wiring(
        settings=_data_locations(bucket, prefix),
        job=_job(plan, question, image, channel),
        steps=(*(packing if plan.variant.is_packed else ()), _command("train", job_path)),
    )


def _location(plan: Plan, question: Question) -> tuple[str, str]:
    location = question.profile.location
    if question.profile.where is Where.EFS:
        return "", location
    if not location.startswith("s3://") or location_rule_broken(location):
        raise InvalidInput(
            f"the data set is {location!r}; allowed: a prefix in S3, for a job file; fix: upload it "
            "(aws s3 sync), and profile the prefix"
        )
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    # shards lie beside the files that they are made of, so that no road takes both
    return bucket, f"{prefix.rstrip('/')}-packed/" if plan.variant.is_packed else prefix


def _data_locations(bucket: str, prefix: str) -> dict[str, Any]:
    return {} if prefix.startswith(_DATA) else {"data_locations": [{"bucket": bucket, "prefix": prefix}]}


def _link_name(prefix: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", prefix.lower()).strip("-")[:20].strip("-") or "dataset"


def _over_lustre(plan: Plan, question: Question, image: str, job_path: str, bucket: str, prefix: str) -> Wiring:
    state, capacity_gib = plan.variant.lustre, plan.variant.capacity_gib
    assert state is not None
    folder = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    below = folder.removeprefix(_DATA) if folder.startswith(_DATA) else None
    link = _LINK if below is not None else _link_name(folder)
    channel = {"lustre": link, **({"path": below.rstrip("/")} if below else {})}
    own = {"name": link, "path": f"/{link}", "bucket": bucket, "prefix": folder}
    links = {} if below is not None else {"links": [own]}
    job = _job(plan, question, image, channel)
    settings, reader = _data_locations(bucket, folder), preload_instance(question, capacity_gib)
    if state.is_shared:
        settings["lustre"] = {"enabled": True, "storage_capacity_gib": capacity_gib, **links}
        path = ("--path", below.rstrip("/")) if below else ()
        preload = _command("preload", link, *path, "--image", image, "--instance-type", reader)
        load = (preload,) if state is LustreState.SHARED_WARM else ()
        return Wiring(settings=settings, job=job, steps=("make deploy", *load, _command("train", job_path)))
    settings["ephemeral"] = {"enabled": True, **links}
    job["ephemeral"] = {"storage_capacity_gib": capacity_gib, "preload": state.is_preloaded}
    if state.is_preloaded:
        job["ephemeral"]["preload_instance_type"] = reader
    train = _command("train", job_path, "--ephemeral")
    if state is LustreState.HELD_PRELOADED:
        train = f"headrace.ephemeral.lustre(...) in Python, with {question.workload.jobs} jobs in its block"
    return Wiring(settings=settings, job=job, steps=("make deploy", train))


def _over_efs(plan: Plan, question: Question, image: str, job_path: str, bucket: str, prefix: str) -> Wiring:
    directory = f"/{prefix.strip('/')}"
    mode = plan.variant.efs_mode
    assert mode is not None
    throughput: dict[str, Any] = {"throughput_mode": mode.value}
    if plan.provisioned_mbps is not None:
        throughput["provisioned_throughput_mibps"] = max(1, math.ceil(plan.provisioned_mbps / 1.048576))
    load = _command("efs", "load", f"s3://{bucket}/{prefix}", "--to", directory, "--image", image)
    settings = {"efs": {"enabled": True, **throughput}, **(_data_locations(bucket, prefix) if bucket else {})}
    job, train = _job(plan, question, image, {"efs": directory}), _command("train", job_path)
    return Wiring(settings=settings, job=job, steps=("make deploy", *((load,) if bucket else ()), train))


def _command(*words: str) -> str:
    """A command that can be pasted: locations are somebody else's text."""
    return shlex.join(("headrace", *words))


def _job(plan: Plan, question: Question, image: str, channel: Mapping[str, Any]) -> dict[str, Any]:
    fleet = question.fleet
    job: dict[str, Any] = {
        "base_job_name": "advised",
        "image": image,
        "instance_type": fleet.instance_type.name,
        "instance_count": fleet.instances,
        "channels": {CHANNEL: dict(channel)},
    }
    if plan.variant.road is S3_FILE and not fleet.instance_type.nvme_gb:
        copied = question.profile.size_bytes / (fleet.instances if fleet.is_sharded else 1)
        job["volume_size_gb"] = fleet.volume_gb or max(_SMALLEST_VOLUME_GB, math.ceil(copied * _ROOM / _GB))
    runtime = math.ceil(min(28 * 86_400, max(86_400, 2 * plan.billed_seconds.high)))
    job["max_runtime_seconds"] = runtime
    if fleet.spot is not None:
        job["spot"] = {"max_wait_seconds": min(28 * 86_400, _SPOT_WAIT * runtime)}
        job["checkpoints"] = {}
    return job
