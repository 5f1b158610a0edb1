"""Which hosts of a local network have a Modbus port open."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
import socket

import pytest

from custom_components.solax_parallel.a1_ess.search import open_hosts, searchable

from .conftest import StartServer


@pytest.mark.parametrize(
    ("interfaces", "networks"),
    [
        ([], []),
        (["192.168.1.7/24"], ["192.168.1.0/24"]),
        (["10.1.2.3/30"], ["10.1.2.0/30"]),
        (["192.168.7.9/22"], ["192.168.4.0/22"]),
        # Of a large one, the part around our own address.
        (["10.20.30.40/8"], ["10.20.28.0/22"]),
        (["172.16.5.4/21"], ["172.16.4.0/22"]),
        # The same one twice, and in order.
        (
            ["192.168.1.8/24", "10.0.0.1/24", "192.168.1.7/24"],
            ["10.0.0.0/24", "192.168.1.0/24"],
        ),
        # Only what is private is searched.
        (["8.8.8.8/24"], []),
        (["8.8.8.8/24", "127.0.0.1/24"], ["127.0.0.0/24"]),
    ],
)
def test_private_networks_are_searched_and_large_ones_in_part(
    interfaces: list[str], networks: list[str]
) -> None:
    assert searchable(map(IPv4Interface, interfaces)) == list(
        map(IPv4Network, networks)
    )


async def test_a_host_with_an_open_port_is_found(start_server: StartServer) -> None:
    server = await start_server()
    shares: list[float] = []

    found = await open_hosts(
        [IPv4Network("127.0.0.1/32")] * 2, server.port, progress=shares.append
    )

    assert found == [IPv4Address("127.0.0.1")]
    # Named twice, it is one host. Nothing is sent to it.
    assert shares == [1.0]
    assert server.connections == 1
    assert server.requests == []


async def test_a_host_with_a_closed_port_is_not(start_server: StartServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    shares: list[float] = []

    found = await open_hosts(
        [IPv4Network("127.0.0.1/32")], port, progress=shares.append
    )

    assert found == []
    assert shares == [1.0]


async def test_no_network_has_no_hosts() -> None:
    assert await open_hosts([], 502) == []
