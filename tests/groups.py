"""Groups to test with: played by the integration itself, or behind a server on loopback."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
import struct
import time
from typing import Any, NamedTuple

from pymodbus.constants import ExcCodes
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_load_restore_state_from_storage,
)

from custom_components.solax_parallel.a1_ess.codes import (
    BackupInterfaceType,
    ModelType,
    Role,
)
from custom_components.solax_parallel.a1_ess.grade import Grade
from custom_components.solax_parallel.a1_ess.inverter import Member
from custom_components.solax_parallel.a1_ess.profile import Profile, load_profile
from custom_components.solax_parallel.const import (
    CONF_ALLOW_CONTROL,
    CONF_BACKUP_INTERFACE,
    CONF_COMBINER_BOX,
    CONF_INTERFACE,
    CONF_MESSAGE_SPACING,
    CONF_RATED_POWER,
    CONF_SIMULATED,
    CONF_TERMINATION,
    CONF_UNITS,
    DEFAULT_SCAN_INTERVAL,
    DOMAIN,
    MODBUS,
)
from custom_components.solax_parallel.entry_data import reported_unit_data, unit_data
from custom_components.solax_parallel.facts import KNOWN_FACTS
from custom_components.solax_parallel.links import TcpLink
from custom_components.solax_parallel.simulator.group import (
    OFFLINE,
    SimulatedGroup,
    SimulatedUnit,
    serial_numbers,
)
from custom_components.solax_parallel.simulator.loopback import HOST
from custom_components.solax_parallel.simulator.readings import Reading, readings
from custom_components.solax_parallel.simulator.registers import Encoder
from custom_components.solax_parallel.simulator.server import SimulatorServer
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_TIMEOUT
from homeassistant.core import CoreState, HomeAssistant, State
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    restore_state,
)
from homeassistant.util import dt as dt_util

ROLES = (Role.PRIMARY, Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3)
ROLES_BY_SETTING = (Role.PRIMARY, Role.SECONDARY, Role.SECONDARY, Role.SECONDARY)
NOON = datetime(2026, 6, 21, 12, 0, tzinfo=timezone(timedelta(hours=-5)))
READS = (1, 2, 3, 4)
"""The Modbus functions that read."""
QUICK = {CONF_MESSAGE_SPACING: 0, CONF_TIMEOUT: 1}
"""Options that do not make a test wait."""
IMPATIENT = {**QUICK, CONF_TIMEOUT: 0.4}
"""Options with which silence is soon noticed: on this machine an answer takes milliseconds."""
INSTALLED = {CONF_COMBINER_BOX: "yes", CONF_TERMINATION: "yes"}
"""Options of an owner who says that everything is there."""
CONTROLLED = {**QUICK, CONF_ALLOW_CONTROL: True}
"""Options of a group whose owner allows control of smart loads."""


class Clock:
    """A local time that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time

    def move(self, **duration: float) -> None:
        self.pass_by(timedelta(**duration))

    def pass_by(self, duration: timedelta) -> None:
        """Let time go by, whatever the local clocks are set to meanwhile."""
        self.time = (self.time.astimezone(UTC) + duration).astimezone(self.time.tzinfo)


def simulated_group_entry(
    units: int = 4,
    backup_interface: str = "bi_pro",
    rated_power: int = 7600,
    prefix: str = "SIMHA",
    options: Mapping[str, Any] = CONTROLLED,
    interface: str = MODBUS,
) -> MockConfigEntry:
    """Return the entry of a group that the integration plays itself."""
    serials = serial_numbers(prefix, units)
    return MockConfigEntry(
        domain=DOMAIN,
        title="SolaX Parallel (simulated)",
        unique_id=serials[0],
        data={
            CONF_UNITS: [
                unit_data(member, None) for member in members(serials, rated_power)
            ],
            CONF_SIMULATED: {
                CONF_BACKUP_INTERFACE: backup_interface,
                CONF_RATED_POWER: rated_power,
                CONF_INTERFACE: interface,
            },
        },
        options=options,
    )


def members(
    serials: tuple[str, ...],
    rated_power: int,
    model_type: ModelType = ModelType.A1_HYB_G2,
    roles: Sequence[Role] = ROLES,
) -> list[Member]:
    """Return what the setup finds out about inverters, the primary first."""
    return [
        Member(
            serial_number=serial,
            unit_id=unit_id,
            role=role,
            rated_power=rated_power,
            model_type=model_type,
        )
        for unit_id, (serial, role) in enumerate(
            zip(serials, roles, strict=False), start=1
        )
    ]


class Asked(NamedTuple):
    """One request."""

    unit_id: int
    function: int
    address: int
    words: int


type Pokes = Mapping[tuple[int, int, int], int]
"""Words by unit id, function code and address."""

_ID_AT = 6

type Mangle = Callable[[bytes], bytes]
"""What becomes of a reply on its way."""

type Falsify = Callable[[dict[str, Reading]], Mapping[str, Reading]]
"""What an inverter says instead of what it reads."""


