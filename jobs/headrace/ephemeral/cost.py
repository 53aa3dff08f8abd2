"""What a file system costs while it is there: GiB-hours, and money where the Region's price is known.

FSx bills scratch storage by the second of what was provisioned, from its creation to its deletion; it counts a GiB of
StorageCapacity as one GB. The price is that of the shipped figures (:mod:`headrace.figures`), with source and date.
"""

from __future__ import annotations

from dataclasses import dataclass

from headrace.figures.prices import HOURS_PER_MONTH, Item, prices

_SMALLEST_SHOWN_USD = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """``usd`` is None where the Region's price is not known."""

    gib_hours: float
    usd: float | None

    def __str__(self) -> str:
        return f"{self.gib_hours:,.1f} GiB-hours, {self._money}"

    @property
    def _money(self) -> str:
        if self.usd is None:
            return "price unknown here"
        return "under $0.01" if self.usd < _SMALLEST_SHOWN_USD else f"about ${self.usd:,.2f}"


def cost_of(capacity_gib: int, seconds: float, region: str) -> Cost:
    """What so many GiB cost for so long."""
    gib_hours = capacity_gib * seconds / 3600
    price = prices(region).usd(Item.LUSTRE_SCRATCH_2_GB_MONTH)
    return Cost(gib_hours=gib_hours, usd=None if price is None else gib_hours * price / HOURS_PER_MONTH)
