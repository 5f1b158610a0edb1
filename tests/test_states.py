"""What the entities say, against what the simulated group really does."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.solax_parallel.a1_ess.profile import Profile, load_profile
from custom_components.solax_parallel.const import CONF_SERIAL_NUMBER, CONF_UNITS
from custom_components.solax_parallel.simulator.group import NONE
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .conftest import AddSimulated, Log, StartGroup
from .contract import (
    CHECKS,
    ENERGY_TOTALS,
    HEALTH,
    INVERTER,
    INVERTER_FAULTS,
    LEG_TOTALS,
    MEASUREMENTS,
    NAMED_FAULTS,
    PV_MEASUREMENTS,
    REPORTED_MEASUREMENTS,
    THIRD_STRING_MEASUREMENTS,
    TOTALS,
    entities_of,
)
from .groups import (
    INSTALLED,
    QUICK,
    ROLES,
    GroupOnTheWire,
    coded,
    entity_id,
    halved,
    poll,
    set_up,
    state,
    without_windows,
)

STEPS = {
    "V": 0.1,
    "A": 0.1,
    "W": 1,
    "VA": 1,
    "Hz": 0.01,
    "°C": 1,
    "%": 1,
    "kWh": 0.1,
    "h": 0.1,
}
"""How fine the registers of a unit are at least."""

FAMILIES = {
    "grid_fault": (
        "grid_lost",
        "grid_voltage",
        "grid_frequency",
        "ac_10min_voltage",
        "grid_relay",
        "missed_ct",
    ),
    "pv_fault": ("pv_voltage", "pv_reversed", "isolation"),
    "battery_fault": (
        "battery_voltage",
        "battery_reversed",
        "battery_power_low",
        "charger_relay",
        "bms_lost",
    ),
    "output_fault": (
        "dci_overcurrent",
        "software_overcurrent",
        "rc_overcurrent",
        "rcd",
        "overload",
        "off_grid_overload",
        "off_grid_relay",
    ),
    "internal_fault": (
        "tz_protect",
        "bus_voltage",
        "over_temperature",
        "low_temperature",
        "internal_communication",
        "fan",
        "earth_relay",
        "inverter_eeprom",
        "other_device",
    ),
    "parallel_fault": ("parallel_fault",),
}
"""Which sensor tells of which bit of the inverter's fault word."""


def states(hass: HomeAssistant, unique_ids: Iterable[str]) -> dict[str, str]:
    return {unique_id: state(hass, unique_id).state for unique_id in unique_ids}


