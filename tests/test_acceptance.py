"""The transfer test in Home Assistant: started, followed, refused, ended."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_load_restore_state_from_storage,
)
import voluptuous as vol

from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import NONE, OFFLINE
from homeassistant.components.persistent_notification import (
    Notification,
    UpdateType,
    async_register_callback,
)
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import restore_state

from .conftest import Log, StartGroup
from .groups import (
    GroupOnTheWire,
    entity_id,
    poll,
    set_up,
    state,
    without_windows,
)

FASTEST = 5
"""Seconds between two polls while a test runs."""


def event_of(wire: GroupOnTheWire) -> str:
    """Return the type of the group's latest event."""
    shown = state(wire.hass, f"{wire.primary}_group_event")
    return str(shown.attributes["event_type"])


async def start(hass: HomeAssistant, **data: Any) -> None:
    await hass.services.async_call(DOMAIN, "start_transfer_test", data, blocking=True)


async def move_breaker(wire: GroupOnTheWire, *, closed: bool) -> None:
    wire.group.grid_closed = closed
    await poll(wire.hass, FASTEST)


def result(wire: GroupOnTheWire) -> dict[str, Any]:
    """Return what the sensor says of the test."""
    shown = state(wire.hass, f"{wire.primary}_group_transfer_test")
    return {"state": shown.state, **shown.attributes}


@pytest.fixture(name="told")
def collect_what_is_told(hass: HomeAssistant) -> list[str]:
    """Collect the messages that the owner gets."""
    collected: list[str] = []

    @callback
    def collect(kind: UpdateType, changed: dict[str, Notification]) -> None:
        collected.extend(each["message"] for each in changed.values())

    async_register_callback(hass, collect)
    return collected


