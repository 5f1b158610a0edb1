"""The card is offered where there are dashboards, and nothing is missed where there are none."""

from http import HTTPStatus
from unittest.mock import patch

from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.solax_parallel.const import DOMAIN
from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .texts import INTEGRATION


async def test_card_is_offered(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    unloaded_afterwards: None,
) -> None:
    with patch(
        "homeassistant.components.frontend._frontend_root",
        return_value=INTEGRATION / "frontend",
    ):
        assert await async_setup_component(hass, "frontend", {})
    assert await async_setup_component(hass, DOMAIN, {})
    (url,) = [each for each in hass.data[DATA_EXTRA_MODULE_URL].urls if DOMAIN in each]
    assert url == "/solax_parallel/solax-parallel-card.js?0.1.0"
    answer = await (await hass_client_no_auth()).get(url)
    assert answer.status == HTTPStatus.OK
    text = await answer.text()
    assert text == (INTEGRATION / "frontend" / "solax-parallel-card.js").read_text(
        encoding="utf-8"
    )


async def test_without_dashboards(
    hass: HomeAssistant, unloaded_afterwards: None
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert "frontend" not in hass.config.components
