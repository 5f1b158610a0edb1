"""Every way inverters are wired, from "add integration" to the entry."""

from custom_components.solax_parallel.const import CONF_UNITS
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, State
from tests.config_flow.conftest import LaySerialLine, Serve, make_group
from tests.config_flow.walk import Walk
from tests.groups import poll


def shown(hass: HomeAssistant, entity_id: str) -> State:
    """Return the state of an entity that must be there."""
    state = hass.states.get(entity_id)
    assert state is not None, entity_id
    return state


def wiring(walk: Walk) -> list[tuple[str, int | None]]:
    """Return role and unit id of every member that the entry remembers."""
    return [(unit["role"], unit["unit_id"]) for unit in walk.entry.data[CONF_UNITS]]


ALL_FOUR = [("primary", 1), ("secondary_1", 2), ("secondary_2", 3), ("secondary_3", 4)]


async def test_all_units_on_one_link(hass: HomeAssistant, serve: Serve) -> None:
    group = make_group()
    server = await serve(group)
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=server.port)
    assert walk.step == "confirm"
    for serial in group.serial_numbers:
        assert serial in walk.texts["units"]
    assert "DSP 1.09 / ARM 1.12" in walk.texts["units"]
    assert walk.texts["checks"].count("Passed") == 7
    # What only the owner knows.
    assert walk.texts["checks"].count("Unknown") == 2
    await walk.submit()
    assert wiring(walk) == ALL_FOUR
    assert walk.entry.unique_id == group.serial_numbers[0]
    await hass.async_block_till_done()
    assert walk.entry.state is ConfigEntryState.LOADED


async def test_secondaries_before_the_primary(
    hass: HomeAssistant, serve: Serve
) -> None:
    server = await serve(make_group(), {2: 3, 3: 1, 5: 0, 6: 2})
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=server.port)
    await walk.submit()
    assert wiring(walk) == [
        ("primary", 5),
        ("secondary_1", 3),
        ("secondary_2", 6),
        ("secondary_3", 2),
    ]


async def test_rtu_framing_is_found_by_itself(
    hass: HomeAssistant, serve: Serve
) -> None:
    server = await serve(make_group(2), framer="rtu")
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=server.port)
    assert walk.step == "confirm"
    assert "(RTU)" in walk.texts["units"]
    await walk.submit()
    assert {unit["link"]["framer"] for unit in walk.entry.data[CONF_UNITS]} == {"rtu"}
    await hass.async_block_till_done()
    assert walk.entry.state is ConfigEntryState.LOADED


async def test_told_framing_and_id(hass: HomeAssistant, serve: Serve) -> None:
    server = await serve(make_group(1), {40: 0}, framer="rtu")
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(
        host="127.0.0.1", port=server.port, advanced={"framer": "rtu", "unit_id": 40}
    )
    await walk.submit()
    assert wiring(walk) == [("primary", 40)]


async def test_one_link_per_unit(hass: HomeAssistant, serve: Serve) -> None:
    group = make_group(3)
    ports = [(await serve(group, {1: index})).port for index in range(3)]
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=ports[0])
    assert walk.step == "members"
    assert walk.texts["missing"] == "Secondary 1, Secondary 2"
    await walk.submit(
        secondary_1=f"127.0.0.1:{ports[1]}", secondary_2=f"127.0.0.1:{ports[2]}"
    )
    assert walk.step == "confirm"
    await walk.submit()
    assert wiring(walk) == [("primary", 1), ("secondary_1", 1), ("secondary_2", 1)]
    assert [unit["link"]["port"] for unit in walk.entry.data[CONF_UNITS]] == ports
    await hass.async_block_till_done()
    assert walk.entry.state is ConfigEntryState.LOADED
    assert shown(hass, "sensor.parallel_group_units_online").state == "3"


async def test_mixed(hass: HomeAssistant, serve: Serve) -> None:
    group = make_group(4)
    gateway = await serve(group, {1: 0, 2: 1})
    second = await serve(group, {1: 2, 2: 3}, framer="rtu")
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=gateway.port)
    assert walk.texts["missing"] == "Secondary 2, Secondary 3"
    address = f"127.0.0.1:{second.port}"
    await walk.submit(secondary_2=address, secondary_3=address)
    await walk.submit()
    assert wiring(walk) == [
        ("primary", 1),
        ("secondary_1", 2),
        ("secondary_2", 1),
        ("secondary_3", 2),
    ]


