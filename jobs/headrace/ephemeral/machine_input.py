"""What the machine is given: a pure function, whose result is the contract with ephemeral.asl.yaml.

The machine checks again what can be checked there; what it cannot catch (a request that is too long, a member that
Step Functions does not know) is refused before, by :mod:`headrace.rules.ephemeral`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from headrace.ephemeral.associations import Association, plain
from headrace.future_lustre import DataCompressionType, for_the_machine
from headrace.rules.ephemeral import SECONDS_PER_HOUR, LifetimeSpec, hours_text

SCHEMA: Final = 1
OBJECTS_PER_SECOND: Final = 500
"""How fast FSx imports metadata at the least: about 2 million an hour (FSx for Lustre User Guide, "Performance")."""
_CREATION_SECONDS: Final = 1800
_MARGIN_SECONDS: Final = 3600
_WAIT_FOR_CAPACITY_SECONDS: Final = 120
_PENDING_SECONDS: Final = 900
"""How long SageMaker looks for instances before it gives a job up, where the job sets no limit: what is usual."""


def flow_input(
    *,
    job_name: str,
    storage_capacity_gib: int,
    subnet_id: str,
    associations: Sequence[Association],
    ready_seconds: int,
    lifetime_seconds: int,
    data_compression_type: DataCompressionType = DataCompressionType.NONE,
    training_request: Mapping[str, Any] | None = None,
    capacity_attempts: int = 1,
    preload_request: Mapping[str, Any] | None = None,
    folder_markers: int = 0,
) -> dict[str, Any]:
    """The input of an execution; without ``training_request`` the file system is held until it expires.

    The requests are those of a platform with a Lustre to come (:mod:`headrace.future_lustre`). ``folder_markers``:
    objects that only mark a folder; whether FSx counts them among the imported files is not documented.
    """
    training = None
    if training_request is not None:
        training = {"Request": for_the_machine(training_request), "CapacityAttempts": capacity_attempts}
    return {
        "Schema": SCHEMA,
        "JobName": job_name,
        "Lustre": {
            "StorageCapacity": storage_capacity_gib,
            "SubnetId": subnet_id,
            "DataCompressionType": data_compression_type.value,
            "Links": plain(associations),
            "ReadySeconds": ready_seconds,
            "LifetimeSeconds": lifetime_seconds,
        },
        "Preload": None
        if preload_request is None
        else {"Request": for_the_machine(preload_request), "FolderMarkers": folder_markers},
        "Training": training,
    }


def ready_seconds(objects: int) -> int:
    """When the file system has to be readable, from the start of the flow: created, linked and imported."""
    return _CREATION_SECONDS + math.ceil(objects / OBJECTS_PER_SECOND)


def lifetime(
    *,
    ready: int,
    preload: int,
    running: int,
    pending: int | None,
    capacity_attempts: int,
    given_hours: float | None,
    max_hours: int,
) -> LifetimeSpec:
    """How long the file system lives: as was given, or for the slowest course of the flow, but not beyond the cap.

    ``ready``, ``preload``, ``running`` and ``pending`` (None: no limit is set): seconds that each may take at the most.
    An attempt that finds no instances ends when its pending does; only the last one runs. The machine looks the less
    often the longer the lifetime is, so it is not longer than it has to be.
    """
    attempt = running + (pending or 0)
    needed = ready + preload + attempt + _MARGIN_SECONDS
    waits = sum(_WAIT_FOR_CAPACITY_SECONDS * number for number in range(1, capacity_attempts))
    slowest = needed + (capacity_attempts - 1) * (pending or _PENDING_SECONDS) + waits
    told = f"{hours_text(ready)} until it can be read + {hours_text(preload)} preload" if preload else ""
    told = told or f"{hours_text(ready)} until it can be read"
    return LifetimeSpec(
        seconds=round(given_hours * SECONDS_PER_HOUR)
        if given_hours is not None
        else max(needed, min(slowest, max_hours * SECONDS_PER_HOUR)),
        needed_seconds=needed,
        ready_seconds=ready,
        arithmetic=f"{told} + {hours_text(attempt)} job + {hours_text(_MARGIN_SECONDS)} to spare",
        is_given=given_hours is not None,
    )


def requests_of(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The requests in the input: of the preload and of the job, as far as there are any."""
    return [each["Request"] for each in (given["Preload"], given["Training"]) if each is not None]


def request_bytes(given: Mapping[str, Any]) -> int:
    """The length of the longest request in the input, as JSON."""
    return max((len(json.dumps(each).encode()) for each in requests_of(given)), default=0)
