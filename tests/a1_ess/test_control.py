"""Commands over the real wire: what is refused, what is sent, and what is said of the outcome."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
import logging
import time
from typing import Any, override

from modbus_connection import ModbusTcpParams
import pytest

from custom_components.solax_parallel.a1_ess.codes import (
    BackupInterfaceType,
    OnOff,
    SmartLoadMode,
)
from custom_components.solax_parallel.a1_ess.control import (
    COMMANDS,
    CONFIRM_TIME,
    STEADY_TIME,
    CommandFailedError,
    CommandRefusedError,
    Control,
    Failure,
    Kind,
    ReadOnly,
    Refusal,
    SwitchTimes,
)
from custom_components.solax_parallel.a1_ess.grade import Grade
from custom_components.solax_parallel.a1_ess.group import Group, GroupState
from custom_components.solax_parallel.a1_ess.inverter import Inverter
from custom_components.solax_parallel.a1_ess.inverter_state import Presence
from custom_components.solax_parallel.a1_ess.link import Link
from custom_components.solax_parallel.a1_ess.profile import Profile, load_profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from custom_components.solax_parallel.a1_ess.source import ReadOnlyError
from custom_components.solax_parallel.simulator.group import (
    NONE,
    OFFLINE,
    Relay,
    SimulatedGroup,
    serial_numbers,
)
from custom_components.solax_parallel.simulator.loopback import HOST
from tests.groups import (
    Clock as LocalTime,
    WatchedServer,
    coded,
    graded,
    members,
    without_windows,
)

from .conftest import Clock

PROVEN = graded(load_profile(), Grade.FIELD)
ON, OFF = OnOff.ON, OnOff.OFF
SWITCH_3, SWITCH_4 = "smart_load_3_switch", "smart_load_4_switch"
"""Of two channels that are in manual mode and off at noon."""
MODE_3 = "smart_load_3_mode"
AT_3, AT_4, MODE_AT_3 = 0x0312, 0x0313, 0x031A


@dataclass
class Bench:
    """A group with a BI PRO on the wire, and what commands it; ``clock`` is in seconds."""

    simulated: SimulatedGroup
    server: WatchedServer
    group: Group
    control: Control
    clock: Clock
    local_time: LocalTime
    times: SwitchTimes

    @property
    def writes(self) -> list[tuple[int, int, int]]:
        """Everything that was written: unit id, address and value."""
        return self.server.writes

    @property
    def primary(self) -> str:
        """The primary's serial number."""
        return self.simulated.serial_numbers[0]

    async def poll(self) -> GroupState:
        """Poll, and let the control see what came of it."""
        state = await self.group.poll()
        self.control.observe(state)
        return state

    async def refuses(self, key: str, value: str) -> CommandRefusedError:
        """Return how a command is refused, of which nothing may reach the server."""
        before = len(self.writes)
        with pytest.raises(CommandRefusedError) as caught:
            await self.control.write(key, value)
        assert len(self.writes) == before
        return caught.value

    async def begins(self, key: str, value: str) -> asyncio.Task[str]:
        """Return the task that gives a command once it has been sent."""
        writing = asyncio.create_task(self.control.write(key, value))
        assert await self.server.is_written_to()
        return writing

    async def fails(self, key: str, value: str) -> CommandFailedError:
        """Return how a command fails that is sent once and no more."""
        before = len(self.writes)
        with pytest.raises(CommandFailedError) as caught:
            await self.control.write(key, value)
        assert len(self.writes) == before + 1
        return caught.value


type Build = Callable[..., Awaitable[Bench]]


