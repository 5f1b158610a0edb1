"""Groups wired in every way there is, on loopback."""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import suppress
import os
import pty
import termios
import tty
from typing import Any, Literal
from unittest.mock import patch

import pytest
import pytest_socket

from custom_components.solax_parallel.a1_ess.codes import BackupInterfaceType
from custom_components.solax_parallel.a1_ess.profile import Profile, load_profile
from custom_components.solax_parallel.simulator.group import (
    SimulatedGroup,
    serial_numbers,
)
from custom_components.solax_parallel.simulator.module import SimulatedModule
from tests.a1_ess.modules import HostileModule
from tests.groups import Clock, PokedServer, Pokes

type Serve = Callable[..., Awaitable[PokedServer]]

type ServeModules = Callable[..., Awaitable[list[SimulatedModule]]]
type Misbehave = Callable[..., Awaitable[HostileModule]]

type LaySerialLine = Callable[..., Awaitable[str]]

_SPEED = {9600: termios.B9600, 19200: termios.B19200, 115200: termios.B115200}


def make_group(units: int = 4, prefix: str = "FLOW") -> SimulatedGroup:
    """Return a group at a sunny noon."""
    return SimulatedGroup(
        serial_numbers=serial_numbers(prefix, units),
        backup_interface=BackupInterfaceType.BI_PRO,
        rated_power=7600,
        now=Clock(),
    )


@pytest.fixture(autouse=True)
def all_of_loopback(loopback: None) -> None:
    """Allow every address of this machine, and no other."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def on_loopback_only() -> Iterator[None]:
    """Put Home Assistant on a network that does not leave this machine."""
    adapter = {
        "name": "lo",
        "index": 1,
        "enabled": True,
        "auto": False,
        "default": True,
        "ipv4": [{"address": "127.0.0.1", "network_prefix": 24}],
        "ipv6": [],
    }
    with patch(
        "homeassistant.components.network.async_get_adapters", return_value=[adapter]
    ):
        yield


@pytest.fixture(autouse=True)
def impatient(request: pytest.FixtureRequest) -> Iterator[None]:
    """Wait less for ids that nobody answers for, except where that is what is measured."""
    if "patient" in request.keywords:
        yield
        return
    package = "custom_components.solax_parallel"
    with (
        patch(f"{package}.a1_ess.scan.SCAN_TIMEOUT", 0.3),
        patch(f"{package}.a1_ess.scan.QUICK_TIMEOUT", 0.2),
        patch(f"{package}.a1_ess.scan.SCAN_SPACING", 0),
        patch(f"{package}.wiring.DEFAULT_MESSAGE_SPACING", 0),
        patch(f"{package}.wiring.PACING", 0),
        patch(f"{package}.modules.TIMEOUT", 0.5),
    ):
        yield


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start servers in front of groups; ``units`` are indices into the group, by unit id."""
    servers: list[PokedServer] = []

    async def start(
        group: SimulatedGroup,
        units: Mapping[int, int] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        framer: Literal["socket", "rtu"] = "socket",
        pokes: Pokes | None = None,
    ) -> PokedServer:
        server = PokedServer(
            pokes or {},
            group,
            load_profile(),
            port,
            framer,
            host=host,
            units=(
                None
                if units is None
                else {unit_id: group.units[index] for unit_id, index in units.items()}
            ),
        )
        await server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
async def serial_line(serve: Serve) -> AsyncIterator[LaySerialLine]:
    """Lay serial lines to groups; what is sent at another speed than theirs gets lost."""
    endings: list[Callable[[], None]] = []

    async def lay(group: SimulatedGroup, baudrate: int = 19200, **kwargs: Any) -> str:
        server = await serve(group, framer="rtu", **kwargs)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        ours, theirs = pty.openpty()
        tty.setraw(ours)
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        loop = asyncio.get_running_loop()

        def to_inverters() -> None:
            with suppress(BlockingIOError):
                sent = os.read(ours, 4096)
                if termios.tcgetattr(theirs)[4] == _SPEED[baudrate]:
                    writer.write(sent)

        async def to_port() -> None:
            while answer := await reader.read(4096):
                os.write(ours, answer)

        loop.add_reader(ours, to_inverters)
        back = asyncio.create_task(to_port())

        def end() -> None:
            loop.remove_reader(ours)
            back.cancel()
            writer.close()
            os.close(ours)
            os.close(theirs)

        endings.append(end)
        return os.ttyname(theirs)

    yield lay
    for end in endings:
        end()


@pytest.fixture
async def serve_modules() -> AsyncIterator[ServeModules]:
    """Hang a module on each inverter of a group, or on some by their indices."""
    started: list[SimulatedModule] = []

    async def start(
        group: SimulatedGroup,
        *indices: int,
        profile: Profile | None = None,
        ports: Sequence[int] = (0, 0, 0, 0),
    ) -> list[SimulatedModule]:
        modules = [
            SimulatedModule(
                group, group.units[index], profile or load_profile(), ports[index]
            )
            for index in indices or range(len(group.units))
        ]
        for module in modules:
            await module.start()
        started.extend(modules)
        return modules

    yield start
    for module in started:
        await module.stop()


@pytest.fixture
async def misbehave() -> AsyncIterator[Misbehave]:
    """Start modules that do not answer as they should."""
    started: list[HostileModule] = []

    async def start(**kwargs: Any) -> HostileModule:
        started.append(await HostileModule(**kwargs).start())
        return started[-1]

    yield start
    for module in started:
        await module.stop()
