"""A real Home Assistant with the simulated group, and a browser that looks at its dashboard."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scripts.development.api import Api, signed_in, wait_until_answering
from scripts.development.dashboard import PATH, set_up_dashboard
from scripts.development.folder import LOOPBACK, prepare
from scripts.development.group import add_simulated_group
from scripts.development.process import HomeAssistant

from . import page as chromium

_LIMIT = 300


class Dashboard:
    """The dashboard of the simulated group, as a browser shows it."""

    def __init__(self, api: Api, page: chromium.Page, url: str) -> None:
        """Show it on ``page``."""
        self.api = api
        self.page = page
        self._url = url

    async def open(self) -> None:
        """Open it, and wait until the card is drawn."""
        await self.page.open(f"{self._url}/{PATH}/group")
        await self.page.until(f"{CARD} return card().querySelectorAll('.tile').length;")

    async def call(self, service: str, entity_id: str, **data: str) -> None:
        """Call a service of Home Assistant."""
        domain, _, name = service.partition(".")
        await self.api.command(
            "call_service",
            domain=domain,
            service=name,
            service_data=data,
            target={"entity_id": entity_id},
        )

    async def shows(self, script: str) -> None:
        """Wait until ``script`` holds, in which ``card()`` is what the card draws into."""
        await self.page.until(f"{CARD} return {script};")


CARD = """
function find(root) {
  for (const each of root.querySelectorAll('*')) {
    if (each.localName === 'solax-parallel-card') return each.shadowRoot;
    const inner = each.shadowRoot && find(each.shadowRoot);
    if (inner) return inner;
  }
}
const card = () => find(document);
"""


@pytest.fixture
async def dashboard(
    tmp_path: Path, unused_tcp_port: int, socket_enabled: None
) -> AsyncIterator[Dashboard]:
    """Return the open dashboard of four simulated inverters with a BI PRO."""
    url = f"http://{LOOPBACK}:{unused_tcp_port}"
    config = tmp_path / "config"
    account = prepare(config, unused_tcp_port)
    async with asyncio.timeout(_LIMIT), HomeAssistant(config):
        await wait_until_answering(url)
        async with (
            signed_in(url, account) as api,
            chromium.browser(tmp_path / "browser") as page,
        ):
            await api.wait_until_running()
            await add_simulated_group(api)
            await set_up_dashboard(api)
            assert api.token is not None
            await page.open(f"{url}/manifest.json")
            await page.until("return location.pathname === '/manifest.json';")
            await page.run(chromium.signed_in(url, api.token))
            shown = Dashboard(api, page, url)
            await shown.open()
            yield shown