def all_states(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return the state of every enabled entity by unique id."""
    return {
        entity.unique_id: found.state
        for entity in er.async_entries_for_config_entry(
            er.async_get(hass), entry.entry_id
        )
        if (found := hass.states.get(entity.entity_id)) is not None
    }


def number(hass: HomeAssistant, unique_id: str) -> float:
    return float(state(hass, unique_id).state)


MOMENTS = {"morning": -2.5, "noon": 0, "evening": 7, "night": 14}
"""In hours after noon."""


@pytest.mark.parametrize("hours", MOMENTS.values(), ids=MOMENTS)
@pytest.mark.parametrize("closed", [True, False], ids=["grid", "island"])
async def test_inverters_show_what_they_measure(
    hass: HomeAssistant, start_group: StartGroup, hours: float, closed: bool
) -> None:
    wire = await start_group(units=2)
    wire.clock.move(hours=hours)
    wire.group.grid_closed = closed
    assert await wire.set_up(disabled_too=True)
    expected = MEASUREMENTS | PV_MEASUREMENTS | THIRD_STRING_MEASUREMENTS
    for serial in wire.group.serial_numbers:
        # A secondary has no meter, so what would stand in the meter's registers is nothing.
        truth = dict.fromkeys(expected, 0) | wire.readings(serial)
        for key, entity in expected.items():
            assert entity.unit is not None
            thousands = 1000 if key == "battery_capacity" else 1
            assert number(hass, f"{serial}_{key}") * thousands == pytest.approx(
                truth[key], abs=STEPS[entity.unit]
            ), key
        for key in ("role", "operation_led", "run_mode", "grid_status"):
            assert state(hass, f"{serial}_{key}").state == truth[key]


@pytest.mark.parametrize("hours", MOMENTS.values(), ids=MOMENTS)
@pytest.mark.parametrize("closed", [True, False], ids=["grid", "island"])
async def test_group_shows_what_all_do_together(
    hass: HomeAssistant, start_group: StartGroup, hours: float, closed: bool
) -> None:
    wire = await start_group(units=3)
    wire.clock.move(hours=hours)
    wire.group.grid_closed = closed
    assert await wire.set_up(disabled_too=True)
    powers, energies = wire.group.powers, wire.group.energies
    units = [energies.unit(unit.index) for unit in wire.group.units]
    outputs = [share.output for share in powers.shares]
    read = [wire.readings(serial) for serial in wire.group.serial_numbers]
    truth = {
        "ac_power": sum(outputs) if closed else 0,
        "backup_power": 0 if closed else sum(outputs),
        **{key: sum(each[key] for each in read) for key in LEG_TOTALS},
        "pv_power": sum(share.pv for share in powers.shares),
        "battery_power": sum(share.battery for share in powers.shares),
        "grid_power": -powers.meter,
        "load_power": powers.house.load,
        "battery_soc": sum(map(wire.group.stored, wire.group.units)) / (3 * 128),
        "pv_energy_total": sum(unit.pv for unit in units) / 1000,
        "grid_import_total": energies.site.imported / 1000,
        "grid_export_total": energies.site.exported / 1000,
        "battery_charged_total": sum(unit.charged for unit in units) / 1000,
        "battery_discharged_total": sum(unit.discharged for unit in units) / 1000,
        "backup_energy_total": sum(unit.backup for unit in units) / 1000,
    }
    assert set(truth) == set(TOTALS)
    for key, value in truth.items():
        step = 1 if key in ENERGY_TOTALS else 9
        found = state(hass, f"{wire.primary}_group_{key}")
        assert float(found.state) == pytest.approx(value, abs=step), key
        expected = 1 if key.startswith("grid_") else 3
        assert found.attributes["members_included"] == expected
        assert found.attributes["members_expected"] == expected
        assert found.attributes["complete"] is True


async def test_group_on_a_sunny_day(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    group = f"{wire.primary}_group"
    keys = ("status", "operation_led", "units_online", "unit_quantity")
    assert states(
        hass, (f"{group}_{key}" for key in (*keys, "complete", "on_grid"))
    ) == {
        f"{group}_status": "normal",
        f"{group}_operation_led": "green",
        f"{group}_units_online": "4",
        f"{group}_unit_quantity": "4",
        f"{group}_complete": STATE_ON,
        f"{group}_on_grid": STATE_ON,
    }
    assert number(hass, f"{group}_grid_power") < 0, "it exports"
    assert {
        serial: state(hass, f"{serial}_operation_led").attributes["source"]
        for serial in wire.group.serial_numbers
    } == dict.fromkeys(wire.group.serial_numbers, "register")


async def test_smart_loads_and_ports(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    truth = wire.readings(wire.primary)
    for key in ("third_party_power", "non_backup_power"):
        assert number(hass, f"{wire.primary}_bi_{key}") == pytest.approx(
            truth[key], abs=1
        )
    for channel in range(1, 7):
        load = f"smart_load_{channel}"
        found = f"{wire.primary}_{load}"
        assert state(hass, f"{found}_state").state == truth[f"{load}_state"]
        assert state(hass, f"{found}_mode").state == truth[f"{load}_mode"]
        assert number(hass, f"{found}_power") == pytest.approx(
            truth[f"{load}_power"], abs=1
        )
        assert number(hass, f"{found}_energy_total") == pytest.approx(
            truth[f"{load}_energy_total"], abs=0.1
        )
    on = {n for n in range(1, 7) if truth[f"smart_load_{n}_state"] == "on"}
    assert on == {1}, "at noon one of them runs"


async def test_a_generator_that_runs(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    # The simulator has no generator, so the server says by other codes what it says.
    served = coded(load_profile(), "generator", {1: "off", 0: "on"})
    served = coded(served, "run_mode", {26: "normal", 3: "fault"})
    wire = await start_group(units=1, served=served)
    assert await wire.set_up()
    assert state(hass, f"{wire.primary}_bi_generator").state == STATE_ON
    assert state(hass, f"{wire.primary}_run_mode").state == "normal_generator"
    assert state(hass, f"{wire.primary}_operation_led").state == "green"


ALIVE = ("last_seen", "failed_polls", *HEALTH)
"""What an inverter's silence does not make unavailable."""


def alive_in_silence(hass: HomeAssistant, serial: str) -> dict[str, str]:
    return states(hass, [f"{serial}_{key}" for key in ALIVE])


@pytest.mark.parametrize("index", [0, 2])
async def test_silence_of_one_is_nobody_elses(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire, logged: Log, index: int
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up(disabled_too=True)
    before = all_states(hass, wire.entry)
    silent = wire.group.serial_numbers[index]
    known = alive_in_silence(hass, silent)
    wire.silence(silent)
    await poll(hass)
    await poll(hass)

    gone = {
        unique_id
        for device, entities in entities_of(wire.group.serial_numbers).items()
        for unique_id in entities
        # Only the primary knows of the backup interface and what hangs on it.
        if device == silent or (device.startswith(silent) and "_group" not in device)
    } - known.keys()
    after = all_states(hass, wire.entry)
    assert {key for key, value in after.items() if value == STATE_UNAVAILABLE} == gone
    assert alive_in_silence(hass, silent) == known | {
        f"{silent}_failed_polls": "2",
        f"{silent}_failed_reads": "2",
        f"{silent}_presence": "silent",
    }
    group = f"{wire.primary}_group"
    keys = ("status", "operation_led", "units_online", "unit_quantity")
    assert states(
        hass, (f"{group}_{key}" for key in (*keys, "complete", "on_grid"))
    ) == {
        f"{group}_status": "degraded",
        f"{group}_operation_led": STATE_UNKNOWN,
        f"{group}_units_online": "3",
        f"{group}_unit_quantity": "4",
        f"{group}_complete": STATE_OFF,
        f"{group}_on_grid": STATE_ON,
    }
    role = ["primary", "secondary_1", "secondary_2", "secondary_3"][index]
    ((_, message),) = logged
    assert message.endswith(f": {role} does not answer, its entities are unavailable")

    wire.group.inject(silent, NONE)
    await poll(hass)
    back = all_states(hass, wire.entry)
    assert {key for key, value in back.items() if value == STATE_UNAVAILABLE} == set()
    assert state(hass, f"{silent}_failed_polls").state == "0"
    assert state(hass, f"{group}_status").state == "normal"
    assert back.keys() == before.keys()


@pytest.mark.parametrize("index", [0, 2])
async def test_totals_say_when_a_member_is_missing(
    hass: HomeAssistant, start_group: StartGroup, index: int
) -> None:
    wire = await start_group(units=3)
    wire.clock.move(hours=-2.5)
    assert await wire.set_up(disabled_too=True)
    group = f"{wire.primary}_group"
    before = {key: number(hass, f"{group}_{key}") for key in TOTALS}
    silent = wire.group.serial_numbers[index]
    wire.silence(silent)
    await poll(hass)

    others = [unit for unit in wire.group.units if unit.serial_number != silent]
    outputs = [wire.group.powers.shares[unit.index].output for unit in others]
    assert number(hass, f"{group}_ac_power") == pytest.approx(sum(outputs), abs=3)
    for key in ENERGY_TOTALS:
        assert number(hass, f"{group}_{key}") == before[key], "an energy never falls"
    meter_is_gone = index == 0
    for key in TOTALS:
        found = state(hass, f"{group}_{key}").attributes
        if key.startswith("grid_"):
            expected = (0 if meter_is_gone else 1, 1)
        elif key == "load_power" and meter_is_gone:
            expected = (0, 3)
        else:
            expected = (2, 3)
        assert (found["members_included"], found["members_expected"]) == expected, key
        assert found["complete"] is (expected[0] == expected[1])
    known = state(hass, f"{group}_grid_power").state != STATE_UNKNOWN
    assert known is not meter_is_gone
    # The meter would see what the silent one delivers.
    assert state(hass, f"{group}_load_power").state == STATE_UNKNOWN


async def test_silence_of_all(
    hass: HomeAssistant, start_group: StartGroup, logged: Log
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up(disabled_too=True)
    await poll(hass)
    before = all_states(hass, wire.entry)
    await wire.server.vanish()
    group = f"{wire.primary}_group"
    for polls in (1, 2):
        await poll(hass)
        known = {
            unique_id: found
            for unique_id, found in all_states(hass, wire.entry).items()
            if found != STATE_UNAVAILABLE
        }
        assert known == {
            f"{group}_status": "offline",
            f"{group}_units_online": "0",
            f"{group}_complete": STATE_OFF,
            f"{group}_polling": STATE_ON,
            f"{group}_event": STATE_UNKNOWN,
            f"{group}_transfer_test": STATE_UNKNOWN,
            f"{group}_poll_share": known[f"{group}_poll_share"],
            # They have not been pressed yet.
            f"{group}_check_now": STATE_UNKNOWN,
            f"{group}_start_transfer_test": STATE_UNKNOWN,
        } | {
            f"{serial}_{key}": value
            for serial in wire.group.serial_numbers
            for key, value in (
                ("last_seen", before[f"{serial}_last_seen"]),
                ("failed_polls", str(polls)),
                ("failed_reads", str(polls)),
                ("presence", "silent"),
                ("reply_time", before[f"{serial}_reply_time"]),
            )
        }
    assert [level for level, _ in logged] == ["ERROR"], "said once"

    await wire.server.start()
    await poll(hass)
    after = all_states(hass, wire.entry)
    unlike = {key for key in before if before[key] != after[key]}
    # A state shows full seconds, and both polls may have come within one.
    assert unlike <= {f"{group}_poll_share"} | {
        f"{serial}_{key}"
        for serial in wire.group.serial_numbers
        for key in ("last_seen", "failed_reads", "reply_time")
    }


async def test_another_inverter_in_the_place_of_one(
    hass: HomeAssistant, start_group: StartGroup, logged: Log
) -> None:
    wire = await start_group(units=2)
    known, other = wire.group.serial_numbers[1], "OTHER000000002"
    units = [dict(unit) for unit in wire.entry.data[CONF_UNITS]]
    units[1][CONF_SERIAL_NUMBER] = other
    hass.config_entries.async_update_entry(
        wire.entry, data={**wire.entry.data, CONF_UNITS: units}
    )
    assert await wire.set_up()
    assert state(hass, f"{other}_ac_power").state == STATE_UNAVAILABLE
    assert state(hass, f"{wire.primary}_group_units_online").state == "1"
    assert not any(known in key for key in all_states(hass, wire.entry))
    ((_, message),) = logged
    assert "another inverter answers in place of secondary_1" in message


async def inject(hass: HomeAssistant, serial: str, option: str) -> None:
    """Choose what ails a simulated inverter, as a person would."""
    (entity_id,) = (
        entity.entity_id
        for entity in er.async_get(hass).entities.values()
        if entity.unique_id == f"{serial}_injected_fault"
    )
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": entity_id, "option": option},
        blocking=True,
    )


@pytest.mark.parametrize("fault", NAMED_FAULTS)
async def test_paralleling_fault_stands_where_it_is(
    hass: HomeAssistant, simulated_entry: MockConfigEntry, fault: str
) -> None:
    assert await set_up(hass, simulated_entry)
    serials = [unit[CONF_SERIAL_NUMBER] for unit in simulated_entry.data[CONF_UNITS]]
    group = f"{serials[0]}_group"
    warning = fault == "parallel_can_warning"
    for ailing in serials:
        await inject(hass, ailing, fault)
        for serial in serials:
            faults = {key: state(hass, f"{serial}_{key}") for key in NAMED_FAULTS}
            assert {
                key for key, found in faults.items() if found.state == STATE_ON
            } == ({fault} if serial == ailing else set())
            assert {
                key: found.attributes["vendor_code"] for key, found in faults.items()
            } == NAMED_FAULTS
            led = state(hass, f"{serial}_operation_led")
            assert led.state == (
                "red_flashing" if serial == ailing and not warning else "green"
            )
            assert led.attributes["source"] == "register"
        assert states(hass, [f"{group}_operation_led", f"{group}_status"]) == (
            {f"{group}_operation_led": "green", f"{group}_status": "degraded"}
            if warning
            else {f"{group}_operation_led": "red_flashing", f"{group}_status": "fault"}
        )
        await inject(hass, ailing, NONE)
        assert state(hass, f"{ailing}_{fault}").state == STATE_OFF
    assert states(hass, [f"{group}_operation_led", f"{group}_status"]) == {
        f"{group}_operation_led": "green",
        f"{group}_status": "normal",
    }


@pytest.mark.parametrize(
    ("ailments", "cause", "inferred", "units", "faults", "explanation"),
    [
        ({}, "none", False, [], [], "No fault is reported."),
        (
            {0: "fan"},
            "primary_fault",
            False,
            ["primary"],
            ["fan"],
            "A fault of the primary; reported: Fan (Primary).",
        ),
        (
            {2: "fan"},
            "unit_fault",
            False,
            ["secondary_2"],
            ["fan"],
            "A fault of Secondary 2; reported: Fan (Secondary 2).",
        ),
        (
            {1: "parallel_rs485_fault"},
            "rs485_line",
            True,
            ["secondary_1"],
            ["parallel_rs485_fault"],
            (
                "Inferred: the RS485 line at Secondary 1; "
                "reported: Parallel RS485 fault (Secondary 1)."
            ),
        ),
        (
            dict.fromkeys(range(3), "parallel_rs485_fault"),
            "rs485_line",
            True,
            ["primary", "secondary_1", "secondary_2"],
            ["parallel_rs485_fault"],
            (
                "Inferred: the RS485 line of all inverters, as their number is set right; "
                "reported: Parallel RS485 fault (Primary, Secondary 1, Secondary 2)."
            ),
        ),
        (
            {1: "offline"},
            "secondary_unreachable",
            False,
            ["secondary_1"],
            [],
            "No answer from Secondary 1.",
        ),
        (
            {0: "offline"},
            "primary_unreachable",
            False,
            ["primary"],
            [],
            "The primary does not answer.",
        ),
    ],
)
async def test_root_cause_and_readiness(
    hass: HomeAssistant,
    start_group: StartGroup,
    ailments: dict[int, str],
    cause: str,
    inferred: bool,
    units: list[str],
    faults: list[str],
    explanation: str,
) -> None:
    wire = await start_group(units=3, options={**QUICK, **INSTALLED})
    assert await wire.set_up()
    for index, ailment in ailments.items():
        wire.group.inject(wire.group.serial_numbers[index], ailment)
    await poll(hass)
    group = f"{wire.primary}_group"
    if "offline" in ailments.values():
        # As for the event and the repair, a poll or two may only be missed.
        for _ in range(2):
            assert state(hass, f"{group}_root_cause").state == "unknown"
            await poll(hass)
    found = state(hass, f"{group}_root_cause")
    assert found.state == cause
    assert {
        key: value
        for key, value in found.attributes.items()
        if key not in ("device_class", "friendly_name", "options")
    } == {
        "inferred": inferred,
        "units": units,
        "faults": faults,
        "checks": [],
        "segment": None,
        "untold": [],
        "explanation": explanation,
    }
    # Nobody knows how a silent unit is set up by now.
    silent = "offline" in ailments.values()
    assert state(hass, f"{group}_readiness").state == ("unknown" if silent else "ready")
    open_checks = CHECKS[:7] if silent else ()
    assert states(hass, (f"{group}_{key}" for key in CHECKS)) == {
        f"{group}_{key}": STATE_UNKNOWN if key in open_checks else STATE_OFF
        for key in CHECKS
    }


@pytest.mark.parametrize("fault", ["rs485", "can"])
async def test_root_cause_names_the_cable(
    hass: HomeAssistant, start_group: StartGroup, fault: str
) -> None:
    order = ["secondary_2", "secondary_1"]
    wire = await start_group(
        units=3, options={**QUICK, "wiring_order": order, "termination": "no"}
    )
    assert await wire.set_up()
    primary, last, _ = wire.group.serial_numbers
    wire.group.inject(last, f"parallel_{fault}_fault")
    wire.group.inject(primary, f"parallel_{fault}_fault")
    await poll(hass)
    found = state(hass, f"{primary}_group_root_cause")
    assert found.state == f"{fault}_line"
    assert found.attributes["segment"] == order
    assert found.attributes["checks"] == ["check_termination"]
    assert found.attributes["explanation"] == (
        f"Inferred: the {fault.upper()} line between Secondary 2 and Secondary 1; "
        f"reported: Parallel {fault.upper()} fault (Primary, Secondary 1); "
        "failed check: 120 ohm plug in the last secondary."
    )


async def test_checks_tell_who_says_what(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    serials = wire.group.serial_numbers
    wire.silence(serials[2])
    await poll(hass)

    def said(**values: Any) -> list[dict[str, Any]]:
        return [
            {"unit": serial, "role": role, "value": values.get(role)}
            for serial, role in zip(serials, ROLES, strict=False)
        ]

    def of_the_heard(value: Any) -> list[dict[str, Any]]:
        return said(primary=value, secondary_1=value)

    assert {
        key: state(hass, f"{wire.primary}_group_{key}").attributes["units"]
        for key in CHECKS
    } == {
        "check_unit_quantity": said(primary=3)[:1],
        "check_roles": said(primary="primary", secondary_1="secondary_1"),
        "check_firmware": of_the_heard("DSP 1.09 / ARM 1.12"),
        "check_rated_power": of_the_heard(7600),
        "check_battery_quantity": of_the_heard(2),
        "check_model_type": of_the_heard("a1_hyb_g2"),
        "check_safety_code": of_the_heard(23),
        # Whom should one ask?
        "check_combiner_box": [],
        "check_termination": [],
    }


@pytest.mark.parametrize(
    ("units", "backup_interface", "options", "box", "plug", "readiness"),
    [
        (1, "bi_pro", {}, "off", "off", "ready"),
        (2, "bi_pro", {}, "off", "unknown", "unknown"),
        (2, "bi_pro", {"termination": "yes"}, "off", "off", "ready"),
        (2, "bi_pro", {"termination": "no"}, "off", "on", "warnings"),
        (3, "none", {"termination": "yes"}, "off", "off", "ready"),
        (3, "bi", {"termination": "yes"}, "unknown", "off", "unknown"),
        (3, "bi", {"combiner_box": "no"}, "on", "unknown", "warnings"),
        (3, "bi_pro", INSTALLED, "off", "off", "ready"),
        # The primary knows better what there is.
        (3, "bi", {"backup_interface": "none"}, "unknown", "unknown", "unknown"),
    ],
)
async def test_what_only_the_owner_knows(
    hass: HomeAssistant,
    start_group: StartGroup,
    units: int,
    backup_interface: str,
    options: dict[str, str],
    box: str,
    plug: str,
    readiness: str,
) -> None:
    wire = await start_group(
        units=units, backup_interface=backup_interface, options={**QUICK, **options}
    )
    assert await wire.set_up()
    await poll(hass)
    group = f"{wire.primary}_group"
    assert states(
        hass,
        (f"{group}_{key}" for key in ("check_combiner_box", "check_termination")),
    ) == {f"{group}_check_combiner_box": box, f"{group}_check_termination": plug}
    assert state(hass, f"{group}_readiness").state == readiness


@pytest.mark.parametrize("units", [1, 2, 3, 4])
@pytest.mark.parametrize("backup_interface", ["none", "bi", "bi_pro"])
async def test_a_simulated_group_is_ready(
    hass: HomeAssistant, add_simulated: AddSimulated, units: int, backup_interface: str
) -> None:
    entry = add_simulated(units=units, backup_interface=backup_interface)
    assert await set_up(hass, entry)
    group = f"{entry.unique_id}_group"
    assert state(hass, f"{group}_readiness").state == "ready"
    if units == 1:
        return
    last = entry.data[CONF_UNITS][-1]
    await inject(hass, last[CONF_SERIAL_NUMBER], "eps_sync_lost")
    cause = state(hass, f"{group}_root_cause")
    assert cause.attributes["segment"] == [ROLES[units - 2], ROLES[units - 1]]


async def test_check_now(hass: HomeAssistant, start_group: StartGroup) -> None:
    wire = await start_group(units=2, options={**QUICK, **INSTALLED})
    assert await wire.set_up()
    group = f"{wire.primary}_group"
    checks = (f"{group}_check_firmware", f"{group}_readiness")

    async def press() -> None:
        await hass.services.async_call(
            "button",
            "press",
            {"entity_id": entity_id(hass, f"{group}_check_now")},
            blocking=True,
        )

    # Two inverters that were updated, as far as they could be reached.
    wire.silence(wire.group.serial_numbers[1])
    for _ in range(3):
        await poll(hass)
    await wire.server.restart(halved(load_profile(), "arm_firmware_minor"))
    wire.group.inject(wire.group.serial_numbers[1], NONE)
    await poll(hass)
    assert states(hass, checks) == dict.fromkeys(checks, STATE_UNKNOWN)
    await press()
    assert states(hass, checks) == {checks[0]: STATE_OFF, checks[1]: "ready"}
    assert {unit["value"] for unit in state(hass, checks[0]).attributes["units"]} == {
        "DSP 1.09 / ARM 1.06"
    }

    await wire.server.vanish()
    with pytest.raises(HomeAssistantError) as refused:
        await press()
    assert refused.value.translation_key == "nobody_answered"
    await wire.server.start()
    await press()
    assert states(hass, checks) == {checks[0]: STATE_OFF, checks[1]: "ready"}

    wire.silence(wire.primary)
    pressing = asyncio.create_task(press())
    await asyncio.sleep(0.1)
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    with pytest.raises(HomeAssistantError) as refused:
        await pressing
    assert refused.value.translation_key == "group_unloaded"


def shown_faults(hass: HomeAssistant, serial: str) -> dict[str, list[str]]:
    """Return the faults that each family's sensor tells of, where it is on."""
    found = {family: state(hass, f"{serial}_{family}") for family in FAMILIES}
    assert all(
        bool(each.attributes["faults"]) is (each.state == STATE_ON)
        for each in found.values()
    )
    return {
        family: each.attributes["faults"]
        for family, each in found.items()
        if each.state == STATE_ON
    }


async def test_every_inverter_fault_has_its_family(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    well, ailing = wire.group.serial_numbers
    assert shown_faults(hass, ailing) == {}
    assert {key for keys in FAMILIES.values() for key in keys} == set(INVERTER_FAULTS)
    for family, faults in FAMILIES.items():
        for fault in faults:
            wire.group.inject(ailing, fault)
            await poll(hass)
            assert shown_faults(hass, ailing) == {family: [fault]}
            assert shown_faults(hass, well) == {}
            assert state(hass, f"{ailing}_operation_led").state == "red_flashing"
            assert state(hass, f"{ailing}_run_mode").state == "fault"
            assert state(hass, f"{wire.primary}_group_status").state == "fault"


def swapped(profile: Profile, word: str, bits: Mapping[int, str]) -> Profile:
    """Return a map whose inverter faults stand in another fault word, under other bits."""
    registers = dict(profile.registers)
    registers["inverter_faults"] = replace(
        registers.pop(word), key="inverter_faults", bits=bits
    )
    return replace(profile, registers=registers)


@pytest.mark.parametrize(
    ("word", "bit", "family", "shown", "led", "status"),
    [
        ("manager_faults", 1, "output_fault", "port_overcurrent", "green", "degraded"),
        ("manager_faults", 9, "grid_fault", "meter", "red_flashing", "fault"),
        ("manager_faults", 11, "internal_fault", "fan_2", "red_flashing", "fault"),
        (
            "battery_faults",
            0,
            "battery_fault",
            "battery_external",
            "red_flashing",
            "fault",
        ),
        (
            "battery_faults",
            29,
            "battery_fault",
            "battery_air_switch",
            "red_flashing",
            "fault",
        ),
    ],
)
async def test_manager_and_battery_faults(
    hass: HomeAssistant,
    start_group: StartGroup,
    word: str,
    bit: int,
    family: str,
    shown: str,
    led: str,
    status: str,
) -> None:
    # The simulator ails with inverter faults only, so the server puts them elsewhere. It has no
    # fault of a warning's kind either, and runs on without one: grid_lost off-grid is none.
    served = without_windows(
        swapped(load_profile(), word, {bit: "grid_lost"}),
        "extension",
        "primary_extension",
    )
    wire = await start_group(units=1, served=served)
    wire.group.grid_closed = False
    assert await wire.set_up()
    assert shown_faults(hass, wire.primary) == {family: [shown]}
    assert state(hass, f"{wire.primary}_operation_led").state == led
    assert state(hass, f"{wire.primary}_group_operation_led").state == led
    assert state(hass, f"{wire.primary}_group_status").state == status


async def test_opening_the_breaker_is_no_problem(
    hass: HomeAssistant, simulated_entry: MockConfigEntry
) -> None:
    # A simulated group lives by the local time. It is noon somewhere.
    offset = 12 - dt_util.utcnow().hour
    await hass.config.async_set_time_zone(f"Etc/GMT{-offset:+}")
    assert await set_up(hass, simulated_entry)
    serials = [unit[CONF_SERIAL_NUMBER] for unit in simulated_entry.data[CONF_UNITS]]
    primary = serials[0]
    shown = {
        f"{primary}_group_simulated_grid": (STATE_ON, STATE_OFF),
        f"{primary}_group_on_grid": (STATE_ON, STATE_OFF),
        f"{primary}_group_status": ("normal", "off_grid"),
        f"{primary}_group_operation_led": ("green", "green"),
        f"{primary}_bi_grid_relay": (STATE_ON, STATE_OFF),
        f"{primary}_bi_microgrid": (STATE_OFF, STATE_ON),
        f"{primary}_bi_generator": (STATE_OFF, STATE_OFF),
    } | {
        f"{serial}_{key}": values
        for serial in serials
        for key, values in {
            "run_mode": ("normal", "off_grid"),
            "grid_status": ("on_grid", "off_grid"),
            "grid_fault": (STATE_OFF, STATE_OFF),
            "operation_led": ("green", "green"),
        }.items()
    }
    for closed in (True, False, True):
        service = "turn_on" if closed else "turn_off"
        await hass.services.async_call(
            "switch",
            service,
            {"entity_id": "switch.parallel_group_simulated_grid"},
            blocking=True,
        )
        assert states(hass, shown) == {
            key: on if closed else off for key, (on, off) in shown.items()
        }


async def test_grid_faults_count_again_on_the_grid(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    ailing = wire.group.serial_numbers[1]
    wire.group.grid_closed = False
    wire.group.inject(ailing, "grid_voltage")
    await poll(hass)
    assert shown_faults(hass, ailing) == {}
    assert state(hass, f"{ailing}_operation_led").state == "green"
    wire.group.grid_closed = True
    await poll(hass)
    assert shown_faults(hass, ailing) == {"grid_fault": ["grid_voltage"]}
    assert state(hass, f"{ailing}_operation_led").state == "red_flashing"


@pytest.mark.parametrize(
    ("ailment", "led", "run_mode", "family"),
    [
        (NONE, "green", "normal", set()),
        ("fan", "red_flashing", "fault", {"internal_fault"}),
        # Its own name is not served, but the inverter stops for it.
        ("parallel_rs485_fault", "red_flashing", "fault", set()),
    ],
)
async def test_without_the_extension(
    hass: HomeAssistant,
    start_group: StartGroup,
    ailment: str,
    led: str,
    run_mode: str,
    family: set[str],
) -> None:
    wire = await start_group(
        units=2,
        numbered=False,
        served=without_windows(load_profile(), "extension", "primary_extension"),
    )
    primary, ailing = wire.group.serial_numbers
    wire.group.inject(ailing, ailment)
    assert await wire.set_up()
    for serial, expected in ((primary, "green"), (ailing, led)):
        found = state(hass, f"{serial}_operation_led")
        assert (found.state, found.attributes["source"]) == (expected, "derived")
        assert states(hass, (f"{serial}_{key}" for key in NAMED_FAULTS)) == {
            f"{serial}_{key}": STATE_UNKNOWN for key in NAMED_FAULTS
        }
    assert state(hass, f"{primary}_role").state == "primary"
    assert state(hass, f"{ailing}_role").state == "secondary"
    assert state(hass, f"{ailing}_run_mode").state == run_mode
    assert set(shown_faults(hass, ailing)) == family
    group = f"{primary}_group"
    assert state(hass, f"{group}_operation_led").state == led
    assert state(hass, f"{group}_unit_quantity").state == STATE_UNKNOWN
    assert not any("_smart_load_" in key for key in all_states(hass, wire.entry))
    assert not any("_bi_" in key for key in all_states(hass, wire.entry))


async def test_secondaries_that_only_the_primary_tells_of(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3, reported=2)
    wire.clock.move(hours=-2.5)
    wire.group.inject(wire.group.serial_numbers[2], "fan")
    assert await wire.set_up(disabled_too=True)
    for serial, role in zip(wire.group.serial_numbers[1:], ROLES[1:], strict=False):
        truth = wire.readings(serial)
        for key, entity in REPORTED_MEASUREMENTS.items():
            assert entity.unit is not None
            # What goes out on a leg is rounded before the two are added.
            step = 2 if key == "ac_power" else STEPS[entity.unit]
            assert number(hass, f"{wire.primary}_{role}_{key}") == pytest.approx(
                truth[key], abs=step
            ), key
        told = {*REPORTED_MEASUREMENTS, "last_seen", "failed_polls"}
        silent = [f"{wire.primary}_{role}_{key}" for key in INVERTER.keys() - told]
        assert states(hass, silent) == dict.fromkeys(silent, STATE_UNKNOWN)
    group = f"{wire.primary}_group"
    keys = ("status", "operation_led", "units_online", "pv_energy_total")
    assert states(hass, (f"{group}_{key}" for key in (*keys, "complete"))) == {
        # The fault of the last one can't be seen from here, so nothing is called normal.
        f"{group}_status": STATE_UNKNOWN,
        f"{group}_operation_led": STATE_UNKNOWN,
        f"{group}_units_online": "3",
        f"{group}_pv_energy_total": STATE_UNKNOWN,
        f"{group}_complete": STATE_ON,
    }
    shares = wire.group.powers.shares
    assert number(hass, f"{group}_battery_power") == pytest.approx(
        sum(share.battery for share in shares), abs=3
    )


async def test_reported_secondary_that_the_primary_loses(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2, reported=1)
    assert await wire.set_up()
    wire.silence(wire.group.serial_numbers[1])
    await poll(hass)
    lost = f"{wire.primary}_secondary_1"
    assert state(hass, f"{lost}_ac_power").state == STATE_UNAVAILABLE
    assert state(hass, f"{wire.primary}_group_status").state == "degraded"
    assert state(hass, f"{wire.primary}_group_units_online").state == "1"
    assert state(hass, f"{wire.primary}_ac_power").state != STATE_UNAVAILABLE


async def test_measurement_that_cannot_be_true(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    frequency, voltage = f"{wire.primary}_frequency", f"{wire.primary}_ac_voltage"
    believed = state(hass, frequency).state
    await wire.server.restart(halved(load_profile(), "frequency"))
    for _ in range(3):
        await poll(hass)
        assert state(hass, frequency).state == believed
    await poll(hass)
    assert state(hass, frequency).state == STATE_UNAVAILABLE
    assert state(hass, voltage).state != STATE_UNAVAILABLE
    await wire.server.restart(load_profile())
    await poll(hass)
    assert state(hass, frequency).state == believed


async def test_registers_that_are_not_served(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=1, served=without_windows(load_profile(), "legs"))
    assert await wire.set_up()
    unserved = {
        key
        for key in MEASUREMENTS | PV_MEASUREMENTS
        if key.startswith(("l1_", "l2_", "backup_", "runtime_", "pv_energy"))
        or (key.startswith("grid_") and key.endswith("_today"))
    }
    found = all_states(hass, wire.entry)
    assert {key for key, value in found.items() if value == STATE_UNAVAILABLE} == {
        f"{wire.primary}_{key}" for key in unserved if f"{wire.primary}_{key}" in found
    }
    assert found[f"{wire.primary}_group_status"] == "normal"
    assert found[f"{wire.primary}_group_pv_energy_total"] == STATE_UNKNOWN


async def test_smart_loads_that_become_known_appear(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    wire.silence(wire.primary)
    assert await wire.set_up()
    assert not any("_smart_load_" in key for key in all_states(hass, wire.entry))

    wire.group.inject(wire.primary, NONE)
    await poll(hass)
    late = {
        key: value
        for key, value in all_states(hass, wire.entry).items()
        if "_smart_load_" in key or "_bi_" in key
    }
    assert late.keys() == {
        unique_id
        for device, entities in entities_of(wire.group.serial_numbers).items()
        for unique_id in entities
        if "_smart_load_" in device or device.endswith("_bi")
    }
    assert late[f"{wire.primary}_smart_load_1_state"] == STATE_ON
    assert late[f"{wire.primary}_bi_grid_relay"] == STATE_ON
    assert STATE_UNAVAILABLE not in late.values()


async def test_simulated_inverter_can_be_silenced_and_brought_back(
    hass: HomeAssistant, simulated_entry: MockConfigEntry
) -> None:
    assert await set_up(hass, simulated_entry)
    silent = simulated_entry.data[CONF_UNITS][3][CONF_SERIAL_NUMBER]
    await inject(hass, silent, "offline")
    assert state(hass, f"{silent}_injected_fault").state == "offline"
    assert state(hass, f"{silent}_run_mode").state == STATE_UNAVAILABLE
    await inject(hass, silent, NONE)
    assert state(hass, f"{silent}_injected_fault").state == NONE
    assert state(hass, f"{silent}_run_mode").state == "normal"
