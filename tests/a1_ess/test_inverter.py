"""One inverter: what it says, what that means, and what its silence costs."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
import time

from modbus_connection import (
    IllegalDataAddressError,
    ModbusConnectionError,
    ModbusError,
    ModbusProtocolError,
    ServerDeviceBusyError,
)
from modbus_connection.mock import MockModbusConnection
import pytest

from custom_components.solax_parallel.a1_ess.codes import (
    FAULT_MODES,
    WORKING_MODES,
    GridStatus,
    Led,
    LedSource,
    ModelType,
    ParallelSetting,
    Role,
    RunMode,
)
from custom_components.solax_parallel.a1_ess.derived import derived_led
from custom_components.solax_parallel.a1_ess.faults import FAULTS
from custom_components.solax_parallel.a1_ess.identity import (
    SETTINGS,
    Identity,
    OtherSerialError,
)
from custom_components.solax_parallel.a1_ess.inverter import Inverter, Member
from custom_components.solax_parallel.a1_ess.inverter_state import (
    InverterState,
    Presence,
)
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource

from .conftest import Clock, MakeDevice, OpenLink, StartServer
from .device import SERIALS, Device, played_by
from .wire import READ_HOLDING, READ_INPUT, Exchange, silence

READINGS = ["live", "legs", "third_string"]


def first_readings(extension: str, *counters: str) -> list[str]:
    """Return what is read in a first poll: counters that nothing is known of yet three times."""
    again = ["live", "legs", *counters]
    return ["identity", *READINGS, extension, *again, *again]


def with_settings(extension: str) -> list[str]:
    """Return what is read in a poll in which the settings are due."""
    rest = ["rating", "firmware", "battery_packs"]
    return [*READINGS, "parallel_setting", extension, *rest]


type MakeInverter = Callable[..., Inverter]


@pytest.fixture
def make_inverter(profile: Profile, clock: Clock) -> MakeInverter:
    """Make the inverter that polls a device."""

    def make(
        device: Device,
        member: Member | None = None,
        *,
        system_interval: float | None = None,
        hurries: bool = True,
    ) -> Inverter:
        return Inverter(
            member or device.member(),
            profile,
            RegisterSource(device.unit, profile),
            system_interval=system_interval,
            hurries=hurries,
            clock=clock,
        )

    return make


def unheard(state: InverterState) -> bool:
    """Whether a state claims nothing that only a reading can tell."""
    return (
        not state.heard
        and state.readings == {}
        and state.system == {}
        and state.unnamed_bits == {}
        and {
            state.led,
            state.led_source,
            state.run_mode,
            state.grid_status,
            state.off_grid,
            state.bms_connected,
            state.faults,
            state.problems,
            state.parallel_faults,
            state.extension,
        }
        == {None}
    )


# --- a sound inverter -----------------------------------------------------------------


async def test_a_poll_tells_what_is_known(
    make_device: MakeDevice, make_inverter: MakeInverter, profile: Profile
) -> None:
    inverter = make_inverter(make_device(backup_interface="bi_pro"))
    before = datetime.now(UTC)

    first = await inverter.poll()
    state = await inverter.poll()

    # All but what hardly ever changes is known at once.
    later = {key: getattr(state, key) for key in ("identity", "last_seen", "served")}
    assert replace(first, **later) == state
    assert first.served == {*READINGS, "primary_extension"}
    assert state.served == {*first.served, *SETTINGS}
    assert first.identity == Identity(
        serial_number="H10000000000AA", factory_name="Solax", rated_power=7600
    )
    assert state.serial_number == "H10000000000AA"
    assert state.presence is Presence.HEARD
    assert state.heard
    assert state.identity is not None
    assert state.identity.firmware == "DSP 1.07 / ARM 2.13"
    assert state.role is inverter.role is Role.PRIMARY
    assert state.model_type is ModelType.A1_HYB_G2
    assert state.run_mode is RunMode.NORMAL
    assert state.grid_status is GridStatus.ON_GRID
    assert state.off_grid is False
    assert state.bms_connected is True
    assert (state.led, state.led_source) == (Led.GREEN, LedSource.REGISTER)
    assert state.faults == state.problems == state.parallel_faults == frozenset()
    assert state.unnamed_bits == {}
    assert state.extension is not None
    assert state.extension.unit_quantity == 4
    assert state.extension.backup_interface is not None
    assert state.system == {}
    assert not state.reported
    assert state.failures == {}
    assert state.dropped == {}
    assert state.failed_polls == 0
    assert state.last_seen is not None
    assert before <= state.last_seen <= datetime.now(UTC)
    assert state.readings["ac_voltage"] == 240.1
    assert state.readings["meter_power"] == -250
    assert state.readings["pv3_power"] == 400
    assert state.readings["pv_energy_total"] == 4321.5
    assert set(state.readings) == {
        register.key
        for window in READINGS
        for register in profile.read_in(window)
        if register.unit is not None
    }


async def test_who_it_is_is_asked_once(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    assert device.asked() == []

    await inverter.poll()
    assert device.asked() == first_readings("primary_extension", "primary_extension")
    clock.move(10)
    await inverter.poll()
    assert device.asked() == with_settings("primary_extension")
    for _ in range(5):
        clock.move(10)
        await inverter.poll()
        assert device.asked() == [*READINGS, "primary_extension"]


async def test_where_nobody_waits_all_is_asked_at_once(
    make_device: MakeDevice, make_inverter: MakeInverter
) -> None:
    device = make_device()

    state = await make_inverter(device, hurries=False).poll()

    again = ["live", "legs", "primary_extension"]
    assert device.asked() == [
        "identity",
        *with_settings("primary_extension"),
        *again,
        *again,
    ]
    assert state.identity is not None
    assert state.identity.firmware == "DSP 1.07 / ARM 2.13"


async def test_no_two_requests_in_a_row_look_alike(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    """Where frames carry no number, a reply that comes twice could be taken for the next."""
    for role in (Role.PRIMARY, Role.SECONDARY_1):
        device = make_device(role)
        inverter = make_inverter(device, system_interval=60 if role.leads else None)
        for _ in range(70):
            await inverter.poll()
            clock.move(10)
        shapes = [(e.register_type, e.count) for e in device.unit.read_events]
        assert len(shapes) > 70 * 4
        assert all(earlier != later for earlier, later in pairwise(shapes))


@pytest.mark.parametrize(
    "role", [Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3, Role.STANDALONE]
)
async def test_only_a_primary_is_asked_for_the_group(
    make_device: MakeDevice, make_inverter: MakeInverter, role: Role
) -> None:
    device = make_device(role)
    state = await make_inverter(device).poll()

    assert device.asked() == first_readings("extension")
    assert state.role is role


@pytest.mark.parametrize("glitches", [[99999], [99999, 99999], [0, 99999]])
async def test_a_glitch_in_the_first_readings_is_not_believed(
    make_device: MakeDevice,
    make_inverter: MakeInverter,
    clock: Clock,
    glitches: list[float],
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    answer = device.unit.read_input_registers
    said = [*glitches]

    async def stumbling(address: int, count: int) -> list[int]:
        if address == 0x6A:
            device.say(pv_energy_total=said.pop(0) if said else 4321.5)
        return await answer(address, count)

    device.unit.read_input_registers = stumbling  # type: ignore[method-assign]
    state = await inverter.poll()
    assert said == []
    assert state.readings["pv_energy_total"] == 4321.5
    assert state.readings["backup_energy_total"] == 12.5
    assert state.dropped == {}
    device.asked()
    clock.move(10)
    await inverter.poll()
    assert device.asked().count("legs") == 1, "only the first time is it read again"


async def test_what_was_read_stays_where_the_next_reading_fails(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    answer = device.unit.read_input_registers

    async def once(address: int, count: int) -> list[int]:
        words = await answer(address, count)
        if address == 0x6A:
            device.ignore("legs")
        return words

    device.unit.read_input_registers = once  # type: ignore[method-assign]
    state = await inverter.poll()
    assert state.presence is Presence.HEARD
    assert list(state.failures) == ["legs"]
    assert state.readings["l1_voltage"] is not None
    assert state.readings["pv_energy_total"] is None


async def test_no_reading_counts_twice_where_the_next_one_fails(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device(pv_energy_total=99999)
    inverter = make_inverter(device)
    answer = device.unit.read_input_registers
    asked = 0

    async def twice(address: int, count: int) -> list[int]:
        nonlocal asked
        words = await answer(address, count)
        asked += address == 0x6A
        if asked == 2:
            device.ignore("legs")
        return words

    device.unit.read_input_registers = twice  # type: ignore[method-assign]
    state = await inverter.poll()
    assert asked == 2
    assert state.heard
    assert state.readings["pv_energy_total"] is None
    device.unit.read_input_registers = answer  # type: ignore[method-assign]
    device.fail("legs", None)
    device.say(pv_energy_total=4321.5)
    clock.move(10)
    state = await inverter.poll()
    assert state.readings["pv_energy_total"] == 4321.5
    assert state.counted_before == {}


async def test_what_a_counter_brings_along_is_told(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    assert (await inverter.poll()).counted_before == {}

    device.say(pv_energy_total=70)
    for _ in range(3):
        clock.move(10)
        state = await inverter.poll()

    assert state.readings["pv_energy_total"] == 0
    assert state.counted_before == {"pv_energy_total": 70}
    assert inverter.samples.accumulated("pv_energy_total") == 4321.5


async def test_a_primary_tells_of_its_secondaries_where_it_is_to(
    make_device: MakeDevice, make_inverter: MakeInverter, profile: Profile
) -> None:
    device = make_device(system_units=2, secondary_1_l1_power=-5)
    state = await make_inverter(device, system_interval=0).poll()

    assert device.asked().count("system") == 1
    assert state.system["system_units"] == 2
    assert state.system["secondary_1_l1_power"] == -5
    assert set(state.system) == {r.key for r in profile.read_in("system")}


@pytest.mark.parametrize(
    ("words", "connected"), [([0], False), ([1], True), ([2], None)]
)
async def test_the_battery_link_is_on_off_or_not_known(
    make_device: MakeDevice,
    make_inverter: MakeInverter,
    words: list[int],
    connected: bool | None,
) -> None:
    device = make_device()
    device.put("bms_connected", *words)

    assert (await make_inverter(device).poll()).bms_connected is connected


@pytest.mark.parametrize("word", [11, 19, 21, 255])
async def test_a_run_mode_in_no_table_is_not_known_and_no_fault(
    make_device: MakeDevice, make_inverter: MakeInverter, word: int
) -> None:
    device = make_device()
    device.put("run_mode", word)
    device.refuse("primary_extension")

    state = await make_inverter(device).poll()

    assert state.run_mode is None
    assert state.led is None
    assert state.led_source is LedSource.DERIVED
    assert state.faults == frozenset()


async def test_dropped_samples_are_told(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()
    device.put("ac_power", 0x7530)
    clock.move(10)

    state = await inverter.poll()

    assert state.readings["ac_power"] == 3000
    assert state.dropped == {"ac_power": 1}
    clock.move(10)
    assert (await inverter.poll()).dropped == {"ac_power": 2}
    # A state is what was known then.
    assert state.dropped == {"ac_power": 1}


# --- role and LED without the extension -----------------------------------------------

NOT_SERVED: dict[str, Callable[[Device, str], None]] = {
    "refused": lambda device, window: device.refuse(window),
    "busy": lambda device, window: device.fail(window, ServerDeviceBusyError()),
    "short": lambda device, window: device.fail(window, ModbusProtocolError("short")),
    "no_answer": lambda device, window: device.ignore(window),
    "zeros": lambda device, window: device.clear(window),
    "bad_code": lambda device, window: device.put("operation_led", 9),
    "bad_bit": lambda device, window: device.put("parallel_faults", 0x40),
    "other_role": lambda device, window: device.say(role="standalone"),
}


@pytest.mark.parametrize("how", NOT_SERVED.values(), ids=NOT_SERVED)
@pytest.mark.parametrize(
    ("role", "window"),
    [(Role.PRIMARY, "primary_extension"), (Role.SECONDARY_2, "extension")],
)
async def test_without_the_extension_the_named_faults_are_not_known(
    make_device: MakeDevice,
    make_inverter: MakeInverter,
    how: Callable[[Device, str], None],
    role: Role,
    window: str,
) -> None:
    # The register would say red; what is documented says green.
    device = make_device(role, operation_led="red")
    how(device, window)

    state = await make_inverter(device).poll()

    assert state.heard
    assert state.extension is None
    assert state.parallel_faults is None
    assert (state.led, state.led_source) == (Led.GREEN, LedSource.DERIVED)
    assert state.role is role
    assert list(state.failures) == [window]
    assert state.failures[window]
    assert state.readings["ac_power"] == 3000


async def test_the_register_tells_the_led_whatever_would_be_derived(
    make_device: MakeDevice, make_inverter: MakeInverter
) -> None:
    device = make_device(run_mode="fault", operation_led="off")

    state = await make_inverter(device).poll()

    assert (state.led, state.led_source) == (Led.OFF, LedSource.REGISTER)


@pytest.mark.parametrize(
    ("found", "setting", "register", "role"),
    [
        # With the extension its role counts.
        (Role.PRIMARY, "master", "primary", Role.PRIMARY),
        (Role.SECONDARY, "slave", "secondary_1", Role.SECONDARY_1),
        (Role.SECONDARY_1, "slave", "secondary_2", Role.SECONDARY_2),
        (Role.SECONDARY_1, "master", "primary", Role.PRIMARY),
        (Role.PRIMARY, "free", "standalone", Role.STANDALONE),
        # Without it the setting does, with the number that was found if it can be that.
        (Role.PRIMARY, "master", None, Role.PRIMARY),
        (Role.PRIMARY, "slave", None, Role.SECONDARY),
        (Role.PRIMARY, "free", None, Role.STANDALONE),
        (Role.SECONDARY, "slave", None, Role.SECONDARY),
        (Role.SECONDARY_3, "slave", None, Role.SECONDARY_3),
        (Role.SECONDARY_3, "master", None, Role.PRIMARY),
        # Where neither tells, what was found stays.
        (Role.SECONDARY_3, None, None, Role.SECONDARY_3),
        (Role.PRIMARY, None, "primary", Role.PRIMARY),
    ],
)
async def test_the_role_comes_from_the_best_source(
    make_device: MakeDevice,
    make_inverter: MakeInverter,
    found: Role,
    setting: str | None,
    register: str | None,
    role: Role,
) -> None:
    device = make_device(Role.PRIMARY)
    if setting is None:
        device.refuse("parallel_setting")
    else:
        device.say(parallel_setting=setting)
    if register is None:
        device.refuse("extension")
    else:
        device.say(role=register)
    inverter = make_inverter(device, device.member(role=found))

    assert (await inverter.poll()).role is role
    assert inverter.role is role


async def test_a_role_once_told_stays_while_the_extension_is_away(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device(Role.SECONDARY_2)
    inverter = make_inverter(device, device.member(role=Role.SECONDARY))
    assert (await inverter.poll()).role is Role.SECONDARY_2

    device.refuse("extension")
    clock.move(10)
    assert (await inverter.poll()).role is Role.SECONDARY_2


# --- the derived LED ------------------------------------------------------------------

ON, OFF = GridStatus.ON_GRID, GridStatus.OFF_GRID
NO_FAULT: frozenset[str] = frozenset()
WARNING = frozenset({"port_overcurrent"})
EXCUSED = frozenset({"grid_lost", "grid_voltage", "grid_frequency"})
FAULT = frozenset({"fan"})
EXCUSED_AND_FAULT = EXCUSED | FAULT
UNKNOWN = None

ON_THE_WAY = [
    RunMode.WAITING,
    RunMode.CHECKING,
    RunMode.UPDATE,
    RunMode.SELF_TEST,
    RunMode.IDLE,
    RunMode.STANDBY,
]
GREEN, FLASHING, RED = Led.GREEN, Led.GREEN_FLASHING, Led.RED_FLASHING

# Modes, and by fault words the LED with the grid, without it, and where that is unknown.
LEDS: list[
    tuple[
        list[RunMode | None],
        dict[frozenset[str] | None, tuple[Led | None, Led | None, Led | None]],
    ]
] = [
    (
        [RunMode.FAULT, RunMode.PERMANENT_FAULT],
        {
            NO_FAULT: (RED, RED, RED),
            WARNING: (RED, RED, RED),
            EXCUSED: (RED, RED, RED),
            FAULT: (RED, RED, RED),
            EXCUSED_AND_FAULT: (RED, RED, RED),
            UNKNOWN: (RED, RED, RED),
        },
    ),
    (
        [RunMode.NORMAL, RunMode.NORMAL_REMOTE, RunMode.NORMAL_GENERATOR],
        {
            NO_FAULT: (GREEN, GREEN, GREEN),
            WARNING: (GREEN, GREEN, GREEN),
            EXCUSED: (RED, GREEN, RED),
            FAULT: (RED, RED, RED),
            EXCUSED_AND_FAULT: (RED, RED, RED),
            UNKNOWN: (None, None, None),
        },
    ),
    (
        [RunMode.OFF_GRID],
        {
            NO_FAULT: (GREEN, GREEN, GREEN),
            WARNING: (GREEN, GREEN, GREEN),
            EXCUSED: (GREEN, GREEN, GREEN),
            FAULT: (RED, RED, RED),
            EXCUSED_AND_FAULT: (RED, RED, RED),
            UNKNOWN: (None, None, None),
        },
    ),
    (
        [RunMode.OFF_GRID_WAITING],
        {
            NO_FAULT: (FLASHING, FLASHING, FLASHING),
            WARNING: (FLASHING, FLASHING, FLASHING),
            EXCUSED: (FLASHING, FLASHING, FLASHING),
            FAULT: (RED, RED, RED),
            EXCUSED_AND_FAULT: (RED, RED, RED),
            UNKNOWN: (None, None, None),
        },
    ),
    (
        [*ON_THE_WAY],
        {
            NO_FAULT: (FLASHING, FLASHING, FLASHING),
            WARNING: (FLASHING, FLASHING, FLASHING),
            EXCUSED: (RED, FLASHING, RED),
            FAULT: (RED, RED, RED),
            EXCUSED_AND_FAULT: (RED, RED, RED),
            UNKNOWN: (None, None, None),
        },
    ),
    (
        [None],
        {
            NO_FAULT: (None, None, None),
            WARNING: (None, None, None),
            EXCUSED: (RED, None, RED),
            FAULT: (RED, RED, RED),
            EXCUSED_AND_FAULT: (RED, RED, RED),
            UNKNOWN: (None, None, None),
        },
    ),
]


@pytest.mark.parametrize(
    ("run_mode", "by_faults"),
    [(run_mode, by_faults) for run_modes, by_faults in LEDS for run_mode in run_modes],
)
def test_the_led_is_derived_by_the_table(
    run_mode: RunMode | None,
    by_faults: dict[frozenset[str] | None, tuple[Led | None, Led | None, Led | None]],
) -> None:
    assert {
        faults: (
            derived_led(run_mode, ON, faults),
            derived_led(run_mode, OFF, faults),
            derived_led(run_mode, None, faults),
        )
        for faults in by_faults
    } == by_faults


def test_every_run_mode_is_in_the_table() -> None:
    told = [run_mode for run_modes, _ in LEDS for run_mode in run_modes]

    assert len(told) == len(set(told))
    assert set(told) == {*RunMode, None}
    assert FAULT_MODES.isdisjoint(WORKING_MODES)


def test_any_fault_but_a_warning_flashes_red() -> None:
    quiet = {
        key
        for key in FAULTS
        if derived_led(RunMode.NORMAL, ON, frozenset({key})) is not RED
    }

    assert quiet == {"parallel_can_warning", "port_overcurrent"}


async def test_the_led_is_derived_from_the_wire(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    device.refuse("primary_extension")
    inverter = make_inverter(device)
    leds = []

    for said in (
        {"run_mode": "normal"},
        {"run_mode": "checking"},
        {"run_mode": "off_grid", "inverter_faults": ["grid_lost"]},
        {"run_mode": "normal"},
        {"inverter_faults": [], "manager_faults": ["port_overcurrent"]},
        {"battery_faults": ["battery_relay"]},
        {"battery_faults": [], "run_mode": "permanent_fault"},
    ):
        device.say(**said)
        clock.move(10)
        leds.append((await inverter.poll()).led)

    assert leds == [GREEN, FLASHING, GREEN, RED, GREEN, RED, RED]


# --- faults ---------------------------------------------------------------------------


async def test_the_faults_of_all_words_are_told(
    make_device: MakeDevice, make_inverter: MakeInverter
) -> None:
    device = make_device(
        inverter_faults=["grid_lost", "parallel_fault", "other_device"],
        manager_faults=["fan_2"],
        battery_faults=["battery_relay", "battery_air_switch"],
        parallel_faults=["eps_sync_lost"],
    )

    state = await make_inverter(device).poll()

    assert state.faults == frozenset(
        {
            "grid_lost",
            "parallel_fault",
            "other_device",
            "fan_2",
            "battery_relay",
            "battery_air_switch",
        }
    )
    assert state.problems == state.faults
    assert state.parallel_faults == frozenset({"eps_sync_lost"})
    assert state.unnamed_bits == {}


@pytest.mark.parametrize(
    ("said", "off_grid"),
    [
        ({"run_mode": "normal", "grid_status": "on_grid"}, False),
        ({"run_mode": "normal", "grid_status": "off_grid"}, True),
        ({"run_mode": "off_grid", "grid_status": "on_grid"}, True),
        ({"run_mode": "off_grid_waiting", "grid_status": "on_grid"}, True),
        ({"run_mode": "off_grid", "grid_status": "off_grid"}, True),
    ],
)
async def test_off_grid_excuses_the_loss_of_the_grid_alone(
    make_device: MakeDevice,
    make_inverter: MakeInverter,
    said: dict[str, str],
    off_grid: bool,
) -> None:
    faults = frozenset({"grid_lost", "grid_voltage", "grid_frequency", "overload"})
    device = make_device(inverter_faults=faults, **said)

    state = await make_inverter(device).poll()

    assert state.off_grid is off_grid
    assert state.faults == faults
    assert state.problems == (frozenset({"overload"}) if off_grid else faults)


async def test_off_grid_is_not_known_without_the_grid_status(
    make_device: MakeDevice, make_inverter: MakeInverter
) -> None:
    device = make_device(inverter_faults=["grid_lost"])
    device.put("grid_status", 2)

    state = await make_inverter(device).poll()

    assert state.grid_status is None
    assert state.off_grid is None
    assert state.problems == frozenset({"grid_lost"})


async def test_bits_without_a_name_are_told_and_get_no_name(
    make_device: MakeDevice, make_inverter: MakeInverter
) -> None:
    device = make_device()
    device.refuse("primary_extension")
    device.put("inverter_faults", 0x0200, 0x0000)
    device.put("manager_faults", 0x8008)
    device.put("battery_faults", 0x0000, 0x0080)

    state = await make_inverter(device).poll()

    assert state.unnamed_bits == {
        "inverter_faults": 1 << 9,
        "manager_faults": 0x8008,
        "battery_faults": 1 << 23,
    }
    assert state.faults == frozenset()
    # Nobody can tell what the inverter means by it.
    assert state.led is None


@pytest.mark.parametrize(
    "word", ["inverter_faults", "manager_faults", "battery_faults"]
)
async def test_faults_are_not_known_unless_every_word_is(
    make_device: MakeDevice, make_inverter: MakeInverter, word: str
) -> None:
    device = make_device()
    device.refuse("primary_extension")
    device.put(word, 0xFFFF, *([] if word == "manager_faults" else [0xFFFF]))

    state = await make_inverter(device).poll()

    assert state.faults is None
    assert state.problems is None
    assert state.led is None


# --- silence --------------------------------------------------------------------------


async def test_a_silent_poll_costs_one_request(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    first = await inverter.poll()
    device.asked()
    device.mute()

    clock.move(10)
    state = await inverter.poll()

    assert device.asked() == ["live"]
    assert state.presence is Presence.SILENT
    assert unheard(state)
    assert state.failures == {"live": "no answer"}
    # Who it is does not change by its silence.
    assert (state.identity, state.role, state.model_type, state.last_seen) == (
        first.identity,
        first.role,
        first.model_type,
        first.last_seen,
    )


async def test_an_inverter_that_never_answered_is_silent(
    make_device: MakeDevice, make_inverter: MakeInverter
) -> None:
    device = make_device(Role.SECONDARY_1)
    device.mute()

    state = await make_inverter(device).poll()

    assert device.asked() == ["identity"]
    assert unheard(state)
    assert state.presence is Presence.SILENT
    assert state.identity is None
    assert state.last_seen is None
    assert state.failures == {"identity": "no answer"}
    assert state.role is Role.SECONDARY_1


async def test_three_silent_polls_and_then_a_minutes_rest(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()
    device.asked()
    device.mute()
    told = []

    for _ in range(20):
        clock.move(10)
        state = await inverter.poll()
        assert unheard(state)
        assert state.lost is (True if state.failed_polls >= 3 else None)
        told.append((state.presence, state.failed_polls, device.asked()))

    silent, resting = Presence.SILENT, Presence.RESTING
    assert told == [
        (silent, 1, ["live"]),
        (silent, 2, ["identity"]),
        (resting, 3, ["identity"]),
        *[(resting, 3, [])] * 5,
        (resting, 4, ["identity"]),
        *[(resting, 4, [])] * 5,
        (resting, 5, ["identity"]),
        *[(resting, 5, [])] * 5,
    ]


@pytest.mark.parametrize("silent_polls", [1, 2, 3, 9])
async def test_it_comes_back_after_its_serial_number_was_seen(
    make_device: MakeDevice,
    make_inverter: MakeInverter,
    clock: Clock,
    silent_polls: int,
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()
    device.mute()
    for _ in range(silent_polls):
        clock.move(10)
        await inverter.poll()
    device.unmute()
    device.asked()

    clock.move(60)
    state = await inverter.poll()

    assert device.asked() == ["identity", *with_settings("primary_extension")]
    assert state.heard
    assert state.lost is False
    assert state.failed_polls == 0
    assert state.readings["ac_power"] == 3000


@pytest.mark.parametrize(
    ("silent_polls", "power"), [(1, 3000), (2, 3000), (3, None), (9, None)]
)
async def test_a_value_from_before_a_long_silence_is_not_held(
    make_device: MakeDevice,
    make_inverter: MakeInverter,
    clock: Clock,
    silent_polls: int,
    power: int | None,
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()
    device.mute()
    for _ in range(silent_polls):
        clock.move(10)
        await inverter.poll()
    device.unmute()
    device.put("ac_power", 0x7530)

    clock.move(60)
    state = await inverter.poll()

    assert state.heard
    assert state.readings["ac_power"] == power


async def test_silence_is_counted_anew_after_an_answer(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    presences = []

    for muted in (False, True, True, False, True, True, False):
        if muted:
            device.mute()
        else:
            device.unmute()
        clock.move(10)
        presences.append((await inverter.poll()).presence)

    heard, silent = Presence.HEARD, Presence.SILENT
    assert presences == [heard, silent, silent, heard, silent, silent, heard]


async def test_a_silent_inverter_costs_one_timeout_on_the_wire(
    start_server: StartServer, open_link: OpenLink, profile: Profile
) -> None:
    server = await start_server()
    server.default = silence
    link = open_link(server, timeout=0.2)
    await link.connect()
    inverter = Inverter(
        Member(serial_number="H10000000000AA", unit_id=1, role=Role.PRIMARY),
        profile,
        RegisterSource(link.for_unit(1), profile),
    )

    started = time.monotonic()
    state = await inverter.poll()

    assert state.presence is Presence.SILENT
    assert time.monotonic() - started < 0.35
    assert len(server.requests) == 1


# --- another inverter in its place ----------------------------------------------------


async def test_another_inverter_in_its_place_is_not_mixed_up_with_it(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    first = await inverter.poll()
    device.mute()
    clock.move(10)
    await inverter.poll()
    device.unmute()
    device.say(
        serial_number=SERIALS[Role.SECONDARY_1],
        rated_power=5000,
        pv_energy_total=9999,
        dsp_firmware_major=9,
    )
    device.asked()

    clock.move(10)
    state = await inverter.poll()

    assert device.asked() == ["identity"] * 2
    assert state.presence is Presence.OTHER_SERIAL
    assert state.lost
    assert unheard(state)
    assert state.serial_number == SERIALS[Role.PRIMARY]
    assert state.other_serial == SERIALS[Role.SECONDARY_1]
    assert state.identity == first.identity
    assert state.failed_polls == 2
    # The message may end up in a log, where a serial number has no place.
    assert list(state.failures) == ["identity"]
    assert "H1" not in state.failures["identity"]
    assert inverter.samples.rated_power == 7600
    assert inverter.samples.accumulated("pv_energy_total") == 4321.5


async def test_another_inverter_is_asked_again_after_a_minute(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device(serial_number=SERIALS[Role.SECONDARY_1])
    inverter = make_inverter(device)
    assert (await inverter.poll()).presence is Presence.OTHER_SERIAL
    device.asked()

    for _ in range(5):
        clock.move(10)
        state = await inverter.poll()
        assert state.presence is Presence.OTHER_SERIAL
        assert state.other_serial == SERIALS[Role.SECONDARY_1]
        assert unheard(state)
    assert device.asked() == []

    clock.move(10)
    assert (await inverter.poll()).presence is Presence.OTHER_SERIAL
    assert device.asked() == ["identity"] * 2

    device.say(serial_number=SERIALS[Role.PRIMARY])
    clock.move(60)
    state = await inverter.poll()
    assert state.heard
    assert state.other_serial is None


@pytest.fixture
def connection() -> MockModbusConnection:
    """A link that can be lost."""
    return MockModbusConnection()


@pytest.fixture
def wired(connection: MockModbusConnection, profile: Profile) -> Device:
    return Device(connection.for_unit(1), profile)


async def test_who_it_is_is_checked_after_the_link_was_lost(
    connection: MockModbusConnection,
    wired: Device,
    make_inverter: MakeInverter,
    clock: Clock,
) -> None:
    inverter = make_inverter(wired)
    await inverter.poll()
    clock.move(10)
    await inverter.poll()
    wired.asked()

    connection.simulate_connection_lost()
    for windows in (["identity", *READINGS, "primary_extension"], [*READINGS]):
        clock.move(10)
        assert (await inverter.poll()).heard
        assert wired.asked()[: len(windows)] == windows


async def test_another_inverter_behind_a_new_link_is_not_mixed_up_with_it(
    connection: MockModbusConnection,
    wired: Device,
    make_inverter: MakeInverter,
    clock: Clock,
) -> None:
    inverter = make_inverter(wired)
    await inverter.poll()
    wired.asked()
    connection.simulate_connection_lost()
    wired.say(serial_number=SERIALS[Role.SECONDARY_1], pv_energy_total=9999)

    clock.move(10)
    state = await inverter.poll()

    assert wired.asked() == ["identity"] * 2
    assert state.presence is Presence.OTHER_SERIAL
    assert state.other_serial == SERIALS[Role.SECONDARY_1]
    assert unheard(state)
    assert inverter.samples.accumulated("pv_energy_total") == 4321.5


async def test_another_inverter_that_takes_over_during_the_first_poll(
    connection: MockModbusConnection, wired: Device, make_inverter: MakeInverter
) -> None:
    inverter = make_inverter(wired)
    answer = wired.unit.read_input_registers
    asked = 0

    async def taken_over(address: int, count: int) -> list[int]:
        nonlocal asked
        asked += address == 0
        if asked == 2:
            # Counters are read again by now, and only the first window of them is answered.
            connection.simulate_connection_lost()
            wired.say(
                serial_number=SERIALS[Role.SECONDARY_1],
                pv1_power=3333,
                grid_export_total=9999,
            )
            wired.ignore("legs")
        return await answer(address, count)

    wired.unit.read_input_registers = taken_over  # type: ignore[method-assign]
    state = await inverter.poll()

    assert asked == 2
    assert state.heard
    assert state.readings["pv1_power"] == 1600
    assert state.readings["grid_export_total"] is None
    assert (await inverter.poll()).presence is Presence.OTHER_SERIAL
    assert inverter.samples.accumulated("grid_export_total") is None


async def test_a_serial_number_that_could_not_be_told_is_asked_for_again(
    connection: MockModbusConnection,
    wired: Device,
    make_inverter: MakeInverter,
    clock: Clock,
) -> None:
    inverter = make_inverter(wired)
    await inverter.poll()
    answer = wired.unit.read_holding_registers
    garbled = [SERIALS[Role.SECONDARY_1], SERIALS[Role.SECONDARY_2]]

    async def changing(address: int, count: int) -> list[int]:
        if garbled:
            wired.say(serial_number=garbled.pop())
        return await answer(address, count)

    wired.unit.read_holding_registers = changing  # type: ignore[method-assign]
    connection.simulate_connection_lost()
    wired.say(l1_voltage=99.9)
    clock.move(10)
    assert (await inverter.poll()).presence is Presence.UNUSABLE
    clock.move(10)
    state = await inverter.poll()

    assert state.presence is Presence.OTHER_SERIAL
    assert state.readings == {}


async def test_another_inverter_that_is_met_between_two_polls(
    connection: MockModbusConnection,
    wired: Device,
    make_inverter: MakeInverter,
    clock: Clock,
) -> None:
    inverter = make_inverter(wired)
    await inverter.poll()
    connection.simulate_connection_lost()
    wired.say(serial_number=SERIALS[Role.SECONDARY_1], l1_voltage=99.9)

    with pytest.raises(OtherSerialError):
        await inverter.read_extension()
    clock.move(10)
    state = await inverter.poll()

    assert state.presence is Presence.OTHER_SERIAL
    assert state.readings == {}


async def test_silence_behind_a_new_link_costs_one_request(
    connection: MockModbusConnection,
    wired: Device,
    make_inverter: MakeInverter,
    clock: Clock,
) -> None:
    inverter = make_inverter(wired)
    await inverter.poll()
    wired.asked()
    connection.simulate_connection_lost()
    wired.mute()

    clock.move(10)
    state = await inverter.poll()

    assert wired.asked() == ["identity"]
    assert state.presence is Presence.SILENT


async def test_an_inverter_without_a_serial_number_is_not_another_one(
    make_device: MakeDevice, make_inverter: MakeInverter
) -> None:
    device = make_device()
    device.put("serial_number", *[0x2020] * 7)

    state = await make_inverter(device).poll()

    assert state.presence is Presence.UNUSABLE
    assert state.other_serial is None


# --- windows that fail while others work ----------------------------------------------


@pytest.mark.parametrize(
    ("window", "lost"),
    [("legs", "l1_voltage"), ("third_string", "pv3_power"), ("live", "ac_power")],
)
@pytest.mark.parametrize(
    "error",
    [IllegalDataAddressError(), ServerDeviceBusyError()],
    ids=["refused", "busy"],
)
async def test_one_window_can_fail(
    make_device: MakeDevice,
    make_inverter: MakeInverter,
    clock: Clock,
    window: str,
    lost: str,
    error: ModbusError,
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()
    device.fail(window, error)
    told = []

    for _ in range(5):
        clock.move(10)
        state = await inverter.poll()
        assert state.heard
        assert state.parallel_faults == frozenset()
        assert list(state.failures) == [window]
        told.append(state.readings[lost])

    # Held for three polls, like a bad sample.
    assert None not in told[:3]
    assert told[3:] == [None, None]
    assert state.dropped == {}


async def test_a_refused_window_is_left_alone_for_a_minute(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    device.refuse("legs")
    inverter = make_inverter(device)
    asked = []

    for _ in range(14):
        await inverter.poll()
        asked.append("legs" in device.asked())
        clock.move(10)

    assert asked == [True, *[False] * 5, True, *[False] * 5, True, False]


async def test_a_window_that_was_never_usable_is_left_alone_after_three_polls(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    device.clear("legs")
    inverter = make_inverter(device)
    asked = []

    for _ in range(16):
        await inverter.poll()
        asked.append("legs" in device.asked())
        clock.move(10)

    assert asked == [True] * 3 + [False] * 5 + [True] + [False] * 5 + [True, False]


@pytest.mark.parametrize(
    ("error", "polls"),
    [(ServerDeviceBusyError(), 30), (IllegalDataAddressError(), 2)],
    ids=["busy", "refused"],
)
async def test_a_window_that_worked_is_back_as_soon_as_it_works_again(
    make_device: MakeDevice,
    make_inverter: MakeInverter,
    clock: Clock,
    error: ModbusError,
    polls: int,
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()
    device.fail("legs", error)
    for _ in range(polls):
        clock.move(10)
        assert "legs" in (await inverter.poll()).failures
    device.fail("legs", None)

    clock.move(10)
    state = await inverter.poll()

    assert state.failures == {}
    assert state.readings["l1_voltage"] == 120.1


async def test_an_inverter_that_is_busy_for_minutes_is_back_at_once(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()
    clock.move(10)
    await inverter.poll()
    device.unit.fail_requests(ServerDeviceBusyError())
    for _ in range(30):
        clock.move(10)
        state = await inverter.poll()
        assert unheard(state)
        assert state.presence is Presence.UNUSABLE
    device.unmute()
    device.asked()

    clock.move(10)
    assert (await inverter.poll()).heard
    assert "identity" not in device.asked()


@pytest.mark.parametrize("quick", [True, False])
async def test_what_is_told_at_once_to_be_out_of_reach_is_tried_in_every_poll(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock, quick: bool
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()

    async def fails(address: int, count: int) -> list[int]:
        clock.move(0.1 if quick else 1)
        raise ModbusConnectionError("gone")

    answer = device.unit.read_holding_registers, device.unit.read_input_registers
    device.unit.read_holding_registers = fails  # type: ignore[method-assign]
    device.unit.read_input_registers = fails  # type: ignore[method-assign]
    presences = []
    for _ in range(5):
        clock.move(10)
        presences.append((await inverter.poll()).presence)
    rests = Presence.SILENT if quick else Presence.RESTING
    assert presences == [Presence.SILENT] * 2 + [rests] * 3

    device.unit.read_holding_registers, device.unit.read_input_registers = answer  # type: ignore[method-assign]
    clock.move(10)
    assert (await inverter.poll()).heard is quick


async def test_one_that_takes_its_time_to_say_that_it_is_busy_is_asked_once_a_poll(
    start_server: StartServer, open_link: OpenLink, wired: Device, profile: Profile
) -> None:
    async def is_busy(exchange: Exchange) -> None:
        await asyncio.sleep(0.6)
        function = exchange.request.function | 0x80
        await exchange.send(exchange.frame(bytes([function, 6])))

    server = await start_server()
    unit = open_link(server, timeout=2).for_unit(1)
    inverter = Inverter(wired.member(), profile, RegisterSource(unit, profile))
    server.default = played_by({1: wired})
    assert (await inverter.poll()).heard

    server.default = is_busy
    for _ in range(2):
        before = len(server.requests)
        assert (await inverter.poll()).presence is Presence.UNUSABLE
        assert len(server.requests) == before + 1

    server.default = played_by({1: wired})
    assert (await inverter.poll()).heard


async def test_one_window_that_takes_its_time_ends_the_poll_until_it_is_left_alone(
    start_server: StartServer, open_link: OpenLink, wired: Device, profile: Profile
) -> None:
    played = played_by({1: wired})
    legs = profile.windows["legs"]

    async def is_busy_there(exchange: Exchange) -> None:
        request = exchange.request
        is_hit = legs.first <= request.address <= legs.last
        if request.function != READ_INPUT or not is_hit:
            await played(exchange)
            return
        await asyncio.sleep(0.6)
        await exchange.send(exchange.frame(bytes([request.function | 0x80, 6])))

    server = await start_server()
    unit = open_link(server, timeout=2).for_unit(1)
    inverter = Inverter(wired.member(), profile, RegisterSource(unit, profile))
    server.default = played
    assert (await inverter.poll()).failures == {}

    server.default = is_busy_there
    for _ in range(3):
        before = len(server.requests)
        state = await inverter.poll()
        assert list(state.failures) == ["legs"]
        assert state.extension is None
        assert len(server.requests) == before + 2
    state = await inverter.poll()
    assert list(state.failures) == ["legs"]
    assert state.extension is not None


@pytest.mark.parametrize("window", ["battery_packs", "third_string"])
@pytest.mark.parametrize("is_silent", [False, True])
async def test_one_window_can_fail_behind_a_gateway_that_hangs_up_after_each_reply(
    start_server: StartServer,
    open_link: OpenLink,
    wired: Device,
    profile: Profile,
    window: str,
    *,
    is_silent: bool,
) -> None:
    played = played_by({1: wired})
    hit = profile.windows[window]
    function = READ_HOLDING if hit.space == "holding" else READ_INPUT

    async def hangs_up(exchange: Exchange) -> None:
        request = exchange.request
        if request.function != function or not (
            hit.first <= request.address <= hit.last
        ):
            await played(exchange)
            exchange.hang_up()
        elif not is_silent:
            await asyncio.sleep(0.6)
            await exchange.send(exchange.frame(bytes([function | 0x80, 6])))
            exchange.hang_up()

    server = await start_server()
    unit = open_link(server, timeout=1).for_unit(1)
    inverter = Inverter(wired.member(), profile, RegisterSource(unit, profile))
    server.default = hangs_up
    for _ in range(2):
        state = await inverter.poll()
        assert state.heard
        assert list(state.failures) == [window]
        assert state.readings["ac_power"] is not None


async def test_settings_are_known_behind_a_gateway_that_hangs_up_after_each_reply(
    start_server: StartServer, open_link: OpenLink, wired: Device, profile: Profile
) -> None:
    played = played_by({1: wired})

    async def hangs_up(exchange: Exchange) -> None:
        await played(exchange)
        exchange.hang_up()

    server = await start_server()
    unit = open_link(server, timeout=2).for_unit(1)
    inverter = Inverter(wired.member(), profile, RegisterSource(unit, profile))
    server.default = hangs_up
    state = await inverter.poll()
    assert state.heard
    assert state.failures == {}
    assert state.identity is not None
    assert state.identity.firmware is not None
    assert state.identity.battery_count is not None
    before = len(server.requests)
    assert (await inverter.poll()).heard
    asked = [
        request.address
        for request in server.requests[before:]
        if request.function == READ_HOLDING
    ]
    windows = [profile.windows[window] for window in SETTINGS]
    assert not any(
        window.first <= address <= window.last
        for window in windows
        for address in asked
    )


async def test_a_window_that_comes_back_counts_anew(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    busy = ServerDeviceBusyError()
    asked = []

    for error in (busy, busy, None, busy, busy, None, None):
        device.fail("legs", error)
        state = await inverter.poll()
        asked.append("legs" in device.asked())
        clock.move(10)

    assert asked == [True] * 7
    assert state.failures == {}


async def test_a_window_that_stays_silent_costs_one_timeout_a_poll(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()
    device.ignore("legs")
    device.ignore("third_string")
    device.asked()
    told = []

    for _ in range(5):
        clock.move(10)
        state = await inverter.poll()
        assert state.heard
        assert state.readings["ac_power"] == 3000
        told.append(device.asked())

    assert told == [
        # The rest waits for the next poll, until it is clear that the window is at fault.
        ["live", "legs"],
        ["live", "legs"],
        ["live", "legs"],
        ["live", "third_string"],
        ["live", "third_string"],
    ]


async def test_the_others_are_read_again_once_a_silent_window_rests(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()
    device.ignore("legs")
    faults = []

    for _ in range(5):
        clock.move(10)
        faults.append((await inverter.poll()).parallel_faults)

    assert faults == [None, None, None, frozenset(), frozenset()]
    assert device.asked()[-3:] == ["live", "third_string", "primary_extension"]


async def test_an_inverter_that_serves_nothing_is_not_heard(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()
    for window in (*READINGS, "primary_extension"):
        device.refuse(window)

    clock.move(10)
    state = await inverter.poll()

    # How it is set up can be read, but that is not what a poll is for.
    assert "parallel_setting" in device.asked()
    assert unheard(state)
    assert set(state.failures) == {*READINGS, "primary_extension"}


async def test_an_inverter_that_only_serves_the_extension_is_heard(
    make_device: MakeDevice, make_inverter: MakeInverter
) -> None:
    device = make_device(
        operation_led="red_flashing", parallel_faults=["eps_sync_lost"]
    )
    for window in READINGS:
        device.refuse(window)

    state = await make_inverter(device).poll()

    assert state.heard
    assert state.led is Led.RED_FLASHING
    assert state.parallel_faults == frozenset({"eps_sync_lost"})
    assert state.run_mode is None
    assert state.faults is None
    assert set(state.readings.values()) == {None}


# --- the parallel setting -------------------------------------------------------------


async def test_settings_are_read_again_after_five_minutes_one_a_poll(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    asked: list[tuple[int, str]] = []

    for polls in range(67):
        await inverter.poll()
        asked += [(polls, each) for each in device.asked() if each in SETTINGS]
        clock.move(10)

    assert sorted(asked[:4]) == sorted((1, each) for each in SETTINGS)
    assert asked[4:] == [
        (polls + later, each)
        for polls in (31, 61)
        for later, each in enumerate(SETTINGS)
    ]


async def test_a_new_setting_changes_the_role(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()
    clock.move(10)
    await inverter.poll()
    device.say(parallel_setting="slave", role="secondary_3")
    clock.move(10)
    state = await inverter.poll()
    # Until the setting is read again the role can't be confirmed.
    assert state.extension is None
    assert state.role is Role.PRIMARY

    clock.move(290)
    later = [await inverter.poll() for _ in SETTINGS]
    assert later[-1].role is Role.SECONDARY_3
    assert later[-1].extension is not None
    device.asked()
    await inverter.poll()
    assert device.asked() == [*READINGS, "extension"]


async def test_a_role_that_is_not_what_was_found_is_looked_into_at_once(
    make_device: MakeDevice, make_inverter: MakeInverter
) -> None:
    device = make_device(Role.SECONDARY_2)
    inverter = make_inverter(device, device.member(role=Role.PRIMARY))

    state = await inverter.poll()

    assert device.asked() == [
        "identity",
        *READINGS,
        "primary_extension",
        "parallel_setting",
        *["live", "legs"] * 2,
    ]
    assert state.role is Role.SECONDARY_2


async def test_a_secondary_that_was_made_the_primary_tells_of_the_group(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock
) -> None:
    device = make_device(Role.SECONDARY_1)
    inverter = make_inverter(device)
    await inverter.poll()
    device.say(
        parallel_setting="master",
        role="primary",
        unit_quantity=2,
        online_mask=["primary", "secondary_1"],
    )

    clock.move(10)
    state = await inverter.poll()

    assert state.role is Role.PRIMARY
    assert state.extension is not None
    assert state.extension.unit_quantity == 2


@pytest.mark.parametrize("how", ["odd_code", "no_value", "refused", "busy"])
async def test_a_setting_that_was_not_read_is_read_again_soon(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock, how: str
) -> None:
    device = make_device()
    inverter = make_inverter(device)
    await inverter.poll()
    match how:
        case "odd_code":
            device.put("parallel_setting", 9)
        case "no_value":
            device.put("parallel_setting", 0xFFFF)
        case "refused":
            device.refuse("parallel_setting")
        case "busy":
            device.fail("parallel_setting", ServerDeviceBusyError())

    for _ in range(4):
        clock.move(300)
        assert (await inverter.poll()).heard
    device.fail("parallel_setting", None)
    device.say(parallel_setting="master")
    device.asked()
    clock.move(60)
    state = await inverter.poll()

    assert "parallel_setting" in device.asked()
    assert state.role is Role.PRIMARY
    assert state.extension is not None


@pytest.mark.parametrize("window", SETTINGS)
async def test_a_setting_that_was_missed_is_made_up_for(
    make_device: MakeDevice, make_inverter: MakeInverter, clock: Clock, window: str
) -> None:
    device = make_device()
    device.ignore(window)
    inverter = make_inverter(device)
    await inverter.poll()
    whole = Identity(
        serial_number="H10000000000AA",
        factory_name="Solax",
        firmware="DSP 1.07 / ARM 2.13",
        rated_power=7600,
        battery_count=2,
        parallel_setting=ParallelSetting.MASTER,
    )

    clock.move(10)
    state = await inverter.poll()
    assert state.heard
    assert state.identity != whole
    assert list(state.failures) == [window]
    # Another silence would be another timeout.
    assert device.asked()[-1] == window

    device.fail(window, None)
    clock.move(10)
    state = await inverter.poll()
    assert state.identity == whole
    assert state.extension is not None
    assert state.failures == {}


# --- what it has ----------------------------------------------------------------------

PV = {"pv1_power", "pv2_power", "pv1_voltage", "pv_energy_total", "pv_energy_today"}


async def test_an_ac_coupled_inverter_has_no_panels(
    make_device: MakeDevice, make_inverter: MakeInverter
) -> None:
    device = make_device(model_type="a1_ac_g2")
    inverter = make_inverter(device, device.member(model_type=ModelType.A1_AC_G2))

    state = await inverter.poll()

    assert state.model_type is ModelType.A1_AC_G2
    assert inverter.fitted == frozenset()
    assert not any(key.startswith("pv") for key in state.readings)
    assert "third_string" not in device.asked()
    assert state.readings["ac_power"] == 3000


async def test_an_inverter_found_to_be_ac_coupled_claims_no_panels(
    make_device: MakeDevice, make_inverter: MakeInverter
) -> None:
    device = make_device(model_type="a1_ac_g2")
    inverter = make_inverter(device, device.member(model_type=None))

    state = await inverter.poll()

    assert state.model_type is ModelType.A1_AC_G2
    assert not any(key.startswith("pv") for key in state.readings)


@pytest.mark.parametrize("model_type", [None, ModelType.A1_HYB_G2, ModelType.A1_SMT_G2])
@pytest.mark.parametrize("rated_power", [3800, 5000, 6000, 7600])
async def test_only_the_largest_has_a_third_string(
    make_device: MakeDevice,
    make_inverter: MakeInverter,
    model_type: ModelType | None,
    rated_power: int,
) -> None:
    device = make_device(rated_power=rated_power)
    device.refuse("primary_extension")
    # What it says itself counts, not what was found when the group was set up.
    member = device.member(
        model_type=model_type, rated_power=3800 if rated_power == 7600 else 7600
    )
    inverter = make_inverter(device, member)

    for _ in range(3):
        device.asked()
        state = await inverter.poll()

    largest = rated_power == 7600
    assert inverter.samples.rated_power == rated_power
    assert ("third_string" in device.asked()) is largest
    assert ("pv3_power" in state.readings) is largest
    assert set(state.readings) >= PV
    assert {register.key for register in inverter.measurements} == set(state.readings)


@pytest.mark.parametrize("how", ["refused", "zero", "no_value"])
async def test_the_rated_power_found_counts_while_it_is_not_told(
    make_device: MakeDevice, make_inverter: MakeInverter, how: str
) -> None:
    device = make_device()
    match how:
        case "refused":
            device.refuse("rating")
        case "zero":
            device.clear("rating")
        case "no_value":
            device.put("rated_power", 0xFFFF)
    inverter = make_inverter(device, device.member(rated_power=5000))

    await inverter.poll()
    state = await inverter.poll()

    assert inverter.samples.rated_power == 5000
    assert "pv3_power" not in state.readings
    # Its bounds are those of the rated power found, not of none.
    assert state.readings["ac_power"] == 3000


async def test_an_owners_register_is_a_reading_like_any_other(
    make_device: MakeDevice, profile: Profile, clock: Clock
) -> None:
    register = replace(
        profile.registers["inverter_temperature"], key="radiator", address=0x19
    )
    owners = replace(profile, registers={**profile.registers, register.key: register})
    device = make_device()
    device.unit.input[0x19] = 77
    inverter = Inverter(
        device.member(), owners, RegisterSource(device.unit, owners), clock=clock
    )

    assert (await inverter.poll()).readings["radiator"] == 77


# --- time and cancellation ------------------------------------------------------------


async def test_the_clock_is_the_systems_unless_another_is_given(
    make_device: MakeDevice, profile: Profile
) -> None:
    device = make_device()
    inverter = Inverter(device.member(), profile, RegisterSource(device.unit, profile))

    assert (await inverter.poll()).heard
    assert (await inverter.poll()).heard


async def test_an_exchange_that_answers_with_zeros_is_no_reading(
    start_server: StartServer, open_link: OpenLink, profile: Profile
) -> None:
    """A whole block of zeros while the inverter runs is a hazard seen in the field."""

    async def zeros(exchange: Exchange) -> None:
        await exchange.send(exchange.reply([0] * exchange.request.count))

    server = await start_server()
    server.default = zeros
    link = open_link(server, timeout=1)
    inverter = Inverter(
        Member(serial_number="H10000000000AA", unit_id=1, role=Role.PRIMARY),
        profile,
        RegisterSource(link.for_unit(1), profile),
    )

    state = await inverter.poll()

    assert unheard(state)
    assert state.failures == {"identity": "nothing but zeros"}
