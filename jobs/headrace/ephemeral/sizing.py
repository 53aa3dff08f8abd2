"""How large an ephemeral file system is, and what the rules say of that."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from headrace.ephemeral.survey import Survey
from headrace.future_lustre import EphemeralLustre
from headrace.rules import Finding, final, run_rules
from headrace.rules.lustre import (
    SCRATCH_2,
    LustreSpec,
    capacity_is_legal,
    capacity_within_quota,
    compression_is_known,
    dataset_fits,
)
from headrace.rules.lustre_sizing import LARGEST_DATASET_GIB, legal_capacity_gib

_FORM_RULES = (capacity_is_legal, compression_is_known)
_FIT_RULES = (dataset_fits, capacity_within_quota)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What the file system provisions, and how that came about."""

    gib: int
    arithmetic: str
    findings: tuple[Finding, ...] = ()


def capacity_for(data: Survey, wanted: EphemeralLustre) -> Capacity:
    """As was asked for, or the smallest that the data set fills to nine tenths; and what the rules say of it."""
    # rounded up, so that people can read the arithmetic
    size_gib = min(math.ceil(data.contents.size_gib * 10) / 10, LARGEST_DATASET_GIB)
    if wanted.storage_capacity_gib is None:
        sizing = legal_capacity_gib(size_gib) if size_gib else None
        gib = legal_capacity_gib(1).storage_capacity_gib if sizing is None else sizing.storage_capacity_gib
        return Capacity(gib=gib, arithmetic="no data" if sizing is None else sizing.arithmetic)
    spec = LustreSpec(
        deployment_type=SCRATCH_2,
        storage_capacity_gib=wanted.storage_capacity_gib,
        data_compression_type=wanted.data_compression_type.value,
        dataset_gib=size_gib or None,
    )
    judged = [*final(run_rules(_FORM_RULES, spec)), *run_rules(_FIT_RULES, spec)]
    found = [replace(each, field=f"ephemeral.{each.field}") for each in judged]
    return Capacity(gib=wanted.storage_capacity_gib, arithmetic="as the job asks for", findings=tuple(found))
