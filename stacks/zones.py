"""Which of the network's subnets a setting means: by zone as the network names it, or by existing subnet id."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.errors import InvalidInput
from headrace_cdk.isolated_vpc import JobSubnet


def subnets_in(subnets: Sequence[JobSubnet], keys: Sequence[str] | None, setting: str) -> tuple[JobSubnet, ...]:
    """The subnets named by ``keys``, in that order; all of them for None.

    Raises InvalidInput with one line for each key that the network does not have.
    """
    if keys is None:
        return tuple(subnets)
    by_key = {subnet.key: subnet for subnet in subnets}
    problems = [
        f"{setting} is {key!r}; allowed: {', '.join(by_key)}; fix: a zone (or subnet id) of network"
        for key in keys
        if key not in by_key
    ]
    if problems:
        raise InvalidInput(*problems)
    return tuple(by_key[key] for key in keys)
