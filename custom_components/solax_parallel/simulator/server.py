"""The Modbus TCP server in front of a simulated group, on this machine only."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import starmap
from typing import Literal, override

from pymodbus.constants import ExcCodes
from pymodbus.simulator import DataType, SimData, SimDevice

from ..a1_ess.codes import BackupInterfaceType
from ..a1_ess.control import COMMANDS
from ..a1_ess.profile import Profile
from ..a1_ess.register import Command, Space
from .group import Relay, SimulatedGroup, SimulatedUnit
from .loopback import HOST, LoopbackServer, no_coils
from .readings import Reading, readings
from .registers import Encoder, served

_SPACES: dict[int, Space] = {3: "holding", 4: "input"}
_WRITE = 6
_COIL_FUNCTIONS = frozenset({1, 2, 5, 15})


class SimulatorServer(LoopbackServer):
    """Serves every inverter of a group under its unit id, from 1 for the primary."""

    def __init__(
        self,
        group: SimulatedGroup,
        profile: Profile,
        port: int = 0,
        framer: Literal["socket", "rtu"] = "socket",
        *,
        host: str = HOST,
        units: Mapping[int, SimulatedUnit] | None = None,
    ) -> None:
        """Prepare to serve ``group`` as ``profile`` describes it; see ``LoopbackServer``.

        ``units`` are those that hang on this link, by unit id: by default all of them under their
        own ids.
        """
        super().__init__(port, framer, host=host)
        self._group = group
        self._profile = profile
        self._encoder = Encoder(profile)
        self._units = units or {unit.unit_id: unit for unit in group.units}

    @override
    def _devices(self) -> Iterator[SimDevice]:
        return starmap(self._device, self._units.items())

    @override
    def _answers(self, unit_id: int, function: int) -> bool:
        unit = self._units.get(unit_id)
        mute = self._group.relay is Relay.MUTE and function == _WRITE
        return unit is not None and self._group.online(unit) and not mute

    def _readings(self, unit: SimulatedUnit) -> Mapping[str, Reading]:
        """Return what an inverter reads now."""
        return readings(self._group, unit)

    def _device(self, unit_id: int, unit: SimulatedUnit) -> SimDevice:
        addresses = {
            "holding": self._readable(unit, "holding") | self._commands(unit).keys(),
            "input": self._readable(unit, "input"),
        }
        blocks = {
            space: [
                SimData(address, datatype=DataType.REGISTERS)
                for address in sorted(known)
            ]
            for space, known in addresses.items()
        }
        return SimDevice(
            unit_id,
            (no_coils(), no_coils(), blocks["holding"], blocks["input"]),
            action=partial(self._answer, unit),
        )

    def _readable(self, unit: SimulatedUnit, space: Space) -> set[int]:
        """Return the addresses that an inverter answers for."""
        return served(
            self._profile,
            space,
            leads=unit.role.leads,
            rated_power=self._group.site.rated_power,
        )

    def _commands(self, unit: SimulatedUnit) -> dict[int, Command]:
        """Return what can be written to an inverter, by address."""
        installed = self._group.site.backup_interface
        if not unit.role.leads or installed is not BackupInterfaceType.BI_PRO:
            return {}
        return {command.address: command for command in self._profile.commands.values()}

    async def _answer(
        self,
        unit: SimulatedUnit,
        function: int,
        first: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Bring the registers of a read up to date, or carry out a command."""
        if function in _COIL_FUNCTIONS:
            return ExcCodes.ILLEGAL_FUNCTION
        if function == _WRITE:
            # pymodbus comes a second time for what the answer repeats.
            return self._obey(unit, address, values[0]) if values else None
        space = _SPACES.get(function)
        asked = range(address, address + count)
        if space is None or not self._readable(unit, space).issuperset(asked):
            return ExcCodes.ILLEGAL_ADDRESS
        self._group.advance()
        current = self._readings(unit)
        for at, word in self._encoder.words(space, address, count, current):
            registers[at - first] = word
        return None

    def _obey(self, unit: SimulatedUnit, address: int, code: int) -> ExcCodes | None:
        """Carry out what was written; a dead inverter does nothing, and is not heard anyway."""
        if not self._group.online(unit):
            return ExcCodes.DEVICE_FAILURE
        if (command := self._commands(unit).get(address)) is None:
            return ExcCodes.ILLEGAL_ADDRESS
        if (value := command.values.get(code)) is None:
            return ExcCodes.ILLEGAL_VALUE
        taken = self._group.command(*COMMANDS[command.key], value)
        return None if taken else ExcCodes.DEVICE_FAILURE
