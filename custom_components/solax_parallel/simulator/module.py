"""The monitoring module of one simulated inverter: its local HTTP interface, on this machine only."""

from aiohttp import web

from ..a1_ess.codes import ModelType
from ..a1_ess.module import MODEL_TYPES
from ..a1_ess.profile import Profile
from .group import SimulatedGroup, SimulatedUnit
from .loopback import HOST, check_host, check_port
from .readings import module_readings
from .registers import encoded

ARRAY_WORDS = 200
(_TYPE,) = (
    number for number, kind in MODEL_TYPES.items() if kind is ModelType.A1_HYB_G2
)
_VERSION = "3.006.04"
_REFUSAL = {"code": 403, "message": "failed"}


def module_serial(unit: SimulatedUnit) -> str:
    """Return the serial number of an inverter's module, which is its password as well."""
    return f"SWSIM{unit.unit_id:05}"


class SimulatedModule:
    """Answers for one inverter; a dead one has no readings."""

    def __init__(
        self,
        group: SimulatedGroup,
        unit: SimulatedUnit,
        profile: Profile,
        port: int = 0,
        *,
        host: str = HOST,
    ) -> None:
        """Prepare to serve ``unit`` as ``profile`` describes it; 0 takes any free port.

        Raises ``ValueError`` for a host that others could reach.
        """
        check_host(host)
        self.unit = unit
        self.password = module_serial(unit)
        self._group = group
        self._host = host
        self._wanted_port = port
        self._places = [
            (register, register.field()) for register in profile.module.values()
        ]
        self._length = max(
            ARRAY_WORDS,
            *(register.addresses.stop for register in profile.module.values()),
        )
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; before the start, the one that was asked for."""
        if self._runner is None:
            return self._wanted_port
        port: int = self._runner.addresses[0][1]
        return port

    async def start(self) -> None:
        """Begin to listen. Raises ``OSError`` when the port is taken or not allowed."""
        check_port(self._host, self._wanted_port)
        app = web.Application()
        app.router.add_post("/", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, self._host, self._wanted_port).start()
        self._runner = runner

    async def stop(self) -> None:
        """Drop every client and stop listening; does nothing when not started."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        question = {**request.query, **await request.post()}
        if question.get("optType") != "ReadRealTimeData":
            return web.Response(status=404)
        if question.get("pwd") != self.password:
            return web.json_response(_REFUSAL)
        return web.json_response(self.answer())

    def answer(self) -> dict[str, object]:
        """Return what the module says now."""
        self._group.advance()
        return {
            "sn": self.password,
            "ver": _VERSION,
            "type": _TYPE,
            "Data": self._array() if self._group.online(self.unit) else [],
            "Information": [
                self._group.site.rated_power / 1000,
                _TYPE,
                self.unit.serial_number,
            ],
        }

    def _array(self) -> list[int]:
        array = [0] * self._length
        current = module_readings(self._group, self.unit)
        for register, field in self._places:
            if (reading := current.get(register.key)) is not None:
                for offset, word in enumerate(encoded(register, field, reading)):
                    array[register.address + offset] = word
        return array
