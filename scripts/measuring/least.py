"""The least that the protocol allows for what is polled: fewest requests within declared windows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from custom_components.solax_parallel.a1_ess.profile import Profile

MOST_REGISTERS = 125
"""How many one request may ask for."""

BITS_PER_BYTE = 10
"""On a serial line: one start bit, eight data bits, one stop bit."""

SILENCE = 3.5
"""How many characters of silence end a frame on a serial line."""


@dataclass(frozen=True)
class Load:
    """Requests and the registers that they ask for."""

    requests: int = 0
    registers: int = 0

    def __add__(self, other: Load) -> Load:
        """Return both."""
        return Load(self.requests + other.requests, self.registers + other.registers)

    @property
    def tcp_bytes(self) -> int:
        """Bytes both ways on Modbus TCP, without what TCP and IP add."""
        return self.requests * (12 + 9) + 2 * self.registers

    @property
    def rtu_bytes(self) -> int:
        """Bytes both ways in RTU frames."""
        return self.requests * (8 + 5) + 2 * self.registers

    def serial_seconds(self, baudrate: int, message_spacing: float = 0.0) -> float:
        """Return how long a serial line is busy, with the silence that is kept, in seconds."""
        characters = self.rtu_bytes + 2 * SILENCE * self.requests
        return characters * BITS_PER_BYTE / baudrate + message_spacing * self.requests


def least_load(profile: Profile, windows: Iterable[str]) -> Load:
    """Return the fewest requests that deliver every register of ``windows``.

    A request stays within addresses that are declared without a gap.
    """
    wanted = {
        register.key: register
        for window in windows
        for register in profile.read_in(window)
    }.values()
    load = Load()
    for space in ("holding", "input"):
        for first, last in _stretches(profile, space):
            load += _cover(
                sorted(
                    (register.address, register.address + register.words - 1)
                    for register in wanted
                    if profile.windows[register.window].space == space
                    and first <= register.address <= last
                )
            )
    return load


def _stretches(profile: Profile, space: str) -> Iterator[tuple[int, int]]:
    """Yield the addresses that are declared in one go."""
    declared = sorted(
        (window.first, window.last)
        for window in profile.windows.values()
        if window.space == space
    )
    first, last = declared[0]
    for start, end in declared[1:]:
        if start > last + 1:
            yield first, last
            first = start
        last = max(last, end)
    yield first, last


def _cover(spans: list[tuple[int, int]]) -> Load:
    """Return the fewest requests over registers that all stand in one stretch."""
    load = Load()
    while spans:
        first = spans[0][0]
        reach = [last for _, last in spans if last < first + MOST_REGISTERS]
        load += Load(1, max(reach) - first + 1)
        spans = [(start, last) for start, last in spans if last > max(reach)]
    return load
