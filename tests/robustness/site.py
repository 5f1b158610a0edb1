"""A group behind hostile wires, in every layout, in time lapse."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
import time
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.solax_parallel.a1_ess.codes import BackupInterfaceType
from custom_components.solax_parallel.a1_ess.inverter_state import InverterState
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.a1_ess.register import Space
from custom_components.solax_parallel.const import (
    CONF_MESSAGE_SPACING,
    CONF_UNITS,
    DEFAULT_SCAN_INTERVAL,
    DEFAULT_TIMEOUT,
    DOMAIN,
)
from custom_components.solax_parallel.coordinator import SolaxCoordinator
from custom_components.solax_parallel.entry_data import unit_data
from custom_components.solax_parallel.links import AnyLink, SerialLink, TcpLink
from custom_components.solax_parallel.simulator.group import (
    SimulatedGroup,
    SimulatedUnit,
    serial_numbers,
)
from custom_components.solax_parallel.simulator.readings import readings
from custom_components.solax_parallel.simulator.registers import Encoder
from homeassistant.const import CONF_TIMEOUT
from homeassistant.core import HomeAssistant
from tests.a1_ess.wire import (
    READ_HOLDING,
    Content,
    Request,
    SerialServer,
    WireServer,
)
from tests.groups import Clock, members, poll, set_up

LAPSE = 10
"""How many times faster than usual everything goes."""

TIMEOUT = DEFAULT_TIMEOUT / LAPSE
"""What a request may take here, in seconds."""

UNITS = 4


class Layout(StrEnum):
    """How the inverters are reached."""

    ONE_LINK = "one link"
    LINK_EACH = "link per unit"
    RTU_OVER_TCP = "RTU over TCP"
    SERIAL = "serial"

    @property
    def framed_as_rtu(self) -> bool:
        """Whether frames have a checksum and no number."""
        return self in (Layout.RTU_OVER_TCP, Layout.SERIAL)


class LapsedTime:
    """A monotonic time in seconds that runs faster than it should, and leaps on demand."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._leapt = 0.0

    def __call__(self) -> float:
        return (time.monotonic() - self._start) * LAPSE + self._leapt

    def leap(self, seconds: float) -> None:
        self._leapt += seconds


def content_of(group: SimulatedGroup, units: Mapping[int, SimulatedUnit]) -> Content:
    """Return what the inverters of a group hold, by their unit ids."""
    encoder = Encoder(load_profile())

    def content(request: Request) -> list[int]:
        words = [0] * request.count
        space: Space = "holding" if request.function == READ_HOLDING else "input"
        current = readings(group, units[request.unit_id])
        for address, word in encoder.words(
            space, request.address, request.count, current
        ):
            if 0 <= address - request.address < request.count:
                words[address - request.address] = word
        return words

    return content


@dataclass
class Site:
    """Four inverters with a BI PRO at a noon that does not pass, and the entry for them."""

    hass: HomeAssistant
    layout: Layout
    group: SimulatedGroup
    servers: list[WireServer]
    entry: MockConfigEntry
    time: LapsedTime = field(default_factory=LapsedTime)

    @classmethod
    async def build(cls, hass: HomeAssistant, layout: Layout, folder: Path) -> Site:
        """Start the servers and add the entry, which is not set up yet."""
        group = SimulatedGroup(
            serial_numbers=serial_numbers("HOSTILE", UNITS),
            backup_interface=BackupInterfaceType.BI_PRO,
            rated_power=7600,
            now=Clock(),
        )
        known = members(group.serial_numbers, 7600)
        servers: list[WireServer] = []
        units: list[dict[str, Any]] = []
        if layout is Layout.LINK_EACH:
            for unit, member in zip(group.units, known, strict=True):
                server = await WireServer(content=content_of(group, {1: unit})).start()
                servers.append(server)
                alone = replace(member, unit_id=1)
                units.append(unit_data(alone, TcpLink("127.0.0.1", server.port)))
        else:
            content = content_of(group, {unit.unit_id: unit for unit in group.units})
            link: AnyLink
            if layout is Layout.SERIAL:
                device = folder / "port"
                servers.append(
                    await SerialServer(content=content, device=device).start()
                )
                link = SerialLink(str(device))
            else:
                server = await WireServer(
                    "rtu" if layout.framed_as_rtu else "socket", content=content
                ).start()
                servers.append(server)
                link = TcpLink(
                    "127.0.0.1",
                    server.port,
                    "rtu" if layout.framed_as_rtu else "tcp",
                )
            units = [unit_data(member, link) for member in known]
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Hostile site",
            unique_id=group.serial_numbers[0],
            data={CONF_UNITS: units},
            options={CONF_MESSAGE_SPACING: 2, CONF_TIMEOUT: TIMEOUT},
        )
        entry.add_to_hass(hass)
        return cls(hass, layout, group, servers, entry)

    @property
    def coordinator(self) -> SolaxCoordinator:
        """What polls the group."""
        coordinator: SolaxCoordinator = self.entry.runtime_data
        return coordinator

    @property
    def states(self) -> Mapping[str, InverterState]:
        """What the latest poll says of each inverter, the primary first."""
        return self.coordinator.data.members

    async def set_up(self) -> bool:
        """Set up the entry."""
        return await set_up(self.hass, self.entry)

    async def poll(self) -> float:
        """Let the time of the next poll come, wait for its end, return what it took in seconds."""
        self.time.leap(DEFAULT_SCAN_INTERVAL)
        begun = self.time()
        await poll(self.hass)
        return self.time() - begun

    def server_of(self, index: int) -> WireServer:
        """Return the server that an inverter is behind."""
        return self.servers[index if len(self.servers) > 1 else 0]

    def unit_id_of(self, index: int) -> int:
        """Return the id of an inverter on its link."""
        return 1 if len(self.servers) > 1 else index + 1

    async def stop(self) -> None:
        """Take the servers away."""
        for server in self.servers:
            await server.stop()