@pytest.fixture
async def build(
    clock: Clock, connects_at_once: None, socket_enabled: None
) -> AsyncIterator[Build]:
    """Return what builds benches that are taken down at the end of the test."""
    servers: list[WatchedServer] = []
    links: list[Link] = []

    async def bench(
        *,
        units: int = 2,
        profile: Profile = PROVEN,
        served: Profile | None = None,
        source: type[RegisterSource] = RegisterSource,
        backup_interface: BackupInterfaceType = BackupInterfaceType.BI_PRO,
        patience: float = 0.4,
        polled: bool = True,
        **settings: Any,
    ) -> Bench:
        local_time = LocalTime()
        simulated = SimulatedGroup(
            serial_numbers=serial_numbers("BENCH", units),
            backup_interface=backup_interface,
            rated_power=7600,
            now=local_time,
        )
        server = WatchedServer(simulated, served or profile)
        servers.append(server)
        await server.start()
        params = ModbusTcpParams(host=HOST, port=server.port)
        links.append(link := Link(params, timeout=patience, message_spacing=0))
        inverters = [
            Inverter(
                member,
                profile,
                source(link.for_unit(unit_id), profile),
                clock=clock,
            )
            for unit_id, member in enumerate(
                members(simulated.serial_numbers, 7600), start=1
            )
        ]
        group = Group([inverters], clock=clock)
        times = settings.setdefault("times", SwitchTimes())
        control = Control(
            group,
            profile,
            clock=clock,
            **{
                "simulated": False,
                "allowed": True,
                "minimum_switch_time": 60,
                **settings,
            },
        )
        made = Bench(simulated, server, group, control, clock, local_time, times)
        if polled:
            await made.poll()
        return made

    yield bench
    for link in links:
        await link.close()
    for server in servers:
        await server.stop()


# --- what may be written at all -------------------------------------------------------


@pytest.mark.parametrize("grade", [Grade.ASSUMED, Grade.SISTER])
@pytest.mark.parametrize("allowed", [True, False])
async def test_without_proof_nothing_reaches_a_real_inverter(
    build: Build, grade: Grade, allowed: bool
) -> None:
    """Whatever is tried: every command, and every register as if it were one."""
    profile = graded(load_profile(), grade)
    bench = await build(profile=profile, allowed=allowed, minimum_switch_time=0)
    tried = 0
    for key, command in profile.commands.items():
        assert bench.control.read_only(key) is ReadOnly.NOT_PROVEN
        for value in command.values.values():
            refused = await bench.refuses(key, value)
            assert refused.reason is Refusal.NOT_PROVEN
            tried += 1
    assert tried == 6 * (2 + 3)
    for key, register in profile.registers.items():
        assert register.grade in (Grade.ASSUMED, Grade.SISTER)
        for value in (register.values or {0: "0", 1: "1"}).values():
            refused = await bench.refuses(key, value)
            # A mode is told by the register of the same name.
            expected = Refusal.NOT_PROVEN if key in COMMANDS else Refusal.NOT_IN_MAP
            assert refused.reason is expected
    await bench.poll()
    assert bench.writes == []


@pytest.mark.long
@pytest.mark.parametrize("grade", [Grade.FIELD, Grade.VENDOR])
async def test_what_is_proven_is_written_once_and_confirmed(
    build: Build, grade: Grade
) -> None:
    profile = graded(load_profile(), grade)
    bench = await build(profile=profile, minimum_switch_time=0)
    for number in range(1, 7):
        told = []
        for key, value, at, code in (
            (f"smart_load_{number}_mode", "manual", 0x0317 + number, 1),
            (f"smart_load_{number}_switch", "on", 0x030F + number, 1),
            (f"smart_load_{number}_switch", "off", 0x030F + number, 0),
            (f"smart_load_{number}_mode", "automatic", 0x0317 + number, 2),
            (f"smart_load_{number}_mode", "disabled", 0x0317 + number, 0),
        ):
            assert bench.control.read_only(key) is None
            bench.writes.clear()
            assert await bench.control.write(key, value) == value
            assert bench.writes == [(1, at, code)]
            state = await bench.poll()
            assert state.backup_interface is not None
            load = state.backup_interface.smart_loads[number]
            told.append((load.mode, load.state))
        assert [mode for mode, _ in told] == [
            "manual",
            "manual",
            "manual",
            "automatic",
            "disabled",
        ]
        assert [switched for _, switched in told[1:3]] == ["on", "off"]


