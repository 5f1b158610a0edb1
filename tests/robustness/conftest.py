"""Sites for every test, and the matrix of what all faults did."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

from pymodbus.client import base as pymodbus_client
import pytest

from custom_components.solax_parallel import wiring
from homeassistant.core import HomeAssistant

from .matrix import Matrix
from .site import LAPSE, Layout, Site

type BuildSite = Callable[[Layout], Awaitable[Site]]

_MATRIX = pytest.StashKey[Matrix]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to try everything; known only to a run of this folder alone."""
    parser.addoption("--every-fault", action="store_true", help="print the matrix")
    parser.addoption("--matrix-into", type=Path, help="a document to put it into")


def pytest_configure(config: pytest.Config) -> None:
    """Begin a matrix."""
    config.stash[_MATRIX] = Matrix(config.getoption("every_fault", False))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show the matrix to whoever asked for it."""
    matrix = config.stash[_MATRIX]
    if not matrix.is_wanted:
        return
    terminalreporter.write_line(f"\n{matrix}\n")
    if (document := config.getoption("matrix_into")) is not None:
        matrix.write_into(document)


@pytest.fixture
def matrix(request: pytest.FixtureRequest) -> Matrix:
    """The matrix of this run."""
    return request.config.stash[_MATRIX]


@pytest.fixture
async def build_site(
    hass: HomeAssistant,
    unloaded_afterwards: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[BuildSite]:
    """Build sites in time lapse, not set up yet."""
    built: list[Site] = []

    async def build(layout: Layout) -> Site:
        site = await Site.build(hass, layout, tmp_path)
        built.append(site)
        monkeypatch.setattr(wiring, "SteadyClock", lambda: site.time)
        # What pymodbus waits after it has connected goes faster, too.
        hurried = SimpleNamespace(sleep=lambda seconds: asyncio.sleep(seconds / LAPSE))
        monkeypatch.setattr(pymodbus_client, "asyncio", hurried)
        return site

    yield build
    for site in built:
        await site.stop()
