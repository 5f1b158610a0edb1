"""What can be done to a group, and what its inverters then say."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from custom_components.solax_parallel.a1_ess.codes import (
    BackupInterfaceType,
    Led,
    RunMode,
)
from custom_components.solax_parallel.a1_ess.family import RATED_POWERS
from custom_components.solax_parallel.a1_ess.faults import PARALLEL_FAULTS
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.register import Bounds
from custom_components.solax_parallel.simulator.group import (
    SimulatedGroup,
    serial_numbers,
)
from custom_components.solax_parallel.simulator.readings import Reading, readings

from .conftest import Clock, GroupFactory

PARALLEL_KEYS = [fault.key for fault in PARALLEL_FAULTS]


def look(group: SimulatedGroup) -> list[Mapping[str, Reading]]:
    """Return what every inverter reads now, the primary first."""
    group.advance()
    return [readings(group, unit) for unit in group.units]


def total(units: list[Mapping[str, Reading]], *keys: str) -> float:
    """Return the sum of ``keys`` over ``units``."""
    return sum(number(unit, key) for unit in units for key in keys)


def number(unit: Mapping[str, Reading], key: str) -> float:
    """Return a reading that is a number."""
    value = unit[key]
    assert isinstance(value, int | float)
    return value


# What a group is


def test_serial_numbers_follow_the_prefix() -> None:
    """Fourteen characters, the primary's first, the same every time."""
    assert serial_numbers("SIMA1", 2) == ("SIMA1000000001", "SIMA1000000002")
    assert {len(number) for number in serial_numbers("TWELVELETTER", 4)} == {14}


@pytest.mark.parametrize("prefix", ["", "A-B", "Ä", "THIRTEENLETTR"])
def test_a_prefix_that_makes_no_serial_number_is_refused(prefix: str) -> None:
    """A serial number is letters and digits, two of them left for counting."""
    with pytest.raises(ValueError, match="letters and digits"):
        serial_numbers(prefix, 4)


@pytest.mark.parametrize(
    ("serials", "rated_power", "time", "reason"),
    [
        ((), 7600, datetime.now(UTC), "1 to 4"),
        (serial_numbers("A", 5), 7600, datetime.now(UTC), "1 to 4"),
        (("SIMA1000000001",) * 2, 7600, datetime.now(UTC), "its own"),
        (("SHORT",), 7600, datetime.now(UTC), "14 characters"),
        (("SIMA100000000Ä",), 7600, datetime.now(UTC), "14 characters"),
        (("SIMA1000000001",), 7000, datetime.now(UTC), "rated power"),
        (("SIMA1000000001",), 7600, datetime(2026, 1, 1), "time zone"),  # noqa: DTZ001
    ],
)
def test_an_impossible_group_is_refused(
    serials: tuple[str, ...], rated_power: int, time: datetime, reason: str
) -> None:
    """The reason says what is wrong."""
    with pytest.raises(ValueError, match=reason):
        SimulatedGroup(
            serial_numbers=serials,
            backup_interface=BackupInterfaceType.NONE,
            rated_power=rated_power,
            now=lambda: time,
        )


def test_identities(build: GroupFactory) -> None:
    """One primary that knows the quantity; all else the same on all."""
    group = build()
    units = look(group)
    assert [unit["serial_number"] for unit in units] == list(group.serial_numbers)
    assert [unit.unit_id for unit in group.units] == [1, 2, 3, 4]
    assert [unit["role"] for unit in units] == [
        "primary",
        "secondary_1",
        "secondary_2",
        "secondary_3",
    ]
    assert [unit["parallel_setting"] for unit in units] == ["master", *["slave"] * 3]
    assert [unit["unit_quantity"] for unit in units] == [4, 0, 0, 0]
    nobody = frozenset[str]()
    roles = frozenset({"primary", "secondary_1", "secondary_2", "secondary_3"})
    assert [unit["online_mask"] for unit in units] == [roles, *[nobody] * 3]
    for key in (
        "factory_name",
        "rated_power",
        "battery_count",
        "model_type",
        "safety_code",
    ):
        assert len({unit[key] for unit in units}) == 1
    assert units[0]["factory_name"] == "SolaX"
    assert units[0]["battery_count"] == 2


