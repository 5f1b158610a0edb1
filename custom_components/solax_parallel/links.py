"""Links as an entry remembers them and as people write them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import re
from typing import Any, Literal

from modbus_connection import ModbusSerialParams, ModbusTcpParams

from homeassistant.const import (
    CONF_DEVICE,
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_TYPE,
)

from .a1_ess.link import LinkParams
from .a1_ess.module import DEFAULT_PORT as MODULE_PORT
from .const import CONF_BAUDRATE, CONF_FRAMER, DEFAULT_BAUDRATE, DEFAULT_PORT

USUAL_BAUDRATES = (19200, 9600, 115200)
"""The rates that A1 and sister families are seen with, the default first (grade sister)."""

_SERIAL_PORT = re.compile(r"/[^\0]+|COM[0-9]+", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?:(?:\[(?P<bracketed>[0-9A-Fa-f:.%]+)\]|(?P<plain>[^\s/:\[\]]+))"
    r"(?::(?P<port>[0-9]{1,5}))?|(?P<ipv6>[0-9A-Fa-f:.%]+))(?P<note> \((?:RTU|module)\))?"
)
_RTU = " (RTU)"
_MODULE = " (module)"

type Framer = Literal["tcp", "rtu"]


@dataclass(frozen=True)
class TcpLink:
    """A module or gateway on the network; ``framer`` is how requests are packed."""

    host: str
    port: int = DEFAULT_PORT
    framer: Framer = "tcp"

    def __str__(self) -> str:
        """Return the address as people write it."""
        address = _address(self.host, self.port, DEFAULT_PORT)
        return address if self.framer == "tcp" else f"{address}{_RTU}"

    @property
    def params(self) -> LinkParams:
        """Where the link leads to and how its frames look."""
        # RTU frames in TCP could also go through a serial device socket://, as
        # modbus-connection advises, but that one connects with a blocking call.
        return ModbusTcpParams(
            host=self.host,
            port=self.port,
            framer="rtu" if self.framer == "rtu" else None,
        )

    @property
    def data(self) -> dict[str, Any]:
        """What an entry remembers."""
        return {
            CONF_TYPE: "tcp",
            CONF_HOST: self.host,
            CONF_PORT: self.port,
            CONF_FRAMER: self.framer,
        }


@dataclass(frozen=True)
class SerialLink:
    """A serial adapter at this computer; ``baudrate`` in bits per second, 8N1."""

    device: str
    baudrate: int = DEFAULT_BAUDRATE

    def __str__(self) -> str:
        """Return the port as people write it."""
        return self.device

    @property
    def params(self) -> LinkParams:
        """Where the link leads to and how fast it is."""
        return ModbusSerialParams(device=self.device, baudrate=self.baudrate)

    @property
    def data(self) -> dict[str, Any]:
        """What an entry remembers."""
        return {
            CONF_TYPE: "serial",
            CONF_DEVICE: self.device,
            CONF_BAUDRATE: self.baudrate,
        }


@dataclass(frozen=True)
class ModuleLink:
    """A monitoring module with its local HTTP interface, and the password that it wants."""

    host: str
    password: str = field(repr=False)
    port: int = MODULE_PORT

    def __str__(self) -> str:
        """Return the address as people write it."""
        return f"{_address(self.host, self.port, MODULE_PORT)}{_MODULE}"

    @property
    def data(self) -> dict[str, Any]:
        """What an entry remembers."""
        return {
            CONF_TYPE: "module",
            CONF_HOST: self.host,
            CONF_PORT: self.port,
            CONF_PASSWORD: self.password,
        }


type ModbusLink = TcpLink | SerialLink
type AnyLink = ModbusLink | ModuleLink
type Place = tuple[ModbusLink, ...] | ModuleLink
"""Where a person says that inverters are: a module, or the links of which one leads there."""


def _address(host: str, port: int, usual_port: int) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port == usual_port else f"{host}:{port}"


def link_from_data(data: Mapping[str, Any]) -> AnyLink:
    """Return the link that an entry remembers as ``data``."""
    if data[CONF_TYPE] == "module":
        return ModuleLink(data[CONF_HOST], data[CONF_PASSWORD], data[CONF_PORT])
    if data[CONF_TYPE] == "serial":
        return SerialLink(data[CONF_DEVICE], data[CONF_BAUDRATE])
    return TcpLink(data[CONF_HOST], data[CONF_PORT], data[CONF_FRAMER])


def address_of(place: Place) -> str:
    """Return the address of a place as people write it."""
    return str(place if isinstance(place, ModuleLink) else place[0])


def tcp_candidates(
    host: str, port: int, framer: Framer | Literal["auto"] = "auto"
) -> list[ModbusLink]:
    """Return the links to try; both framings where none is told.

    Raises ``ValueError`` for what can be no host.
    """
    host = host.strip()
    # One colon separates a port, which has its own field; more are an IPv6 address.
    if (
        not host
        or host.count(":") == 1
        or not host.isprintable()
        or set(host) & set(" /")
    ):
        raise ValueError(host)
    framers: tuple[Framer, ...] = ("tcp", "rtu") if framer == "auto" else (framer,)
    return [TcpLink(host, port, each) for each in framers]


def serial_candidates(device: str, baudrate: int) -> list[ModbusLink]:
    """Return the links to try: the rate that was told first, then the usual ones.

    Raises ``ValueError`` for what can be no serial port of this computer.
    """
    device = device.strip()
    if not _SERIAL_PORT.fullmatch(device):
        raise ValueError(device)
    return [
        SerialLink(device, rate) for rate in dict.fromkeys((baudrate, *USUAL_BAUDRATES))
    ]


def place_from_text(text: str, password: str) -> Place:
    """Return the place that a person wrote: ``host``, ``host:port`` or a serial port.

    With a ``password`` it is a module. What ``str`` makes of a link is understood too. Raises
    ``ValueError`` for anything else.
    """
    text = text.strip()
    if password or text.endswith(_MODULE):
        return module_from_text(text, password)
    if _SERIAL_PORT.fullmatch(text):
        return tuple(serial_candidates(text, DEFAULT_BAUDRATE))
    host, port, note = _parts(text)
    framer: Framer | Literal["auto"] = "rtu" if note == _RTU else "auto"
    return tuple(tcp_candidates(host, port or DEFAULT_PORT, framer))


def module_from_text(text: str, password: str) -> ModuleLink:
    """Return the link to a module at what a person wrote: ``host`` or ``host:port``.

    What ``str`` makes of such a link is understood too. Raises ``ValueError`` for anything else.
    """
    host, port, note = _parts(text.strip())
    if note == _RTU:
        raise ValueError(text)
    return ModuleLink(host, password.strip(), port or MODULE_PORT)


def _parts(text: str) -> tuple[str, int | None, str | None]:
    """Return host, port and what is noted behind them; raises ``ValueError`` for no address."""
    if (match := _ADDRESS.fullmatch(text)) is None:
        raise ValueError(text)
    port = None if match["port"] is None else int(match["port"])
    if port is not None and not 1 <= port <= 65535:
        raise ValueError(text)
    return match["bracketed"] or match["plain"] or match["ipv6"], port, match["note"]
