"""Serving what real inverters said, as the diagnostics of Home Assistant recorded it."""

from collections.abc import Iterator, Mapping, Sequence
import json
from pathlib import Path
from typing import Any, Literal, override

from pymodbus.simulator import DataType, SimData, SimDevice

from ..a1_ess.source import RawWords
from .loopback import LoopbackServer, no_coils

_SPACES = ("holding", "input")
_ADDRESSES = range(0xFFFF)
_WORD = range(0x10000)


def recorded(file: Path) -> list[RawWords]:
    """Return the registers of each inverter in a downloaded file, the primary's first.

    Raises ``OSError`` when the file can't be read, and ``ValueError`` when it holds no registers.
    """
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))["data"]["raw"]
        units = [_words(unit) for unit in raw.values()]
    except (KeyError, TypeError, AttributeError, ValueError) as err:
        raise ValueError(
            f"{file} holds no diagnostics with registers; were they downloaded while the "
            "integration was loaded?"
        ) from err
    if not any(words for unit in units for words in unit.values()):
        raise ValueError(
            f"{file} holds no register of any inverter: none ever answered over Modbus"
        )
    return units


def _words(unit: Mapping[str, Mapping[str, Any]]) -> RawWords:
    """Return registers as they were read: JSON knows only texts for keys.

    An inverter behind a module has none.
    """
    if "module" in unit:
        return {space: {} for space in _SPACES}
    words = {
        space: {int(address): int(word) for address, word in unit[space].items()}
        for space in _SPACES
    }
    for registers in words.values():
        for address, word in registers.items():
            if address not in _ADDRESSES or word not in _WORD:
                raise ValueError(f"no register {address} can hold {word}")
    return words


class ReplayServer(LoopbackServer):
    """Answers with the recorded registers, and refuses what was never read."""

    def __init__(
        self,
        units: Sequence[RawWords],
        port: int = 0,
        framer: Literal["socket", "rtu"] = "socket",
    ) -> None:
        """Prepare to serve ``units`` under the ids from 1 on; see ``LoopbackServer``."""
        super().__init__(port, framer)
        self._units = dict(enumerate(units, start=1))

    @override
    def _devices(self) -> Iterator[SimDevice]:
        for unit_id, unit in self._units.items():
            blocks = {
                space: [
                    SimData(
                        address,
                        # pymodbus, as of 3.13.1, knows them with a sign only.
                        values=word - (word >> 15 << 16),
                        datatype=DataType.REGISTERS,
                        readonly=True,
                    )
                    for address, word in sorted(unit[space].items())
                ]
                for space in _SPACES
            }
            if all(blocks.values()):
                yield SimDevice(
                    unit_id,
                    (no_coils(), no_coils(), blocks["holding"], blocks["input"]),
                )

    @override
    def _answers(self, unit_id: int, function: int) -> bool:
        return all(self._units.get(unit_id, {"": {}}).values())
