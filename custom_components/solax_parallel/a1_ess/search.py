"""Which hosts of a local network have a Modbus port open."""

import asyncio
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

SEARCH_TIMEOUT = 0.7
"""What a host may take to accept a connection, in seconds."""

MAX_CONNECTIONS = 64
"""How many hosts are tried at a time."""

WIDEST_PREFIX = 22
"""The largest network that is searched; of a larger one it is the part around our own address."""


def searchable(interfaces: Iterable[IPv4Interface]) -> list[IPv4Network]:
    """Return the private networks behind ``interfaces``, each at most ``WIDEST_PREFIX`` wide."""
    networks = {
        (
            interface
            if interface.network.prefixlen >= WIDEST_PREFIX
            else IPv4Interface((interface.ip, WIDEST_PREFIX))
        ).network
        for interface in interfaces
        if interface.ip.is_private
    }
    return sorted(networks)


async def open_hosts(
    networks: Iterable[IPv4Network],
    port: int,
    *,
    progress: Callable[[float], None] = lambda share: None,
) -> list[IPv4Address]:
    """Return the hosts of ``networks`` that accept a TCP connection on ``port``.

    Nothing is sent to them. ``progress`` is called with the share of hosts done, from 0 to 1.
    """
    hosts = sorted({host for network in networks for host in network.hosts()})
    turns = asyncio.Semaphore(MAX_CONNECTIONS)
    done = 0

    async def is_open(host: IPv4Address) -> bool:
        nonlocal done
        async with turns:
            try:
                async with asyncio.timeout(SEARCH_TIMEOUT):
                    _, writer = await asyncio.open_connection(str(host), port)
            except OSError:
                return False
            else:
                writer.close()
                return True
            finally:
                done += 1
                progress(done / len(hosts))

    answers = await asyncio.gather(*map(is_open, hosts))
    return [host for host, answer in zip(hosts, answers, strict=True) if answer]
