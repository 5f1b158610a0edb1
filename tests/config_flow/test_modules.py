"""Groups that are read through the local HTTP interface of their modules, wholly or in part."""

from dataclasses import replace
import json
import logging

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.solax_parallel.a1_ess.profile import Profile, load_profile
from custom_components.solax_parallel.const import CONF_UNITS, DOMAIN
from custom_components.solax_parallel.entry_data import link_of
from custom_components.solax_parallel.links import link_from_data
from custom_components.solax_parallel.simulator.group import SimulatedGroup
from custom_components.solax_parallel.simulator.module import SimulatedModule
from custom_components.solax_parallel.wiring import KEPT
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from tests.a1_ess.modules import PASSWORD, Reply, saying, says
from tests.a1_ess.test_module import FAILURES
from tests.a1_ess.wire import crowded
from tests.config_flow.conftest import Misbehave, Serve, ServeModules, make_group
from tests.config_flow.walk import Walk
from tests.contract import ENERGY_TOTALS, entities_of
from tests.groups import is_loaded, poll, state
from tests.repairs import Dialog, issues, only_issue

ERRORS = {
    "reset": "module_unreachable",
    "no word": "module_timeout",
    "too late": "module_timeout",
    "half answer, then stall": "module_timeout",
    "half answer, then close": "module_half_answer",
    "half a JSON": "module_half_answer",
    "garbage": "module_no_json",
    "a web page": "module_no_json",
    "other JSON": "module_other_device",
    "endless": "module_other_device",
    "a page that is not there": "module_other_device",
    "nobody's array": "module_other_device",
    "empty array": "module_empty",
    "nothing but zeros": "module_empty",
    "another family": "module_other_type",
    "wrong password": "module_password",
    "wrong password, by status": "module_password",
}


def host(module: SimulatedModule) -> str:
    return f"127.0.0.1:{module.port}"


def members(*modules: SimulatedModule) -> dict[str, str]:
    """Return what is typed for secondaries that have modules."""
    typed = {}
    for module in modules:
        typed[str(module.unit.role)] = host(module)
        typed[f"{module.unit.role}_password"] = module.password
    return typed


def links(entry: ConfigEntry) -> list[tuple[str, str]]:
    """Return role and kind of link of every member that an entry remembers."""
    return [(unit["role"], unit["link"]["type"]) for unit in entry.data[CONF_UNITS]]


def without_place_in_group() -> Profile:
    """Return the map of modules that leave the assumed places empty."""
    profile = load_profile()
    assumed = ("parallel_role", "secondary_quantity", "units_online")
    return replace(
        profile,
        module={
            key: each for key, each in profile.module.items() if key not in assumed
        },
    )


async def add(
    hass: HomeAssistant, modules: list[SimulatedModule], **typed: str
) -> ConfigEntry:
    """Add a group whose primary is behind the first module."""
    walk = await Walk.begin(hass, "module")
    await walk.submit(host=host(modules[0]), password=modules[0].password)
    if walk.step == "members":
        await walk.submit(**members(*modules[1:]), **typed)
    assert walk.step == "confirm", walk.errors
    await walk.submit()
    await hass.async_block_till_done()
    entry: ConfigEntry = walk.entry
    assert entry.state is ConfigEntryState.LOADED
    return entry


async def test_a_group_of_four_modules(
    hass: HomeAssistant, serve_modules: ServeModules
) -> None:
    group = make_group()
    modules = await serve_modules(group)
    walk = await Walk.begin(hass, "module")
    await walk.submit(host=host(modules[0]), password=modules[0].password)
    assert walk.step == "members"
    assert walk.texts["missing"] == "Secondary 1, Secondary 2, Secondary 3"
    assert "tells nothing of other inverters" in walk.texts["left_open"]
    await walk.submit(**members(*modules[1:]))
    assert walk.step == "confirm"
    for serial in group.serial_numbers:
        assert serial in walk.texts["units"]
    assert f"{host(modules[2])} (module)" in walk.texts["units"]
    # The module tells neither firmware nor rated power.
    assert walk.texts["units"].count("?") == 8
    await walk.submit()
    await hass.async_block_till_done()
    assert walk.entry.state is ConfigEntryState.LOADED
    assert links(walk.entry) == [
        ("primary", "module"),
        ("secondary_1", "module"),
        ("secondary_2", "module"),
        ("secondary_3", "module"),
    ]
    assert walk.entry.unique_id == group.serial_numbers[0]
    assert walk.entry.title == "SolaX Parallel"
    primary = group.serial_numbers[0]
    assert state(hass, f"{primary}_group_units_online").state == "4"
    assert state(hass, f"{primary}_group_unit_quantity").state == "4"