async def test_primary_only(hass: HomeAssistant, serve: Serve) -> None:
    group = make_group(3)
    server = await serve(group, {1: 0})
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=server.port)
    assert walk.step == "members"
    await walk.submit()
    assert walk.step == "confirm"
    assert "through the primary" in walk.texts["units"]
    await walk.submit()
    assert wiring(walk) == [
        ("primary", 1),
        ("secondary_1", None),
        ("secondary_2", None),
    ]
    await hass.async_block_till_done()
    states = {
        name: shown(hass, f"sensor.secondary_inverter_1_{name}").state
        for name in ("ac_power", "state_of_charge", "operation_led", "run_mode", "role")
    }
    told = group.powers.shares[1].output
    assert abs(float(states["ac_power"]) - told) <= 2
    assert 0 < float(states["state_of_charge"]) <= 100
    assert {states["operation_led"], states["run_mode"], states["role"]} == {"unknown"}
    fault = "binary_sensor.secondary_inverter_1_parallel_rs485_fault"
    assert shown(hass, fault).state == "unknown"
    total = shown(hass, "sensor.parallel_group_ac_power")
    assert abs(float(total.state) - sum(s.output for s in group.powers.shares)) <= 5
    assert total.attributes["complete"] is True
    energy = shown(hass, "sensor.parallel_group_pv_energy_total")
    assert energy.state == "unknown"
    assert energy.attributes["complete"] is False


async def test_two_groups_behind_one_gateway_share_the_link(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(2)
    server = await serve(group)
    entries = []
    for unit_id in (1, 2):
        # Each on its own, as if they were two groups.
        server.pokes[unit_id, 3, 0x0130] = 0
        server.pokes[unit_id, 4, 0x0301] = 0
        walk = await Walk.begin(hass, "tcp")
        await walk.submit(
            host="127.0.0.1", port=server.port, advanced={"unit_id": unit_id}
        )
        await walk.submit()
        entries.append(walk.entry)
        await hass.async_block_till_done()
        assert walk.entry.state is ConfigEntryState.LOADED
    links = [
        [shared.link for shared in entry.runtime_data.wiring.links.values()]
        for entry in entries
    ]
    assert links[0] == links[1]
    listening = len(links[0][0]._lost_callbacks._callbacks)
    for _ in range(3):
        assert await hass.config_entries.async_reload(entries[0].entry_id)
        await hass.async_block_till_done()
    assert len(links[0][0]._lost_callbacks._callbacks) == listening
    assert await hass.config_entries.async_unload(entries[0].entry_id)
    await poll(hass)
    assert links[0][0].connected, "the other one still needs it"
    assert await hass.config_entries.async_unload(entries[1].entry_id)
    assert not links[0][0].connected


async def test_serial(hass: HomeAssistant, serial_line: LaySerialLine) -> None:
    device = await serial_line(make_group(2))
    walk = await Walk.begin(hass, "serial")
    await walk.submit(device=device)
    assert walk.step == "confirm", walk.result
    await walk.submit()
    assert {unit["link"]["baudrate"] for unit in walk.entry.data[CONF_UNITS]} == {19200}
    await hass.async_block_till_done()
    assert walk.entry.state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(walk.entry.entry_id)


async def test_serial_at_another_rate(
    hass: HomeAssistant, serial_line: LaySerialLine
) -> None:
    device = await serial_line(make_group(1), baudrate=9600)
    walk = await Walk.begin(hass, "serial")
    await walk.submit(device=device)
    await walk.submit()
    assert walk.entry.data[CONF_UNITS][0]["link"]["baudrate"] == 9600
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(walk.entry.entry_id)


async def test_search_joins_units_by_itself(hass: HomeAssistant, serve: Serve) -> None:
    group = make_group(3)
    first = await serve(group, {1: 0}, host="127.0.0.11")
    await serve(group, {1: 1}, host="127.0.0.12", port=first.port)
    await serve(group, {1: 2}, host="127.0.0.13", port=first.port)
    walk = await Walk.begin(hass, "search")
    assert walk.step == "search"
    assert walk.texts["networks"] == "127.0.0.0/24"
    await walk.submit(port=first.port)
    assert walk.step == "choose"
    for serial in group.serial_numbers:
        assert serial in walk.texts["units"]
    await walk.submit()
    assert walk.step == "confirm"
    await walk.submit()
    assert wiring(walk) == [("primary", 1), ("secondary_1", 1), ("secondary_2", 1)]
    assert {unit["link"]["host"] for unit in walk.entry.data[CONF_UNITS]} == {
        "127.0.0.11",
        "127.0.0.12",
        "127.0.0.13",
    }


async def test_search_finds_rtu_framing(hass: HomeAssistant, serve: Serve) -> None:
    server = await serve(make_group(1), host="127.0.0.14", framer="rtu")
    walk = await Walk.begin(hass, "search")
    await walk.submit(port=server.port)
    await walk.submit()
    await walk.submit()
    assert walk.entry.data[CONF_UNITS][0]["link"]["framer"] == "rtu"


async def test_search_with_two_groups(hass: HomeAssistant, serve: Serve) -> None:
    first, second = make_group(2, "AAAA"), make_group(2, "BBBB")
    server = await serve(first, host="127.0.0.21")
    await serve(second, host="127.0.0.22", port=server.port)
    for group in (first, second):
        walk = await Walk.begin(hass, "search")
        await walk.submit(port=server.port)
        await walk.submit(serial_number=group.serial_numbers[0])
        await walk.submit()
        assert [unit["serial_number"] for unit in walk.entry.data[CONF_UNITS]] == list(
            group.serial_numbers
        )
        await hass.async_block_till_done()
