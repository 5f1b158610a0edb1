"""Stored answers of modules, replayed over HTTP, and what they mean."""

from typing import Any

import pytest

from custom_components.solax_parallel.a1_ess.codes import (
    GridStatus,
    Led,
    LedSource,
    ModelType,
    Role,
    RunMode,
)
from custom_components.solax_parallel.a1_ess.counters import (
    CONSISTENT_POLLS,
    StoredCount,
    counted_at,
)
from custom_components.solax_parallel.a1_ess.grade import Grade
from custom_components.solax_parallel.a1_ess.inverter import Inverter, Member
from custom_components.solax_parallel.a1_ess.inverter_state import (
    InverterState,
    Presence,
)
from custom_components.solax_parallel.a1_ess.module_source import ModuleSource
from custom_components.solax_parallel.a1_ess.placement import (
    Placement,
    decode_placement,
)
from custom_components.solax_parallel.a1_ess.profile import Profile

from .conftest import Clock
from .modules import SERIAL, HostileModule, saying, says, stored
from .test_module import OpenModule, StartModule, open_module, start_module

__all__ = ["open_module", "start_module"]

UNTOLD = {
    "inverter_temperature",
    "battery_current",
    "battery_capacity",
    "battery_charged_total",
    "battery_charged_today",
    "battery_discharged_total",
    "battery_discharged_today",
    "grid_export_total",
    "grid_export_today",
    "l1_voltage",
    "l1_current",
    "l1_power",
    "l1_frequency",
    "l2_voltage",
    "l2_current",
    "l2_power",
    "l2_frequency",
    "backup_l1_voltage",
    "backup_l1_current",
    "backup_l1_power",
    "backup_l1_apparent",
    "backup_l2_voltage",
    "backup_l2_current",
    "backup_l2_power",
    "backup_l2_apparent",
    "backup_energy_total",
    "backup_energy_today",
    "runtime_on_grid",
    "runtime_off_grid",
}
OF_PV = {"pv_energy_total", "pv_energy_today"}

NOON: dict[str, float] = {
    "ac_voltage": 241.0,
    "ac_current": 12.5,
    "ac_power": 3005,
    "frequency": 60.01,
    "pv1_voltage": 380.5,
    "pv2_voltage": 379.0,
    "pv3_voltage": 370.0,
    "pv4_voltage": 0,
    "pv1_current": 4.2,
    "pv2_current": 4.1,
    "pv3_current": 1.1,
    "pv4_current": 0,
    "pv1_power": 1598,
    "pv2_power": 1554,
    "pv3_power": 407,
    "pv4_power": 0,
    "meter_power": -250,
    "load_power": 3255,
    "grid_import_total": 104858.3,
    "grid_import_today": 1.2,
    "output_energy_total": 7000.0,
    "output_energy_today": 18.7,
    "battery_voltage": 205.12,
    "battery_power": 560,
    "battery_temperature": 24,
    "battery_soc": 87,
}
NIGHT = {
    "ac_current": -3.3,
    "ac_power": -790,
    "meter_power": 250,
    "battery_power": -820,
    "battery_soc": 34,
    "pv1_power": 0,
}
OFF_GRID = {
    "ac_voltage": 0,
    "frequency": 0,
    "battery_power": -1500,
    "output_energy_total": 12345.6,
}


def behind(
    server: HostileModule,
    open_module: OpenModule,
    profile: Profile,
    clock: Clock,
    serial: str = SERIAL,
    role: Role = Role.PRIMARY,
) -> Inverter:
    source = ModuleSource(open_module(server), profile)
    member = Member(serial_number=serial, unit_id=None, role=role)
    return Inverter(member, profile, source, clock=clock)


@pytest.mark.parametrize(
    ("name", "expected"), [("noon", NOON), ("night", NIGHT), ("off_grid", OFF_GRID)]
)
async def test_replay(
    start_module: StartModule,
    open_module: OpenModule,
    profile: Profile,
    clock: Clock,
    name: str,
    expected: dict[str, float],
) -> None:
    answer = stored(name)
    server = await start_module(default=says(answer))
    serial = answer["Information"][2]
    inverter = behind(server, open_module, profile, clock, serial)
    state = (await presences(inverter, clock, CONSISTENT_POLLS))[-1]
    assert state.heard
    has_pv = answer["type"] != 20
    untold = UNTOLD | (OF_PV if has_pv else set())
    told = {key: value for key, value in state.readings.items() if key not in untold}
    assert {key: value for key, value in told.items() if key in expected} == expected
    assert {key: state.readings[key] for key in untold} == dict.fromkeys(untold)
    assert None not in told.values()
    assert any(key.startswith("pv") for key in told) is has_pv
    assert dict(state.dropped) == {}
    assert state.faults is None
    assert state.parallel_faults is None
    assert state.extension is None
    assert state.led_source is LedSource.DERIVED