async def test_a_simulated_group(hass: HomeAssistant) -> None:
    walk = await Walk.begin(hass, "simulated")
    await walk.submit(units=2, interface="module")
    await hass.async_block_till_done()
    assert walk.entry.state is ConfigEntryState.LOADED
    primary = walk.entry.unique_id
    assert state(hass, f"{primary}_group_units_online").state == "2"
    assert state(hass, f"{primary}_load_power").state != "unavailable"


async def test_modbus_and_a_module(
    hass: HomeAssistant, serve: Serve, serve_modules: ServeModules
) -> None:
    group = make_group()
    gateway = await serve(group, {1: 0, 2: 1})
    modules = await serve_modules(group, 2, 3)
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=gateway.port)
    assert "what the primary tells" in walk.texts["left_open"]
    await walk.submit(**members(*modules))
    await walk.submit()
    await hass.async_block_till_done()
    assert links(walk.entry) == [
        ("primary", "tcp"),
        ("secondary_1", "tcp"),
        ("secondary_2", "module"),
        ("secondary_3", "module"),
    ]
    primary = group.serial_numbers[0]
    total = state(hass, f"{primary}_group_ac_power")
    assert total.attributes["complete"] is True
    assert float(total.state) == pytest.approx(
        sum(share.output for share in group.powers.shares), abs=4
    )
    energy = state(hass, f"{primary}_group_pv_energy_total")
    assert energy.state == "unknown"
    assert energy.attributes["members_included"] == 2
    assert state(hass, f"{primary}_group_root_cause").attributes["untold"] == [
        "secondary_2",
        "secondary_3",
    ]


async def test_a_module_and_modbus(
    hass: HomeAssistant, serve: Serve, serve_modules: ServeModules
) -> None:
    group = make_group(2)
    gateway = await serve(group, {1: 1})
    modules = await serve_modules(group, 0)
    entry = await add(hass, modules, secondary_1=f"127.0.0.1:{gateway.port}")
    assert links(entry) == [("primary", "module"), ("secondary_1", "tcp")]
    assert state(hass, f"{group.serial_numbers[0]}_group_units_online").state == "2"


async def test_a_module_that_does_not_tell_its_role(
    hass: HomeAssistant, serve_modules: ServeModules
) -> None:
    group = make_group(2)
    modules = await serve_modules(group, profile=without_place_in_group())
    walk = await Walk.begin(hass, "module")
    await walk.submit(host=host(modules[1]), password=modules[1].password)
    assert walk.step == "role"
    assert walk.texts["serial"] == group.serial_numbers[1]
    await walk.submit(role="secondary_2")
    assert walk.step == "module"
    assert walk.errors == {"base": "no_primary"}
    await walk.submit(host=host(modules[0]), password=modules[0].password)
    await walk.submit(role="primary")
    assert walk.step == "members"
    # Nobody counts them, so every other one may be there.
    assert walk.texts["missing"] == "Secondary 1, Secondary 3"
    await walk.submit()
    await walk.submit()
    await hass.async_block_till_done()
    assert links(walk.entry) == [("primary", "module"), ("secondary_2", "module")]
    primary = group.serial_numbers[0]
    assert state(hass, f"{primary}_group_complete").state == "on"
    assert state(hass, f"{primary}_group_unit_quantity").state == "unknown"
    assert state(hass, f"{group.serial_numbers[1]}_role").state == "secondary_2"


async def test_a_secondary_that_is_left_out_is_missing(
    hass: HomeAssistant, serve_modules: ServeModules
) -> None:
    group = make_group(3)
    modules = await serve_modules(group)
    entry = await add(hass, modules[:2])
    assert len(entry.data[CONF_UNITS]) == 2
    primary = group.serial_numbers[0]
    assert state(hass, f"{primary}_group_unit_quantity").state == "3"
    assert state(hass, f"{primary}_group_complete").state == "off"
    assert state(hass, f"{primary}_group_ac_power").attributes["complete"] is False


