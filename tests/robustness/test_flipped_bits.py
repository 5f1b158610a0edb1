"""One flipped bit anywhere: what is caught, what is shown, and for how long.

Modbus TCP has no checksum of its own. A wrong value that could be true can't be told from a true
one, so what matters is how much harm it does.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from modbus_connection.mock import MockModbusConnection
import pytest

from custom_components.solax_parallel.a1_ess.inverter import Inverter
from custom_components.solax_parallel.a1_ess.profile import Profile, load_profile
from custom_components.solax_parallel.a1_ess.register import Register
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from tests.a1_ess.conftest import Clock
from tests.a1_ess.device import Device

from .matrix import Matrix

READINGS = ("live", "legs", "third_string", "primary_extension")

_NEWS = {"last_seen", "failures", "dropped", "failed_polls", "served"}
"""What differs from poll to poll by nature."""


NOTHING_KNOWN = "nothing known"
ENERGY = "energies"

CONSISTENT_POLLS = 3
"""After how many polls a counter is believed again that did not go on from where it was."""


PATIENCE = 2 * CONSISTENT_POLLS
"""After how many polls something that is still shown will stay."""


class Effect(StrEnum):
    """What a flipped bit does."""

    NONE = "none"
    CAUGHT = "caught, the last good value stands in"
    WITHHELD = "shown as unknown"
    SHOWN = "shown"


@dataclass(frozen=True, kw_only=True)
class Flip:
    """What one flipped bit did, for how many polls, and by how much an energy was off.

    ``polls`` is None where a sum, which must not fall, waits until its counter has come as far.
    """

    kind: str
    effect: Effect
    polls: int | None
    kwh: float


def kind_of(register: Register | None) -> str:
    """Return which kind of reading a register holds."""
    if register is None:
        return NOTHING_KNOWN
    if register.counter is not None:
        return ENERGY
    if register.unit is not None:
        return "measurements"
    if register.bits is not None:
        return "faults"
    return "states and codes"


def shown_by(state: Any) -> dict[str, Any]:
    """Return everything that a state tells, flat."""
    told: dict[str, Any] = {}
    if isinstance(state, Mapping):
        parts: Iterator[tuple[str, Any]] = iter(state.items())
    elif hasattr(state, "__dataclass_fields__"):
        parts = (
            (field.name, getattr(state, field.name))
            for field in fields(state)
            if field.name not in _NEWS
        )
    else:
        return {"": state}
    for name, part in parts:
        told |= {f"{name}.{key}": value for key, value in shown_by(part).items()}
    return told


class Bench:
    """An inverter whose registers are spoilt bit by bit."""

    def __init__(self, profile: Profile) -> None:
        self.clock = Clock()
        self.device = Device(
            MockModbusConnection().for_unit(1), profile, backup_interface="bi_pro"
        )
        self.inverter = Inverter(
            self.device.member(),
            profile,
            RegisterSource(self.device.unit, profile),
            clock=self.clock,
        )
        self.truth: Mapping[str, Any] = {}
        self.dropped: Mapping[str, int] = {}

    async def poll(self) -> Mapping[str, Any]:
        """Poll once and return everything that is told."""
        self.clock.move(10)
        state = await self.inverter.poll()
        self.dropped = state.dropped
        return shown_by(state)

    async def settle(self) -> None:
        """Learn what is told while all is well."""
        for _ in range(4):
            self.truth = await self.poll()

    async def flip(self, address: int, bit: int, kind: str) -> Flip:
        """Let one bit be wrong in one poll, and wait until that is forgotten."""
        store: dict[int, Any] = self.device.unit.input
        true = store.get(address, 0)
        store[address] = true ^ 1 << bit
        dropped = self.dropped
        told = await self.poll()
        store[address] = true
        wrong = {
            key: value
            for key, value in told.items()
            if value is not None and value != self.truth.get(key)
        }
        caught = self.dropped != dropped
        kwh = max(
            (_off_by(value, self.truth.get(key)) for key, value in wrong.items()),
            default=0,
        )
        polls = 0
        while told != self.truth and polls < PATIENCE:
            polls += 1
            told = await self.poll()
        waits = told != self.truth
        if waits:
            assert kind == ENERGY, f"bit {bit} of {address:#06x} is never forgotten"
            await self._catch_up(address, true ^ 1 << bit, told)
        return Flip(
            kind=kind,
            effect=_effect(wrong, told_less=polls > 0, caught=caught),
            polls=None if waits else polls,
            kwh=kwh,
        )

    async def _catch_up(
        self, address: int, reached: int, held: Mapping[str, Any]
    ) -> None:
        """Let a counter come as far as is shown, and one step further, which has to show."""
        store: dict[int, Any] = self.device.unit.input
        store[address] = reached
        assert await self.poll() == held
        store[address] = reached + 1
        self.truth = await self.poll()
        (moved,) = (key for key, value in self.truth.items() if value != held[key])
        assert self.truth[moved] > held[moved]


def _effect(wrong: Mapping[str, Any], *, told_less: bool, caught: bool) -> Effect:
    if wrong:
        return Effect.SHOWN
    if told_less:
        return Effect.WITHHELD
    return Effect.CAUGHT if caught else Effect.NONE


def _off_by(value: Any, truth: Any) -> float:
    both_numbers = isinstance(value, int | float) and isinstance(truth, int | float)
    return abs(value - truth) if both_numbers else 0


@pytest.fixture
def profile() -> Profile:
    """The shipped register map."""
    return load_profile()


async def test_no_flipped_bit_does_lasting_harm(
    profile: Profile, matrix: Matrix
) -> None:
    bench = Bench(profile)
    await bench.settle()
    flips = [
        await bench.flip(address, bit, kind_of(register))
        for window in READINGS
        for address, register in _words(profile, window)
        for bit in range(16)
    ]
    matrix.flips = _table(flips)

    assert len(flips) == 16 * (84 + 50 + 3 + 54)
    for flip in flips:
        if flip.kind == NOTHING_KNOWN:
            assert flip.effect is Effect.NONE
        elif flip.kind == ENERGY:
            assert flip.polls is None or flip.polls <= CONSISTENT_POLLS
            # What could have flowed since the last poll, and the last digit.
            assert flip.kwh < 1
        else:
            assert flip.polls is not None
            assert flip.polls <= 1


def _words(profile: Profile, window: str) -> Iterator[tuple[int, Register | None]]:
    """Yield every address that a read of a window delivers, with what is there."""
    registers = {
        register.address + offset: register
        for register in profile.read_in(window)
        for offset in range(register.words)
    }
    for address in range(min(registers), max(registers) + 1):
        yield address, registers.get(address)


def _table(flips: list[Flip]) -> str:
    lines = [
        "| What the bit belongs to | Bits | " + " | ".join(Effect) + " | for polls |",
        "| --- " * (3 + len(Effect)) + "|",
    ]
    for kind in dict.fromkeys(flip.kind for flip in flips):
        of_kind = [flip for flip in flips if flip.kind == kind]
        counts = Counter(flip.effect for flip in of_kind)
        shown = [
            flip.polls
            for flip in of_kind
            if flip.effect is Effect.SHOWN and flip.polls is not None
        ]
        cells = [str(counts[effect]) for effect in Effect]
        lines.append(
            f"| {kind} | {len(of_kind)} | {' | '.join(cells)} | {max(shown, default='-')} |"
        )
    return "\n".join(lines)