def test_a_group_of_one_is_a_primary(build: GroupFactory) -> None:
    """Its quantity is 1 and it sees itself."""
    (unit,) = look(build(1))
    assert (unit["role"], unit["parallel_setting"]) == ("primary", "master")
    assert (unit["unit_quantity"], unit["online_mask"]) == (
        1,
        frozenset({"primary"}),
    )


# Faults


def test_what_can_be_injected(build: GroupFactory, profile: Profile) -> None:
    """Nothing, the six, the inverter's fault word, silence; in this order."""
    assert build().injectable == (
        "none",
        *PARALLEL_KEYS,
        *(profile.registers["inverter_faults"].bits or {}).values(),
        "offline",
    )


def test_what_is_injected_is_remembered(build: GroupFactory) -> None:
    """One inverter has one ailment, and the last one counts."""
    group = build(2)
    group.inject("SIMA1000000002", "fan")
    group.inject("SIMA1000000002", "parallel_can_fault")
    assert [group.injected(serial) for serial in group.serial_numbers] == [
        "none",
        "parallel_can_fault",
    ]


def test_wrong_injections_are_refused(build: GroupFactory) -> None:
    """The sentence names what is wrong, and nothing changes."""
    group = build(1)
    with pytest.raises(ValueError, match="no inverter 'SIMA1000000009'"):
        group.inject("SIMA1000000009", "fan")
    with pytest.raises(ValueError, match="no inverter 'SIMA1000000009'"):
        group.injected("SIMA1000000009")
    with pytest.raises(ValueError, match="'bad_mood' can't be injected"):
        group.inject("SIMA1000000001", "bad_mood")
    assert group.injected("SIMA1000000001") == "none"


@pytest.mark.parametrize("hour", [4, 12, 19])
def test_every_fault_shows_on_its_unit_only(
    build: GroupFactory, clock: Clock, hour: int
) -> None:
    """Its own bit, a red LED, no power; the others serve the house."""
    clock.set(2026, 11, 22, hour)
    group = build()
    serial_number = group.serial_numbers[2]
    house = group.powers.house.load
    for fault in group.injectable[1:-1]:
        group.inject(serial_number, fault)
        units = look(group)
        word, other = (
            ("parallel_faults", "inverter_faults")
            if fault in PARALLEL_KEYS
            else ("inverter_faults", "parallel_faults")
        )
        nothing = frozenset[str]()
        assert [unit[word] for unit in units] == [
            nothing,
            nothing,
            frozenset({fault}),
            nothing,
        ]
        assert [unit[other] for unit in units] == [nothing] * 4
        warning = fault == "parallel_can_warning"
        led = Led.GREEN if warning else Led.RED_FLASHING
        mode = RunMode.NORMAL if warning else RunMode.FAULT
        assert [unit["operation_led"] for unit in units] == [
            "green",
            "green",
            led,
            "green",
        ]
        assert [unit["run_mode"] for unit in units] == [
            "normal",
            "normal",
            mode,
            "normal",
        ]
        for key in ("ac_power", "battery_power", "pv1_power", "l1_power", "ac_current"):
            assert warning or units[2][key] == 0
        assert total(units, "ac_power") - number(
            units[0], "meter_power"
        ) == pytest.approx(house)
        assert len(units[0]["online_mask"]) == 4  # type: ignore[arg-type]
    group.inject(serial_number, "none")
    assert look(group)[2]["operation_led"] == Led.GREEN


def test_the_others_take_up_the_load(build: GroupFactory, clock: Clock) -> None:
    """In the evening two batteries give what four gave."""
    clock.set(2026, 11, 22, 17, 30)
    group = build()
    before = look(group)
    for serial_number in group.serial_numbers[2:]:
        group.inject(serial_number, "eps_sync_lost")
    after = look(group)
    assert number(before[0], "meter_power") == pytest.approx(0, abs=1e-6)
    assert number(after[0], "meter_power") == pytest.approx(0, abs=1e-6)
    assert total(after[:2], "ac_power") == pytest.approx(total(before, "ac_power"))