@pytest.mark.parametrize(("name", "error"), ERRORS.items(), ids=ERRORS.keys())
async def test_each_failure_says_what_to_do(
    hass: HomeAssistant, misbehave: Misbehave, name: str, error: str
) -> None:
    reply: Reply = FAILURES[name][0]
    module = await misbehave(default=reply)
    walk = await Walk.begin(hass, "module")
    address = f"127.0.0.1:{module.port}"
    await walk.submit(host=address, password=PASSWORD)
    assert walk.step == "module"
    assert walk.errors == {"base": error}
    assert walk.suggested == {"host": address}
    assert all(question["pwd"] == [PASSWORD] for question in module.questions)
    module.default = says(saying({80: 0, 81: 0, 82: 1}))
    await walk.submit(host=address, password=PASSWORD)
    assert walk.step == "confirm"


async def test_an_address_that_lets_nobody_in(hass: HomeAssistant) -> None:
    walk = await Walk.begin(hass, "module")
    with crowded() as port:
        await walk.submit(host=f"127.0.0.1:{port}", password=PASSWORD)
    assert walk.errors == {"base": "module_unreachable"}


async def test_a_module_that_waits_for_another_question(
    hass: HomeAssistant, misbehave: Misbehave
) -> None:
    module = await misbehave(default=says(saying({80: 0, 81: 0, 82: 1})))
    module.mute_on, module.takes = "body", "address"
    walk = await Walk.begin(hass, "module")
    await walk.submit(host=f"127.0.0.1:{module.port}", password=PASSWORD)
    assert walk.step == "confirm"


@pytest.mark.parametrize("typed", ["not a host", "127.0.0.1 (RTU)", "/dev/ttyUSB0", ""])
async def test_no_address(hass: HomeAssistant, typed: str) -> None:
    walk = await Walk.begin(hass, "module")
    await walk.submit(host=typed, password=PASSWORD)
    assert walk.errors == {"host": "invalid_module_address"}


async def test_what_can_be_wrong_with_a_member(
    hass: HomeAssistant, serve_modules: ServeModules, misbehave: Misbehave
) -> None:
    group = make_group(4)
    modules = await serve_modules(group)
    empty = await misbehave(default=says(saying(Data=[])))
    walk = await Walk.begin(hass, "module")
    await walk.submit(host=host(modules[0]), password=modules[0].password)
    await walk.submit(
        secondary_1=f"{host(modules[1])} (module)",
        secondary_2="",
        secondary_2_password=modules[2].password,
    )
    assert walk.errors == {
        "secondary_1_password": "no_password",
        "secondary_2": "invalid_address",
    }
    await walk.submit(
        secondary_1=host(modules[1]),
        secondary_1_password="WRONG",
        secondary_2=host(modules[3]),
        secondary_2_password=modules[3].password,
        secondary_3=f"127.0.0.1:{empty.port}",
        secondary_3_password=PASSWORD,
    )
    assert walk.errors == {
        "secondary_1": "module_password",
        "secondary_2": "other_secondary",
    }
    assert "WRONG" not in json.dumps(walk.suggested)
    # The third was found in the second's place.
    assert walk.texts["missing"] == "Secondary 1, Secondary 2"
    await walk.submit(**members(modules[1], modules[2]))
    assert walk.step == "confirm"


async def test_the_same_module_twice(
    hass: HomeAssistant, serve_modules: ServeModules
) -> None:
    modules = await serve_modules(make_group(2))
    walk = await Walk.begin(hass, "module")
    await walk.submit(host=host(modules[0]), password=modules[0].password)
    await walk.submit(
        secondary_1=host(modules[0]), secondary_1_password=modules[0].password
    )
    assert walk.errors == {"secondary_1": "no_inverter_member"}


async def test_reconfigure_keeps_passwords(
    hass: HomeAssistant, serve_modules: ServeModules
) -> None:
    group = make_group(3)
    modules = await serve_modules(group)
    entry = await add(hass, modules)
    # The second one has moved.
    await modules[1].stop()
    (moved,) = await serve_modules(group, 1)
    walk = await Walk.reconfigure(hass, entry.entry_id, "module")
    assert walk.suggested == {"host": f"{host(modules[0])} (module)"}
    await walk.submit(host=f"{host(modules[0])} (module)", password=modules[0].password)
    assert walk.suggested == {
        "secondary_1": f"{entry.data[CONF_UNITS][1]['link']['host']}:"
        f"{entry.data[CONF_UNITS][1]['link']['port']} (module)",
        "secondary_2": f"{host(modules[2])} (module)",
    }
    await walk.submit(
        secondary_1=host(moved),
        secondary_1_password=moved.password,
        secondary_2=f"{host(modules[2])} (module)",
    )
    assert walk.step == "confirm", walk.errors
    await walk.submit()
    assert walk.result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert [unit["link"]["password"] for unit in entry.data[CONF_UNITS]] == [
        module.password for module in modules
    ]
    assert state(hass, f"{group.serial_numbers[0]}_group_units_online").state == "3"


