"""The ml.* instance types of training: vCPUs, accelerators, network, local NVMe and EBS bandwidth.

Source and date stand in snapshot.json. Bandwidths are baselines, which an instance has for as long as it takes,
and bursts, which smaller instances have for some minutes. No API of SageMaker tells the shape of its types: ml.X is
taken to be EC2's X. That is an assumption, which AWS's words support ("SageMaker Training on Amazon EC2 P4de
instances", Amazon SageMaker API Reference, ResourceConfig) and no page says of every type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from headrace.errors import InvalidInput

if TYPE_CHECKING:
    from headrace.figures.snapshot import Snapshot

_MIB_PER_GIB: Final = 1024
_NEAREST: Final = 3
# "25 Gigabit", "4x 100 Gigabit"; what begins with "Up to" is a burst
_PROMISED: Final = re.compile(r"(?:(?P<cards>\d+)x )?(?P<gbit>\d+(?:\.\d+)?) Gigabit")
_FURTHER_LOCAL_STORAGE_FAMILIES: Final = frozenset({"p6e-gb200"})
"""Not offered in us-east-1, which the shapes are of (Amazon EC2 Instance Types Guide, accelerated computing)."""


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

    @property
    def network_mb_per_second(self) -> float | None:
        """Its network's baseline in MB/s."""
        return _megabytes(self.network_gbit_per_second)

    @property
    def network_burst_mb_per_second(self) -> float | None:
        """Its network's burst in MB/s."""
        return _megabytes(self.network_burst_gbit_per_second)


def _megabytes(gbit: float | None) -> float | None:
    return None if gbit is None else gbit * 1000 / 8


def all_instance_types(snapshot: Snapshot | None = None) -> Mapping[str, InstanceType]:
    """Every type whose shape is known, by its name. ``snapshot``: default is the one that is shipped."""
    return _or_shipped(snapshot).instance_types


def instance_type(name: str, snapshot: Snapshot | None = None) -> InstanceType:
    """The type of that name. Raises InvalidInput, with the nearest names, where its shape is not known."""
    known = all_instance_types(snapshot)
    if name not in known:
        raise InvalidInput(
            f"instance_type is {name!r}, whose shape is not known; allowed: {_nearest(name, known)}; fix: correct the "
            "name, or, of a newer type, run headrace prices update and give its file"
        )
    return known[name]


def has_local_storage(name: str) -> bool:
    """Whether the type (``ml.g5.xlarge``) brings NVMe volumes of its own, in place of the ML volume.

    A family has them or not, so this holds for sizes that are newer than the figures.
    """
    return _family(name) in local_storage_families()


@cache
def local_storage_families() -> frozenset[str]:
    """The families of training instances that bring NVMe volumes of their own."""
    return _FURTHER_LOCAL_STORAGE_FAMILIES | {
        _family(each.name) for each in all_instance_types().values() if each.nvme_gb
    }


def from_description(described: Mapping[str, Any]) -> InstanceType:
    """The type of SageMaker that stands for one of EC2, as DescribeInstanceTypes describes it."""
    count, accelerator = _accelerators(described)
    storage = described.get("InstanceStorageInfo", {})
    network = described.get("NetworkInfo", {})
    volumes = described.get("EbsInfo", {}).get("EbsOptimizedInfo", {})
    return InstanceType(
        name=f"ml.{described['InstanceType']}",
        vcpus=described["VCpuInfo"]["DefaultVCpus"],
        memory_gib=described["MemoryInfo"]["SizeInMiB"] / _MIB_PER_GIB,
        accelerators=count,
        accelerator=accelerator,
        network_gbit_per_second=_gbit_per_second(network, "BaselineBandwidthInGbps"),
        network_burst_gbit_per_second=_gbit_per_second(network, "PeakBandwidthInGbps"),
        nvme_gb=storage["TotalSizeInGB"] if storage.get("NvmeSupport") == "required" else 0,
        ebs_mb_per_second=volumes.get("BaselineThroughputInMBps"),
        ebs_burst_mb_per_second=volumes.get("MaximumThroughputInMBps"),
    )


def _accelerators(described: Mapping[str, Any]) -> tuple[int, str | None]:
    """How many, and of which make: GPUs, Trainium, or others such as Gaudi."""
    for info, members in (
        ("GpuInfo", "Gpus"),
        ("NeuronInfo", "NeuronDevices"),
        ("InferenceAcceleratorInfo", "Accelerators"),
    ):
        if devices := described.get(info, {}).get(members, ()):
            makers = {f"{each.get('Manufacturer', 'AWS')} {each['Name']}" for each in devices}
            return sum(each["Count"] for each in devices), " + ".join(sorted(makers))
    return 0, None


def _gbit_per_second(network: Mapping[str, Any], member: str) -> float | None:
    """All cards together; no more than what EC2 promises of the whole instance, where it does.

    The four cards of a g6e.48xlarge have 400 Gbit/s each, and so has the instance.
    """
    cards: Sequence[Mapping[str, Any]] = network.get("NetworkCards", ())
    values = [each[member] for each in cards if member in each]
    if not values or len(values) < len(cards):
        return None
    promised = _PROMISED.fullmatch(network.get("NetworkPerformance", ""))
    total = float(sum(values))
    return total if promised is None else min(total, int(promised["cards"] or 1) * float(promised["gbit"]))


def _family(name: str) -> str:
    return name.removeprefix("ml.").split(".")[0]


def _nearest(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    names = sorted(known)
    wanted = name.lower()
    found = get_close_matches(wanted if wanted.startswith("ml.") else f"ml.{wanted}", names, n=_NEAREST, cutoff=0.6)
    return (
        f"{', '.join(found)} and others" if found else f"one of the {len(names)} types of headrace prices show --json"
    )


def _or_shipped(snapshot: Snapshot | None) -> Snapshot:
    from headrace.figures.snapshot import read_snapshot

    return read_snapshot() if snapshot is None else snapshot
