"""Finding inverters: on the local networks, and where a person says that they are."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from ipaddress import IPv4Interface, IPv4Network

from modbus_connection import ModbusError

from homeassistant.components import network
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant

from .a1_ess.codes import Role
from .a1_ess.profile import Profile
from .a1_ess.roster import Placed
from .a1_ess.scan import Scan, behind_module, scan_place, whole_group
from .a1_ess.search import open_hosts, searchable
from .a1_ess.source import ReadError
from .links import AnyLink, ModbusLink, ModuleLink, Place, tcp_candidates
from .modules import async_ask_module

# How much of a search is looking for open ports; the rest is asking who is there.
_SEARCH_SHARE = 0.5

type Outcome = list[Placed[AnyLink]] | ReadError | ModbusError | OSError
"""The inverters found at a place, or why nobody there could be asked."""


async def async_networks(hass: HomeAssistant) -> list[IPv4Network]:
    """Return the networks that Home Assistant is on, as far as they may be searched."""
    return searchable(
        IPv4Interface((address["address"], address["network_prefix"]))
        for adapter in await network.async_get_adapters(hass)
        if adapter["enabled"]
        for address in adapter["ipv4"]
    )


async def async_search(
    hass: HomeAssistant,
    port: int,
    profile: Profile,
    *,
    progress: Callable[[float], None],
) -> list[Placed[AnyLink]]:
    """Return every inverter that answers on ``port`` in the local networks.

    ``progress`` is called with the share of the search that is done, from 0 to 1.
    """
    hosts = await open_hosts(
        await async_networks(hass),
        port,
        progress=lambda share: progress(share * _SEARCH_SHARE),
    )
    outcomes = await asyncio.gather(
        *(_async_scan(tcp_candidates(str(host), port), profile) for host in hosts)
    )
    found: dict[str, Placed[AnyLink]] = {}
    for outcome in outcomes:
        if isinstance(outcome, list):
            for placed in outcome:
                # The same inverter through a second address is no second inverter.
                found.setdefault(placed.serial_number, placed)
    return list(found.values())


async def async_find_secondaries(
    hass: HomeAssistant,
    places: Mapping[Role, Place],
    known: Set[str],
    profile: Profile,
) -> dict[Place, Outcome]:
    """Return what is at each place where a secondary is said to be, looking side by side.

    ``known`` are the serial numbers of the inverters that are not looked for.
    """
    roles: dict[Place, list[Role]] = {}
    for role, place in places.items():
        roles.setdefault(place, []).append(role)

    async def find(place: Place, expected: list[Role]) -> Outcome:
        if isinstance(place, ModuleLink):
            return await _async_ask(hass, place, expected[0], profile)
        return await _async_scan(
            place, profile, lambda scan: _count_new(scan, known) >= len(expected)
        )

    outcomes = await asyncio.gather(*(find(*each) for each in roles.items()))
    return dict(zip(roles, outcomes, strict=True))


def _count_new(scan: Scan, known: Set[str]) -> int:
    return sum(found.identity.serial_number not in known for found in scan.inverters)


async def _async_ask(
    hass: HomeAssistant, module: ModuleLink, role: Role, profile: Profile
) -> Outcome:
    """Return what is behind a module; it is in ``role`` where the module tells none."""
    try:
        identity = await async_ask_module(hass, module, profile)
    except ReadError as err:
        return err
    return [Placed(behind_module(identity, identity.role or role), module)]


async def _async_scan(
    candidates: Sequence[ModbusLink],
    profile: Profile,
    enough: Callable[[Scan], bool] = whole_group,
) -> Outcome:
    """Return what is at the place to which one of ``candidates`` leads."""
    try:
        result = await scan_place(
            [link.params for link in candidates], profile, enough=enough
        )
    except (ModbusError, OSError) as err:
        return err
    if result.settled is None:
        return []
    link = candidates[result.settled]
    return [Placed(found, link) for found in result.inverters]


async def _is_pausable(entry: ConfigEntry) -> bool:
    # After a pause it may just be being set up again.
    async with entry.setup_lock:
        return entry.state in (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY)


@asynccontextmanager
async def async_paused(
    hass: HomeAssistant, entry: ConfigEntry | None
) -> AsyncIterator[None]:
    """Free the links of a group, if there is one, and take them up again afterwards.

    Most gateways, and every serial port, serve one client at a time.
    """
    if entry is None or not await _is_pausable(entry):
        yield
        return
    await hass.config_entries.async_unload(entry.entry_id)
    try:
        yield
    finally:
        if hass.config_entries.async_get_entry(entry.entry_id) is not None:
            hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
