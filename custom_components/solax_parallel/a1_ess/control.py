"""Writing to a group: one command at a time, when somebody asks for it, and told honestly.

A relay switches a real load, so a command is refused as long as anything speaks against it, is
sent once and never repeated, and counts only when the inverter says that it is so.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
import logging
import time

from .codes import SmartLoadMode
from .extension import Extension, SmartLoad
from .family import SMART_LOADS
from .group import Group, GroupState
from .inverter import Inverter
from .inverter_state import InverterState
from .profile import Profile
from .register import Command
from .source import NotDoneError, ReadError, ReadOnlyError, UnansweredError

CONFIRM_TIME = 3.0
"""For how many seconds the inverter is asked whether a command was carried out."""

STEADY_TIME = 1.0
"""After how many seconds the inverter is asked whether a confirmed command still holds."""

_CONFIRM_PAUSE = 0.2

_LOGGER = logging.getLogger(__name__)


class Kind(StrEnum):
    """What can be told to a smart load channel."""

    SWITCH = "switch"
    MODE = "mode"


def command_key(number: int, kind: Kind) -> str:
    """Return what the register map calls a command to smart load channel ``number``."""
    return f"smart_load_{number}_{kind}"


COMMANDS = {
    command_key(number, kind): (number, kind) for number in SMART_LOADS for kind in Kind
}
"""Every command of the register map: the channel it goes to, and what it tells it."""


class ReadOnly(StrEnum):
    """Why a command can't be given at all."""

    NOT_PROVEN = "not_proven"
    NOT_ALLOWED = "not_allowed"


class Refusal(StrEnum):
    """Why nothing was written."""

    NOT_PROVEN = "command_not_proven"
    NOT_ALLOWED = "command_not_allowed"
    NOT_IN_MAP = "command_not_in_map"
    PRIMARY_SILENT = "command_primary_silent"
    PRIMARY_FAULTED = "command_primary_faulted"
    FAULTS_UNKNOWN = "command_faults_unknown"
    BLOCK_UNUSABLE = "command_block_unusable"
    NOT_MANUAL = "command_not_manual"
    TOO_SOON = "command_too_soon"
    SOURCE_READ_ONLY = "command_source_read_only"
    CLOSED = "command_closed"


class Failure(StrEnum):
    """What went wrong with a command that was written."""

    NOT_DONE = "command_not_done"
    NOT_CONFIRMED = "command_not_confirmed"
    REVERTED = "command_reverted"
    UNANSWERED = "command_unanswered"


class CommandError(Exception):
    """A command did not do what it should; ``said`` is what the inverter says of it, if anything."""

    def __init__(self, reason: Refusal | Failure, said: str | None) -> None:
        """Remember why."""
        self.reason = reason
        self.said = said
        super().__init__(reason)


class CommandRefusedError(CommandError):
    """Nothing was written; ``wait`` is after how many seconds it may be, where that is known."""

    def __init__(self, reason: Refusal, said: str | None, wait: float = 0) -> None:
        """Remember why."""
        self.wait = wait
        super().__init__(reason, said)


class CommandFailedError(CommandError):
    """It was written, and the inverter does not confirm it."""


