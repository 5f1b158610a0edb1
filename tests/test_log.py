"""What a log tells may be shown to anybody: no serial number, no address, no path."""

import asyncio
from collections.abc import Iterator
import logging
from pathlib import Path

import pytest

from custom_components.solax_parallel.a1_ess.inverter_state import SILENT_POLLS
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.simulator.group import NONE
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant

from .conftest import StartGroup
from .groups import IMPATIENT, GroupOnTheWire, poll, state

OTHERS = ("homeassistant.core", "homeassistant.helpers.entity", "homeassistant.loader")
"""Whose log lines are Home Assistant's own affair: events, and what developers of it look for."""


TALKING = ("custom_components", "homeassistant", "pymodbus")
"""Which loggers have to tell, whatever other tests have silenced."""


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """All that is logged above debug, tracebacks included."""
    found: list[str] = []

    class _Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.name.startswith(OTHERS):
                found.append(self.format(record))

    handler = _Collect(logging.INFO)
    loggers = [logging.getLogger(name) for name in ("", *TALKING)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.INFO)
    loggers[0].addHandler(handler)
    yield found
    loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


async def test_nothing_private_is_logged(
    hass: HomeAssistant,
    start_group: StartGroup,
    owners_file: Path,
    lines: list[str],
) -> None:
    owners_file.write_text("registers: {battery_soc: {address: 0xFFFF}}")
    wire = await start_group(options=IMPATIENT)
    hass.config_entries.async_update_entry(wire.entry, title="SolaX Parallel")
    assert not await wire.set_up()
    assert any("0xFFFF" in line for line in lines), "a mistake in the map is told"
    owners_file.unlink()

    # Nobody, then everybody, then one not, then a stranger, then nobody again.
    await wire.server.vanish()
    await hass.config_entries.async_reload(wire.entry.entry_id)
    await wire.server.start()
    await hass.config_entries.async_reload(wire.entry.entry_id)
    secondary = wire.group.serial_numbers[1]
    wire.silence(secondary)
    await poll(hass)
    assert state(hass, f"{secondary}_ac_power").state == STATE_UNAVAILABLE
    wire.group.inject(secondary, NONE)
    await poll(hass)
    right = wire.server._units
    wire.server._units = {**right, 2: right[3], 3: right[2]}
    await wire.server.restart(load_profile())
    await poll(hass)
    wire.server._units = right
    await wire.server.vanish()
    await poll(hass)
    await wire.server.start()
    await poll(hass)

    for told in ("does not answer", "answers again", "another inverter answers"):
        assert any(told in line for line in lines), told
    private = (
        *wire.group.serial_numbers,
        "127.0.0.1",
        str(wire.server.port),
        str(owners_file.parent),
    )
    assert [line for line in lines if any(word in line for word in private)] == []


async def test_readings_that_nobody_can_be_reached_for_are_told_without_an_address(
    hass: HomeAssistant, wire: GroupOnTheWire, lines: list[str]
) -> None:
    legs = load_profile().windows["legs"]
    going: list[asyncio.Task[None]] = []

    def vanish(reply: bytes) -> bytes:
        if not legs.first <= wire.server.asked[-1].address <= legs.last:
            return reply
        going.append(asyncio.create_task(wire.server.stop()))
        return b""

    wire.server.mangled[2] = vanish
    for _ in range(SILENT_POLLS):
        await poll(hass)
        await asyncio.gather(*going)
        await wire.server.start()

    told = [line for line in lines if "readings legs of secondary" in line]
    assert len(told) == 1
    reason = told[0].removeprefix(wire.entry.title)
    assert "127.0.0.1" not in reason
    assert str(wire.server.port) not in reason
