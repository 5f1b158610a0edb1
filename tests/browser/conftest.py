"""A real Home Assistant with the simulated group, and a browser that looks at its dashboard."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
import socket

import pytest
import pytest_socket

from scripts.development.api import Api, signed_in, wait_until_answering
from scripts.development.dashboard import PATH, set_up_dashboard
from scripts.development.folder import LOOPBACK, Account, prepare
from scripts.development.group import add_simulated_group
from scripts.development.process import HomeAssistant

from . import page as chromium

INJECTED_FAULTS = [
    "select.primary_inverter_injected_fault",
    *(f"select.secondary_inverter_{number}_injected_fault" for number in (1, 2, 3)),
]
BREAKER = "switch.parallel_group_simulated_grid"

_LIMIT = 300
_LOOK = 0.5


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

    async def heal(self) -> None:
        """Undo what an earlier test did to the group."""
        for injected in INJECTED_FAULTS:
            await self.call("select.select_option", injected, option="none")
        await self.call("switch.turn_on", BREAKER)
        await self.shows("!card().querySelector('.tile .unknown, .tile details')")
        await self.shows("card().textContent.includes('On-grid')")

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

    async def repair_is_there(self, fault: str) -> None:
        """Wait until Home Assistant lists a repair for ``fault``."""
        while True:
            listed = await self.api.command("repairs/list_issues")
            if any(one["issue_id"].endswith(f"_{fault}") for one in listed["issues"]):
                return
            await asyncio.sleep(_LOOK)

    async def is_loaded(self) -> None:
        """Wait until no card of the dashboard is loading what it shows."""
        await self.page.until(f"{LOADING} return !loading(document);")

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

LOADING = """
const loading = (root) => [...root.querySelectorAll('*')].some((each) =>
  each.localName === 'ha-spinner' || each.isLoadingData || each.shadowRoot && loading(each.shadowRoot));
"""


@dataclass(frozen=True)
class Site:
    """A Home Assistant with four simulated inverters, a BI PRO and a dashboard, and who may look."""

    url: str
    account: Account


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return the one that all tests of a file look at: it takes long to start."""
    pytest_socket.enable_socket()
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port = free.getsockname()[1]
    config = tmp_path_factory.mktemp("site") / "config"
    site = Site(f"http://{LOOPBACK}:{port}", prepare(config, port))
    with asyncio.Runner() as runner:
        running = AsyncExitStack()
        runner.run(running.enter_async_context(HomeAssistant(config)))
        try:
            runner.run(asyncio.wait_for(_furnish(site), _LIMIT))
            yield site
        finally:
            runner.run(running.aclose())


async def _furnish(site: Site) -> None:
    await wait_until_answering(site.url)
    async with signed_in(site.url, site.account) as api:
        await api.wait_until_running()
        await add_simulated_group(api)
        await set_up_dashboard(api)
        await api.command("simulated_past/fill")


@pytest.fixture
async def dashboard(
    site: Site, tmp_path: Path, socket_enabled: None
) -> AsyncIterator[Dashboard]:
    """Return the open dashboard, of a group at which nothing is wrong."""
    async with (
        asyncio.timeout(_LIMIT),
        signed_in(site.url, site.account) as api,
        chromium.browser(tmp_path / "browser") as page,
    ):
        assert api.token is not None
        await page.open(f"{site.url}/manifest.json")
        await page.until("return location.pathname === '/manifest.json';")
        await page.run(chromium.signed_in(site.url, api.token))
        shown = Dashboard(api, page, site.url)
        await shown.open()
        await shown.heal()
        yield shown