def test_an_offline_unit_leaves_the_mask_and_delivers_nothing(
    build: GroupFactory, clock: Clock
) -> None:
    """The others stay green; its counters stand still."""
    group = build()
    group.inject(group.serial_numbers[1], "offline")
    units = look(group)
    counted = units[1]["pv_energy_total"]
    assert units[0]["online_mask"] == frozenset(
        {"primary", "secondary_2", "secondary_3"}
    )
    assert units[1]["ac_power"] == 0
    assert {units[n]["operation_led"] for n in (0, 2, 3)} == {"green"}
    clock.pass_time(hours=2)
    units = look(group)
    assert units[1]["pv_energy_total"] == counted
    assert units[1]["runtime_on_grid"] < units[0]["runtime_on_grid"]  # type: ignore[operator]


def test_a_group_with_nobody_running_imports_its_load(build: GroupFactory) -> None:
    """With the grid the house stays on, without it the house is dark."""
    group = build(2)
    for serial_number in group.serial_numbers:
        group.inject(serial_number, "fan")
    units = look(group)
    assert number(units[0], "meter_power") == pytest.approx(-group.powers.house.load)
    assert number(units[0], "meter_power") < -500
    group.grid_closed = False
    assert group.powers.dark
    assert {unit["run_mode"] for unit in look(group)} == {"fault"}


# The main breaker


def test_opening_the_breaker_takes_the_group_off_grid(build: GroupFactory) -> None:
    """Every inverter says so, and the backup output takes the load over from the AC port."""
    group = build()
    assert group.grid_closed
    for unit in look(group):
        assert unit["backup_l1_power"] == unit["backup_l2_power"] == 0
        assert unit["backup_l1_voltage"] == unit["l1_voltage"]
    group.grid_closed = False
    assert not group.grid_closed
    units = look(group)
    for unit in units:
        assert unit["grid_status"] == "off_grid"
        assert unit["run_mode"] == "off_grid"
        assert unit["operation_led"] == "green"
        assert unit["inverter_faults"] == frozenset({"grid_lost"})
        assert unit["backup_l1_voltage"] == unit["backup_l2_voltage"] == 120
        for key in (
            "ac_power",
            "ac_current",
            "ac_voltage",
            "l1_power",
            "l2_current",
            "frequency",
        ):
            assert unit[key] == 0
        assert number(unit, "backup_l1_power") > 100
    assert (units[0]["meter_power"], units[0]["grid_relay"]) == (0, "off")
    assert units[0]["microgrid"] == "on"
    assert total(units, "backup_l1_power", "backup_l2_power") == pytest.approx(
        group.powers.house.load
    )
    group.grid_closed = True
    units = look(group)
    assert {unit["run_mode"] for unit in units} == {"normal"}
    assert (units[0]["grid_relay"], units[0]["microgrid"]) == ("on", "off")


def test_off_grid_pv_is_held_back_when_the_battery_is_full(build: GroupFactory) -> None:
    """A string that is held back shows a higher voltage."""
    group = build()
    on_grid = look(group)
    assert on_grid[0]["battery_soc"] == pytest.approx(100)
    group.grid_closed = False
    off_grid = look(group)
    keys = ("pv1_power", "pv2_power", "pv3_power")
    assert total(off_grid, *keys) == pytest.approx(group.powers.house.load)
    assert total(off_grid, *keys) < total(on_grid, *keys) / 2
    assert number(off_grid[0], "pv1_voltage") > number(on_grid[0], "pv1_voltage")


def test_off_grid_the_loss_of_the_grid_is_no_fault(build: GroupFactory) -> None:
    """What would stop an inverter on the grid is expected without it."""
    group = build(2)
    group.inject(group.serial_numbers[1], "grid_voltage")
    assert look(group)[1]["operation_led"] == "red_flashing"
    group.grid_closed = False
    unit = look(group)[1]
    assert unit["operation_led"] == "green"
    assert unit["inverter_faults"] == frozenset({"grid_lost", "grid_voltage"})
    assert number(unit, "backup_l1_power") > 0
    group.inject(group.serial_numbers[1], "off_grid_overload")
    unit = look(group)[1]
    assert (unit["operation_led"], unit["backup_l1_voltage"]) == ("red_flashing", 0)


