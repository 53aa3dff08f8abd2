"""How large a Lustre file system is: the legal capacities, and the smallest of them for a data set.

A file system that is full fails the preload half way, so a data set fills at most nine tenths of it.

Sources: Amazon FSx API Reference, CreateFileSystem, StorageCapacity (botocore 1.44.5 service model, whose largest
number is 2,147,483,647); the fill of nine tenths is a rule of ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeGuard

from headrace.errors import InvalidInput
from headrace.rules.values import is_number, is_whole_number, shown

MAX_FILL: Final = Fraction(9, 10)
SMALLEST_GIB: Final = 1200
STEP_GIB: Final = 2400
LARGEST_GIB: Final = 2_147_483_647 // STEP_GIB * STEP_GIB
CAPACITIES: Final = "1,200, 2,400 or a multiple of 2,400"
LARGEST_DATASET_GIB: Final = math.floor(LARGEST_GIB * MAX_FILL)
DATASET_SIZES: Final = f"a number of GiB above 0 and up to {LARGEST_DATASET_GIB:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """The capacity that a data set asks for."""

    dataset_gib: int | float
    storage_capacity_gib: int

    @property
    def arithmetic(self) -> str:
        """How the capacity came about, as one sentence without a full stop."""
        needed = float(Fraction(self.dataset_gib) / MAX_FILL)
        return (
            f"{_shown_gib(self.dataset_gib)} GiB of data / {float(MAX_FILL)} fill = {needed:,.1f} GiB -> "
            f"{self.storage_capacity_gib:,} GiB ({CAPACITIES})"
        )


def legal_capacity_gib(dataset_gib: int | float) -> Sizing:
    """The smallest legal capacity that ``dataset_gib`` fills to at most nine tenths.

    Raises InvalidInput for what is no size: FSx names no capacity above 2,147,483,647 GiB.
    """
    if not is_dataset_size(dataset_gib):
        raise InvalidInput(f"dataset_gib is {shown(dataset_gib)}; allowed: {DATASET_SIZES}; fix: give GiB")
    needed_gib = math.ceil(Fraction(dataset_gib) / MAX_FILL)
    if needed_gib <= SMALLEST_GIB:
        return Sizing(dataset_gib=dataset_gib, storage_capacity_gib=SMALLEST_GIB)
    steps = math.ceil(Fraction(needed_gib, STEP_GIB))
    return Sizing(dataset_gib=dataset_gib, storage_capacity_gib=steps * STEP_GIB)


def is_legal_capacity(value: object) -> bool:
    """Whether FSx makes SCRATCH_2 and PERSISTENT_2 SSD file systems of so many GiB."""
    if not is_whole_number(value) or not 0 < value <= LARGEST_GIB:
        return False
    return value == SMALLEST_GIB or value % STEP_GIB == 0


def next_capacity_gib(wanted_gib: int) -> int:
    """The smallest legal capacity that is not below ``wanted_gib``, or the largest there is."""
    if wanted_gib <= SMALLEST_GIB:
        return SMALLEST_GIB
    return min(math.ceil(Fraction(wanted_gib, STEP_GIB)) * STEP_GIB, LARGEST_GIB)


def is_dataset_size(value: object) -> TypeGuard[int | float]:
    """Whether the value is a size in GiB for which there is a capacity."""
    return is_number(value) and 0 < value <= LARGEST_DATASET_GIB


def _shown_gib(number: int | float) -> str:
    """As it was given; a listed size in bytes has more digits than anybody reads."""
    return f"{number:,}".removesuffix(".0") if number == round(number, 3) else f"{number:,.3f}"
