"""Trying out an owner's corrections: what an inverter says where either register map points.

Only windows of a register map are read, each whole and with a read function, as in a poll.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from .identity import OtherSerialError, check_serial
from .inverter import Inverter
from .profile import PRIMARY_WINDOWS, Profile, Register
from .source import ReadError, RefusedError, SilentError, Source, Value


class Problem(StrEnum):
    """Why a register has no value, or none that can be understood in full."""

    SILENT = "silent"
    REFUSED = "refused"
    UNUSABLE = "unusable"
    OTHER_INVERTER = "other_inverter"
    NOT_FITTED = "not_fitted"
    PRIMARY_ONLY = "primary_only"
    NO_VALUE = "no_value"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_BITS = "unknown_bits"

    @classmethod
    def of(cls, error: ReadError) -> Self:
        """Return what a failed read comes to."""
        match error:
            case OtherSerialError():
                return cls("other_inverter")
            case SilentError():
                return cls("silent")
            case RefusedError():
                return cls("refused")
            case _:
                return cls("unusable")


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What stands where a register map places a register.

    ``value`` is in the unit of ``register``, the name of a code, or the names of the bits that
    are set. ``within_bounds`` is None where there are no bounds that one value can be held
    against. ``tells_serial`` is whether the words are among those of the serial number.
    """

    register: Register
    words: tuple[int, ...] = ()
    value: Value | tuple[str, ...] | None = None
    within_bounds: bool | None = None
    problem: Problem | None = None
    tells_serial: bool = False


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A corrected register by both maps; ``shipped`` is None where only the owner's has it."""

    yours: Sighting
    shipped: Sighting | None


@dataclass(frozen=True, kw_only=True)
class Maps:
    """The register maps of a trial: the one that polls go by, the owner's, and the shipped."""

    running: Profile
    yours: Profile
    shipped: Profile

    @property
    def corrected(self) -> tuple[str, ...]:
        """The keys of the registers that the owner's map has otherwise than the shipped one."""
        return tuple(
            key
            for key, register in self.yours.registers.items()
            if register != self.shipped.registers.get(key)
        )


type SourceBy = Callable[[Profile], Source]
"""Makes a source that reads a certain inverter by a register map."""


async def try_out(
    inverter: Inverter, source_by: SourceBy, maps: Maps
) -> dict[str, Trial]:
    """Return what an inverter says of every corrected register, by key.

    Never raises for what the wire does: what could not be read has a problem instead of a value.
    """
    yours = _Look(inverter, source_by, maps, maps.yours)
    shipped = _Look(inverter, source_by, maps, maps.shipped)
    keys = maps.corrected
    # Not the inverter's own source: what polls remember of the link stays theirs.
    with _opened(source_by(maps.running)) as known:
        serial_number = inverter.member.serial_number
        failure: Problem | None = None
        try:
            await check_serial(known, serial_number)
            for look in (yours, shipped):
                await look.read(keys)
            if known.renewed:
                # The link was lost on the way: what came after may be somebody else's.
                await check_serial(known, serial_number)
        except ReadError as err:
            failure = Problem.of(err)
    return {
        key: Trial(
            yours=yours.sighting(key, failure),
            shipped=(
                shipped.sighting(key, failure)
                if key in maps.shipped.registers
                else None
            ),
        )
        for key in keys
    }


@contextmanager
def _opened(source: Source) -> Iterator[Source]:
    try:
        yield source
    finally:
        source.close()


@dataclass
class _Look:
    """What an inverter says by one register map."""

    inverter: Inverter
    source_by: SourceBy
    maps: Maps
    profile: Profile
    _values: dict[str, Value | None] = field(default_factory=dict)
    _words: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    _problems: dict[str, Problem] = field(default_factory=dict)

    async def read(self, keys: Collection[str]) -> None:
        """Read the windows of ``keys`` once each, whatever comes back."""
        registers = [
            register for key, register in self.profile.registers.items() if key in keys
        ]
        windows = dict.fromkeys(
            register.window
            for register in registers
            if self._out_of_place(register) is None
        )
        with _opened(self.source_by(self.profile)) as source:
            for window in windows:
                try:
                    self._values |= await source.read(window)
                except ReadError as err:
                    self._problems[window] = Problem.of(err)
            self._words = {space: dict(words) for space, words in source.raw.items()}

    def sighting(self, key: str, failure: Problem | None) -> Sighting:
        """Return what stands where the map places ``key``, unless there was a ``failure``."""
        register = self.profile.registers[key]
        problem = (
            self._out_of_place(register)
            or failure
            or self._problems.get(register.window)
        )
        if problem is not None:
            return Sighting(register=register, problem=problem)
        value, problem = _understood(register, self._values[key])
        space = self.profile.windows[register.window].space
        return Sighting(
            register=register,
            words=tuple(self._words[space][at] for at in _addresses(register)),
            value=value,
            within_bounds=self._within_bounds(register, value),
            problem=problem,
            tells_serial=self._tells_serial(register),
        )

    def _out_of_place(self, register: Register) -> Problem | None:
        """Return why this inverter is not asked for a register at all."""
        if register.window in PRIMARY_WINDOWS and not self.inverter.role.leads:
            return Problem.PRIMARY_ONLY
        if register.fitted is not None and register.fitted not in self.inverter.fitted:
            return Problem.NOT_FITTED
        return None

    def _within_bounds(
        self, register: Register, value: Value | tuple[str, ...] | None
    ) -> bool | None:
        # The bounds of a counter are those of the power it counts.
        if register.bounds is None or register.counter is not None:
            return None
        if not isinstance(value, int | float):
            return None
        return register.bounds.admit(value, self.inverter.samples.rated_power)

    def _tells_serial(self, register: Register) -> bool:
        """Return whether a register lies on the words that were found to be the serial number."""
        known = self.maps.running
        serial = known.registers["serial_number"]
        return self.profile.windows[register.window].space == known.windows[
            serial.window
        ].space and not set(_addresses(register)).isdisjoint(_addresses(serial))


def _addresses(register: Register) -> range:
    return range(register.address, register.address + register.words)


def _understood(
    register: Register, value: Value | None
) -> tuple[Value | tuple[str, ...] | None, Problem | None]:
    """Return what a value stands for, and what of it stands for nothing."""
    if value is None or value == "":
        return None, Problem.NO_VALUE
    if register.values is not None:
        name = register.code(value)
        return name, Problem.UNKNOWN_CODE if name is None else None
    if register.bits is not None:
        names, rest = register.flags(value)
        return tuple(sorted(names)), Problem.UNKNOWN_BITS if rest else None
    return value, None
