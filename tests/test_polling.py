"""The polling switch: what it stops, what stays known, and that it can be used at any time."""

import asyncio
from collections.abc import Mapping
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_load_restore_state_from_storage,
)

from custom_components.solax_parallel.a1_ess.inverter_state import Presence
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import CONF_POLLING, CONF_UNITS, DOMAIN
from custom_components.solax_parallel.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.solax_parallel.simulator.group import NONE
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    entity_registry as er,
    issue_registry as ir,
    restore_state,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .a1_ess.wire import crowded
from .conftest import AddSimulated, Log, StartGroup
from .contract import ENERGY_TOTALS
from .groups import (
    GroupOnTheWire,
    begin_poll,
    entity_id,
    halved,
    is_loaded,
    poll,
    set_up,
    state,
)
from .test_report import report
from .test_totals import History, energies, falls, history  # noqa: F401

STAYING_ENERGIES = (
    "pv_energy_total",
    "battery_charged_total",
    "battery_discharged_total",
    "backup_energy_total",
    "output_energy_total",
    "grid_import_total",
    "grid_export_total",
)


async def switch(hass: HomeAssistant, group_id: str, *, on: bool) -> float:
    """Switch polling on or off, and return how many seconds that took."""
    begun = time.monotonic()
    await hass.services.async_call(
        "switch",
        "turn_on" if on else "turn_off",
        {"entity_id": entity_id(hass, f"{group_id}_group_polling")},
        blocking=True,
    )
    return time.monotonic() - begun


