"""All inverters together: polled side by side, summed up, and judged as one system."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
import time
from types import MappingProxyType

from .checks import Check, CheckResult, Unit, run_checks
from .codes import WORKING_MODES, BackupInterfaceType, Led, Role
from .extension import BackupInterface
from .installation import UNANSWERED, Installation
from .inverter import Inverter, InverterState, Presence
from .reported import ReportedSecondary
from .root_cause import RootCause, find_root_cause

_NUMBERED = frozenset(
    {Role.PRIMARY, Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3}
)

SPLIT_AFTER = 10.0
"""For how many seconds units must disagree about the grid before the group counts as split.

They are read one after the other and switch one after the other, so a shorter disagreement is
only the moment of switching.
"""


class Status(StrEnum):
    """The group's state in one word."""

    NORMAL = "normal"
    DEGRADED = "degraded"
    FAULT = "fault"
    OFF_GRID = "off_grid"
    SPLIT = "split"
    OFFLINE = "offline"


_WELL = (Status.NORMAL, Status.OFF_GRID)


@dataclass(frozen=True, kw_only=True)
class Total:
    """A number of the whole group, and how many of its members it is made of.

    ``value`` is in the unit of the rule that made it; None where it can't be told.
    """

    value: float | None
    members_included: int
    members_expected: int

    @property
    def complete(self) -> bool:
        """Whether every member that counts is in it."""
        return self.members_included >= self.members_expected


@dataclass(frozen=True, kw_only=True)
class GroupState:
    """What is known of the group after a poll. None always means: not known.

    ``backup_interface`` is what this poll tells of it; its type is known as soon as the primary
    told it once, or the owner.
    """

    members: Mapping[str, InverterState]
    unit_quantity: int | None
    units_expected: int
    status: Status | None
    led: Led | None
    on_grid: bool | None
    totals: Mapping[str, Total]
    backup_interface: BackupInterface | None
    backup_interface_type: BackupInterfaceType | None
    checks: Mapping[Check, CheckResult]
    root_cause: RootCause

    @property
    def asked(self) -> bool:
        """Whether there was a poll; without one nothing here tells of silence."""
        return any(
            member.presence is not Presence.UNASKED for member in self.members.values()
        )

    @property
    def heard(self) -> tuple[InverterState, ...]:
        """The inverters that answered in this poll."""
        return tuple(member for member in self.members.values() if member.heard)

    @property
    def off_grid(self) -> bool | None:
        """Whether the group went off-grid for good.

        None also while an inverter that may only have missed a poll or two could contradict.
        """
        if self.on_grid is None or any(
            member.lost is None for member in self.members.values()
        ):
            return None
        return not self.on_grid

    @property
    def complete(self) -> bool:
        """Whether every inverter that belongs to the group answered."""
        return len(self.heard) >= self.units_expected

    @property
    def incomplete(self) -> bool | None:
        """Whether an inverter is missing; None while one may only have missed a poll or two."""
        if self.complete:
            return False
        never_found = self.units_expected > len(self.members)
        gone = all(member.lost for member in self.members.values() if not member.heard)
        return never_found or gone or None