@pytest.mark.parametrize("grade", Grade)
async def test_a_simulated_group_needs_no_proof(build: Build, grade: Grade) -> None:
    bench = await build(profile=graded(load_profile(), grade), simulated=True)
    assert await bench.control.write(SWITCH_3, ON) == "on"
    assert bench.writes == [(1, AT_3, 1)]


@pytest.mark.parametrize("simulated", [True, False])
async def test_without_leave_nothing_is_written(build: Build, simulated: bool) -> None:
    bench = await build(simulated=simulated, allowed=False)
    assert bench.control.read_only(SWITCH_3) is ReadOnly.NOT_ALLOWED
    refused = await bench.refuses(SWITCH_3, ON)
    assert (refused.reason, refused.said) == (Refusal.NOT_ALLOWED, "off")


async def test_each_command_needs_its_own_proof(build: Build) -> None:
    shipped = load_profile()
    profile = replace(
        shipped, commands={**shipped.commands, SWITCH_4: PROVEN.commands[SWITCH_4]}
    )
    bench = await build(profile=profile)
    assert await bench.control.write(SWITCH_4, ON) == "on"
    assert (await bench.refuses(SWITCH_3, ON)).reason is Refusal.NOT_PROVEN
    assert bench.writes == [(1, AT_4, 1)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (SWITCH_3, "manual"),
        (MODE_3, "on"),
        (SWITCH_3, "1"),
        ("smart_load_7_switch", "on"),
        ("grid_relay", "on"),
    ],
)
async def test_what_is_not_in_the_map_is_not_written(
    build: Build, key: str, value: str
) -> None:
    bench = await build()
    assert (await bench.refuses(key, value)).reason is Refusal.NOT_IN_MAP


async def test_a_value_that_the_owner_took_out_is_not_written(build: Build) -> None:
    without_off = replace(PROVEN.commands[SWITCH_3], values={1: "on"})
    bench = await build(
        profile=replace(PROVEN, commands={**PROVEN.commands, SWITCH_3: without_off})
    )
    assert (await bench.refuses(SWITCH_3, OFF)).reason is Refusal.NOT_IN_MAP


async def test_the_owners_address_and_codes_are_used(build: Build) -> None:
    moved = replace(
        PROVEN.commands[SWITCH_3], address=0x0400, values={7: "off", 9: "on"}
    )
    bench = await build(
        profile=replace(PROVEN, commands={**PROVEN.commands, SWITCH_3: moved})
    )
    assert await bench.control.write(SWITCH_3, ON) == "on"
    assert bench.writes == [(1, 0x0400, 9)]


class ReadingSource(RegisterSource):
    """A source that can't write."""

    @override
    async def write(self, address: int, value: int) -> None:
        raise ReadOnlyError("there is no way to write here")


async def test_a_source_that_can_not_write_says_so(build: Build) -> None:
    bench = await build(source=ReadingSource)
    refused = await bench.refuses(SWITCH_3, ON)
    assert (refused.reason, refused.said) == (Refusal.SOURCE_READ_ONLY, "off")


# --- what the latest poll must show ---------------------------------------------------


async def test_nothing_is_written_before_the_first_poll(build: Build) -> None:
    bench = await build(polled=False)
    assert (await bench.refuses(SWITCH_3, ON)).reason is Refusal.PRIMARY_SILENT
    assert bench.server.requests == 0


async def test_a_silent_primary_gets_no_command(build: Build) -> None:
    bench = await build()
    bench.simulated.inject(bench.primary, OFFLINE)
    # Also when the latest poll still heard it.
    refused = await bench.refuses(SWITCH_3, ON)
    assert refused.reason is Refusal.PRIMARY_SILENT
    await bench.poll()
    requests = bench.server.requests
    refused = await bench.refuses(SWITCH_3, ON)
    assert (refused.reason, refused.said) == (Refusal.PRIMARY_SILENT, None)
    assert bench.server.requests == requests
    bench.simulated.inject(bench.primary, NONE)
    await bench.poll()
    assert await bench.control.write(SWITCH_3, ON) == "on"


