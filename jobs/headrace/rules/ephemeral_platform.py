"""Rules of what a platform offers of ephemeral Lustre: how many, how large together, how long, and of what data.

The state machine keeps the spending cap; a cap that is no limit, or that lets nothing through, is found here.
Rules of our own: V170 to V172, V174.

Source: Amazon FSx for Lustre User Guide, "Quotas" (100 file systems, 100,800 GiB of scratch storage in a Region, read
2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from headrace.rules.finding import Finding, Rule, rule
from headrace.rules.lustre import DEFAULT_QUOTA_GIB
from headrace.rules.lustre_sizing import SMALLEST_GIB
from headrace.rules.values import WholeNumber, finding, is_whole_number

DEFAULT_QUOTA_FILE_SYSTEMS: Final = 100
# the machine's own time-out lies a few hours above it
LONGEST_HOURS: Final = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralPlatformSpec:
    """What may live at once of a platform's ephemeral file systems, each for how many hours; None: not given.

    ``link_count``: how many links there are to choose from.
    """

    max_file_systems: WholeNumber = None
    max_gib: WholeNumber = None
    max_hours: WholeNumber = None
    link_count: WholeNumber = None


@rule("V170", "max_file_systems")
def cap_lets_file_systems_live(spec: EphemeralPlatformSpec) -> Iterator[Finding]:
    """At least one file system may live, and not more than the default quota of FSx."""
    value = spec.max_file_systems
    if not is_whole_number(value) or not 1 <= value <= DEFAULT_QUOTA_FILE_SYSTEMS:
        allowed = f"1 to {DEFAULT_QUOTA_FILE_SYSTEMS}, the default quota of a Region"
        yield finding("V170", "ephemeral.max_file_systems", value, allowed, "how many jobs may have one at once")


@rule("V171", "max_gib")
def cap_lets_the_smallest_live(spec: EphemeralPlatformSpec) -> Iterator[Finding]:
    """The smallest file system fits below the cap, and the cap below the default quota of FSx."""
    value = spec.max_gib
    if not is_whole_number(value) or not SMALLEST_GIB <= value <= DEFAULT_QUOTA_GIB:
        allowed = f"{SMALLEST_GIB}, the smallest file system, to {DEFAULT_QUOTA_GIB}, the default quota of a Region"
        yield finding("V171", "ephemeral.max_gib", value, allowed, "the GiB of all that live at once")


@rule("V172", "max_hours")
def cap_ends_lives(spec: EphemeralPlatformSpec) -> Iterator[Finding]:
    """A file system lives for at most a week: what is wanted for longer is a shared one."""
    value = spec.max_hours
    if not is_whole_number(value) or not 1 <= value <= LONGEST_HOURS:
        allowed = f"1 to {LONGEST_HOURS} hours"
        yield finding("V172", "ephemeral.max_hours", value, allowed, "the longest job, or the shared Lustre for longer")


@rule("V174", "link_count")
def there_is_data_to_show(spec: EphemeralPlatformSpec) -> Iterator[Finding]:
    """There is at least one link: a file system that may show nothing is of no use."""
    value = spec.link_count
    if not is_whole_number(value) or value < 1:
        fix = "link data/ of the bucket, or set ephemeral.enabled to false"
        yield finding("V174", "ephemeral.links", value, "one link or more", fix)


EPHEMERAL_PLATFORM_RULES: tuple[Rule[Any], ...] = (
    cap_lets_file_systems_live,
    cap_lets_the_smallest_live,
    cap_ends_lives,
    there_is_data_to_show,
)
"""Rules of one :class:`EphemeralPlatformSpec`."""
