"""The Lovelace card that comes with the integration."""

from pathlib import Path

from homeassistant.components.frontend import (
    DOMAIN as FRONTEND_DOMAIN,
    add_extra_js_url,
)
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration

from .const import DOMAIN

_FILE = "solax-parallel-card.js"


async def async_offer_card(hass: HomeAssistant) -> None:
    """Let every dashboard load the card, where there are dashboards at all."""
    if FRONTEND_DOMAIN not in hass.config.components:
        return
    url = f"/{DOMAIN}/{_FILE}"
    await hass.http.async_register_static_paths(
        [StaticPathConfig(url, str(Path(__file__).parent / "frontend" / _FILE))]
    )
    # A browser keeps the file for long; with each version it has another name.
    version = (await async_get_integration(hass, DOMAIN)).version
    add_extra_js_url(hass, f"{url}?{version}")