def test_a_group_that_runs_dry_waits_for_the_sun(
    build: GroupFactory, clock: Clock
) -> None:
    """No output from an empty battery, and none again until there is enough to stay on."""
    clock.set(2026, 11, 22, 20)
    group = build()
    group.grid_closed = False
    seen: list[Reading] = []
    for _ in range(18 * 60):
        clock.pass_time(minutes=1)
        units = look(group)
        mode = units[0]["run_mode"]
        if not seen or seen[-1] != mode:
            seen.append(mode)
        if mode == RunMode.OFF_GRID_WAITING:
            assert group.powers.dark
            assert total(units, "backup_l1_power", "backup_l2_power") == 0
            assert units[0]["backup_l1_voltage"] == 0
            assert units[0]["operation_led"] == "green_flashing"
            assert units[0]["smart_load_3_power"] == 0
            assert units[0]["microgrid"] == "off"
    assert seen[:2] == ["off_grid", "off_grid_waiting"]
    assert seen[-1] == "off_grid"
    assert len(seen) <= 5


# Powers through a day


@pytest.mark.parametrize("grid", [True, False])
@pytest.mark.parametrize("backup_interface", BackupInterfaceType)
def test_powers_balance_all_day(
    build: GroupFactory,
    clock: Clock,
    profile: Profile,
    backup_interface: BackupInterfaceType,
    grid: bool,
) -> None:
    """Nothing comes from nowhere, and every reading is one that can be believed."""
    clock.set(2026, 11, 22)
    group = build(backup_interface=backup_interface)
    group.grid_closed = grid
    for _ in range(24 * 12):
        units = look(group)
        load = group.powers.house.load
        served = total(units, "ac_power" if grid else "backup_l1_power")
        served += 0 if grid else total(units, "backup_l2_power")
        assert served - number(units[0], "meter_power") == pytest.approx(load, abs=1e-6)
        for unit in units:
            pv = total([unit], "pv1_power", "pv2_power", "pv3_power")
            out = total([unit], "ac_power", "backup_l1_power", "backup_l2_power")
            assert pv - number(unit, "battery_power") == pytest.approx(out, abs=1e-6)
            assert number(unit, "l1_power") + number(unit, "l2_power") == pytest.approx(
                number(unit, "ac_power")
            )
            _assert_credible(unit, profile, rated_power=7600)
        clock.pass_time(minutes=5)


def _assert_credible(
    unit: Mapping[str, Reading], profile: Profile, rated_power: int
) -> None:
    for register in profile.registers.values():
        if register.bounds is None or register.counter or register.key not in unit:
            continue
        value = number(unit, register.key)
        low, high = _limits(register.bounds, rated_power)
        assert low <= value <= high or (register.bounds.or_zero and value == 0), (
            register.key
        )


def _limits(bounds: Bounds, rated_power: int) -> tuple[float, float]:
    if bounds.rated is not None:
        return -bounds.rated * rated_power, bounds.rated * rated_power
    assert bounds.min is not None
    assert bounds.max is not None
    return bounds.min, bounds.max


def test_a_day_has_every_kind_of_hour(build: GroupFactory, clock: Clock) -> None:
    """Charging, discharging, exporting, importing, and each string's own course."""
    clock.set(2026, 11, 22)
    group = build()
    day = []
    for _ in range(24 * 12):
        day.append(look(group))
        clock.pass_time(minutes=5)
    battery = [number(units[1], "battery_power") for units in day]
    meter = [number(units[0], "meter_power") for units in day]
    charge = [number(units[3], "battery_soc") for units in day]
    warmth = [number(units[0], "inverter_temperature") for units in day]
    assert max(battery) > 2000
    assert min(battery) < -1000
    assert max(meter) > 10_000
    assert min(meter) < -1000
    assert min(charge) == pytest.approx(10)
    assert max(charge) == pytest.approx(100)
    assert max(warmth) - min(warmth) > 15
    assert len({number(units[0], "l1_voltage") for units in day}) > 100
    assert (
        len({units[1]["battery_power"] == units[2]["battery_power"] for units in day})
        == 2
    )


