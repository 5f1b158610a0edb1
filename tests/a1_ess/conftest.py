"""What the tests of the device library share."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from types import SimpleNamespace

from modbus_connection import ModbusTcpParams
from modbus_connection.mock import MockModbusConnection
from pymodbus.client import base as pymodbus_client
import pytest

from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.link import Link
from custom_components.solax_parallel.a1_ess.profile import Profile, load_profile

from .device import Device, Said
from .wire import Framing, WireServer

type StartServer = Callable[..., Awaitable[WireServer]]
type OpenLink = Callable[..., Link]
type MakeDevice = Callable[..., Device]


class Clock:
    """A time in seconds that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def profile() -> Profile:
    """The shipped register map."""
    return load_profile()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is moved."""
    return Clock()


@pytest.fixture
def make_device(profile: Profile) -> MakeDevice:
    """Make inverters, each behind a link of its own."""

    def make(role: Role = Role.PRIMARY, quantity: int = 4, **said: Said) -> Device:
        unit = MockModbusConnection().for_unit(1)
        return Device(unit, profile, role, quantity, **said)

    return make


@pytest.fixture
async def start_server(socket_enabled: None) -> AsyncGenerator[StartServer]:
    """Start servers on loopback that are stopped at the end of the test."""
    servers: list[WireServer] = []

    async def start(framing: Framing = "socket") -> WireServer:
        servers.append(await WireServer(framing).start())
        return servers[-1]

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
def connects_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the tenth of a second that pymodbus waits after it has connected."""
    without_waiting = SimpleNamespace(sleep=lambda seconds: asyncio.sleep(0))
    monkeypatch.setattr(pymodbus_client, "asyncio", without_waiting)


@pytest.fixture
async def open_link(
    start_server: StartServer, connects_at_once: None
) -> AsyncGenerator[OpenLink]:
    """Open links to such servers that are closed at the end of the test."""
    links: list[Link] = []

    def open_it(
        server: WireServer, *, timeout: float = 0.25, message_spacing: float = 0.0
    ) -> Link:
        params = ModbusTcpParams(
            host="127.0.0.1",
            port=server.port,
            framer="rtu" if server.framing == "rtu" else None,
        )
        links.append(Link(params, timeout=timeout, message_spacing=message_spacing))
        return links[-1]

    yield open_it
    for link in links:
        await link.close()
