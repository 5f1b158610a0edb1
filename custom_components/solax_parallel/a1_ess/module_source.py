"""Readings taken from the array of a monitoring module."""

from collections.abc import Mapping
import time
from typing import override

from .health import Health, Reads
from .module import HalfAnswerError, Module, ModuleAnswer
from .profile import Profile
from .register import Register
from .source import RawWords, ReadError, ReadOnlyError, RefusedError, Source, Value


class ModuleSource(Source):
    """Reads the windows that a module has: who its inverter is, how it is set, and the rest."""

    def __init__(self, module: Module, profile: Profile) -> None:
        """Read from ``module`` what ``profile`` says its array holds."""
        self._module = module
        self._registers = profile.module
        self._in_array = {
            window: tuple(
                (register, register.field())
                for register in profile.module.values()
                if register.window == window
            )
            for window in ("live", "parallel_setting")
        }
        self._length = max(
            (register.addresses.stop for register in profile.module.values()), default=0
        )
        self._answer: ModuleAnswer | None = None
        self._identified: str | None = None
        self._seen: dict[str, ModuleAnswer] = {}
        self._reads = Reads()

    @property
    @override
    def registers(self) -> Mapping[str, Register]:
        """What the array holds, by key."""
        return self._registers

    @property
    @override
    def raw(self) -> RawWords:
        """The latest array."""
        words = () if self._answer is None else self._answer.words
        return {"module": dict(enumerate(words))}

    @override
    def words(self, register: Register) -> tuple[int, ...]:
        """Return the words of ``register`` in the latest array."""
        assert self._answer is not None
        return tuple(self._answer.words[index] for index in register.addresses)

    @property
    @override
    def reads_anew(self) -> bool:
        """Only where the module may be asked as often as one likes, which no real one may."""
        return not self._module.is_paced

    @property
    @override
    def renewed(self) -> bool:
        """Whether the latest answer is about another inverter than "identity" told."""
        return (
            self._answer is not None and self._answer.serial_number != self._identified
        )

    @property
    @override
    def health(self) -> Health:
        """How asking the module has gone so far."""
        return self._reads.health

    @override
    def close(self) -> None:
        """Do nothing: between two requests there is no link."""

    @override
    async def read(self, window: str) -> Mapping[str, Value | None]:
        """Read ``window`` from the latest array; see ``Source.read``.

        Raises ``DeniedError`` too, when the module wants another password.
        """
        if window != "identity" and window not in self._in_array:
            raise RefusedError("a module does not tell it")
        try:
            answer = await self._latest()
        except ReadError:
            self._reads.failed += 1
            raise
        if window == "identity":
            self._identified = answer.serial_number
            return {
                "serial_number": answer.serial_number,
                "model_type": answer.model_type,
            }
        is_new = answer is not self._seen.get(window)
        self._seen[window] = answer
        return {
            register.key: field.decode(list(self.words(register)))
            for register, field in self._in_array[window]
            # Taken twice, what a counter stands at in one answer would bear itself out.
            if is_new or register.counter is None
        }

    async def _latest(self) -> ModuleAnswer:
        asked_at = time.monotonic()
        answer = await self._module.answer()
        if answer is not self._answer:
            self._reads.replied(time.monotonic() - asked_at)
        self._answer = answer
        if len(answer.words) < self._length:
            raise HalfAnswerError(
                f"the array has {len(answer.words)} words instead of {self._length}"
            )
        return answer

    @override
    async def write(self, address: int, value: int) -> None:
        """Raise ``ReadOnlyError``: nobody knows how a module could be told anything."""
        raise ReadOnlyError("a module only tells")