def registered(hass: HomeAssistant, entry: ConfigEntry) -> set[str]:
    """Return the unique id of every entity that an entry has, the disabled ones too."""
    registry = er.async_get(hass)
    return {
        entity.unique_id
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
    }


def total(hass: HomeAssistant, serial: str, key: str) -> State:
    return state(hass, f"{serial}_group_{key}")


def energies(hass: HomeAssistant, serial: str) -> dict[str, float]:
    return {key: float(total(hass, serial, key).state) for key in ENERGY_TOTALS}


async def test_from_modbus_to_a_module_and_back(
    hass: HomeAssistant, serve: Serve, serve_modules: ServeModules
) -> None:
    group = make_group(1)
    gateway = await serve(group)
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=gateway.port)
    await walk.submit()
    await hass.async_block_till_done()
    entry = walk.entry
    serial = group.serial_numbers[0]
    before = state(hass, f"{serial}_output_energy_total")
    sums = energies(hass, serial)
    assert set(sums) == set(ENERGY_TOTALS)
    group.inject(serial, "isolation")
    for _ in range(2):
        await poll(hass)
    raised = only_issue(hass).data
    assert raised is not None
    assert raised["fault"] == "isolation"
    by_modbus = registered(hass, entry)
    only_by_modbus = {
        f"{serial}_{key}"
        for key in (
            "l1_voltage",
            "backup_energy_total",
            "inverter_temperature",
            "grid_fault",
            "parallel_rs485_fault",
            "bms_connected",
            "fault",
            "bi_grid_relay",
            "smart_load_1_power",
        )
    }
    assert only_by_modbus <= by_modbus
    (module,) = await serve_modules(group)
    walk = await Walk.reconfigure(hass, entry.entry_id, "module")
    assert walk.suggested == {}
    await walk.submit(host=host(module), password=module.password)
    await walk.submit(role="primary")
    await walk.submit()
    assert walk.step == "confirm"
    await walk.submit()
    await hass.async_block_till_done()
    assert links(entry) == [("primary", "module")]
    after = state(hass, f"{serial}_output_energy_total")
    assert after.entity_id == before.entity_id
    # It is read in another place, so it is taken for another counter. The sums go on.
    assert float(after.state) == 0
    assert float(after.attributes["counted_before"]) == pytest.approx(
        float(before.state), abs=0.2
    )
    assert energies(hass, serial) == pytest.approx(sums, abs=0.2)
    assert total(hass, serial, "pv_energy_total").attributes["complete"] is False
    # Whether the fault stands can't be told any more.
    assert issues(hass) == []
    # What only Modbus told would stay unavailable for good. The button is back as soon as the
    # owner says that there is a BI.
    by_module = registered(hass, entry) - {f"{serial}_group_start_transfer_test"}
    assert by_module == {
        unique_id
        for device in entities_of(
            [serial], backup_interface="none", through_modules=True
        ).values()
        for unique_id in device
    }
    assert not only_by_modbus & by_module
    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    await walk.submit(host="127.0.0.1", port=gateway.port)
    await walk.submit()
    await hass.async_block_till_done()
    assert links(entry) == [("primary", "tcp")]
    assert registered(hass, entry) == by_modbus
    assert energies(hass, serial) == pytest.approx(sums, abs=0.2)
    assert total(hass, serial, "pv_energy_total").attributes["complete"] is True


def reauth_flows(hass: HomeAssistant) -> list[str]:
    return [
        flow["flow_id"]
        for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        if flow["context"]["source"] == SOURCE_REAUTH
    ]


async def change_passwords(*modules: SimulatedModule) -> None:
    for module in modules:
        module.password = f"NEW{module.unit.unit_id}"


