"""What a maintainer gets to see: enough to replay a poll, and nothing that tells whose it is."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
import json
from typing import Any, cast

from modbus_connection.mock import MockModbusConnection
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.inverter import Inverter, Member
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from custom_components.solax_parallel.const import CONF_SERIAL_NUMBER, CONF_UNITS
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .conftest import StartGroup
from .groups import QUICK, ROLES, GroupOnTheWire, poll, set_up
from .repairs import issues


async def download(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry
) -> dict[str, Any]:
    """Return the file that a person would attach to a report."""
    assert await async_setup_component(hass, "diagnostics", {})
    await hass.async_block_till_done()
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    assert response.status == 200
    return cast("dict[str, Any]", await response.json())


def leaves(value: Any) -> Iterator[Any]:
    """Yield every key and every value of a JSON document."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def texts_in_words(raw: Mapping[str, Mapping[str, int]]) -> str:
    """Return what the raw words would spell, read as text."""
    return "".join(
        bytes([word >> 8, word & 0xFF]).decode("latin-1")
        for words in raw.values()
        for _, word in sorted((int(address), word) for address, word in words.items())
    )


def secrets_of(wire: GroupOnTheWire) -> list[str]:
    return [*wire.group.serial_numbers, "127.0.0.1", "localhost"]


def found_in(report: dict[str, Any], secrets: list[str]) -> list[str]:
    """Return which secrets a report gives away, in any form."""
    everything = json.dumps(report)
    for raw in report["data"].get("raw", {}).values():
        everything += texts_in_words(raw)
    # A decimal list of words would hide a text from a search, and not from a reader.
    everything += "".join(
        bytes([leaf >> 8, leaf & 0xFF]).decode("latin-1")
        for leaf in leaves(report)
        if isinstance(leaf, int) and 0 <= leaf <= 0xFFFF
    )
    return [secret for secret in secrets if secret.lower() in everything.lower()]


