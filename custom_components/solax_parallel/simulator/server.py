"""The Modbus TCP server in front of a simulated group, on this machine only."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import starmap
from typing import Literal, override

from pymodbus.constants import ExcCodes
from pymodbus.simulator import DataType, SimData, SimDevice

from ..a1_ess.profile import Profile, Space
from .group import SimulatedGroup, SimulatedUnit
from .loopback import HOST, LoopbackServer, no_coils
from .readings import readings
from .registers import Encoder, served

_SPACES: dict[int, Space] = {3: "holding", 4: "input"}
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
    def _answers(self, unit_id: int) -> bool:
        unit = self._units.get(unit_id)
        return unit is not None and self._group.online(unit)

    def _device(self, unit_id: int, unit: SimulatedUnit) -> SimDevice:
        blocks = {
            space: [
                SimData(address, datatype=DataType.REGISTERS, readonly=True)
                for address in served(
                    self._profile,
                    space,
                    leads=unit.role.leads,
                    rated_power=self._group.site.rated_power,
                )
            ]
            for space in _SPACES.values()
        }
        return SimDevice(
            unit_id,
            (no_coils(), no_coils(), blocks["holding"], blocks["input"]),
            action=partial(self._answer, unit),
        )

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
        """Bring the registers of a read up to date; pymodbus itself refuses gaps and writes."""
        if function in _COIL_FUNCTIONS:
            return ExcCodes.ILLEGAL_FUNCTION
        if (space := _SPACES.get(function)) is not None:
            self._group.advance()
            current = readings(self._group, unit)
            for at, word in self._encoder.words(space, address, count, current):
                registers[at - first] = word
        return None
