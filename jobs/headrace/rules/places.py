"""Names of Regions and Availability Zones, and which zone lies in which Region.

A zone has a name (``us-east-1a``), which may mean another place in each account, and an id (``use1-az1``), which
means the same place everywhere. An id begins with its Region's short form: the first word, the first letter of each
part of the middle words, the number. Local and Wavelength Zones have longer names and ids, and are not offered.

Source: AWS Local Zones User Guide, "Available Local Zones" (read 2026-11). The short forms were compared with every
zone in moto 5.2.5's table.
"""

from __future__ import annotations

import re
from typing import Final

ZONE_NAME: Final = re.compile(r"(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d)[a-z]", re.ASCII)
ZONE_ID: Final = re.compile(r"(?P<region>[a-z]{2,7}\d)-az\d{1,2}", re.ASCII)

_REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d", re.ASCII)
_WORD_PART: Final = re.compile(r"gov|north|south|east|west|central")


def is_region(value: object) -> bool:
    """Whether the value looks like a Region, such as ``us-gov-west-1``."""
    return isinstance(value, str) and _REGION.fullmatch(value) is not None


def short_region(region: str) -> str | None:
    """How zone ids name the Region: ``use1`` for ``us-east-1``; None for one whose words are not known here."""
    first, *middle, number = region.split("-")
    parts = [_WORD_PART.findall(word) for word in middle]
    if any("".join(found) != word for found, word in zip(parts, middle, strict=True)):
        return None
    return first + "".join(part[0] for found in parts for part in found) + number


def zone_is_in(zone: str, region: str) -> bool:
    """Whether a zone, by name or id, lies in the Region; true where that cannot be told."""
    if by_name := ZONE_NAME.fullmatch(zone):
        return by_name["region"] == region
    short, by_id = short_region(region), ZONE_ID.fullmatch(zone)
    return short is None or by_id is None or by_id["region"] == short