async def test_another_inverter_in_its_place_gets_no_command(build: Build) -> None:
    bench = await build()
    other = SimulatedGroup(
        serial_numbers=serial_numbers("OTHER", 2),
        backup_interface=BackupInterfaceType.BI_PRO,
        rated_power=7600,
        now=bench.local_time,
    )
    await bench.server.vanish()
    stranger = WatchedServer(other, PROVEN, port=bench.server._wanted_port)
    await stranger.start()
    refused = await bench.refuses(SWITCH_3, ON)
    assert refused.reason is Refusal.PRIMARY_SILENT
    # Twice, to be sure of the stranger.
    assert {(each.function, each.address) for each in stranger.asked} == {(3, 0)}
    await bench.poll()
    assert (await bench.refuses(SWITCH_3, ON)).reason is Refusal.PRIMARY_SILENT
    assert stranger.writes == []
    await stranger.stop()


@pytest.mark.parametrize("fault", ["fan", "eps_sync_lost", "overload"])
async def test_a_primary_with_a_fault_gets_no_command(build: Build, fault: str) -> None:
    bench = await build()
    bench.simulated.inject(bench.primary, fault)
    await bench.poll()
    assert (await bench.refuses(SWITCH_3, ON)).reason is Refusal.PRIMARY_FAULTED
    bench.simulated.inject(bench.primary, NONE)
    await bench.poll()
    assert await bench.control.write(SWITCH_3, ON) == "on"


async def test_neither_a_warning_nor_a_fault_of_another_is_a_reason(
    build: Build,
) -> None:
    bench = await build()
    bench.simulated.inject(bench.primary, "parallel_can_warning")
    bench.simulated.inject(bench.simulated.serial_numbers[1], "fan")
    await bench.poll()
    assert await bench.control.write(SWITCH_3, ON) == "on"


async def test_off_grid_is_no_fault(build: Build) -> None:
    bench = await build()
    bench.simulated.grid_closed = False
    await bench.poll()
    assert await bench.control.write(SWITCH_3, ON) == "on"


async def test_a_bit_without_a_name_may_be_a_fault(build: Build) -> None:
    fault_word = PROVEN.registers["inverter_faults"]
    named = {bit: name for bit, name in (fault_word.bits or {}).items() if bit != 1}
    bench = await build(
        profile=replace(
            PROVEN,
            registers={
                **PROVEN.registers,
                "inverter_faults": replace(fault_word, bits=named),
            },
        ),
        served=PROVEN,
    )
    bench.simulated.grid_closed = False
    await bench.poll()
    assert (await bench.refuses(SWITCH_3, ON)).reason is Refusal.FAULTS_UNKNOWN


@pytest.mark.parametrize(
    "served",
    [
        without_windows(PROVEN, "extension", "primary_extension"),
        coded(PROVEN, "role", {2: "primary", 1: "secondary_1"}),
        coded(PROVEN, "smart_load_6_mode", {9: "automatic"}),
    ],
    ids=["not_served", "other_role", "unknown_code"],
)
async def test_a_block_that_can_not_be_trusted_gets_no_command(
    build: Build, served: Profile
) -> None:
    bench = await build(served=served)
    refused = await bench.refuses(SWITCH_3, ON)
    assert (refused.reason, refused.said) == (Refusal.BLOCK_UNUSABLE, None)


@pytest.mark.parametrize(
    "backup_interface", [BackupInterfaceType.NONE, BackupInterfaceType.BI]
)
async def test_without_a_bi_pro_there_is_nothing_to_command(
    build: Build, backup_interface: BackupInterfaceType
) -> None:
    bench = await build(backup_interface=backup_interface)
    assert (await bench.refuses(SWITCH_3, ON)).reason is Refusal.BLOCK_UNUSABLE


@pytest.mark.parametrize("number", [1, 5], ids=["automatic", "disabled"])
@pytest.mark.parametrize("value", OnOff)
async def test_a_channel_is_switched_in_manual_mode_only(
    build: Build, number: int, value: str
) -> None:
    bench = await build()
    refused = await bench.refuses(f"smart_load_{number}_switch", value)
    assert refused.reason is Refusal.NOT_MANUAL


