"""A group that is read through modules: what it tells, and what it leaves unknown."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
import json
from pathlib import Path
import time
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.inverter import REST, Inverter, Member
from custom_components.solax_parallel.a1_ess.inverter_state import (
    SILENT_POLLS,
    Presence,
)
from custom_components.solax_parallel.a1_ess.module import PACING, Module
from custom_components.solax_parallel.a1_ess.module_source import ModuleSource
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import CONF_UNITS, DOMAIN
from custom_components.solax_parallel.entry_data import unit_data
from custom_components.solax_parallel.links import ModuleLink
from custom_components.solax_parallel.report import async_write_report
from custom_components.solax_parallel.simulator.group import OFFLINE, SimulatedGroup
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from scripts.development.group import GroupView, Reading
from scripts.development.table import table

from .a1_ess.modules import (
    PASSWORD,
    SERIAL,
    HostileModule,
    late,
    saying,
    says,
    stays_silent,
)
from .conftest import AddSimulated, Log
from .contract import LEG_TOTALS, TOTALS, entities_of
from .groups import begin_poll, poll, set_up, state
from .test_contracts import registered
from .test_diagnostics import download, found_in
from .test_polling import hours_pass, switch
from .test_trial import registers, validate

PRIMARY, *SECONDARIES = (f"SIMHA{number:09}" for number in range(1, 5))


@pytest.fixture
async def entry(hass: HomeAssistant, add_simulated: AddSimulated) -> MockConfigEntry:
    """Return a simulated group of four behind modules, set up."""
    entry = add_simulated(interface="module")
    assert await set_up(hass, entry)
    return entry


@pytest.fixture
def group(entry: MockConfigEntry) -> SimulatedGroup:
    """Return what can be done to that group."""
    simulation = entry.runtime_data.wiring.simulation
    assert isinstance(simulation, SimulatedGroup)
    return simulation


@pytest.fixture
def no_pacing() -> Iterator[None]:
    """Ask a module in every poll."""
    with patch("custom_components.solax_parallel.wiring.PACING", 0):
        yield


@pytest.fixture
async def module(unloaded_afterwards: None) -> AsyncIterator[HostileModule]:
    """Start a module of one standalone inverter."""
    server = await HostileModule(default=says(alone())).start()
    yield server
    await server.stop()


def alone(**changes: Any) -> dict[str, Any]:
    """Return what the module of a standalone inverter says."""
    return saying({80: 0, 81: 0, 82: 1}, **changes)


def entry_of(
    hass: HomeAssistant, module: HostileModule, password: str = PASSWORD
) -> MockConfigEntry:
    """Add the entry of the one inverter behind a module, not set up yet."""
    member = Member(serial_number=SERIAL, unit_id=None, role=Role.STANDALONE)
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="SolaX Parallel",
        unique_id=SERIAL,
        data={
            CONF_UNITS: [
                unit_data(member, ModuleLink("127.0.0.1", password, module.port))
            ]
        },
    )
    entry.add_to_hass(hass)
    return entry


def of_group(hass: HomeAssistant, key: str, primary: str = PRIMARY) -> str:
    return state(hass, f"{primary}_group_{key}").state


def pass_time(entry: MockConfigEntry, seconds: float) -> None:
    """Let those who poll the group believe that time has passed."""
    polled = entry.runtime_data.wiring.group
    for each in (polled, *polled.inverters.values()):
        each._clock = lambda: time.monotonic() + seconds


@pytest.mark.parametrize("units", [1, 4])
async def test_entities(
    hass: HomeAssistant, add_simulated: AddSimulated, units: int
) -> None:
    entry = add_simulated(units=units, interface="module")
    assert await set_up(hass, entry)
    assert registered(hass, entry) == entities_of(
        [PRIMARY, *SECONDARIES][:units],
        backup_interface="none",
        simulated=True,
        through_modules=True,
    )


async def test_what_is_told(hass: HomeAssistant, group: SimulatedGroup) -> None:
    powers = group.powers
    output = sum(share.output for share in powers.shares)
    assert float(of_group(hass, "ac_power")) == pytest.approx(output, abs=20)
    pv = sum(share.pv for share in powers.shares)
    assert float(of_group(hass, "pv_power")) == pytest.approx(pv, abs=20)
    assert float(of_group(hass, "grid_power")) == pytest.approx(-powers.meter, abs=20)
    assert float(of_group(hass, "load_power")) == pytest.approx(
        powers.house.load, abs=20
    )
    assert of_group(hass, "on_grid") == "on"
    assert of_group(hass, "operation_led") == "green"
    assert of_group(hass, "complete") == "on"
    assert of_group(hass, "unit_quantity") == "4"
    assert of_group(hass, "check_model_type") == "off"
    led = state(hass, f"{SECONDARIES[2]}_operation_led")
    assert (led.state, led.attributes["source"]) == ("green", "derived")
    assert state(hass, f"{SECONDARIES[2]}_role").state == "secondary_3"


async def test_what_is_not_told_is_unknown(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    # All that is seen is well, but faults can't be seen.
    assert of_group(hass, "status") == "unknown"
    cause = state(hass, f"{PRIMARY}_group_root_cause")
    assert cause.state == "unknown"
    assert cause.attributes["untold"] == [
        "primary",
        "secondary_1",
        "secondary_2",
        "secondary_3",
    ]
    assert cause.attributes["explanation"] == (
        "Not enough is known to name a cause. Not all of their faults are told by: "
        "Primary, Secondary 1, Secondary 2, Secondary 3."
    )
    for key in ("firmware", "rated_power", "battery_quantity", "safety_code"):
        assert of_group(hass, f"check_{key}") == "unknown", key
    assert of_group(hass, "totals_disagree") == "unknown"
    for key in set(TOTALS) - set(LEG_TOTALS):
        total = state(hass, f"{PRIMARY}_group_{key}")
        told = key in (
            "ac_power",
            "pv_power",
            "battery_power",
            "grid_power",
            "load_power",
            "battery_soc",
            "grid_import_total",
        )
        assert (total.state != "unknown") is told, key
        assert total.attributes["complete"] is told, key


async def test_off_grid(
    hass: HomeAssistant, group: SimulatedGroup, entry: MockConfigEntry
) -> None:
    group.grid_closed = False
    await poll(hass)
    assert of_group(hass, "on_grid") == "off"
    assert of_group(hass, "status") == "off_grid"
    assert state(hass, f"{PRIMARY}_grid_status").state == "off_grid"
    # The load is on the backup output, which no module tells.
    assert of_group(hass, "load_power") == "unknown"


async def test_a_fault_shows_in_the_run_mode(
    hass: HomeAssistant, group: SimulatedGroup
) -> None:
    group.inject(SECONDARIES[0], "isolation")
    await poll(hass)
    assert state(hass, f"{SECONDARIES[0]}_run_mode").state == "fault"
    assert state(hass, f"{SECONDARIES[0]}_operation_led").state == "red_flashing"
    assert of_group(hass, "status") == "fault"
    assert of_group(hass, "root_cause") == "unknown"


async def test_one_without_readings(
    hass: HomeAssistant, group: SimulatedGroup, entry: MockConfigEntry
) -> None:
    group.inject(SECONDARIES[1], OFFLINE)
    await poll(hass)
    assert of_group(hass, "status") == "degraded"
    assert of_group(hass, "units_online") == "3"
    total = state(hass, f"{PRIMARY}_group_ac_power")
    assert total.attributes["members_included"] == 3
    assert total.attributes["complete"] is False
    assert state(hass, f"{SECONDARIES[1]}_ac_power").state == "unavailable"
    for _ in range(SILENT_POLLS - 1):
        await poll(hass)
    assert of_group(hass, "root_cause") == "secondary_unreachable"
    group.inject(SECONDARIES[1], "none")
    pass_time(entry, REST)
    await poll(hass)
    assert of_group(hass, "units_online") == "4"


async def test_a_night_makes_no_noise(
    hass: HomeAssistant, group: SimulatedGroup, entry: MockConfigEntry, logged: Log
) -> None:
    for serial in SECONDARIES:
        group.inject(serial, OFFLINE)
    for number in range(30):
        pass_time(entry, 10 * number)
        await poll(hass)
    assert of_group(hass, "units_online") == "1"
    assert logged == []
    group.inject(PRIMARY, OFFLINE)
    for number in range(30, 60):
        pass_time(entry, 10 * number)
        await poll(hass)
    assert of_group(hass, "status") == "offline"
    # Home Assistant says once that nobody answers any more.
    assert [level for level, _ in logged] == ["ERROR"]
    for serial in group.serial_numbers:
        group.inject(serial, "none")
    pass_time(entry, 700)
    await poll(hass)
    assert of_group(hass, "units_online") == "4"
    assert len(logged) == 1


async def test_the_report_says_whose_faults_are_not_told(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    report = await async_write_report(entry.runtime_data, full_serial_numbers=False)
    units = "Primary, Secondary 1, Secondary 2, Secondary 3"
    past = report.partition("## Faults in the past")[2]
    # There is no event that could be disabled.
    assert (
        past.count(units) == past.count(f"Not known, or not in full, of {units}") == 1
    )
    now = report.partition("## Now")[2].partition("##")[0]
    for unit in units.split(", "):
        assert f"| {unit} | ? |" in now


@pytest.mark.parametrize(("interface", "faults"), [("modbus", "none"), ("module", "?")])
async def test_the_table_for_developers(
    hass: HomeAssistant, add_simulated: AddSimulated, interface: str, faults: str
) -> None:
    entry = add_simulated(units=2, interface=interface)
    assert await set_up(hass, entry)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    ids = {(each.domain, each.unique_id): each.entity_id for each in entities}
    shown = table(
        [
            GroupView(
                title="",
                problem=None,
                group_id=PRIMARY,
                serial_numbers=[PRIMARY, SECONDARIES[0]],
                entity_ids=ids,
                readings={
                    key: Reading(found.state, found.attributes)
                    for key, entity_id in ids.items()
                    if (found := hass.states.get(entity_id)) is not None
                },
            )
        ]
    )
    # What the group does not know, such as a check, is no fault of its primary.
    assert [row.split()[-1] for row in shown.splitlines()[-2:]] == [faults] * 2


async def test_an_array_is_used_again_within_ten_seconds(
    hass: HomeAssistant, module: HostileModule
) -> None:
    entry = entry_of(hass, module)
    assert await set_up(hass, entry)
    for _ in range(3):
        await poll(hass)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert len(module.questions) == 1
    assert state(hass, f"{SERIAL}_ac_power").state == "3005"


async def test_counters_stand_as_long_as_their_array(
    hass: HomeAssistant, module: HostileModule
) -> None:
    entry = entry_of(hass, module)
    assert await set_up(hass, entry)
    asked = entry.runtime_data.wiring.group.inverters[SERIAL].source._module
    for number in range(1, 3):
        asked._clock = lambda: time.monotonic() + number * PACING  # noqa: B023
        await poll(hass)
    assert len(module.questions) == 3
    counted = state(hass, f"{SERIAL}_grid_import_total").state
    assert float(counted) > 0
    for _ in range(5):
        await entry.runtime_data.async_check_now()
    assert len(module.questions) == 3
    assert state(hass, f"{SERIAL}_grid_import_total").state == counted
    assert of_group(hass, "grid_import_total", SERIAL) == counted


@pytest.mark.usefixtures("no_pacing")
async def test_the_polling_switch_leaves_a_module_alone(
    hass: HomeAssistant, module: HostileModule
) -> None:
    entry = entry_of(hass, module)
    assert await set_up(hass, entry)
    asked = len(module.questions)
    module.default = stays_silent
    begin_poll(hass)
    assert await module.was_asked(asked + 1)
    # It does not wait for the answer that is under way.
    assert await switch(hass, SERIAL, on=False) < 1
    await hours_pass(hass)
    assert len(module.questions) == asked + 1
    assert entry.runtime_data.data.members[SERIAL].presence is Presence.UNASKED
    assert state(hass, f"{SERIAL}_ac_power").state == "unavailable"
    assert of_group(hass, "status", SERIAL) == "unknown"
    module.default = says(alone())
    await switch(hass, SERIAL, on=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(module.questions) > asked + 1
    assert state(hass, f"{SERIAL}_ac_power").state == "3005"


async def test_a_transfer_test(
    hass: HomeAssistant, group: SimulatedGroup, entry: MockConfigEntry
) -> None:
    start = partial(
        hass.services.async_call, DOMAIN, "start_transfer_test", {}, blocking=True
    )
    # No module tells how the group is connected.
    with pytest.raises(ServiceValidationError, match="has a BI or BI PRO"):
        await start()
    hass.config_entries.async_update_entry(entry, options={"backup_interface": "bi"})
    await hass.config_entries.async_reload(entry.entry_id)
    played = entry.runtime_data.wiring.simulation
    assert played is not None
    await start()
    played.grid_closed = False
    await poll(hass, 5)
    assert of_group(hass, "transfer_test") == "close_breaker"
    played.grid_closed = True
    await poll(hass, 5)
    assert of_group(hass, "transfer_test") == "passed"


async def test_a_transfer_test_that_a_fault_ends(
    hass: HomeAssistant, add_simulated: AddSimulated
) -> None:
    entry = add_simulated(interface="module", options={"backup_interface": "bi"})
    assert await set_up(hass, entry)
    await hass.services.async_call(DOMAIN, "start_transfer_test", {}, blocking=True)
    entry.runtime_data.wiring.simulation.inject(SECONDARIES[1], "isolation")
    await poll(hass, 5)
    test = state(hass, f"{PRIMARY}_group_transfer_test")
    assert test.state == "failed"


async def test_one_that_loses_its_inverter_during_a_transfer_test(
    hass: HomeAssistant, add_simulated: AddSimulated
) -> None:
    entry = add_simulated(interface="module", options={"backup_interface": "bi"})
    assert await set_up(hass, entry)
    await hass.services.async_call(DOMAIN, "start_transfer_test", {}, blocking=True)
    simulation = entry.runtime_data.wiring.simulation
    simulation.inject(SECONDARIES[1], OFFLINE)
    simulation.grid_closed = False
    await poll(hass, 5)
    # Three of four are no group that went off-grid together.
    assert of_group(hass, "transfer_test") == "open_breaker"


@pytest.mark.parametrize("kind", [14, 20, "19", None])
@pytest.mark.usefixtures("no_pacing")
async def test_a_module_whose_type_changes(
    hass: HomeAssistant, module: HostileModule, kind: object
) -> None:
    entry = entry_of(hass, module)
    assert await set_up(hass, entry)
    module.default = says(alone(type=kind))
    await poll(hass)
    heard = state(hass, f"{SERIAL}_ac_power").state
    assert heard == ("3005" if kind == 20 else "unavailable")
    module.default = says(alone())
    await poll(hass)
    assert state(hass, f"{SERIAL}_ac_power").state == "3005"


@pytest.mark.usefixtures("no_pacing")
async def test_one_question_a_poll(hass: HomeAssistant, module: HostileModule) -> None:
    assert await set_up(hass, entry_of(hass, module))
    asked = len(module.questions)
    for number in range(1, 4):
        await poll(hass)
        assert len(module.questions) == asked + number
    assert module.overlaps == 0


async def test_diagnostics(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, module: HostileModule
) -> None:
    # Arrays of sister families spell serial numbers somewhere, high byte first or last.
    spelt = [0x4831, 0x4130, 0x3030, 0x3030, 0x3030, 0x3030, 0x3031]
    words = dict(
        enumerate([*spelt, 0, *(word >> 8 | (word & 0xFF) << 8 for word in spelt)], 120)
    )
    told = saying({80: 0, 81: 0, 82: 1, **words, 110: 4711})
    module.default = says(told)
    entry = entry_of(hass, module)
    assert await set_up(hass, entry)
    report = await download(hass, hass_client, entry)
    assert found_in(report, [SERIAL, PASSWORD, "127.0.0.1"]) == []
    data = report["data"]
    assert data["data"]["units"][0]["link"]["password"] == "**REDACTED**"
    assert data["profile"]["module"]["battery_soc"]["address"] == 93
    assert data["group"]["members"]["INVERTER000001"]["identity"]["model_type"] == (
        "a1_hyb_g2"
    )
    raw = {
        int(place): word
        for place, word in data["raw"]["INVERTER000001"]["module"].items()
    }
    assert raw == {
        place: 0 if place in words else word for place, word in enumerate(told["Data"])
    }
    # What was downloaded can be replayed.
    module.default = says(
        {
            **told,
            "Data": list(raw.values()),
            "Information": [0, 19, "INVERTER000001"],
        }
    )
    profile = load_profile()
    source = ModuleSource(
        Module(async_get_clientsession(hass), "127.0.0.1", module.port, "x"), profile
    )
    member = Member(serial_number="INVERTER000001", unit_id=None, role=Role.STANDALONE)
    replayed = await Inverter(member, profile, source).poll()
    assert (
        json.loads(json.dumps(dict(replayed.readings)))
        == (data["group"]["members"]["INVERTER000001"]["readings"])
    )


@pytest.mark.parametrize("password", ["", "1"])
async def test_diagnostics_tell_no_address_whatever_the_password_is(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    module: HostileModule,
    password: str,
) -> None:
    entry = entry_of(hass, module, password)
    assert await set_up(hass, entry)
    report = await download(hass, hass_client, entry)
    assert found_in(report, [SERIAL, "27.0.0"]) == []
    assert report["data"]["data"]["units"][0]["link"]["host"] == "**REDACTED**"


@pytest.mark.parametrize(
    ("power", "shown", "within"),
    [(15200, "15200", True), (15201, "unavailable", False)],
)
async def test_a_trial_and_a_poll_judge_bounds_alike(
    hass: HomeAssistant,
    module: HostileModule,
    owners_file: Path,
    power: int,
    shown: str,
    within: bool,
) -> None:
    # No module tells the rated power, so that of the largest inverter counts.
    owners_file.write_text("module: {ac_power: {bounds: {rated: 2}}}")
    module.default = says(saying({6: power, 80: 0, 81: 0, 82: 1}))
    assert await set_up(hass, entry_of(hass, module))
    assert state(hass, f"{SERIAL}_ac_power").state == shown
    yours = registers(await validate(hass))["ac_power"]["yours"]
    assert (yours["value"], yours["within_bounds"]) == (power, within)


async def test_nobody_is_asked_for_the_password_of_a_group_that_is_gone(
    hass: HomeAssistant, module: HostileModule, logged: Log
) -> None:
    entry = entry_of(hass, module)
    assert await set_up(hass, entry)
    asked = entry.runtime_data.wiring.group.inverters[SERIAL].source._module
    asked._clock = lambda: time.monotonic() + PACING
    module.default = late(0.5, says({"code": 401}, "401 Unauthorized"))
    looking = hass.async_create_task(entry.runtime_data.async_look_again())
    assert await module.was_asked(2)
    await hass.config_entries.async_remove(entry.entry_id)
    await looking
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.config_entries.flow.async_progress() == []
    assert logged == []
