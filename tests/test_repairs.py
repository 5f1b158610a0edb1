"""Faults in Home Assistant's repairs: raised, led through, looked after and dropped, on the wire."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pytest_homeassistant_custom_component.common import flush_store
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.solax_parallel.a1_ess.faults import FAULTS, PRIMARY_SILENT
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import (
    CONF_SERIAL_NUMBER,
    CONF_UNITS,
    DOMAIN,
)
from custom_components.solax_parallel.simulator.group import (
    NONE,
    OFFLINE,
    SimulatedUnit,
)
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.util import dt as dt_util

from .conftest import StartGroup
from .groups import (
    GroupOnTheWire,
    devices,
    poll,
    set_up,
    state,
    stop,
    without_windows,
)
from .repairs import Dialog, issues, only_issue
from .texts import text

RS485 = "parallel_rs485_fault"
SYSTEM = "parallel_system_fault"
SILENT = PRIMARY_SILENT.key


async def polls(wire: GroupOnTheWire, number: int = 2) -> None:
    for _ in range(number):
        await poll(wire.hass)


async def inject(wire: GroupOnTheWire, *options: str, number: int = 2) -> None:
    """Let something ail each unit, the primary first, and poll."""
    for serial, option in zip(wire.group.serial_numbers, options, strict=False):
        wire.group.inject(serial, option)
    await polls(wire, number)


def raised(hass: HomeAssistant, wire: GroupOnTheWire) -> set[tuple[int, str]]:
    """Return which faults of a group are raised: number of the unit, the primary's is 1, and key."""
    found = set()
    for issue in issues(hass):
        if issue.translation_key != "fault":
            continue
        assert issue.data is not None
        if issue.data["entry_id"] == wire.entry.entry_id:
            serial = str(issue.data["serial_number"])
            number = wire.group.serial_numbers.index(serial) + 1
            found.add((number, str(issue.data["fault"])))
    return found


def filled_in(issue: ir.IssueEntry, *path: str) -> str:
    """Return a text of an issue as the front end shows it."""
    shown: str = text("issues", str(issue.translation_key), *path)
    return shown.format(**issue.translation_placeholders or {})


def shown_time(issue: ir.IssueEntry) -> str:
    """Return since when an issue is seen, in the time of the house."""
    assert issue.data is not None
    since = datetime.fromisoformat(str(issue.data["since"]))
    return f"{dt_util.as_local(since):%Y-%m-%d %H:%M}"


@contextmanager
def ailing(
    wire: GroupOnTheWire, faults: Mapping[int, frozenset[str]]
) -> Iterator[None]:
    """Let several faults at once ail units, by index."""

    def of(unit: SimulatedUnit) -> frozenset[str]:
        return faults.get(unit.index, frozenset())

    with patch.object(wire.group, "faults", of):
        yield


# --- what is raised, and what it says -------------------------------------------------


async def test_an_inverter_that_is_not_set_up(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3)
    units = wire.entry.data[CONF_UNITS]
    hass.config_entries.async_update_entry(wire.entry, data={CONF_UNITS: units[:2]})
    assert await wire.set_up()
    assert issues(hass) == []
    await polls(wire, 1)
    issue = only_issue(hass)
    assert filled_in(issue, "title") == (
        "SolaX Parallel (127.0.0.1): an inverter is not set up"
    )
    assert filled_in(issue, "description").startswith(
        "The primary is set to 3 inverters, and 2 are set up here, so "
    )
    assert not issue.is_fixable
    root_cause = state(hass, f"{wire.primary}_group_root_cause")
    assert root_cause.state == "unit_not_set_up"
    assert root_cause.attributes["explanation"] == (
        "The primary counts more inverters than are set up here."
    )
    # While the primary is silent, nobody counts anew.
    wire.silence(wire.primary)
    await polls(wire, 3)
    assert issue.issue_id in {each.issue_id for each in issues(hass)}
    wire.group.inject(wire.primary, NONE)
    # It is set up as soon as it is taken in, whether it answers or not.
    wire.silence(wire.group.serial_numbers[2])
    hass.config_entries.async_update_entry(wire.entry, data={CONF_UNITS: units})
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    assert issues(hass) == []


