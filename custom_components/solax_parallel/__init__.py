"""SolaX Parallel: A1-ESS-G2 inverters run in parallel, as one system."""

import asyncio

from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from .a1_ess.profile import ProfileError
from .acceptance import async_forget_transfer_test
from .card import async_offer_card
from .const import DOMAIN
from .coordinator import SolaxConfigEntry, SolaxCoordinator
from .counts import CountStore, async_forget_counts
from .devices import async_register_devices, is_former_member
from .facts import async_forget_facts
from .issues import async_clear_issues, async_watch_entries
from .register_map import async_forget_profile, mistake_in_words
from .remote_mode import async_clear_remote_mode
from .services import async_setup_services
from .wiring import async_forget_kept, async_wire
from .words import Words

PLATFORMS = (
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
)


STARTUP_PATIENCE = 4.0
"""For how many seconds Home Assistant's start waits for the first poll.

It tries again as soon as it has started, and then nobody waits.
"""

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Offer actions and card, whether a group is set up or not."""
    async_setup_services(hass)
    async_watch_entries(hass)
    await async_offer_card(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: SolaxConfigEntry) -> bool:
    """Connect to the inverters of an entry and poll them from now on."""
    words = await Words.async_load(hass)
    try:
        wiring = await async_wire(hass, entry)
    except ProfileError as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="invalid_profile",
            translation_placeholders={"error": mistake_in_words(err, words)},
        ) from err
    except OSError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="simulator_cannot_listen",
            translation_placeholders={"error": str(err)},
        ) from err
    entry.async_on_unload(wiring.async_close)
    counts = CountStore(hass, entry.entry_id, wiring.group)
    await counts.async_restore()
    coordinator = SolaxCoordinator(hass, entry, wiring, words)
    try:
        async with asyncio.timeout(None if hass.is_running else STARTUP_PATIENCE):
            await coordinator.async_begin()
    except TimeoutError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="slow_at_startup"
        ) from err
    await counts.async_save()
    entry.runtime_data = coordinator
    # Last in, first out: what is saved at the end is not overwritten by what was due.
    entry.async_on_unload(counts.async_save)
    entry.async_on_unload(coordinator.async_add_listener(counts.async_save_soon))
    entry.async_on_unload(coordinator.issues.async_close)
    entry.async_on_unload(coordinator.pace.async_close)
    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, coordinator.async_stop)
    )
    async_register_devices(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: SolaxConfigEntry) -> bool:
    """Stop polling and close the links."""
    entry.runtime_data.async_abort_transfer_test()
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: SolaxConfigEntry) -> None:
    """Drop what is left of an entry."""
    async_clear_issues(hass, entry)
    async_clear_remote_mode(hass, entry)
    async_forget_profile(hass, entry)
    async_forget_kept(hass, entry)
    await async_forget_counts(hass, entry.entry_id)
    async_forget_transfer_test(hass, entry)
    await async_forget_facts(hass, entry)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: SolaxConfigEntry, device: dr.AnyDeviceEntry
) -> bool:
    """Allow to remove what is no longer part of the group."""
    return is_former_member(entry, device.identifiers)
