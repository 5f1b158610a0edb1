"""The simulated group run by itself, in this process and as a program."""

import asyncio
from collections.abc import Iterator
import json
import os
from pathlib import Path
import re
import signal
import socket
import sys

from modbus_connection import IllegalDataAddressError, ModbusTcpParams
from modbus_connection.pymodbus import ModbusConnection
import pytest

from custom_components.solax_parallel.simulator import __main__ as program
from custom_components.solax_parallel.simulator.console import obey
from custom_components.solax_parallel.simulator.group import SimulatedGroup
from custom_components.solax_parallel.simulator.loopback import HOST
from custom_components.solax_parallel.simulator.module import SimulatedModule
from custom_components.solax_parallel.simulator.replay import ReplayServer
from custom_components.solax_parallel.simulator.server import SimulatorServer

pytestmark = pytest.mark.usefixtures("socket_enabled")

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Return where to write what is typed."""
    end, typing = os.pipe()
    background = signal.getsignal(signal.SIGTTIN)
    with os.fdopen(end) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield typing
    signal.signal(signal.SIGTTIN, background)


def _stop_when_serving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell this process to end as soon as the server has started."""
    start = SimulatorServer.start

    async def start_and_stop_soon(server: SimulatorServer) -> None:
        await start(server)
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGTERM)

    monkeypatch.setattr(SimulatorServer, "start", start_and_stop_soon)


def _stop_when_told(monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    """Send this process ``number`` with the line that nobody can read."""

    def obey_and_stop(group: SimulatedGroup, line: str) -> str:
        if "\ufffd" in line:
            signal.raise_signal(number)
        return obey(group, line)

    monkeypatch.setattr(program, "obey", obey_and_stop)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_obeys_and_ends(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    typed: int,
    number: signal.Signals,
) -> None:
    """One line says what is served; every typed line is answered; a signal ends it."""
    _stop_when_told(monkeypatch, number)
    os.write(typed, b"offline 2\nfault 9 fan\n\xff")
    os.close(typed)
    assert (
        program.main(["--units", "2", "--port", "0", "--backup-interface", "bi"]) == 0
    )
    assert signal.getsignal(signal.SIGTTIN) is signal.SIG_IGN
    served, obeyed, refused, unreadable = capfd.readouterr().out.splitlines()
    assert re.match(
        r"Serving 2 simulated A1-HYB-G2 inverters of 7600 W \(unit ids from 1, "
        r"backup interface: BI\) on 127\.0\.0\.1:[1-9]\d+, socket frames; type help",
        served,
    )
    assert obeyed == "unit 2 (secondary_1): offline"
    assert refused == "error: there is no unit '9'; units: 1-2"
    assert unreadable.startswith("error: unknown command '\ufffd'")


def test_nobody_can_type(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A program without standard input serves all the same."""
    monkeypatch.setattr(sys, "stdin", None)
    _stop_when_serving(monkeypatch)
    assert (
        program.main(["--port", "0", "--rated-power", "3800", "--framer", "rtu"]) == 0
    )
    assert "4 simulated A1-HYB-G2 inverters of 3800 W" in capfd.readouterr().out


def test_a_taken_port_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    """And exit code 1."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert program.main(["--port", str(port)]) == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == f"can't listen on 127.0.0.1:{port}: Address already in use\n"


def test_modules_are_served_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """And each says where, and what its password is."""
    monkeypatch.setattr(sys, "stdin", None)
    start = SimulatedModule.start

    async def start_and_stop_soon(module: SimulatedModule) -> None:
        await start(module)
        if module.unit.unit_id == 2:
            asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGTERM)

    monkeypatch.setattr(SimulatedModule, "start", start_and_stop_soon)
    assert program.main(["--port", "0", "--units", "2", "--module"]) == 0
    _, first, second = capfd.readouterr().out.splitlines()
    for number, line in enumerate((first, second), start=1):
        assert re.fullmatch(
            rf"module of unit {number}: 127\.0\.0\.1:[1-9]\d+, password SWSIM0000{number}",
            line,
        )


def test_a_taken_port_of_a_module(capfd: pytest.CaptureFixture[str]) -> None:
    """The ports of modules follow the one of the server."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert program.main(["--port", str(port - 1), "--module"]) == 1
    assert f"can't listen on 127.0.0.1:{port}:" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--units", "5"], "--units: invalid choice"),
        (["--units", "0"], "--units: invalid choice"),
        (["--rated-power", "7000"], "--rated-power: invalid choice"),
        (["--backup-interface", "ups"], "--backup-interface: invalid"),
        (["--port", "65536"], "'65536' is not a port from 0 to 65535"),
        (["--port", "http"], "'http' is not a port from 0 to 65535"),
        (["--framer", "ascii"], "--framer: invalid choice: 'ascii'"),
        (["--serial-prefix", "A-B"], "'A-B' is not 1 to 12 letters and digits"),
    ],
)
def test_bad_arguments(
    capfd: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    """The reason, and exit code 2."""
    with pytest.raises(SystemExit) as exited:
        program.main(arguments)
    assert exited.value.code == 2
    assert reason in capfd.readouterr().err


def test_a_recording_is_served(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    typed: int,
) -> None:
    """What the diagnostics of Home Assistant hold; nothing can be injected into it."""
    file = tmp_path / "report.json"
    words = {"holding": {"0": 0x5445}, "input": {"9": 2}}
    file.write_text(json.dumps({"data": {"raw": {"A": words, "B": words}}}))
    os.write(typed, b"grid open\n")
    os.close(typed)

    async def ask(port: int) -> list[int]:
        connection = ModbusConnection(ModbusTcpParams(host=HOST, port=port), timeout=3)
        read = await connection.for_unit(2).read_input_registers(9, 1)
        with pytest.raises(IllegalDataAddressError):
            await connection.for_unit(2).read_input_registers(10, 1)
        await connection.close()
        return read

    start = ReplayServer.start
    answers: list[list[int]] = []

    async def start_and_ask(server: ReplayServer) -> None:
        await start(server)
        answers.append(await ask(server.port))
        # Time for what was typed to be heard.
        asyncio.get_running_loop().call_later(0.3, signal.raise_signal, signal.SIGTERM)

    monkeypatch.setattr(ReplayServer, "start", start_and_ask)
    assert program.main(["--replay", str(file), "--port", "0"]) == 0
    assert answers == [[2]]
    served, refused = capfd.readouterr().out.splitlines()
    assert served.startswith("Serving 2 recorded inverters (unit ids from 1) on 127.")
    assert refused == "error: this is a recording"


async def test_as_a_program() -> None:
    """Started as people start it, read from another process, told to go off-grid, and ended."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "custom_components.solax_parallel.simulator"),
        *("--port", "0", "--units", "2", "--serial-prefix", "TEST"),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(30):
            found = re.search(rb"127\.0\.0\.1:(\d+)", await process.stdout.readline())
            assert found is not None
            connection = ModbusConnection(
                ModbusTcpParams(host=HOST, port=int(found[1])), timeout=3
            )
            words = await connection.for_unit(2).read_holding_registers(0x0000, 7)
            assert b"".join(word.to_bytes(2) for word in words) == b"TEST0000000002"
            assert await connection.for_unit(2).read_input_registers(0x001A, 1) == [0]
            process.stdin.write(b"grid open\n")
            assert await process.stdout.readline() == b"main breaker: open\n"
            assert await connection.for_unit(2).read_input_registers(0x001A, 1) == [1]
            await connection.close()
            process.terminate()
            assert await process.wait() == 0
            assert await process.stderr.read() == b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