async def switch_off(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    """Switch polling off and see that the links are closed."""
    await switch(hass, wire.primary, on=False)
    assert await wire.server.left_alone()


async def switch_on(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    """Switch polling on and wait for the end of the first poll."""
    await switch(hass, wire.primary, on=True)
    await hass.async_block_till_done(wait_background_tasks=True)


async def hours_pass(hass: HomeAssistant) -> None:
    """Let every timer run out."""
    async_fire_time_changed(hass, dt_util.utcnow(), fire_all=True)
    await hass.async_block_till_done(wait_background_tasks=True)


async def restart(hass: HomeAssistant, wire: GroupOnTheWire) -> bool:
    """Let Home Assistant forget all but what it has on its disk."""
    await restore_state.async_get(hass).async_dump_states()
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    await async_mock_load_restore_state_from_storage(hass)
    return await set_up(hass, wire.entry)


def by_unique_id(hass: HomeAssistant, entry: MockConfigEntry) -> Mapping[str, str]:
    """Return the state of every enabled entity that is there, by unique id."""
    return {
        entity.unique_id: found.state
        for entity in er.async_entries_for_config_entry(
            er.async_get(hass), entry.entry_id
        )
        if (found := hass.states.get(entity.entity_id)) is not None
        and "restored" not in found.attributes
    }


def assert_quiet_states(
    hass: HomeAssistant, wire: GroupOnTheWire, before: Mapping[str, str]
) -> None:
    """Check every entity of a group whose polling is off; ``before`` is what it said last."""
    now = dict(by_unique_id(hass, wire.entry))
    group = f"{wire.primary}_group"
    assert now.pop(f"{group}_polling") == STATE_OFF
    # What tells of silence has to say that it is not known.
    for key in ("status", "units_online", "complete"):
        assert now.pop(f"{group}_{key}") == STATE_UNKNOWN, key
    for serial in wire.entry.data[CONF_UNITS]:
        for key in ("last_seen", "failed_polls"):
            now.pop(f"{serial['serial_number']}_{key}", None)
    stays = {
        unique_id
        for unique_id in before
        if unique_id.endswith(STAYING_ENERGIES)
        and unique_id.startswith((group, *wire.group.serial_numbers))
        and "smart_load" not in unique_id
    }
    assert len(stays) >= len(ENERGY_TOTALS)
    for unique_id in stays:
        assert now.pop(unique_id) == before[unique_id], unique_id
    assert set(now.values()) == {STATE_UNAVAILABLE}


async def test_off_and_on(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire, logged: Log
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up(disabled_too=True)
    before = by_unique_id(hass, wire.entry)
    assert STATE_UNAVAILABLE not in before.values()
    last_seen = before[f"{wire.primary}_last_seen"]

    await switch_off(hass, wire)
    assert_quiet_states(hass, wire, before)
    assert state(hass, f"{wire.primary}_last_seen").state == last_seen
    attributes = state(hass, f"{wire.primary}_group_pv_energy_total").attributes
    assert attributes["members_included"] == 0
    assert attributes["complete"] is False

    asked = wire.server.requests
    await hours_pass(hass)
    assert wire.server.requests == asked
    assert wire.server.clients == 0
    assert_quiet_states(hass, wire, before)

    await switch_on(hass, wire)
    after = dict(by_unique_id(hass, wire.entry))
    for serial in wire.group.serial_numbers:
        assert after.pop(f"{serial}_last_seen") >= last_seen
        assert float(after.pop(f"{serial}_reply_time")) > 0
    assert float(after.pop(f"{wire.primary}_group_poll_share")) > 0
    assert after == {key: before[key] for key in after}
    asked = wire.server.requests
    await poll(hass)
    assert wire.server.requests > asked, "it goes on by itself"
    assert logged == []


@pytest.mark.timed
async def test_what_was_on_its_way_is_given_up(
    hass: HomeAssistant, group_on_the_wire: GroupOnTheWire, logged: Log
) -> None:
    wire = group_on_the_wire
    assert await wire.set_up()
    tasks = asyncio.all_tasks()
    before = by_unique_id(hass, wire.entry)
    wire.silence(wire.group.serial_numbers[1])
    begin_poll(hass)
    assert await wire.server.asks(wire.group.units[1].unit_id)
    assert await switch(hass, wire.primary, on=False) < 0.5
    assert await wire.server.left_alone()
    asked = wire.server.requests
    await hass.async_block_till_done(wait_background_tasks=True)
    await asyncio.sleep(1.2)
    assert wire.server.requests == asked
    assert wire.server.clients == 0
    assert_quiet_states(hass, wire, before)
    assert asyncio.all_tasks() <= tasks
    assert logged == []


@pytest.mark.timed
@pytest.mark.parametrize("moment", [0.0, 0.01, 0.05, 0.1, 0.15])
async def test_at_any_moment_of_a_poll(
    hass: HomeAssistant, start_group: StartGroup, logged: Log, moment: float
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await switch_off(hass, wire)
    await switch(hass, wire.primary, on=True)
    # pymodbus waits a tenth of a second once a link is open.
    await asyncio.sleep(moment)
    await switch_off(hass, wire)
    assert state(hass, f"{wire.primary}_group_status").state == STATE_UNKNOWN
    asked = wire.server.requests
    await hours_pass(hass)
    assert wire.server.requests == asked
    assert wire.server.clients == 0
    assert state(hass, f"{wire.primary}_group_status").state == STATE_UNKNOWN
    await switch_on(hass, wire)
    assert state(hass, f"{wire.primary}_group_status").state == "normal"
    assert logged == []


@pytest.mark.timed
async def test_while_a_link_can_not_be_opened(
    hass: HomeAssistant, start_group: StartGroup, logged: Log
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await wire.server.vanish()
    with crowded(wire.server.port):
        begin_poll(hass)
        await asyncio.sleep(0.1)
        assert await switch(hass, wire.primary, on=False) < 0.5
    assert state(hass, f"{wire.primary}_group_status").state == STATE_UNKNOWN
    assert logged == []


@pytest.mark.parametrize("how", ["reload", "restart", "options"])
async def test_it_stays_off(
    hass: HomeAssistant, start_group: StartGroup, logged: Log, how: str
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    before = by_unique_id(hass, wire.entry)
    await switch_off(hass, wire)
    asked = wire.server.requests
    if how == "restart":
        assert await restart(hass, wire)
    elif how == "reload":
        assert await hass.config_entries.async_reload(wire.entry.entry_id)
    else:
        flow = await hass.config_entries.options.async_init(wire.entry.entry_id)
        await hass.config_entries.options.async_configure(
            flow["flow_id"], {"scan_interval": 20, "message_spacing": 0, "timeout": 1}
        )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert is_loaded(wire.entry)
    assert_quiet_states(hass, wire, before)
    await hours_pass(hass)
    assert wire.server.requests == asked
    assert wire.server.clients == 0

    await switch_on(hass, wire)
    after = by_unique_id(hass, wire.entry)
    assert after.keys() == before.keys()
    assert STATE_UNAVAILABLE not in after.values()
    assert logged == []


async def test_setup_while_off_needs_nobody(
    hass: HomeAssistant, start_group: StartGroup, logged: Log
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await switch_off(hass, wire)
    await wire.server.vanish()
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    assert is_loaded(wire.entry)
    assert logged == []
    # Asked again, it is honest about the silence.
    await switch_on(hass, wire)
    assert state(hass, f"{wire.primary}_group_status").state == "offline"
    assert state(hass, f"{wire.primary}_group_units_online").state == "0"
    assert [level for level, _ in logged] == ["ERROR"]
    # And can be switched off, since that is when it is needed most.
    await switch_off(hass, wire)
    assert state(hass, f"{wire.primary}_group_status").state == STATE_UNKNOWN


async def test_energies_neither_fall_nor_jump(
    hass: HomeAssistant,
    start_group: StartGroup,
    history: History,  # noqa: F811
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    before = energies(hass, wire)
    gaps: list[str] = []

    @callback
    def note_gap(event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        if new is not None and new.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
            gaps.append(new.entity_id)

    await switch_off(hass, wire)
    forget = hass.bus.async_listen(EVENT_STATE_CHANGED, note_gap)
    wire.clock.move(hours=2)
    for inverter in wire.entry.runtime_data.wiring.group.inverters.values():
        inverter._clock = lambda: time.monotonic() + 7200
    await hours_pass(hass)
    assert energies(hass, wire) == before
    await switch_on(hass, wire)
    forget()
    assert not {
        entity_id(hass, f"{owner}_{key}")
        for key in ENERGY_TOTALS
        for owner in (wire.primary, f"{wire.primary}_group")
    } & set(gaps)
    after = energies(hass, wire)
    assert float(after["pv_energy_total"]) > float(before["pv_energy_total"]) + 10

    await switch_off(hass, wire)
    for _ in range(2):
        assert await restart(hass, wire)
        assert energies(hass, wire) == after
    wire.silence(wire.group.serial_numbers[1])
    await switch_on(hass, wire)
    assert energies(hass, wire) == after
    assert falls(history) == {}


async def test_what_a_smart_load_has_drawn_does_not_fall(
    hass: HomeAssistant,
    start_group: StartGroup,
    history: History,  # noqa: F811
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    key = "smart_load_1_energy_total"
    total = f"{wire.primary}_{key}"
    before = state(hass, total).state
    assert float(before) > 0
    await switch_off(hass, wire)
    assert state(hass, total).state == STATE_UNAVAILABLE
    for _ in range(2):
        assert await restart(hass, wire)
    await wire.server.restart(halved(load_profile(), key))
    await switch_on(hass, wire)
    assert state(hass, total).state == STATE_UNKNOWN
    await wire.server.restart(load_profile())
    await poll(hass)
    assert state(hass, total).state == before
    assert falls(history) == {}


async def test_a_silent_inverter_before_and_after(
    hass: HomeAssistant, start_group: StartGroup, logged: Log
) -> None:
    wire = await start_group(units=2)
    silent = wire.group.serial_numbers[1]
    assert await wire.set_up()
    wire.silence(silent)
    for _ in range(3):
        await poll(hass)
    assert [level for level, _ in logged] == ["WARNING"]
    # It rests now, and would not be asked for a minute.
    await switch_off(hass, wire)
    assert state(hass, f"{silent}_pv_energy_total").state != STATE_UNAVAILABLE
    asked = len(wire.server.asked)
    wire.group.inject(silent, NONE)
    await switch_on(hass, wire)
    assert 2 in {asked.unit_id for asked in wire.server.asked[asked:]}
    assert state(hass, f"{silent}_ac_power").state != STATE_UNAVAILABLE
    assert len(logged) == 1


async def test_no_value_from_before_stands_in_for_a_bad_one(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    voltage = f"{wire.primary}_l1_voltage"
    before = state(hass, voltage).state
    coordinator = wire.entry.runtime_data
    (inverter,) = coordinator.wiring.group.inverters.values()
    served = inverter._profile.registers["l1_voltage"]
    pokes = {served.address: 0xF000}

    answer = wire.server._answer

    async def lie(*args: Any) -> Any:
        result = await answer(*args)
        _, _, first, address, count, registers, _ = args
        for at, word in pokes.items():
            if address <= at < address + count:
                registers[at - first] = word
        return result

    wire.server._answer = lie  # type: ignore[assignment,method-assign]
    await wire.server.vanish()
    await wire.server.start()
    await poll(hass)
    assert state(hass, voltage).state == before, "the last good one stands in"
    await switch_off(hass, wire)
    await switch_on(hass, wire)
    assert state(hass, voltage).state == STATE_UNAVAILABLE


async def test_nobody_else_makes_it_ask(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await async_setup_component(hass, "homeassistant", {})
    assert await wire.set_up()
    await switch_off(hass, wire)
    asked = wire.server.requests
    await hass.services.async_call(
        "homeassistant",
        "update_entity",
        {"entity_id": entity_id(hass, f"{wire.primary}_group_status")},
        blocking=True,
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            "solax_parallel", "start_transfer_test", blocking=True
        )
    assert caught.value.translation_key == "polling_is_off"
    assert wire.server.requests == asked
    assert state(hass, f"{wire.primary}_group_status").state == STATE_UNKNOWN


async def test_nobody_watches_a_transfer_test_any_more(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await hass.services.async_call(
        "solax_parallel", "start_transfer_test", blocking=True
    )
    await switch_off(hass, wire)
    assert wire.entry.runtime_data.update_interval is None
    await switch_on(hass, wire)
    assert state(hass, f"{wire.primary}_group_transfer_test").state == "aborted"


async def test_report_says_what_is_not_known(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await poll(hass)
    await switch_off(hass, wire)
    text = (await report(hass))["report"]
    assert "| Inverters heard | ? |" in text
    assert (
        "| Primary | …0001 | A1-HYB-G2 | DSP 1.09 / ARM 1.12 | 7600 W | 2 | ? |" in text
    )
    assert "| Same firmware | Unknown |" in text


async def test_diagnostics_say_that_nobody_asks(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await switch_off(hass, wire)
    told = await async_get_config_entry_diagnostics(hass, wire.entry)
    assert told["data"][CONF_POLLING] is False
    assert told["group"]["status"] is None
    assert {member["presence"] for member in told["group"]["members"].values()} == {
        "unasked"
    }


async def test_no_issue_stands_or_is_raised(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await wire.server.vanish()
    wire.server._units = {1: wire.group.units[0], 2: wire.group.units[0]}
    await wire.server.start()
    await poll(hass)
    assert len(ir.async_get(hass).issues) == 1
    await switch_off(hass, wire)
    assert len(ir.async_get(hass).issues) == 0
    await hours_pass(hass)
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    assert len(ir.async_get(hass).issues) == 0
    await switch_on(hass, wire)
    assert len(ir.async_get(hass).issues) == 1


async def test_two_entries_behind_one_gateway(
    hass: HomeAssistant, start_group: StartGroup, logged: Log
) -> None:
    wire = await start_group(units=2)
    first = wire.entry
    units = first.data[CONF_UNITS]
    hass.config_entries.async_update_entry(first, data={CONF_UNITS: units[:1]})
    second = MockConfigEntry(
        domain=DOMAIN,
        unique_id=wire.group.serial_numbers[1],
        data={CONF_UNITS: units[1:]},
        options=first.options,
    )
    second.add_to_hass(hass)
    assert await set_up(hass, first)
    assert await set_up(hass, second)
    assert wire.server.clients == 1

    await switch(hass, wire.group.serial_numbers[0], on=False)
    asked = len(wire.server.asked)
    await poll(hass)
    assert {asked.unit_id for asked in wire.server.asked[asked:]} == {2}
    assert wire.server.clients == 1
    # The last one that asks closes the link, whoever else may ask again one day.
    await switch(hass, wire.group.serial_numbers[1], on=False)
    assert await wire.server.left_alone()
    await switch(hass, wire.group.serial_numbers[0], on=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert wire.server.clients == 1
    assert await hass.config_entries.async_unload(first.entry_id)
    assert await wire.server.left_alone()
    await switch(hass, wire.group.serial_numbers[1], on=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    voltage = state(hass, f"{wire.group.serial_numbers[1]}_l1_voltage")
    assert voltage.state != STATE_UNAVAILABLE
    assert logged == []


async def test_secondaries_that_only_the_primary_tells_of(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3, reported=2)
    assert await wire.set_up()
    before = by_unique_id(hass, wire.entry)
    await switch_off(hass, wire)
    now = by_unique_id(hass, wire.entry)
    assert now[f"{wire.primary}_secondary_1_ac_power"] == STATE_UNAVAILABLE
    await switch_on(hass, wire)
    assert by_unique_id(hass, wire.entry) == before


async def test_back_and_forth_in_a_hurry(
    hass: HomeAssistant, start_group: StartGroup, logged: Log
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    for end in (True, False):
        await asyncio.gather(
            *(
                switch(hass, wire.primary, on=on)
                for on in (False, True, False, True, not end, end)
            )
        )
        await hass.async_block_till_done(wait_background_tasks=True)
        expected = STATE_ON if end else STATE_OFF
        assert state(hass, f"{wire.primary}_group_polling").state == expected
        assert wire.entry.data[CONF_POLLING] is end
        status = state(hass, f"{wire.primary}_group_status").state
        assert status == ("normal" if end else STATE_UNKNOWN)
    assert await wire.server.left_alone()
    assert logged == []


async def test_nothing_is_told_before_the_first_poll_is_over(
    hass: HomeAssistant, start_group: StartGroup, logged: Log
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up(disabled_too=True)
    before = by_unique_id(hass, wire.entry)
    await switch_off(hass, wire)
    quiet = by_unique_id(hass, wire.entry)
    wire.silence(wire.primary)
    wire.server.asked_last = 0
    await switch(hass, wire.primary, on=True)
    assert await wire.server.asks(1)
    # Whatever makes the entities look at what they have.
    wire.entry.runtime_data.async_abort_transfer_test()
    presence = f"{wire.primary}_presence"
    assert state(hass, presence).state == quiet[presence] == STATE_UNAVAILABLE
    wire.group.inject(wire.primary, NONE)
    await hass.async_block_till_done(wait_background_tasks=True)
    await poll(hass)
    assert state(hass, presence).state == before[presence] == Presence.HEARD
    assert [message for _, message in logged if "listener" in message] == []


async def test_as_soon_as_it_is_there(
    hass: HomeAssistant, start_group: StartGroup, logged: Log
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    polling = entity_id(hass, f"{wire.primary}_group_polling")
    calls: list[asyncio.Task[float]] = []

    @callback
    def at_once(event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        if (
            event.data["entity_id"] == polling
            and new is not None
            and new.state == STATE_ON
            and not calls
        ):
            calls.append(hass.async_create_task(switch(hass, wire.primary, on=False)))

    hass.bus.async_listen(EVENT_STATE_CHANGED, at_once)
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    (call,) = calls
    await call
    assert await wire.server.left_alone()
    assert is_loaded(wire.entry)
    assert state(hass, polling_id := f"{wire.primary}_group_polling").state == STATE_OFF
    assert state(hass, f"{wire.primary}_ac_power").state == STATE_UNAVAILABLE
    await switch_on(hass, wire)
    assert state(hass, polling_id).state == STATE_ON
    assert logged == []


async def test_unload_while_it_is_switched(
    hass: HomeAssistant, start_group: StartGroup, logged: Log
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    tasks = asyncio.all_tasks()
    wire.silence(*wire.group.serial_numbers)
    begin_poll(hass)
    assert await wire.server.asks(1)
    calls = [
        hass.async_create_task(switch(hass, wire.primary, on=on))
        for on in (False, True, False)
    ]
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    await asyncio.gather(*calls)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await wire.server.left_alone()
    assert asyncio.all_tasks() <= tasks
    assert logged == []


async def test_simulated_group(
    hass: HomeAssistant, add_simulated: AddSimulated
) -> None:
    entry = add_simulated(units=2)
    assert await set_up(hass, entry)
    assert entry.unique_id is not None
    await switch(hass, entry.unique_id, on=False)
    for key in ("group_simulated_grid", "injected_fault"):
        assert state(hass, f"{entry.unique_id}_{key}").state == STATE_UNAVAILABLE
    await switch(hass, entry.unique_id, on=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, f"{entry.unique_id}_group_simulated_grid").state == STATE_ON
    assert state(hass, f"{entry.unique_id}_group_status").state == "normal"
