"""Where the readings of an inverter come from, whatever carries them."""

from collections.abc import Mapping
from typing import Protocol

from .health import Health

# Whoever reads from a source needs to know what a value is.
from .register import Register, Value as Value  # noqa: PLC0414

type RawWords = Mapping[str, Mapping[int, int]]
"""Words as they came, by address in their register space, or by place in a module's array."""


class ReadError(Exception):
    """A window could not be read; the message says why."""


class SilentError(ReadError):
    """Nothing came back: the inverter, or the link to it, is down."""


class UnreachableError(SilentError):
    """Something on the way told that the inverter can't be reached."""


class RefusedError(ReadError):
    """The inverter answered that it does not serve the window."""


class UnusableError(ReadError):
    """Something came back that can't be the window's content."""


class NotNowError(UnusableError):
    """It answered that it can't answer."""


class DeniedError(ReadError):
    """What carries the readings wants another password."""


class WriteError(Exception):
    """A register was not written as it should have been; the message says why."""


class ReadOnlyError(WriteError):
    """Nothing was sent: what carries the readings can't write."""


class NotDoneError(WriteError):
    """The inverter answered that it does not do it."""


class UnansweredError(WriteError):
    """No answer came that counts, so it is not known whether it arrived."""


class Source(Protocol):
    """What an inverter's readings are taken from, and what writes to it where that is possible."""

    @property
    def registers(self) -> Mapping[str, Register]:
        """What can be read at all, by key, and how it is coded."""

    @property
    def raw(self) -> RawWords:
        """The words of the latest reply to each window."""

    def words(self, register: Register) -> tuple[int, ...]:
        """Return the words of ``register``, which was read, in the latest reply to its window."""

    @property
    def reads_anew(self) -> bool:
        """Whether a window that is read twice in a row was asked for twice."""

    @property
    def renewed(self) -> bool:
        """Whether the link was lost since "identity" was read: somebody else may answer now."""

    @property
    def health(self) -> Health:
        """How reading has gone so far; nothing of that where it can't be told."""
        return Health()

    def close(self) -> None:
        """Let go of what the readings come through; nothing is read afterwards."""

    async def read(self, window: str) -> Mapping[str, Value | None]:
        """Return every register of ``window`` by key; None stands for "no value".

        Raises ``SilentError`` (``UnreachableError`` where that was told), ``RefusedError``,
        ``UnusableError`` or ``DeniedError``.
        """

    async def write(self, address: int, value: int) -> None:
        """Write one holding register, once: a write is never repeated.

        Raises ``ReadOnlyError``, ``NotDoneError`` or ``UnansweredError``.
        """
