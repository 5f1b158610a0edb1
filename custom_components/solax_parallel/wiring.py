"""From what an entry remembers to inverters on open links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_TIMEOUT
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .a1_ess.codes import BackupInterfaceType, ModelType, Role
from .a1_ess.group import Group
from .a1_ess.inverter import Inverter, Member
from .a1_ess.link import Link, LinkParams
from .a1_ess.module import PACING
from .a1_ess.profile import Profile, load_profile
from .a1_ess.registers import RegisterSource
from .a1_ess.reported import ReportedSecondary
from .a1_ess.source import Source
from .const import (
    CONF_BACKUP_INTERFACE,
    CONF_INTERFACE,
    CONF_LINK,
    CONF_MESSAGE_SPACING,
    CONF_MODEL_TYPE,
    CONF_RATED_POWER,
    CONF_ROLE,
    CONF_SERIAL_NUMBER,
    CONF_SIMULATED,
    CONF_UNIT_ID,
    CONF_UNITS,
    DEFAULT_MESSAGE_SPACING,
    DEFAULT_TIMEOUT,
    DOMAIN,
    MODBUS,
)
from .installation import installation_of
from .links import AnyLink, ModuleLink, TcpLink, link_from_data
from .modules import open_module
from .simulator.group import SimulatedGroup
from .simulator.module import SimulatedModule
from .simulator.server import HOST, SimulatorServer

_MILLISECOND = 0.001


@dataclass
class _SharedLink:
    """A link and how many entries use it: most gateways serve one client at a time."""

    link: Link
    users: int = 0


_SHARED_LINKS: HassKey[dict[LinkParams, _SharedLink]] = HassKey(f"{DOMAIN}_links")


@dataclass
class Wiring:
    """The open links of an entry and the group behind them.

    ``simulation`` is the group that stands in for real inverters, where the owner asked for one.
    """

    hass: HomeAssistant
    profile: Profile
    group: Group
    links: Mapping[LinkParams, Link]
    simulation: SimulatedGroup | None = None
    _servers: Sequence[SimulatorServer | SimulatedModule] = field(
        default=(), repr=False
    )

    async def async_close(self) -> None:
        """Close every link that no other entry uses, and end what was started for them."""
        for inverter in self.group.inverters.values():
            inverter.source.close()
        shared = self.hass.data.setdefault(_SHARED_LINKS, {})
        for params, link in self.links.items():
            shared[params].users -= 1
            if not shared[params].users:
                del shared[params]
                await link.close()
        for server in self._servers:
            await server.stop()


async def async_load_profile(hass: HomeAssistant) -> Profile:
    """Return the register map, with the owner's corrections if there are any.

    Raises ``ProfileError`` when the owner's file can't be used.
    """
    override = Path(hass.config.path(DOMAIN, "a1_ess_g2.yaml"))

    def load() -> Profile:
        return load_profile(override if override.exists() else None)

    return await hass.async_add_executor_job(load)


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
        ways = [
            None if unit[CONF_LINK] is None else link_from_data(unit[CONF_LINK])
            for unit in units
        ]
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
    inverters: dict[AnyLink, list[Inverter]] = {}
    links: dict[LinkParams, Link] = {}
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
        source: Source
        if isinstance(way, ModuleLink):
            source = open_module(
                hass, way, profile, pacing=PACING if simulation is None else 0
            )
        else:
            if way.params not in links:
                links[way.params] = _take_link(
                    hass, entry, way.params, is_real=simulation is None
                )
            assert member.unit_id is not None
            source = RegisterSource(links[way.params].for_unit(member.unit_id), profile)
        inverters.setdefault(way, []).append(
            Inverter(
                member,
                profile,
                source,
                reads_system=None in ways and member.role.leads,
            )
        )
    group = Group(
        list(inverters.values()), reported, installation=installation_of(entry)
    )
    return Wiring(hass, profile, group, links, simulation, servers)


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
    for module in modules:
        await module.start()
    return [*modules], [
        ModuleLink(HOST, module.password, module.port) for module in modules
    ]


def _take_link(
    hass: HomeAssistant, entry: ConfigEntry, params: LinkParams, *, is_real: bool
) -> Link:
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
    return shared[params].link


def member_from(unit: Mapping[str, Any]) -> Member:
    """Return the inverter that an entry remembers as ``unit``."""
    model_type = unit[CONF_MODEL_TYPE]
    return Member(
        serial_number=unit[CONF_SERIAL_NUMBER],
        unit_id=unit[CONF_UNIT_ID],
        role=Role(unit[CONF_ROLE]),
        rated_power=unit[CONF_RATED_POWER],
        model_type=None if model_type is None else ModelType(model_type),
    )


def unit_data(member: Member, link: AnyLink | None) -> dict[str, Any]:
    """Return what an entry remembers of an inverter; a simulated one has no ``link``."""
    return {
        CONF_SERIAL_NUMBER: member.serial_number,
        CONF_UNIT_ID: member.unit_id,
        CONF_ROLE: member.role,
        CONF_RATED_POWER: member.rated_power,
        CONF_MODEL_TYPE: member.model_type,
        CONF_LINK: None if link is None else link.data,
    }


def reported_unit_data(primary: Member, role: Role) -> dict[str, Any]:
    """Return what an entry remembers of a secondary that only its primary can tell of."""
    return {
        CONF_SERIAL_NUMBER: f"{primary.serial_number}_{role}",
        CONF_UNIT_ID: None,
        CONF_ROLE: role,
        CONF_RATED_POWER: primary.rated_power,
        CONF_MODEL_TYPE: None,
        CONF_LINK: None,
    }
