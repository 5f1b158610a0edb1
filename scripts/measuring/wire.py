"""Simulated groups behind servers that take their time, and count what they are asked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import time
from typing import Any, override

from pymodbus.constants import ExcCodes

from custom_components.solax_parallel.a1_ess.codes import BackupInterfaceType
from custom_components.solax_parallel.a1_ess.family import LARGEST_RATED_POWER
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.simulator.group import (
    SimulatedGroup,
    SimulatedUnit,
    serial_numbers,
)
from custom_components.solax_parallel.simulator.server import SimulatorServer

from .least import Load

UNITS = 4

_QUIET = 1.5
"""Seconds without a request that separate two polls."""


class Clock:
    """The local time at the site, which can go faster than ours."""

    def __init__(self) -> None:
        """Begin at a sunny noon."""
        self._noon = datetime.now().astimezone().replace(hour=12, minute=0)
        self._begun = time.monotonic()
        self.speed = 0.0

    def __call__(self) -> datetime:
        """Return the time."""
        passed = (time.monotonic() - self._begun) * self.speed
        return self._noon + timedelta(seconds=passed % 20_000)


@dataclass(frozen=True)
class Packet:
    """What went over the wire, and when."""

    at: float
    is_request: bool
    size: int
    registers: int


@dataclass(frozen=True)
class Poll:
    """All that went over the wires in one poll."""

    packets: Sequence[Packet]

    @property
    def seconds(self) -> float:
        """From the first request to the last reply."""
        return self.packets[-1].at - self.packets[0].at

    @property
    def load(self) -> Load:
        """What was asked."""
        requests = [packet for packet in self.packets if packet.is_request]
        return Load(len(requests), sum(packet.registers for packet in requests))

    @property
    def sent_and_received(self) -> int:
        """Bytes both ways."""
        return sum(packet.size for packet in self.packets)


class SlowServer(SimulatorServer):
    """Answers after ``latency`` seconds."""

    latency = 0.0
    connections = 0

    def watch(self, packets: list[Packet]) -> None:
        """Note every packet from now on."""
        self._packets = packets

    @override
    def _silence(self, sending: bool, packet: bytes) -> bytes:
        packet = super()._silence(sending, packet)
        if packet:
            count = 0 if sending else int.from_bytes(packet[10:12])
            self._packets.append(
                Packet(time.monotonic(), not sending, len(packet), count)
            )
        return packet

    @override
    async def _answer(self, *request: Any) -> ExcCodes | None:
        await asyncio.sleep(self.latency)
        return await super()._answer(*request)

    @property
    def clients(self) -> int:
        """How many are connected."""
        return 0 if self._server is None else len(self._server.active_connections)


@dataclass
class Site:
    """A group and the servers it is reached through: one, or one for each inverter."""

    group: SimulatedGroup
    clock: Clock
    servers: Sequence[SlowServer]
    packets: list[Packet] = field(default_factory=list)

    @classmethod
    async def open(cls, prefix: str, *, link_each: bool) -> Site:
        """Start the servers."""
        clock, profile = Clock(), load_profile()
        group = SimulatedGroup(
            serial_numbers=serial_numbers(prefix, UNITS),
            backup_interface=BackupInterfaceType.BI_PRO,
            rated_power=LARGEST_RATED_POWER,
            now=clock,
        )
        units: list[Mapping[int, SimulatedUnit] | None] = (
            [{1: unit} for unit in group.units] if link_each else [None]
        )
        site = cls(
            group, clock, [SlowServer(group, profile, units=each) for each in units]
        )
        for server in site.servers:
            server.watch(site.packets)
            await server.start()
        return site

    async def close(self) -> None:
        """Stop the servers."""
        for server in self.servers:
            await server.stop()

    def set_latency(self, seconds: float) -> None:
        """Let every server take this long to answer."""
        for server in self.servers:
            server.latency = seconds

    def polls(self) -> list[Poll]:
        """Return the polls so far that are over, and forget them."""
        packets = self.packets[:]
        self.packets.clear()
        polls: list[list[Packet]] = []
        for packet in packets:
            if not polls or packet.at - polls[-1][-1].at > _QUIET:
                polls.append([])
            polls[-1].append(packet)
        return [Poll(each) for each in polls]
