"""The commissioning report: what it says, what it keeps to itself, where it is stored."""

from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import NONE, OFFLINE
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant

from .conftest import StartGroup
from .groups import GroupOnTheWire, poll


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
    assert "recorder is not running" in section(text, "Faults")


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
    assert "None." in section((await report(hass))["report"], "Faults")
    serial = wire.group.serial_numbers[1]
    for ailment in ("parallel_rs485_fault", OFFLINE, "parallel_rs485_fault", NONE):
        wire.group.inject(serial, ailment)
        await poll(hass)
    # What is written again after a reload has not happened again.
    await hass.config_entries.async_reload(wire.entry.entry_id)
    await async_wait_recording_done(hass)
    faults = section((await report(hass))["report"], "Faults")
    rows = [line.split(" | ")[1:] for line in faults.splitlines() if "RS485" in line]
    assert rows == [
        ["Secondary 1", "Parallel RS485 fault (ParallelRS485 ComFault)", "Raised |"],
        ["Secondary 1", "Parallel RS485 fault (ParallelRS485 ComFault)", "Cleared |"],
    ]
    assert "keeps 10 days at most" in faults


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
    assert "file" not in await report(hass)
