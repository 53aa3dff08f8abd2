"""The ml.* instance types of training: vCPUs, accelerators, network, local NVMe and EBS bandwidth.

Source and date stand in instance_types.json. Bandwidths are baselines, which an instance has for as long as it takes,
and bursts, which smaller instances have for some minutes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """One type. None where no source says it; ``nvme_gb`` is 0 of a type without local NVMe."""

    name: str
    vcpus: int
    memory_gib: float
    accelerators: int
    accelerator: str | None
    network_gbit_per_second: float | None
    network_burst_gbit_per_second: float | None
    nvme_gb: int
    ebs_mb_per_second: float | None
    ebs_burst_mb_per_second: float | None
