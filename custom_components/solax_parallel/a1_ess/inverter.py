"""One inverter: who it is, what it says, and what that means."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
import time
from types import MappingProxyType

from .codes import (
    GridStatus,
    LedSource,
    ModelType,
    OnOff,
    ParallelSetting,
    Role,
    RunMode,
)
from .counters import CONSISTENT_POLLS, StoredCount
from .derived import derived_grid_status, derived_led
from .extension import Extension, ExtensionReader, extension_window
from .family import THIRD_STRING_POWER
from .identity import (
    SETTINGS,
    Identity,
    OtherSerialError,
    check_serial,
    identity_from,
)
from .inverter_state import SILENT_POLLS, InverterState, Presence
from .profile import MEASURING_WINDOWS, Profile
from .register import Fitted, Register
from .samples import Samples
from .source import (
    DeniedError,
    NotNowError,
    ReadError,
    RefusedError,
    SilentError,
    Source,
    UnreachableError,
    UnusableError,
    Value,
)

FIRST_READS = 2 * CONSISTENT_POLLS - 1
"""How often a window is read the first time at most: two glitches still leave enough to agree."""

REST = 60.0
"""For how many seconds a silent inverter, or a window that is not served, is left alone."""

QUICK = 0.5
"""In how many seconds a failure must show that costs the others of the link nothing."""

SETTING_INTERVAL = 300.0
"""After how many seconds a setting is read again."""

_WITHOUT_PV: frozenset[Fitted] = frozenset()
_WITH_PV = frozenset({Fitted.PV})
_WITH_THIRD_STRING = frozenset({Fitted.PV, Fitted.THIRD_STRING})
_EQUIPMENT = (_WITHOUT_PV, _WITH_PV, _WITH_THIRD_STRING)

_FAULT_WORDS = ("inverter_faults", "manager_faults", "battery_faults")


@dataclass(frozen=True, kw_only=True)
class Member:
    """An inverter as it was found when the group was set up; rated power in W.

    Behind a module it has no ``unit_id``.
    """

    serial_number: str
    unit_id: int | None
    role: Role
    rated_power: int | None = None
    model_type: ModelType | None = None


@dataclass
class _Rest:
    """When a window may be asked for again, how often in a row it failed and why, when it worked last."""

    until: float = 0.0
    failures: int = 0
    reason: str = ""
    served_at: float | None = None

    def note(self, failure: ReadError, now: float, *, is_costly: bool) -> None:
        """Leave alone what costs a long wait, or was never served."""
        self.failures += 1
        self.reason = str(failure)
        if (is_costly or self.served_at is None) and (
            isinstance(failure, RefusedError) or self.failures >= SILENT_POLLS
        ):
            self.until = now + REST


def _fitting(
    registers: Iterable[Register], fitted: Container[Fitted]
) -> tuple[Register, ...]:
    """Return the registers of something that an inverter has."""
    return tuple(
        register
        for register in registers
        if register.fitted is None or register.fitted in fitted
    )


def _measuring(
    registers: Mapping[str, Register],
) -> dict[frozenset[Fitted], tuple[Register, ...]]:
    """Return the registers that measure, by what the inverter has."""
    measuring = [
        register
        for register in registers.values()
        if register.unit is not None and register.window in MEASURING_WINDOWS
    ]
    return {fitted: _fitting(measuring, fitted) for fitted in _EQUIPMENT}


def _counters(registers: Mapping[str, Register]) -> dict[str, tuple[Register, ...]]:
    """Return the registers that count, by the window they are read in."""
    counting = [each for each in registers.values() if each.counter is not None]
    return {
        window: tuple(each for each in counting if each.window == window)
        for window in dict.fromkeys(each.window for each in counting)
    }


class Inverter:
    """Polls one inverter and keeps what outlives a poll.

    ``source`` delivers the readings, ``clock`` a monotonic time in seconds.
    """

    def __init__(
        self,
        member: Member,
        profile: Profile,
        source: Source,
        *,
        system_interval: float | None = None,
        hurries: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare ``member`` to be polled; nothing is read yet.

        ``system_interval`` is after how many seconds a primary is asked again for what it knows
        of the whole system, None for never. ``hurries`` puts off to the second poll what hardly
        ever changes, because somebody waits for the first one.
        """
        self.member = member
        self.source = source
        self.samples = Samples(member.rated_power)
        self._profile = profile
        self._clock = clock
        self._system_interval = system_interval
        self._system_read_at = clock() if system_interval else float("-inf")
        self._hurries = hurries
        self._verified = False
        self._other_serial: str | None = None
        self._said: dict[str, Value | None] = {}
        if self.can_tell("rated_power"):
            self._said["rated_power"] = member.rated_power
        self._identity: Identity | None = None
        self._settings_read_at: dict[str, float] = {}
        self._setting: ParallelSetting | None = member.role.setting
        self._unit_quantity: int | None = None
        self._role = member.role
        self._model_type = member.model_type
        self._presence = Presence.SILENT
        self._rest_until = 0.0
        self._failed_polls = 0
        self._last_seen: datetime | None = None
        self._rests: dict[str, _Rest] = {}
        self._counters = _counters(source.registers)
        self._introduced: set[str] = set()
        self._readable = _measuring(source.registers)
        self._measurable = _measuring(profile.registers)
        self._windows_told = {each.window for each in source.registers.values()}

    @property
    def role(self) -> Role:
        """Its place in the group, as far as it is known by now."""
        return self._role

    @property
    def presence(self) -> Presence:
        """How it stood with the latest poll."""
        return self._presence

    @property
    def fitted(self) -> frozenset[Fitted]:
        """What this inverter has, as far as its model and rated power tell."""
        if self._model_type is ModelType.A1_AC_G2:
            return _WITHOUT_PV
        if self.samples.rated_power == THIRD_STRING_POWER:
            return _WITH_THIRD_STRING
        return _WITH_PV

    @property
    def measurements(self) -> tuple[Register, ...]:
        """The registers that can be read of it and measure something it can have."""
        return self._readable[self.fitted]

    def can_have(self, key: str) -> bool:
        """Return whether it can have what a register measures, whether or not that can be read."""
        register = self.source.registers.get(key) or self._profile.registers[key]
        return _fitting([register], self.fitted) != ()

    def can_tell(self, key: str) -> bool:
        """Return whether a register can be read of it at all."""
        return key in self.source.registers

    def renew(self) -> None:
        """Let the next poll ask anew for everything, and leave nothing alone.

        Who it is and how it is set is otherwise asked once, and after a silence.
        """
        self._verified = False
        self._settings_read_at.clear()
        self.end_rest()

    def end_rest(self) -> None:
        """Let the next poll ask, whatever was to be left alone for a while."""
        self._rest_until = 0.0
        self._rests.clear()

    def unasked(self) -> InverterState:
        """Return what is known while nobody asks, which is nothing of the present."""
        return replace(self._unheard({}), presence=Presence.UNASKED, other_serial=None)

    def wake(self) -> None:
        """Begin anew after a pause: anybody may be there now, and no old value is held."""
        self.renew()
        self.samples.forget()
        self._introduced.clear()

    def restore(self, counts: Mapping[str, StoredCount]) -> None:
        """Go on with the counters of before a restart, by their registers' keys."""
        # What can't be read of it now may be read again one day, and counts in sums until then.
        registers = {**self._profile.registers, **self.source.registers}
        self.samples.restore(registers.values(), counts, self._clock())

    def stored_counts(self) -> dict[str, StoredCount]:
        """Return what is to be kept of the counters over a restart, by their registers' keys."""
        return self.samples.stored(self._clock())

    async def poll(self) -> InverterState:
        """Read everything that changes and return what is known now.

        Never raises for what the wire does: an inverter that can't be heard says so in the state.
        A silent one costs one timeout; after ``SILENT_POLLS`` it is left alone for ``REST``
        seconds, and it comes back only with its own serial number. One that can't be reached is
        asked in every poll as long as that is told at once, for it costs the others nothing.
        """
        now = self._clock()
        if now < self._rest_until:
            self.samples.miss()
            return self._unheard({})
        failures: dict[str, str] = {}
        try:
            if not self._verified or self.source.renewed:
                await self.verify()
            values = await self._read(now, failures)
        except OtherSerialError as err:
            self._rest_until = now + REST
            self._other_serial = err.serial_number
            return self._missed(Presence.OTHER_SERIAL, {"identity": str(err)})
        except DeniedError as err:
            self._rest_until = now + REST
            return self._missed(Presence.DENIED, {"identity": str(err)})
        except ReadError as err:
            return self._missed(
                self._absence(err, now), failures or {"identity": str(err)}
            )
        # What answers everything with zeros tells nothing, wherever zeros are possible.
        if not any(values.values()):
            return self._missed(Presence.UNUSABLE, failures)
        self._presence = Presence.HEARD
        self._failed_polls = 0
        self._last_seen = datetime.now(UTC)
        return self._state(values, failures, now)

    async def read_extension(self) -> tuple[Extension, Mapping[str, Value | None]]:
        """Read the extension alone, outside a poll: what it says, and the readings it is made of.

        Nothing is measured in it. Raises ``ReadError``, also when its cross-check fails.
        """
        values = await self.source.read(self._extension_window)
        if self.source.renewed:
            await self.verify()
        extension = ExtensionReader(self._profile, values, {}).decode(self._setting)
        return extension, values

    async def verify(self) -> None:
        """Make sure that this is the inverter it was.

        Raises ``ReadError`` otherwise, and then the next poll begins with it, too.
        """
        self._verified = False
        said = await check_serial(self.source, self.member.serial_number)
        identity = self._take_identity(said)
        self._model_type = identity.model_type or self._model_type
        self._verified = True

    async def _read(
        self, now: float, failures: dict[str, str]
    ) -> dict[str, Value | None]:
        """Read the windows that change; what could not be read goes to ``failures``.

        Raises ``SilentError`` when nothing has answered before the first silence, and
        ``NotNowError`` when nothing has before one that was long in coming.
        """
        values: dict[str, Value | None] = {}
        sure: dict[str, Value | None] = {}
        unsure_settings: dict[str, Mapping[str, Value | None]] = {}
        told = self._windows_told.__contains__
        for window in filter(told, self._windows(now, values)):
            try:
                read = await self._ask(window, now, failures)
            except ReadError as err:
                if isinstance(err, DeniedError) or not values:
                    raise
                self._rest(window).note(err, now, is_costly=True)
                # One long wait a poll: what has not been asked yet waits for the next one.
                if sure:
                    return sure
                # Some gateways hang up after each reply: then nothing is sure before the end.
                break
            if read is None:
                continue
            if window == "system":
                self._system_read_at = now
            is_sure = not self.source.renewed
            if window not in SETTINGS:
                values |= read
                sure |= read if is_sure else {}
            elif not any(values.values()):
                # Zero is a setting, but not from an inverter that has only zeros.
                continue
            elif is_sure:
                self._take_setting(window, read, now)
            else:
                unsure_settings[window] = read
        if self.source.renewed:
            # The link was lost on the way: what came after may be somebody else's.
            await self.verify()
        for window, read in unsure_settings.items():
            self._take_setting(window, read, now)
        await self._introduce(values, failures, now)
        return values

    async def _ask(
        self, window: str, now: float, failures: dict[str, str]
    ) -> Mapping[str, Value | None] | None:
        """Read a window; None, and a reason in ``failures``, where it can't be had now.

        Raises ``ReadError`` for a failure that the others of the link had to wait for, and
        ``DeniedError``.
        """
        rest = self._rest(window)
        if now < rest.until:
            failures[window] = rest.reason
            return None
        asked_at = self._clock()
        try:
            read = await self.source.read(window)
        except DeniedError:
            raise
        except ReadError as err:
            failures[window] = str(err)
            if self._is_costly(err, asked_at):
                raise
            rest.note(err, now, is_costly=False)
            return None
        rest.failures = 0
        rest.served_at = now
        return read

    async def _introduce(
        self, values: dict[str, Value | None], failures: dict[str, str], now: float
    ) -> None:
        """Read counters again and again, the first time, until they can be believed.

        A first reading could be a glitch, and nothing but others tell. Where at once there are no
        others, those of the next polls do. ``values`` holds what was read, and then the latest of
        it. Windows take turns: where frames carry no number, a reply that comes twice could be
        taken for the next one.
        """
        if not self.source.reads_anew:
            return
        counters = {
            window: _fitting(
                (register for register in registers if register.key in values),
                self.fitted,
            )
            for window, registers in self._counters.items()
            if window not in self._introduced
            and window in (*MEASURING_WINDOWS, self._extension_window)
        }
        for _ in range(FIRST_READS - 1):
            doubtful = self.samples.doubtful(chain(*counters.values()), values)
            self.samples.take(doubtful, values, now)
            if not self.samples.doubtful(doubtful, values):
                break
            again: dict[str, Value | None] = {}
            for window in filter(counters.get, counters):
                asked_at = self._clock()
                try:
                    again |= await self.source.read(window)
                except ReadError as err:
                    # What was read before stays, and the next poll goes on.
                    failures[window] = str(err)
                    is_costly = self._is_costly(err, asked_at)
                    self._rest(window).note(err, now, is_costly=is_costly)
                    for register in doubtful:
                        # Taken twice, one reading would bear itself out.
                        del values[register.key]
                    return
            if self.source.renewed:
                await self.verify()
            values |= again
        self._introduced |= {window for window, found in counters.items() if found}

    def _windows(self, now: float, values: Mapping[str, Value | None]) -> Iterator[str]:
        """Yield what to read; ``values`` fills up meanwhile."""
        settings = self._settings_due(now)
        yield "live"
        yield "legs"
        if Fitted.THIRD_STRING in self.fitted:
            yield "third_string"
        # Which extension it is depends on the parallel setting.
        yield from (window for window in settings if window == "parallel_setting")
        yield self._extension_window
        if (
            self._last_seen is None
            and "parallel_setting" not in settings
            and not self._is_confirmed(values)
        ):
            yield "parallel_setting"
        if (
            self._system_interval is not None
            and now - self._system_read_at >= self._system_interval
        ):
            yield "system"
        yield from (window for window in settings if window != "parallel_setting")

    def _settings_due(self, now: float) -> list[str]:
        """Return which settings to read now: those that are not known, and one that is old."""
        if self._hurries and self._last_seen is None:
            return []
        read_at = self._settings_read_at
        unknown = [window for window in SETTINGS if window not in read_at]
        old = [
            window
            for window in SETTINGS
            if window in read_at and now - read_at[window] >= SETTING_INTERVAL
        ]
        return [
            window for window in unknown + old[:1] if now >= self._rest(window).until
        ]

    def _is_confirmed(self, values: Mapping[str, Value | None]) -> bool:
        """Whether the extension tells of the parallel setting that was found at setup."""
        name = self._profile.registers["role"].code(values.get("role"))
        return name is not None and Role(name).setting is self._setting

    def _is_costly(self, failure: ReadError, asked_at: float) -> bool:
        """Whether the others of the link had to wait for a failure."""
        return isinstance(failure, SilentError) or (
            isinstance(failure, NotNowError) and self._clock() - asked_at >= QUICK
        )

    def _rest(self, window: str) -> _Rest:
        return self._rests.setdefault(window, _Rest())

    @property
    def _extension_window(self) -> str:
        return extension_window(self._setting)

    def _take_identity(self, said: Mapping[str, Value | None]) -> Identity:
        """Take in what it says of itself."""
        self._said |= said
        self._identity = identity_from(self._said, self._profile)
        if self._identity.rated_power is not None:
            self.samples.rated_power = self._identity.rated_power
        return self._identity

    def _take_setting(
        self, window: str, said: Mapping[str, Value | None], now: float
    ) -> None:
        """Take in what was read of how it is set up."""
        self._settings_read_at[window] = now
        identity = self._take_identity(said)
        if window != "parallel_setting":
            return
        self._setting = identity.parallel_setting
        self._unit_quantity = identity.unit_quantity
        self._role = identity.role_after(self._role)
        if self._setting is None:
            del self._settings_read_at[window]

    def _absence(self, failure: ReadError, now: float) -> Presence:
        """Return how an inverter stands that brought nothing, and decide when it is asked again."""
        if not isinstance(failure, SilentError):
            return Presence.UNUSABLE
        if self._failed_polls + 1 < SILENT_POLLS or (
            isinstance(failure, UnreachableError) and self._clock() - now < QUICK
        ):
            return Presence.SILENT
        self._rest_until = now + REST
        return Presence.RESTING

    def _missed(self, presence: Presence, failures: dict[str, str]) -> InverterState:
        """Note a poll that brought nothing."""
        if presence is not Presence.UNUSABLE:
            self._verified = False
            self._settings_read_at.clear()
        self._failed_polls += 1
        self._presence = presence
        self.samples.miss()
        return self._unheard(failures)

    def _unheard(self, failures: dict[str, str]) -> InverterState:
        return InverterState(
            serial_number=self.member.serial_number,
            presence=self._presence,
            identity=self._identity,
            role=self._role,
            model_type=self._model_type,
            tells_faults=self._tells_faults,
            other_serial=(
                self._other_serial if self._presence is Presence.OTHER_SERIAL else None
            ),
            last_seen=self._last_seen,
            failed_polls=self._failed_polls,
            failures=MappingProxyType(failures),
            dropped=MappingProxyType(dict(self.samples.dropped)),
            health=self.source.health,
        )

    def _state(
        self,
        values: Mapping[str, Value | None],
        failures: dict[str, str],
        now: float,
    ) -> InverterState:
        extension = self._decode_extension(values, failures, now)
        if extension is not None:
            self._role = extension.role
            self._model_type = extension.model_type
        served = {
            window for window, rest in self._rests.items() if rest.served_at == now
        }
        # What a reply leaves out that counted before is neither news nor a miss.
        due = [
            register
            for register in self.measurements
            if register.key in values or register.window not in served
        ]
        readings = {
            # What can't be read of it is not known, unlike what it does not have.
            **{each.key: None for each in self._measurable[self.fitted]},
            **self.samples.held(self.measurements),
            **self.samples.take(due, values, now),
        }
        run_mode = self._code(values, "run_mode", RunMode)
        grid_status = (
            self._code(values, "grid_status", GridStatus)
            if self.can_tell("grid_status")
            else derived_grid_status(run_mode)
        )
        bms_connected = self._code(values, "bms_connected", OnOff)
        faults, unnamed_bits = self._fault_words(values)
        return InverterState(
            serial_number=self.member.serial_number,
            presence=Presence.HEARD,
            identity=self._identity,
            role=self._role,
            model_type=self._model_type,
            run_mode=run_mode,
            grid_status=grid_status,
            bms_connected=None if bms_connected is None else bms_connected is OnOff.ON,
            led=(
                derived_led(
                    run_mode,
                    grid_status,
                    None if unnamed_bits else faults if self._tells_faults else (),
                )
                if extension is None
                else extension.led
            ),
            led_source=LedSource.DERIVED if extension is None else LedSource.REGISTER,
            tells_faults=self._tells_faults,
            faults=faults,
            parallel_faults=None if extension is None else extension.faults,
            unnamed_bits=MappingProxyType(unnamed_bits),
            readings=MappingProxyType(readings),
            counted_before=MappingProxyType(self.samples.counted_before),
            extension=extension,
            unit_quantity=(
                self._unit_quantity if extension is None else extension.unit_quantity
            ),
            system=MappingProxyType(
                {
                    register.key: values[register.key]
                    for register in self._profile.read_in("system")
                    if register.key in values
                }
            ),
            last_seen=self._last_seen,
            served=frozenset(served - failures.keys()),
            failures=MappingProxyType(failures),
            dropped=MappingProxyType(dict(self.samples.dropped)),
            health=self.source.health,
        )

    def _decode_extension(
        self, values: Mapping[str, Value | None], failures: dict[str, str], now: float
    ) -> Extension | None:
        """Return what the extension says; None, and a reason in ``failures``, if unusable."""
        window = self._extension_window
        measured = self.samples.take(self._profile.read_in(window), values, now)
        if "role" not in values:
            return None
        try:
            return ExtensionReader(self._profile, values, measured).decode(
                self._setting
            )
        except UnusableError as err:
            failures[window] = str(err)
            return None

    def _code[E: StrEnum](
        self, values: Mapping[str, Value | None], key: str, codes: type[E]
    ) -> E | None:
        if (register := self.source.registers.get(key)) is None:
            return None
        name = register.code(values.get(key))
        return None if name is None else codes(name)

    @property
    def _tells_faults(self) -> bool:
        return all(map(self.can_tell, _FAULT_WORDS))

    def _fault_words(
        self, values: Mapping[str, Value | None]
    ) -> tuple[frozenset[str] | None, dict[str, int]]:
        """Return the faults reported, None unless every fault word is known, and unnamed bits."""
        faults: set[str] = set()
        unnamed: dict[str, int] = {}
        for word in _FAULT_WORDS:
            if (value := values.get(word)) is None:
                return None, unnamed
            names, rest = self.source.registers[word].flags(value)
            faults |= names
            if rest:
                unnamed[word] = rest
        return frozenset(faults), unnamed