# --- how soon after the last time -----------------------------------------------------


async def test_a_relay_gets_time_between_two_switchings(build: Build) -> None:
    bench = await build()
    bench.clock.move(5)
    await bench.control.write(SWITCH_3, ON)
    bench.clock.move(20)
    # What does not switch it is no wear.
    assert await bench.control.write(SWITCH_3, ON) == "on"
    refused = await bench.refuses(SWITCH_3, OFF)
    assert (refused.reason, refused.said) == (Refusal.TOO_SOON, "on")
    assert refused.wait == pytest.approx(40)
    assert (await bench.refuses(MODE_3, SmartLoadMode.DISABLED)).wait == refused.wait
    # Another channel is another relay.
    assert await bench.control.write(SWITCH_4, ON) == "on"
    bench.clock.move(40)
    assert await bench.control.write(SWITCH_3, OFF) == "off"
    assert (await bench.refuses(SWITCH_3, ON)).wait == pytest.approx(60)


async def test_it_does_not_matter_who_switched(build: Build) -> None:
    bench = await build()
    bench.simulated.command(3, Kind.SWITCH, "on")
    bench.clock.move(100)
    await bench.poll()
    bench.clock.move(10)
    refused = await bench.refuses(SWITCH_3, OFF)
    assert refused.reason is Refusal.TOO_SOON
    assert refused.wait == pytest.approx(50)


async def test_the_time_is_the_owners_to_choose(build: Build) -> None:
    bench = await build(minimum_switch_time=0)
    for value in (ON, OFF, ON, OFF):
        assert await bench.control.write(SWITCH_3, value) == value
    assert [code for *_, code in bench.writes] == [1, 0, 1, 0]


async def test_a_new_control_remembers_what_the_old_one_saw(build: Build) -> None:
    bench = await build()
    await bench.control.write(SWITCH_3, ON)
    bench.clock.move(10)
    again = await build(times=bench.times, polled=False)
    again.simulated.command(3, Kind.SWITCH, "on")
    await again.poll()
    assert (await again.refuses(SWITCH_3, OFF)).wait == pytest.approx(50)


# --- what comes of a command ----------------------------------------------------------


async def test_a_stuck_relay_is_asked_for_three_seconds(build: Build) -> None:
    bench = await build()
    bench.simulated.relay = Relay.STUCK
    begun = time.monotonic()
    failed = await bench.fails(SWITCH_3, ON)
    assert (failed.reason, failed.said) == (Failure.NOT_CONFIRMED, "off")
    assert CONFIRM_TIME <= time.monotonic() - begun < CONFIRM_TIME + 0.5
    await bench.poll()
    await bench.poll()
    assert len(bench.writes) == 1, "nothing is repeated"


async def test_a_slow_relay_is_waited_for(build: Build) -> None:
    bench = await build()
    bench.simulated.relay = Relay.STUCK
    writing = asyncio.ensure_future(bench.control.write(SWITCH_3, ON))
    await asyncio.sleep(1)
    bench.simulated.relay = Relay.SOUND
    bench.simulated.command(3, Kind.SWITCH, "on")
    assert await writing == "on"
    assert len(bench.writes) == 1


async def test_a_command_that_is_taken_back(build: Build) -> None:
    bench = await build()
    writing = await bench.begins(SWITCH_3, ON)
    await asyncio.sleep(STEADY_TIME / 2)
    bench.simulated.command(3, Kind.SWITCH, "off")
    with pytest.raises(CommandFailedError) as caught:
        await writing
    assert (caught.value.reason, caught.value.said) == (Failure.REVERTED, "off")
    # It did switch, twice.
    assert (await bench.refuses(SWITCH_3, ON)).reason is Refusal.TOO_SOON
    assert len(bench.writes) == 1, "nobody insists"