class PokedServer(SimulatorServer):
    """A server some of whose registers say something else than the group."""

    def __init__(self, pokes: Pokes, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pokes = dict(pokes)
        self.asked_last = 0
        """The unit id of the latest request."""

    def _silence(self, sending: bool, packet: bytes) -> bytes:
        if not sending:
            self.asked_last = packet[_ID_AT]
        return super()._silence(sending, packet)

    async def _answer(
        self,
        unit: SimulatedUnit,
        function: int,
        first: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        result = await super()._answer(
            unit, function, first, address, count, registers, values
        )
        for (asked, code, at), word in self.pokes.items():
            if (asked, code) == (self.asked_last, function) and (
                address <= at < address + count
            ):
                registers[at - first] = word
        return result


class WatchedServer(PokedServer):
    """Tells what it was asked, and by how many; and answers wrong where a test wants it."""

    requests = 0
    waiting = 0
    most_waiting = 0
    """How many requests waited for an answer at the same time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__({}, *args, **kwargs)
        self.mangled: dict[int, Mangle] = {}
        """By unit id."""
        self.falsified: dict[int, Falsify] = {}
        """By unit id."""
        self.asked: list[Asked] = []
        self.functions: set[int] = set()
        """The function codes of all requests."""
        self.writes: list[tuple[int, int, int]] = []
        """Unit id, address and value of every request that is no read."""

    @property
    def listening(self) -> bool:
        """Whether anybody could connect."""
        return self._server is not None

    @property
    def clients(self) -> int:
        """How many are connected."""
        return 0 if self._server is None else len(self._server.active_connections)

    def _silence(self, sending: bool, packet: bytes) -> bytes:
        if not sending:
            self.requests += 1
            function = packet[_ID_AT + 1]
            self.functions.add(function)
            self.asked.append(Asked(*struct.unpack(">BBHH", packet[6:12])))
            if function not in READS:
                self.writes.append((packet[6], *struct.unpack(">HH", packet[8:12])))
            self.waiting += 1
            self.most_waiting = max(self.waiting, self.most_waiting)
        else:
            self.waiting -= 1
        reply = super()._silence(sending, packet)
        if sending and reply and (mangle := self.mangled.get(reply[_ID_AT])):
            return mangle(reply)
        return reply

    def _readings(self, unit: SimulatedUnit) -> Mapping[str, Reading]:
        said = super()._readings(unit)
        falsify = self.falsified.get(unit.unit_id)
        return said if falsify is None else falsify(dict(said))

    async def start(self) -> None:
        """Listen at the same port as before, if there was one."""
        await super().start()
        self._wanted_port = self.port

    async def vanish(self) -> None:
        """Stop, and give the clients the time to see it."""
        await self.stop()
        await asyncio.sleep(0.05)

    async def restart(self, served: Profile) -> None:
        """Go on with another register map."""
        await self.vanish()
        self._profile = served
        self._encoder = Encoder(served)
        await self.start()

    async def asks(self, unit_id: int) -> bool:
        """Return whether somebody asks an inverter."""
        for _ in range(50):
            if self.asked_last == unit_id:
                return True
            await asyncio.sleep(0.01)
        return False

    async def is_written_to(self, times: int = 1) -> bool:
        """Return whether somebody writes, ``times`` in all."""
        for _ in range(500):
            if len(self.writes) >= times:
                return True
            await asyncio.sleep(0.01)
        return False

    async def left_alone(self) -> bool:
        """Return whether the last client goes away."""
        for _ in range(50):
            if not self.clients:
                return True
            await asyncio.sleep(0.01)
        return False


@dataclass
class GroupOnTheWire:
    """A group whose time stands still at a sunny noon, its server, and the entry for it."""

    hass: HomeAssistant
    clock: Clock
    group: SimulatedGroup
    server: WatchedServer
    entry: MockConfigEntry
    passed: float = 0
    """For how many seconds more than really went by those who poll it believe to have waited."""

    @classmethod
    async def start(
        cls,
        hass: HomeAssistant,
        *,
        units: int = 4,
        backup_interface: str = "bi_pro",
        rated_power: int = 7600,
        prefix: str = "WIRE",
        served: Profile | None = None,
        model_type: ModelType = ModelType.A1_HYB_G2,
        numbered: bool = True,
        reported: int = 0,
        host: str = HOST,
        options: Mapping[str, Any] = QUICK,
    ) -> GroupOnTheWire:
        """Start the server and add the entry, which is not set up yet.

        ``served`` is the register map that the server lives by; the integration keeps the
        shipped one. ``numbered`` is whether the setup learnt the secondaries' numbers;
        ``reported`` of them, the last ones, are read through the primary only.
        """
        clock = Clock()
        group = SimulatedGroup(
            serial_numbers=serial_numbers(prefix, units),
            backup_interface=BackupInterfaceType(backup_interface),
            rated_power=rated_power,
            now=clock,
        )
        server = WatchedServer(group, served or load_profile())
        await server.start()
        known = members(
            group.serial_numbers,
            rated_power,
            model_type,
            ROLES if numbered else ROLES_BY_SETTING,
        )
        asked = units - reported
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="SolaX Parallel (127.0.0.1)",
            unique_id=group.serial_numbers[0],
            data={
                CONF_UNITS: [
                    *(
                        unit_data(member, TcpLink(host, server.port))
                        for member in known[:asked]
                    ),
                    *(
                        reported_unit_data(known[0], member.role)
                        for member in known[asked:]
                    ),
                ]
            },
            options=options,
        )
        entry.add_to_hass(hass)
        return cls(hass, clock, group, server, entry)

    async def set_up(self, *, disabled_too: bool = False) -> bool:
        """Set up the entry, with the entities that start disabled if they are wanted too."""
        loaded = await set_up(self.hass, self.entry)
        if not disabled_too:
            return loaded
        registry = er.async_get(self.hass)
        for entity in er.async_entries_for_config_entry(registry, self.entry.entry_id):
            registry.async_update_entity(entity.entity_id, disabled_by=None)
        await self.hass.config_entries.async_unload(self.entry.entry_id)
        return loaded and await set_up(self.hass, self.entry)

    @property
    def primary(self) -> str:
        """The serial number of the primary, which is the group's id as well."""
        return self.group.serial_numbers[0]

    def silence(self, *serials: str) -> None:
        """Let inverters answer no longer."""
        for serial in serials:
            self.group.inject(serial, OFFLINE)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, for the group as well as for those who poll it."""
        self.clock.move(seconds=seconds)
        self.passed += seconds
        polled = self.entry.runtime_data.wiring.group
        for each in (polled, *polled.inverters.values()):
            each._clock = lambda: time.monotonic() + self.passed

    def readings(self, serial: str) -> dict[str, Any]:
        """Return what an inverter really measures."""
        unit = next(unit for unit in self.group.units if unit.serial_number == serial)
        return dict(readings(self.group, unit))


def without_windows(profile: Profile, *windows: str) -> Profile:
    """Return the register map of an inverter that does not serve ``windows``."""
    return replace(
        profile,
        windows={
            key: window for key, window in profile.windows.items() if key not in windows
        },
        registers={
            key: register
            for key, register in profile.registers.items()
            if register.window not in windows
        },
    )


def halved(profile: Profile, *keys: str) -> Profile:
    """Return a map by which a server says half of what it means."""
    return replace(
        profile,
        registers={
            key: replace(register, scale=register.scale * 2)
            if key in keys
            else register
            for key, register in profile.registers.items()
        },
    )


def coded(profile: Profile, key: str, values: Mapping[int, str]) -> Profile:
    """Return a register map in which ``key`` is coded with other numbers."""
    return replace(
        profile,
        registers={
            **profile.registers,
            key: replace(profile.registers[key], values=values),
        },
    )


def is_loaded(entry: MockConfigEntry) -> bool:
    """Return whether an entry is set up."""
    return entry.state is ConfigEntryState.LOADED


def graded(profile: Profile, grade: Grade) -> Profile:
    """Return a register map whose commands are known as well as ``grade`` says."""
    return replace(
        profile,
        commands={
            key: replace(command, grade=grade)
            for key, command in profile.commands.items()
        },
    )


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> bool:
    """Set up an entry and return whether its entities are there."""
    # The first of several entries sets up the others as well.
    if entry.state is ConfigEntryState.NOT_LOADED:
        await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return is_loaded(entry)


def begin_poll(hass: HomeAssistant, interval: float = DEFAULT_SCAN_INTERVAL) -> None:
    """Let the time of the next poll come."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=interval))


async def poll(hass: HomeAssistant, interval: float = DEFAULT_SCAN_INTERVAL) -> None:
    """Let the time of the next poll come, and wait for its end."""
    begin_poll(hass, interval)
    await hass.async_block_till_done(wait_background_tasks=True)


async def stop(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Stop Home Assistant, as far as an entry can tell, and begin to start it again."""
    await restore_state.async_get(hass).async_dump_states()
    await die(hass, entry)


async def die(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let Home Assistant end without a word, and begin to start it again."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await async_mock_load_restore_state_from_storage(hass)
    del hass.data[KNOWN_FACTS]
    hass.set_state(CoreState.starting)


def devices(
    hass: HomeAssistant, entry: MockConfigEntry
) -> dict[str, dr.DeviceEntry | dr.ChildDeviceEntry]:
    """Return every device of an entry by its identifier."""
    registry = dr.async_get(hass)
    found: list[dr.DeviceEntry | dr.ChildDeviceEntry] = [
        *dr.async_entries_for_config_entry(registry, entry.entry_id),
        *dr.async_child_entries_for_config_entry(registry, entry.entry_id),
    ]
    return {
        identifier: device for device in found for _, identifier in device.identifiers
    }


def entity_id(hass: HomeAssistant, unique_id: str) -> str:
    """Return the id of the one entity with ``unique_id``."""
    (entry,) = (
        entry
        for entry in er.async_get(hass).entities.values()
        if entry.platform == DOMAIN and entry.unique_id == unique_id
    )
    return entry.entity_id


def state(hass: HomeAssistant, unique_id: str) -> State:
    """Return the state of the one entity with ``unique_id``."""
    found = hass.states.get(entity_id(hass, unique_id))
    assert found is not None, f"{unique_id} is disabled"
    return found