async def test_what_a_module_tells(
    start_module: StartModule, open_module: OpenModule, profile: Profile, clock: Clock
) -> None:
    server = await start_module()
    inverter = behind(server, open_module, profile, clock, role=Role.STANDALONE)
    state = (await presences(inverter, clock, CONSISTENT_POLLS))[-1]
    assert state.readings == {**dict.fromkeys(UNTOLD | OF_PV), **NOON}
    assert state.role is Role.PRIMARY
    assert state.unit_quantity == 4
    assert state.model_type is ModelType.A1_HYB_G2
    assert state.run_mode is RunMode.NORMAL
    assert state.grid_status is GridStatus.ON_GRID
    assert state.led is Led.GREEN
    assert state.bms_connected is None
    assert len(server.questions) == CONSISTENT_POLLS
    assert {each.key for each in inverter.measurements} == set(NOON)


@pytest.mark.parametrize(
    ("code", "mode", "grid", "led"),
    [
        (0, "waiting", None, "green_flashing"),
        (3, "fault", None, "red_flashing"),
        (7, "off_grid", "off_grid", "green"),
        (6, "off_grid_waiting", "off_grid", "green_flashing"),
        (20, "normal_remote", "on_grid", "green"),
        (26, "normal_generator", None, "green"),
        (11, None, None, None),
    ],
)
async def test_what_the_run_mode_tells(
    start_module: StartModule,
    open_module: OpenModule,
    profile: Profile,
    clock: Clock,
    code: int,
    mode: str | None,
    grid: str | None,
    led: str | None,
) -> None:
    # The high byte is something else.
    server = await start_module(default=says(saying({10: 0x0500 | code})))
    state = await behind(server, open_module, profile, clock).poll()
    assert (state.run_mode, state.grid_status, state.led) == (mode, grid, led)


STATUS: dict[tuple[int, int, int], tuple[Role | None, int | None]] = {
    (0, 0, 0): (None, None),
    (0, 0, 1): (Role.STANDALONE, 1),
    (0, 2, 1): (None, None),
    (1, 3, 4): (Role.PRIMARY, 4),
    (1, 1, 0b11): (Role.PRIMARY, 2),
    (1, 0, 1): (None, None),
    (1, 4, 4): (None, None),
    (1, 3, 0): (None, None),
    (1, 3, 16): (None, None),
    (2, 0, 4): (Role.SECONDARY_1, None),
    (3, 3, 4): (Role.SECONDARY_2, None),
    (4, 0, 0b1111): (Role.SECONDARY_3, None),
    (5, 0, 4): (None, None),
    (0xFFFF, 0xFFFF, 0xFFFF): (None, None),
}


@pytest.mark.parametrize(("words", "told"), STATUS.items())
def test_three_words_count_only_together(
    profile: Profile,
    words: tuple[int, int, int],
    told: tuple[Role | None, int | None],
) -> None:
    keys = ("parallel_role", "secondary_quantity", "units_online")
    values = {
        key: profile.module[key].field().decode([word])
        for key, word in zip(keys, words, strict=True)
    }
    role, quantity = told
    assert decode_placement(profile, values) == Placement(
        role=role,
        parallel_setting=None if role is None else role.setting,
        unit_quantity=quantity,
    )
    assert {profile.module[key].grade for key in keys} == {Grade.ASSUMED}


async def test_a_role_that_makes_no_sense_stays_what_it_was(
    start_module: StartModule, open_module: OpenModule, profile: Profile, clock: Clock
) -> None:
    server = await start_module(default=says(saying({80: 0, 81: 0, 82: 0})))
    inverter = behind(server, open_module, profile, clock, role=Role.SECONDARY_2)
    state = await inverter.poll()
    assert state.role is Role.SECONDARY_2
    assert state.unit_quantity is None


async def presences(
    inverter: Inverter, clock: Clock, polls: int
) -> list[InverterState]:
    states = []
    for _ in range(polls):
        states.append(await inverter.poll())
        clock.move(10)
    return states


async def test_another_inverter_behind_the_module(
    start_module: StartModule, open_module: OpenModule, profile: Profile, clock: Clock
) -> None:
    server = await start_module()
    inverter = behind(server, open_module, profile, clock)
    await presences(inverter, clock, 1)
    server.default = says(saying(Information=[7.6, 19, "H1A00000000009"]))
    (state,) = await presences(inverter, clock, 1)
    assert state.presence is Presence.OTHER_SERIAL
    assert state.other_serial == "H1A00000000009"
    assert state.readings == {}