async def test_an_owner_reads_what_it_means_and_what_to_do(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    serial = wire.group.serial_numbers[1]
    await inject(wire, NONE, RS485, number=1)
    assert issues(hass) == []
    await polls(wire, 1)
    issue = only_issue(hass)
    assert issue.severity is ir.IssueSeverity.ERROR
    assert issue.is_fixable
    assert not issue.is_persistent
    assert filled_in(issue, "title") == "Secondary inverter 1: Parallel RS485 fault"
    assert filled_in(issue, "fix_flow", "step", "overview", "description") == (
        "The communication between primary and secondaries over RS485 is disturbed. If all "
        "inverters report it, the number of units set on the primary may be wrong.\n"
        "\n"
        "- Inverter: Secondary inverter 1 (Secondary 1)\n"
        f"- Serial number: {serial}\n"
        "- Group: SolaX Parallel (127.0.0.1)\n"
        f"- Seen since: {shown_time(issue)}\n"
        "- Code shown by the inverter: ParallelRS485 ComFault\n"
        "- Pins of the COMM chain (our inference, not the vendor's word): 5 RS485_BI_A, "
        "6 RS485_BI_B\n"
        "\n"
        "What to do:\n"
        "\n"
        "1. Look at the RS485 line, which runs in the COMM cables between the inverters and to "
        "the BI or BI PRO if there is one: every plug and terminal is firm, and no cable is torn "
        "or squeezed. Only look: if a cover is in the way, leave it to an electrician.\n"
        "2. In the SolaX app, open Menu > Setting > Advance Setting > Parallel Setting of the "
        "primary: its role is primary, and the number of units is the number of inverters in the "
        "group, the primary included.\n"
        "3. If the fault still stands, contact after-sales service. Have ready: the serial "
        "number, the name of the fault, and the time at which it came.\n"
        "\n"
        "Meaning and steps follow SolaX's instruction for parallel groups.\n"
        "\n"
        "The next pages lead through the steps one by one. At the end the inverters are read "
        "again, to see whether it helped; nothing is written to them."
    )
    assert not any(number in issue.issue_id for number in wire.group.serial_numbers)


async def test_what_no_document_explains_says_so(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, "fan")
    shown = filled_in(only_issue(hass), "fix_flow", "step", "overview", "description")
    assert "SolaX names this fault for a sister family only." in shown
    assert "Code shown by the inverter" not in shown
    assert "Pins" not in shown


async def test_a_warning_is_less_than_a_fault(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, "parallel_can_warning")
    assert only_issue(hass).severity is ir.IssueSeverity.WARNING


async def test_every_fault_that_can_be_injected_is_raised_and_dropped(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    for option in wire.group.injectable:
        if option in FAULTS:
            await inject(wire, option)
            assert raised(hass, wire) == {(1, option)}
            await inject(wire, NONE, number=1)
            assert issues(hass) == [], option


async def test_the_owners_name_of_an_inverter_is_used(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, NONE, RS485)
    device = devices(hass, wire.entry)[wire.group.serial_numbers[1]]
    dr.async_get(hass).async_update_device(device.id, name_by_user="Garage")
    await polls(wire, 1)
    assert filled_in(only_issue(hass), "title") == "Garage: Parallel RS485 fault"


async def test_an_issue_that_stands_is_not_touched(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, NONE, RS485)
    changes: list[Any] = []

    @callback
    def note(event: Event[Any]) -> None:
        changes.append(event)

    hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, note)
    await polls(wire, 3)
    assert changes == []
    await inject(wire, NONE, NONE, number=1)
    assert [change.data["action"] for change in changes] == ["remove"]


async def test_a_fault_that_comes_and_goes_is_not_raised(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    for option in ("fan", NONE, "fan", NONE):
        await inject(wire, option, number=1)
        assert issues(hass) == []


async def test_a_silent_inverter_makes_nothing_come_or_go(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, NONE, "fan", number=1)
    await inject(wire, NONE, OFFLINE)
    assert issues(hass) == []
    await inject(wire, NONE, "fan", number=1)
    assert raised(hass, wire) == {(2, "fan")}
    await inject(wire, NONE, OFFLINE)
    assert raised(hass, wire) == {(2, "fan")}
    await inject(wire, NONE, NONE, number=1)
    assert issues(hass) == []


async def test_a_group_of_which_nobody_answers_keeps_what_stands(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, "fan", RS485)
    await inject(wire, OFFLINE, OFFLINE)
    assert raised(hass, wire) == {(1, "fan"), (2, RS485)}


async def test_being_off_grid_is_no_fault(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    wire.group.grid_closed = False
    await inject(wire, NONE, "fan")
    assert raised(hass, wire) == {(2, "fan")}


async def test_named_faults_that_are_not_served_leave_the_generic_bit(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(
        units=2,
        served=without_windows(load_profile(), "extension", "primary_extension"),
    )
    assert await wire.set_up()
    with ailing(wire, {1: frozenset({RS485, "parallel_fault"})}):
        await polls(wire)
    assert raised(hass, wire) == {(2, "parallel_fault")}


async def test_a_named_fault_stands_for_the_generic_bit(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    with ailing(
        wire,
        {
            0: frozenset({"parallel_fault"}),
            1: frozenset({RS485, "parallel_fault", "fan"}),
        },
    ):
        await polls(wire)
    assert raised(hass, wire) == {(1, "parallel_fault"), (2, RS485), (2, "fan")}


async def test_secondaries_that_only_the_primary_tells_of_report_nothing(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2, reported=1)
    assert await wire.set_up()
    await inject(wire, "fan", RS485)
    assert raised(hass, wire) == {(1, "fan")}


# --- the primary's failure, seen by its secondaries -----------------------------------


async def test_the_secondaries_report_is_led_to_the_primarys_own_fault(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    await inject(wire, "over_temperature", SYSTEM, SYSTEM)
    assert raised(hass, wire) == {(1, "over_temperature")}
    await inject(wire, NONE, SYSTEM, SYSTEM, number=1)
    assert raised(hass, wire) == {(2, SYSTEM), (3, SYSTEM)}
    await inject(wire, NONE, NONE, SYSTEM, number=1)
    assert raised(hass, wire) == {(3, SYSTEM)}


async def test_a_silent_primary_is_one_issue_of_the_group(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    await inject(wire, OFFLINE, SYSTEM, SYSTEM, number=2)
    assert issues(hass) == [], "it may only have missed a poll or two"
    await polls(wire, 1)
    assert raised(hass, wire) == {(1, SILENT)}
    issue = only_issue(hass)
    assert issue.severity is ir.IssueSeverity.ERROR
    assert filled_in(issue, "title") == (
        "Primary inverter: No answer, and the secondaries report its failure"
    )
    wire.pass_time(60)
    await inject(wire, NONE, SYSTEM, SYSTEM, number=1)
    assert raised(hass, wire) == {(2, SYSTEM), (3, SYSTEM)}


async def test_a_primary_that_is_only_silent_is_no_fault(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, OFFLINE, NONE, number=4)
    assert issues(hass) == []


async def test_a_primary_whose_place_another_took_is_told_once(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    units = [dict(unit) for unit in wire.entry.data[CONF_UNITS]]
    units[0][CONF_SERIAL_NUMBER] = "FORMER00000001"
    hass.config_entries.async_update_entry(
        wire.entry, data={**wire.entry.data, CONF_UNITS: units}
    )
    assert await wire.set_up()
    await inject(wire, NONE, SYSTEM)
    assert only_issue(hass).translation_key == "unit_replaced"


# --- entries that come and go ---------------------------------------------------------


async def test_groups_do_not_touch_each_others_issues(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    first = await start_group(units=2, prefix="ONE")
    second = await start_group(units=2, prefix="TWO")
    assert await first.set_up()
    assert await second.set_up()
    for wire in (first, second):
        await inject(wire, "fan", RS485)
    both = {(1, "fan"), (2, RS485)}
    assert raised(hass, first) == raised(hass, second) == both

    for disabled, left in ((ConfigEntryDisabler.USER, set()), (None, both)):
        await hass.config_entries.async_set_disabled_by(first.entry.entry_id, disabled)
        await polls(first)
        assert (raised(hass, first), raised(hass, second)) == (left, both)
    assert raised(hass, first) == raised(hass, second) == both
    assert await hass.config_entries.async_remove(first.entry.entry_id)
    assert (raised(hass, first), raised(hass, second)) == (set(), both)
    assert len(issues(hass)) == len(both)


async def test_a_reload_drops_what_is_gone_and_keeps_what_stands(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, "fan", RS485)
    wire.group.inject(wire.primary, NONE)
    stands = [issue for issue in issues(hass) if issue.issue_id.endswith(RS485)]
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    await polls(wire)
    assert issues(hass) == stands
    assert raised(hass, wire) == {(2, RS485)}


async def test_it_is_seen_since_the_poll_in_which_it_came(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    before = dt_util.utcnow()
    await inject(wire, NONE, RS485, number=1)
    after = dt_util.utcnow()
    await polls(wire, 1)
    issue = only_issue(hass)
    assert issue.data is not None
    since = datetime.fromisoformat(str(issue.data["since"]))
    assert before <= since <= after
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["since"] == shown_time(issue)


async def test_an_ignored_fault_stays_ignored_until_it_is_gone(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, NONE, RS485)
    ir.async_ignore_issue(hass, DOMAIN, only_issue(hass).issue_id, ignore=True)
    ignored = only_issue(hass)
    assert ignored.dismissed_version
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    await polls(wire)
    assert only_issue(hass) == ignored
    await inject(wire, NONE, NONE, number=1)
    await inject(wire, NONE, RS485)
    assert only_issue(hass).dismissed_version is None, "it has come again"


async def test_over_a_restart_it_stays_ignored_and_keeps_its_time(
    hass: HomeAssistant, start_group: StartGroup, hass_storage: dict[str, Any]
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, NONE, RS485)
    ir.async_ignore_issue(hass, DOMAIN, only_issue(hass).issue_id, ignore=True)
    ignored = only_issue(hass)
    await stop(hass, wire.entry)
    await flush_store(ir.async_get(hass)._store)
    del hass.data[ir.DATA_REGISTRY]
    await ir.async_load(hass)
    assert issues(hass) == []
    assert await set_up(hass, wire.entry)
    await polls(wire)
    again = only_issue(hass)
    assert again.dismissed_version == ignored.dismissed_version
    assert again.data is not None
    assert datetime.fromisoformat(str(again.data["since"])) == ignored.created


async def test_nobody_inherits_the_issues_of_one_that_left(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    await inject(wire, NONE, "fan", "fan")
    for issue in issues(hass):
        ir.async_ignore_issue(hass, DOMAIN, issue.issue_id, ignore=True)
    primary, _, last = wire.entry.data[CONF_UNITS]
    await hass.config_entries.async_unload(wire.entry.entry_id)
    hass.config_entries.async_update_entry(
        wire.entry, data={**wire.entry.data, CONF_UNITS: [primary, last]}
    )
    assert await wire.set_up()
    assert issues(hass) == []
    await polls(wire)
    assert raised(hass, wire) == {(3, "fan")}
    # The primary counts the one that left, and nobody has ignored that either.
    assert [
        (each.translation_key, each.dismissed_version) for each in issues(hass)
    ] == [
        ("unit_not_set_up", None),
        ("fault", None),
    ]


async def test_a_group_that_can_not_be_set_up_any_more_has_no_faults(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, NONE, RS485)
    own = Path(hass.config.path("solax_parallel", "a1_ess_g2.yaml"))
    await hass.async_add_executor_job(own.parent.mkdir)
    await hass.async_add_executor_job(own.write_text, "registers: 1")
    assert not await hass.config_entries.async_reload(wire.entry.entry_id)
    assert [issue.translation_key for issue in issues(hass)] == ["invalid_profile"]


async def test_a_poll_that_ends_after_the_group_was_unloaded_raises_nothing(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, "fan", number=1)
    coordinator = wire.entry.runtime_data
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    coordinator.issues.async_update(coordinator.data.members)
    assert issues(hass) == []


# --- the dialog -----------------------------------------------------------------------


async def through_the_steps(dialog: Dialog, count: int) -> dict[str, Any]:
    """Submit every step, and return what is shown then."""
    for number in range(1, count + 1):
        shown = dialog.result
        assert (shown["type"], shown["step_id"]) == (FlowResultType.FORM, "instruction")
        assert shown["description_placeholders"]["number"] == str(number)
        assert shown["description_placeholders"]["count"] == str(count)
        assert shown["last_step"] is False
        await dialog.answer()
    return dialog.result


async def test_the_steps_lead_to_a_fault_that_is_gone(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, NONE, RS485)
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    assert dialog.result["step_id"] == "overview"
    assert dialog.result["last_step"] is False
    await dialog.answer()
    assert dialog.result["description_placeholders"]["instruction"].startswith(
        "Look at the RS485 line"
    )
    # Mended in this moment: only a poll that is made for the answer can know.
    wire.group.inject(wire.group.serial_numbers[1], NONE)
    before = wire.server.requests
    shown = await through_the_steps(dialog, 3)
    assert shown["type"] == FlowResultType.CREATE_ENTRY
    assert shown["description_placeholders"]["unit"] == "Secondary inverter 1"
    assert wire.server.requests > before
    assert wire.server.functions == {3, 4}, "it only reads"
    assert issues(hass) == []


async def test_a_fault_that_still_stands(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, NONE, "fan")
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    await dialog.answer()
    shown = await through_the_steps(dialog, 2)
    assert (shown["type"], shown["step_id"]) == (FlowResultType.MENU, "still_there")
    await dialog.choose("again")
    shown = await through_the_steps(dialog, 2)
    assert shown["step_id"] == "still_there"
    shown = await dialog.choose("leave_open")
    assert (shown["type"], shown["reason"]) == (FlowResultType.ABORT, "left_open")
    assert raised(hass, wire) == {(2, "fan")}


async def test_an_inverter_that_does_not_answer_then(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, NONE, "fan")
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    await dialog.answer()
    wire.silence(wire.group.serial_numbers[1])
    shown = await through_the_steps(dialog, 2)
    assert (shown["type"], shown["step_id"]) == (FlowResultType.MENU, "cannot_tell")
    assert raised(hass, wire) == {(2, "fan")}
    wire.group.inject(wire.group.serial_numbers[1], NONE)
    shown = await dialog.choose("read_again")
    assert shown["type"] == FlowResultType.CREATE_ENTRY
    assert issues(hass) == []


async def test_nobody_answers_then(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, NONE, "fan")
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    await dialog.answer()
    await wire.server.vanish()
    shown = await through_the_steps(dialog, 2)
    assert shown["step_id"] == "cannot_tell"
    shown = await dialog.choose("leave_open")
    assert shown["reason"] == "left_open"
    assert raised(hass, wire) == {(2, "fan")}


async def test_a_poll_that_breaks_off_tells_nothing(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, "fan")
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    await dialog.answer()
    group = wire.entry.runtime_data.wiring.group
    with patch.object(group, "poll", side_effect=RuntimeError("no poll today")):
        shown = await through_the_steps(dialog, 2)
    assert shown["step_id"] == "cannot_tell"


async def test_a_silent_primary_that_is_back(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, OFFLINE, SYSTEM, number=3)
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    await dialog.answer()
    assert (await through_the_steps(dialog, 4))["step_id"] == "still_there"
    await dialog.choose("again")
    wire.group.inject(wire.primary, "fan")
    # Three silent polls earn it a rest.
    wire.entry.runtime_data.wiring.group.inverters[wire.primary]._rest_until = 0
    shown = await through_the_steps(dialog, 4)
    assert shown["type"] == FlowResultType.CREATE_ENTRY
    await polls(wire, 1)
    assert raised(hass, wire) == {(1, "fan")}


async def test_the_group_is_gone_meanwhile(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, "fan")
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    await dialog.answer()
    await hass.config_entries.async_remove(wire.entry.entry_id)
    shown = await through_the_steps(dialog, 2)
    assert (shown["type"], shown["reason"]) == (FlowResultType.ABORT, "group_removed")


async def test_the_group_is_unloaded_meanwhile(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, "fan")
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    await dialog.answer()
    await hass.config_entries.async_unload(wire.entry.entry_id)
    shown = await through_the_steps(dialog, 2)
    assert shown["reason"] == "group_not_loaded"


async def test_the_inverter_leaves_the_group_meanwhile(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    await inject(wire, NONE, "fan")
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    await dialog.answer()
    hass.config_entries.async_update_entry(
        wire.entry,
        data={**wire.entry.data, CONF_UNITS: wire.entry.data[CONF_UNITS][:1]},
    )
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    shown = await through_the_steps(dialog, 2)
    assert shown["reason"] == "unit_removed"
    assert issues(hass) == []


async def test_a_dialog_outlives_a_reload(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    await inject(wire, "fan")
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    await dialog.answer()
    assert await hass.config_entries.async_reload(wire.entry.entry_id)
    shown = await through_the_steps(dialog, 2)
    assert shown["step_id"] == "still_there"
    assert raised(hass, wire) == {(1, "fan")}