async def test_silence_after_the_confirmation_takes_nothing_back(build: Build) -> None:
    bench = await build()
    writing = await bench.begins(SWITCH_3, ON)
    await asyncio.sleep(STEADY_TIME / 2)
    bench.simulated.inject(bench.primary, OFFLINE)
    assert await writing == "on"


async def test_an_error_is_an_answer(build: Build) -> None:
    bench = await build()
    bench.simulated.relay = Relay.REFUSING
    begun = time.monotonic()
    failed = await bench.fails(SWITCH_3, ON)
    assert (failed.reason, failed.said) == (Failure.NOT_DONE, "off")
    assert time.monotonic() - begun < 1


async def test_a_lost_reply_leaves_open_whether_it_arrived(build: Build) -> None:
    bench = await build()
    bench.simulated.relay = Relay.MUTE
    failed = await bench.fails(SWITCH_3, ON)
    assert (failed.reason, failed.said) == (Failure.UNANSWERED, "on")
    # It is on, so the relay did switch, and rests.
    assert (await bench.refuses(SWITCH_3, OFF)).reason is Refusal.TOO_SOON
    await bench.poll()
    assert len(bench.writes) == 1


async def test_a_link_that_breaks_under_a_command(build: Build) -> None:
    bench = await build(patience=5)
    bench.simulated.relay = Relay.MUTE
    writing = await bench.begins(SWITCH_3, ON)
    await bench.server.stop()
    begun = time.monotonic()
    with pytest.raises(CommandFailedError) as caught:
        await writing
    assert (caught.value.reason, caught.value.said) == (Failure.UNANSWERED, None)
    assert time.monotonic() - begun < CONFIRM_TIME + 0.5
    assert len(bench.writes) == 1


async def test_another_inverter_that_a_command_meets_is_not_polled_either(
    build: Build,
) -> None:
    bench = await build()
    await bench.server.vanish()
    bench.server.falsified[1] = lambda said: {**said, "serial_number": "STRANGER000001"}
    await bench.server.start()

    assert (await bench.refuses(SWITCH_3, ON)).reason is Refusal.PRIMARY_SILENT
    primary = (await bench.poll()).members[bench.primary]
    assert primary.presence is Presence.OTHER_SERIAL
    assert primary.readings == {}


async def test_a_block_that_gets_lost_on_the_way_confirms_nothing(build: Build) -> None:
    bench = await build()
    bench.simulated.relay = Relay.STUCK
    writing = await bench.begins(SWITCH_3, ON)
    bench.server._encoder = type(bench.server._encoder)(
        coded(PROVEN, "role", {2: "primary", 1: "secondary_1"})
    )
    bench.simulated.relay = Relay.SOUND
    bench.simulated.command(3, Kind.SWITCH, "on")
    with pytest.raises(CommandFailedError) as caught:
        await writing
    assert (caught.value.reason, caught.value.said) == (Failure.NOT_CONFIRMED, None)


