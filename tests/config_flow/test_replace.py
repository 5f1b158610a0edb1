"""An inverter that was replaced, and one that answers in another's place."""

from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import CONF_UNITS, DOMAIN
from custom_components.solax_parallel.simulator.group import NONE, OFFLINE
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from tests.config_flow.conftest import Serve, make_group
from tests.config_flow.test_reconfigure import add
from tests.config_flow.test_refusals import SETTINGS
from tests.conftest import Fired
from tests.groups import PokedServer, devices, entity_id, poll, state
from tests.repairs import Dialog, issues, only_issue

NEW = "NEWCOMER000009"


async def answer_as(
    hass: HomeAssistant, server: PokedServer, unit_id: int, serial: str
) -> None:
    """Take an inverter off the line and let it come back with another serial number."""
    group = server._group
    known = group.serial_numbers[unit_id - 1]
    group.inject(known, OFFLINE)
    await poll(hass)
    words = load_profile().registers["serial_number"].field().encode(serial)
    server.pokes |= {
        (unit_id, SETTINGS, address): word for address, word in enumerate(words)
    }
    group.inject(known, NONE)
    await poll(hass)


async def settle(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """Answer the repair with yes."""
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    assert dialog.result["type"] == FlowResultType.FORM
    assert NEW in dialog.result["description_placeholders"]["new"]
    assert (await dialog.answer())["type"] == FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


def serials(entry: ConfigEntry) -> list[str]:
    return [unit["serial_number"] for unit in entry.data[CONF_UNITS]]


async def test_a_replaced_secondary_takes_over(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, serve: Serve
) -> None:
    group = make_group(2)
    server = await serve(group)
    entry = (await add(hass, server.port)).entry
    primary, old = group.serial_numbers
    sensor = entity_id(hass, f"{old}_battery_soc")
    device = devices(hass, entry)[old].id
    counted = float(state(hass, f"{old}_pv_energy_total").state)
    whole = state(hass, f"{primary}_group_pv_energy_total").state

    await answer_as(hass, server, 2, NEW)
    assert state(hass, f"{old}_battery_soc").state == "unavailable"
    assert state(hass, f"{primary}_battery_soc").state != "unavailable"
    found = only_issue(hass)
    assert found.translation_key == "unit_replaced"
    assert found.is_fixable
    assert found.translation_placeholders is not None
    assert found.translation_placeholders["unit"] == "Secondary inverter 1"

    await settle(hass, hass_client)
    assert serials(entry) == [primary, NEW]
    assert entity_id(hass, f"{NEW}_battery_soc") == sensor
    assert devices(hass, entry)[NEW].id == device
    assert old not in devices(hass, entry)
    assert float(state(hass, f"{NEW}_battery_soc").state) > 0
    assert issues(hass) == []
    # The new one's counter stands where it stands, and has counted nothing here yet.
    total = state(hass, f"{NEW}_pv_energy_total")
    assert float(total.state) == 0
    assert total.attributes["counted_before"] == counted
    assert state(hass, f"{primary}_group_pv_energy_total").state == whole


async def test_a_replaced_primary_keeps_the_group(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, serve: Serve
) -> None:
    group = make_group(2)
    server = await serve(group, {1: 0})
    entry = (await add(hass, server.port)).entry
    old = group.serial_numbers[0]
    status = entity_id(hass, f"{old}_group_status")
    reported = entity_id(hass, f"{old}_secondary_1_battery_soc")

    await answer_as(hass, server, 1, NEW)
    # Nobody else can answer, so the whole group is offline; the reason is told all the same.
    assert state(hass, f"{old}_group_status").state == "offline"
    await settle(hass, hass_client)
    assert entry.unique_id == old
    assert serials(entry) == [NEW, f"{NEW}_secondary_1"]
    assert entity_id(hass, f"{old}_group_status") == status
    assert entity_id(hass, f"{NEW}_secondary_1_battery_soc") == reported
    assert hass.states.get(reported).state != "unavailable"  # type: ignore[union-attr]
    known = {entity.unique_id for entity in er.async_get(hass).entities.values()}
    assert f"{old}_battery_soc" not in known


async def test_swapped_members_are_no_replacement(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(3)
    server = await serve(group)
    entry = (await add(hass, server.port)).entry
    await answer_as(hass, server, 2, group.serial_numbers[2])
    found = only_issue(hass)
    assert (found.translation_key, found.is_fixable) == ("unit_swapped", False)
    assert state(hass, f"{group.serial_numbers[1]}_ac_power").state == "unavailable"
    assert serials(entry) == list(group.serial_numbers)


async def test_the_issue_goes_when_the_right_one_is_back(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(2)
    server = await serve(group)
    entry = (await add(hass, server.port)).entry
    await answer_as(hass, server, 2, NEW)
    assert only_issue(hass)
    server.pokes.clear()
    inverters = entry.runtime_data.wiring.group.inverters
    inverters[group.serial_numbers[1]]._rest_until = 0
    await poll(hass)
    assert issues(hass) == []
    assert state(hass, f"{group.serial_numbers[1]}_ac_power").state != "unavailable"


async def test_a_repair_that_is_answered_too_late(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, serve: Serve
) -> None:
    group = make_group(2)
    server = await serve(group)
    entry = (await add(hass, server.port)).entry
    await answer_as(hass, server, 2, NEW)
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    server.pokes.clear()
    inverters = entry.runtime_data.wiring.group.inverters
    inverters[group.serial_numbers[1]]._rest_until = 0
    await poll(hass)
    assert (await dialog.answer())["reason"] == "known_one_is_back"
    assert serials(entry) == list(group.serial_numbers)


async def test_the_repair_outlives_a_restart(hass: HomeAssistant, serve: Serve) -> None:
    server = await serve(make_group(1))
    entry = (await add(hass, server.port)).entry
    await answer_as(hass, server, 1, NEW)
    assert only_issue(hass)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    # Nobody of the group answers, so it can't be set up; the reason stays in sight.
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert only_issue(hass)
    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )
    assert issues(hass) == [], "nobody looks any more"
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    assert only_issue(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    assert issues(hass) == []


async def test_a_group_that_is_gone_meanwhile(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, serve: Serve
) -> None:
    server = await serve(make_group(2))
    entry = (await add(hass, server.port)).entry
    await answer_as(hass, server, 2, NEW)
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    await hass.config_entries.async_remove(entry.entry_id)
    assert (await dialog.answer())["reason"] == "group_removed"
    assert issues(hass) == []


async def refused(dialog: Dialog, entry: ConfigEntry) -> str:
    """Answer with yes, and return why nothing was changed."""
    before = serials(entry)
    shown = await dialog.answer()
    assert shown["type"] == FlowResultType.ABORT
    assert serials(entry) == before
    assert entry.state is ConfigEntryState.LOADED
    return str(shown["reason"])


async def test_the_second_dialog_about_one_replacement(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, serve: Serve
) -> None:
    group = make_group(2)
    server = await serve(group)
    entry = (await add(hass, server.port)).entry
    await answer_as(hass, server, 2, NEW)
    second = await Dialog.open(hass, hass_client, only_issue(hass))
    await settle(hass, hass_client)
    assert serials(entry) == [group.serial_numbers[0], NEW]
    assert await refused(second, entry) == "unit_removed"


async def test_the_new_one_was_set_up_elsewhere_meanwhile(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, serve: Serve
) -> None:
    server = await serve(make_group(2))
    entry = (await add(hass, server.port)).entry
    await answer_as(hass, server, 2, NEW)
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    elsewhere = {**entry.data[CONF_UNITS][1], "serial_number": NEW}
    MockConfigEntry(
        domain=DOMAIN, unique_id=NEW, data={CONF_UNITS: [elsewhere]}
    ).add_to_hass(hass)
    assert await refused(dialog, entry) == "new_one_is_set_up"


async def test_yet_another_answers_meanwhile(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, serve: Serve
) -> None:
    group = make_group(2)
    server = await serve(group)
    entry = (await add(hass, server.port)).entry
    await answer_as(hass, server, 2, NEW)
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    inverters = entry.runtime_data.wiring.group.inverters
    inverters[group.serial_numbers[1]]._rest_until = 0
    await answer_as(hass, server, 2, "NEWCOMER000010")
    inverters[group.serial_numbers[1]]._rest_until = 0
    await poll(hass)
    assert await refused(dialog, entry) == "no_longer_known"


async def test_a_replacement_ends_the_loss_and_tells_no_old_fault(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    serve: Serve,
    fired: Fired,
) -> None:
    group = make_group(2)
    server = await serve(group)
    await add(hass, server.port)
    old = group.serial_numbers[1]
    group.inject(old, "fan")
    await poll(hass)
    await answer_as(hass, server, 2, NEW)
    assert fired == [(old, "fan"), (old, "unit_lost"), (None, "group_incomplete")]
    fired.clear()
    await settle(hass, hass_client)
    await poll(hass)
    assert fired == [(NEW, "unit_back"), (None, "group_complete")]
