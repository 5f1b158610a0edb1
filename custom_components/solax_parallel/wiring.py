"""From what an entry remembers to inverters on open links."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_TIMEOUT
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .a1_ess.clock import SteadyClock
from .a1_ess.codes import BackupInterfaceType, Role
from .a1_ess.control import Control, SwitchTimes
from .a1_ess.group import Group
from .a1_ess.inverter import Inverter
from .a1_ess.link import Link, LinkParams
from .a1_ess.module import PACING, Module
from .a1_ess.module_source import ModuleSource
from .a1_ess.profile import Profile
from .a1_ess.registers import RegisterSource
from .a1_ess.reported import ReportedSecondary
from .a1_ess.trial import SourceBy
from .const import (
    CONF_ALLOW_CONTROL,
    CONF_BACKUP_INTERFACE,
    CONF_INTERFACE,
    CONF_MESSAGE_SPACING,
    CONF_MINIMUM_SWITCH_TIME,
    CONF_RATED_POWER,
    CONF_ROLE,
    CONF_SERIAL_NUMBER,
    CONF_SIMULATED,
    CONF_UNITS,
    DEFAULT_MESSAGE_SPACING,
    DEFAULT_MINIMUM_SWITCH_TIME,
    DEFAULT_TIMEOUT,
    DOMAIN,
    MODBUS,
)
from .entry_data import link_of, member_from
from .installation import installation_of
from .links import AnyLink, ModuleLink, TcpLink
from .modules import open_module
from .register_map import async_load_profile
from .simulator.group import SimulatedGroup
from .simulator.loopback import HOST
from .simulator.module import SimulatedModule
from .simulator.server import SimulatorServer

_MILLISECOND = 0.001

COMPARISON_INTERVAL = 60.0
"""After how many seconds the sums over the units are held against the primary's own again."""


@dataclass
class _SharedLink:
    """A link, how many entries use it, and how many of them ask through it at present.

    Most gateways serve one client at a time.
    """

    link: Link
    users: int = 0
    asking: int = 0


_SHARED_LINKS: HassKey[dict[LinkParams, _SharedLink]] = HassKey(f"{DOMAIN}_links")


@dataclass
class _Kept:
    """What is kept of an entry over a reload.

    A module bears no more questions because of that, and the relays are still as warm as before.
    """

    modules: Mapping[ModuleLink, Module] = field(default_factory=dict)
    switch_times: SwitchTimes = field(default_factory=SwitchTimes)


KEPT: HassKey[dict[str, _Kept]] = HassKey(f"{DOMAIN}_kept")
"""By entry."""


@dataclass
class Wiring:
    """The links of an entry and the group behind them.

    ``sources`` make what reads an inverter by another register map, by serial number.
    ``simulation`` is the group that stands in for real inverters, where the owner asked for one.
    """

    hass: HomeAssistant
    profile: Profile
    group: Group
    control: Control
    links: Mapping[LinkParams, _SharedLink]
    sources: Mapping[str, SourceBy]
    simulation: SimulatedGroup | None = None
    _servers: Sequence[SimulatorServer | SimulatedModule] = field(
        default=(), repr=False
    )
    _asking: bool = False

    def begin_asking(self) -> None:
        """Count as one who asks through the links, which open by themselves."""
        if not self._asking:
            self._asking = True
            for shared in self.links.values():
                shared.asking += 1

    async def async_stop_asking(self) -> None:
        """Close every link that no other entry asks through, so that it is free for others."""
        if not self._asking:
            return
        self._asking = False
        for shared in self.links.values():
            shared.asking -= 1
            if not shared.asking:
                await shared.link.disconnect()

    async def async_close(self) -> None:
        """Close every link that no other entry uses, and end what was started for them."""
        self.control.close()
        for inverter in self.group.inverters.values():
            inverter.source.close()
        for params, shared in self.links.items():
            shared.users -= 1
            if not shared.users:
                del self.hass.data[_SHARED_LINKS][params]
                await shared.link.close()
        await self.async_stop_asking()
        for server in self._servers:
            await server.stop()


