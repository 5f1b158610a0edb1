"""Readings taken from Modbus registers, and commands written to them."""

from collections.abc import Mapping
from typing import override

from modbus_connection import (
    AcknowledgeError,
    GatewayPathUnavailableError,
    GatewayTargetError,
    IllegalDataAddressError,
    IllegalFunctionError,
    ModbusConnectionError,
    ModbusError,
    ModbusExceptionError,
    ModbusTimeoutError,
    ModbusUnit,
)
from modbus_connection.model import ManualComponent

from .health import Health, Reads
from .link import LinkUnit
from .profile import Profile
from .register import Register
from .source import (
    NotDoneError,
    NotNowError,
    RawWords,
    ReadError,
    RefusedError,
    SilentError,
    Source,
    UnansweredError,
    UnreachableError,
    UnusableError,
    Value,
)

_UNREACHABLE = (
    ModbusConnectionError,
    GatewayPathUnavailableError,
    GatewayTargetError,
)
_NOT_SERVED = (IllegalFunctionError, IllegalDataAddressError)


class RegisterSource(Source):
    """Reads the windows of a profile from one Modbus unit."""

    def __init__(self, unit: ModbusUnit, profile: Profile) -> None:
        """Read from ``unit`` what ``profile`` says it holds."""
        self._unit = unit
        self._profile = profile
        self._reads = Reads()
        self._components = {
            window: _component(unit, profile, window) for window in profile.windows
        }
        self._raw: dict[str, dict[int, int]] = {"holding": {}, "input": {}}
        self._filled: set[str] = set()
        self._renewed = False
        self._forget_link = unit.on_connection_lost(self._note_loss)

    @property
    @override
    def registers(self) -> Mapping[str, Register]:
        """Every register of the profile, by key."""
        return self._profile.registers

    @property
    @override
    def raw(self) -> RawWords:
        """The words of the latest reply to each window."""
        return self._raw

    @override
    def words(self, register: Register) -> tuple[int, ...]:
        """Return the words of ``register`` in the latest reply."""
        held = self._raw[self._profile.windows[register.window].space]
        return tuple(held[address] for address in register.addresses)

    @property
    @override
    def reads_anew(self) -> bool:
        """Always."""
        return True

    @property
    @override
    def renewed(self) -> bool:
        """Whether the link was lost since "identity" was read."""
        return self._renewed

    @property
    @override
    def health(self) -> Health:
        """How reading has gone so far."""
        return self._reads.health

    @override
    def close(self) -> None:
        """Let go of the link, which others may go on using."""
        self._forget_link()

    def _note_loss(self) -> None:
        self._renewed = True

    @override
    async def read(self, window: str) -> Mapping[str, Value | None]:
        """Read ``window`` with one request; see ``Source.read``."""
        try:
            values = await self._read(window)
        except RefusedError:
            raise
        except ReadError:
            self._reads.failed += 1
            raise
        if isinstance(self._unit, LinkUnit) and self._unit.reply_time is not None:
            self._reads.replied(self._unit.reply_time)
        return values

    async def _read(self, window: str) -> Mapping[str, Value | None]:
        component = self._components[window]
        try:
            raw = await component.async_read_raw(notify=False)
        except ModbusTimeoutError as err:
            raise SilentError(str(err)) from err
        except _UNREACHABLE as err:
            raise UnreachableError(str(err)) from err
        except _NOT_SERVED as err:
            raise RefusedError(str(err)) from err
        except ModbusExceptionError as err:
            raise NotNowError(str(err)) from err
        except ModbusError as err:
            raise UnusableError(str(err)) from err
        limits = self._profile.windows[window]
        # An owner's register map may have moved all that a window held elsewhere.
        words = raw.get(limits.space, {})
        self._raw[limits.space].update(words)
        if set(words.values()) == {0xFFFF}:
            raise UnusableError("no value in any register")
        # Some firmware answers an address it does not know with zeros instead of an exception,
        # and now and then one that it does know.
        empty = bool(words) and not any(words.values())
        sudden = empty and window in self._filled
        (self._filled.discard if empty else self._filled.add)(window)
        if empty and (sudden or limits.all_zero == "bad"):
            raise UnusableError("nothing but zeros")
        if window == "identity":
            self._renewed = False
        return component.values

    @override
    async def write(self, address: int, value: int) -> None:
        """Write one holding register with function 06; see ``Source.write``."""
        try:
            await self._unit.write_register(address, value)
        except AcknowledgeError:
            # It has taken the command and needs a while for it.
            return
        except (ModbusTimeoutError, *_UNREACHABLE) as err:
            raise UnansweredError(str(err)) from err
        except ModbusExceptionError as err:
            raise NotDoneError(str(err)) from err
        except ModbusError as err:
            raise UnansweredError(str(err)) from err


def _component(unit: ModbusUnit, profile: Profile, window: str) -> ManualComponent:
    limits = profile.windows[window]
    reach = ((limits.first, limits.last),)
    component = ManualComponent(
        unit,
        max_span=125,
        holding_ranges=reach if limits.space == "holding" else None,
        input_ranges=reach if limits.space == "input" else None,
    )
    for register in profile.read_in(window):
        component.add(register.key, register.field(), space=limits.space)
    return component
