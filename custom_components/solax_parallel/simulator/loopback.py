"""A Modbus TCP server on this machine only."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Iterable
from ipaddress import ip_address
import socket
from typing import Final, Literal, cast

from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

HOST: Final = "127.0.0.1"

_UNIT_ID_AT = {FramerType.SOCKET: 6, FramerType.RTU: 0}
"""Where a frame carries its unit id; its function follows."""


class LoopbackServer(ABC):
    """Serves devices until it is stopped."""

    def __init__(
        self,
        port: int = 0,
        framer: Literal["socket", "rtu"] = "socket",
        *,
        host: str = HOST,
    ) -> None:
        """Prepare to listen on ``port``; 0 takes any free one.

        ``framer`` is how frames look inside the TCP stream: Modbus TCP, or RTU as a transparent
        gateway passes it on. ``host`` is any loopback address. Raises ``ValueError`` for a host
        that others could reach.
        """
        check_host(host)
        self._host = host
        self._framer = FramerType(framer)
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
            [_unknown_device(), *self._devices()],
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

    @abstractmethod
    def _devices(self) -> Iterable[SimDevice]:
        """Return what is served."""

    @abstractmethod
    def _answers(self, unit_id: int, function: int) -> bool:
        """Return whether anybody answers a function for a unit id now."""

    def _silence(self, sending: bool, packet: bytes) -> bytes:
        """Drop what nobody would send."""
        at = _UNIT_ID_AT[self._framer]
        if not sending or self._answers(packet[at], packet[at + 1]):
            return packet
        return b""


def no_coils() -> list[SimData]:
    """Return a stand-in for the coils that no inverter has and pymodbus insists on."""
    return [SimData(0, values=[False] * 16, datatype=DataType.BITS)]


def _listener(server: ModbusTcpServer) -> asyncio.Server:
    """Return the socket server that pymodbus listens with."""
    return cast("asyncio.Server", server.transport)


def check_host(host: str) -> None:
    """Raise ``ValueError`` for an address that others could reach."""
    if not ip_address(host).is_loopback:
        raise ValueError(f"{host} is not a loopback address")


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
    return SimDevice(0, (no_coils(), no_coils(), nothing, nothing))
