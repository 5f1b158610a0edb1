"""Run a simulated group by itself: ``python -m custom_components.solax_parallel.simulator``."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
import signal
import sys
from threading import Thread

from ..a1_ess.codes import BackupInterfaceType, ModelType
from ..a1_ess.family import LARGEST_RATED_POWER, MAX_UNITS, RATED_POWERS
from ..a1_ess.profile import load_profile
from .console import obey
from .group import SimulatedGroup, serial_numbers
from .loopback import HOST, LoopbackServer
from .module import SimulatedModule
from .replay import ReplayServer, recorded
from .server import SimulatorServer


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; return the exit code, 1 when the port can't be used."""
    return asyncio.run(_serve(_parser().parse_args(arguments)))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m custom_components.solax_parallel.simulator",
        description=f"Simulate an A1-ESS-G2 parallel group over Modbus TCP, and over HTTP with --module, on {HOST}.",
    )
    parser.add_argument(
        "--units", type=int, choices=range(1, MAX_UNITS + 1), default=MAX_UNITS
    )
    parser.add_argument(
        "--backup-interface",
        type=BackupInterfaceType,
        choices=list(BackupInterfaceType),
        default=BackupInterfaceType.BI_PRO,
    )
    parser.add_argument(
        "--rated-power",
        type=int,
        choices=RATED_POWERS,
        default=LARGEST_RATED_POWER,
        help="W",
    )
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="serve what this file from Home Assistant's diagnostics recorded, and no group",
    )
    parser.add_argument(
        "--port", type=_port, default=5020, help="0 takes any free port"
    )
    parser.add_argument(
        "--framer",
        choices=("socket", "rtu"),
        default="socket",
        help="rtu: RTU frames inside TCP, as a transparent gateway passes them on",
    )
    parser.add_argument(
        "--module",
        action="store_true",
        help="serve the local HTTP interface of the modules too, on the ports after --port",
    )
    parser.add_argument(
        "--serial-prefix",
        type=_prefix,
        default="SIMA1",
        help="how serial numbers begin",
    )
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 0xFFFF):
        raise ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _prefix(text: str) -> str:
    try:
        serial_numbers(text, 1)
    except ValueError as err:
        raise ArgumentTypeError(str(err)) from err
    return text


async def _serve(options: Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        offer = _simulation(options) if options.replay is None else _recording(options)
    except (OSError, ValueError) as err:
        print(getattr(err, "strerror", None) or err, file=sys.stderr)
        return 1
    servers: Sequence[LoopbackServer | SimulatedModule]
    servers = (offer.server, *offer.modules)
    try:
        for server in servers:
            await server.start()
    except OSError as err:
        print(err.strerror, file=sys.stderr)
        await _stop(*servers)
        return 1
    print(
        f"Serving {offer.content} on {HOST}:{offer.server.port}, {options.framer} frames; "
        f"{offer.hint}Ctrl-C to stop",
        flush=True,
    )
    for module in offer.modules:
        print(
            f"module of unit {module.unit.unit_id}: {HOST}:{module.port}, "
            f"password {module.password}",
            flush=True,
        )
    _hear(loop, offer.hear)
    await stop.wait()
    await _stop(*servers)
    return 0


@dataclass(frozen=True)
class _Offer:
    """What is served, in words too, and what hears what is typed."""

    server: LoopbackServer
    content: str
    hint: str
    hear: Callable[[str], None]
    modules: Sequence[SimulatedModule] = ()


def _simulation(options: Namespace) -> _Offer:
    profile = load_profile()
    group = SimulatedGroup(
        serial_numbers=serial_numbers(options.serial_prefix, options.units),
        backup_interface=options.backup_interface,
        rated_power=options.rated_power,
        now=lambda: datetime.now().astimezone(),
        profile=profile,
    )
    return _Offer(
        server=SimulatorServer(
            group, profile, port=options.port, framer=options.framer
        ),
        modules=[
            SimulatedModule(
                group, unit, profile, port=options.port and options.port + unit.unit_id
            )
            for unit in group.units
            if options.module
        ],
        content=(
            f"{options.units} simulated {ModelType.A1_HYB_G2.label} inverters of "
            f"{options.rated_power} W (unit ids from 1, backup interface: "
            f"{options.backup_interface.label})"
        ),
        hint="type help to see what can be injected, ",
        hear=lambda line: _answer(group, line),
    )


def _recording(options: Namespace) -> _Offer:
    units = recorded(options.replay)
    return _Offer(
        server=ReplayServer(units, port=options.port, framer=options.framer),
        content=f"{len(units)} recorded inverters (unit ids from 1)",
        hint="",
        hear=lambda line: print("error: this is a recording", flush=True),
    )


async def _stop(*servers: LoopbackServer | SimulatedModule) -> None:
    for each in servers:
        await each.stop()


def _answer(group: SimulatedGroup, line: str) -> None:
    try:
        print(obey(group, line), flush=True)
    except ValueError as err:
        print(f"error: {err}", flush=True)


def _hear(loop: asyncio.AbstractEventLoop, hear: Callable[[str], None]) -> None:
    """Have ``hear`` called in ``loop`` with every line that is typed, if anyone can type."""
    if sys.stdin is None:
        return
    # a job in the background gets an error for reading the terminal, instead of being stopped
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    # unbuffered, because the lock of a buffered reader must be free when Python ends
    lines = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115

    def read() -> None:
        with suppress(OSError, RuntimeError):
            for line in lines:
                loop.call_soon_threadsafe(hear, line.decode(errors="replace"))

    Thread(target=read, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
