"""All inverters together: polled side by side, summed up, and judged as one system."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
import time
from types import MappingProxyType

from .balance import BalanceWatch, Spread, spreads
from .checks import Check, CheckResult, Unit, run_checks
from .codes import WORKING_MODES, BackupInterfaceType, Led, Role
from .comparison import Comparison, Mismatch
from .counters import StoredCount
from .extension import BackupInterface
from .installation import UNANSWERED, Installation
from .inverter import Inverter
from .inverter_state import InverterState, Presence
from .reported import ReportedSecondary
from .root_cause import RootCause, find_root_cause
from .totals import SUMMED_ENERGIES, TOTALS, Members, Total

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
class StoredGroup:
    """What a group has counted, as it outlives a restart of the program.

    ``counts`` are those of each inverter by serial number and key. ``left_behind`` has the key of
    every summed energy that was ever told, with what inverters had counted for it that are no
    longer in the group.
    """

    counts: Mapping[str, Mapping[str, StoredCount]] = field(default_factory=dict)
    left_behind: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class GroupState:
    """What is known of the group after a poll. None always means: not known.

    ``disagrees`` is whether inverters have told otherwise of the grid for ``SPLIT_AFTER``.
    ``backup_interface`` is what this poll tells of it; its type is known as soon as the primary
    told it once, or the owner.
    """

    members: Mapping[str, InverterState]
    unit_quantity: int | None
    units_expected: int
    status: Status | None
    led: Led | None
    on_grid: bool | None
    disagrees: bool
    totals: Mapping[str, Total]
    comparison: Mapping[str, Comparison]
    totals_disagree: bool | None
    spreads: Mapping[str, Spread]
    unbalanced: bool | None
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
    def split(self) -> bool | None:
        """Whether inverters disagree about the grid for good.

        None while an inverter that may only have missed a poll or two could do so.
        """
        if self.disagrees:
            return True
        return None if self.off_grid is None else False

    @property
    def complete(self) -> bool:
        """Whether every inverter that belongs to the group answered."""
        return len(self.heard) >= self.units_expected

    @property
    def incomplete(self) -> bool | None:
        """Whether an inverter is missing; None while one may only have missed a poll or two."""
        if self.complete:
            return False
        gone = all(member.lost for member in self.members.values() if not member.heard)
        return self.unit_not_set_up or gone or None

    @property
    def unit_not_set_up(self) -> bool | None:
        """Whether the primary counts more inverters than are known; None where it never told."""
        if self.unit_quantity is None:
            return None
        return self.unit_quantity > len(self.members)


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
        self._mismatch = Mismatch()
        self._balance = BalanceWatch()
        self._unit_quantity: int | None = None
        self._left_behind: dict[str, float] = {}
        for inverter in self.inverters.values():
            # A sum that was told must not leap by what an inverter brings along that joins.
            inverter.samples.joins = self._left_behind
        self.told_backup_interface: BackupInterfaceType | None = None
        """Which backup interface there is, as the primary told last; None until then."""

    def renew(self) -> None:
        """Let the next poll ask every inverter anew for everything, the silent ones too."""
        self._renews = True

    def end_rests(self) -> None:
        """Let the next poll ask the silent ones too, without asking the others anew."""
        for inverter in self.inverters.values():
            inverter.end_rest()

    def restore(self, stored: StoredGroup) -> None:
        """Go on with what was counted before a restart of the program."""
        self._left_behind.update(stored.left_behind)
        for serial, counts in stored.counts.items():
            if (inverter := self.inverters.get(serial)) is not None:
                inverter.restore(counts)
                continue
            for key in self._left_behind.keys() & counts.keys():
                self._left_behind[key] += counts[key].carried + counts[key].value

    def stored(self) -> StoredGroup:
        """Return what is to be kept over a restart of the program."""
        return StoredGroup(
            counts={
                serial: inverter.stored_counts()
                for serial, inverter in self.inverters.items()
            },
            left_behind=dict(self._left_behind),
        )

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
                was_resting = inverter.presence is Presence.RESTING
                state = members[inverter.member.serial_number] = await inverter.poll()
                if state.heard and was_resting:
                    # It may have been the line that they share.
                    for other in inverters:
                        if other.presence is Presence.RESTING:
                            other.end_rest()

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
        """Begin anew after a pause, of which nobody knows what stood or lasted in it."""
        self._mismatch = Mismatch()
        self._balance = BalanceWatch()
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
        disagrees = self._disagrees(heard)
        made_from = Members(
            states=members,
            units=self.units,
            leader=self._leader,
            expected=expected,
            on_grid=on_grid,
            left_behind=self._left_behind,
        )
        totals = {key: total.make(made_from) for key, total in TOTALS.items()}
        for key in SUMMED_ENERGIES:
            if totals[key].value is not None:
                self._left_behind.setdefault(key, 0.0)
        self._mismatch.observe(made_from)
        apart = spreads(heard, expected)
        judged = status(
            heard,
            expected,
            on_grid,
            split=disagrees,
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
            disagrees=disagrees,
            totals=MappingProxyType(totals),
            comparison=MappingProxyType(self._mismatch.latest),
            totals_disagree=None if primary is None else self._mismatch.is_lasting,
            spreads=MappingProxyType(apart),
            unbalanced=self._balance.unbalanced(apart["soc_spread"], self._clock()),
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

    def _disagrees(self, heard: Sequence[InverterState]) -> bool:
        if len({member.off_grid for member in heard} - {None}) < 2:
            self._split_since = None
            return False
        now = self._clock()
        if self._split_since is None:
            self._split_since = now
        return now - self._split_since >= SPLIT_AFTER


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
