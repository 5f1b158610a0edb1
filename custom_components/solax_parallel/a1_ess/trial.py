"""Trying out an owner's corrections: what an inverter says where either register map points.

Only windows of a register map are read, each whole and with a read function, as in a poll. What
reads an inverter decides which registers it has.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from .identity import OtherSerialError, check_serial
from .inverter import Inverter
from .profile import PRIMARY_WINDOWS, Profile
from .register import Register
from .source import DeniedError, ReadError, RefusedError, SilentError, Source, Value


class Problem(StrEnum):
    """Why a register has no value, or none that can be understood in full."""

    SILENT = "silent"
    REFUSED = "refused"
    UNUSABLE = "unusable"
    DENIED = "denied"
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
            case DeniedError():
                return cls("denied")
            case _:
                return cls("unusable")


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What stands where a register map places a register.

    ``value`` is in the unit of ``register``, the name of a code, or the names of the bits that are
    set. ``within_bounds`` is None where there are no bounds that one value can be held against.
    ``tells_serial`` is whether the words are among those of the serial number.
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
    def differ(self) -> bool:
        """Whether the owner's map has any register otherwise than the shipped one."""
        return (self.yours.registers, self.yours.module) != (
            self.shipped.registers,
            self.shipped.module,
        )


type SourceBy = Callable[[Profile], Source]
"""Makes a source that reads a certain inverter by a register map."""


async def try_out(
    inverter: Inverter, source_by: SourceBy, maps: Maps
) -> dict[str, Trial]:
    """Return what an inverter says of every corrected register, by key.

    Never raises for what the wire does: what could not be read has a problem instead of a value.
    """
    with ExitStack() as opened:
        # Not the inverter's own source: what polls remember of the link stays theirs.
        known, yours, shipped = (
            _Look(inverter, profile, opened.enter_context(closing(source_by(profile))))
            for profile in (maps.running, maps.yours, maps.shipped)
        )
        keys = _corrected(yours.source, shipped.source)
        serial_number = inverter.member.serial_number
        failure: Problem | None = None
        try:
            await check_serial(known.source, serial_number)
            for look in (yours, shipped):
                await look.read(keys)
            if known.source.renewed:
                # The link was lost on the way: what came after may be somebody else's.
                await check_serial(known.source, serial_number)
        except ReadError as err:
            failure = Problem.of(err)
        return {
            key: Trial(
                yours=yours.sighting(key, failure, known),
                shipped=(
                    shipped.sighting(key, failure, known)
                    if key in shipped.source.registers
                    else None
                ),
            )
            for key in keys
        }


def _corrected(yours: Source, shipped: Source) -> tuple[str, ...]:
    """Return the keys of the registers that the owner's map has otherwise than the shipped one."""
    return tuple(
        key
        for key, register in yours.registers.items()
        if register != shipped.registers.get(key)
    )


@dataclass
class _Look:
    """What an inverter says by one register map."""

    inverter: Inverter
    profile: Profile
    source: Source
    _values: dict[str, Value | None] = field(default_factory=dict)
    _problems: dict[str, Problem] = field(default_factory=dict)

    async def read(self, keys: Collection[str]) -> None:
        """Read the windows of ``keys`` once each, whatever comes back."""
        registers = [
            register for key, register in self.source.registers.items() if key in keys
        ]
        windows = dict.fromkeys(
            register.window
            for register in registers
            if self._out_of_place(register) is None
        )
        for window in windows:
            try:
                self._values |= await self.source.read(window)
            except ReadError as err:
                self._problems[window] = Problem.of(err)

    def sighting(self, key: str, failure: Problem | None, known: Self) -> Sighting:
        """Return what stands where the map places ``key``, unless there was a ``failure``.

        By ``known`` the serial number was found.
        """
        register = self.source.registers[key]
        problem = (
            self._out_of_place(register)
            or failure
            or self._problems.get(register.window)
        )
        if problem is not None:
            return Sighting(register=register, problem=problem)
        value, problem = _understood(register, self._values[key])
        return Sighting(
            register=register,
            words=self.source.words(register),
            value=value,
            within_bounds=self._within_bounds(register, value),
            problem=problem,
            tells_serial=not known.serial_addresses.isdisjoint(
                self._addresses(register)
            ),
        )

    @property
    def serial_addresses(self) -> frozenset[tuple[str, int]]:
        """Where the serial number stands, if it is among what can be read by its key."""
        serial = self.source.registers.get("serial_number")
        return frozenset() if serial is None else frozenset(self._addresses(serial))

    def _addresses(self, register: Register) -> Iterator[tuple[str, int]]:
        space = self.profile.windows[register.window].space
        return ((space, address) for address in register.addresses)

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
        return self.inverter.samples.can_be(value, register.bounds)


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
