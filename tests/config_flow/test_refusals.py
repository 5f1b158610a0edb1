"""What is no group, each with its own text, and nothing that was typed gets lost."""

import asyncio
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
import pytest

from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import SimulatedGroup
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.config_flow.conftest import Serve, make_group
from tests.config_flow.walk import Walk
from tests.contract import CHECKS
from tests.groups import state
from tests.texts import text

SETTINGS, READINGS = 3, 4
PARALLEL_SETTING, QUANTITY, SERIAL_END = 0x0130, 0x0302, 0x0006


async def tcp(hass: HomeAssistant, port: int, **advanced: Any) -> Walk:
    """Enter an address."""
    walk = await Walk.begin(hass, "tcp")
    return await walk.submit(host="127.0.0.1", port=port, advanced=advanced)


async def free_port() -> int:
    """Return a port that nobody listens on."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def add_all_of(group: SimulatedGroup, walk: Walk) -> None:
    """Add what was found, which is to be the whole ``group`` and nobody else."""
    assert walk.step == "confirm"
    await walk.submit()
    assert [unit["serial_number"] for unit in walk.entry.data["units"]] == list(
        group.serial_numbers
    )


async def test_nobody_listens(hass: HomeAssistant) -> None:
    port = await free_port()
    walk = await tcp(hass, port)
    assert (walk.step, walk.errors) == ("tcp", {"base": "cannot_connect"})
    assert walk.suggested["host"] == "127.0.0.1"
    assert walk.suggested["port"] == port
    assert walk.texts["address"] == f"127.0.0.1:{port}"


@pytest.mark.parametrize("greeting", [b"", b"220 mail ready\r\n", b"\x00" * 300])
async def test_no_modbus_server(hass: HomeAssistant, greeting: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        while await reader.read(100):
            writer.write(greeting)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    walk = await tcp(hass, server.sockets[0].getsockname()[1], framer="tcp", unit_id=1)
    assert walk.errors == {"base": "no_inverter"}
    assert walk.texts["answers"] == "nobody answered a Modbus request"
    assert str(server.sockets[0].getsockname()[1]) in walk.texts["address"]
    server.close()


@pytest.mark.parametrize("registers", [0x400, 1], ids=["zeros", "exceptions"])
async def test_another_modbus_device(hass: HomeAssistant, registers: int) -> None:
    coils = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    words = [SimData(0, count=registers, values=0, datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(
        SimDevice(1, (coils, coils, words, words)), address=("127.0.0.1", 0)
    )
    await server.serve_forever(background=True)
    listener = cast("asyncio.Server", server.transport)
    walk = await tcp(hass, listener.sockets[0].getsockname()[1], unit_id=1)
    assert walk.errors == {"base": "no_inverter"}
    assert walk.texts["answers"] == "id 1: another device"
    await server.shutdown()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "host", ["", "  ", "two words", "http://10.0.0.1", "10.0.0.1:502", "a\0b"]
)
async def test_no_host(hass: HomeAssistant, host: str) -> None:
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host=host, port=502)
    assert (walk.step, walk.errors) == ("tcp", {"host": "invalid_host"})


async def test_checks_that_an_unheard_unit_leaves_open(
    hass: HomeAssistant, serve: Serve
) -> None:
    server = await serve(make_group(4), {1: 0})
    walk = await tcp(hass, server.port)
    await walk.submit()
    assert walk.step == "confirm"
    assert walk.texts["checks"].count("Unknown") == 9


async def test_secondaries_behind_the_same_address(
    hass: HomeAssistant, serve: Serve
) -> None:
    server = await serve(make_group(2))
    # Only id 1 is asked at first, so the secondary behind the same address is missing.
    walk = await tcp(hass, server.port, unit_id=1)
    assert walk.step == "members"
    await walk.submit(secondary_1=f"127.0.0.1:{server.port}")
    assert walk.step == "confirm"
    await walk.submit()
    assert [unit["unit_id"] for unit in walk.entry.data["units"]] == [1, 2]


async def test_only_secondaries_then_the_primary(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(3)
    secondaries = await serve(group, {1: 1, 2: 2})
    primary = await serve(group, {1: 0})
    walk = await tcp(hass, secondaries.port)
    assert (walk.step, walk.errors) == ("tcp", {"base": "no_primary"})
    assert walk.texts["units"] == "Secondary 1, Secondary 2"
    assert walk.suggested["port"] == secondaries.port
    # Only the primary's address is missing now: what was found before is kept.
    await walk.submit(host="127.0.0.1", port=primary.port)
    await add_all_of(group, walk)


async def test_a_secondary_of_another_group_is_not_kept(
    hass: HomeAssistant, serve: Serve
) -> None:
    theirs = make_group(2, "THEIRS")
    walk = await tcp(hass, (await serve(theirs)).port)
    await walk.submit()
    assert walk.entry
    walk = await tcp(hass, (await serve(theirs, {1: 1})).port)
    assert (walk.step, walk.errors) == ("tcp", {"base": "other_group"})
    ours = await serve(make_group(2, "OURS"))
    await walk.submit(host="127.0.0.1", port=ours.port)
    assert walk.step == "confirm"


async def test_a_secondary_that_is_found_again_elsewhere(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(2)
    before, now = await serve(group), await serve(group)
    walk = await tcp(hass, before.port, unit_id=2)
    assert (walk.step, walk.errors) == ("tcp", {"base": "no_primary"})
    await walk.submit(host="127.0.0.1", port=now.port)
    assert walk.step == "confirm"
    await walk.submit()
    assert [unit["link"]["port"] for unit in walk.entry.data["units"]] == [now.port] * 2


async def test_a_primary_that_is_refused_is_not_kept(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(2)
    secondary = await serve(group, {1: 1})
    wrong = await serve(make_group(1, "WRONG"), pokes={(1, READINGS, QUANTITY): 0})
    primary = await serve(group, {1: 0})
    walk = await tcp(hass, secondary.port)
    assert walk.errors == {"base": "no_primary"}
    await walk.submit(host="127.0.0.1", port=wrong.port)
    assert walk.errors == {"base": "quantity_zero"}
    await walk.submit(host="127.0.0.1", port=primary.port)
    # The secondary is.
    await add_all_of(group, walk)


async def test_secondaries_that_would_be_too_many_are_not_kept(
    hass: HomeAssistant, serve: Serve
) -> None:
    others = await serve(make_group(4, "OTHERS"), {1: 1, 2: 2, 3: 3})
    group = make_group(2)
    server = await serve(group)
    walk = await tcp(hass, others.port)
    assert walk.errors == {"base": "no_primary"}
    await walk.submit(host="127.0.0.1", port=server.port)
    await add_all_of(group, walk)


async def test_search_knows_the_primary_of_a_secondary(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(2)
    primary = await serve(group, {1: 0}, host="127.0.0.31")
    secondary = await serve(group, {1: 1})
    walk = await Walk.begin(hass, "search")
    await walk.submit(port=primary.port)
    assert walk.step == "choose"
    await walk.submit()
    # Behind another port, so the search can't have found it.
    assert walk.step == "members"
    await walk.submit(secondary_1=f"127.0.0.1:{secondary.port}")
    assert walk.step == "confirm"


async def test_search_finds_nothing(hass: HomeAssistant) -> None:
    walk = await Walk.begin(hass, "search")
    await walk.submit(port=await free_port())
    assert (walk.step, walk.errors) == ("tcp", {"base": "nothing_found"})


async def test_search_finds_only_a_secondary(hass: HomeAssistant, serve: Serve) -> None:
    server = await serve(make_group(2), {1: 1}, host="127.0.0.41")
    walk = await Walk.begin(hass, "search")
    await walk.submit(port=server.port)
    assert (walk.step, walk.errors) == ("tcp", {"base": "no_primary"})
    assert walk.texts["units"] == "Secondary 1"


async def test_search_keeps_secondaries_for_their_primary(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(2)
    secondary = await serve(group, {1: 1}, host="127.0.0.42")
    primary = await serve(group, {1: 0})
    walk = await Walk.begin(hass, "search")
    await walk.submit(port=secondary.port)
    assert walk.errors == {"base": "no_primary"}
    await walk.submit(host="127.0.0.1", port=primary.port)
    assert walk.step == "confirm"
    await walk.submit()
    assert [unit["link"]["host"] for unit in walk.entry.data["units"]] == [
        "127.0.0.1",
        "127.0.0.42",
    ]


async def test_search_finds_a_primary_without_a_quantity(
    hass: HomeAssistant, serve: Serve
) -> None:
    server = await serve(
        make_group(1), host="127.0.0.43", pokes={(1, READINGS, QUANTITY): 0}
    )
    walk = await Walk.begin(hass, "search")
    await walk.submit(port=server.port)
    await walk.submit()
    assert (walk.step, walk.errors) == ("choose", {"base": "quantity_zero"})


async def test_no_network_to_search(hass: HomeAssistant) -> None:
    with patch("homeassistant.components.network.async_get_adapters", return_value=[]):
        walk = await Walk.begin(hass, "search")
    assert (walk.step, walk.errors) == ("tcp", {"base": "no_network"})


async def test_search_passes_over_what_hangs_up(
    hass: HomeAssistant, serve: Serve
) -> None:
    server = await serve(make_group(1), host="127.0.0.44")
    accepted = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        writer.close()
        other.close()

    other = await asyncio.start_server(once, "127.0.0.45", server.port)
    walk = await Walk.begin(hass, "search")
    await walk.submit(port=server.port)
    assert walk.step == "choose"
    assert accepted
    assert "127.0.0.45" not in walk.texts["units"]


async def test_search_passes_over_what_is_set_up(
    hass: HomeAssistant, serve: Serve
) -> None:
    server = await serve(make_group(1), host="127.0.0.51")
    walk = await Walk.begin(hass, "search")
    await walk.submit(port=server.port)
    await walk.submit()
    await walk.submit()
    assert walk.entry
    walk = await Walk.begin(hass, "search")
    await walk.submit(port=server.port)
    assert walk.errors == {"base": "all_set_up"}
    assert walk.suggested["port"] == server.port


@pytest.mark.parametrize("device", ["", "loop://", "esphome://x", "ttyUSB0"])
async def test_no_serial_port(hass: HomeAssistant, device: str) -> None:
    walk = await Walk.begin(hass, "serial")
    await walk.submit(device=device)
    assert (walk.step, walk.errors) == ("serial", {"device": "invalid_serial_port"})


async def test_two_primaries(hass: HomeAssistant, serve: Serve) -> None:
    server = await serve(make_group(2), pokes={(2, SETTINGS, PARALLEL_SETTING): 1})
    walk = await tcp(hass, server.port)
    assert walk.errors == {"base": "two_primaries"}


async def test_too_many_units(hass: HomeAssistant, serve: Serve) -> None:
    server = await serve(
        make_group(4),
        {1: 1, 2: 2, 3: 3, 4: 1, 5: 0},
        pokes={(4, SETTINGS, SERIAL_END): 0x5A5A},
    )
    walk = await tcp(hass, server.port)
    assert walk.errors == {"base": "too_many_units"}


async def test_quantity_zero(hass: HomeAssistant, serve: Serve) -> None:
    server = await serve(make_group(1), pokes={(1, READINGS, QUANTITY): 0})
    walk = await tcp(hass, server.port)
    assert walk.errors == {"base": "quantity_zero"}


async def test_the_same_group_twice(hass: HomeAssistant, serve: Serve) -> None:
    server = await serve(make_group(1))
    walk = await tcp(hass, server.port)
    await walk.submit()
    assert walk.entry
    walk = await tcp(hass, server.port)
    assert walk.result["reason"] == "already_configured"
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_members_of_another_group(hass: HomeAssistant, serve: Serve) -> None:
    theirs, ours = make_group(2, "THEIRS"), make_group(2, "OURS")
    walk = await tcp(hass, (await serve(theirs)).port)
    await walk.submit()
    assert walk.entry
    secondary = await serve(theirs, {1: 1})
    walk = await tcp(hass, (await serve(ours, {1: 0})).port)
    await walk.submit(secondary_1=f"127.0.0.1:{secondary.port}")
    assert (walk.step, walk.errors) == ("members", {"secondary_1": "other_group"})


async def test_what_can_be_wrong_with_a_member(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(4)
    primary = await serve(group, {1: 0})
    one = await serve(group, {1: 1})
    same = await serve(group, {1: 1})
    nobody = await serve(group, {250: 1})
    other = await serve(make_group(1, "OTHER"))
    closed = await free_port()
    walk = await tcp(hass, primary.port)

    for address, error in (
        ("not a host", "invalid_address"),
        ("host:port", "invalid_address"),
        ("127.0.0.1:70000", "invalid_address"),
        ("127.0.0.1:5_02", "invalid_address"),
        ("spy:///dev/null?file=x", "invalid_address"),
        (f"127.0.0.1:{closed}", "cannot_connect_member"),
        ("/dev/there-is-no-such-port", "cannot_connect_member"),
        (f"127.0.0.1:{nobody.port}", "no_inverter_member"),
        (f"127.0.0.1:{primary.port}", "no_inverter_member"),
        (f"127.0.0.1:{other.port}", "two_primaries"),
    ):
        await walk.submit(secondary_1=address)
        assert (walk.step, walk.errors) == ("members", {"secondary_1": error}), address
        assert walk.suggested == {"secondary_1": address}

    # Secondary 1 is taken in, and the wrong address for another one is refused.
    await walk.submit(secondary_2=f"127.0.0.1:{one.port}")
    assert walk.errors == {"secondary_2": "other_secondary"}
    assert walk.texts["missing"] == "Secondary 2, Secondary 3"
    await walk.submit(secondary_3=f"127.0.0.1:{same.port}")
    assert walk.errors == {"secondary_3": "same_serial"}


async def test_broken_register_map(hass: HomeAssistant, serve: Serve) -> None:
    file = Path(hass.config.path(DOMAIN, "a1_ess_g2.yaml"))
    file.parent.mkdir(parents=True)
    file.write_text("registers:\n  ac_voltage: {adress: 3}\n", encoding="utf-8")
    server = await serve(make_group(1))
    try:
        for choice, typed in (
            ("tcp", {"host": "127.0.0.1", "port": server.port}),
            ("serial", {"device": "/dev/ttyUSB0"}),
            ("simulated", {}),
            ("search", {}),
        ):
            walk = await Walk.begin(hass, choice)
            await walk.submit(**typed)
            assert (walk.step, walk.errors) == (choice, {"base": "invalid_profile"})
            place = "a1_ess_g2.yaml, line 2, registers.ac_voltage.adress: "
            assert f"{place}adress is not one of window, " in walk.texts["error"]
    finally:
        file.unlink()
        file.parent.rmdir()
    # Once it is gone, the dialog goes on where it stood.
    await walk.submit(port=server.port)
    assert walk.step == "choose"


async def test_failed_checks_warn(hass: HomeAssistant, serve: Serve) -> None:
    server = await serve(
        make_group(2),
        pokes={(2, SETTINGS, 0x007D): 8, (2, SETTINGS, 0x00BA): 5000},
    )
    walk = await tcp(hass, server.port)
    assert walk.step == "confirm"
    assert "DSP 1.08" in walk.texts["units"]
    assert walk.texts["checks"].count("**Failed**") == 2
    assert (
        "| Same firmware | **Failed**: "
        "Primary DSP 1.09 / ARM 1.12, Secondary 1 DSP 1.08 / ARM 1.12 |"
    ) in walk.texts["checks"]
    assert (
        "| Same rated power | **Failed**: Primary 7600 W, Secondary 1 5000 W |"
    ) in walk.texts["checks"]
    await walk.submit()
    assert walk.result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("function", "address", "word", "check"),
    [
        (SETTINGS, 0x007D, 8, "firmware"),
        (SETTINGS, 0x00BA, 5000, "rated_power"),
        (SETTINGS, 0x0200, 1, "battery_quantity"),
        (READINGS, 0x0300, 20, "model_type"),
        (READINGS, 0x0306, 1, "safety_code"),
    ],
)
async def test_what_differs_is_shown_from_the_setup_on(
    hass: HomeAssistant,
    serve: Serve,
    function: int,
    address: int,
    word: int,
    check: str,
) -> None:
    group = make_group(2)
    server = await serve(group, pokes={(2, function, address): word})
    walk = await tcp(hass, server.port)
    (failed,) = [
        line for line in walk.texts["checks"].splitlines() if "**Failed**" in line
    ]
    assert failed.startswith(
        f"| {text('selector', 'check', 'options', f'check_{check}')} "
    )
    await walk.submit()
    assert walk.entry
    await hass.async_block_till_done(wait_background_tasks=True)
    primary = group.serial_numbers[0]
    shown = {
        key: state(hass, f"{primary}_group_{key}").state
        for key in CHECKS
        if key != "check_termination"
    }
    assert shown == dict.fromkeys(shown, STATE_OFF) | {f"check_{check}": STATE_ON}
    assert state(hass, f"{primary}_group_readiness").state == (
        "warnings" if check in ("firmware", "battery_quantity") else "blocked"
    )


async def test_failed_checks_name_each_inverter(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(4)
    server = await serve(
        group,
        {1: 0, 2: 1, 3: 2},
        # The third one says that it is the second, and another model.
        pokes={(3, READINGS, 0x0301): 2, (3, READINGS, 0x0300): 20},
    )
    walk = await tcp(hass, server.port)
    await walk.submit()
    assert walk.step == "confirm"
    first, second, third, _ = group.serial_numbers
    assert (
        f"| One primary, no role twice | **Failed**: Primary {first}, "
        f"Secondary 1 {second}, Secondary 1 {third}, Secondary 2 ? |"
    ) in walk.texts["checks"]
    assert (
        "| Same model | **Failed**: Primary A1-HYB-G2, Secondary 1 A1-HYB-G2, "
        "Secondary 1 A1-AC-G2, Secondary 2 ? |"
    ) in walk.texts["checks"]