@pytest.mark.parametrize("rated_power", RATED_POWERS)
def test_currents_and_apparent_powers_fit(
    build: GroupFactory, rated_power: int
) -> None:
    """A current is a power by its voltage; an apparent power is never the smaller one."""
    group = build(2, rated_power=rated_power)
    for grid in (True, False):
        group.grid_closed = grid
        for unit in look(group):
            for part in (
                "pv1",
                "pv2",
                "battery",
                "l1",
                "l2",
                "ac",
                "backup_l1",
                "backup_l2",
            ):
                assert number(unit, f"{part}_current") * number(
                    unit, f"{part}_voltage"
                ) == pytest.approx(number(unit, f"{part}_power"))
            for leg in ("backup_l1", "backup_l2"):
                assert number(unit, f"{leg}_apparent") >= number(unit, f"{leg}_power")
            assert number(unit, "ac_voltage") == pytest.approx(
                240 if grid else 0, abs=5
            )
            assert number(unit, "frequency") == pytest.approx(
                60 if grid else 0, abs=0.1
            )
            assert ("pv3_power" in unit) is (rated_power == 7600)


def test_without_a_bi_pro_there_are_no_smart_loads(build: GroupFactory) -> None:
    """A BI has its relay; without either nothing of it is there."""
    (bi,) = look(build(1, backup_interface=BackupInterfaceType.BI))
    (none,) = look(build(1, backup_interface=BackupInterfaceType.NONE))
    for unit in (bi, none):
        for channel in range(1, 7):
            assert unit[f"smart_load_{channel}_mode"] == "disabled"
            assert unit[f"smart_load_{channel}_state"] == "off"
            assert unit[f"smart_load_{channel}_energy_total"] == 0
        assert unit["third_party_power"] == unit["non_backup_power"] == 0
    assert (bi["backup_interface"], bi["grid_relay"]) == ("bi", "on")
    assert (none["backup_interface"], none["grid_relay"]) == ("none", "off")


# Energies and clocks

TOTALS = (
    "pv_energy_total",
    "output_energy_total",
    "battery_charged_total",
    "battery_discharged_total",
    "backup_energy_total",
    "grid_export_total",
    "grid_import_total",
    *(f"smart_load_{n}_energy_total" for n in range(1, 7)),
    "runtime_on_grid",
    "runtime_off_grid",
)
TODAYS = (
    "pv_energy_today",
    "output_energy_today",
    "battery_charged_today",
    "battery_discharged_today",
    "grid_export_today",
    "grid_import_today",
)


def counted(group: SimulatedGroup, keys: tuple[str, ...] = TOTALS) -> list[float]:
    """Return the counters of all inverters."""
    return [number(unit, key) for unit in look(group) for key in keys if key in unit]


def test_totals_never_fall(build: GroupFactory, clock: Clock) -> None:
    """Through two days of everything that can happen to a group."""
    group = build()
    history = [counted(group)]
    for step in range(200):
        clock.pass_time(minutes=15)
        if step % 20 == 5:
            group.grid_closed = not group.grid_closed
        if step % 10 == 3:
            group.inject(group.serial_numbers[step % 4], group.injectable[step % 30])
        history.append(counted(group))
    for before, after in pairwise(history):
        assert all(new >= old for old, new in zip(before, after, strict=True))
    assert all(
        new > old for old, new in zip(history[0][:7], history[-1][:7], strict=True)
    )


@pytest.mark.parametrize(
    "time", [(2026, 11, 22, 23, 59, 30), (2026, 3, 8, 0, 30), (2026, 7, 1, 9)]
)
@pytest.mark.parametrize("hours", [0.01, 5.7, 30, 100])
def test_a_restart_goes_on_counting(
    build: GroupFactory, clock: Clock, time: tuple[int, ...], hours: float
) -> None:
    """A group that is built anew stands where the old one would stand."""
    clock.set(*time)
    running = build()
    clock.pass_time(hours=hours)
    restarted = build()
    assert counted(restarted) == pytest.approx(counted(running), rel=1e-9)
    assert counted(restarted, TODAYS) == pytest.approx(
        counted(running, TODAYS), abs=1e-6
    )
    assert [unit["battery_soc"] for unit in look(restarted)] == [
        pytest.approx(unit["battery_soc"]) for unit in look(running)
    ]