class Group:
    """Polls the inverters of a group and keeps what outlives a poll."""

    def __init__(
        self,
        links: Sequence[Sequence[Inverter]],
        reported: Sequence[ReportedSecondary] = (),
        *,
        installation: Installation = UNANSWERED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the inverters of each link; those of one link are polled in turn.

        ``reported`` are the secondaries that only the primary can tell of, ``installation`` is
        what the owner says. ``clock`` is a monotonic time in seconds.
        """
        self.inverters = {
            inverter.member.serial_number: inverter
            for inverters in links
            for inverter in inverters
        }
        self._reported = reported
        self.units: dict[str, Inverter | ReportedSecondary] = {
            **self.inverters,
            **{secondary.serial_number: secondary for secondary in reported},
        }
        """Every member by the serial number it is known by."""
        self._leader = next(
            (
                serial
                for serial, inverter in self.inverters.items()
                if inverter.member.role.leads
            ),
            None,
        )
        self.turn = asyncio.Lock()
        """Held by a poll or a command, so that neither meets half of the other."""
        self._links = links
        self._installation = installation
        self._clock = clock
        self._renews = False
        self._split_since: float | None = None
        self._unit_quantity: int | None = None
        self.told_backup_interface: BackupInterfaceType | None = None
        """Which backup interface there is, as the primary told last; None until then."""

    def renew(self) -> None:
        """Let the next poll ask every inverter anew for everything, the silent ones too."""
        self._renews = True

    def end_rests(self) -> None:
        """Let the next poll ask the silent ones too, without asking the others anew."""
        for inverter in self.inverters.values():
            inverter.end_rest()

    @property
    def leader(self) -> Inverter | None:
        """The inverter that the group was set up with as its primary."""
        return None if self._leader is None else self.inverters[self._leader]

    async def poll(self) -> GroupState:
        """Poll every inverter once and return what is known now.

        Never raises for what the wire does; a group that nobody answered for has status offline.
        """
        async with self.turn:
            return await self._poll()

    async def _poll(self) -> GroupState:
        if self._renews:
            self._renews = False
            for inverter in self.inverters.values():
                inverter.renew()
        members: dict[str, InverterState] = {}

        async def poll_link(inverters: Sequence[Inverter]) -> None:
            for inverter in inverters:
                members[inverter.member.serial_number] = await inverter.poll()

        async with asyncio.TaskGroup() as tasks:
            for inverters in self._links:
                tasks.create_task(poll_link(inverters))
        heard = {serial: members[serial] for serial in self.inverters}
        primary = self._primary(heard)
        for secondary in self._reported:
            heard[secondary.serial_number] = (
                secondary.silent()
                if primary is None
                else secondary.judge(primary, self._clock())
            )
        return self._judge(heard)

    def unasked(self) -> GroupState:
        """Return what is known while nobody asks: what was counted, and nothing of the present."""
        members = {serial: unit.unasked() for serial, unit in self.units.items()}
        return replace(self._judge(members), status=None)

    def wake(self) -> None:
        """Begin anew after a pause."""
        for unit in self.units.values():
            unit.wake()

    def _primary(self, members: Mapping[str, InverterState]) -> InverterState | None:
        """Return the inverter that the owner set up as the primary, if it is heard.

        One that takes the role at run time has another meter, or none.
        """
        leader = members.get(self._leader) if self._leader is not None else None
        return leader if leader is not None and leader.heard else None

    def _judge(self, members: Mapping[str, InverterState]) -> GroupState:
        primary = self._primary(members)
        heard = [member for member in members.values() if member.heard]
        if primary is not None:
            self._learn(primary)
        extension = None if primary is None else primary.extension
        backup_interface_type = (
            self._installation.backup_interface
            if self.told_backup_interface is None
            else self.told_backup_interface
        )
        expected = max(self._unit_quantity or 0, len(members))
        on_grid = agreed_on_grid(heard)
        judged = status(
            heard,
            expected,
            on_grid,
            split=self._is_split(heard),
            online=None if extension is None else extension.online,
        )
        checks = run_checks(
            [
                Unit(
                    serial_number=member.serial_number,
                    role=member.role,
                    answer=member if member.heard else None,
                )
                for member in members.values()
            ],
            unit_quantity=self._unit_quantity,
            backup_interface=backup_interface_type,
            installation=self._installation,
        )
        return GroupState(
            members=MappingProxyType(members),
            unit_quantity=self._unit_quantity,
            units_expected=expected,
            status=judged,
            led=group_led(heard, expected),
            on_grid=on_grid,
            totals=MappingProxyType(self._totals(members, primary, expected, on_grid)),
            backup_interface=None if extension is None else extension.backup_interface,
            backup_interface_type=backup_interface_type,
            checks=MappingProxyType(checks),
            root_cause=find_root_cause(
                tuple(members.values()),
                checks,
                units_expected=expected,
                well=judged in _WELL,
                wiring_order=self._installation.wiring_order,
            ),
        )

    def _learn(self, primary: InverterState) -> None:
        """Remember what the primary tells of the group, which outlives its silence."""
        if primary.role is Role.STANDALONE:
            self._unit_quantity = 1
        elif primary.extension is None:
            if primary.unit_quantity is not None:
                self._unit_quantity = primary.unit_quantity
        else:
            self._unit_quantity = primary.unit_quantity
            self.told_backup_interface = (
                primary.extension.backup_interface_type or self.told_backup_interface
            )

    def _is_split(self, heard: Sequence[InverterState]) -> bool:
        if len({member.off_grid for member in heard} - {None}) < 2:
            self._split_since = None
            return False
        now = self._clock()
        if self._split_since is None:
            self._split_since = now
        return now - self._split_since >= SPLIT_AFTER

    def _totals(
        self,
        members: Mapping[str, InverterState],
        primary: InverterState | None,
        expected: int,
        on_grid: bool | None,
    ) -> dict[str, Total]:
        heard = [member for member in members.values() if member.heard]
        totals = {
            key: _sum(map(per_unit, heard), expected) for key, per_unit in SUMS.items()
        }
        totals |= {
            key: _sum([] if primary is None else [per_primary(primary)], 1)
            for key, per_primary in PRIMARY_ONLY.items()
        }
        totals |= {
            key: self._energy(key, tuple(members), members, expected)
            for key in ENERGIES
        }
        leader = () if self._leader is None else (self._leader,)
        totals |= {
            key: self._energy(key, leader, members, 1) for key in PRIMARY_ENERGIES
        }
        totals["load_power"] = _load_power(totals, on_grid)
        totals["battery_soc"] = _state_of_charge(heard, expected)
        del totals["backup_power"]
        return totals

    def _energy(
        self,
        key: str,
        serials: Sequence[str],
        members: Mapping[str, InverterState],
        expected: int,
    ) -> Total:
        """Add up counters, with the last value of a member that is not heard.

        Without that the total would fall whenever a member is silent, and every watt-hour it
        ever counted would count again on its return.
        """
        counting = [serial for serial in serials if self._counts(serial, key)]
        values = [self.units[serial].samples.last_total(key) for serial in counting]
        known = [value for value in values if value is not None]
        whole = bool(known) and len(known) == len(values)
        return Total(
            value=round(sum(known), 2) if whole else None,
            members_included=sum(
                serial not in counting or members[serial].readings.get(key) is not None
                for serial in serials
            ),
            members_expected=expected,
        )

    def _counts(self, serial: str, key: str) -> bool:
        """Whether a unit adds to an energy: an inverter without PV has no PV energy at all."""
        unit = self.units[serial]
        return isinstance(unit, ReportedSecondary) or unit.can_have(key)


def _reading(key: str) -> Callable[[InverterState], float | None]:
    return lambda member: member.readings.get(key)


def _added(*keys: str) -> Callable[[InverterState], float | None]:
    """Return the sum of those readings that an inverter has; None if one is not known."""

    def add(member: InverterState) -> float | None:
        if member.reported and not any(key in member.readings for key in keys):
            return None
        total: float = 0
        for key in keys:
            if key in member.readings:
                if (value := member.readings[key]) is None:
                    return None
                total += value
        return total

    return add


def _import_power(primary: InverterState) -> float | None:
    exported = primary.readings.get("meter_power")
    return None if exported is None else -exported


SUMS: Mapping[str, Callable[[InverterState], float | None]] = {
    # Every inverter measures only what passes through itself.
    "ac_power": _reading("ac_power"),
    "pv_power": _added("pv1_power", "pv2_power", "pv3_power", "pv4_power"),
    "battery_power": _reading("battery_power"),
    "backup_power": _added("backup_l1_power", "backup_l2_power"),
}
"""Powers in W that are the sum over all units."""

PRIMARY_ONLY: Mapping[str, Callable[[InverterState], float | None]] = {
    # The house has one meter, and it hangs on the primary. + is import.
    "grid_power": _import_power,
}
"""Powers in W that only the primary can tell."""

ENERGIES = (
    "pv_energy_total",
    "battery_charged_total",
    "battery_discharged_total",
    "backup_energy_total",
)
"""Energies in kWh that every unit counts for itself."""

PRIMARY_ENERGIES = ("grid_import_total", "grid_export_total")
"""Energies in kWh that only the primary's meter counts."""


def _sum(values: Sequence[float | None] | map[float | None], expected: int) -> Total:
    known = [value for value in values if value is not None]
    return Total(
        value=round(sum(known), 2) if known else None,
        members_included=len(known),
        members_expected=expected,
    )


def _load_power(totals: Mapping[str, Total], on_grid: bool | None) -> Total:
    """What the house draws in W: with the grid it is AC output plus import, else backup output."""
    ac, grid, backup = (
        totals[key] for key in ("ac_power", "grid_power", "backup_power")
    )
    if on_grid is False:
        return backup
    known = on_grid and ac.value is not None and grid.value is not None
    return Total(
        value=(ac.value or 0) + (grid.value or 0) if known else None,
        members_included=ac.members_included if known else 0,
        members_expected=ac.members_expected,
    )


def _state_of_charge(heard: Sequence[InverterState], expected: int) -> Total:
    """The charge of all batteries in %, each weighted with its capacity.

    Where a capacity is unknown all count the same.
    """
    charges = [
        (soc, member.readings.get("battery_capacity") or 0)
        for member in heard
        if (soc := member.readings.get("battery_soc")) is not None
    ]
    if not all(capacity for _, capacity in charges):
        charges = [(soc, 1) for soc, _ in charges]
    weight = sum(capacity for _, capacity in charges)
    return Total(
        value=(
            round(sum(soc * capacity for soc, capacity in charges) / weight, 1)
            if charges
            else None
        ),
        members_included=len(charges),
        members_expected=expected,
    )


def agreed_on_grid(heard: Sequence[InverterState]) -> bool | None:
    """Return whether the group runs with the grid; None where units disagree or none knows."""
    told = {member.off_grid for member in heard} - {None}
    return None if len(told) != 1 else not told.pop()


def group_led(heard: Sequence[InverterState], expected: int) -> Led | None:
    """Return the LED of the group: red if any is, green only if every member is heard and green."""
    leds = [member.led for member in heard]
    for alarm in (Led.RED_FLASHING, Led.RED):
        if alarm in leds:
            return alarm
    if len(leds) < expected or None in leds:
        return None
    if Led.GREEN_FLASHING in leds:
        return Led.GREEN_FLASHING
    return leds[0] if len(set(leds)) == 1 else None


def status(
    heard: Sequence[InverterState],
    expected: int,
    on_grid: bool | None,
    *,
    split: bool,
    online: frozenset[Role] | None = None,
) -> Status | None:
    """Return the group's state in one word, the gravest that applies.

    ``online`` are the roles that the primary hears. None where all that is known is well, but
    too little is known to call it so.
    """
    if not heard:
        return Status.OFFLINE
    if any(member.faulted for member in heard):
        return Status.FAULT
    if split:
        return Status.SPLIT
    unheard_by_primary = online is not None and any(
        member.role not in online for member in heard if member.role in _NUMBERED
    )
    if (
        len(heard) < expected
        or any(member.problems or member.parallel_faults for member in heard)
        or unheard_by_primary
        or any(member.unnamed_bits for member in heard)
    ):
        return Status.DEGRADED
    if on_grid is False:
        return Status.OFF_GRID
    modes = {member.run_mode for member in heard}
    if modes - WORKING_MODES - {None}:
        return Status.DEGRADED
    if (
        on_grid is None
        or None in modes
        or any(member.faults is None for member in heard)
    ):
        return None
    return Status.NORMAL
