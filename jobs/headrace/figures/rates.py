"""How fast things go at AWS, and how long they take: each rate with the range in which it is seen.

rates.json says for each where it is from and when that was read. ``low`` and ``high`` are what is usual, not the worst
case: the advice's intervals are made of them. MB are 10^6 bytes, TiB are 2^40, as AWS uses them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).with_name("rates.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One figure. ``unit``: in words; ``source``: a document, or what it was measured on; ``read``: year and month.

    ``assumed``: no measurement of it was found, so it is chosen; ``source`` says by what.
    """

    value: float
    low: float
    high: float
    unit: str
    source: str
    read: str
    assumed: bool = False


@cache
def rates() -> Mapping[str, Rate]:
    """All rates by name."""
    return {name: Rate(**members) for name, members in json.loads(_DATA.read_text(encoding="utf-8")).items()}
