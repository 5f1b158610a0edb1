"""The actions of the integration."""

from datetime import timedelta

import voluptuous as vol

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv, service

from .const import DOMAIN
from .coordinator import DEFAULT_TRANSFER_TIME, SolaxCoordinator
from .report import async_store_report, async_write_report
from .trial import async_validate_profile

ATTR_FULL_SERIAL_NUMBERS = "full_serial_numbers"
ATTR_STORE = "store"
ATTR_TIMEOUT = "timeout"

_GROUP = {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}
_TRANSFER_TIME = vol.All(
    cv.time_period, vol.Range(min=timedelta(seconds=30), max=timedelta(hours=1))
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        "start_transfer_test",
        _async_start_transfer_test,
        vol.Schema(
            {
                **_GROUP,
                vol.Optional(
                    ATTR_TIMEOUT, default=DEFAULT_TRANSFER_TIME
                ): _TRANSFER_TIME,
            }
        ),
    )
    hass.services.async_register(
        DOMAIN,
        "validate_profile",
        _async_validate_profile,
        vol.Schema(_GROUP),
        SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        "commissioning_report",
        _async_commissioning_report,
        vol.Schema(
            {
                **_GROUP,
                vol.Optional(ATTR_STORE, default=False): cv.boolean,
                vol.Optional(ATTR_FULL_SERIAL_NUMBERS, default=False): cv.boolean,
            }
        ),
        SupportsResponse.OPTIONAL,
    )


def _coordinator(call: ServiceCall) -> SolaxCoordinator:
    """Return the group that a call is for; raises ``ServiceValidationError`` for none."""
    entry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID)
    )
    coordinator: SolaxCoordinator = entry.runtime_data
    return coordinator


async def _async_start_transfer_test(call: ServiceCall) -> None:
    await _coordinator(call).async_start_transfer_test(call.data[ATTR_TIMEOUT])


async def _async_validate_profile(call: ServiceCall) -> ServiceResponse:
    return await async_validate_profile(_coordinator(call))


async def _async_commissioning_report(call: ServiceCall) -> ServiceResponse:
    report = await async_write_report(
        _coordinator(call), full_serial_numbers=call.data[ATTR_FULL_SERIAL_NUMBERS]
    )
    if not call.data[ATTR_STORE]:
        return {"report": report}
    return {"report": report, "file": await async_store_report(call.hass, report)}
