"""Links as an entry remembers them and as people write them."""

from collections.abc import Mapping
from dataclasses import dataclass
import re
from typing import Any, Literal

from modbus_connection import ModbusSerialParams, ModbusTcpParams

from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT, CONF_TYPE

from .a1_ess.link import LinkParams
from .const import CONF_BAUDRATE, CONF_FRAMER, DEFAULT_BAUDRATE, DEFAULT_PORT

USUAL_BAUDRATES = (19200, 9600, 115200)
"""The rates that A1 and sister families are seen with, the default first (grade sister)."""

_SERIAL_PORT = re.compile(r"/[^\0]+|COM[0-9]+", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?:(?:\[(?P<bracketed>[0-9A-Fa-f:.%]+)\]|(?P<plain>[^\s/:\[\]]+))"
    r"(?::(?P<port>[0-9]{1,5}))?|(?P<ipv6>[0-9A-Fa-f:.%]+))(?P<rtu> \(RTU\))?"
)

type Framer = Literal["tcp", "rtu"]


@dataclass(frozen=True)
class TcpLink:
    """A module or gateway on the network; ``framer`` is how requests are packed."""

    host: str
    port: int = DEFAULT_PORT
    framer: Framer = "tcp"

    def __str__(self) -> str:
        """Return the address as people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        address = host if self.port == DEFAULT_PORT else f"{host}:{self.port}"
        return address if self.framer == "tcp" else f"{address} (RTU)"

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


type AnyLink = TcpLink | SerialLink


def link_from_data(data: Mapping[str, Any]) -> AnyLink:
    """Return the link that an entry remembers as ``data``."""
    if data[CONF_TYPE] == "serial":
        return SerialLink(data[CONF_DEVICE], data[CONF_BAUDRATE])
    return TcpLink(data[CONF_HOST], data[CONF_PORT], data[CONF_FRAMER])


def tcp_candidates(
    host: str, port: int, framer: Framer | Literal["auto"] = "auto"
) -> list[AnyLink]:
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


def serial_candidates(device: str, baudrate: int) -> list[AnyLink]:
    """Return the links to try: the rate that was told first, then the usual ones.

    Raises ``ValueError`` for what can be no serial port of this computer.
    """
    device = device.strip()
    if not _SERIAL_PORT.fullmatch(device):
        raise ValueError(device)
    return [
        SerialLink(device, rate) for rate in dict.fromkeys((baudrate, *USUAL_BAUDRATES))
    ]


def candidates_from_text(text: str) -> list[AnyLink]:
    """Return the links to try for what a person wrote: ``host``, ``host:port`` or a serial port.

    What ``str`` makes of a link is understood too. Raises ``ValueError`` for anything else.
    """
    text = text.strip()
    if _SERIAL_PORT.fullmatch(text):
        return serial_candidates(text, DEFAULT_BAUDRATE)
    if (match := _ADDRESS.fullmatch(text)) is None:
        raise ValueError(text)
    port = int(match["port"] or DEFAULT_PORT)
    if not 1 <= port <= 65535:
        raise ValueError(text)
    return tcp_candidates(
        match["bracketed"] or match["plain"] or match["ipv6"],
        port,
        "rtu" if match["rtu"] else "auto",
    )
