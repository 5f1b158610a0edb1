"""A simulated inverter's readings as registers: the register map read backwards."""

from collections.abc import Iterator, Mapping
from typing import Any

from modbus_connection.model.fields import RegisterField

from ..a1_ess.family import THIRD_STRING_POWER
from ..a1_ess.profile import PRIMARY_WINDOWS, Profile
from ..a1_ess.register import Register, Space
from .readings import Reading

_WITH_THIRD_STRING = "third_string"


def served(
    profile: Profile, space: Space, *, leads: bool, rated_power: int
) -> set[int]:
    """Return the addresses that an inverter answers for."""
    return {
        address
        for key, window in profile.windows.items()
        if window.space == space
        and (leads or key not in PRIMARY_WINDOWS)
        and (rated_power == THIRD_STRING_POWER or key != _WITH_THIRD_STRING)
        for address in range(window.first, window.last + 1)
    }


class Encoder:
    """Turns readings into words, as the register map wants them."""

    def __init__(self, profile: Profile) -> None:
        """Prepare the fields of ``profile``."""
        self._entries = [
            (profile.windows[register.window].space, register, register.field())
            for register in profile.registers.values()
        ]

    def words(
        self, space: Space, first: int, count: int, readings: Mapping[str, Reading]
    ) -> Iterator[tuple[int, int]]:
        """Yield address and word of every reading that touches a read of ``count`` registers.

        A register without a reading yields nothing. Raises ``OverflowError`` for a reading that
        does not fit and ``KeyError`` for a coded one that the map has no code for.
        """
        for entry_space, register, field in self._entries:
            if (
                entry_space == space
                and register.address < first + count
                and first < register.address + register.words
                and (reading := readings.get(register.key)) is not None
            ):
                yield from enumerate(
                    encoded(register, field, reading), register.address
                )


def encoded(
    register: Register, field: RegisterField[Any], reading: Reading
) -> list[int]:
    """Return the words of a reading.

    Raises ``OverflowError`` for one that does not fit and ``KeyError`` for a coded one that the
    map has no code for.
    """
    if register.type == "ascii":
        return field.encode(reading)
    if isinstance(reading, frozenset):
        bits = register.bits or {}
        return field.encode(
            sum(1 << bit for bit, key in bits.items() if key in reading)
        )
    if register.values is not None:
        codes: dict[Reading, int] = {
            value: code for code, value in register.values.items()
        }
        return field.encode(codes[reading])
    # a field without a scale cuts off what stands behind the point
    return field.encode(reading if register.scale != 1 else round(float(reading)))
