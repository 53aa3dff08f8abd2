"""What the security groups of the embedded AWS let through between a job and a file system."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Any

import pytest
from headrace_local.runner.network import Side, closed_ports


def _rule(first: int, last: int, *, group: str | None = None, cidr: str | None = None, protocol: str = "tcp") -> Any:
    ports = {} if protocol == "-1" else {"FromPort": first, "ToPort": last}
    return {
        "IpProtocol": protocol,
        **ports,
        "UserIdGroupPairs": [{"GroupId": group}] if group else [],
        "IpRanges": [{"CidrIp": cidr}] if cidr else [],
    }


def _side(group: str, *networks: str, ingress: Sequence[Any] = (), egress: Sequence[Any] = ()) -> Side:
    described = {"GroupId": group, "IpPermissions": list(ingress), "IpPermissionsEgress": list(egress)}
    return Side(groups=(described,), networks=tuple(map(IPv4Network, networks)))


OPEN = _rule(0, 0, cidr="0.0.0.0/0", protocol="-1")


@pytest.mark.parametrize(
    ("egress", "ingress", "closed"),
    [
        ([OPEN], [OPEN], []),
        ([_rule(20, 21, group="sg-server")], [_rule(20, 21, group="sg-client")], []),
        ([_rule(20, 20, group="sg-server"), _rule(21, 21, cidr="10.0.1.0/24")], [OPEN], []),
        ([OPEN], [_rule(20, 20, cidr="10.0.0.0/16"), _rule(21, 21, group="sg-other")], [21]),
        ([OPEN], [_rule(20, 21, cidr="10.0.0.0/25")], [20, 21]),
        ([OPEN], [_rule(20, 21, cidr="10.0.0.0/16", protocol="udp")], [20, 21]),
        ([], [OPEN], [20, 21]),
        ([OPEN], [], [20, 21]),
        ([_rule(21, 30, group="sg-server")], [OPEN], [20]),
    ],
)
def test_which_ports_the_security_groups_let_through(
    egress: Sequence[Any], ingress: Sequence[Any], closed: list[int]
) -> None:
    """Out of the one and into the other, by group or by the whole network, each port by any rule."""
    client = _side("sg-client", "10.0.0.0/24", egress=egress)
    server = _side("sg-server", "10.0.1.5/32", ingress=ingress)
    assert closed_ports(client, server, [20, 21]) == closed


@pytest.mark.parametrize(
    ("ingress", "closed"),
    [
        ([_rule(20, 21, cidr="10.0.0.0/24")], [20, 21]),
        ([_rule(20, 21, cidr="10.0.0.0/24"), _rule(20, 20, cidr="10.0.2.0/24")], [21]),
        ([_rule(20, 21, cidr="10.0.0.0/22")], []),
    ],
)
def test_every_subnet_of_the_job_must_get_through(ingress: Sequence[Any], closed: list[int]) -> None:
    """An instance may be put into any of them; different rules may let them in."""
    client = _side("sg-client", "10.0.0.0/24", "10.0.2.0/24", egress=[OPEN])
    server = _side("sg-server", "10.0.1.5/32", ingress=ingress)
    assert closed_ports(client, server, [20, 21]) == closed