async def test_a_command_that_is_cancelled_under_way_is_told_of(
    build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    bench = await build(patience=5)
    bench.simulated.relay = Relay.MUTE
    writing = await bench.begins(SWITCH_3, ON)
    with caplog.at_level(logging.WARNING):
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
    assert writing.cancelled()
    (message,) = caplog.messages
    assert message.startswith("smart_load_3_switch on was cancelled under way")
    assert message.endswith("it is not known whether it arrived")
    bench.simulated.relay = Relay.SOUND
    state = await bench.poll()
    assert state.members[bench.primary].heard
    assert len(bench.writes) == 1


async def test_a_command_that_is_cancelled_before_its_turn_is_not_sent(
    build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    bench = await build()
    async with bench.group.turn:
        writing = asyncio.ensure_future(bench.control.write(SWITCH_3, ON))
        await asyncio.sleep(0.05)
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
    await bench.poll()
    assert bench.writes == []
    assert caplog.messages == []


async def test_after_its_end_nothing_is_written(build: Build) -> None:
    bench = await build()
    async with bench.group.turn:
        waiting = asyncio.ensure_future(bench.control.write(SWITCH_3, ON))
        await asyncio.sleep(0.05)
        bench.control.close()
    with pytest.raises(CommandRefusedError) as caught:
        await waiting
    assert caught.value.reason is Refusal.CLOSED
    assert (await bench.refuses(SWITCH_3, ON)).reason is Refusal.CLOSED


async def test_its_end_ends_the_wait_for_it_to_hold(build: Build) -> None:
    bench = await build()
    writing = await bench.begins(SWITCH_3, ON)
    await asyncio.sleep(STEADY_TIME / 2)
    requests = bench.server.requests
    bench.control.close()
    assert await writing == "on"
    assert bench.server.requests == requests, "nobody is asked any more"


async def test_its_end_ends_the_wait_for_a_confirmation(build: Build) -> None:
    bench = await build()
    bench.simulated.relay = Relay.STUCK
    writing = await bench.begins(SWITCH_3, ON)
    bench.control.close()
    begun = time.monotonic()
    with pytest.raises(CommandFailedError):
        await writing
    assert time.monotonic() - begun < 1


# --- several at once ------------------------------------------------------------------


async def test_two_commands_at_once_go_one_after_the_other(build: Build) -> None:
    bench = await build()
    first, second, third = await asyncio.gather(
        bench.control.write(SWITCH_3, ON),
        bench.control.write(SWITCH_3, OFF),
        bench.control.write(SWITCH_4, ON),
        return_exceptions=True,
    )
    assert (first, third) == ("on", "on")
    # The second one knows what came of the first.
    assert isinstance(second, CommandRefusedError)
    assert (second.reason, second.said) == (Refusal.TOO_SOON, "on")
    assert bench.writes == [(1, AT_3, 1), (1, AT_4, 1)]


async def test_a_mode_that_was_just_set_counts_for_the_next_command(
    build: Build,
) -> None:
    bench = await build(minimum_switch_time=0)
    mode, switched = await asyncio.gather(
        bench.control.write(MODE_3, SmartLoadMode.DISABLED),
        bench.control.write(SWITCH_3, ON),
        return_exceptions=True,
    )
    assert mode == "disabled"
    assert isinstance(switched, CommandRefusedError)
    assert switched.reason is Refusal.NOT_MANUAL
    assert bench.writes == [(1, MODE_AT_3, 0)]


async def test_a_command_waits_for_the_poll_that_runs(build: Build) -> None:
    bench = await build(units=3)
    bench.simulated.inject(bench.simulated.serial_numbers[1], OFFLINE)
    polling = asyncio.ensure_future(bench.poll())
    assert await bench.server.asks(2)
    writing = asyncio.ensure_future(bench.control.write(SWITCH_3, ON))
    state = await polling
    assert bench.writes == [], "no poll shows half of a command"
    assert [member.heard for member in state.members.values()] == [True, False, True]
    assert await writing == "on"
    assert bench.writes == [(1, AT_3, 1)]


async def test_a_poll_waits_for_the_command_that_runs(build: Build) -> None:
    bench = await build(units=3)
    writing = await bench.begins(SWITCH_3, ON)
    state = await bench.poll()
    assert writing.done()
    assert state.backup_interface is not None
    assert state.backup_interface.smart_loads[3].state is OnOff.ON
    assert all(member.heard for member in state.members.values())
    assert state.members[bench.primary].failures == {}


async def test_two_groups_behind_one_gateway(build: Build, clock: Clock) -> None:
    """Each waits for its own polls, and the link takes one request after the other."""
    bench = await build(units=1, minimum_switch_time=0)
    other_group = Group([[*bench.group.inverters.values()]], clock=clock)
    other = Control(
        other_group,
        PROVEN,
        simulated=False,
        allowed=True,
        minimum_switch_time=0,
        times=SwitchTimes(),
        clock=clock,
    )
    other.observe(await other_group.poll())
    assert await asyncio.gather(
        bench.control.write(SWITCH_3, ON), other.write(SWITCH_4, ON), bench.poll()
    )
    assert sorted(bench.writes) == [(1, AT_3, 1), (1, AT_4, 1)]
