"""Open ports, held against the plain meaning of the rules: address by address, port by port."""

from __future__ import annotations

from ipaddress import IPv4Network

from headrace.roads import PortRange
from headrace.rules.network_facts import AclEntry, Opening
from headrace.rules.ports import Peer, are_open, denies
from hypothesis import given
from hypothesis import strategies as st

# few addresses and ports, so that rules meet, overlap and fill gaps
NETWORKS = st.builds(
    lambda bits, start: IPv4Network((0x0A000000 + start, bits), strict=False),
    st.integers(28, 32),
    st.integers(0, 15),
)
PORTS = st.tuples(st.integers(1, 5), st.integers(1, 5)).map(lambda ends: PortRange(*sorted(ends)))
GROUPS = st.frozensets(st.sampled_from(["sg-1", "sg-2"]), max_size=1)
OPENINGS = st.builds(Opening, ports=PORTS, groups=GROUPS, networks=st.lists(NETWORKS, max_size=3).map(tuple))
ENTRIES = st.builds(AclEntry, allows=st.booleans(), ports=PORTS, network=NETWORKS)


@given(PORTS, st.lists(OPENINGS, max_size=5), GROUPS, st.lists(NETWORKS, min_size=1, max_size=2))
def test_ports_are_open_if_each_is_for_each_address(
    ports: PortRange, openings: list[Opening], groups: frozenset[str], networks: list[IPv4Network]
) -> None:
    """By a group of the peer, or by some range that holds the address."""
    peer = Peer(name="job", groups=groups, subnet_ids=frozenset(), networks=tuple(networks))
    here = [[each for each in openings if port in range(*_ends(each.ports))] for port in range(*_ends(ports))]
    expected = all(
        any(each.groups & groups for each in rules)
        or all(any(address in net for each in rules for net in each.networks) for own in networks for address in own)
        for rules in here
    )
    assert are_open(ports, peer, openings) is expected


@given(st.lists(ENTRIES, max_size=5), st.integers(1, 5), NETWORKS)
def test_a_network_acl_denies_only_where_no_address_passes(
    entries: list[AclEntry], port: int, network: IPv4Network
) -> None:
    """The first entry that matches an address decides; what is not surely denied is not told."""
    here = [each for each in entries if port in range(*_ends(each.ports))]
    first = [next((each for each in here if address in each.network), None) for address in network]
    if denies(entries, port, network):
        assert not any(each is not None and each.allows for each in first)
    elif network.prefixlen == IPv4Network("10.0.0.0/32").prefixlen:
        assert all(each is None or each.allows for each in first)


def _ends(ports: PortRange) -> tuple[int, int]:
    return ports.first, ports.last + 1
