"""The commissioning report: what it says, what it keeps to itself, where it is stored."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import NONE, OFFLINE
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .conftest import StartGroup
from .groups import GroupOnTheWire, entity_id, poll


async def report(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    answer = await hass.services.async_call(
        DOMAIN, "commissioning_report", data, blocking=True, return_response=True
    )
    assert isinstance(answer, dict)
    return answer


def section(text: Any, title: str) -> str:
    """Return one section of a report."""
    parts = str(text).split("\n## ")
    (found,) = (part for part in parts if part.startswith(f"{title}\n"))
    return found


def rows_of(text: str, word: str) -> list[list[str]]:
    """Return the rows of a table that hold ``word``, without their first column."""
    return [line.split(" | ")[1:] for line in text.splitlines() if word in line]


async def test_units_and_checks(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    wire.silence(wire.group.serial_numbers[3])
    await poll(hass)
    text = (await report(hass))["report"]
    assert text.startswith("# Commissioning report")
    units = section(text, "Inverters").splitlines()
    assert len(units) == 2 + 2 + 4
    assert "| Primary | …0001 | A1-HYB-G2 | DSP " in units[4]
    assert units[4].endswith("| 7600 W | 2 | Yes |")
    assert units[7].endswith("| No |")
    assert "| Inverters expected | 4 |" in text
    assert "| Inverters heard | 3 |" in text
    assert "| Backup interface | BI PRO |" in text
    assert "| Same firmware |" in section(text, "Pre-operation checks")
    assert "No transfer test is known of" in section(text, "Transfer test")
    assert "recorder is not running" in section(text, "Faults in the past")


async def test_what_is_unknown_is_not_invented(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2, reported=1)
    assert await wire.set_up()
    secondary = section((await report(hass))["report"], "Inverters").splitlines()[5]
    assert secondary == "| ? | ? | ? | ? | ? | ? | Yes |"


async def test_transfer_test_in_it(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await hass.services.async_call(DOMAIN, "start_transfer_test", blocking=True)
    running = section((await report(hass))["report"], "Transfer test")
    assert "A transfer test is running" in running
    assert "breaker" not in running
    for closed in (False, True):
        wire.group.grid_closed = closed
        await poll(hass, 5)
    told = section((await report(hass))["report"], "Transfer test")
    assert "Passed" in told
    assert "| Secondary 1 |" in told


async def test_faults_of_the_last_days(
    recorder_mock: Recorder, hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    assert "None." in section((await report(hass))["report"], "Faults in the past")
    serial = wire.group.serial_numbers[1]
    for ailment in ("parallel_rs485_fault", OFFLINE, "parallel_rs485_fault", NONE):
        wire.group.inject(serial, ailment)
        await poll(hass)
    # What is written again after a reload has not happened again.
    await hass.config_entries.async_reload(wire.entry.entry_id)
    await async_wait_recording_done(hass)
    faults = section((await report(hass))["report"], "Faults in the past")
    assert rows_of(faults, "RS485") == [
        ["Secondary 1", "Parallel RS485 fault (ParallelRS485 ComFault)", "Raised |"],
        ["Secondary 1", "Parallel RS485 fault (ParallelRS485 ComFault)", "Cleared |"],
    ]
    assert "keeps 10 days at most" in faults


async def test_what_came_first_is_told_first(
    recorder_mock: Recorder, hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    for ailment in ("fan", NONE):
        wire.group.inject(wire.primary, ailment)
        await poll(hass)
    await async_wait_recording_done(hass)
    faults = section((await report(hass))["report"], "Faults in the past")
    assert [row[-1] for row in rows_of(faults, "Fan")] == ["Raised |", "Cleared |"]


async def test_a_standing_fault_is_told(
    recorder_mock: Recorder, hass: HomeAssistant, start_group: StartGroup
) -> None:
    """One from before the first look was seen by nobody to come."""
    wire = await start_group(units=2)
    wire.group.inject(wire.primary, "parallel_rs485_fault")
    assert await wire.set_up()
    now = section((await report(hass))["report"], "Now")
    assert "| Status | Fault |" in now
    assert "| Root cause | Inferred: the RS485 line at Primary; reported" in now
    assert "| Primary | Parallel RS485 fault (ParallelRS485 ComFault) |" in now
    assert "| Secondary 1 | None |" in now


async def test_nobody_is_asked(hass: HomeAssistant, start_group: StartGroup) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await wire.entry.runtime_data.async_set_polling(on=False)
    now = section((await report(hass))["report"], "Now")
    assert "| Status | ? |" in now
    assert "| Root cause | Not enough is known to name a cause. |" in now
    assert "| Primary | ? |" in now


async def test_faults_that_are_not_told(
    recorder_mock: Recorder, hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3, reported=1)
    assert await wire.set_up()
    wire.silence(wire.group.serial_numbers[1])
    await poll(hass)
    text = (await report(hass))["report"]
    now = section(text, "Now")
    assert "| Primary | None |" in now
    assert "| Secondary 1 | ? |" in now
    assert "| ? | ? |" in now
    faults = section(text, "Faults in the past")
    assert "Not known, or not in full, of Secondary 1, ?:" in faults
    assert "None." not in faults


@pytest.mark.parametrize("disabled", [False, True])
async def test_faults_that_are_not_recorded(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    start_group: StartGroup,
    *,
    disabled: bool,
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    event = entity_id(hass, f"{wire.primary}_fault")
    if disabled:
        er.async_get(hass).async_update_entity(
            event, disabled_by=er.RegistryEntryDisabler.USER
        )
    else:
        recorder_mock.entity_filter = lambda each: each != event
    faults = section((await report(hass))["report"], "Faults in the past")
    assert "Not known of Primary: the fault event is disabled or not" in faults
    assert "None." not in faults


@pytest.mark.parametrize("full", [False, True])
async def test_serial_numbers(
    hass: HomeAssistant, start_group: StartGroup, *, full: bool
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    text = (await report(hass, full_serial_numbers=full))["report"]
    assert (wire.primary in text) is full


async def test_stored(
    hass: HomeAssistant, start_group: StartGroup, tmp_path: Path
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    answer = await report(hass, store=True)
    file = Path(answer["file"])
    assert file.parent == tmp_path / DOMAIN
    assert file.read_text(encoding="utf-8") == answer["report"]
    now = dt_util.now()
    with patch.object(dt_util, "now", return_value=now):
        stored = [await report(hass, store=True) for _ in range(3)]
    assert len({each["file"] for each in stored}) == len(stored)
    for each in stored:
        assert Path(each["file"]).read_text(encoding="utf-8") == each["report"]
    assert "file" not in await report(hass)


async def test_what_is_in_the_way_of_storing_is_told(
    hass: HomeAssistant, start_group: StartGroup, tmp_path: Path
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    folder = tmp_path / DOMAIN
    folder.write_text("in the way", encoding="utf-8")
    with pytest.raises(HomeAssistantError) as refused:
        await report(hass, store=True)
    assert refused.value.translation_key == "report_not_stored"
    assert refused.value.translation_placeholders == {
        "folder": str(folder),
        "error": "File exists",
    }
    assert folder.read_text(encoding="utf-8") == "in the way"