def test_today_starts_at_local_midnight(build: GroupFactory, clock: Clock) -> None:
    """Up to midnight it counts, at midnight it is nothing, and the totals do not notice."""
    clock.set(2026, 11, 22, 23, 59, 59)
    group = build()
    before, total_before = counted(group, TODAYS), counted(group)
    assert min(before[:4]) > 1
    clock.pass_time(seconds=1)
    assert counted(group, TODAYS) == pytest.approx([0] * len(before), abs=1e-9)
    clock.pass_time(minutes=30)
    today, grown = counted(group, ("battery_discharged_today",)), counted(group)
    assert sum(today) > 0.5
    at_midnight = [new - old for old, new in zip(total_before, grown, strict=True)]
    assert at_midnight[TOTALS.index("battery_discharged_total")] == pytest.approx(
        today[0], abs=1e-3
    )


def test_a_poll_across_midnight_counts_only_what_came_after(
    build: GroupFactory, clock: Clock
) -> None:
    """The hour before midnight belongs to yesterday."""
    clock.set(2026, 11, 22, 23)
    group = build()
    clock.pass_time(hours=2)
    assert counted(group, TODAYS) == pytest.approx(counted(build(), TODAYS), abs=1e-6)


@pytest.mark.parametrize(("day", "length"), [((2026, 11, 1), 25), ((2026, 3, 8), 23)])
def test_days_of_a_clock_change(
    build: GroupFactory, clock: Clock, day: tuple[int, int, int], length: int
) -> None:
    """The day is an hour longer or shorter; the totals grow by the time that passed."""
    clock.set(*day)
    group = build()
    first = counted(group)
    history = []
    for _ in range(length * 6):
        history.append(counted(group, TODAYS))
        clock.pass_time(minutes=10)
    assert (clock.time.hour, clock.time.minute) == (0, 0)
    for before, after in pairwise(history):
        assert all(new >= old for old, new in zip(before, after, strict=True))
    assert counted(group, TODAYS) == pytest.approx([0] * len(history[0]), abs=1e-9)
    grown = [new - old for old, new in zip(first, counted(group), strict=True)]
    assert grown[TOTALS.index("runtime_on_grid")] == pytest.approx(length)
    assert counted(group) == pytest.approx(counted(build()), rel=1e-9)


@pytest.mark.parametrize("back", [{"minutes": 10}, {"hours": 13}, {"days": 400}])
def test_a_clock_that_jumps_back_takes_nothing_away(
    build: GroupFactory, clock: Clock, back: dict[str, float]
) -> None:
    """Totals stand while the clock is set back, then count on; powers follow the clock."""
    group = build()
    clock.pass_time(hours=1)
    before = counted(group)
    clock.time -= timedelta(**back)
    assert counted(group) == before
    assert look(group)[0]["pv1_power"] == pytest.approx(look(build())[0]["pv1_power"])
    clock.pass_time(minutes=5)
    after = counted(group)
    assert all(new >= old for old, new in zip(before, after, strict=True))
    assert after[TOTALS.index("runtime_on_grid")] == pytest.approx(
        before[TOTALS.index("runtime_on_grid")] + 5 / 60
    )


def test_a_clock_that_jumps_back_over_midnight_starts_the_day_anew(
    build: GroupFactory, clock: Clock
) -> None:
    """A new date is a new day, whichever way it came."""
    clock.set(2026, 11, 22, 0, 30)
    group = build()
    clock.set(2026, 11, 21, 23, 30)
    assert set(counted(group, TODAYS)) == {0}


def test_a_clock_that_jumps_years_ahead(build: GroupFactory, clock: Clock) -> None:
    """The group stands where an undisturbed one would stand then."""
    group = build()
    clock.set(2036, 6, 1, 15, 0)
    assert counted(group) == pytest.approx(counted(build()), rel=1e-9)
    assert counted(group, TODAYS) == pytest.approx(counted(build(), TODAYS), abs=1e-4)
