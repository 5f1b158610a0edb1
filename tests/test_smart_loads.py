"""Smart loads in Home Assistant: what can be commanded, what is shown, and what is never sent."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
import re
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.solax_parallel.a1_ess.control import CommandRefusedError, Kind
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.commands import async_command
from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import NONE, OFFLINE, Relay
from homeassistant.const import (
    EVENT_HOMEASSISTANT_STOP,
    EVENT_STATE_CHANGED,
    STATE_UNAVAILABLE,
    Platform,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er

from .conftest import AddSimulated, Log, StartGroup
from .contract import entities_of
from .groups import (
    CONTROLLED,
    QUICK,
    GroupOnTheWire,
    begin_poll,
    coded,
    devices,
    entity_id,
    poll,
    set_up,
    state,
    without_windows,
)
from .test_contracts import registered

RESTLESS = {**CONTROLLED, "minimum_switch_time": 0}
"""Options of a group whose relays need no time between two switchings."""


@pytest.fixture
def owners_file(tmp_path: Path) -> Path:
    """Return where the owner's register map belongs; the folder is there."""
    (tmp_path / DOMAIN).mkdir()
    return tmp_path / DOMAIN / "a1_ess_g2.yaml"


@pytest.fixture
def proven(owners_file: Path) -> None:
    """Let the owner have proven every command."""
    entries = "".join(
        f"  {key}: {{grade: field, source: my relays}}\n"
        for key in load_profile().commands
    )
    owners_file.write_text(f"commands:\n{entries}")


@pytest.fixture
async def wire(start_group: StartGroup, proven: None) -> GroupOnTheWire:
    """Return a group of two whose smart loads can be commanded, set up."""
    group = await start_group(units=2, options=RESTLESS)
    assert await group.set_up()
    return group


def load(wire: GroupOnTheWire, number: int, key: str = "state") -> str:
    """Return the unique id of what belongs to a smart load."""
    return f"{wire.primary}_smart_load_{number}_{key}"


async def switch(hass: HomeAssistant, unique_id: str, to: str) -> None:
    """Switch a smart load, as a person would."""
    await hass.services.async_call(
        "switch", f"turn_{to}", {"entity_id": entity_id(hass, unique_id)}, blocking=True
    )


async def set_mode(hass: HomeAssistant, unique_id: str, mode: str) -> None:
    """Choose who switches a smart load, as a person would."""
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": entity_id(hass, unique_id), "option": mode},
        blocking=True,
    )


