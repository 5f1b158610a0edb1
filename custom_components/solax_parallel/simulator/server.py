"""The Modbus TCP server in front of a simulated group, on this machine only."""

import asyncio
from collections.abc import Mapping
from functools import partial
from ipaddress import ip_address
from itertools import starmap
import socket
from typing import Final, Literal, cast

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from ..a1_ess.codes import BackupInterfaceType
from ..a1_ess.control import COMMANDS
from ..a1_ess.profile import Command, Profile, Space
from .group import Relay, SimulatedGroup, SimulatedUnit
from .readings import Reading, readings
from .registers import Encoder, served

HOST: Final = "127.0.0.1"

_SPACES: dict[int, Space] = {3: "holding", 4: "input"}
_WRITE = 6
_COIL_FUNCTIONS = frozenset({1, 2, 5, 15})
_UNIT_ID_AT = {FramerType.SOCKET: 6, FramerType.RTU: 0}
"""Where a frame carries its unit id; its function follows."""


class SimulatorServer:
    """Serves every inverter of a group under its unit id, from 1 for the primary."""

    def __init__(
        self,
        group: SimulatedGroup,
        profile: Profile,
        port: int = 0,
        framer: Literal["socket", "rtu"] = "socket",
        *,
        host: str = HOST,
        units: Mapping[int, SimulatedUnit] | None = None,
    ) -> None:
        """Prepare to serve ``group`` as ``profile`` describes it; 0 takes any free port.

        ``framer`` is how frames look inside the TCP stream: Modbus TCP, or RTU as a transparent
        gateway passes it on. ``host`` is any loopback address. ``units`` are those that hang on
        this link, by unit id: by default all of them under their own ids. Raises ``ValueError``
        for a host that others could reach.
        """
        if not ip_address(host).is_loopback:
            raise ValueError(f"{host} is not a loopback address")
        self._host = host
        self._group = group
        self._profile = profile
        self._encoder = Encoder(profile)
        self._framer = FramerType(framer)
        self._units = units or {unit.unit_id: unit for unit in group.units}
        self._server: ModbusTcpServer | None = None
        self._wanted_port = port

    @property
    def port(self) -> int:
        """The port that is listened on; before the start, the one that was asked for."""
        if self._server is None:
            return self._wanted_port
        port: int = _listener(self._server).sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Begin to listen. Raises ``OSError`` when the port is taken or not allowed."""
        check_port(self._host, self._wanted_port)
        server = ModbusTcpServer(
            [_unknown_device(), *starmap(self._device, self._units.items())],
            framer=self._framer,
            address=(self._host, self._wanted_port),
            trace_packet=self._silence,
        )
        await server.serve_forever(background=True)
        self._server = server

    async def stop(self) -> None:
        """Drop every client and stop listening; does nothing when not started."""
        server, self._server = self._server, None
        if server is None:
            return
        listener = _listener(server)
        await server.shutdown()  # type: ignore[no-untyped-call]
        listener.abort_clients()
        await listener.wait_closed()

    def _silence(self, sending: bool, packet: bytes) -> bytes:
        """Drop what a dead inverter, or one that does not exist, would send."""
        if not sending:
            return packet
        at = _UNIT_ID_AT[self._framer]
        unit = self._units.get(packet[at])
        mute = self._group.relay is Relay.MUTE and packet[at + 1] == _WRITE
        heard = unit is not None and self._group.online(unit) and not mute
        return packet if heard else b""

    def _readings(self, unit: SimulatedUnit) -> Mapping[str, Reading]:
        """Return what an inverter reads now."""
        return readings(self._group, unit)

    def _device(self, unit_id: int, unit: SimulatedUnit) -> SimDevice:
        addresses = {
            "holding": self._readable(unit, "holding") | self._commands(unit).keys(),
            "input": self._readable(unit, "input"),
        }
        blocks = {
            space: [
                SimData(address, datatype=DataType.REGISTERS)
                for address in sorted(known)
            ]
            for space, known in addresses.items()
        }
        return SimDevice(
            unit_id,
            (_no_coils(), _no_coils(), blocks["holding"], blocks["input"]),
            action=partial(self._answer, unit),
        )

    def _readable(self, unit: SimulatedUnit, space: Space) -> set[int]:
        """Return the addresses that an inverter answers for."""
        return served(
            self._profile,
            space,
            leads=unit.role.leads,
            rated_power=self._group.site.rated_power,
        )

    def _commands(self, unit: SimulatedUnit) -> dict[int, Command]:
        """Return what can be written to an inverter, by address."""
        installed = self._group.site.backup_interface
        if not unit.role.leads or installed is not BackupInterfaceType.BI_PRO:
            return {}
        return {command.address: command for command in self._profile.commands.values()}

    async def _answer(
        self,
        unit: SimulatedUnit,
        function: int,
        first: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Bring the registers of a read up to date, or carry out a command."""
        if function in _COIL_FUNCTIONS:
            return ExcCodes.ILLEGAL_FUNCTION
        if function == _WRITE:
            # pymodbus comes a second time for what the answer repeats.
            return self._obey(unit, address, values[0]) if values else None
        space = _SPACES.get(function)
        asked = range(address, address + count)
        if space is None or not self._readable(unit, space).issuperset(asked):
            return ExcCodes.ILLEGAL_ADDRESS
        self._group.advance()
        current = self._readings(unit)
        for at, word in self._encoder.words(space, address, count, current):
            registers[at - first] = word
        return None

    def _obey(self, unit: SimulatedUnit, address: int, code: int) -> ExcCodes | None:
        """Carry out what was written; a dead inverter does nothing, and is not heard anyway."""
        if not self._group.online(unit):
            return ExcCodes.DEVICE_FAILURE
        if (command := self._commands(unit).get(address)) is None:
            return ExcCodes.ILLEGAL_ADDRESS
        if (value := command.values.get(code)) is None:
            return ExcCodes.ILLEGAL_VALUE
        taken = self._group.command(*COMMANDS[command.key], value)
        return None if taken else ExcCodes.DEVICE_FAILURE


def _listener(server: ModbusTcpServer) -> asyncio.Server:
    """Return the socket server that pymodbus listens with."""
    return cast("asyncio.Server", server.transport)


def check_port(host: str, port: int) -> None:
    """Raise ``OSError`` with the reason, which pymodbus keeps to itself, for an unusable port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as err:
            raise OSError(
                err.errno, f"can't listen on {host}:{port}: {err.strerror}"
            ) from err


def _unknown_device() -> SimDevice:
    """Return what answers for every other unit id, so that pymodbus does not log an error."""
    nothing = [SimData(0, datatype=DataType.REGISTERS)]
    return SimDevice(0, (_no_coils(), _no_coils(), nothing, nothing))


def _no_coils() -> list[SimData]:
    """Return a stand-in for the coils that no inverter has and pymodbus insists on."""
    return [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