async def async_wire(hass: HomeAssistant, entry: ConfigEntry) -> Wiring:
    """Prepare the links and inverters of an entry; nothing is sent to a real one yet.

    Raises ``ProfileError`` when the owner's register map can't be used, and ``OSError`` when the
    simulated group can't listen.
    """
    profile = await async_load_profile(hass)
    simulation = None
    servers: list[SimulatorServer | SimulatedModule] = []
    units = entry.data[CONF_UNITS]
    if (simulated := entry.data.get(CONF_SIMULATED)) is None:
        ways = [link_of(unit) for unit in units]
    else:
        simulation = SimulatedGroup(
            serial_numbers=tuple(unit[CONF_SERIAL_NUMBER] for unit in units),
            backup_interface=BackupInterfaceType(simulated[CONF_BACKUP_INTERFACE]),
            rated_power=simulated[CONF_RATED_POWER],
            now=dt_util.now,
            profile=profile,
        )
        servers, ways = await _async_serve(
            simulation, profile, simulated.get(CONF_INTERFACE, MODBUS)
        )
    kept = hass.data.setdefault(KEPT, {}).setdefault(entry.entry_id, _Kept())
    kept.modules = {
        way: kept.modules.get(way)
        or open_module(hass, way, pacing=PACING if simulation is None else 0)
        for way in ways
        if isinstance(way, ModuleLink)
    }
    system_interval = _system_interval(len(units), any_reported=None in ways)
    clock = SteadyClock()
    inverters: dict[AnyLink, list[Inverter]] = {}
    links: dict[LinkParams, _SharedLink] = {}
    sources: dict[str, SourceBy] = {}
    reported: list[ReportedSecondary] = []
    for unit, way in zip(units, ways, strict=True):
        if way is None:
            reported.append(
                ReportedSecondary(
                    unit[CONF_SERIAL_NUMBER], Role(unit[CONF_ROLE]), profile
                )
            )
            continue
        member = member_from(unit)
        source_by: SourceBy
        if isinstance(way, ModuleLink):
            source_by = partial(ModuleSource, kept.modules[way])
        else:
            if way.params not in links:
                links[way.params] = _take_link(
                    hass, entry, way.params, is_real=simulation is None
                )
            assert member.unit_id is not None
            source_by = partial(
                RegisterSource, links[way.params].link.for_unit(member.unit_id)
            )
        sources[member.serial_number] = source_by
        inverters.setdefault(way, []).append(
            Inverter(
                member,
                profile,
                source_by(profile),
                system_interval=system_interval if member.role.leads else None,
                # The start of Home Assistant waits for the first poll.
                hurries=not hass.is_running,
                clock=clock,
            )
        )
    group = Group(
        list(inverters.values()),
        reported,
        installation=installation_of(entry),
    )
    control = Control(
        group,
        profile,
        simulated=simulation is not None,
        allowed=entry.options.get(CONF_ALLOW_CONTROL, False),
        minimum_switch_time=entry.options.get(
            CONF_MINIMUM_SWITCH_TIME, DEFAULT_MINIMUM_SWITCH_TIME
        ),
        times=kept.switch_times,
    )
    return Wiring(hass, profile, group, control, links, sources, simulation, servers)


@callback
def async_forget_kept(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget what was kept of an entry that was removed, passwords of modules among it."""
    hass.data.get(KEPT, {}).pop(entry.entry_id, None)


async def _async_serve(
    simulation: SimulatedGroup, profile: Profile, interface: str
) -> tuple[list[SimulatorServer | SimulatedModule], list[AnyLink | None]]:
    """Start what stands in for real inverters, and return it with the way to each of them.

    Raises ``OSError`` when a port can't be used.
    """
    if interface == MODBUS:
        server = SimulatorServer(simulation, profile)
        await server.start()
        return [server], [TcpLink(HOST, server.port)] * len(simulation.units)
    modules = [SimulatedModule(simulation, unit, profile) for unit in simulation.units]
    async with AsyncExitStack() as started:
        for module in modules:
            await module.start()
            started.push_async_callback(module.stop)
        started.pop_all()
    return [*modules], [
        ModuleLink(HOST, module.password, module.port) for module in modules
    ]


def _system_interval(units: int, *, any_reported: bool) -> float | None:
    """Return how often the primary is asked for the whole system, in seconds; None for never."""
    if any_reported:
        return 0
    return COMPARISON_INTERVAL if units > 1 else None


def _take_link(
    hass: HomeAssistant, entry: ConfigEntry, params: LinkParams, *, is_real: bool
) -> _SharedLink:
    """Return the one link to an endpoint; the entry that comes first sets its pace."""
    shared = hass.data.setdefault(_SHARED_LINKS, {})
    if params not in shared:
        shared[params] = _SharedLink(
            Link(
                params,
                timeout=entry.options.get(CONF_TIMEOUT, DEFAULT_TIMEOUT),
                message_spacing=entry.options.get(
                    CONF_MESSAGE_SPACING,
                    # Silence is for the sake of real gateways.
                    DEFAULT_MESSAGE_SPACING if is_real else 0,
                )
                * _MILLISECOND,
            )
        )
    shared[params].users += 1
    return shared[params]