async def options_form(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Return the fields of the options' dialog, which stays open, by their names."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["data_schema"] is not None
    return {
        "flow_id": result["flow_id"],
        **{str(field): value for field, value in result["data_schema"].schema.items()},
    }


async def change_options(
    hass: HomeAssistant, entry: MockConfigEntry, **options: Any
) -> None:
    """Change options in the dialog, and wait for what comes of it."""
    form = await options_form(hass, entry)
    shown = {key: entry.options[key] for key in form if key in entry.options}
    # What is not sent along is not taken back.
    shown.pop("smart_loads", None)
    result = await hass.config_entries.options.async_configure(
        form["flow_id"], {**shown, **options}
    )
    assert result["type"] == "create_entry"
    await hass.async_block_till_done(wait_background_tasks=True)


# --- commanding -----------------------------------------------------------------------


async def test_a_load_is_switched(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    assert state(hass, load(wire, 3)).state == "off"
    await switch(hass, load(wire, 3), "on")
    # Nobody had to wait for a poll.
    assert state(hass, load(wire, 3)).state == "on"
    assert float(state(hass, load(wire, 3, "power")).state) == pytest.approx(
        350, abs=20
    )
    await switch(hass, load(wire, 3), "off")
    assert state(hass, load(wire, 3)).state == "off"
    assert float(state(hass, load(wire, 3, "power")).state) == 0
    assert wire.server.writes == [(1, 0x0312, 1), (1, 0x0312, 0)]


async def test_a_mode_is_set(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    assert state(hass, load(wire, 1, "mode")).state == "automatic"
    assert state(hass, load(wire, 1)).state == "on"
    await set_mode(hass, load(wire, 1, "mode"), "disabled")
    assert state(hass, load(wire, 1, "mode")).state == "disabled"
    assert state(hass, load(wire, 1)).state == "off"
    await set_mode(hass, load(wire, 1, "mode"), "manual")
    assert state(hass, load(wire, 1, "mode")).state == "manual"
    assert wire.server.writes == [(1, 0x0318, 0), (1, 0x0318, 1)]


async def test_several_at_once(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    await asyncio.gather(
        switch(hass, load(wire, 3), "on"),
        switch(hass, load(wire, 4), "on"),
        set_mode(hass, load(wire, 5, "mode"), "manual"),
    )
    assert state(hass, load(wire, 3)).state == "on"
    assert state(hass, load(wire, 4)).state == "on"
    assert state(hass, load(wire, 5, "mode")).state == "manual"
    assert sorted(wire.server.writes) == [
        (1, 0x0312, 1),
        (1, 0x0313, 1),
        (1, 0x031C, 1),
    ]


async def test_no_poll_shows_an_old_value_after_a_command(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    secondary = wire.group.serial_numbers[1]
    wire.silence(secondary)
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    begin_poll(hass)
    # The primary has told its old state, and the poll still waits for the secondary.
    assert await wire.server.asks(2)
    await switch(hass, load(wire, 3), "on")
    await hass.async_block_till_done(wait_background_tasks=True)
    await poll(hass)
    assert [
        event.data["new_state"].state
        for event in changes
        if event.data["entity_id"] == entity_id(hass, load(wire, 3))
    ] == ["on"]
    assert wire.server.writes == [(1, 0x0312, 1)]


async def refusal(
    hass: HomeAssistant, wire: GroupOnTheWire, number: int = 3, to: str = "on"
) -> str:
    """Return what is said when a command is refused, of which nothing may be sent."""
    before = list(wire.server.writes)
    with pytest.raises(ServiceValidationError) as caught:
        await switch(hass, load(wire, number), to)
    assert wire.server.writes == before
    return str(caught.value)


async def test_a_load_in_automatic_mode_is_not_switched(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    assert await refusal(hass, wire, 1, "off") == (
        "Smart load 1 was not switched, it says: on. It is not in mode manual, so a command "
        "would do nothing now and might switch it unasked later. Set its mode to manual first"
    )


async def test_a_relay_gets_its_time(
    hass: HomeAssistant, start_group: StartGroup, proven: None
) -> None:
    wire = await start_group(units=1, options=CONTROLLED)
    assert await wire.set_up()
    await switch(hass, load(wire, 3), "on")
    said = await refusal(hass, wire, 3, "off")
    assert said.startswith("Smart load 3 was not changed, it says: on. ")
    found = re.search(r"Try again in (\d+) s", said)
    assert found is not None
    # It counts from the moment it switched, and then it had to hold.
    assert 50 <= int(found[1]) <= 59
    # Neither a reload nor other options make the relay forget.
    await change_options(hass, wire.entry, minimum_switch_time=600)
    found = re.search(r"again in (\d+) s", await refusal(hass, wire, 3, "off"))
    assert found is not None
    assert 590 <= int(found[1]) <= 600
    await change_options(hass, wire.entry, minimum_switch_time=0)
    await switch(hass, load(wire, 3), "off")
    assert [value for *_, value in wire.server.writes] == [1, 0]


async def test_a_primary_that_went_silent_just_now(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    wire.silence(wire.primary)
    said = await refusal(hass, wire)
    assert said.startswith(
        "Smart load 3 was not changed: the primary inverter does not"
    )


async def test_a_value_that_the_owner_took_out(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    owners_file.write_text(
        "commands:\n"
        "  smart_load_3_mode: {values: {0: disabled, 1: manual}, grade: field, source: me}\n"
    )
    wire = await start_group(units=1, options=RESTLESS)
    assert await wire.set_up()
    with pytest.raises(ServiceValidationError, match="has no code for automatic"):
        await set_mode(hass, load(wire, 3, "mode"), "automatic")
    assert wire.server.writes == []


STUBBORN = {
    Relay.STUCK: (
        (
            "The primary inverter took the command (on), but did not confirm it within 3 seconds. "
            "Smart load 3 now says: off. "
        ),
        4,
    ),
    Relay.REFUSING: (
        (
            "The primary inverter answered the command (on) with an error. "
            "Smart load 3 now says: off. "
        ),
        1,
    ),
    Relay.MUTE: (
        (
            "No answer came to the command (on), so it is not known whether it arrived. "
            "Smart load 3 now says: on. "
        ),
        3,
    ),
}
"""What is said of each kind of relay, within how many seconds."""


@pytest.mark.parametrize("relay", STUBBORN)
async def test_a_relay_that_does_not_obey(
    hass: HomeAssistant,
    wire: GroupOnTheWire,
    relay: Relay,
) -> None:
    says, seconds = STUBBORN[relay]
    wire.group.relay = relay
    begun = time.monotonic()
    with pytest.raises(HomeAssistantError) as caught:
        await switch(hass, load(wire, 3), "on")
    assert time.monotonic() - begun < seconds
    assert not isinstance(caught.value, ServiceValidationError)
    assert str(caught.value).startswith(says)
    assert str(caught.value).endswith("nothing is repeated by itself")
    assert state(hass, load(wire, 3)).state == ("on" if relay is Relay.MUTE else "off")
    await poll(hass)
    assert wire.server.writes == [(1, 0x0312, 1)]


async def test_a_command_that_is_taken_back(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    writing = hass.async_create_task(switch(hass, load(wire, 3), "on"))
    assert await wire.server.is_written_to()
    await asyncio.sleep(0.5)
    wire.group.command(3, Kind.SWITCH, "off")
    with pytest.raises(HomeAssistantError) as caught:
        await writing
    assert not isinstance(caught.value, ServiceValidationError)
    assert str(caught.value).startswith(
        "The primary inverter carried the command out (on) and took it back within a second. "
        "Smart load 3 now says: off. "
    )
    assert state(hass, load(wire, 3)).state == "off"
    await poll(hass)
    assert wire.server.writes == [(1, 0x0312, 1)]


async def test_a_link_that_breaks_under_a_command(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    wire.group.relay = Relay.MUTE
    writing = hass.async_create_task(switch(hass, load(wire, 3), "on"))
    assert await wire.server.is_written_to()
    await wire.server.vanish()
    with pytest.raises(HomeAssistantError, match="now says: nothing that can be used"):
        await writing
    assert state(hass, load(wire, 3)).state == STATE_UNAVAILABLE
    assert wire.server.writes == [(1, 0x0312, 1)]


async def test_a_script_that_is_stopped_under_a_command(
    hass: HomeAssistant, wire: GroupOnTheWire, logged: Log
) -> None:
    wire.group.relay = Relay.MUTE
    writing = hass.async_create_task(switch(hass, load(wire, 3), "on"))
    assert await wire.server.is_written_to()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    ((level, message),) = logged
    assert level == "WARNING"
    assert "not known whether it arrived" in message
    await poll(hass)
    assert state(hass, load(wire, 3)).state == "on"
    assert wire.server.writes == [(1, 0x0312, 1)]


# --- polling off ----------------------------------------------------------------------


async def set_polling(hass: HomeAssistant, wire: GroupOnTheWire, to: str) -> None:
    """Switch polling, as a person would."""
    await switch(hass, f"{wire.primary}_group_polling", to)


async def commanded_anyhow(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    """Give commands in every way there is; each has to be refused."""
    await switch(hass, load(wire, 3), "on")
    await set_mode(hass, load(wire, 1, "mode"), "disabled")
    coordinator = wire.entry.runtime_data
    with pytest.raises(ServiceValidationError, match="Polling is switched off"):
        await async_command(coordinator, "It", "smart_load_3_switch", "on")
    with pytest.raises(CommandRefusedError) as caught:
        await coordinator.wiring.control.write("smart_load_3_switch", "on")
    assert caught.value.reason == "command_primary_silent"


async def test_nothing_is_written_while_polling_is_off(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    await set_polling(hass, wire, "off")
    assert await wire.server.left_alone()
    asked = wire.server.requests
    await commanded_anyhow(hass, wire)
    for key in ("state", "mode"):
        assert state(hass, load(wire, 3, key)).state == STATE_UNAVAILABLE
    # Nor after a start with polling off.
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    assert await wire.set_up()
    with pytest.raises(ServiceValidationError, match="Polling is switched off"):
        await async_command(wire.entry.runtime_data, "It", "smart_load_3_switch", "on")
    assert wire.server.requests == asked
    assert wire.server.writes == []
    await set_polling(hass, wire, "on")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, load(wire, 3)).state == "off", "nothing was kept for later"
    await switch(hass, load(wire, 3), "on")
    assert wire.server.writes == [(1, 0x0312, 1)]


async def test_polling_goes_off_under_a_command(
    hass: HomeAssistant, wire: GroupOnTheWire, logged: Log
) -> None:
    wire.group.relay = Relay.MUTE
    begun = hass.async_create_task(switch(hass, load(wire, 3), "on"))
    assert await wire.server.is_written_to()
    waiting = hass.async_create_task(switch(hass, load(wire, 4), "on"))
    await asyncio.sleep(0.1)
    await set_polling(hass, wire, "off")
    assert await wire.server.left_alone()
    for given_up, number in ((begun, 3), (waiting, 4)):
        with pytest.raises(HomeAssistantError) as caught:
            await given_up
        assert not isinstance(caught.value, ServiceValidationError)
        assert str(caught.value).startswith(
            "Polling was switched off before the primary inverter confirmed the command (on)"
        )
        assert f"Look at Smart load {number}" in str(caught.value)
    ((level, message),) = logged
    assert level == "WARNING"
    assert message.startswith("smart_load_3_switch on was cancelled")
    asked = wire.server.requests
    await poll(hass)
    assert wire.server.requests == asked
    await set_polling(hass, wire, "on")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, load(wire, 3)).state == "on"
    assert state(hass, load(wire, 4)).state == "off"
    assert wire.server.writes == [(1, 0x0312, 1)]


async def test_polling_goes_off_while_a_command_waits_for_a_poll(
    hass: HomeAssistant, wire: GroupOnTheWire, logged: Log
) -> None:
    wire.silence(wire.group.serial_numbers[1])
    begin_poll(hass)
    assert await wire.server.asks(2)
    waiting = hass.async_create_task(switch(hass, load(wire, 3), "on"))
    await asyncio.sleep(0.1)
    await set_polling(hass, wire, "off")
    with pytest.raises(HomeAssistantError, match="Polling was switched off"):
        await waiting
    await hass.async_block_till_done(wait_background_tasks=True)
    assert wire.server.writes == []
    assert logged == []


async def test_a_waiting_command_heeds_what_the_poll_shows(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    secondary = wire.group.serial_numbers[1]
    wire.group.inject(wire.primary, "fan")
    wire.silence(secondary)
    begin_poll(hass)
    # The poll has met the fault, and nobody was told of it yet.
    assert await wire.server.asks(2)
    with pytest.raises(ServiceValidationError, match="reports a fault"):
        await switch(hass, load(wire, 3), "on")
    assert wire.server.writes == []


# --- availability ---------------------------------------------------------------------


async def shown(hass: HomeAssistant, wire: GroupOnTheWire) -> set[str]:
    """Return which of the smart load's entities are available after a poll."""
    await poll(hass)
    return {
        key
        for key in ("state", "mode", "power")
        if state(hass, load(wire, 3, key)).state != STATE_UNAVAILABLE
    }


async def test_a_control_that_would_be_refused_is_unavailable(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    everything = {"state", "mode", "power"}
    assert await shown(hass, wire) == everything
    wire.group.inject(wire.primary, "fan")
    # Its measurements are as good as ever.
    assert await shown(hass, wire) == {"power"}
    wire.group.inject(wire.primary, "parallel_can_warning")
    assert await shown(hass, wire) == everything
    wire.group.inject(wire.group.serial_numbers[1], OFFLINE)
    assert await shown(hass, wire) == everything
    wire.silence(wire.primary)
    assert await shown(hass, wire) == set()
    wire.group.inject(wire.primary, NONE)
    assert await shown(hass, wire) == everything
    assert wire.server.writes == []


BAD_BLOCKS = {
    "not_served": without_windows(load_profile(), "extension", "primary_extension"),
    "other_role": coded(load_profile(), "role", {2: "primary", 1: "secondary_1"}),
    "unknown_code": coded(load_profile(), "smart_load_6_mode", {9: "automatic"}),
}


@pytest.mark.parametrize("fault", BAD_BLOCKS)
@pytest.mark.parametrize("controlled", [True, False])
async def test_absent_is_not_off(
    hass: HomeAssistant,
    start_group: StartGroup,
    proven: None,
    fault: str,
    controlled: bool,
) -> None:
    wire = await start_group(units=1, options=RESTLESS if controlled else QUICK)
    assert await wire.set_up()
    before = registered(hass, wire.entry)
    await wire.server.restart(BAD_BLOCKS[fault])
    assert await shown(hass, wire) == set()
    assert registered(hass, wire.entry) == before, "nothing is removed"
    failures = wire.entry.runtime_data.data.members[wire.primary].failures
    assert failures["primary_extension"], "the diagnostics say why"
    # Nor by a reload.
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert registered(hass, wire.entry) == before
    assert wire.server.writes == []


# --- allowed and proven ---------------------------------------------------------------


def platforms(hass: HomeAssistant, wire: GroupOnTheWire, number: int) -> set[str]:
    """Return on which platforms the registry has a smart load's state and mode."""
    return {
        entity.entity_id.partition(".")[0] + " " + entity.unique_id.rpartition("_")[2]
        for entity in er.async_entries_for_config_entry(
            er.async_get(hass), wire.entry.entry_id
        )
        if entity.unique_id in (load(wire, number), load(wire, number, "mode"))
    }


WATCHED = {"binary_sensor state", "sensor mode"}
COMMANDED = {"switch state", "select mode"}


async def test_options_on_off_on(
    hass: HomeAssistant, start_group: StartGroup, proven: None
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    serials = wire.group.serial_numbers
    for allowed in (False, True, False, True):
        await change_options(hass, wire.entry, **QUICK, allow_control=allowed)
        assert platforms(hass, wire, 3) == (COMMANDED if allowed else WATCHED)
        assert registered(hass, wire.entry) == entities_of(serials, controlled=allowed)
        attributes = state(hass, load(wire, 3)).attributes
        assert attributes.get("read_only") == (None if allowed else "not_allowed")
        assert ("read_only" in attributes) is not allowed
        assert state(hass, load(wire, 3)).state == "off"
        assert state(hass, load(wire, 3, "mode")).state == "manual"
    assert wire.server.writes == []


@pytest.mark.parametrize("allowed", [True, False])
async def test_without_proof_a_load_can_only_be_looked_at(
    hass: HomeAssistant, start_group: StartGroup, allowed: bool
) -> None:
    wire = await start_group(units=1, options={**QUICK, "allow_control": allowed})
    assert await wire.set_up()
    assert registered(hass, wire.entry) == entities_of(wire.group.serial_numbers)
    for key in ("state", "mode"):
        found = state(hass, load(wire, 3, key))
        assert found.attributes["read_only"] == "not_proven"
    assert "read_only" not in state(hass, load(wire, 3, "power")).attributes


async def test_each_command_needs_its_own_proof(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path
) -> None:
    owners_file.write_text(
        "commands:\n  smart_load_3_switch: {grade: vendor, source: a letter}\n"
    )
    wire = await start_group(units=1, options=RESTLESS)
    assert await wire.set_up()
    assert platforms(hass, wire, 3) == {"switch state", "sensor mode"}
    assert platforms(hass, wire, 4) == WATCHED
    # Somebody was mistaken.
    owners_file.unlink()
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert platforms(hass, wire, 3) == WATCHED


async def test_without_proof_nothing_is_ever_sent(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    """Whatever is called: no entity takes a command, and the group itself refuses it."""
    wire = await start_group(units=2, options=RESTLESS)
    assert await wire.set_up()
    entities = er.async_entries_for_config_entry(
        er.async_get(hass), wire.entry.entry_id
    )
    assert {
        entity.translation_key
        for entity in entities
        if entity.domain
        in {Platform.SWITCH, Platform.SELECT, Platform.NUMBER, Platform.BUTTON}
    } == {"polling", "check_now", "start_transfer_test"}
    # With polling off nothing could be sent anyway.
    everything = [
        entity.entity_id for entity in entities if entity.translation_key != "polling"
    ]
    for service, data in (
        ("switch.turn_on", {}),
        ("switch.turn_off", {}),
        ("switch.toggle", {}),
        ("select.select_option", {"option": "manual"}),
        ("button.press", {}),
        ("homeassistant.turn_on", {}),
        ("homeassistant.turn_off", {}),
    ):
        domain, _, name = service.partition(".")
        if hass.services.has_service(domain, name):
            await hass.services.async_call(
                domain, name, {"entity_id": everything, **data}, blocking=True
            )
    commands = wire.entry.runtime_data.wiring.profile.commands
    for key, command in commands.items():
        assert command.grade == "assumed"
        for value in command.values.values():
            with pytest.raises(ServiceValidationError, match="Nobody has proven yet"):
                await async_command(wire.entry.runtime_data, "It", key, value)
    assert wire.server.writes == []


async def test_a_simulated_group_can_be_tried_at_once(
    hass: HomeAssistant, unloaded_afterwards: None
) -> None:
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "user"}
    )
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": "simulated"}
    )
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"units": 2, "backup_interface": "bi_pro"}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    unique_id = f"{entry.unique_id}_smart_load_4_state"
    before = state(hass, unique_id).state
    await switch(hass, unique_id, "on")
    assert (before, state(hass, unique_id).state) == ("off", "on")


async def test_control_of_a_simulated_group_can_be_forbidden(
    hass: HomeAssistant, add_simulated: AddSimulated
) -> None:
    entry = add_simulated(units=1, options=QUICK)
    assert await set_up(hass, entry)
    found = state(hass, f"{entry.unique_id}_smart_load_3_state")
    assert found.entity_id.startswith("binary_sensor.")
    assert found.attributes["read_only"] == "not_allowed"


# --- nothing by itself ----------------------------------------------------------------


async def test_nothing_is_written_unless_somebody_asks(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    await switch(hass, load(wire, 3), "on")
    assert len(wire.server.writes) == 1
    # Somebody else switches it off, and nobody insists.
    wire.group.command(3, Kind.SWITCH, "off")
    await poll(hass)
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await change_options(hass, wire.entry, scan_interval=20)
    await change_options(hass, wire.entry, allow_control=False)
    await change_options(hass, wire.entry, allow_control=True)
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    await wire.server.vanish()
    assert not await wire.set_up()
    await wire.server.start()
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    assert await wire.set_up()
    wire.silence(wire.primary)
    await poll(hass, 20)
    wire.group.inject(wire.primary, NONE)
    await poll(hass, 20)
    assert state(hass, load(wire, 3)).state == "off"
    assert len(wire.server.writes) == 1


async def test_nothing_is_written_when_home_assistant_stops(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    await switch(hass, load(wire, 3), "on")
    await hass.async_stop(force=True)
    assert len(wire.server.writes) == 1
    assert wire.group.channels[2].commanded == "on"


async def test_a_command_that_waits_while_home_assistant_stops(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    wire.group.relay = Relay.STUCK
    first = hass.async_create_task(switch(hass, load(wire, 3), "on"))
    assert await wire.server.is_written_to()
    waiting = hass.async_create_task(set_mode(hass, load(wire, 4, "mode"), "disabled"))
    await asyncio.sleep(0.1)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    with pytest.raises(HomeAssistantError):
        await first
    with pytest.raises(ServiceValidationError, match="is being unloaded"):
        await waiting
    assert wire.server.writes == [(1, 0x0312, 1)]


async def test_a_command_that_waits_while_the_group_is_unloaded(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    wire.group.relay = Relay.STUCK
    first = hass.async_create_task(switch(hass, load(wire, 3), "on"))
    assert await wire.server.is_written_to()
    waiting = hass.async_create_task(set_mode(hass, load(wire, 4, "mode"), "disabled"))
    await asyncio.sleep(0.1)
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    with pytest.raises(HomeAssistantError):
        await first
    with pytest.raises(ServiceValidationError, match="is being unloaded"):
        await waiting
    assert wire.server.writes == [(1, 0x0312, 1)]


# --- names and hidden channels --------------------------------------------------------


async def test_a_named_channel(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    def name(number: int) -> str | None:
        return devices(hass, wire.entry)[f"{wire.primary}_smart_load_{number}"].name

    before = registered(hass, wire.entry)
    await change_options(
        hass, wire.entry, smart_loads={"name_3": " Pool pump ", "name_4": "  "}
    )
    assert (name(3), name(4)) == ("Pool pump", "Smart load 4")
    assert state(hass, load(wire, 3)).name == "Pool pump State"
    assert registered(hass, wire.entry) == before
    wire.group.relay = Relay.REFUSING
    with pytest.raises(HomeAssistantError, match="Pool pump now says: off"):
        await switch(hass, load(wire, 3), "on")
    # What is not asked for again stays, and what is taken back goes.
    await change_options(hass, wire.entry, scan_interval=30)
    assert name(3) == "Pool pump"
    await change_options(hass, wire.entry, smart_loads={})
    assert name(3) == "Smart load 3"


async def test_a_hidden_channel(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    before = registered(hass, wire.entry)
    hidden = [f"{wire.primary}_smart_load_{n}" for n in (2, 5)]
    await change_options(hass, wire.entry, smart_loads={"hidden": ["2", "5"]})
    assert registered(hass, wire.entry) == {
        device: entities for device, entities in before.items() if device not in hidden
    }
    assert set(devices(hass, wire.entry)).isdisjoint(hidden)
    interface = wire.entry.runtime_data.data.backup_interface
    assert set(interface.smart_loads) == set(range(1, 7)), "the diagnostics have it"
    await poll(hass)
    assert set(devices(hass, wire.entry)).isdisjoint(hidden)
    await change_options(hass, wire.entry, smart_loads={"hidden": ["5"]})
    assert registered(hass, wire.entry) == {
        device: entities for device, entities in before.items() if device != hidden[1]
    }
    await change_options(hass, wire.entry, smart_loads={"hidden": []})
    assert registered(hass, wire.entry) == before


async def test_a_hidden_channel_is_hidden_before_the_primary_answers(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    wire.silence(wire.primary)
    await change_options(hass, wire.entry, smart_loads={"hidden": ["2"]})
    found = devices(hass, wire.entry)
    assert f"{wire.primary}_smart_load_2" not in found
    assert f"{wire.primary}_smart_load_1" in found


@pytest.mark.parametrize(
    ("backup_interface", "asked"), [("none", False), ("bi", False), ("bi_pro", True)]
)
async def test_only_a_bi_pro_has_loads_to_name(
    hass: HomeAssistant, start_group: StartGroup, backup_interface: str, asked: bool
) -> None:
    wire = await start_group(units=1, backup_interface=backup_interface)

    async def fields() -> set[str]:
        form = await options_form(hass, wire.entry)
        hass.config_entries.options.async_abort(form["flow_id"])
        return set(form)

    assert "smart_loads" not in await fields(), "nobody knows yet"
    assert await wire.set_up()
    assert ("smart_loads" in await fields()) is asked
    assert {"allow_control", "minimum_switch_time"} <= await fields()
    # Also while it is not heard.
    await wire.server.vanish()
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    assert ("smart_loads" in await fields()) is asked


async def test_the_form_shows_what_was_chosen(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    chosen: Mapping[str, Any] = {"name_1": "Boiler", "hidden": ["6"]}
    await change_options(hass, wire.entry, smart_loads=chosen)
    form = await options_form(hass, wire.entry)
    assert {
        str(field): field.description["suggested_value"]
        for field in form["smart_loads"].schema.schema
        if field.description
    } == chosen
    hass.config_entries.options.async_abort(form["flow_id"])
