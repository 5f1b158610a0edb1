"""Proving the owner's register map: what the action returns, reads and keeps to itself."""

import asyncio
import os
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.solax_parallel.a1_ess.codes import BackupInterfaceType
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import (
    SimulatedGroup,
    serial_numbers,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir

from .conftest import AddSimulated, Log, StartGroup
from .groups import (
    Asked,
    GroupOnTheWire,
    begin_poll,
    entity_id,
    poll,
    set_up,
    state,
    without_windows,
)

READ_SETTINGS, READ_READINGS = 3, 4


async def validate(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    answer = await hass.services.async_call(
        DOMAIN, "validate_profile", data, blocking=True, return_response=True
    )
    assert isinstance(answer, dict)
    return answer


def write(file: Path, text: str) -> None:
    file.write_text(dedent(text), encoding="utf-8")


def registers(answer: dict[str, Any], unit: int = 0) -> dict[str, dict[str, Any]]:
    """Return what one unit says, by key."""
    return {each["key"]: each for each in answer["units"][unit]["registers"]}


async def test_by_both_maps(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    corrections = """
        registers:
          battery_soc: {address: 0x001B, grade: field, source: my own dump}
          operation_led: {values: {1: red, 3: green}}
    """
    write(owners_file, corrections)
    wire = await start_group(units=2, served=load_profile(owners_file))
    owners_file.unlink()
    assert await wire.set_up()
    assert state(hass, f"{wire.primary}_battery_soc").state == "0"

    write(owners_file, corrections)
    answer = await validate(hass)
    assert answer["file"] == str(owners_file)
    assert [(unit["unit"], unit["serial_number"]) for unit in answer["units"]] == [
        ("primary", "…0001"),
        ("secondary_1", "…0002"),
    ]
    for unit in (0, 1):
        assert registers(answer, unit) == {
            "battery_soc": {
                "key": "battery_soc",
                "yours": {
                    "window": "live",
                    "address": "0x001B",
                    "words": ["0x0064"],
                    "value": 100,
                    "unit": "%",
                    "within_bounds": True,
                    "problem": None,
                },
                "shipped": {
                    "window": "live",
                    "address": "0x001C",
                    "words": ["0x0000"],
                    "value": 0,
                    "unit": "%",
                    "within_bounds": True,
                    "problem": None,
                },
            },
            "operation_led": {
                "key": "operation_led",
                "yours": {
                    "window": "extension",
                    "address": "0x0305",
                    "words": ["0x0003"],
                    "value": "green",
                    "unit": None,
                    "within_bounds": None,
                    "problem": None,
                },
                "shipped": {
                    "window": "extension",
                    "address": "0x0305",
                    "words": ["0x0003"],
                    "value": "red",
                    "unit": None,
                    "within_bounds": None,
                    "problem": None,
                },
            },
        }
    # The map in use stays what it is until the owner reloads.
    assert state(hass, f"{wire.primary}_battery_soc").state == "0"


async def test_as_the_front_end_calls_it(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    start_group: StartGroup,
    owners_file: Path,
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    write(
        owners_file,
        "registers: {run_mode: {grade: field}, inverter_faults: {grade: field}}",
    )
    client = await hass_ws_client()
    await client.send_json_auto_id(
        {
            "type": "call_service",
            "domain": DOMAIN,
            "service": "validate_profile",
            "return_response": True,
        }
    )
    answer = await client.receive_json()
    assert answer["success"]
    found = registers(answer["result"]["response"])
    assert found["run_mode"]["yours"]["value"] == "normal"
    assert found["inverter_faults"]["shipped"]["value"] == []


async def test_it_reads_and_asks_for_no_more_than_it_needs(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path, logged: Log
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    write(
        owners_file,
        """
        registers:
          battery_soc: {grade: field}
          frequency: {grade: field}
          rated_power: {grade: field}
          grid_relay: {grade: field}
        """,
    )
    before = len(wire.server.asked)
    await validate(hass)
    windows = {
        "identity": Asked(1, READ_SETTINGS, 0x0000, 0x15),
        "rating": Asked(1, READ_SETTINGS, 0x00BA, 1),
        # From the first register of the window to the last, as in a poll.
        "live": Asked(1, READ_READINGS, 0x0000, 0x54),
        "primary_extension": Asked(1, READ_READINGS, 0x0300, 0x36),
    }
    by_either_map = [windows[each] for each in ("rating", "live", "primary_extension")]
    assert wire.server.asked[before:] == [
        windows["identity"],
        *by_either_map,
        *by_either_map,
    ]
    assert wire.server.clients == 1
    assert logged == []


async def test_behind_modules(
    hass: HomeAssistant, add_simulated: AddSimulated, owners_file: Path
) -> None:
    entry = add_simulated(units=2, interface="module")
    assert await set_up(hass, entry)
    write(
        owners_file,
        """
        registers:
          l1_voltage: {address: 0x0072}
        module:
          battery_soc: {index: 92}
          battery_current: {index: 90, type: s16, scale: 0.1, grade: field, source: me}
          run_mode: {values: {3: normal}}
        """,
    )
    answer = await validate(hass)
    assert [unit["unit"] for unit in answer["units"]] == ["primary", "secondary_1"]
    for unit in (0, 1):
        found = registers(answer, unit)
        # What is no place in an array is not asked for.
        assert found.keys() == {"battery_soc", "battery_current", "run_mode"}
        soc = found["battery_soc"]
        assert (soc["yours"]["address"], soc["shipped"]["address"]) == (
            "index 92",
            "index 93",
        )
        assert soc["shipped"]["value"] == round(
            float(
                state(
                    hass, f"{entry.data['units'][unit]['serial_number']}_battery_soc"
                ).state
            )
        )
        assert soc["yours"]["words"] == [f"0x{soc['yours']['value']:04X}"]
        assert soc["yours"]["within_bounds"] is True
        assert found["battery_current"]["shipped"] is None
        assert found["battery_current"]["yours"]["unit"] == "A"
        assert found["battery_current"]["yours"]["value"] == 0
        assert "stands for nothing" in found["run_mode"]["yours"]["problem"]
        assert found["run_mode"]["shipped"]["value"] == "normal"


async def test_a_place_beyond_the_array(
    hass: HomeAssistant, add_simulated: AddSimulated, owners_file: Path
) -> None:
    assert await set_up(hass, add_simulated(units=1, interface="module"))
    write(owners_file, "module: {battery_soc: {index: 999}}")
    found = registers(await validate(hass))["battery_soc"]
    assert "too few" in found["yours"]["problem"]
    assert found["shipped"]["problem"] is None


async def test_a_module_that_wants_another_password(
    hass: HomeAssistant, add_simulated: AddSimulated, owners_file: Path
) -> None:
    entry = add_simulated(units=1, interface="module")
    assert await set_up(hass, entry)
    write(owners_file, "module: {battery_soc: {index: 92}}")
    (module,) = entry.runtime_data.wiring._servers
    module.password = "ANOTHER"
    found = registers(await validate(hass))["battery_soc"]
    for side in ("yours", "shipped"):
        assert found[side]["problem"] == "The module wants another password."
        assert found[side]["words"] == []


async def test_during_a_poll(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    write(owners_file, "registers: {battery_soc: {grade: field}}")
    begin_poll(hass)
    answer = await validate(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [
        registers(answer, unit)["battery_soc"]["yours"]["value"] for unit in range(3)
    ] == [
        round(wire.readings(serial)["battery_soc"])
        for serial in wire.group.serial_numbers
    ]
    assert wire.server.most_waiting == 1
    assert wire.server.clients == 1
    assert {asked.function for asked in wire.server.asked} == {
        READ_SETTINGS,
        READ_READINGS,
    }


async def test_every_kind_of_value(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    wire.group.inject(wire.primary, "fan")
    frequency = wire.readings(wire.primary)["frequency"]
    write(
        owners_file,
        """
        registers:
          frequency: {scale: 0.1}
          module_name: {grade: field}
          inverter_faults: {bits: {25: over_temperature}}
          manager_faults: {grade: field}
          run_mode: {values: {3: normal}}
          grid_status: {address: 0x0007}
          pv_energy_total: {grade: field}
          unit_quantity: {address: 0x0300}
          nothing:
            {window: legs, address: 0x0066, type: ascii, words: 2, grade: field,
             source: me}
          radiator_temperature:
            {window: live, address: 0x0008, type: s16, unit: °C, grade: field,
             source: me}
        """,
    )
    found = registers(await validate(hass))
    yours = {key: each["yours"] for key, each in found.items()}
    shipped = {key: each["shipped"] for key, each in found.items()}

    def of(sighting: dict[str, Any]) -> tuple[Any, Any, Any]:
        return sighting["value"], sighting["within_bounds"], sighting["problem"]

    assert of(yours["frequency"]) == (
        pytest.approx(10 * frequency, abs=0.1),
        False,
        None,
    )
    assert of(shipped["frequency"]) == (pytest.approx(frequency, abs=0.01), True, None)
    assert yours["frequency"]["words"] == [f"0x{round(100 * frequency):04X}"]
    assert of(yours["module_name"]) == (
        wire.readings(wire.primary)["module_name"],
        None,
        None,
    )
    assert len(yours["module_name"]["words"]) == 7
    assert of(yours["inverter_faults"]) == (["over_temperature"], None, None)
    assert of(shipped["inverter_faults"]) == (["fan"], None, None)
    assert of(yours["manager_faults"]) == ([], None, None)
    assert of(yours["run_mode"]) == ("normal", None, None)
    assert of(shipped["run_mode"]) == ("fault", None, None)
    assert of(shipped["grid_status"]) == ("on_grid", None, None)
    value, _, problem = of(yours["grid_status"])
    assert value is None
    assert "stands for nothing" in problem
    # A counter is held against what came before it, which a single look has not.
    assert of(yours["pv_energy_total"])[1:] == (None, None)
    assert of(yours["unit_quantity"]) == (19, False, None)
    assert "no value" in yours["nothing"]["problem"]
    assert yours["radiator_temperature"]["unit"] == "°C"
    assert (
        yours["radiator_temperature"]["value"]
        == (wire.readings(wire.primary)["inverter_temperature"])
    )
    assert shipped["radiator_temperature"] is None
    assert shipped["nothing"] is None


async def test_bits_that_stand_for_nothing(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    wire.group.inject(wire.primary, "fan")
    write(owners_file, "registers: {inverter_faults: {bits: {0: over_temperature}}}")
    found = registers(await validate(hass))["inverter_faults"]
    assert found["yours"]["value"] == []
    assert "stand for nothing" in found["yours"]["problem"]
    assert found["shipped"]["problem"] is None


async def test_what_an_inverter_does_not_have(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    wire = await start_group(
        units=2,
        rated_power=5000,
        served=without_windows(load_profile(), "battery_packs"),
    )
    assert await wire.set_up()
    write(
        owners_file,
        """
        registers:
          battery_count: {grade: field}
          grid_relay: {grade: field}
          pv3_power: {grade: field}
          system_units: {grade: field}
          secondary_1_battery_soc: {grade: field}
        """,
    )
    before = len(wire.server.asked)
    answer = await validate(hass)
    primary, secondary = registers(answer, 0), registers(answer, 1)
    for found in (primary, secondary):
        assert "does not serve" in found["battery_count"]["yours"]["problem"]
        assert "has no such thing" in found["pv3_power"]["yours"]["problem"]
        assert found["pv3_power"]["yours"]["words"] == []
    assert primary["grid_relay"]["yours"]["value"] == "on"
    assert primary["system_units"]["yours"]["value"] == 2
    assert primary["secondary_1_battery_soc"]["yours"]["value"] == pytest.approx(
        wire.readings(wire.group.serial_numbers[1])["battery_soc"], abs=0.5
    )
    for key in ("grid_relay", "system_units", "secondary_1_battery_soc"):
        assert "Only a primary" in secondary[key]["shipped"]["problem"]
    # Nobody was asked for what it can't have.
    of_secondary = {
        asked.address for asked in wire.server.asked[before:] if asked.unit_id == 2
    }
    assert of_secondary == {0x0000, 0x0200}


async def test_a_silent_inverter_costs_one_request(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    write(
        owners_file,
        "registers: {battery_soc: {grade: field}, l1_power: {grade: field}}",
    )
    wire.silence(wire.group.serial_numbers[1])
    before = len(wire.server.asked)
    answer = await validate(hass)
    assert registers(answer, 0)["l1_power"]["yours"]["problem"] is None
    for found in registers(answer, 1).values():
        for side in ("yours", "shipped"):
            assert found[side]["problem"] == "It did not answer."
            assert found[side]["value"] is None
    of_silent = [asked for asked in wire.server.asked[before:] if asked.unit_id == 2]
    assert of_silent == [Asked(2, READ_SETTINGS, 0x0000, 0x15)]


async def test_another_inverter_in_its_place(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    write(owners_file, "registers: {battery_soc: {grade: field}}")
    await wire.server.vanish()
    other = SimulatedGroup(
        serial_numbers=serial_numbers("OTHER", 1),
        backup_interface=BackupInterfaceType.BI_PRO,
        rated_power=7600,
        now=wire.clock,
    )
    wire.server._group = other
    wire.server._units = {unit.unit_id: unit for unit in other.units}
    await wire.server.start()
    found = registers(await validate(hass))["battery_soc"]
    assert found["yours"]["value"] is None
    assert "Another inverter answered" in found["yours"]["problem"]
    assert "Another inverter answered" in found["shipped"]["problem"]


async def test_serial_numbers_are_shortened(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    write(
        owners_file,
        """
        registers:
          serial_number: {grade: field}
          factory_name: {address: 0x0000}
          module_name: {address: 0x0001}
          battery_count: {window: identity, address: 0x0005, type: u32}
        """,
    )
    answer = await validate(hass)
    found = registers(answer)
    assert found["serial_number"]["yours"]["value"] == "…0001"
    assert found["factory_name"]["yours"]["value"] == "…0001"
    # The name that is really there is nobody's secret.
    assert found["factory_name"]["shipped"]["words"][0] == "0x536F"
    for key in ("serial_number", "factory_name", "module_name", "battery_count"):
        assert found[key]["yours"]["words"] is None
        assert len(found[key]["yours"]["value"]) <= 5
    assert wire.primary not in str(answer)
    assert wire.primary[2:] not in str(answer)


async def test_a_broken_file(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire, owners_file: Path
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    asked = wire.server.requests
    write(owners_file, "registers:\n  ac_power: {adress: 2}\n")
    with pytest.raises(ServiceValidationError) as caught:
        await validate(hass)
    error = "a1_ess_g2.yaml, line 2, registers.ac_power.adress: adress is not one of"
    assert caught.value.translation_key == "invalid_profile"
    assert error in str(caught.value)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "invalid_profile")
    assert issue is not None
    assert error in str(issue.translation_placeholders)
    assert wire.server.requests == asked
    # The group runs on with the map it was started with.
    await poll(hass)
    assert state(hass, f"{wire.primary}_group_status").state == "normal"

    write(owners_file, "registers:\n  ac_power: {grade: field}\n")
    await validate(hass)
    assert ir.async_get(hass).async_get_issue(DOMAIN, "invalid_profile") is None


async def test_no_file(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire, owners_file: Path
) -> None:
    assert await group_on_the_wire.set_up()
    with pytest.raises(ServiceValidationError) as caught:
        await validate(hass)
    assert caught.value.translation_key == "no_profile"
    assert str(owners_file) in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["# nothing yet\n", "commands: {smart_load_1_mode: {grade: field, source: me}}\n"],
    ids=["empty", "commands_only"],
)
async def test_a_file_that_corrects_no_register(
    hass: HomeAssistant,
    group_on_the_wire: GroupOnTheWire,
    owners_file: Path,
    text: str,
) -> None:
    assert await group_on_the_wire.set_up()
    asked = group_on_the_wire.server.requests
    write(owners_file, text)
    with pytest.raises(ServiceValidationError, match="corrects no register") as caught:
        await validate(hass)
    assert str(owners_file) in str(caught.value)
    assert group_on_the_wire.server.requests == asked


@pytest.mark.parametrize(
    "what", ["nowhere.yaml", "a1_ess_g2.yaml", "/dev/zero", "pipe"]
)
async def test_what_is_no_file_is_no_reason_for_the_shipped_map(
    hass: HomeAssistant,
    group_on_the_wire: GroupOnTheWire,
    owners_file: Path,
    what: str,
) -> None:
    if what == "pipe":
        os.mkfifo(owners_file)
    else:
        owners_file.symlink_to(owners_file.parent / what)
    assert not await group_on_the_wire.set_up()
    assert group_on_the_wire.server.requests == 0
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "invalid_profile")
    assert issue is not None
    owners_file.unlink()
    assert await hass.config_entries.async_reload(group_on_the_wire.entry.entry_id)
    assert ir.async_get(hass).async_get_issue(DOMAIN, "invalid_profile") is None


async def test_a_file_in_the_place_of_the_folder_is_no_map(
    group_on_the_wire: GroupOnTheWire, tmp_path: Path
) -> None:
    (tmp_path / DOMAIN).write_text("a note")
    assert await group_on_the_wire.set_up()


async def test_which_group(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    first = await start_group(units=1, prefix="FIRST")
    second = await start_group(units=2, prefix="SECOND")
    assert await first.set_up()
    assert await second.set_up()
    write(owners_file, "registers: {battery_soc: {grade: field}}")
    answer = await validate(hass, config_entry_id=second.entry.entry_id)
    assert len(answer["units"]) == 2


async def test_while_polling_is_off(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    write(owners_file, "registers: {battery_soc: {grade: field}}")
    switch = {"entity_id": entity_id(hass, f"{wire.primary}_group_polling")}
    # Switched off while an inverter is waited for.
    wire.silence(wire.group.serial_numbers[1])
    running = hass.async_create_task(validate(hass))
    assert await wire.server.asks(2)
    await hass.services.async_call("switch", "turn_off", switch, blocking=True)
    with pytest.raises(HomeAssistantError) as caught:
        await asyncio.wait_for(running, 0.5)
    assert caught.value.translation_key == "polling_is_off"

    asked = wire.server.requests
    with pytest.raises(ServiceValidationError) as refused:
        await validate(hass)
    assert refused.value.translation_key == "polling_is_off"
    assert wire.server.requests == asked