class SwitchTimes:
    """When each smart load channel was last seen to switch, whoever switched it."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._states: dict[int, str] = {}
        self._switched_at: dict[int, float] = {}

    def note(self, number: int, state: str, now: float) -> None:
        """Note that channel ``number`` is in ``state`` at ``now``, a monotonic time in seconds."""
        if self._states.setdefault(number, state) != state:
            self._states[number] = state
            self._switched_at[number] = now

    def since(self, number: int, now: float) -> float:
        """Return how many seconds ago the channel switched; endless where that was never seen."""
        return now - self._switched_at.get(number, float("-inf"))


class Control:
    """Gives commands to the primary of a group."""

    def __init__(
        self,
        group: Group,
        profile: Profile,
        *,
        simulated: bool,
        allowed: bool,
        minimum_switch_time: float,
        times: SwitchTimes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to write to ``group``, where its owner has ``allowed`` it.

        A ``simulated`` group has no relays, so its registers need no proof.
        ``minimum_switch_time`` is how many seconds a channel stays on or off at least; ``times``
        may outlive this control. ``clock`` is a monotonic time in seconds.
        """
        self._group = group
        self._profile = profile
        self._simulated = simulated
        self._allowed = allowed
        self._minimum_switch_time = minimum_switch_time
        self._times = times
        self._clock = clock
        self._primary: InverterState | None = None
        self._smart_loads: Mapping[int, SmartLoad] = {}
        self._closed = False

    def close(self) -> None:
        """Write nothing from now on, whoever still waits to."""
        self._closed = True

    def observe(self, state: GroupState) -> None:
        """Take in what a poll has shown."""
        if (leader := self._group.leader) is not None:
            self._primary = state.members[leader.member.serial_number]
            self._note(self._primary.extension)

    def _note(self, extension: Extension | None) -> None:
        """Note how the channels are now, as far as it is known."""
        interface = None if extension is None else extension.backup_interface
        self._smart_loads = {} if interface is None else interface.smart_loads
        for number, load in self._smart_loads.items():
            self._times.note(number, load.state, self._clock())

    def read_only(self, key: str) -> ReadOnly | None:
        """Return why a command of the register map can't be given at all; None if it can be."""
        if not (self._simulated or self._profile.commands[key].proven):
            return ReadOnly.NOT_PROVEN
        return None if self._allowed else ReadOnly.NOT_ALLOWED

    @property
    def obstacle(self) -> Refusal | None:
        """What the latest poll shows that speaks against any command now."""
        primary = self._primary
        if primary is None or not primary.heard:
            return Refusal.PRIMARY_SILENT
        if not self._smart_loads:
            return Refusal.BLOCK_UNUSABLE
        if primary.faulted is None:
            return Refusal.FAULTS_UNKNOWN
        return Refusal.PRIMARY_FAULTED if primary.faulted else None

    async def write(self, key: str, value: str) -> str:
        """Give the command ``key`` of the register map, and return what the inverter says then.

        Waits for a poll or command that is under way. Raises ``CommandRefusedError`` when
        nothing was written, and ``CommandFailedError`` when it was and the inverter does not
        confirm it, or when it is not known whether it arrived.
        """
        async with self._group.turn:
            primary, command, code = self._checked(key, value)
            try:
                # A link may lead somewhere else than in the latest poll.
                await primary.verify()
            except ReadError as err:
                raise self._refused(Refusal.PRIMARY_SILENT, key) from err
            if self._closed:
                raise self._refused(Refusal.CLOSED, key)
            try:
                return await self._carry_out(primary, command, code)
            except asyncio.CancelledError:
                _LOGGER.warning(
                    "%s %s was cancelled under way: it is not known whether it arrived",
                    key,
                    value,
                )
                raise

    def _checked(self, key: str, value: str) -> tuple[Inverter, Command, int]:
        """Return who gets what, if nothing speaks against giving the command now."""
        if self._closed:
            raise self._refused(Refusal.CLOSED, key)
        command = self._profile.commands.get(key)
        if command is None or (code := command.code(value)) is None:
            raise self._refused(Refusal.NOT_IN_MAP, key)
        if (reason := self.read_only(key)) is not None:
            raise self._refused(Refusal[reason.name], key)
        if (obstacle := self.obstacle) is not None:
            raise self._refused(obstacle, key)
        primary = self._group.leader
        assert primary is not None, "somebody was heard"
        number, kind = COMMANDS[key]
        mode = self._smart_loads[number].mode
        if kind is Kind.SWITCH and mode is not SmartLoadMode.MANUAL:
            # It would do nothing now, and switch a load unasked when the mode changes.
            raise self._refused(Refusal.NOT_MANUAL, key)
        wait = self._minimum_switch_time - self._times.since(number, self._clock())
        if wait > 0 and value != self._said(key):
            raise self._refused(Refusal.TOO_SOON, key, wait)
        return primary, command, code

    def _refused(
        self, reason: Refusal, key: str, wait: float = 0
    ) -> CommandRefusedError:
        return CommandRefusedError(reason, self._said(key), wait)

    def _said(self, key: str) -> str | None:
        """Return what the primary said last of what a command would change."""
        number, kind = COMMANDS.get(key, (None, None))
        if number is None or (load := self._smart_loads.get(number)) is None:
            return None
        return load.state if kind is Kind.SWITCH else load.mode

    async def _carry_out(self, primary: Inverter, command: Command, code: int) -> str:
        """Write a command, and return what the inverter says when it has confirmed it."""
        failure = Failure.NOT_CONFIRMED
        try:
            await primary.source.write(command.address, code)
        except ReadOnlyError as err:
            raise self._refused(Refusal.SOURCE_READ_ONLY, command.key) from err
        except NotDoneError:
            failure = Failure.NOT_DONE
        except UnansweredError:
            failure = Failure.UNANSWERED
        wanted = command.values[code]
        said: str | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(CONFIRM_TIME):
                while not self._closed:
                    said = await self._ask(primary, command)
                    if said == wanted or failure is Failure.NOT_DONE:
                        break
                    await asyncio.sleep(_CONFIRM_PAUSE)
        if failure is not Failure.NOT_CONFIRMED or said != wanted:
            raise CommandFailedError(failure, said)
        if not self._closed:
            await asyncio.sleep(STEADY_TIME)
        if not self._closed:
            said = await self._ask(primary, command)
        if said not in (wanted, None):
            raise CommandFailedError(Failure.REVERTED, said)
        return wanted

    async def _ask(self, primary: Inverter, command: Command) -> str | None:
        """Return what the inverter says of a command's outcome; None where it can't be trusted."""
        try:
            extension, values = await primary.read_extension()
        except ReadError:
            return None
        self._note(extension)
        told = self._profile.registers[command.confirmed_by]
        return told.code(values.get(told.key))
