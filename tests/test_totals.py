"""Energies over a restart of Home Assistant and over silence: the recorder never sees them fall."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from custom_components.solax_parallel.a1_ess.codes import ModelType
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import (
    CONF_REQUIRE_COMPLETE,
    CONF_UNITS,
    DOMAIN,
)
from custom_components.solax_parallel.counts import SAVE_INTERVAL
from custom_components.solax_parallel.facts import KNOWN_FACTS
from custom_components.solax_parallel.replace import async_replace_unit
from custom_components.solax_parallel.simulator.group import NONE
from custom_components.solax_parallel.simulator.readings import Reading
from homeassistant.const import (
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    EVENT_STATE_CHANGED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import entity_registry as er

from .conftest import Log, StartGroup
from .contract import ENERGY_TOTALS, POWER_TOTALS
from .groups import (
    QUICK,
    Falsify,
    GroupOnTheWire,
    begin_poll,
    halved,
    poll,
    set_up,
    state,
)

type History = dict[str, list[float]]

SUMMED = (
    "pv_energy_total",
    "battery_charged_total",
    "battery_discharged_total",
    "backup_energy_total",
)


@pytest.fixture
def history(hass: HomeAssistant) -> Iterator[History]:
    """Record every number that an energy counter for life shows, as the recorder would."""
    numbers: History = defaultdict(list)

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        if (
            new is not None
            and new.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
            and new.attributes.get("state_class") == "total_increasing"
            and "today" not in new.entity_id
        ):
            numbers[new.entity_id].append(float(new.state))

    forget = hass.bus.async_listen(EVENT_STATE_CHANGED, note)
    yield numbers
    forget()


def falls(history: History) -> dict[str, list[float]]:
    """Return what has fallen at some time."""
    return {
        entity_id: numbers
        for entity_id, numbers in history.items()
        if numbers != sorted(numbers)
    }


async def restart(hass: HomeAssistant, wire: GroupOnTheWire) -> None:
    """Let the integration forget all but what it has on its disk."""
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    assert await set_up(hass, wire.entry)


def kept(wire: GroupOnTheWire, storage: Mapping[str, Any]) -> Any:
    """Return what is on the disk of a group."""
    return storage[f"{DOMAIN}.{wire.entry.entry_id}"]["data"]


def energies(hass: HomeAssistant, wire: GroupOnTheWire) -> dict[str, str]:
    return {
        key: state(hass, f"{wire.primary}_group_{key}").state for key in ENERGY_TOTALS
    }


async def test_restart_of_a_group_that_is_all_there(
    hass: HomeAssistant, start_group: StartGroup, history: History
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    before = energies(hass, wire)
    await restart(hass, wire)
    assert energies(hass, wire) == before
    wire.clock.move(hours=1)
    await restart(hass, wire)
    # Nobody else has noticed that hour, so three polls have to say so.
    assert energies(hass, wire) == before
    for _ in range(2):
        await poll(hass)
    after = energies(hass, wire)
    assert float(after["pv_energy_total"]) > float(before["pv_energy_total"]) + 10
    assert falls(history) == {}
    # Each of 3 inverters counts 5 energies and the primary's meter 2 more, the group sums up 6,
    # and there are 6 smart loads.
    assert len(history) == 3 * 5 + 2 + 6 + 6


@pytest.mark.parametrize("index", [0, 2])
async def test_member_that_sleeps_through_restarts_stays_in_the_sums(
    hass: HomeAssistant, start_group: StartGroup, history: History, index: int
) -> None:
    wire = await start_group(units=3)
    assert await wire.set_up()
    before = energies(hass, wire)
    silent = wire.group.serial_numbers[index]
    wire.silence(silent)
    for _ in range(2):
        await restart(hass, wire)
        assert state(hass, f"{silent}_pv_energy_total").state == STATE_UNAVAILABLE
        assert energies(hass, wire) == before
        for key in SUMMED:
            found = state(hass, f"{wire.primary}_group_{key}").attributes
            assert found["members_included"] == 2
            assert found["complete"] is False

    wire.group.inject(silent, NONE)
    await poll(hass)
    units = [wire.group.energies.unit(unit.index) for unit in wire.group.units]
    assert float(energies(hass, wire)["pv_energy_total"]) == pytest.approx(
        sum(unit.pv for unit in units) / 1000, abs=0.3
    )
    assert falls(history) == {}


async def test_restart_while_nobody_answers(
    hass: HomeAssistant, start_group: StartGroup, history: History
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    before = energies(hass, wire)
    await wire.server.vanish()
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    assert not await set_up(hass, wire.entry)

    # What was never heard in this run is kept for the next one.
    await hass.config_entries.async_unload(wire.entry.entry_id)
    await wire.server.start()
    wire.silence(wire.group.serial_numbers[1])
    assert await set_up(hass, wire.entry)
    assert energies(hass, wire) == before
    assert falls(history) == {}


async def test_sum_is_unknown_until_every_member_was_heard_once(
    hass: HomeAssistant, start_group: StartGroup, history: History
) -> None:
    wire = await start_group(units=2)
    late = wire.group.serial_numbers[1]
    wire.silence(late)
    assert await wire.set_up()
    assert {energies(hass, wire)[key] for key in SUMMED} == {STATE_UNKNOWN}
    # The meter is the primary's.
    assert energies(hass, wire)["grid_export_total"] != STATE_UNKNOWN
    wire.group.inject(late, NONE)
    await poll(hass)
    assert STATE_UNKNOWN not in energies(hass, wire).values()
    assert falls(history) == {}


@pytest.mark.parametrize(
    ("register", "unique_id"),
    [
        ("pv_energy_total", "{primary}_pv_energy_total"),
        ("pv_energy_today", "{primary}_pv_energy_today"),
        ("grid_import_total", "{primary}_grid_import_total"),
        ("pv_energy_total", "{primary}_group_pv_energy_total"),
        ("smart_load_1_energy_total", "{primary}_smart_load_1_energy_total"),
    ],
)
async def test_glitch_right_after_a_restart_is_not_believed(
    hass: HomeAssistant,
    start_group: StartGroup,
    history: History,
    register: str,
    unique_id: str,
) -> None:
    wire = await start_group(units=1)
    unique_id = unique_id.format(primary=wire.primary)
    assert await wire.set_up()
    before = state(hass, unique_id).state
    assert await hass.config_entries.async_unload(wire.entry.entry_id)

    await wire.server.restart(halved(load_profile(), register))
    assert await set_up(hass, wire.entry)
    await poll(hass)
    assert state(hass, unique_id).state in (
        before,
        STATE_UNKNOWN,
        STATE_UNAVAILABLE,
    )
    await wire.server.restart(load_profile())
    await poll(hass)
    assert state(hass, unique_id).state == before
    assert falls(history) == {}


async def test_glitch_in_the_very_first_reading_is_not_believed(
    hass: HomeAssistant, start_group: StartGroup, history: History
) -> None:
    wire = await start_group(units=2)
    key = "pv_energy_total"
    address = load_profile().registers[key].address
    glitches = 0

    def say(reads: dict[str, Reading]) -> Mapping[str, Reading]:
        nonlocal glitches
        asked = [
            request
            for request in wire.server.asked
            if request.unit_id == 2
            and request.address <= address < request.address + request.words
        ]
        if len(asked) != 1:
            return reads
        glitches += 1
        return {**reads, key: 99999.0}

    wire.server.falsified[2] = say
    assert await wire.set_up()
    assert glitches > 0
    late = wire.group.serial_numbers[1]
    right = wire.readings(late)[key]
    assert number(hass, f"{late}_{key}") == pytest.approx(right, abs=0.1)
    await poll(hass)
    assert number(hass, f"{late}_{key}") == pytest.approx(right, abs=0.1)
    assert max(max(numbers) for numbers in history.values()) < 99999
    assert falls(history) == {}


# --- how complete they are ------------------------------------------------------------


async def test_totals_of_an_incomplete_group_can_be_unavailable(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3, options={**QUICK, CONF_REQUIRE_COMPLETE: True})
    assert await wire.set_up()
    before = energies(hass, wire)
    wire.silence(wire.group.serial_numbers[1])
    await poll(hass)

    for key in (*POWER_TOTALS, "battery_soc"):
        found = state(hass, f"{wire.primary}_group_{key}").state
        # The meter hangs on the primary, which is there.
        assert (found == STATE_UNAVAILABLE) is (key != "grid_power"), key
    assert energies(hass, wire) == before

    wire.group.inject(wire.group.serial_numbers[1], NONE)
    await poll(hass)
    for key in (*POWER_TOTALS, "battery_soc"):
        found = state(hass, f"{wire.primary}_group_{key}").state
        assert found != STATE_UNAVAILABLE


async def test_totals_tell_what_they_are_made_of(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=3, reported=1)
    assert await wire.set_up()

    found = state(hass, f"{wire.primary}_group_ac_power").attributes
    assert found["members_included"] == found["members_expected"] == 3
    assert found["members_through_primary"] == 1
    assert found["complete"] is True
    assert "weighting" not in found
    # The primary does not tell of the other one's capacity.
    found = state(hass, f"{wire.primary}_group_battery_soc").attributes
    assert found["weighting"] == "equal"


async def test_load_can_not_be_told_without_what_the_meter_sees(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=4)
    hass.config_entries.async_update_entry(
        wire.entry, data={CONF_UNITS: wire.entry.data[CONF_UNITS][:3]}
    )
    assert await wire.set_up()
    # The fourth one exports what nobody reads of it: the rest would come to less than nothing.
    heard = number(hass, f"{wire.primary}_group_ac_power")
    assert heard + number(hass, f"{wire.primary}_group_grid_power") < 0
    load = state(hass, f"{wire.primary}_group_load_power")
    assert load.state == STATE_UNKNOWN
    assert load.attributes["members_included"] == 3
    assert load.attributes["members_expected"] == 4

    # Off-grid no meter stands between the house and those that are read.
    wire.group.grid_closed = False
    await poll(hass)
    load = state(hass, f"{wire.primary}_group_load_power")
    backup = state(hass, f"{wire.primary}_group_backup_power")
    assert load.state == backup.state
    assert load.attributes["complete"] is False


# --- counters that start anew ---------------------------------------------------------


def reset(**counted: Reading) -> Falsify:
    """Let counters say that they stand at these numbers."""

    def say(reads: dict[str, Reading]) -> Mapping[str, Reading]:
        return {**reads, **counted}

    return say


def number(hass: HomeAssistant, unique_id: str) -> float:
    return float(state(hass, unique_id).state)


@pytest.mark.parametrize("is_disabled", [False, True])
async def test_counter_that_is_reset_starts_at_nothing(
    hass: HomeAssistant, start_group: StartGroup, history: History, is_disabled: bool
) -> None:
    wire = await start_group(units=2)
    own, whole = (
        f"{wire.group.serial_numbers[1]}_pv_energy_total",
        f"{wire.primary}_group_pv_energy_total",
    )
    if is_disabled:
        er.async_get(hass).async_get_or_create(
            "sensor",
            DOMAIN,
            own,
            config_entry=wire.entry,
            disabled_by=er.RegistryEntryDisabler.USER,
        )
    assert await wire.set_up()
    before = number(hass, whole)

    for stands in (0.0, 0.0, 0.1):
        wire.server.falsified[2] = reset(pv_energy_total=stands)
        await poll(hass)
    assert number(hass, whole) == pytest.approx(before + 0.1)
    if not is_disabled:
        assert number(hass, own) == 0.1
        assert "counted_before" not in state(hass, own).attributes

    # Of all that, nothing is lost in a restart.
    wire.silence(wire.group.serial_numbers[1])
    await restart(hass, wire)
    assert number(hass, whole) == pytest.approx(before + 0.1)
    wire.group.inject(wire.group.serial_numbers[1], NONE)
    wire.server.falsified[2] = reset(pv_energy_total=0.2)
    await poll(hass)
    assert number(hass, whole) == pytest.approx(before + 0.2)
    assert falls({key: history[key] for key in history if "group" in key}) == {}


async def test_what_a_counter_brings_along_is_told(
    hass: HomeAssistant, start_group: StartGroup
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    before = number(hass, f"{wire.primary}_group_pv_energy_total")
    wire.server.falsified[1] = reset(
        pv_energy_total=70.0, smart_load_1_energy_total=80.0
    )
    for _ in range(3):
        await poll(hass)
    wire.server.falsified[1] = reset(
        pv_energy_total=70.1, smart_load_1_energy_total=80.1
    )
    await poll(hass)

    for unique_id, counted_before in (
        (f"{wire.primary}_pv_energy_total", 70),
        (f"{wire.primary}_smart_load_1_energy_total", 80),
    ):
        assert number(hass, unique_id) == 0.1
        assert state(hass, unique_id).attributes["counted_before"] == counted_before
    assert number(hass, f"{wire.primary}_group_pv_energy_total") == pytest.approx(
        before + 0.1
    )


async def test_register_that_was_corrected_is_another_counter(
    hass: HomeAssistant, start_group: StartGroup, history: History, tmp_path: Path
) -> None:
    hass.config.config_dir = str(tmp_path)
    wire = await start_group(units=1)
    assert await wire.set_up()
    whole = f"{wire.primary}_group_pv_energy_total"
    before = number(hass, whole)
    (tmp_path / DOMAIN).mkdir()
    (tmp_path / DOMAIN / "a1_ess_g2.yaml").write_text(
        "registers: {pv_energy_total: {scale: 0.2}}", encoding="utf-8"
    )
    await restart(hass, wire)

    own = state(hass, f"{wire.primary}_pv_energy_total")
    assert float(own.state) == 0
    assert own.attributes["counted_before"] == pytest.approx(2 * before)
    assert number(hass, whole) == before
    assert falls({key: history[key] for key in history if "group" in key}) == {}


# --- members that come and go ---------------------------------------------------------


async def test_sums_go_on_when_members_come_and_go(
    hass: HomeAssistant, start_group: StartGroup, history: History
) -> None:
    wire = await start_group(units=3)
    everybody = wire.entry.data[CONF_UNITS]
    assert await wire.set_up()
    before = energies(hass, wire)
    for members in (everybody[:2], everybody[:1], everybody):
        hass.config_entries.async_update_entry(
            wire.entry, data={**wire.entry.data, CONF_UNITS: members}
        )
        await restart(hass, wire)
        assert energies(hass, wire) == before
    assert falls(history) == {}


async def test_place_of_an_inverter_with_pv_taken_by_one_without(
    hass: HomeAssistant, start_group: StartGroup, history: History
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    before = energies(hass, wire)
    former = wire.group.serial_numbers[1]
    wire.server.falsified[2] = reset(
        serial_number="NEWONE00000001", model_type=ModelType.A1_AC_G2
    )
    await async_replace_unit(hass, wire.entry, former, "NEWONE00000001")
    for _ in range(2):
        await restart(hass, wire)
        assert energies(hass, wire) == before
        for key in SUMMED:
            found = state(hass, f"{wire.primary}_group_{key}").attributes
            assert found["complete"] is True
    assert falls({key: history[key] for key in history if "group" in key}) == {}


# --- the disk -------------------------------------------------------------------------


async def test_counters_are_on_the_disk_a_minute_later(
    hass: HomeAssistant,
    start_group: StartGroup,
    hass_storage: dict[str, Any],
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    key = "pv_energy_total"
    first = kept(wire, hass_storage)["counts"][wire.primary][key]
    assert first["value"] == number(hass, f"{wire.primary}_{key}")

    wire.clock.move(seconds=60)
    await poll(hass)
    counted = number(hass, f"{wire.primary}_{key}")
    assert counted > first["value"]
    assert kept(wire, hass_storage)["counts"][wire.primary][key] == first
    begin_poll(hass, SAVE_INTERVAL.total_seconds())
    await hass.async_block_till_done(wait_background_tasks=True)
    assert kept(wire, hass_storage)["counts"][wire.primary][key]["value"] == counted


async def test_counters_are_on_the_disk_when_home_assistant_ends(
    hass: HomeAssistant, start_group: StartGroup, hass_storage: dict[str, Any]
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    wire.clock.move(seconds=60)
    await poll(hass)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    counts = kept(wire, hass_storage)["counts"][wire.primary]
    assert counts["pv_energy_total"]["value"] == number(
        hass, f"{wire.primary}_pv_energy_total"
    )


async def test_nothing_is_left_of_a_group_that_is_removed(
    hass: HomeAssistant, start_group: StartGroup, hass_storage: dict[str, Any]
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    assert f"{DOMAIN}.{wire.entry.entry_id}" in hass_storage
    await hass.config_entries.async_remove(wire.entry.entry_id)
    assert f"{DOMAIN}.{wire.entry.entry_id}" not in hass_storage


async def test_what_is_damaged_on_the_disk_begins_anew(
    hass: HomeAssistant,
    start_group: StartGroup,
    hass_storage: dict[str, Any],
    logged: Log,
) -> None:
    wire = await start_group(units=1)
    assert await wire.set_up()
    before = energies(hass, wire)
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    stored = kept(wire, hass_storage)
    stored["counts"][wire.primary]["pv_energy_total"]["value"] = "much"
    del stored["left_behind"]
    facts = hass_storage[f"{DOMAIN}.facts.{wire.entry.entry_id}"]
    facts["data"] = ["damaged"]
    hass.data.pop(KNOWN_FACTS)

    assert await set_up(hass, wire.entry)

    assert energies(hass, wire) == before
    assert [message.split()[2:] for _, message in logged] == [
        f"{what} can't be read and begin anew".split()
        for what in ("sums of the group", "counters of an inverter", "events")
    ]


@pytest.mark.parametrize("whole", [True, False])
async def test_counters_that_are_lost_make_no_sum_fall(
    hass: HomeAssistant,
    start_group: StartGroup,
    history: History,
    hass_storage: dict[str, Any],
    whole: bool,
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    before = energies(hass, wire)
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    counts = kept(wire, hass_storage)["counts"]
    late = wire.group.serial_numbers[1]
    if whole:
        counts[late] = "damaged"
    else:
        counts[late]["pv_energy_total"]["value"] = None

    wire.silence(late)
    for _ in range(2):
        assert await set_up(hass, wire.entry)
        assert energies(hass, wire)["pv_energy_total"] == STATE_UNKNOWN
        assert await hass.config_entries.async_unload(wire.entry.entry_id)
    wire.group.inject(late, NONE)
    assert await set_up(hass, wire.entry)
    assert energies(hass, wire) == before
    assert falls(history) == {}


@pytest.mark.parametrize("hours", [-30.0, 30.0])
async def test_clock_that_was_wrong_loses_nothing(
    hass: HomeAssistant,
    start_group: StartGroup,
    history: History,
    hass_storage: dict[str, Any],
    hours: float,
) -> None:
    """A small computer without a battery for its clock thinks that it is another day."""
    wire = await start_group(units=1)
    assert await wire.set_up()
    before = number(hass, f"{wire.primary}_pv_energy_total")
    assert await hass.config_entries.async_unload(wire.entry.entry_id)
    for count in kept(wire, hass_storage)["counts"][wire.primary].values():
        count["read_at"] += hours * 3600
    wire.clock.move(hours=3)
    assert await set_up(hass, wire.entry)
    for _ in range(2):
        await poll(hass)

    assert number(hass, f"{wire.primary}_pv_energy_total") > before + 10
    assert (
        "counted_before"
        not in state(hass, f"{wire.primary}_pv_energy_total").attributes
    )
    assert falls(history) == {}
