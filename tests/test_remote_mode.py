"""The hint about inverters that leave local operation soon after polling starts."""

from collections.abc import Callable

import pytest

from custom_components.solax_parallel.a1_ess.codes import RunMode
from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.group import NONE, SimulatedUnit
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .conftest import StartGroup
from .groups import GroupOnTheWire, poll, set_up, state
from .test_polling import switch_off, switch_on

type Park = Callable[..., None]


@pytest.fixture
async def wire(start_group: StartGroup) -> GroupOnTheWire:
    return await start_group(units=3)


@pytest.fixture
def park(wire: GroupOnTheWire) -> Park:
    """Let the inverters with these indices be remote controlled, and no others."""
    run_mode = wire.group.run_mode
    parked: set[int] = set()

    def mode(unit: SimulatedUnit) -> RunMode:
        return RunMode.NORMAL_REMOTE if unit.index in parked else run_mode(unit)

    wire.group.run_mode = mode  # type: ignore[method-assign]

    def park(*indices: int) -> None:
        parked.clear()
        parked.update(indices)

    return park


def parked_units(hass: HomeAssistant, wire: GroupOnTheWire) -> str | None:
    """Return whom the hint names; None where there is no hint."""
    issue_id = f"remote_mode_{wire.entry.entry_id}"
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    if issue is None:
        return None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["group"] == wire.entry.title
    return issue.translation_placeholders["units"]


async def test_it_names_the_inverters_until_all_are_back(
    hass: HomeAssistant, wire: GroupOnTheWire, park: Park
) -> None:
    assert await wire.set_up()
    assert parked_units(hass, wire) is None
    park(1)
    await poll(hass)
    serial = wire.group.serial_numbers[1]
    assert state(hass, f"{serial}_run_mode").state == "normal_remote"
    assert parked_units(hass, wire) == "Secondary 1"
    park(1, 2)
    await poll(hass)
    assert parked_units(hass, wire) == "Secondary 1, Secondary 2"
    # Who is not heard may still be parked.
    wire.silence(serial)
    park()
    await poll(hass)
    assert parked_units(hass, wire) == "Secondary 1"
    wire.group.inject(serial, NONE)
    await poll(hass)
    assert parked_units(hass, wire) is None


async def test_who_was_remote_controlled_before_is_not_named(
    hass: HomeAssistant, wire: GroupOnTheWire, park: Park
) -> None:
    park(0, 1)
    assert await wire.set_up()
    await poll(hass)
    assert parked_units(hass, wire) is None


async def test_later_it_has_other_reasons(
    hass: HomeAssistant, wire: GroupOnTheWire, park: Park
) -> None:
    assert await wire.set_up()
    watch = wire.entry.runtime_data._remote_mode._watch
    watch._since -= 601
    park(0)
    await poll(hass)
    assert parked_units(hass, wire) is None


async def test_over_a_reload(
    hass: HomeAssistant, wire: GroupOnTheWire, park: Park
) -> None:
    assert await wire.set_up()
    park(0)
    await poll(hass)
    for _ in range(2):
        assert await hass.config_entries.async_reload(wire.entry.entry_id)
        assert parked_units(hass, wire) == "Primary"
    await hass.config_entries.async_unload(wire.entry.entry_id)
    park()
    assert await set_up(hass, wire.entry)
    assert parked_units(hass, wire) is None


async def test_following_its_advice(
    hass: HomeAssistant, wire: GroupOnTheWire, park: Park
) -> None:
    assert await wire.set_up()
    park(0)
    await poll(hass)
    await switch_off(hass, wire)
    assert parked_units(hass, wire) == "Primary"
    # It returns to normal, and leaves again once it is asked again.
    park()
    await switch_on(hass, wire)
    assert parked_units(hass, wire) is None
    park(0)
    await poll(hass)
    assert parked_units(hass, wire) == "Primary"


async def test_a_switch_is_a_new_beginning(
    hass: HomeAssistant, wire: GroupOnTheWire, park: Park
) -> None:
    assert await wire.set_up()
    await switch_off(hass, wire)
    # Somebody else took control meanwhile.
    park(0)
    await switch_on(hass, wire)
    await poll(hass)
    assert parked_units(hass, wire) is None


async def test_it_goes_with_its_group(
    hass: HomeAssistant, wire: GroupOnTheWire, park: Park
) -> None:
    assert await wire.set_up()
    park(0)
    await poll(hass)
    await hass.config_entries.async_remove(wire.entry.entry_id)
    assert parked_units(hass, wire) is None