async def test_content(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    group_on_the_wire: GroupOnTheWire,
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    silent = ROLES[2]
    wire.silence(wire.group.serial_numbers[2])
    wire.group.inject(wire.group.serial_numbers[1], "fan")
    await poll(hass)
    report = await download(hass, hass_client, wire.entry)
    data = report["data"]
    assert data["options"] == wire.entry.options
    assert data["last_poll_successful"] is True
    aliases = [f"INVERTER{number:06}" for number in range(1, 5)]
    assert [unit["serial_number"] for unit in data["data"]["units"]] == aliases
    assert data["profile"]["registers"]["run_mode"]["address"] == 9
    assert data["profile"]["registers"]["run_mode"]["grade"] == "sister"
    assert list(data["group"]["members"]) == aliases
    assert list(data["raw"]) == aliases
    members = data["group"]["members"]
    assert members[aliases[1]]["faults"] == ["fan"]
    assert members[aliases[2]]["presence"] == "silent"
    assert members[aliases[2]]["failures"], "it says why"
    assert members[aliases[0]]["failures"] == {}
    assert data["group"]["totals"]["ac_power"]["members_included"] == 3
    assert data["group"]["checks"]["check_rated_power"] == {
        "passed": None,
        "units": [
            {"unit": alias, "role": role, "value": None if role == silent else 7600}
            for alias, role in zip(aliases, ROLES, strict=True)
        ],
    }
    assert found_in(report, secrets_of(wire)) == []


@pytest.mark.parametrize("loaded", [True, False])
async def test_what_the_owner_calls_the_smart_loads(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    start_group: StartGroup,
    loaded: bool,
) -> None:
    names = {"name_1": "Anna's room", "name_6": "Sauna"}
    wire = await start_group(
        units=1, options={**QUICK, "smart_loads": {**names, "hidden": ["6"]}}
    )
    assert await wire.set_up()
    if not loaded:
        assert await hass.config_entries.async_unload(wire.entry.entry_id)
    report = await download(hass, hass_client, wire.entry)
    assert found_in(report, [*names.values(), "Anna"]) == []
    assert report["data"]["options"]["smart_loads"] == {
        "name_1": "**REDACTED**",
        "name_6": "**REDACTED**",
        "hidden": ["6"],
    }


@pytest.mark.parametrize("name", ["localhost", "LocalHost", "127.0.0.1"])
async def test_failures_do_not_tell_where(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    start_group: StartGroup,
    name: str,
) -> None:
    wire = await start_group(units=2, host=name)
    assert await wire.set_up()
    await wire.server.vanish()
    await poll(hass)
    report = await download(hass, hass_client, wire.entry)
    assert report["data"]["last_poll_successful"] is False
    failures = [
        failure
        for member in report["data"]["group"]["members"].values()
        for failure in member["failures"].values()
    ]
    assert any("can't be opened" in failure for failure in failures)
    assert found_in(report, secrets_of(wire)) == []


async def test_another_inverter_in_the_place_of_one(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    start_group: StartGroup,
) -> None:
    wire = await start_group(units=2)
    expected = "OTHER000000002"
    units = [dict(unit) for unit in wire.entry.data[CONF_UNITS]]
    units[1][CONF_SERIAL_NUMBER] = expected
    hass.config_entries.async_update_entry(
        wire.entry, data={**wire.entry.data, CONF_UNITS: units}
    )
    assert await wire.set_up()
    report = await download(hass, hass_client, wire.entry)
    assert found_in(report, [*secrets_of(wire), expected]) == []


async def test_swapped_members_stay_two(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    start_group: StartGroup,
) -> None:
    wire = await start_group(units=3)
    units = [dict(unit) for unit in wire.entry.data[CONF_UNITS]]
    units[1]["unit_id"], units[2]["unit_id"] = units[2]["unit_id"], units[1]["unit_id"]
    hass.config_entries.async_update_entry(
        wire.entry, data={**wire.entry.data, CONF_UNITS: units}
    )
    assert await wire.set_up()
    report = await download(hass, hass_client, wire.entry)
    members = report["data"]["group"]["members"]
    first, second, third = (f"INVERTER{number:06}" for number in range(1, 4))
    assert [(key, member["other_serial"]) for key, member in members.items()] == [
        (first, None),
        (second, third),
        (third, second),
    ]
    assert found_in(report, secrets_of(wire)) == []


async def test_one_serial_number_may_begin_like_another(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    start_group: StartGroup,
) -> None:
    wire = await start_group(units=2)
    first, second = "SHORT00000", "SHORT000001234"
    units = [dict(unit) for unit in wire.entry.data[CONF_UNITS]]
    for unit, serial in zip(units, (first, second), strict=True):
        unit[CONF_SERIAL_NUMBER] = serial
    hass.config_entries.async_update_entry(
        wire.entry, unique_id=first, data={**wire.entry.data, CONF_UNITS: units}
    )
    assert not await wire.set_up()
    report = await download(hass, hass_client, wire.entry)
    assert found_in(report, [first, second, "1234"]) == []


async def test_bits_that_nobody_has_named_stay_numbers(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    start_group: StartGroup,
) -> None:
    # What this server calls a fan is a bit that the shipped map has no name for.
    shipped = load_profile()
    word = shipped.registers["inverter_faults"]
    assert word.bits is not None
    assert 9 not in word.bits
    served = replace(
        shipped,
        registers={
            **shipped.registers,
            "inverter_faults": replace(word, bits={9: "fan"}),
        },
    )
    wire = await start_group(units=1, served=served)
    assert await wire.set_up()
    wire.group.inject(wire.primary, "fan")
    await poll(hass)
    await poll(hass)
    report = await download(hass, hass_client, wire.entry)
    member = report["data"]["group"]["members"]["INVERTER000001"]
    assert member["unnamed_bits"] == {"inverter_faults": 1 << 9}
    assert member["faults"] == []
    raw = report["data"]["raw"]["INVERTER000001"]["input"]
    assert raw[str(word.address)] == 1 << 9
    assert issues(hass) == [], "what has no name calls for nobody"


async def test_issues_tell_nobodys_serial_number(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    group_on_the_wire: GroupOnTheWire,
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    wire.silence(wire.primary)
    wire.group.inject(wire.group.serial_numbers[1], "parallel_system_fault")
    wire.group.inject(wire.group.serial_numbers[2], "fan")
    for _ in range(3):
        await poll(hass)
    report = await download(hass, hass_client, wire.entry)
    entry_id = wire.entry.entry_id
    assert {issue["issue_id"] for issue in report["issues"]} == {
        f"{entry_id}_1_primary_silent",
        f"{entry_id}_3_fan",
    }
    assert found_in(report, secrets_of(wire)) == []


async def test_entry_that_is_not_loaded(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    group_on_the_wire: GroupOnTheWire,
) -> None:
    wire = group_on_the_wire
    await wire.server.vanish()
    assert not await wire.set_up()
    assert wire.entry.state is ConfigEntryState.SETUP_RETRY
    report = await download(hass, hass_client, wire.entry)
    assert [unit["rated_power"] for unit in report["data"]["data"]["units"]] == [
        7600
    ] * 4
    assert found_in(report, secrets_of(wire)) == []


async def test_simulated_group(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    simulated_entry: MockConfigEntry,
) -> None:
    assert await set_up(hass, simulated_entry)
    report = await download(hass, hass_client, simulated_entry)
    serials = [unit[CONF_SERIAL_NUMBER] for unit in simulated_entry.data[CONF_UNITS]]
    assert found_in(report, serials) == []
    assert report["data"]["data"]["simulated"] == {
        "backup_interface": "bi_pro",
        "rated_power": 7600,
        "interface": "modbus",
    }


async def test_raw_words_replay_the_poll(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    group_on_the_wire: GroupOnTheWire,
) -> None:
    wire = group_on_the_wire
    wire.clock.move(hours=-2.5)
    wire.group.inject(wire.primary, "eps_sync_lost")
    assert await wire.set_up()
    await poll(hass)
    report = await download(hass, hass_client, wire.entry)
    connection = MockModbusConnection()
    profile = load_profile()
    for unit_id, (alias, raw) in enumerate(report["data"]["raw"].items(), start=1):
        unit = connection.for_unit(unit_id)
        unit.load_raw(raw)
        inverter = Inverter(
            Member(
                serial_number=alias,
                unit_id=unit_id,
                role=Role.SECONDARY,
                rated_power=7600,
            ),
            profile,
            RegisterSource(unit, profile),
        )
        await inverter.poll()
        replayed = await inverter.poll()
        reported = report["data"]["group"]["members"][alias]
        assert replayed.heard
        assert dict(replayed.readings) == reported["readings"]
        assert sorted(replayed.parallel_faults or ()) == reported["parallel_faults"]
        for key in ("role", "led", "led_source", "run_mode", "grid_status"):
            assert getattr(replayed, key) == reported[key]
        assert replayed.identity is not None
        assert replayed.identity.firmware == reported["identity"]["firmware"]
        assert replayed.failures == {}
