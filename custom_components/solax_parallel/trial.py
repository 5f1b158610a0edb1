"""Proving the owner's register map: what the inverters say by it, next to the shipped one."""

from collections.abc import Mapping
from typing import Any

from homeassistant.exceptions import ServiceValidationError

from .a1_ess.profile import Profile, ProfileError, load_profile
from .a1_ess.trial import Maps, Sighting, Trial, try_out
from .const import DOMAIN
from .coordinator import SolaxCoordinator
from .register_map import async_load_profile, mistake_in_words, owners_file
from .report import shortened
from .words import Words


async def async_validate_profile(coordinator: SolaxCoordinator) -> dict[str, Any]:
    """Return what each inverter says of every register that the owner's file corrects now.

    Raises ``ServiceValidationError`` while polling is off, and where there is no file, or it
    can't be used or corrects no register; ``HomeAssistantError`` when polling is switched off
    meanwhile.
    """
    hass = coordinator.hass
    shipped = await hass.async_add_executor_job(load_profile)
    maps = Maps(
        running=coordinator.wiring.profile,
        yours=await _async_owners_profile(coordinator, shipped),
        shipped=shipped,
    )
    if not maps.differ:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_corrections",
            translation_placeholders={"file": str(owners_file(hass))},
        )
    coordinator.async_require_polling()
    return {
        "file": str(owners_file(hass)),
        "units": await coordinator.async_ask(_async_units(coordinator, maps)),
    }


async def _async_owners_profile(
    coordinator: SolaxCoordinator, shipped: Profile
) -> Profile:
    hass = coordinator.hass
    try:
        profile = await async_load_profile(hass)
    except ProfileError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="invalid_profile",
            translation_placeholders={
                "error": mistake_in_words(err, coordinator.words)
            },
        ) from err
    if profile is shipped:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_profile",
            translation_placeholders={"file": str(owners_file(hass))},
        )
    return profile


async def _async_units(
    coordinator: SolaxCoordinator, maps: Maps
) -> list[dict[str, Any]]:
    wiring = coordinator.wiring
    return [
        {
            "unit": str(inverter.role),
            "serial_number": shortened(serial_number),
            "registers": _registers(
                await try_out(inverter, wiring.sources[serial_number], maps),
                coordinator.words,
            ),
        }
        for serial_number, inverter in wiring.group.inverters.items()
    ]


def _registers(trials: Mapping[str, Trial], words: Words) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "yours": _sighting(trial.yours, words),
            "shipped": (
                None if trial.shipped is None else _sighting(trial.shipped, words)
            ),
        }
        for key, trial in trials.items()
    ]


def _sighting(sighting: Sighting, words: Words) -> dict[str, Any]:
    register = sighting.register
    value = sighting.value
    if sighting.tells_serial:
        value = None if value is None else shortened(str(value))
    return {
        "window": register.window,
        "address": sighting.register.place,
        "words": (
            None
            if sighting.tells_serial
            else [f"0x{word:04X}" for word in sighting.words]
        ),
        "value": list(value) if isinstance(value, tuple) else value,
        "unit": register.unit,
        "within_bounds": sighting.within_bounds,
        "problem": (
            None
            if sighting.problem is None
            else words("register_problem", sighting.problem)
        ),
    }
