"""An inverter to read from: a mock unit whose registers are set by key."""

from collections.abc import Collection, Mapping
from typing import Any

from modbus_connection import (
    IllegalDataAddressError,
    ModbusExceptionError,
    ModbusTimeoutError,
)
from modbus_connection.mock import MockModbusUnit, ReadEvent

from custom_components.solax_parallel.a1_ess.codes import ModelType, Role
from custom_components.solax_parallel.a1_ess.inverter import Member
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.register import Register, Space

from .wire import READ_HOLDING, Behaviour, Exchange, Request

type Said = float | str | Collection[str]
"""A value: a number in the register's unit, text, the name of a code, or names of bits."""

SERIALS = {
    Role.STANDALONE: "H10000000000AA",
    Role.PRIMARY: "H10000000000AA",
    Role.SECONDARY_1: "H10000000000BB",
    Role.SECONDARY_2: "H10000000000CC",
    Role.SECONDARY_3: "H10000000000DD",
}

AT_REST: Mapping[str, Said] = {
    "factory_name": "Solax",
    "module_name": "A1-HYB-7.6-G2",
    "dsp_firmware_major": 1,
    "dsp_firmware_minor": 7,
    "arm_firmware_major": 2,
    "arm_firmware_minor": 13,
    "rated_power": 7600,
    "battery_count": 2,
    "ac_voltage": 240.1,
    "ac_current": 12.5,
    "ac_power": 3000,
    "pv1_voltage": 380.5,
    "pv1_current": 4.2,
    "pv1_power": 1600,
    "pv2_power": 1500,
    "pv3_power": 400,
    "frequency": 60.01,
    "inverter_temperature": 41,
    "run_mode": "normal",
    "grid_status": "on_grid",
    "bms_connected": "on",
    "battery_power": 500,
    "battery_soc": 55,
    "battery_capacity": 10000,
    "battery_charged_total": 1000.5,
    "battery_discharged_total": 900.5,
    "meter_power": -250,
    "grid_export_total": 50.25,
    "grid_import_total": 60.75,
    "backup_l1_power": 700,
    "backup_l2_power": 800,
    "backup_energy_total": 12.5,
    "pv_energy_total": 4321.5,
    "l1_voltage": 120.1,
    "l2_voltage": 119.9,
    "model_type": "a1_hyb_g2",
    "parallel_faults": (),
    "operation_led": "green",
    "safety_code": 31,
}
"""What a sound inverter says, whatever its place in the group."""


class Device:
    """One unit that answers like an inverter, until told otherwise."""

    def __init__(
        self,
        unit: MockModbusUnit,
        profile: Profile,
        role: Role = Role.PRIMARY,
        quantity: int = 4,
        **said: Said,
    ) -> None:
        self.unit = unit
        self.role = role
        self._profile = profile
        self.say(serial_number=SERIALS[role], **AT_REST)
        self.say(role=role, parallel_setting=role.setting)
        if role is Role.PRIMARY:
            self.say(
                unit_quantity=quantity,
                online_mask=["primary", "secondary_1", "secondary_2", "secondary_3"][
                    :quantity
                ],
                backup_interface="none",
            )
        self.say(**said)

    def say(self, **said: Said) -> None:
        """Answer with these values from now on."""
        for key, value in said.items():
            register = self._profile.registers[key]
            self.put(key, *encoded(register, value))

    def put(self, key: str, *words: int) -> None:
        """Answer with these words from the place of ``key`` on."""
        register = self._profile.registers[key]
        store: dict[int, Any] = getattr(self.unit, self._space(register.window))
        for offset, word in enumerate(words):
            store[register.address + offset] = word

    def clear(self, window: str) -> None:
        """Answer for a window with nothing but zeros."""
        limits = self._profile.windows[window]
        store: dict[int, Any] = getattr(self.unit, limits.space)
        for address in range(limits.first, limits.last + 1):
            store[address] = 0

    def fail(self, window: str, error: Exception | None) -> None:
        """Fail whatever reads a window's first register; None answers again."""
        first = min(r.address for r in self._profile.read_in(window))
        self.unit.fail_read(first, error, register_type=self._space(window))

    def refuse(self, window: str) -> None:
        """Answer that the window's addresses are not there."""
        self.fail(window, IllegalDataAddressError())

    def ignore(self, window: str) -> None:
        """Do not answer for a window."""
        self.fail(window, ModbusTimeoutError("no answer"))

    def mute(self) -> None:
        """Do not answer at all."""
        self.unit.fail_requests(ModbusTimeoutError("no answer"))

    def unmute(self) -> None:
        """Answer again."""
        self.unit.fail_requests(None)

    def words(self, request: Request) -> list[int]:
        """Return what a request on a wire gets."""
        holds = request.function == READ_HOLDING
        store: Mapping[int, Any] = self.unit.holding if holds else self.unit.input
        return [store.get(request.address + n, 0) for n in range(request.count)]

    def asked(self) -> list[str]:
        """Return the windows that were read since this was last asked."""
        places = {self._first_read(window): window for window in self._profile.windows}
        events, self.unit.read_events[:] = list(self.unit.read_events), []
        return [places[place(event)] for event in events]

    def member(self, **changes: Any) -> Member:
        """Return the inverter as it was found when the group was set up."""
        found: dict[str, Any] = {
            "serial_number": SERIALS[self.role],
            "unit_id": 1,
            "role": self.role,
            "rated_power": 7600,
            "model_type": ModelType.A1_HYB_G2,
        }
        return Member(**found | changes)

    def _space(self, window: str) -> Space:
        return self._profile.windows[window].space

    def _first_read(self, window: str) -> tuple[str, int, int]:
        registers = self._profile.read_in(window)
        first = min(register.address for register in registers)
        end = max(register.address + register.words for register in registers)
        return self._space(window), first, end - first


def played_by(devices: Mapping[int, Device]) -> Behaviour:
    """Answer on a wire for the units with these ids; other ids stay silent."""

    async def behave(exchange: Exchange) -> None:
        request = exchange.request
        if (device := devices.get(request.unit_id)) is None:
            return
        read = (
            device.unit.read_holding_registers
            if request.function == READ_HOLDING
            else device.unit.read_input_registers
        )
        try:
            await exchange.send(
                exchange.reply(await read(request.address, request.count))
            )
        except ModbusExceptionError as err:
            pdu = bytes([request.function | 0x80, err.exception_code or 0])
            await exchange.send(exchange.frame(pdu))
        except ModbusTimeoutError:
            return

    return behave


def place(event: ReadEvent) -> tuple[str, int, int]:
    """Return what a read asked for."""
    return event.register_type, event.address, event.count


def encoded(register: Register, value: Said) -> list[int]:
    """Return the words of a value: 32 bits low word first, text two letters a word."""
    if register.type == "ascii":
        assert isinstance(value, str)
        text = value.encode().ljust(2 * register.words, b"\0")
        return [text[n] << 8 | text[n + 1] for n in range(0, len(text), 2)]
    if isinstance(value, str):
        number = next(
            code for code, name in (register.values or {}).items() if name == value
        )
    elif isinstance(value, Collection):
        number = sum(
            1 << bit for bit, name in (register.bits or {}).items() if name in value
        )
    else:
        number = round(value / register.scale)
    if register.words == 1:
        return [number & 0xFFFF]
    return [number & 0xFFFF, number >> 16 & 0xFFFF]