async def test_passed(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire, told: list[str]
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    assert result(wire)["state"] == "unknown"

    await start(hass)
    assert result(wire)["state"] == "open_breaker"
    assert event_of(wire) == "transfer_test_started"
    assert "Open the main breaker now" in told[-1]
    await move_breaker(wire, closed=False)
    assert result(wire)["state"] == "close_breaker"
    assert "Close the main breaker now" in told[-1]
    await move_breaker(wire, closed=True)
    ended = result(wire)
    assert ended["state"] == "passed"
    assert ended["failure"] is None
    assert [unit["unit"] for unit in ended["units"]] == list(wire.group.serial_numbers)
    for unit in ended["units"]:
        assert 0 <= unit["off_grid_after"] <= unit["on_grid_after"]
    assert ended["started"] <= ended["ended"]
    assert event_of(wire) == "transfer_test_passed"
    assert "Passed" in told[-1]


async def test_button(hass: HomeAssistant, start_group: StartGroup) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await hass.services.async_call(
        "button",
        "press",
        {"entity_id": entity_id(hass, f"{wire.primary}_group_start_transfer_test")},
        blocking=True,
    )
    assert result(wire)["state"] == "open_breaker"


async def test_polls_faster_while_it_runs(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(
        units=1, options={"scan_interval": 300, "message_spacing": 0, "timeout": 1}
    )
    assert await wire.set_up()
    coordinator = wire.entry.runtime_data
    assert coordinator.update_interval > timedelta(seconds=290)
    await start(hass)
    assert coordinator.update_interval <= timedelta(seconds=FASTEST)
    await move_breaker(wire, closed=False)
    await move_breaker(wire, closed=True)
    assert coordinator.update_interval > timedelta(seconds=290)


async def test_out_of_time(
    hass: HomeAssistant, start_group: StartGroup, told: list[str]
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await start(hass, timeout={"minutes": 1})
    acceptance = wire.entry.runtime_data.acceptance
    acceptance.test = replace(
        acceptance.test, started=acceptance.test.started - timedelta(minutes=1)
    )
    await poll(hass, FASTEST)
    assert result(wire)["state"] == "failed"
    assert result(wire)["failure"] == "stayed_on_grid"
    assert event_of(wire) == "transfer_test_failed"
    assert "never went off-grid" in told[-1]


async def test_fault_ends_it(hass: HomeAssistant, start_group: StartGroup) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await start(hass)
    wire.group.inject(wire.group.serial_numbers[1], "off_grid_overload")
    await poll(hass, FASTEST)
    assert result(wire)["state"] == "failed"
    assert [unit["failure"] for unit in result(wire)["units"]] == [None, "fault"]


async def test_never_with_the_non_bi_layout(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2, backup_interface="none")
    assert await wire.set_up()
    with pytest.raises(ServiceValidationError, match="non-BI layout"):
        await start(hass)
    assert result(wire)["state"] == "unknown"


async def test_not_while_the_layout_is_unknown(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(
        units=2,
        served=without_windows(load_profile(), "primary_extension", "extension"),
    )
    assert await wire.set_up()
    with pytest.raises(ServiceValidationError, match="not known whether"):
        await start(hass)


async def test_not_twice(hass: HomeAssistant, start_group: StartGroup) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await start(hass)
    with pytest.raises(ServiceValidationError, match="running already"):
        await start(hass)
    assert result(wire)["state"] == "open_breaker"


@pytest.mark.parametrize(
    ("ailment", "why"), [(OFFLINE, "Not every inverter"), ("fan", "reports a fault")]
)
async def test_not_on_a_group_that_is_ill(
    hass: HomeAssistant, start_group: StartGroup, ailment: str, why: str
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    wire.group.inject(wire.group.serial_numbers[1], ailment)
    await poll(hass)
    with pytest.raises(ServiceValidationError, match=why):
        await start(hass)


async def test_not_off_grid(hass: HomeAssistant, start_group: StartGroup) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    wire.group.grid_closed = False
    await poll(hass)
    with pytest.raises(ServiceValidationError, match="off-grid already"):
        await start(hass)


@pytest.mark.parametrize("breaker_open", [False, True])
async def test_not_by_what_was_true_long_ago(
    hass: HomeAssistant, start_group: StartGroup, *, breaker_open: bool
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    # Nobody has looked since.
    if breaker_open:
        wire.group.grid_closed = False
    else:
        wire.group.inject(wire.primary, "fan")
    why = "off-grid already" if breaker_open else "reports a fault"
    with pytest.raises(ServiceValidationError, match=why):
        await start(hass)
    assert result(wire)["state"] == "unknown"


async def test_nobody_is_left_alone(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await start(hass)
    await move_breaker(wire, closed=False)
    wire.silence(wire.group.serial_numbers[1])
    for _ in range(4):
        await poll(hass, FASTEST)
    wire.group.inject(wire.group.serial_numbers[1], NONE)
    await move_breaker(wire, closed=True)
    assert result(wire)["state"] == "passed"


async def test_not_where_secondaries_tell_nothing(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2, reported=1)
    assert await wire.set_up()
    with pytest.raises(ServiceValidationError, match="could not be watched"):
        await start(hass)


@pytest.mark.parametrize("limit", [{"seconds": 29}, {"hours": 2}, "soon"])
async def test_unreasonable_time(
    hass: HomeAssistant, start_group: StartGroup, limit: Any
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    with pytest.raises(vol.Invalid):
        await start(hass, timeout=limit)


async def test_which_group(
    hass: HomeAssistant, simulated_entry: MockConfigEntry, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    assert await set_up(hass, simulated_entry)
    with pytest.raises(ServiceValidationError):
        await start(hass)
    await start(hass, config_entry_id=wire.entry.entry_id)
    assert result(wire)["state"] == "open_breaker"
    assert not simulated_entry.runtime_data.acceptance.running


async def test_reload_ends_it(
    hass: HomeAssistant, start_group: StartGroup, told: list[str]
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await start(hass)
    await hass.config_entries.async_reload(wire.entry.entry_id)
    await hass.async_block_till_done()
    assert result(wire)["state"] == "aborted"
    assert event_of(wire) == "transfer_test_aborted"
    assert "Aborted" in told[-1]


async def test_nothing_is_asked_for_a_group_that_is_gone(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    shown: dict[str, Any] = {}

    @callback
    def look(change: UpdateType, notifications: dict[str, Any]) -> None:
        if change is UpdateType.REMOVED:
            for key in notifications:
                del shown[key]
        else:
            shown.update(notifications)

    stop_looking = async_register_callback(hass, look)
    await start(hass)
    assert len(shown) == 1
    await hass.config_entries.async_remove(wire.entry.entry_id)
    await hass.async_block_till_done()
    stop_looking()
    assert shown == {}


@pytest.mark.parametrize("passed", [False, True])
async def test_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    start_group: StartGroup,
    *,
    passed: bool,
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await start(hass)
    await move_breaker(wire, closed=False)
    if passed:
        await move_breaker(wire, closed=True)
    before = result(wire)
    await restore_state.async_get(hass).async_dump_states()
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    await async_mock_load_restore_state_from_storage(hass)
    assert await set_up(hass, wire.entry)
    after = result(wire)
    assert after["state"] == ("passed" if passed else "aborted")
    assert after["units"] == before["units"]
    assert after["started"] == before["started"]


@pytest.mark.parametrize(
    ("key", "damaged"),
    [
        ("started", "2026-06-21T12:00:00"),
        ("started", "noon"),
        ("limit", float("nan")),
        ("phase", ""),
        ("ended", 0),
        ("units", {"SERIAL": {"role": "primary"}}),
    ],
)
async def test_a_damaged_result(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    start_group: StartGroup,
    logged: Log,
    key: str,
    damaged: object,
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await start(hass)
    await restore_state.async_get(hass).async_dump_states()
    (stored,) = (
        extra
        for kept in hass_storage[restore_state.STORAGE_KEY]["data"]
        if "phase" in (extra := kept["extra_data"] or {})
    )
    stored[key] = damaged
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    await async_mock_load_restore_state_from_storage(hass)
    assert await set_up(hass, wire.entry)
    assert result(wire)["state"] == STATE_UNKNOWN
    # What is damaged is not told: it could hold a serial number.
    assert logged == [
        ("WARNING", "The stored transfer test can't be read and is forgotten")
    ]