async def test_changed_passwords_are_asked_for(
    hass: HomeAssistant, serve_modules: ServeModules
) -> None:
    group = make_group(3)
    modules = await serve_modules(group)
    entry = await add(hass, modules)
    await change_passwords(*modules[1:])
    await poll(hass)
    primary, *secondaries = group.serial_numbers
    assert state(hass, f"{primary}_ac_power").state != "unavailable"
    for serial in secondaries:
        assert state(hass, f"{serial}_ac_power").state == "unavailable"
    event = state(hass, f"{primary}_group_event")
    # They are lost at once, which mere silence is not.
    assert event.attributes["event_type"] == "group_incomplete"
    (flow_id,) = reauth_flows(hass)
    await poll(hass)
    assert reauth_flows(hass) == [flow_id]
    walk = Walk(hass, await hass.config_entries.flow.async_configure(flow_id))
    assert walk.step == "reauth_confirm"
    assert walk.texts["unit"] == "Secondary 1"
    assert walk.texts["address"] == f"{host(modules[1])} (module)"
    await walk.submit(password="WRONG")
    assert walk.errors == {"base": "module_password"}
    await walk.submit(password=modules[1].password)
    assert walk.texts["unit"] == "Secondary 2"
    await walk.submit(password=modules[2].password)
    assert walk.result["type"] is FlowResultType.ABORT
    assert walk.result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert state(hass, f"{primary}_group_units_online").state == "3"
    assert reauth_flows(hass) == []
    # Nothing that asks with an old password is kept.
    assert set(hass.data[KEPT][entry.entry_id].modules) == {
        link_of(unit) for unit in entry.data[CONF_UNITS]
    }


async def test_passwords_of_a_removed_group_are_forgotten(
    hass: HomeAssistant, serve_modules: ServeModules
) -> None:
    entry = await add(hass, await serve_modules(make_group(2)))
    assert len(hass.data[KEPT][entry.entry_id].modules) == 2
    await hass.config_entries.async_remove(entry.entry_id)
    assert hass.data[KEPT] == {}


async def test_a_changed_password_of_the_only_inverter(
    hass: HomeAssistant, serve_modules: ServeModules, misbehave: Misbehave
) -> None:
    module = await misbehave(default=says(saying({80: 0, 81: 0, 82: 1})))
    walk = await Walk.begin(hass, "module")
    await walk.submit(host=f"127.0.0.1:{module.port}", password=PASSWORD)
    await walk.submit()
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(walk.entry.entry_id)
    module.default = says({"code": 403})
    await hass.config_entries.async_setup(walk.entry.entry_id)
    await hass.async_block_till_done()
    assert walk.entry.state is ConfigEntryState.SETUP_RETRY
    (flow_id,) = reauth_flows(hass)
    module.default = says(saying({80: 0, 81: 0, 82: 1}))
    dialog = Walk(hass, await hass.config_entries.flow.async_configure(flow_id))
    await dialog.submit(password="ANOTHER1")
    assert dialog.result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert is_loaded(walk.entry)
    assert walk.entry.data[CONF_UNITS][0]["link"]["password"] == "ANOTHER1"


async def test_a_replaced_inverter(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    serve_modules: ServeModules,
) -> None:
    group = make_group(2)
    modules = await serve_modules(group)
    entry = await add(hass, modules)
    old = group.serial_numbers[1]
    entity = state(hass, f"{old}_ac_power").entity_id
    newer = make_group(2, "NEWER")
    port = modules[1].port
    await modules[1].stop()
    (module,) = await serve_modules(newer, 1, ports=(0, port))
    module.password = modules[1].password
    await poll(hass)
    assert state(hass, f"{old}_ac_power").state == "unavailable"
    dialog = await Dialog.open(hass, hass_client, only_issue(hass))
    await dialog.answer()
    await hass.async_block_till_done()
    new = newer.serial_numbers[1]
    assert state(hass, f"{new}_ac_power").entity_id == entity
    assert state(hass, f"{new}_ac_power").state != "unavailable"
    assert links(entry) == [("primary", "module"), ("secondary_1", "module")]


async def test_the_password_shows_nowhere(
    hass: HomeAssistant, serve_modules: ServeModules, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    group: SimulatedGroup = make_group(2)
    modules = await serve_modules(group)
    entry = await add(hass, modules)
    passwords = [module.password for module in modules]
    await change_passwords(*modules)
    await poll(hass)
    await poll(hass)
    shown = json.dumps(
        [
            entry.title,
            caplog.text,
            repr(entry.runtime_data.wiring),
            repr(link_from_data(entry.data[CONF_UNITS][0]["link"])),
            *(each.as_dict() for each in hass.states.async_all()),
        ],
        default=str,
    )
    assert [each for each in passwords if each in shown] == []
