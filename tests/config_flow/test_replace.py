"""An inverter that was replaced, and one that answers in another's place."""

from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import CONF_UNITS, DOMAIN
from custom_components.solax_parallel.repairs import async_create_fix_flow
from custom_components.solax_parallel.simulator.group import NONE, OFFLINE
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from tests.config_flow.conftest import Serve, make_group
from tests.config_flow.test_reconfigure import add
from tests.config_flow.test_refusals import SETTINGS
from tests.groups import PokedServer, devices, entity_id, poll, state

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


def issue(hass: HomeAssistant) -> ir.IssueEntry | None:
    """Return the one issue of ours, if there is one."""
    found = [
        entry
        for (domain, _), entry in ir.async_get(hass).issues.items()
        if domain == DOMAIN
    ]
    assert len(found) <= 1
    return found[0] if found else None


async def settle(hass: HomeAssistant) -> None:
    """Answer the repair with yes."""
    found = issue(hass)
    assert found is not None
    flow = await async_create_fix_flow(hass, found.issue_id, found.data)
    flow.hass = hass
    result = await flow.async_step_init()
    assert result["type"] is FlowResultType.FORM
    assert result["description_placeholders"] is not None
    assert NEW in result["description_placeholders"]["new"]
    result = await flow.async_step_confirm({})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


def serials(entry: ConfigEntry) -> list[str]:
    return [unit["serial_number"] for unit in entry.data[CONF_UNITS]]


async def test_a_replaced_secondary_takes_over(
    hass: HomeAssistant, serve: Serve
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
    found = issue(hass)
    assert found is not None
    assert found.translation_key == "unit_replaced"
    assert found.is_fixable
    assert found.translation_placeholders is not None
    assert found.translation_placeholders["unit"] == "Secondary inverter 1"

    await settle(hass)
    assert serials(entry) == [primary, NEW]
    assert entity_id(hass, f"{NEW}_battery_soc") == sensor
    assert devices(hass, entry)[NEW].id == device
    assert old not in devices(hass, entry)
    assert float(state(hass, f"{NEW}_battery_soc").state) > 0
    assert issue(hass) is None
    # The new one's counter stands where it stands, and has counted nothing here yet.
    total = state(hass, f"{NEW}_pv_energy_total")
    assert float(total.state) == 0
    assert total.attributes["counted_before"] == counted
    assert state(hass, f"{primary}_group_pv_energy_total").state == whole


async def test_a_replaced_primary_keeps_the_group(
    hass: HomeAssistant, serve: Serve
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
    await settle(hass)
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
    found = issue(hass)
    assert found is not None
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
    assert issue(hass) is not None
    server.pokes.clear()
    inverters = entry.runtime_data.wiring.group.inverters
    inverters[group.serial_numbers[1]]._rest_until = 0
    await poll(hass)
    assert issue(hass) is None
    assert state(hass, f"{group.serial_numbers[1]}_ac_power").state != "unavailable"


async def test_a_repair_that_is_answered_too_late(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(2)
    server = await serve(group)
    entry = (await add(hass, server.port)).entry
    await answer_as(hass, server, 2, NEW)
    found = issue(hass)
    assert found is not None
    flow = await async_create_fix_flow(hass, found.issue_id, found.data)
    flow.hass = hass
    await flow.async_step_init()
    server.pokes.clear()
    inverters = entry.runtime_data.wiring.group.inverters
    inverters[group.serial_numbers[1]]._rest_until = 0
    await poll(hass)
    result = await flow.async_step_confirm({})
    assert result["reason"] == "known_one_is_back"
    assert serials(entry) == list(group.serial_numbers)


async def test_the_repair_outlives_a_restart(hass: HomeAssistant, serve: Serve) -> None:
    server = await serve(make_group(1))
    entry = (await add(hass, server.port)).entry
    await answer_as(hass, server, 1, NEW)
    assert issue(hass) is not None
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    # Nobody of the group answers, so it can't be set up; the reason stays in sight.
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert issue(hass) is not None
    await hass.config_entries.async_remove(entry.entry_id)
    assert issue(hass) is None


async def test_a_group_that_is_gone_meanwhile(
    hass: HomeAssistant, serve: Serve
) -> None:
    server = await serve(make_group(2))
    entry = (await add(hass, server.port)).entry
    await answer_as(hass, server, 2, NEW)
    found = issue(hass)
    assert found is not None
    flow = await async_create_fix_flow(hass, found.issue_id, found.data)
    flow.hass = hass
    await hass.config_entries.async_remove(entry.entry_id)
    result = await flow.async_step_init()
    assert result["reason"] == "group_removed"
    assert issue(hass) is None
