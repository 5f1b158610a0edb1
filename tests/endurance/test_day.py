"""A day of polls in a few minutes: what it shows at its end, and what it has left in memory."""

from custom_components.solax_parallel.const import DEFAULT_SCAN_INTERVAL
from custom_components.solax_parallel.simulator.group import NONE
from homeassistant.core import HomeAssistant
from tests.conftest import Log, StartGroup
from tests.groups import IMPATIENT, poll, state

from .conftest import Kept

DAY = 24 * 3600
"""In seconds."""
EVENTS = (
    ("overload", 0),
    ("offline", 2),
    ("parallel_rs485_fault", 1),
    ("fan", 3),
)
"""What happens now and then, and to whom."""
APART = 12
"""Polls between two of these."""
ROUND = APART * len(EVENTS)
GROWTH = 100
"""Objects of ours that may be kept at the end and not when everything has happened once."""


async def test_memory_stays_flat(
    hass: HomeAssistant,
    start_group: StartGroup,
    to_the_end: bool,
    warnings: Log,
    report: list[str],
) -> None:
    wire = await start_group(options=IMPATIENT)
    assert await wire.set_up()
    polls = DAY // DEFAULT_SCAN_INTERVAL if to_the_end else 2 * ROUND
    early: Kept | None = None
    lost = 0
    for number in range(polls):
        fault, unit = EVENTS[number // APART % len(EVENTS)]
        serial = wire.group.serial_numbers[unit]
        if number % APART == 3:
            wire.group.inject(serial, fault)
            lost += fault == "offline"
        elif number % APART == 7:
            wire.group.inject(serial, NONE)
        wire.pass_time(DEFAULT_SCAN_INTERVAL)
        await poll(hass)
        # What the server remembers is not ours.
        wire.server.asked.clear()
        if number == ROUND:
            early = Kept.now()
    # The last one may still be left alone for a minute.
    for serial in wire.group.serial_numbers:
        wire.group.inject(serial, NONE)
    for _ in range(8):
        wire.pass_time(DEFAULT_SCAN_INTERVAL)
        await poll(hass)
    late = Kept.now()
    report.append(f"{polls} polls: after {ROUND} {early}, at the end {late}")
    assert early is not None
    assert late.tasks <= early.tasks
    assert late.ours - early.ours < GROWTH
    assert state(hass, f"{wire.primary}_group_status").state in ("normal", "off_grid")
    assert state(hass, f"{wire.primary}_group_units_online").state == "4"
    # Silence is all that is complained about, once each time; a busy machine may be late, too.
    assert lost <= len(warnings) <= 1.1 * lost
    assert all("does not answer" in message for _, message in warnings)