async def test_a_changed_password_is_told_and_not_tried_again_and_again(
    start_module: StartModule, open_module: OpenModule, profile: Profile, clock: Clock
) -> None:
    server = await start_module()
    inverter = behind(server, open_module, profile, clock)
    await presences(inverter, clock, 1)
    server.default = says({"code": 403})
    states = await presences(inverter, clock, 6)
    assert {state.presence for state in states} == {Presence.DENIED}
    assert states[0].lost
    assert len(server.questions) == 2
    server.default = says(saying())
    (state,) = await presences(inverter, clock, 1)
    assert state.heard


async def test_a_night(
    start_module: StartModule, open_module: OpenModule, profile: Profile, clock: Clock
) -> None:
    server = await start_module()
    inverter = behind(server, open_module, profile, clock)
    await presences(inverter, clock, 1)
    server.default = says(saying(Data=[]))
    states = await presences(inverter, clock, 60)
    assert not any(state.heard for state in states)
    # Three polls, and then one look a minute.
    assert len(server.questions) <= 1 + 3 + 10
    server.default = says(stored("night"))
    states = await presences(inverter, clock, 7)
    assert states[-1].heard
    assert states[-1].readings["battery_soc"] == 34


@pytest.mark.parametrize(
    ("places", "key", "kept"),
    [
        ({6: 60_000}, "ac_power", None),
        ({6: 16_000}, "ac_power", 3005),
        ({30: 50_001}, "load_power", 3255),
        ({93: 101}, "battery_soc", 87),
        ({93: 0}, "battery_soc", 87),
        ({19: 12_001}, "pv1_power", 1598),
        ({37: 6}, "grid_import_total", 104858.3),
    ],
)
async def test_what_cannot_be_true_is_dropped(
    start_module: StartModule,
    open_module: OpenModule,
    profile: Profile,
    clock: Clock,
    places: dict[int, int],
    key: str,
    kept: Any,
) -> None:
    server = await start_module()
    inverter = behind(server, open_module, profile, clock)
    await presences(inverter, clock, CONSISTENT_POLLS)
    server.default = says(saying(places))
    (state,) = await presences(inverter, clock, 1)
    if kept is None:
        # As a signed word it is nothing unusual.
        assert state.readings[key] == places[6] - 0x10000
        return
    assert state.readings[key] == kept
    assert state.dropped[key] == 1


@pytest.mark.parametrize(("interval", "answers"), [(10, 1), (5, 2)])
async def test_the_first_readings_of_a_counter_come_from_answers_of_their_own(
    start_module: StartModule,
    open_module: OpenModule,
    profile: Profile,
    clock: Clock,
    interval: float,
    answers: int,
) -> None:
    server = await start_module()
    inverter = behind(server, open_module, profile, clock)
    believed = []
    for number in range(CONSISTENT_POLLS * answers):
        # An answer that is used again bears nothing out, and no poll asks twice.
        assert len(server.questions) == -(-number // answers)
        believed.append((await inverter.poll()).readings["grid_import_total"])
        clock.move(interval)
    shown = 1 + (CONSISTENT_POLLS - 1) * answers
    assert believed == [None] * (shown - 1) + [104858.3] * answers


async def test_a_glitch_in_the_first_answer_is_not_believed(
    start_module: StartModule, open_module: OpenModule, profile: Profile, clock: Clock
) -> None:
    server = await start_module()
    server.script.append(says(saying({38: 0})))
    inverter = behind(server, open_module, profile, clock)
    states = await presences(inverter, clock, 1 + CONSISTENT_POLLS)
    assert [state.readings["grid_import_total"] for state in states] == [
        *[None] * CONSISTENT_POLLS,
        104858.3,
    ]


async def test_a_count_of_another_way_is_another_count(
    start_module: StartModule, open_module: OpenModule, profile: Profile, clock: Clock
) -> None:
    by_modbus = {
        key: StoredCount(value=400, age=10, place=counted_at(profile.registers[key]))
        for key in ("grid_import_total", "pv_energy_total")
    }
    server = await start_module()
    inverter = behind(server, open_module, profile, clock)
    inverter.restore(by_modbus)
    state = (await presences(inverter, clock, CONSISTENT_POLLS))[-1]
    assert state.readings["grid_import_total"] == 0
    assert state.counted_before == {"grid_import_total": 104858.3}
    assert inverter.samples.accumulated("grid_import_total") == 400
    # What a module does not tell stays in the sums.
    assert state.readings["pv_energy_total"] is None
    assert inverter.samples.accumulated("pv_energy_total") == 400
    kept = inverter.stored_counts()
    assert kept["pv_energy_total"].place == by_modbus["pv_energy_total"].place
    assert kept["grid_import_total"].place == "live index 37 u32 x0.1"


def test_every_place_is_graded(profile: Profile) -> None:
    assert {
        key for key, place in profile.module.items() if place.grade is not Grade.FIELD
    } == {"parallel_role", "secondary_quantity", "units_online"}
    taken = [
        place.address + word
        for place in profile.module.values()
        for word in range(place.words)
    ]
    assert len(taken) == len(set(taken))
