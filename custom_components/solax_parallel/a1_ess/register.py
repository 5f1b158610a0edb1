"""What a register is: where its value stands, how it is coded, and what it must lie within."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any, Literal, override

from modbus_connection.model.fields import NumberField, RegisterField, StringField

from .grade import Grade

type Space = Literal["holding", "input"]

type Value = int | float | str
"""A decoded register: text, a code, a bit field, or a number in the register's unit."""

SENTINELS = {
    "u16": frozenset({0x7FFF, 0x8000, 0xFFFF}),
    "s16": frozenset({0x7FFF, 0x8000}),
    "bits16": frozenset({0xFFFF}),
    "low_byte": frozenset({0xFF}),
    "u32": frozenset(range(0xFFFFFF00, 0x1_0000_0000)),
    "s32": frozenset({0x7FFFFFFF, 0x80000000}),
    "bits32": frozenset({0xFFFFFFFF}),
}
"""Raw patterns that stand for "no value", by register type."""


class Fitted(StrEnum):
    """What an inverter must have for a register to mean anything."""

    PV = "pv"
    THIRD_STRING = "third_string"


class Counter(StrEnum):
    """How a register counts: for life, or anew each day."""

    TOTAL = "total"
    TODAY = "today"


@dataclass(frozen=True, kw_only=True)
class Window:
    """A run of addresses that is read with one request."""

    space: Space
    first: int
    last: int
    all_zero: Literal["good", "bad"] = "good"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a sample must lie within; ``rated`` is a multiple of the rated power, both ways."""

    min: float | None = None
    max: float | None = None
    rated: float | None = None
    or_zero: bool = False
    zero_only_after: float | None = None

    def limits(self, rated_power: float) -> tuple[float, float]:
        """Return the lowest and the highest value for an inverter of ``rated_power`` in W."""
        limit = inf if self.rated is None else self.rated * rated_power
        return (
            -limit if self.min is None else max(self.min, -limit),
            limit if self.max is None else min(self.max, limit),
        )

    def admit(self, value: float, rated_power: float) -> bool:
        """Return whether ``value`` alone can be true of an inverter of ``rated_power`` in W."""
        low, high = self.limits(rated_power)
        return low <= value <= high or (self.or_zero and value == 0)


@dataclass(frozen=True, kw_only=True)
class Register:
    """One entry of the map: where a value stands, how it is coded, how well that is known."""

    key: str
    window: str
    address: int
    type: str
    grade: Grade
    source: str
    words: int = 1
    scale: float = 1
    unit: str | None = None
    bounds: Bounds | None = None
    counter: Counter | None = None
    fitted: Fitted | None = None
    values: Mapping[int, str] | None = None
    bits: Mapping[int, str] | None = None

    @property
    def addresses(self) -> range:
        """The address of each of its words."""
        return range(self.address, self.address + self.words)

    @property
    def place(self) -> str:
        """Where it stands, as people write it."""
        return f"0x{self.address:04X}"

    def field(self) -> RegisterField[Any]:
        """Return a new field that decodes and encodes this register's words."""
        if self.type == "ascii":
            return _TextField(self.address, count=self.words)
        kind = _LowByteField if self.type == "low_byte" else NumberField
        return kind(
            self.address,
            count=self.words,
            signed=self.type.startswith("s"),
            scale=float(self.scale),
            nan=SENTINELS[self.type],
            word_order="little",
        )

    def code(self, value: Value | None) -> str | None:
        """Return what a coded value stands for; None for no value or one in no table."""
        return (self.values or {}).get(value) if isinstance(value, int) else None

    def flags(self, value: Value | None) -> tuple[frozenset[str], int]:
        """Return the names of the bits set in ``value``, and the set bits that have no name."""
        if not isinstance(value, int):
            return frozenset(), 0
        named = {1 << bit: name for bit, name in (self.bits or {}).items()}
        return (
            frozenset(name for mask, name in named.items() if value & mask),
            value & ~sum(named),
        )


@dataclass(frozen=True, kw_only=True)
class PlaceInArray(Register):
    """What stands at some place of a module's array; ``address`` is its index there."""

    @property
    @override
    def place(self) -> str:
        """Its index."""
        return f"index {self.address}"


@dataclass(frozen=True, kw_only=True)
class Command:
    """One holding register that may be written, and the register that tells what came of it."""

    key: str
    address: int
    values: Mapping[int, str]
    confirmed_by: str
    grade: Grade
    source: str

    @property
    def proven(self) -> bool:
        """Whether the register is known well enough to be written on a real inverter."""
        return self.grade in (Grade.VENDOR, Grade.FIELD)

    def code(self, value: str) -> int | None:
        """Return what is written for ``value``; None for one that is in no table."""
        return next((code for code, name in self.values.items() if name == value), None)


class _TextField(StringField):
    """Text that is filled up with NUL or with spaces."""

    @override
    def decode(self, words: list[int], scale_exponent: int | None = None) -> str:
        return super().decode(words, scale_exponent).strip("\0 ")


class _LowByteField(NumberField[Any]):
    """A number that shares its word with another one."""

    @override
    def decode(self, words: list[int], scale_exponent: int | None = None) -> Any:
        return super().decode([words[0] & 0xFF], scale_exponent)
